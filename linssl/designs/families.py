r"""Families of augmentations to design in: which knobs may turn, and how far."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, is_concrete
from linssl.augmentations import (
    AlignedNoise,
    Augmentation,
    Dropout,
    GaussianNoise,
    Mixture,
    compose,
)
from linssl.augmentations.base import Effect
from linssl.augmentations.gaussian import check_covariance
from linssl.augmentations.mixture import check_parts, mixed
from linssl.linalg.shown import Shown
from linssl.linalg.structure import Moment, add, symmetric


class DesignFamily(Shown):
    r"""Augmentations $\tau_p$ with parameters p in a box, for `design`.

    Parameters are such that $\Sigma$ is linear or quadratic in them; where there is only one, and
    it is no share, strength rises with it.

    Source: derived.
    """

    @abc.abstractmethod
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and largest parameters, (p,) each."""

    @abc.abstractmethod
    def starts(self) -> list[np.ndarray]:
        """Return parameters to start from, the usual ones first."""

    @abc.abstractmethod
    def augmentation(self, parameters: Float[Array, " p"]) -> Augmentation:
        """Return the augmentation with these parameters."""

    @abc.abstractmethod
    def input_size(self) -> int | None:
        """Return the number of features it is for, None for any."""

    @property
    def simplex(self) -> bool:
        """Whether parameters are >= 0 and sum to one."""
        return False

    def known(self, covariance: Moment, mean: Float[Array, " d"]) -> "DesignFamily":
        """Return the family for one data set, with what doesn't depend on p worked out."""
        del covariance, mean
        return self

    def effect(
        self, parameters: Float[Array, " p"], covariance: Moment, mean: Float[Array, " d"]
    ) -> Effect:
        """Return the augmentation's effect, differentiable at every p."""
        return self.augmentation(parameters).effect(covariance, mean)


class AlignmentFamily(DesignFamily):
    r"""Aligned noise of any strength: $\Sigma = \Theta + \alpha^2 \Gamma$, 0 <= α <= most.

    Args:
        base: $\Theta$, (d, d) or (d,).
        noise: $\Gamma$, (d, d) or (d,).
        most: the largest α that `design` may choose; α itself, not its square.

    Raises:
        ValueError: as `AlignedNoise`; noise that is 0; or a `most` that is no positive number with
            a square that is finite.

    Source: JEvRC, section 4.
    """

    base: Moment = eqx.field(converter=as_float)
    noise: Moment = eqx.field(converter=as_float)
    most: float = eqx.field(default=1e3, converter=lambda most: as_number("most", most))

    def __check_init__(self):
        AlignedNoise(self.base, self.noise, 0.0)
        if not 0 < self.most * abs(self.most) < np.inf:
            raise ValueError(f"most must be positive and finite, and its square; got {self.most}.")
        if is_concrete(self.noise) and not np.any(np.asarray(self.noise)):
            raise ValueError("noise must not be 0: there is nothing to align with.")

    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Return 0 and the largest α²."""
        return np.zeros(1), np.full(1, self.most**2)

    def starts(self) -> list[np.ndarray]:
        """Return α = 1, 0, and the largest."""
        return [np.full(1, min(a, self.most) ** 2) for a in (1.0, 0.0, self.most)]

    def input_size(self) -> int | None:
        """Return d."""
        return self.base.shape[0]

    def known(self, covariance: Moment, mean: Float[Array, " d"]) -> DesignFamily:
        """Return the family without the negative eigenvalues that a lower precision left."""
        del covariance, mean
        return AlignmentFamily(_semi_definite(self.base), _semi_definite(self.noise), self.most)

    def augmentation(self, parameters: Float[Array, " 1"]) -> Augmentation:
        """Return T(α). Source: JEvRC, section 4."""
        return AlignedNoise(self.base, self.noise, jnp.sqrt(parameters[0]))

    def effect(
        self, parameters: Float[Array, " 1"], covariance: Moment, mean: Float[Array, " d"]
    ) -> Effect:
        """Return Σ, in which α² enters: α itself has no derivative at 0."""
        del covariance, mean
        return Effect(add(self.base, parameters[0].astype(self.noise.dtype) * self.noise))


class NoiseFamily(DesignFamily):
    r"""Independent Gaussian noise on every feature: $\Sigma = \Theta = \mathrm{diag}(\theta)$.

    Args:
        least: smallest variances, (d,); above 0 where the data don't vary.
        most: largest variances, (d,) or one for all.

    Raises:
        ValueError: not (d,) variances, or a `most` that isn't above `least`.

    Source: JEvRC, section 3 (base augmentation).
    """

    least: Float[Array, " d"]
    most: Float[Array, " d"]

    def __init__(self, least: Numbers, most: Numbers):
        self.least = as_float(least, "least")
        if self.least.ndim != 1:
            raise ValueError(f"least must be variances (d,); got {self.least.shape}.")
        most = as_float(most, "most").astype(self.least.dtype)
        if most.shape not in ((), self.least.shape):
            raise ValueError(f"most must be a scalar or {self.least.shape}; got {most.shape}.")
        self.most = jnp.broadcast_to(most, self.least.shape)
        check_covariance("least", self.least)
        check_covariance("most", self.most)
        if is_concrete(self.least, self.most) and not np.all(self.most > self.least):
            raise ValueError("most must be above least on every feature.")

    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the variances as shares of the largest ones."""
        least, most = (np.asarray(a, float) for a in (self.least, self.most))
        return least / most, np.ones_like(least)

    def starts(self) -> list[np.ndarray]:
        """Return little noise, most noise, and something between."""
        low, high = self.box()
        return [low + share * (high - low) for share in (0.1, 1.0, 0.01)]

    def input_size(self) -> int | None:
        """Return d."""
        return self.least.shape[0]

    def augmentation(self, parameters: Float[Array, " d"]) -> Augmentation:
        """Return Gaussian noise. Source: JEvRC, section 3."""
        return GaussianNoise(parameters * self.most)


