"""The currency: pairs of data, what augmentations make of them, and how batches merge."""

import itertools

import numpy as np

import linssl
from linssl.pairs import groups
from linssl.theorems.entry import Room
from linssl.theorems.problems import relative

ROOM = Room("Moments")


def _covariances(u, v, weights):
    """Covariances of u, of v, and of both, by a weight for every row."""
    u, v = u - weights @ u, v - weights @ v
    return [(a * weights[:, None]).T @ b for a, b in ((u, u), (v, v), (u, v))]


def _family(rng):
    """Rows, and a family of maps with their chances."""
    maps, shares = rng.standard_normal((3, 4, 4)), rng.dirichlet(np.ones(3))
    return (
        rng.standard_normal((6, 4)) + 1,
        maps,
        shares,
        linssl.augmentations.Matrices(maps, shares),
    )


@ROOM.theorem(
    "two-views",
    r"$S = \mathrm{Cov}(\tau_1)$, $G = \mathrm{Cov}(\tau_1, \tau_2)$ over every row and every two "
    r"maps: what sampling tends to",
    r"$\tau_1$, $\tau_2$ independent views of one row by a finite family",
    "derived; JEvRC, section 3",
    "two_views",
)
def _two_views(rng):
    x, maps, shares, a = _family(rng)
    every = list(itertools.product(range(3), repeat=2))
    u = np.concatenate([x @ maps[p].T for p, _ in every])
    v = np.concatenate([x @ maps[q].T for _, q in every])
    weights = np.repeat([shares[p] * shares[q] / 6 for p, q in every], 6)
    S, _, G = _covariances(u, v, weights)
    views = linssl.two_views(x, a)
    return max(
        relative(views.covariance, S), relative(views.shared, G), relative(views.mean, weights @ u)
    )


@ROOM.theorem(
    "view-and-clean",
    r"$S = \mathrm{Cov}(\tau)$, $C = \mathrm{Cov}(x)$, $G = \mathrm{Cov}(\tau, x)$ over every row "
    r"and map; of class pairs the target is the partner",
    r"$\tau$ a view of one row by a finite family, $x$ the row, or another row of its class",
    "derived; JEvRC, section 3",
    "view_and_clean",
)
def _view_and_clean(rng):
    x, maps, shares, a = _family(rng)
    labels = np.array([0, 0, 0, 1, 1, 1])
    mates = [(i, j) for i in range(6) for j in range(6) if i != j and labels[i] == labels[j]]
    worst = 0.0
    for data, pairs in ((x, [(i, i) for i in range(6)]), (linssl.same_class(x, labels), mates)):
        every = [(p, i, j) for p in range(3) for i, j in pairs]
        u, v = np.array([maps[p] @ x[i] for p, i, _ in every]), np.array([x[j] for *_, j in every])
        weights = np.array([shares[p] / len(pairs) for p, *_ in every])
        made = linssl.view_and_clean(data, a)
        for got, want in zip(
            (made.first, made.second, made.cross, made.mean_first, made.mean_second),
            (*_covariances(u, v, weights), weights @ u, weights @ v),
            strict=True,
        ):
            worst = max(worst, relative(got, want))
    return worst


@ROOM.theorem(
    "draws-of-views",
    r"$\mathrm{rank}\,\Sigma = \mathrm{draws}$ where that is below $d$: $n(J - 1)$ of groups, "
    r"$n(P - 1)$ of $P$ maps; augmenting never adds any",
    r"draws: independent differences behind $\Sigma$, $n$ groups of $J$ views, or $n$ rows",
    "derived",
    "augment",
    tolerance=0.0,
    reason="whole numbers",
)
def _draws(rng):
    grouped = groups(rng.standard_normal((2, 3, 6)))
    maps = [linssl.augmentations.Matrices(rng.standard_normal((p, 6, 6))) for p in (2, 3)]
    mapped = linssl.two_views(rng.standard_normal((2, 6)) + 1, maps[1])
    noise = linssl.GaussianNoise(np.ones(6))
    ranks = [np.linalg.matrix_rank(views.spread) for views in (grouped, mapped)]
    few = linssl.same_instance(rng.standard_normal((2, 6)))
    found = {
        4: [grouped.draws, mapped.draws, *ranks, linssl.augment(grouped, noise).draws],
        2: [linssl.augment(few, maps[0]).draws, linssl.augment(grouped, maps[0]).draws / 2],
        10: [linssl.augment(few, linssl.compose(*maps)).draws],
        np.inf: [linssl.augment(few, noise).draws],
    }
    return float(any(float(n) != want for want, numbers in found.items() for n in numbers))


