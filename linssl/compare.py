"""One yardstick for all objectives: what a linear probe reads from k dimensions."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from linssl._checks import describe
from linssl._structure import room_for
from linssl.metrics import probe_r2
from linssl.moments import PairMoments
from linssl.objectives.adassl import adassl
from linssl.objectives.factorised import factorised_simvae
from linssl.objectives.joint_embedding import joint_embedding
from linssl.objectives.plda import plda
from linssl.objectives.reconstruction import reconstruction
from linssl.objectives.simvae import simvae
from linssl.objectives.solution import Solution
from linssl.problems import Problem
from linssl.sweep.devices import one_blas_thread
from linssl.sweep.table import require

if TYPE_CHECKING:
    import xarray

Objective = Callable[[Problem, int], Solution]


def identified(solution: Solution) -> Solution:
    r"""Set to 0 the rows of an encoder that the objective doesn't identify.

    A direction with a score of 0 ($\omega = 0$: the views share nothing of it) is as good as any
    other such, and whatever an eigensolver returns there is chance. Scores count as 0 up to
    $\sqrt{\epsilon}$ of the largest. For objectives whose spectrum belongs to the encoder's rows:
    joint embedding, PLDA, AdaSSL, reconstruction; not for SimVAE, whose code turns freely.

    Args:
        solution: of one problem; its status says BEYOND_RANK where this changes something.

    Source: derived.
    """
    scores, W = solution.spectrum, solution.encoder
    known = scores[: W.shape[0]] > jnp.finfo(scores.dtype).eps ** 0.5 * scores[0]
    # What isn't finite stays so: it has a reason, in the status.
    W = jnp.where(known[:, None] | ~jnp.isfinite(W), W, 0)
    return eqx.tree_at(lambda s: s.encoder, solution, W)


def _pca(problem: Problem, dim: int) -> Solution:
    v = problem.views
    S, mean = v.first, v.mean_first
    return reconstruction(PairMoments(S, S, S, mean, mean, v.count), dim)


def _elbo(problem: Problem, dim: int) -> Solution:
    """The paper's encoder and prior, at the noise that is likeliest, and the style within reason.

    A likeliest style of 0 or inf has no factorised encoder.
    """
    v, J = problem.views, problem.group
    best = simvae(v, dim, J)
    style = jnp.clip(best.style, 0.01, 100)
    return factorised_simvae(v, dim, J, style=style, noise=best.noise, prior="plug-in")


OBJECTIVES: dict[str, Objective] = {
    "joint_embedding": lambda p, k: identified(joint_embedding(p.views, k)),
    "reconstruction": lambda p, k: identified(reconstruction(p.to_clean, k)),
    "pca": lambda p, k: identified(_pca(p, k)),
    "simvae": lambda p, k: simvae(p.views, k, p.group),
    "simvae_elbo": _elbo,
    "plda": lambda p, k: identified(plda(p.views, k, p.group)),
    "adassl": lambda p, k: identified(adassl(p.views, k, 0.5)),
}


def compare(
    problem: Problem,
    objectives: Iterable[str] | Mapping[str, Objective] | None = None,
    dims: Iterable[int] = (1, 2, 4, 8),
) -> "xarray.Dataset":
    r"""Read every target from the codes of every objective, at every size.

    $$ R^2 = 1 - \frac{\min_{B} E\|y - BWx\|^2}{E\|y\|^2} \quad \text{(centred)} $$

    Args:
        problem: what to learn from and to read; it is centred first.
        objectives: names of `OBJECTIVES` ("joint_embedding", "reconstruction", "pca", "simvae",
            "simvae_elbo", "plda", "adassl" at β = 1/2), None for all of them; or functions
            `objective(problem, dim) -> Solution` by name.
        dims: $k$, whole numbers of 1 or more.

    Returns:
        An `xarray.Dataset` with `r2` (objective, dim, target), and `status` (objective, dim), the
        `Status` bits. R² is NaN where there is no solution, and the status says why.

    Raises:
        ValueError: not a problem, an unknown objective, or dims that aren't whole numbers.

    Source: derived (the probes of SimVAE, made exact).
    """
    xarray = require("xarray")
    if not isinstance(problem, Problem):
        raise ValueError(f"problem must be a Problem; got {describe(problem)}.")
    chosen = _chosen(objectives)
    dims = list(dims)
    if not dims or not all(isinstance(k, int | np.integer) and k >= 1 for k in dims):
        raise ValueError(f"dims must be whole numbers >= 1, at least one; got {dims}.")
    problem = problem.centred()
    with one_blas_thread():  # EM takes many small steps, which threads only slow down
        solved = [[objective(problem, int(k)) for k in dims] for objective in chosen.values()]
        r2 = [[_read(s.encoder, list(problem.targets.values())) for s in row] for row in solved]
    status = [[int(s.status) for s in row] for row in solved]
    return xarray.Dataset(
        {
            "r2": (("objective", "dim", "target"), np.array(r2)),
            "status": (("objective", "dim"), np.array(status)),
        },
        coords={"objective": list(chosen), "dim": dims, "target": list(problem.targets)},
    )


def _read(encoder: Array, targets: list[PairMoments]) -> Array:
    """Return R^2 of every target; codes of 0, which say nothing, save a program for every size."""
    k, d = encoder.shape
    return _r2(jnp.pad(encoder, ((0, room_for(k, d) - k), (0, 0))), targets)


@jax.jit
def _r2(encoder: Array, targets: list[PairMoments]) -> Array:
    return jnp.stack([probe_r2(encoder, pair) for pair in targets])


def _chosen(objectives: Iterable[str] | Mapping[str, Objective] | None) -> dict[str, Objective]:
    if objectives is None:
        return OBJECTIVES
    if isinstance(objectives, Mapping):
        return dict(objectives)
    names = [objectives] if isinstance(objectives, str) else list(objectives)
    unknown = [name for name in names if name not in OBJECTIVES]
    if unknown or not names:
        raise ValueError(f"objectives must be some of {list(OBJECTIVES)}; got {names}.")
    return {name: OBJECTIVES[name] for name in names}
