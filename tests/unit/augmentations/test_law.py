"""What is no augmentation, or not augmented, and the words that say so."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import linssl
from linssl import (
    Augmentation,
    GaussianNoise,
    augment,
    augment_sides,
    compose,
    same_instance,
    two_views,
    view_and_clean,
)
from linssl.augmentations import Effect

D = 3
X = np.arange(12.0).reshape(4, D) % 5


class Own(Augmentation):
    def sample(self, key, x):
        del key
        return x


class Numpy(Own):
    def effect(self, covariance, mean):
        return Effect(jnp.asarray(np.full(D, np.asarray(mean).max()), covariance.dtype))


class Branching(Own):
    def effect(self, covariance, mean):
        return Effect(jnp.ones(D, covariance.dtype) * (2 if mean.max() < 9 else 1))


class Counting(Own):
    def effect(self, covariance, mean):
        return Effect(jnp.ones(D, covariance.dtype) * len(range(int(mean[0]))))


def test_augmentation_without_a_simulator_or_a_spread_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Own()


@pytest.mark.parametrize(
    "impure", [Numpy(), Branching(), Counting()], ids=lambda a: type(a).__name__
)
def test_an_effect_that_is_not_computed_by_jax_is_refused(impure):
    noise = GaussianNoise(np.ones(D))
    for a in (impure, compose(noise, impure), linssl.augmentations.Mixture([impure, noise])):
        for call in (lambda: two_views(X, a), lambda: view_and_clean(X, a)):  # noqa: B023
            with pytest.raises(ValueError, match=r"effect must be computed by JAX .*: no numpy"):
                call()
    with pytest.raises(ValueError, match="effect must be computed by JAX"):
        jax.jit(lambda x: two_views(x, impure))(jnp.asarray(X))


class FixedMap(Own):
    """τ(x) = A x + b for `size` features."""

    size: int = eqx.field(static=True)
    matrix: jax.Array | None = None
    offset: jax.Array | None = None

    def effect(self, covariance, mean):
        del mean
        return Effect(jnp.zeros(self.size, covariance.dtype), self.matrix, self.offset)


def test_augmentation_of_another_size_is_refused():
    label = linssl.with_label(X, X[:, :2] + X[:, 1:])
    a, b = FixedMap(2), FixedMap(3)
    with pytest.raises(ValueError, match=r"FixedMap is for 2 features; that side has 3"):
        augment_sides(label, a, None)
    with pytest.raises(ValueError, match=r"FixedMap is for 3 features; that side has 2"):
        augment_sides(label, b, b)
    with pytest.raises(ValueError, match=r"FixedMap is for 1 features; that side has 3"):
        augment(same_instance(X), FixedMap(1))


@pytest.mark.parametrize("size", [1, 2])
def test_mean_map_of_another_size_is_refused(size):
    # One of size 1 would broadcast, and be read as a multiple of the identity.
    match = f"FixedMap is for {size} features; that side has 3"
    for a in (
        FixedMap(D, jnp.ones(size)),
        FixedMap(D, jnp.ones((size, size))),
        FixedMap(D, None, jnp.ones(size)),
    ):
        with pytest.raises(ValueError, match=match):
            two_views(X, a)


class Returning(Own):
    """Whose effect is anything."""

    parts: tuple = eqx.field(static=True)

    def effect(self, covariance, mean):
        del covariance, mean
        return Effect(*self.parts) if self.parts else 0.1


@pytest.mark.parametrize(
    ("parts", "match"),
    [
        ((), "must return an Effect; got float"),
        ((0.1,), r"must return spread of a shape in \[\(3,\), \(3, 3\)\]; got \(\)"),
        ((None,), "must return spread of .*; got None"),
        (((1.0,) * D, ((1.0,) * 2,) * D), r"must return linear of .*; got \(3, 2\)"),
        (((1.0,) * D, None, 2.0), r"must return offset of a shape in \[\(3,\)\]; got \(\)"),
    ],
)
def test_effects_of_another_shape_are_refused_rather_than_broadcast(parts, match):
    with pytest.raises(ValueError, match=match):
        augment(same_instance(X), Returning(parts))
