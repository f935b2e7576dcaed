"""Every objective says which moments it needs, views of one instance or a pair of two sides."""

import numpy as np
import pytest
from helpers import any_types
from problems import clean_and_view, two_views, view_and_clean

import linssl

VIEWS, PAIR = two_views(*clean_and_view(0)), view_and_clean(*clean_and_view(0))
KNOWN = {"style": 0.5, "noise": 0.3}
OF_VIEWS = {
    "joint_embedding": lambda v: linssl.joint_embedding(v, 2),
    "soft_constraint": lambda v: linssl.objectives.soft_constraint(v, 2, 1.0),
    "spectral_contrastive": lambda v: linssl.objectives.spectral_contrastive(v, 2),
    "alignment_only": lambda v: linssl.objectives.alignment_only(v, 2),
    "invariance_only": lambda v: linssl.objectives.invariance_only(v, 2),
    "barlow_twins": lambda v: linssl.objectives.barlow_twins(v, 2),
    "plda": lambda v: linssl.objectives.plda(v, 2, 3),
    "simvae": lambda v: linssl.simvae(v, 2, 3),
    "factorised_simvae": lambda v: linssl.objectives.factorised_simvae(v, 2, 3, **KNOWN),
    "simvae_elbo": lambda v: linssl.objectives.simvae_elbo(v, np.ones((5, 2)), 3, **KNOWN),
    "a problem": lambda v: linssl.populations.Problem(v, PAIR, {"x": PAIR}),
}
OF_PAIRS = {
    "reconstruction": lambda p: linssl.reconstruction(p, 2),
    "supervised": lambda p: linssl.supervised(p),
    "canonical_correlation": lambda p: linssl.canonical_correlation(p, 2),
    "reconstruction_path": lambda p: linssl.objectives.reconstruction_path(p, 2, 0.5),
    "adassl": lambda p: linssl.objectives.adassl(p, 2, 0.5),
    "info_nce": lambda p: linssl.objectives.info_nce(p, 2),
    "a problem": lambda p: linssl.populations.Problem(VIEWS, p, {"x": PAIR}),
}


@pytest.mark.parametrize("name", OF_VIEWS)
def test_a_pair_of_two_sides_has_no_two_views(name):
    for pair in (PAIR, VIEWS.as_pair()):
        with any_types(), pytest.raises(ValueError, match=f"^{name} needs Views, two views of one"):
            OF_VIEWS[name](pair)
    with any_types(), pytest.raises(ValueError, match="views must be Views; got ndarray of shape"):
        OF_VIEWS[name](np.eye(5))


@pytest.mark.parametrize("name", OF_PAIRS)
def test_views_are_no_pair_of_two_sides(name):
    with any_types(), pytest.raises(ValueError, match="pair must be a PairMoments; got Views, wh"):
        OF_PAIRS[name](VIEWS)
    with any_types(), pytest.raises(ValueError, match="pair must be a PairMoments; got ndarray"):
        OF_PAIRS[name](np.eye(5))
