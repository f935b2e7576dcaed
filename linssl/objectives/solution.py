"""What every objective returns: the encoder, its spectrum, and what went wrong, as data."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from linssl.arguments import Numbers, as_float, describe, require_whole
from linssl.linalg.shown import Shown
from linssl.linalg.status import ADVICE, FATAL
from linssl.linalg.structure import exact_products
from linssl.moments import PairMoments, Views
from linssl.names import Names, agreed
from linssl.objectives.reading import correlations, largest


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
        features: names of what the encoder reads, (d,), or None.
        second_features: names of the other side, (e,): what the decoder writes, or the second
            encoder reads; or None.

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
    features: Names | None = eqx.field(static=True, default=None, kw_only=True)
    second_features: Names | None = eqx.field(static=True, default=None, kw_only=True)

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

    def leading_features(
        self, sides: PairMoments | Views, count: int = 5
    ) -> tuple[tuple[tuple[str, float], ...], ...]:
        r"""Say which features each code correlates with most, and how, largest first.

        $$ r_{ij} = (W S)_{ij} \,/\, \sqrt{(W S W^T)_{ii}\, S_{jj}} $$

        Units of features don't matter, unlike for weights. A code is arbitrary among those of
        equal score (NO_GAP), and under SimVAE up to a rotation: so is what it correlates with.

        Args:
            sides: moments of what was encoded, as they were solved; of a pair, its first side.
            count: of features for each code.

        Returns:
            For each code (name, correlation), signed. Features without names are x0, x1, ...

        Raises:
            ValueError: something else than moments of these features, a batch of solutions, or a
                count below 1.
            NumericalTroubleError: a status that leaves no numbers.

        Source: derived.
        """
        if not isinstance(sides, PairMoments | Views):
            raise ValueError(f"sides must be PairMoments or Views; got {describe(sides)}.")
        require_whole("count", count, 1)
        W, known = self._one(), of_sides(sides)
        if known["mean"].shape != W.shape[-1:]:
            raise ValueError(
                f"sides must have the {W.shape[-1]} features of the encoder; got "
                f"{known['mean'].shape[0]}."
            )
        names = agreed("the solution and sides", self.features, known["features"])
        S = sides.covariance if isinstance(sides, Views) else sides.first
        found = correlations(np.asarray(W, np.float64), np.asarray(S, np.float64))
        if not np.isfinite(found).all():
            raise NumericalTroubleError(explain(self))
        columns = names or [f"x{i}" for i in range(W.shape[-1])]
        return tuple(largest(columns, row, count) for row in found)

    def _one(self) -> Array | np.ndarray:
        """Return the encoder, or raise where there are several."""
        if self.encoder.ndim != 2:
            raise ValueError(
                f"only one solution encodes at a time; this is a batch of {self.encoder.shape}."
            )
        return self.encoder

    def _centred(self, values: Numbers) -> Array:
        """Return views, (..., d), about the mean, or raise."""
        W, x = self._one(), as_float(values, "x")
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
    are what was solved, for their means and names.
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
        **of_sides(sides),
    )


def of_sides(sides: PairMoments | Views | Solution) -> dict[str, Any]:
    """Return what a solution holds of both sides: their means, and the names of their features."""
    if isinstance(sides, Solution):
        means, names = (sides.mean, sides.second_mean), (sides.features, sides.second_features)
    elif isinstance(sides, Views):
        means, names = (sides.mean, sides.mean), (sides.features, sides.features)
    else:
        means = sides.mean_first, sides.mean_second
        names = sides.features_first, sides.features_second
    return {
        "mean": means[0],
        "second_mean": means[1],
        "features": names[0],
        "second_features": names[1],
    }
