"""What every objective returns: the encoder, its spectrum, and what went wrong, as data."""

import enum

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from linssl._structure import Numbers, as_float, exact_products
from linssl.moments import PairMoments, Views


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
    "views share none (style is inf): the loss is right, but a smaller dim does as well.",
}


class NumericalTroubleError(ArithmeticError):
    """Raised by `check` when a solution carries a status."""


class Solution(eqx.Module):
    r"""The solution of one objective.

    Args:
        encoder: $W$ (JE) or $E$ (RC, supervised), (k, d): codes are $W(x - \mu)$.
        second_encoder: (k, e) where the two sides have encoders of their own, else None.
        decoder: $D$, (e, k), where the objective has one, else None.
        spectrum: all scores, descending: $\omega$ (JE) or $\varphi^2$ (RC, supervised).
        gap: spectrum[k-1] - spectrum[k]; inf where nothing is cut off.
        loss: the objective's value at the solution.
        status: `Status` bits; 0 is fine. Read it with `explain`, enforce it with `check`.
        mean: of the view, (d,): subtracted before encoding.
        second_mean: of the other side, (e,): added after decoding.

    Source: JEvRC, Theorems 1 and 2 (through the objectives that build it).
    """

    encoder: Float[Array, "*cells k d"]
    second_encoder: Float[Array, "*cells k e"] | None
    decoder: Float[Array, "*cells e k"] | None
    spectrum: Float[Array, "*cells m"]
    gap: Float[Array, "*cells"]
    loss: Float[Array, "*cells"]
    status: Int[Array, "*cells"]
    mean: Float[Array, "*cells d"]
    second_mean: Float[Array, "*cells e"]

    @exact_products
    def __call__(self, x: Numbers) -> Float[Array, "*batch k"]:
        r"""Encode x, (..., d): codes $W(x - \mu)$, (..., k).

        Source: JEvRC, Theorems 1 and 2.
        """
        W, x = self.encoder, as_float(x, "x")
        if W.ndim != 2:
            raise ValueError(f"only one solution encodes at a time; this is a batch of {W.shape}.")
        if x.ndim == 0 or x.shape[-1] != W.shape[-1]:
            raise ValueError(f"x must have {W.shape[-1]} features last; got shape {x.shape}.")
        return self._around(x) @ W.T

    @exact_products
    def predict(self, x: Numbers) -> Float[Array, "*batch e"]:
        r"""Decode the code of x: $DE(x - \mu) + \nu$, the reconstruction or predicted label.

        Source: JEvRC, Theorem 1.
        """
        decoded = self(x) @ self._decoder().T
        return decoded + jnp.broadcast_to(self.second_mean, decoded.shape)

    @property
    @exact_products
    def predictor(self) -> Float[Array, "*cells e d"]:
        """$DE$, (e, d): the linear map from view to target. Source: JEvRC, Theorem 1."""
        return self._decoder() @ self.encoder

    def _around(self, x: Array) -> Array:
        """Subtract the mean, in the wider precision of the two: it may be far from 0."""
        wide = jnp.promote_types(x.dtype, self.mean.dtype)
        mean = jnp.broadcast_to(self.mean, x.shape).astype(wide)
        return (x.astype(wide) - mean).astype(self.encoder.dtype)

    def _decoder(self) -> Array:
        if self.decoder is None:
            raise ValueError("this objective has no decoder; reconstruction and supervised have.")
        return self.decoder


def explain(solution: Solution) -> str:
    """Say in words what the status means and what to do; for a batch, how often each holds."""
    status = np.asarray(solution.status).ravel()
    precision = f"computed in {solution.spectrum.dtype}"
    if not status.any():
        return f"OK ({precision})."
    lines = []
    for flag, advice in ADVICE.items():
        hits = int(np.sum((status & int(flag)) != 0))
        if hits:
            where = "" if status.size == 1 else f" in {hits} of {status.size} cells"
            lines.append(f"{flag.name}{where}: {advice}")
    return "\n".join([*lines, f"({precision})"])


def check(solution: Solution) -> Solution:
    """Return the solution if its status is OK, else raise with the advice of `explain`.

    Raises:
        NumericalTroubleError: any status bit is set in any cell.
    """
    if np.asarray(solution.status).any():
        raise NumericalTroubleError(explain(solution))
    return solution


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


def finished(
    *,
    encoder: Array,
    spectrum: Array,
    gap: Array | float,
    loss: Array,
    status: Array,
    cut: Array | int,
    sides: PairMoments | Views | Solution,
    second_encoder: Array | None = None,
    decoder: Array | None = None,
) -> Solution:
    """Return a solution: its numbers and the bits of its cut, or NaN where its status is fatal.

    As in `Solution`; `cut` holds the bits that say nothing where the status is fatal, and `sides`
    are what was solved, for their means.
    """
    usable = (status & FATAL) == 0
    nan = jnp.asarray(jnp.nan, spectrum.dtype)
    return Solution(
        encoder=jnp.where(usable, encoder, nan),
        second_encoder=None if second_encoder is None else jnp.where(usable, second_encoder, nan),
        decoder=None if decoder is None else jnp.where(usable, decoder, nan),
        spectrum=jnp.where(usable, spectrum, nan),
        gap=jnp.where(usable, gap, nan),
        loss=jnp.where(usable, loss, nan),
        status=jnp.where(usable, status | cut, status).astype(jnp.int32),
        **means(sides),
    )


def means(sides: PairMoments | Views | Solution) -> dict[str, Array]:
    """Return what a solution holds of the means of both sides."""
    if isinstance(sides, Solution):
        return {"mean": sides.mean, "second_mean": sides.second_mean}
    if isinstance(sides, Views):
        return {"mean": sides.mean, "second_mean": sides.mean}
    return {"mean": sides.mean_first, "second_mean": sides.mean_second}


def few(draws: Array, features: int | Array) -> Array:
    """Return FEW_SAMPLES where no more draws stand behind what is whitened than features."""
    return jnp.where(draws <= features, Status.FEW_SAMPLES, 0)