class DropoutFamily(DesignFamily):
    r"""Rescaled dropout with a probability for every feature.

    $$ \Sigma = \mathrm{diag}(r_i E[x_i^2]) + \theta I, \qquad r = (1 - q)/q \ge 0 $$

    Rescaled, since else the weakest augmentation would be to drop everything.

    Args:
        features: d.
        least: smallest probability of being kept, in (0, 1).
        noise: $\theta$, variance of noise on top, which a feature that doesn't vary needs.

    Raises:
        ValueError: features below 1, a `least` outside (0, 1), or noise that is no variance.

    Source: derived; Balestriero2022.
    """

    features: int = eqx.field(static=True)
    least: float = eqx.field(default=0.05, converter=lambda least: as_number("least", least))
    noise: float = eqx.field(default=0.0, converter=lambda noise: as_number("noise", noise))

    def __check_init__(self):
        if isinstance(self.features, bool) or not isinstance(self.features, int | np.integer):
            raise ValueError(f"features must be a number of features; got {self.features!r}.")
        if self.features < 1:
            raise ValueError(f"features must be >= 1; got {self.features}.")
        if not 0 < self.least < 1:
            raise ValueError(f"least must lie in (0, 1); got {self.least}.")
        if not 0 <= self.noise < np.inf:
            raise ValueError(f"noise must be a variance >= 0; got {self.noise}.")

    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Return r as shares of the largest one."""
        return np.zeros(self.features), np.ones(self.features)

    def starts(self) -> list[np.ndarray]:
        """Return little, most and very little dropping."""
        return [np.full(self.features, share) for share in (0.1, 1.0, 0.01)]

    def input_size(self) -> int | None:
        """Return d."""
        return self.features

    def augmentation(self, parameters: Float[Array, " d"]) -> Augmentation:
        """Return dropout, and the noise on top."""
        keep = 1 / (1 + parameters * (1 - self.least) / self.least)
        noise = GaussianNoise(jnp.full(self.features, self.noise, keep.dtype))
        return compose(Dropout(keep, rescaled=True), noise)


class MixtureFamily(DesignFamily):
    r"""Given augmentations, mixed in any proportions: $\tau = \tau_p$ with probability $\pi_p$.

    Args:
        parts: augmentations; one that does little, as an anchor, lets the others be rare.

    Raises:
        ValueError: fewer than two, something else than augmentations, or several sizes.

    Source: derived (law of total covariance).
    """

    parts: tuple[Augmentation, ...] = eqx.field(converter=check_parts)
    effects: tuple[Effect, ...] | None = None

    def __check_init__(self):
        if len(self.parts) < 2:
            raise ValueError("parts must be two or more augmentations; got one.")

    @property
    def simplex(self) -> bool:
        """Whether parameters are >= 0 and sum to one."""
        return True

    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Return no and full weight."""
        return np.zeros(len(self.parts)), np.ones(len(self.parts))

    def starts(self) -> list[np.ndarray]:
        """Return equal weights, and mostly one of the parts."""
        P = len(self.parts)
        return [np.full(P, 1 / P), *(0.8 * np.eye(P) + 0.2 / P)]

    def input_size(self) -> int | None:
        """Return the size of the parts that have one."""
        return Mixture(self.parts).input_size()

    def augmentation(self, parameters: Float[Array, " P"]) -> Augmentation:
        """Return the mixture."""
        return Mixture(self.parts, parameters / jnp.sum(parameters))

    def known(self, covariance: Moment, mean: Float[Array, " d"]) -> "DesignFamily":
        """Work out the effects of the parts once."""
        return MixtureFamily(self.parts, tuple(p.effect(covariance, mean) for p in self.parts))

    def effect(
        self, parameters: Float[Array, " P"], covariance: Moment, mean: Float[Array, " d"]
    ) -> Effect:
        """Return the effect of the mixture."""
        if self.effects is None:
            return self.known(covariance, mean).effect(parameters, covariance, mean)
        weights = (parameters / jnp.sum(parameters)).astype(covariance.dtype)
        return mixed(list(self.effects), weights, covariance, mean)


def _semi_definite(moment: Moment) -> Moment:
    """Return the nearest covariance: in double precision rounding to single is no covariance."""
    if moment.ndim == 1:
        return moment
    moment = symmetric(moment)
    scale, U = jnp.linalg.eigh(moment)
    return jnp.where(scale[0] < 0, symmetric((U * jnp.maximum(scale, 0)[None]) @ U.T), moment)


def as_number(name: str, value: Numbers) -> float:
    """Return one number in double precision, or raise."""
    with jax.enable_x64(True):
        number = as_float(value, name)
    if number.ndim:
        raise ValueError(f"{name} must be one number; got an array of shape {number.shape}.")
    return float(number)
