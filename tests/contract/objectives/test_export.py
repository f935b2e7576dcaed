"""Every objective lowers for GPU and TPU, in both precisions, without having either."""

import inspect

import jax
import jax.numpy as jnp
import pytest
from problems import two_views, view_and_clean

import linssl

D, E, K = 6, 3, 2


OBJECTIVES = {
    "joint_embedding": lambda C, theta: linssl.joint_embedding(two_views(C, theta), K),
    "reconstruction": lambda C, theta: linssl.reconstruction(view_and_clean(C, theta), K),
    "simvae": lambda C, theta: linssl.simvae(two_views(C, theta), K, 3),
    "factorised_simvae": lambda C, theta: linssl.objectives.factorised_simvae(
        two_views(C, theta), K, 3, style=0.5, noise=0.3
    ),
    "plda": lambda C, theta: linssl.objectives.plda(two_views(C, theta), K, 3),
    "supervised": lambda C, theta: linssl.supervised(
        linssl.PairMoments(
            C + jnp.diag(theta), C[:E, :E], C[:, :E], theta, theta[:E], jnp.inf, jnp.inf
        )
    ),
}  # fmt: skip
# Of those that are made of these, or of one decomposition like theirs.
BESIDE = {
    "adassl", "alignment_only", "barlow_twins", "canonical_correlation", "info_nce",
    "invariance_only", "reconstruction_path", "save_encoder", "simvae_elbo", "soft_constraint",
    "spectral_contrastive",
}  # fmt: skip


def test_every_objective_is_here_or_beside():
    public = {
        name
        for name, value in vars(linssl.objectives).items()
        if inspect.isfunction(inspect.unwrap(value)) and name[0].islower()
    }
    assert public - {"check", "explain", "identified"} == OBJECTIVES.keys() | BESIDE


@pytest.mark.x64
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_objective_lowers(objective, dtype):
    shapes = [jax.ShapeDtypeStruct((D, D), dtype), jax.ShapeDtypeStruct((D,), dtype)]

    def arrays(C, theta):  # a Solution is no serialisable output; its arrays are
        return jax.tree_util.tree_leaves(objective(C, theta))

    exported = jax.export.export(jax.jit(arrays), platforms=["cuda", "tpu"])(*shapes)
    assert exported.platforms == ("cuda", "tpu")
    assert exported.out_avals[0].dtype == dtype
