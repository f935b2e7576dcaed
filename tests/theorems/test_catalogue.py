"""Checks of the catalogue hold, and can fail."""

import dataclasses
import math
import os
import sys
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
    room = Room("broken")
    room.theorems += [good, broken]
    monkeypatch.setattr(theorems, "ROOMS", (room,))
    with pytest.raises(SystemExit) as exit:
        main(["theorems", "check"])
    out, error = capsys.readouterr()
    assert exit.value.code == 1
    assert "FAILED" in out
    assert "1 of 2 hold" in out
    assert error == "error: failed: broken\n"


OWN = r"""
import numpy as np
from linssl.theorems import Room

ROOM = AGAIN = Room("My theorems", "my_theorems")


@ROOM.theorem("trace", "$t$ is the sum of the diagonal", "$t$ trace", "derived", "sum")
def _trace(rng):
    A = rng.standard_normal((3, 3))
    return abs(np.trace(A) - A[0, 0] - A[1, 1] - A[2, 2])
"""


def test_theorems_of_a_module_of_ones_own_are_listed_and_checked(tmp_path, monkeypatch, capsys):
    (tmp_path / "theorems_of_mine.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    main(["theorems", "check", "--module", "theorems_of_mine"])
    assert "1 of 1 hold on 3 problems each" in capsys.readouterr().out
    main(["theorems", "show", "trace", "--module", "theorems_of_mine"])
    assert "function   my_theorems.sum" in capsys.readouterr().out
    main(["theorems", "list", "--module", "theorems_of_mine"])
    assert "1 entries" in capsys.readouterr().out


REFUSED = {
    "mine.py": "module must be a dotted name, such as my_theorems for my_theorems.py; got",
    "no_such": "module 'no_such': there is no module 'no_such' among the installed ones or in this",
    "json": "module 'json' has no theorems: it needs a linssl.theorems.Room",
    "twice_of_mine": "module 'twice_of_mine' names one twice",
}


@pytest.mark.parametrize("module", REFUSED)
def test_a_module_without_theorems_is_refused(module, tmp_path, monkeypatch):
    enter = 'R.theorem("one", "", "", "", "f")(len)\n'
    twice = "from linssl.theorems import Room\nR = Room('')\n" + enter + enter
    (tmp_path / "twice_of_mine.py").write_text(twice)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit, match=REFUSED[module]):
        main(["theorems", "check", "--module", module])


@pytest.mark.parametrize("command", ["check", "show"])
def test_an_unknown_name_exits_with_2_and_near_names(command, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["theorems", command, "joint-embeding"])
    assert exit.value.code == 2
    assert "no theorem is named 'joint-embeding'; did you mean joint-embedding" in (
        capsys.readouterr().err
    )
