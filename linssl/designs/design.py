r"""Inverse design: the weakest augmentation under which codes keep what matters."""

from typing import Literal, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from linssl.arguments import Numbers, describe
from linssl.augmentations import Augmentation, two_views, view_and_clean
from linssl.designs.criterion import GAP, STRENGTH
from linssl.designs.families import DesignFamily, as_number
from linssl.designs.search import ROOM, Search
from linssl.designs.wanted import Wanted, clean_moments, what_to_keep
from linssl.linalg.shown import shows_numbers
from linssl.linalg.status import FATAL, Status
from linssl.moments import Views
from linssl.objectives import Solution, explain, joint_embedding, reconstruction
from linssl.runtime.devices import one_blas_thread

T = TypeVar("T", bound=eqx.Module)
MORE = "This is the nearest: ask for less, or give the family more room, or another dim."
SPENT = "NOT_CONVERGED: all evaluations were spent before the search ended: allow more."
Paradigm = Literal["joint_embedding", "reconstruction"]


@shows_numbers
class Design(NamedTuple):
    r"""The weakest augmentation found, or the nearest to one.

    Args:
        augmentation: $\tau$, as any other, in the precision of the caller.
        strength: $\mathrm{tr}\, \Sigma$, the variance that it adds to a view of an instance.
        gap: in scores, as `design` defines it.
        kept: what a linear probe reads of what matters, over what it reads of the best codes.
        feasible: whether gap and kept are as asked for.
        reason: what was found, and where it isn't feasible, what is missing.
        dim: $k$, of the codes.
        paradigm: whose encoder.
        evaluations: of scores and their gradients, until found.
        status: NOT_CONVERGED where the evaluations were spent before the search ended, else OK. A
            weaker augmentation, or one that is feasible, may then have been missed: allow more.

    Source: derived.
    """

    augmentation: Augmentation
    strength: float
    gap: float
    kept: float
    feasible: bool
    reason: str
    dim: int
    paradigm: Paradigm
    evaluations: int
    status: Status = Status.OK


