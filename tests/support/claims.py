"""Which tests went since a revision, and what covers each: `python tests/support/claims.py REV`.

A test is known by its name, however often it is there and wherever it lies.
"""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
# name of a test that went: the test, or the check, that makes its claim now
COVERED: dict[str, str] = {
    # Views by family as before; moments of all families at once.
    "test_views_and_moments_keep_shape_and_precision": "test_moments_keep_precision",
    "test_every_witness_is_a_test": (
        "test_every_theorem_has_a_test_for_a_witness_and_every_witness_a_theorem"
    ),
    "test_the_contents_page_exports_every_subpackage_name": (
        "test_the_contents_page_has_the_names_of_the_road_and_every_room"
    ),
    "test_two_runs_give_the_same_bytes": "test_a_script_gives_the_same_bytes_again",
    "test_data_of_too_low_rank_is_refused": "test_data_that_cannot_be_used_are_told_as_an_error",
}


def names(source: str) -> list[str]:
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def main(revision: str) -> None:
    """Print what went, and exit with 1 where something is covered by nothing."""
    files = git("ls-tree", "-r", "--name-only", revision, "tests").split()
    old = Counter(
        name
        for file in files
        if Path(file).match("test_*.py")
        for name in names(git("show", f"{revision}:{file}"))
    )
    new = Counter(n for p in ROOT.glob("tests/**/test_*.py") for n in names(p.read_text()))
    went = sorted((old - new).elements())
    for name in went:
        print(f"{name}: {COVERED.get(name, 'UNCOVERED')}")
    wrong = [
        f"{n}: {c} isn't there" for n, c in COVERED.items() if c[:5] == "test_" and c not in new
    ]
    print(*wrong, f"{len(went)} of {old.total()} tests went; {new.total()} are there", sep="\n")
    sys.exit(bool(wrong) or any(name not in COVERED for name in went))


if __name__ == "__main__":
    main(*sys.argv[1:])
