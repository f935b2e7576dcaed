r"""A trained network's codes beside the closed forms: what each keeps, and how much they share."""

from typing import Any, NamedTuple

import jax
import numpy as np

from linssl.arguments import Numbers, describe, on_host, require_dim
from linssl.augmentations import Augmentation, two_views, view_and_clean
from linssl.data.targets import check_targets
from linssl.linalg.shown import shows_numbers
from linssl.linalg.status import FATAL
from linssl.objectives import explain, joint_embedding, reconstruction
from linssl.pairs import same_instance

__all__ = ["CodesBeside", "compare_codes"]

NETWORK, PARADIGMS = "network", ("joint_embedding", "reconstruction")
RANK = 1e-10  # of the largest variance: below it a direction of codes is rounding


@shows_numbers
class CodesBeside(NamedTuple):
    r"""What a network's codes and those of both paradigms keep, and share, on the same rows.

    Args:
        dims: how many directions the codes of each vary in, by name: `network`,
            `joint_embedding` and `reconstruction`.
        effective_rank: $\exp(-\sum_i p_i \log p_i)$ for shares $p_i$ of the variance, by name.
        shared: $R^2$ of the codes of the first from those of the second, by both names: each
            direction of the first counts alike. 1 where the second holds all of the first.
        alignment: linear CKA, by both names: 1 for codes that are equal up to a rotation and scale.
        directions: $R^2$ of each code of a paradigm, strongest first, from the network's codes.
        labels: $R^2$ of the labels from codes, by name; {} without labels. On codes of as many
            directions as rows all is explained: chance alone explains `dims` over rows.
        nuisance: the same of the nuisance.
        rows: $n$.

    Source: derived (normal equations); Kornblith2019 for the alignment.
    """

    dims: dict[str, int]
    effective_rank: dict[str, float]
    shared: dict[tuple[str, str], float]
    alignment: dict[tuple[str, str], float]
    directions: dict[str, np.ndarray]
    labels: dict[str, float]
    nuisance: dict[str, float]
    rows: int


class _Codes:
    """Codes about their mean, (n, k), and an orthonormal basis of their columns, (n, r)."""

    def __init__(self, Z: np.ndarray):
        self.Z = Z - Z.mean(0)
        U, s, _ = np.linalg.svd(self.Z, full_matrices=False)
        self.variances = s**2
        kept = self.variances > RANK * max(self.variances[0], np.finfo(float).tiny)
        self.Q = U[:, kept]

    @property
    def effective_rank(self) -> float:
        p = self.variances[self.variances > 0] / self.variances.sum()
        return float(np.exp(-np.sum(p * np.log(p))))

    def explains(self, Y: np.ndarray) -> float:
        Y = Y - Y.mean(0)
        return float(np.sum((self.Q.T @ Y) ** 2) / np.sum(Y**2))

    def alignment(self, other: "_Codes") -> float:
        def square(a: np.ndarray, b: np.ndarray) -> float:
            return float(np.sum((a.T @ b) ** 2))

        both = square(self.Z, self.Z) * square(other.Z, other.Z)
        return square(self.Z, other.Z) / both**0.5


