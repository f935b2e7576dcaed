"""What SimVAE refuses, and the words that say so."""

import numpy as np
import pytest
from views import D, J, K, generic

from linssl import simvae


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"prior": "flat"}, "grows without bound as W shrinks"),
        ({"prior": "sharp"}, "prior must be 'exact' or 'plug-in'; got 'sharp'"),
        ({"style": -1.0}, "style must be a scalar >= 0; got -1"),
        ({"style": np.nan}, "style must be a scalar >= 0; got nan"),
        ({"style": np.inf, "prior": "plug-in"}, "style must be a scalar >= 0 and finite; got inf"),
        ({"noise": 0.0}, "noise must be a scalar > 0 and finite; got 0"),
        ({"noise": np.ones(2)}, "noise must be a scalar"),
        ({"group_size": 0}, "group_size must be a whole number >= 1; got 0"),
        ({"group_size": 1}, "style must be given for group_size = 1"),
        (
            {"group_size": 1, "style": 1.0, "dim": D},
            "noise must be given for group_size = 1 and dim = 5",
        ),
        ({"dim": D + 1}, "dim must be between 1 and 5"),
        ({"iterations": -1}, "iterations must be a whole number >= 0; got -1"),
    ],
)
def test_bad_arguments_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        simvae(generic(0), **{"dim": K, "group_size": J} | arguments)
