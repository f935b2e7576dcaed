"""Every example of the documentation runs, and prints what the page says."""

import contextlib
import io
import re
import runpy
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import jax
import pytest

from linssl.cli import main

DOCS = Path(__file__).parents[3] / "docs"
PAGES = sorted(page.stem for page in DOCS.glob("*.md"))
TUTORIALS = sorted(file.stem for file in (DOCS / "tutorials").glob("*.py"))
BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>python|sh)\n(?P<code>.*?)^ *```$"
    r"(?:\s*^ *```text\n(?P<output>.*?)^ *```$)?",
    re.S | re.M,
)


def examples(page):
    """Language, code and expected output (None where the page gives none) of every block."""
    for block in BLOCK.finditer((DOCS / f"{page}.md").read_text()):
        output = block["output"]
        yield (
            block["language"],
            textwrap.dedent(block["code"]),
            None if output is None else textwrap.dedent(output),
        )


def run(language, code, namespace):
    """Run one block; return what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        if language == "python":
            exec(compile(code, "docs", "exec"), namespace)
        else:
            for line in code.splitlines():
                command, *arguments = shlex.split(line)
                assert command == "linssl", line
                main(arguments)
    return printed.getvalue()


def lines(text):
    """Lines without the spaces at their ends, which no editor keeps."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def says(printed, shown):
    """Whether a page shows what is printed; a line `...` stands for any lines."""
    shown, rest = [part.strip("\n") for part in f"\n{shown}\n".split("\n...\n")], printed
    if len(shown) == 1:
        return printed == shown[0]
    for place, part in enumerate(shown):
        at = rest.find(part)
        if at < 0 or (place == 0 and at > 0):
            return False
        rest = rest[at + len(part) :]
    return not shown[-1] or not rest.strip("\n")


def test_what_a_page_leaves_out_is_where_it_has_three_points():
    assert says("a\nb", "a\nb")
    assert not says("a\nb", "a")
    assert says("a\nb\nc\nd", "a\n...\nc\n...")
    assert not says("a\nb\nc\nd", "b\n...")
    assert not says("a\nb\nc\nd", "a\n...\nc")
    assert not says("a\nb\nc\nd", "a\n...\nd\n...\nc\n...")


@pytest.mark.parametrize("page", [page for page in PAGES if list(examples(page))])
def test_every_block_of_a_page_prints_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    # As readers run them, with jax's own rules of promotion.
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        for language, code, output in examples(page):
            printed = run(language, code, namespace)
            if output is not None or language == "python":
                shown = "\n".join(lines(output or ""))
                assert says("\n".join(lines(printed)), shown), f"{code}\n{printed}"


@pytest.mark.parametrize("name", TUTORIALS)
def test_every_tutorial_prints_what_its_page_says(name):
    file = DOCS / "tutorials" / f"{name}.py"
    assert len(file.read_text().splitlines()) < 80
    if "LocalCluster" in file.read_text():  # its workers are processes, of a script
        printed = subprocess.run(
            [sys.executable, file], check=True, capture_output=True, text=True, timeout=100
        ).stdout
    else:
        with (
            contextlib.redirect_stdout(io.StringIO()) as out,
            jax.numpy_dtype_promotion("standard"),
            jax.numpy_rank_promotion("allow"),
        ):
            runpy.run_path(str(file), run_name="__main__")
        printed = out.getvalue()
    assert printed == file.with_suffix(".txt").read_text()
