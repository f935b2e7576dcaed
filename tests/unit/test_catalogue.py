"""The catalogue is complete and names what exists; what its command refuses, and in which words."""

import inspect
import operator
import re
from pathlib import Path

import pytest

import linssl
from linssl.cli import main
from linssl.theorems import CATALOGUE, ROOMS
from tools.site.witnesses import witnesses

ROOT = Path(__file__).parents[2]


def public_formulas():
    """Public functions of the theory and the objectives, but for those about statuses and files."""
    return {
        name if hasattr(linssl, name) else f"{room}.{name}"
        for room in ("theory", "objectives")
        for name, value in vars(getattr(linssl, room)).items()
        if inspect.isfunction(inspect.unwrap(value))
        and name[0].islower()
        and name not in ("check", "explain", "identified", "save_encoder")
    }


def test_names_are_unique_and_there_are_many():
    assert len(CATALOGUE) == sum(len(room.theorems) for room in ROOMS) >= 40
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in CATALOGUE)


def test_every_formula_of_theory_and_objectives_is_in_the_catalogue():
    formulas = public_formulas()
    assert len(formulas) > 40
    assert formulas <= {t.function.removeprefix("linssl.") for t in CATALOGUE.values()}


def test_every_function_is_public():
    for t in CATALOGUE.values():
        assert callable(operator.attrgetter(t.function.removeprefix("linssl."))(linssl)), t.function


def test_every_theorem_has_a_test_for_a_witness_and_every_witness_a_theorem():
    assert witnesses().keys() == CATALOGUE.keys()


def test_statements_are_one_line_of_balanced_latex():
    for t in CATALOGUE.values():
        for text in (t.statement, t.symbols):
            assert "\n" not in text
            assert text.count("$") % 2 == 0, text
            for formula in re.findall(r"\$(.*?)\$", text):
                bare = re.sub(r"\\[{}]", "", formula)
                assert bare.count("{") == bare.count("}"), text
                assert formula.count(r"\left") == formula.count(r"\right"), text


def test_sources_are_derived_or_in_the_bibliography():
    keys = set(re.findall(r"@\w+\{(\w+),", (ROOT / "references.bib").read_text()))
    for t in CATALOGUE.values():
        for source in t.source.split("; "):
            word = re.split(r"[, ]", source)[0]
            assert word == "derived" or word in keys, (t.name, source)


def test_only_rounding_has_the_common_tolerance():
    for t in CATALOGUE.values():
        assert (t.reason == "rounding") == (t.tolerance == 1e-10), t.name
        assert t.tolerance <= 1e-3, t.name


@pytest.mark.parametrize(
    ("options", "message"),
    [("--problems 0", "problems must be >= 1; got 0"), ("--seed -1", "seed must be >= 0; got -1")],
)
def test_impossible_numbers_are_refused(options, message):
    with pytest.raises(SystemExit, match=f"error: {message}"):
        main(["theorems", "check", "joint-embedding", *options.split()])
