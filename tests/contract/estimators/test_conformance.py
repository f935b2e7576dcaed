"""What scikit-learn asks of every estimator."""

import jax
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linssl.estimators import JointEmbedding, Reconstruction, SemanticJointEmbedding, SimVAE


@pytest.fixture(autouse=True, scope="module")
def compiled_in_haste():
    """Compile without optimising: there are many shapes here, and few rows in each."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


# One dim for SimVAE: its solver is compiled for every (d, dim), which takes seconds.
@parametrize_with_checks(
    [JointEmbedding(), Reconstruction(), SemanticJointEmbedding(), SimVAE(dim=1)]
)
def test_scikit_learn_accepts_every_estimator(estimator, check):
    check(estimator)