def design(
    data: Numbers | Views,
    family: DesignFamily,
    dim: int | None = None,
    *,
    labels: Numbers | None = None,
    subspace: Numbers | None = None,
    paradigm: Paradigm = "joint_embedding",
    gap: Numbers = 0.01,
    tolerance: Numbers = 0.05,
    evaluations: int | np.integer = 500,
) -> Design:
    r"""Find the weakest augmentation of a family under which k codes keep what matters.

    $$ \min_p\; \mathrm{tr}\, \Sigma_p \quad \text{subject to} \quad
       \omega_k - \omega_{k+1} \ge \text{gap}, \quad R^2_p \ge (1 - \text{tolerance})\, R^2_* $$

    What matters is given by labels or by a subspace of m directions $v_i^T x$. $R^2$ is what a
    linear probe on clean codes explains of it, and $R^2_*$ what it explains on the best k linear
    codes. With labels, scores $\omega$ are those of the paradigm; with a subspace,
    $\omega_k$ is the least score on it, and $\omega_{k+1}$ is number k - m + 1 of the rest:

    $$ \min_{w \in V} \frac{w^T G w}{w^T S w}, \qquad
       \max_{w \perp_S V} \frac{w^T G w}{w^T S w} $$

    For k = m that gap is a lower bound of the gap of the spectrum (Courant and Fischer).
    Scores of reconstruction are $\varphi^2 / \lambda_{\max}(C)$, so that all lie in [0, 1].

    With one parameter (`AlignmentFamily`, a mixture of two) all of its range is scanned in steps of
    a quarter, of the parameter or of the odds. The weakest of all is returned, but for
    intervals that do and are narrower than a step, if no maximum at the points gives them away.

    With several, by sequential quadratic programming on exact gradients, from several starts. The
    problem isn't convex: the weakest is so near where it was found, and no more than that, and
    where nothing was found it may still exist. Either way, what is returned has been solved again
    as a user would. Always in double precision.

    Args:
        data: (n, d); or clean moments, `same_instance(data)` or `same_instance_population`,
            with a subspace.
        family: what may be designed: `AlignmentFamily`, `NoiseFamily`, `DropoutFamily` or
            `MixtureFamily`.
        dim: $k$; None is the number of directions: of the subspace, of classes less one, or of
            numeric targets.
        labels: (n,) classes, or (n, e) numbers to be predicted, each scaled to variance 1.
        subspace: $V$, (m, d), independent rows on which data vary; m <= k.
        paradigm: whose codes.
        gap: in (0, 1). For gap to 0 and aligned noise, α is that of `alignment_thresholds`.
        tolerance: in [0, 1).
        evaluations: at most, of scores and their gradients.

    Returns:
        `Design`. Where it isn't feasible, its augmentation is the one that came nearest, and
        `reason` says by how much it misses.

    Raises:
        ValueError: neither or both of labels and subspace, labels that don't vary, a subspace
            not of full rank, NaN, a family of another size, arguments out of range, or views
            whose second moment can't be factored under any start.

    Source: derived; JEvRC, section 4 (what augmentation has to achieve).
    """
    if not isinstance(family, DesignFamily):
        raise ValueError(
            f"family must be a DesignFamily, such as NoiseFamily; got {describe(family)}."
        )
    if paradigm not in ("joint_embedding", "reconstruction"):
        raise ValueError(
            f"paradigm must be 'joint_embedding' or 'reconstruction'; got {paradigm!r}."
        )
    gap, tolerance = as_number("gap", gap), as_number("tolerance", tolerance)
    if not 0 < gap < 1:
        raise ValueError(f"gap must lie in (0, 1), as scores do; got {gap}.")
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance must lie in [0, 1); got {tolerance}.")
    if (labels is None) == (subspace is None):
        raise ValueError("exactly one of labels and subspace must be given: what is to be kept?")
    whole = isinstance(evaluations, int | np.integer) and not isinstance(evaluations, bool)
    if not whole or evaluations < 1:
        raise ValueError(f"evaluations must be a number >= 1; got {evaluations!r}.")
    with jax.enable_x64(True), one_blas_thread():
        same = clean_moments(data, labels is not None)
        d = same.mean.shape[0]
        if family.input_size() not in (None, d):
            raise ValueError(
                f"family must be for the {d} features of data; {type(family).__name__} is for "
                f"{family.input_size()}."
            )
        wanted = what_to_keep(same, data, labels, subspace, dim, paradigm == "reconstruction")
        known = _in_default(family).known(wanted.covariance, wanted.mean)
        search = Search(wanted, known, gap, 1 - tolerance)
        ended = search.run(int(evaluations))
        best = search.weakest or search.nearest
        if best is None:
            raise ValueError(
                f"data give views under {type(family).__name__} whose second moment can't be "
                "factored: a feature doesn't vary, or repeats another. Give the family a little "
                "Gaussian noise on every feature."
            )
        chosen = known.augmentation(jnp.asarray(best.parameters))
        solution, kept = _solved(chosen, same, wanted, paradigm)
        reached = float(best.values[GAP]), float(kept)
    # With room for more than the subspace, which other directions are kept may be open.
    V = wanted.subspace
    fatal = FATAL if V is not None and wanted.dim > len(V) else FATAL | Status.NO_GAP
    sound = not int(solution.status) & fatal and reached[1] >= (1 - tolerance) * (1 - 2 * ROOM)
    feasible = search.weakest is not None and sound
    advice = explain(solution) if search.weakest is not None else MORE
    return Design(
        augmentation=_in_default(chosen),
        strength=float(best.values[STRENGTH]),
        gap=reached[0],
        kept=reached[1],
        feasible=feasible,
        reason=_reason(feasible, reached, (gap, 1 - tolerance), advice, ended),
        dim=wanted.dim,
        paradigm=paradigm,
        evaluations=search.evaluations,
        status=Status.OK if ended else Status.NOT_CONVERGED,
    )


@eqx.filter_jit
def _solved(
    a: Augmentation, same: Views, wanted: Wanted, paradigm: Paradigm
) -> tuple[Solution, Array]:
    """Solve as a user would; with the share that its codes keep, from the encoder."""
    if paradigm == "joint_embedding":
        solution = joint_embedding(two_views(same, a), wanted.dim)
    else:
        solution = reconstruction(view_and_clean(same, a), wanted.dim)
    W = solution.encoder
    Z = W @ wanted.cross
    return solution, jnp.sum(Z * jnp.linalg.solve(W @ wanted.covariance @ W.T, Z))


def _in_default(module: T) -> T:
    """Return a module in the default precision: double where it is that of the problem."""
    return jax.tree_util.tree_map(
        lambda a: jnp.asarray(np.asarray(a), float) if eqx.is_inexact_array(a) else a, module
    )


def _reason(
    found: bool, reached: tuple[float, float], asked: tuple[float, float], advice: str, ended: bool
) -> str:
    """Say what was reached, and what is missing."""
    values = f"gap {reached[0]:.4g} (asked for {asked[0]:g}), kept {reached[1]:.4g} ({asked[1]:g})"
    spent = "" if ended else f" {SPENT}"
    if found:
        return f"{'OK' if ended else 'Not the weakest for sure'}: {values}.{spent}"
    short = [
        name
        for name, value, least in zip(("gap", "share"), reached, asked, strict=True)
        if value < least * (1 - ROOM)
    ]
    missed = f"The search ended short of the {' and the '.join(short)}. " if short else ""
    return f"Not found: {values}. {missed}{advice}{spent}"
