"""What every objective returns: the encoder, its spectrum, and what went wrong, as data."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from linssl.arguments import Numbers, as_float
from linssl.linalg.shown import Shown
from linssl.linalg.status import ADVICE, FATAL
from linssl.linalg.structure import exact_products
from linssl.moments import PairMoments, Views


class NumericalTroubleError(ArithmeticError):
    """Raised by `check` when a solution carries a status."""


class Solution(Shown):
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
        regression: $K S^{-1}$, (e, d), where k = e < d, else None: the predictor there, which is
            $DE$. Where K has a rank below e, some rows of E are arbitrary and D is 0 on them, so
            that no product has the predictor's derivative.

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
    regression: Float[Array, "*cells e d"] | None = eqx.field(default=None, kw_only=True)

    @exact_products
    def __call__(self, x: Numbers) -> Float[Array, "*batch k"]:
        r"""Encode x, (..., d): codes $W(x - \mu)$, (..., k).

        Source: JEvRC, Theorems 1 and 2.
        """
        return self._centred(x) @ self.encoder.T

    @exact_products
    def predict(self, x: Numbers) -> Float[Array, "*batch e"]:
        r"""Decode the code of x: $DE(x - \mu) + \nu$, the reconstruction or predicted label.

        Source: JEvRC, Theorem 1.
        """
        if self.regression is None:
            decoded = self(x) @ self._decoder().T
        else:
            decoded = self._centred(x) @ self.regression.T
        return decoded + jnp.broadcast_to(self.second_mean, decoded.shape)

    @property
    @exact_products
    def predictor(self) -> Float[Array, "*cells e d"]:
        """$DE$, (e, d): the linear map from view to target. Source: JEvRC, Theorem 1."""
        return self._decoder() @ self.encoder if self.regression is None else self.regression

    def _centred(self, values: Numbers) -> Array:
        """Return views, (..., d), about the mean, or raise."""
        W, x = self.encoder, as_float(values, "x")
        if W.ndim != 2:
            raise ValueError(f"only one solution encodes at a time; this is a batch of {W.shape}.")
        if x.ndim == 0 or x.shape[-1] != W.shape[-1]:
            raise ValueError(f"x must have {W.shape[-1]} features last; got shape {x.shape}.")
        return self._around(x)

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


def identified(solution: Solution) -> Solution:
    r"""Set to 0 the rows of an encoder that the objective doesn't identify.

    A direction with a score of 0 ($\omega = 0$: the views share nothing of it) is as good as any
    other such, and whatever an eigensolver returns there is chance. Scores count as 0 up to
    $\sqrt{\epsilon}$ of the largest. For objectives whose spectrum belongs to the encoder's rows:
    joint embedding, PLDA, AdaSSL, reconstruction, alignment; not for SimVAE, whose code turns
    freely, nor for those that leave such rows 0 themselves.

    Args:
        solution: of one problem; its status says BEYOND_RANK where this changes something.

    Source: derived.
    """
    W = _identified(solution.spectrum, solution.encoder)
    return eqx.tree_at(lambda s: s.encoder, solution, W)


@jax.jit
def _identified(scores: Array, W: Array) -> Array:
    known = scores[: W.shape[0]] > jnp.finfo(scores.dtype).eps ** 0.5 * scores[0]
    # What isn't finite stays so: it has a reason, in the status.
    return jnp.where(known[:, None] | ~jnp.isfinite(W), W, 0)


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
    regression: Array | None = None,
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
        regression=None if regression is None else jnp.where(usable, regression, nan),
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
