r"""Data of many features, on their leading directions: what is lost is measured and told."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from linssl.augmentations import Augmentation, GaussianNoise
from linssl.data.images import as_pixels
from linssl.data.targets import Targets
from linssl.diagnosis.leading import blocks, leading_directions, numbers
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.samples import Estimates, Samples, require_digits
from linssl.pairs.black_box import AT_ONCE as CALLED
from linssl.pairs.black_box import PartEstimates, estimate_parts

MOST_FEATURES = 1024  # that are taken as they are
DIRECTIONS = 512
ROWS_EACH = 4  # at least, of a direction
LEAST = 8  # directions, however few the rows
VIEWS, MOST_VIEWS = 100_000, 64


class Reduced(NamedTuple):
    r"""Rows on their leading directions, $z = Q^T (x - \mu)$.

    Args:
        rows: Z, (n, r).
        basis: Q, (d, r), orthonormal.
        mean: $\mu$, (d,).
        variances: of features, (d,).
        constant: features that never vary.
        share: of the variance, that these directions hold.
    """

    rows: DataRows
    basis: np.ndarray
    mean: np.ndarray
    variances: np.ndarray
    constant: np.ndarray
    share: float

    def project(self, x: np.ndarray) -> np.ndarray:
        """Return what vectors (..., d) are in these directions."""
        return (x.reshape(-1, len(self.mean)) - self.mean) @ self.basis

    def lift(self, directions: np.ndarray) -> np.ndarray:
        """Return directions (m, r) as those of features, (m, d)."""
        return directions @ self.basis.T if directions.size else directions

    def covariance_kept(self, data: DataRows, targets: Targets) -> float:
        r"""Return $\|Q^T K\|_F^2 / \|K\|_F^2$, K the covariance of features and labels, (d, e)."""
        K = np.zeros((len(self.mean), targets.size))
        offset = targets.rows(np.arange(len(data))).mean(0)
        for rows in numbers(data):
            K += (data.doubles(rows) - self.mean).T @ (targets.rows(rows) - offset)
        return float(np.sum(np.square(self.basis.T @ K)) / np.sum(np.square(K)))

    def note(self, data: DataRows, targets: Targets | None) -> str:
        """Say what was done, and what that leaves out."""
        d, r = self.basis.shape
        rest = f"the other {d - r:,} weren't looked at"
        if targets is not None:
            kept = 100 * self.covariance_kept(data, targets)
            rest = f"and {kept:.3g} % of the squared covariance of features and labels; {rest}"
        few = ""
        if r < DIRECTIONS:
            few = (
                f" {len(self.rows):,} rows can't tell what more directions hold from chance: more "
                "samples would."
            )
        return (
            f"All was computed on the leading {r:,} of {d:,} directions, which hold "
            f"{100 * self.share:.3g} % of the variance; {rest}. Scores of joint embedding "
            f"are no more than those in all directions.{few}"
        )


def reduce_rows(data: DataRows) -> Reduced | None:
    r"""Return rows of more than 1 024 features on their leading directions, else None.

    There are 512, or a quarter of the rows: errors come from halves of them. Of
    `leading_directions`; with J of the reduced problem, whose encoders are W Q^T,

    $$ \max_W J(W Q^T) \le \max_V J(V) $$

    as it has a part of the encoders. Under isotropic noise both paradigms' codes are leading
    directions of the data, so nothing is lost.

    Raises:
        ValueError: features whose mean leaves no digits.

    Source: derived (principal components; restriction of a maximum).
    """
    if data.features <= MOST_FEATURES:
        return None
    mean = np.sum([x.sum(0) for x in blocks(data)], axis=0) / len(data)
    squares = np.sum([np.square(x - mean).sum(0) for x in blocks(data)], axis=0)
    ends = [(x.min(0), x.max(0)) for x in blocks(data)]
    low, high = np.min([a for a, _ in ends], 0), np.max([b for _, b in ends], 0)
    constant = np.flatnonzero(low == high)
    if len(constant) == data.features:
        raise ValueError("data must vary; every column is constant.")
    variances = squares / len(data)
    require_digits(data.dtype, mean, variances, constant)
    r = min(DIRECTIONS, max(LEAST, len(data) // ROWS_EACH))
    Q, held, total = leading_directions(data, mean, r)
    Z = np.concatenate([(x - mean) @ Q for x in blocks(data)])
    return Reduced(DataRows(Z), Q, mean, variances, constant, held / total)


def reduced_source(
    a: Augmentation,
    to: Reduced,
    given: DataRows,
    folds: list[np.ndarray],
    seed: int,
    by: Sequence[np.ndarray] = (),
) -> Augmentation | PartEstimates:
    r"""Return what an augmentation of features does in these directions.

    Gaussian noise has the covariance $Q^T \Theta Q$. Of any other, views are drawn as features and
    then projected, 2 to 64 of each row: covariances of views and of what they share are unbiased,
    and what is drawn is in the errors, as it differs between folds.

    Args:
        a: of d features.
        to: the directions.
        given: the rows as features, channels last.
        folds: rows of each.
        seed: of the views.
        by: batches to centre what is drawn by, each (n,).
    """
    Q = to.basis
    if isinstance(a, GaussianNoise):
        theta = np.asarray(a.covariance)
        if theta.ndim == 1 and np.ptp(theta) == 0:
            return GaussianNoise(np.full(Q.shape[1], theta[0]))
        return GaussianNoise(Q.T @ (theta[:, None] * Q if theta.ndim == 1 else theta @ Q))
    draw, keys = jax.jit(lambda key, x: a.sample(key, x)), count()

    def view(block: np.ndarray) -> np.ndarray:
        x = as_pixels(block)
        wide = np.zeros((max(CALLED, len(x)), x.shape[1]))  # one shape compiles once
        wide[: len(x)] = x
        key = jax.random.fold_in(jax.random.key(seed), next(keys))
        return to.project(np.asarray(draw(key, jnp.asarray(wide)))[: len(x)])

    n = len(to.rows)
    V = int(np.clip(VIEWS // n, 2, MOST_VIEWS))
    return estimate_parts(
        view,
        given.stored(slice(None)),
        folds,
        V,
        batched=True,
        clean=to.rows.stored(slice(None)),
        by=by,
    )


def projected(view: Callable[..., Any], to: Reduced) -> Callable[..., np.ndarray]:
    """Return a view whose features are projected, of one instance or of a block."""
    return lambda x: to.project(np.asarray(view(x), float))


def in_directions(
    a: Augmentation, to: Reduced, given: DataRows, samples: Samples, by: Sequence[np.ndarray]
) -> tuple[Augmentation | Estimates, list[Any]]:
    """Return what an augmentation does in these directions, and that once data are centred.

    As `reduced_source`; the second for each of the batches, of what is read after centring.
    """
    found = reduced_source(a, to, given, samples.rows, samples.seed, by)
    if isinstance(found, PartEstimates):
        return found.plain, list(found.centred)
    return found, [found] * len(by)
