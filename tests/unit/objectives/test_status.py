"""What a solution refuses, and the words that say so."""

import jax
import jax.numpy as jnp
import pytest
from problems import clean_and_view, two_views

import linssl


def test_mixed_precision_is_refused():
    if not jax.config.jax_enable_x64:
        pytest.skip("needs two precisions")
    with pytest.raises(ValueError, match="must have one dtype"):
        linssl.Views(jnp.eye(2), jnp.eye(2, dtype=jnp.float32), jnp.zeros(2), jnp.inf, jnp.inf)


def test_encoding_another_number_of_features_is_refused():
    s = linssl.joint_embedding(two_views(*clean_and_view(0)), 2)
    with pytest.raises(ValueError, match="x must have 5 features last; got shape"):
        s(jnp.ones((3, 4)))


def test_a_batch_of_solutions_does_not_encode():
    s = linssl.runtime.over_cells(
        lambda t: linssl.joint_embedding(two_views(jnp.array([2.0, 1.0]), t), 1),
        t=jnp.ones((3, 2)),
    )
    with pytest.raises(ValueError, match="one solution encodes at a time"):
        s(jnp.ones((4, 2)))


def test_decoding_without_a_decoder_is_refused():
    s = linssl.joint_embedding(two_views(*clean_and_view(0)), 2)
    with pytest.raises(ValueError, match="no decoder"):
        s.predict(jnp.ones((3, 5)))
