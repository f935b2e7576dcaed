"""One yardstick for all objectives: what a linear probe reads from k dimensions."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from linssl.arguments import describe
from linssl.linalg.status import FATAL
from linssl.linalg.structure import room_for, trace
from linssl.metrics import probe_r2
from linssl.moments import PairMoments
from linssl.objectives.adassl import adassl
from linssl.objectives.alignment import alignment_only, invariance_only
from linssl.objectives.barlow_twins import barlow_twins
from linssl.objectives.factorised import factorised_simvae
from linssl.objectives.info_nce import info_nce
from linssl.objectives.joint_embedding import joint_embedding
from linssl.objectives.plda import plda
from linssl.objectives.reconstruction import reconstruction
from linssl.objectives.reconstruction_path import reconstruction_path
from linssl.objectives.simvae import SimVAESolution, simvae
from linssl.objectives.soft_constraint import soft_constraint
from linssl.objectives.solution import Solution, identified
from linssl.objectives.spectral_contrastive import spectral_contrastive
from linssl.populations.content_style import Problem
from linssl.runtime.devices import one_blas_thread
from linssl.runtime.optional import require

if TYPE_CHECKING:
    import xarray

__all__ = ["OBJECTIVES", "compare"]

Objective = Callable[[Problem, int], Solution]


def _pca(problem: Problem, dim: int) -> Solution:
    """Each view as its own target."""
    v = problem.views
    S, m = v.covariance, v.mean
    pair = PairMoments(S, S, S, m, m, v.count, jnp.inf).named(v.features, v.features)
    return reconstruction(pair, dim)


def elbo_beside(problem: Problem, likeliest: SimVAESolution, dim: int) -> Solution:
    """The paper's encoder and prior, at the noise that is likeliest, and the style within reason.

    A likeliest style of 0 or inf has no factorised encoder.
    """
    if int(likeliest.status) & FATAL:
        return likeliest  # no numbers, and the reason
    style = jnp.clip(likeliest.style, 0.01, 100)
    return factorised_simvae(
        problem.views,
        dim,
        problem.group_size,
        style=style,
        noise=likeliest.noise,
        prior="plug-in",
    )


def _path(problem: Problem, dim: int) -> Solution:
    """Between reconstruction and joint embedding, at a weight of the target's mean variance."""
    target = problem.to_clean.second
    return identified(reconstruction_path(problem.to_clean, dim, trace(target) / target.shape[0]))


OBJECTIVES: dict[str, Objective] = {
    "joint_embedding": lambda p, k: identified(joint_embedding(p.views, k)),
    "reconstruction": lambda p, k: identified(reconstruction(p.to_clean, k)),
    "pca": lambda p, k: identified(_pca(p, k)),
    "simvae": lambda p, k: simvae(p.views, k, p.group_size),
    "simvae_elbo": lambda p, k: elbo_beside(p, simvae(p.views, k, p.group_size), k),
    "plda": lambda p, k: identified(plda(p.views, k, p.group_size)),
    "adassl": lambda p, k: identified(adassl(p.views.as_pair(), k, 0.5)),
    "alignment_only": lambda p, k: identified(alignment_only(p.views, k)),
    "barlow_twins": lambda p, k: barlow_twins(p.views, k),
    "info_nce": lambda p, k: info_nce(p.views.as_pair(), k),
    "invariance_only": lambda p, k: invariance_only(p.views, k),
    "reconstruction_path": _path,
    "soft_constraint": lambda p, k: soft_constraint(p.views, k, 2.0),
    "spectral_contrastive": lambda p, k: spectral_contrastive(p.views, k),
}
GROUPED = ("simvae", "simvae_elbo", "plda")  # models of groups of views


