"""Checks of the catalogue hold, and can fail."""

import dataclasses
import math
import os
from pathlib import Path

import jax
import pytest

from linssl import theorems
from linssl.cli import main
from linssl.theorems import CATALOGUE, Room

ROOT = Path(__file__).parents[2]
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
# One of each kind that compiles little; a deep run checks all.
QUICK = (
    "joint-embedding", "alignment-difference", "dropout", "semantic-pairs", "merge-of-pairs",
    "mutual-information", "alignment-only", "spiked-joint-embedding", "barlow-twins-trajectory",
)  # fmt: skip


@pytest.mark.parametrize("name", CATALOGUE if DEEP else QUICK)
def test_theorem_holds_on_random_problems(name):
    t, before = CATALOGUE[name], jax.config.read("jax_enable_x64")
    assert t.residual(seed=1, problems=3 if DEEP else 1) <= t.tolerance
    assert jax.config.read("jax_enable_x64") == before


def test_the_worst_problem_counts_and_nan_is_worse():
    room = Room("broken")
    room.theorem("one", "", "", "", "f")(lambda rng: next(numbers))
    numbers = iter([1e-3, 2.0, 1e-9])
    assert room.theorems[0].residual(problems=3) == 2.0
    numbers = iter([1e-3, math.nan, 1e-9])
    assert math.isnan(room.theorems[0].residual(problems=3))


def test_a_problem_depends_on_the_seed_alone():
    room = Room("random")
    room.theorem("one", "", "", "", "f")(lambda rng: rng.uniform())
    (t,) = room.theorems
    assert t.residual(3) == t.residual(3) != t.residual(4)


def test_the_command_lists_shows_and_checks(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "800")
    main(["theorems"])
    listed = capsys.readouterr().out
    assert all(t.name in listed and t.statement in listed for t in CATALOGUE.values())
    main(["theorems", "show", "joint-embedding"])
    assert "linssl.joint_embedding" in capsys.readouterr().out
    main(["theorems", "check", "joint-embedding", "--seed", "2", "--problems", "1"])
    assert "1 of 1 hold" in capsys.readouterr().out


@pytest.mark.parametrize("residual", [1.0, math.nan])
def test_a_check_that_fails_is_told_and_exits_with_1(residual, capsys, monkeypatch):
    good = CATALOGUE["two-modes-averaged"]
    broken = dataclasses.replace(good, name="broken", check=lambda rng: residual)
    monkeypatch.setattr(theorems, "CATALOGUE", {"good": good, "broken": broken})
    with pytest.raises(SystemExit) as exit:
        main(["theorems", "check"])
    out, error = capsys.readouterr()
    assert exit.value.code == 1
    assert "FAILED" in out
    assert "1 of 2 hold" in out
    assert error == "error: failed: broken\n"


@pytest.mark.parametrize("command", ["check", "show"])
def test_an_unknown_name_exits_with_2_and_near_names(command, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["theorems", command, "joint-embeding"])
    assert exit.value.code == 2
    assert "no theorem is named 'joint-embeding'; did you mean joint-embedding" in (
        capsys.readouterr().err
    )
