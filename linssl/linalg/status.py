"""What is wrong with a solution, as data: bits, and the advice for each."""

import enum

import jax.numpy as jnp
from jaxtyping import Array


class Status(enum.IntFlag):
    """What is wrong with a solution; a bit mask, since several troubles may hold at once.

    The first five, and UNBOUNDED, are fatal: encoder, spectrum and loss are NaN. The others leave
    the numbers but say what they mean little for: a subspace that isn't unique, that fits chance,
    whose digits are mostly lost, that an iteration didn't reach, or that carries nothing.
    """

    OK = 0
    NOT_FINITE = 1
    NOT_SYMMETRIC = 2
    INDEFINITE = 4
    SINGULAR = 8
    INCONSISTENT = 16
    NO_GAP = 32
    BEYOND_RANK = 64
    FEW_SAMPLES = 128
    ILL_CONDITIONED = 256
    NOT_CONVERGED = 512
    UNBOUNDED = 1024
    COLLAPSED = 2048


FATAL = (
    Status.NOT_FINITE
    | Status.NOT_SYMMETRIC
    | Status.INDEFINITE
    | Status.SINGULAR
    | Status.INCONSISTENT
    | Status.UNBOUNDED
)

ADVICE = {
    Status.NOT_FINITE: "the moments hold NaN or inf: look for them in the data or its scaling.",
    Status.NOT_SYMMETRIC: "a covariance (or what two views share) isn't symmetric: symmetrise it, "
    "or pass PairMoments with two different sides to canonical_correlation.",
    Status.INDEFINITE: "the covariance of the view has a negative eigenvalue, so it is no "
    "covariance: check signs, and variances against deviations.",
    Status.SINGULAR: "the covariance of the view is singular to working precision (a constant or "
    "redundant feature, n < d on sampled views, or a mean so large beside its spread that the "
    "data's own precision lost the variance): drop the feature, use more samples, or compose the "
    "augmentation with a little GaussianNoise, which is ridge; if the scales are merely very "
    "different, use float64.",
    Status.INCONSISTENT: "cross is larger than the second moments allow (a correlation above 1), "
    "so these are not the moments of one pair: check that all come from the same data, and that "
    "the spread is a covariance.",
    Status.NO_GAP: "the scores on both sides of the cut are equal to working precision, so the "
    "subspace is not identified: choose another dim, or use float64 if the gap is merely small. "
    "For simvae at dim = d: all directions have one size, so that noise and style can't be told "
    "apart: choose a smaller dim, or give noise= or style=.",
    Status.BEYOND_RANK: "dim exceeds the number of directions that the pair shares, so the last "
    "ones are arbitrary: choose a smaller dim.",
    Status.FEW_SAMPLES: "no more than d draws (of differences between views, or of rows; d + e for "
    "canonical correlation) stand behind d features, so some directions agree by chance alone and "
    "score 1, whatever exact noise is added: use more samples or views, fewer features, or an "
    "augmentation with exact moments, two_views(data, a), which is sound for any n.",
    Status.ILL_CONDITIONED: "the covariance of the view is nearly singular, and fewer than two "
    "digits are sure in this precision: use float64, or compose the augmentation with a little "
    "GaussianNoise.",
    Status.NOT_CONVERGED: "the iteration stopped before its gradient vanished: allow more "
    "iterations, or use float64; the loss is an upper bound of the best.",
    Status.UNBOUNDED: "the objective has no optimum. For adassl: beta isn't above 0, so the latent "
    "copies the target at no price: choose beta > 0. For simvae: no noise is left, since the views "
    "span no more than dim directions or don't differ, and the likelihood grows without bound: "
    "give noise=, choose a smaller dim, or compose the augmentation with a little GaussianNoise.",
    Status.COLLAPSED: "some codes carry nothing, as no more directions stand out of the noise "
    "(their decoder columns are 0), the views share no more, or a price is too high for what they "
    "share (their rows are 0), or the data don't vary along them; or they carry no content, as the "
    "views share none (style is inf). A smaller dim does as well, unless the fit is by iteration "
    "(simvae) and moments don't commute: there it is the best of its starts, and no proof that "
    "another fit isn't better.",
}


def cut_status(spectrum: Array, dim: int, rounding: Array) -> tuple[Array, Array]:
    r"""Return the gap at the cut, and the NO_GAP and BEYOND_RANK bits.

    A score computed from whitened moments is known to `rounding` relative to the largest one;
    a gap or a score below that is zero as far as this precision can tell.

    Source: derived (Weyl's inequality).
    """
    tolerance = rounding * jnp.max(jnp.abs(spectrum))
    last = spectrum[dim - 1]
    if dim < spectrum.size:
        gap = last - spectrum[dim]
        no_gap = gap <= tolerance
    else:
        gap, no_gap = jnp.full_like(last, jnp.inf), jnp.array(False)
    status = jnp.where(no_gap, Status.NO_GAP, 0) | jnp.where(
        last <= tolerance, Status.BEYOND_RANK, 0
    )
    return gap, status


def few(draws: Array, features: int | Array) -> Array:
    """Return FEW_SAMPLES where no more draws stand behind what is whitened than features."""
    return jnp.where(draws <= features, Status.FEW_SAMPLES, 0)
