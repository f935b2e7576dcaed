"""What every closed-form trajectory can be asked: where it is, where it ends, when it is there."""

import abc
import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, require_range
from linssl.linalg.shown import Shown
from linssl.theory.dynamics._clock import logit

LARGEST = 1e30  # a moment or strength whose products single precision still holds


class Trajectory(Shown):
    """The strength of features under gradient flow: one number each, apart from one another.

    Trajectories are pytrees, and functions of time can be jitted, mapped and differentiated in
    time, start and moments.

    Args:
        start: strengths at t = 0, (m,) for m features, or a scalar for one.
    """

    start: eqx.AbstractVar[Float[Array, "*m"]]

    @property
    @abc.abstractmethod
    def limit(self) -> Float[Array, "*m"]:
        r"""Strengths as $t \to \infty$, (m,).

        Source: derived.
        """

    @abc.abstractmethod
    def _at(self, time: Array) -> Array:
        """Strengths at one time, finite or inf."""

    @abc.abstractmethod
    def _time_to(self, share: Array) -> Array:
        """Times from a start below share * limit; anything from one above."""

    def __call__(self, time: Numbers) -> Float[Array, "..."]:
        """Return the strengths at times t >= 0 of any shape, inf included: (*time, m)."""
        t = require_range("time", time, 0, math.inf).astype(self.start.dtype)
        found = _strengths(self, t.reshape(-1))
        return found.reshape(t.shape + self.start.shape)

    def learning_time(self, share: Numbers = 0.5) -> Float[Array, "*m"]:
        """Return the time to reach a share of the limit from below, (m,).

        0 where the start is already there or above; inf where the limit is 0, that is for
        features that are never learned, and for share = 1.

        Args:
            share: in (0, 1], a scalar.

        Raises:
            ValueError: share outside (0, 1] (where concrete; NaN inside a trace), or no scalar.
        """
        c = require_range("share", share, 0, 1, positive=True).astype(self.start.dtype)
        if c.ndim:
            raise ValueError(f"share must be a scalar; got shape {c.shape}.")
        return _times(self, c)

    def order(self, share: Numbers = 0.5) -> Array:
        """Return the features in the order in which they are learned, (m,) of int.

        By `learning_time(share)`; ties in the order given, what is never learned last.

        Args:
            share: in (0, 1], a scalar.
        """
        return jnp.argsort(jnp.atleast_1d(self.learning_time(share)), stable=True)


@jax.jit
def _strengths(trajectory: Trajectory, times: Array) -> Array:
    return jax.vmap(trajectory._at)(times)


@jax.jit
def _times(trajectory: Trajectory, share: Array) -> Array:
    limit, start = trajectory.limit, trajectory.start
    time = jnp.where(start >= share * limit, 0, trajectory._time_to(share))
    return jnp.where(limit > 0, time, jnp.inf) + 0 * (share + limit + start)  # NaN stays


def same_shape(name: str, array: Array, other: Numbers, other_name: str) -> Array:
    """Return `other` in the shape and precision of `array`; a scalar stands for all features."""
    found = as_float(other, other_name).astype(array.dtype)
    if found.shape not in ((), array.shape):
        raise ValueError(
            f"{other_name} must be a scalar or {array.shape}, as {name}; got {found.shape}."
        )
    return jnp.broadcast_to(found, array.shape)


def features(name: str, values: Numbers, low: float | int, high: float | int) -> Array:
    """Return one number for each feature, (m,) or a scalar, in [low, high] and finite."""
    array = require_range(name, values, low, high)
    if array.ndim > 1 or not array.size:
        raise ValueError(f"{name} must be (m,), one per feature, or a scalar; got {array.shape}.")
    return array


def logistic_time(rate: Array, log_share: Array, log_start: Array) -> Array:
    r"""Return the time at which $\dot v = \mathrm{rate}\; v (1 - v)$ goes from start to share.

    Source: derived.
    """
    inside = (log_start < 0) & (rate > 0)
    v, r = jnp.where(inside, log_start, -1), jnp.where(inside, rate, 1)
    return (logit(log_share) - logit(v)) / r


def log_sum(a: Array, f: Array, b: Array) -> Array:
    r"""Return $\log(e^a + f e^b)$ for f >= 0, with its derivative also at f = 0.

    Small sums keep their digits: near 0 the logarithm is relative to what is added to 1.

    Source: derived.
    """
    A, F, B = jax.lax.stop_gradient((a, f, b))
    most = jnp.maximum(A, B + jnp.log(F))  # of both logarithms
    # b - most lies within -log(f), and goes beyond the reach for f = 0 alone; in halves, since
    # e^-log(f) may underflow.
    reach = -math.log(float(jnp.finfo(b.dtype).tiny))
    half = jnp.exp(jnp.minimum(b - most, reach) / 2)
    return most + jnp.log1p(jnp.expm1(a - most) + f * half * half)
