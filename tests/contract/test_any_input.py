"""Any array that may be thrown at a public function: a right number, a status or a ValueError.

Right is what numpy makes of the same numbers in long double (`long_double`), to the rounding of the
precision that they are kept in; refused is what holds no finite numbers, and nothing else. Where
the condition is below 1e6 and draws are more than 2d there must be no status (`doors.Want.clear`).

The short run throws two inputs at most functions, which compiles little; HYPOTHESIS_PROFILE=deep
throws 115 at each, 10 000 in all, of twelve shapes. `pytest -s` prints what came of them.
"""

import os
import re
from collections import Counter

import doors_moments
import doors_objectives
import doors_others
import hypothesis
import jax
import pytest
from any_arrays import Thrown, thrown
from doors import Door, judge
from helpers import any_types

import linssl
from linssl import estimators

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
EACH, IN_ALL = (115, 10_000) if DEEP else (2, 100)
DOORS = doors_moments.DOORS | doors_objectives.DOORS | doors_others.DOORS
# The others take seconds to compile: the deep run has them, and tests of their own.
TRIED = {name: door for name, door in DOORS.items() if DEEP or not door.slow}
LEAST_RIGHT, LEAST_CLEAR = 0.6, 0.5  # shares of all inputs
OUTCOMES = ("right", "status", "refused", "unsure")
counted: dict[str, Counter] = {}

ROOMS = (linssl, linssl.augmentations, linssl.metrics, linssl.objectives, linssl.pairs, estimators)
NO_ARRAY = {  # results, statuses, what families are made of, laws of classes, and shapes of images
    *("AdaSSLSolution", "Bound", "FactorisedSimVAESolution", "Gaussian", "GroupModel"),
    *("GroupPosterior", "PLDASolution", "PairEstimate", "SimVAESolution", "Status"),
    *("SolvedEncoder", "as_estimator", "save_encoder"),
    *("NumericalTroubleError", "NumericalTroubleWarning"),
    *("Augmentation", "Composition", "Effect", "LinearFamily", "Mask"),
    *("another_class", "class_redrawn", "within_superclass"),
    *("Image", "cutout_masks", "image_patches"),
}


def throw(door: Door, seed: int) -> Counter:
    """Throw inputs at one function, and count what comes back."""
    counts = Counter()

    def accepts(shape: tuple[int, int]) -> bool:
        few = DEEP or shape[1] == 3 or not door.accepts((40, 3))
        return few and door.accepts(shape)

    @hypothesis.settings(
        max_examples=EACH,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate, *[hypothesis.Phase.shrink] * DEEP],
    )
    @hypothesis.given(case=thrown(seed, accepts))
    def run(case: Thrown):
        wanted = door.want(case)
        counts[judge(door, case, wanted)] += 1
        counts["clear"] += wanted.numbers is not None and wanted.clear

    with any_types(), jax.numpy_dtype_promotion("standard"):  # as in a user's process
        run()
    return counts


@pytest.mark.parametrize("name", TRIED)
def test_any_input_gives_a_right_number_a_status_or_a_refusal(name):
    counted[name] = throw(TRIED[name], list(DOORS).index(name))


def test_every_public_function_has_inputs_thrown_at_it():
    thrown_at = set(re.findall(r"\w+", " ".join(DOORS)))
    for room in ROOMS:
        own = room.__name__ if room is linssl.metrics else "linssl"
        public = {
            name
            for name, value in vars(room).items()
            if callable(value) and name[0] != "_" and value.__module__.startswith(own)
        }
        assert public - thrown_at <= NO_ARRAY, public - thrown_at - NO_ARRAY


def test_most_inputs_give_right_numbers():
    if set(counted) != set(TRIED):
        pytest.skip("needs every function to have been tried")
    total = sum(counted.values(), Counter())
    for name, counts in {**counted, "all": total}.items():
        print(f"{name:35}", *(f"{counts[k]:5} {k}" for k in (*OUTCOMES, "clear")))
    thrown_at_all = sum(total[k] for k in OUTCOMES)
    assert thrown_at_all >= IN_ALL
    assert total["right"] >= LEAST_RIGHT * thrown_at_all
    assert total["clear"] >= LEAST_CLEAR * thrown_at_all