def compare_codes(
    codes: Numbers,
    data: Numbers,
    augmentation: Augmentation,
    dim: int | None = None,
    *,
    labels: Any = None,
    nuisance: Any = None,
) -> CodesBeside:
    r"""Compare a network's codes with those of both paradigms under the same augmentation.

    $$ R^2(a | b) = \frac{1}{r_a} \|Q_a^T Q_b\|_F^2, \qquad
       \mathrm{CKA}(a, b) = \frac{\|Z_a^T Z_b\|_F^2}{\|Z_a^T Z_a\|_F \|Z_b^T Z_b\|_F} $$

    with $Z$ codes about their mean and $Q$ an orthonormal basis of their columns. $R^2(a | b)$ is
    the mean of squared canonical correlations, 0 for those that b is too small to have.

    Args:
        codes: (n, m), the network's, of the rows of `data` in their order; as they come out, of
            rows that weren't augmented.
        data: $X$, (n, d).
        augmentation: what the network was trained with, or the nearest that has moments.
        dim: $k$, of the paradigms' codes; None is as many as the network's, d at most.
        labels: (n,) classes, or numbers (n, e), whose $R^2$ is told.
        nuisance: the same, of what should be forgotten.

    Returns:
        `CodesBeside`.

    Raises:
        ValueError: rows that don't fit, codes that don't vary, aren't finite or have as many
            directions as rows less one, which explain anything; dim out of range; labels that
            aren't any; or a paradigm without a solution, with advice.

    Source: derived (normal equations); Kornblith2019 for the alignment.
    """
    Z, X = _rows("codes", codes), _rows("data", data)
    if len(Z) != len(X):
        raise ValueError(f"codes must have {len(X)} rows, one for each of data; got {len(Z)}.")
    if not isinstance(augmentation, Augmentation):
        raise ValueError(f"augmentation must be an Augmentation; got {describe(augmentation)}.")
    network = _Codes(Z)
    if not network.variances.any():
        raise ValueError("codes must vary; all rows are equal.")
    if network.Q.shape[1] >= len(Z) - 1:
        raise ValueError(
            f"codes must vary in fewer directions than rows less one, {len(Z) - 1}, or they "
            f"explain anything; got {network.Q.shape[1]}."
        )
    k = min(Z.shape[1], X.shape[1]) if dim is None else dim
    require_dim(k, X.shape[1], "the number of features")
    told = {name: _targets(name, values, len(X)) for name, values in
            (("labels", labels), ("nuisance", nuisance)) if values is not None}  # fmt: skip
    all_codes = {NETWORK: network} | _closed_forms(X, augmentation, k)
    return _beside(all_codes, told)


def _closed_forms(X: np.ndarray, augmentation: Augmentation, dim: int) -> dict[str, _Codes]:
    with jax.enable_x64(True):
        same = same_instance(X)
        solutions = (
            joint_embedding(two_views(same, augmentation), dim),
            reconstruction(view_and_clean(same, augmentation), dim),
        )
        found = dict(zip(PARADIGMS, solutions, strict=True))
        for name, solution in found.items():
            if int(solution.status) & FATAL:
                raise ValueError(f"{name} has no solution here: {explain(solution)}")
        return {name: _Codes(X @ np.asarray(s.encoder).T) for name, s in found.items()}


def _beside(codes: dict[str, _Codes], told: dict[str, np.ndarray]) -> CodesBeside:
    pairs = [(a, b) for a in codes for b in codes if a != b]
    read = {name: {who: c.explains(Y) for who, c in codes.items()} for name, Y in told.items()}
    network = codes[NETWORK]
    return CodesBeside(
        dims={name: c.Q.shape[1] for name, c in codes.items()},
        effective_rank={name: c.effective_rank for name, c in codes.items()},
        shared={(a, b): codes[b].explains(codes[a].Q) for a, b in pairs},
        alignment={(a, b): codes[a].alignment(codes[b]) for a, b in pairs if a < b},
        directions={
            name: np.array([network.explains(z[:, None]) for z in codes[name].Z.T])
            for name in PARADIGMS
        },
        labels=read.get("labels", {}),
        nuisance=read.get("nuisance", {}),
        rows=len(network.Z),
    )


def _rows(name: str, values: Numbers) -> np.ndarray:
    rows = np.asarray(on_host(values, name), float)
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"{name} must be rows (n, k); got shape {rows.shape}.")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} must be finite; got NaN or inf.")
    return rows


def _targets(name: str, values: Any, count: int) -> np.ndarray:
    try:
        return check_targets(values, count).rows(np.arange(count))
    except ValueError as error:
        raise ValueError(str(error).replace("labels", name)) from error
