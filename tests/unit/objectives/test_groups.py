"""What every model of groups refuses: groups of another size than those of its views."""

import numpy as np
import pytest
from views import D, K

import linssl
from linssl import pairs

X = np.random.default_rng(0).standard_normal((30, 3, D))
MODELS = {
    "simvae": linssl.simvae,
    "plda": linssl.objectives.plda,
    "factorised_simvae": lambda views, k, J: linssl.objectives.factorised_simvae(
        views, k, J, style=0.5, noise=0.3
    ),
    "simvae_elbo": lambda views, k, J: linssl.objectives.simvae_elbo(
        views, np.eye(D)[:, :k], J, style=0.5, noise=0.3
    ),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_groups_of_another_size_are_refused(model):
    views = linssl.augment(pairs.groups(X), linssl.GaussianNoise(np.ones(D)))
    for J in (2, 4):
        with pytest.raises(ValueError, match=f"must be 3, as the views are moments of.*got {J}"):
            model(views, K, J)