@ROOM.theorem(
    "merge-of-pairs",
    r"$S = w_aS_a + w_bS_b + w_aw_b\,\delta\delta^T$, and so for $C$ and $G$; "
    r"$\mu = \mu_a + w_b\,\delta$",
    r"$w = n/(n_a + n_b)$ weights of two batches, $\delta = \mu_b - \mu_a$ difference of means",
    "ChanGolubLeVeque1983",
    "merge",
)
def _merge_of_pairs(rng):
    x, y = rng.standard_normal((9, 4)) + 3, rng.standard_normal((9, 3))
    make = linssl.PairMoments.from_samples
    return _alike(linssl.merge(make(x[:4], y[:4]), make(x[4:], y[4:])), make(x, y))


@ROOM.theorem(
    "merge-of-views",
    r"$G = w_aG_a + w_bG_b + w_aw_b\,\delta\delta^T$, $\Sigma = w_a\Sigma_a + w_b\Sigma_b$; "
    r"draws add",
    r"$w = n/(n_a + n_b)$ weights of two batches, $\delta = \mu_b - \mu_a$ difference of means",
    "derived; ChanGolubLeVeque1983",
    "merge",
)
def _merge_of_views(rng):
    x = rng.standard_normal((9, 3, 4)) + 3 * rng.standard_normal((9, 1, 4))
    return _alike(linssl.merge(groups(x[:4]), groups(x[4:])), groups(x))


def _alike(made, want):
    """Difference of two moments of one type, in all their numbers but the rounding."""
    names = [
        f
        for f in made.__dataclass_fields__
        if not f.startswith(("rounding", "group_size", "features"))
    ]
    return max(relative(getattr(made, name), getattr(want, name)) for name in names)


@ROOM.theorem(
    "raw-moments",
    r"$S = E[uu^T] - \bar u\bar u^T$, $G = E[uv^T] - \bar u\bar v^T$, and back again by adding",
    r"$\bar u$, $\bar v$ means; moments about 0 are those of data without intercept",
    "derived",
    "PairMoments",
)
def _raw_moments(rng):
    x, y = rng.standard_normal((9, 4)) + 3, rng.standard_normal((9, 3)) - 2
    pair = linssl.PairMoments.from_samples(x, y)
    S, C, G, zero = x.T @ x / 9, y.T @ y / 9, x.T @ y / 9, pair.about_zero()
    return max(
        _alike(linssl.PairMoments.from_raw(S, C, G, x.mean(0), y.mean(0), 9, 8), pair),
        relative(zero.first, S),
        relative(zero.second, C),
        relative(zero.cross, G),
    )


@ROOM.theorem(
    "without-intercept",
    r"$\min_V E\|y - V\tau\|^2$ at $V = E[y\tau^T]\,E[\tau\tau^T]^{-1}$: supervised learning of "
    r"moments about 0",
    r"$y$ label, $\tau$ view, neither of mean 0",
    "derived",
    "supervised",
)
def _without_intercept(rng):
    x, y = rng.standard_normal((30, 4)) + 1, rng.standard_normal((30, 3)) - 2
    s = linssl.supervised(linssl.PairMoments.from_samples(x, y).about_zero())
    return relative(s.predict(x), x @ np.linalg.lstsq(x, y)[0])