def compare(
    problem: Problem,
    objectives: Iterable[str] | Mapping[str, Objective] | None = None,
    dims: Iterable[int] = (1, 2, 4, 8),
) -> "xarray.Dataset":
    r"""Read every target from the codes of every objective, at every size.

    $$ R^2 = 1 - \frac{\min_{B, c} E\|y - BWx - c\|^2}{E\|y - E[y]\|^2} $$

    Args:
        problem: what to learn from and to read.
        objectives: names of `OBJECTIVES` ("joint_embedding", "reconstruction", "pca", "simvae",
            "simvae_elbo", "plda", "adassl" at β = 1/2, "alignment_only", "barlow_twins",
            "info_nce", "invariance_only", "reconstruction_path" at l = the mean variance of what
            is reconstructed, "soft_constraint" at β = 2, "spectral_contrastive"), None for all
            that fit; or functions `objective(problem, dim) -> Solution` by name.
        dims: $k$, whole numbers of 1 or more.

    Returns:
        An `xarray.Dataset` with `r2` (objective, dim, target), and `status` (objective, dim), the
        `Status` bits. R² is NaN where there is no solution, and the status says why.

    Raises:
        ValueError: not a problem, an unknown objective, one of groups ("simvae", "simvae_elbo",
            "plda") for a problem of single views, dims that aren't whole numbers, or a function
            that returns anything but one solution with an encoder (dim, d).

    Source: derived (the probes of SimVAE, made exact).
    """
    xarray = require("xarray")
    if not isinstance(problem, Problem):
        raise ValueError(f"problem must be a Problem; got {describe(problem)}.")
    chosen, sizes = _chosen(objectives, problem.group_size), _sizes(dims)
    with one_blas_thread():  # EM takes many small steps, which threads only slow down
        solved = [
            [_required(objective(problem, k), name, k, problem) for k in sizes]
            for name, objective in chosen.items()
        ]
        r2 = [[_read(s.encoder, list(problem.targets.values())) for s in row] for row in solved]
    status = [[int(s.status) for s in row] for row in solved]
    return xarray.Dataset(
        {
            "r2": (("objective", "dim", "target"), np.array(r2)),
            "status": (("objective", "dim"), np.array(status)),
        },
        coords={"objective": list(chosen), "dim": sizes, "target": list(problem.targets)},
    )


def _read(encoder: Array, targets: list[PairMoments]) -> Array:
    """Return R^2 of every target; codes of 0, which say nothing, save a program for every size."""
    k, d = encoder.shape
    filled = np.zeros((room_for(k, d), d), encoder.dtype)  # by the host, for the same reason
    filled[:k] = encoder
    return _r2(filled, targets)


@jax.jit
def _r2(encoder: Array, targets: list[PairMoments]) -> Array:
    return jnp.stack([probe_r2(encoder, pair) for pair in targets])


def _required(solution: Any, name: str, dim: int, problem: Problem) -> Solution:
    """Return what an objective returned, or raise where it is no solution of this size."""
    d = problem.views.mean.shape[0]
    if not isinstance(solution, Solution):
        raise ValueError(f"{name} must return a Solution; got {describe(solution)}.")
    W, status = solution.encoder, solution.status
    if W.shape != (dim, d) or jnp.shape(status) != ():
        raise ValueError(
            f"{name} must return one solution with an encoder ({dim}, {d}) for dim {dim}; got an "
            f"encoder of {W.shape} and a status of {jnp.shape(status)}."
        )
    return solution


def _sizes(dims: Iterable[int]) -> list[int]:
    sizes = list(dims) if isinstance(dims, Iterable) else []
    whole = [isinstance(k, int | np.integer) and not isinstance(k, bool) for k in sizes]
    if not sizes or not all(whole) or min(sizes) < 1 or len(set(sizes)) < len(sizes):
        raise ValueError(
            f"dims must be whole numbers >= 1, at least one and each once; got {dims!r}."
        )
    return [int(k) for k in sizes]


def _chosen(
    objectives: Iterable[str] | Mapping[str, Objective] | None, group_size: int
) -> dict[str, Objective]:
    if isinstance(objectives, Mapping):
        wrong = [name for name, function in objectives.items() if not callable(function)]
        if wrong or not objectives:
            raise ValueError(
                f"objectives must name functions, at least one; got {wrong or 'none'}."
            )
        return dict(objectives)
    if objectives is None:
        # Of a single view, models of groups can't tell style from content.
        return {name: o for name, o in OBJECTIVES.items() if group_size > 1 or name not in GROUPED}
    names = [objectives] if isinstance(objectives, str) else list(objectives)
    unknown = [name for name in names if name not in OBJECTIVES]
    if unknown or not names or len(set(names)) < len(names):
        raise ValueError(f"objectives must be some of {list(OBJECTIVES)}, once; got {names}.")
    grouped = [name for name in names if name in GROUPED]
    if grouped and group_size < 2:
        raise ValueError(f"{grouped[0]} needs a problem with group_size >= 2; got {group_size}.")
    return {name: OBJECTIVES[name] for name in names}
