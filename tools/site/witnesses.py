"""Which tests are witnesses of which theorem: those marked `@pytest.mark.witness("name", ...)`."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]


def witnesses() -> dict[str, list[tuple[str, str]]]:
    """Return (file, test) of every witness, by the name of the theorem."""
    found = defaultdict(list)
    for path in sorted(ROOT.glob("tests/**/test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for name in _marked(node):
                    found[name].append((str(path.relative_to(ROOT)), node.name))
    return dict(found)


def _marked(test: ast.FunctionDef) -> list[str]:
    """Return the names in the marks of a test."""
    found = []
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.witness":
            found += [ast.literal_eval(name) for name in mark.args]
    return found
