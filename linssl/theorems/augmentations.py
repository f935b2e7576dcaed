"""The moments of every family of augmentations, against its draws one by one."""

import itertools

import numpy as np

import linssl
from linssl.linalg.structure import dense
from linssl.theorems.entry import Room
from linssl.theorems.problems import covariance, relative

ROOM = Room("Augmentations")

SQUARE = linssl.augmentations.Image(3, 3)


def _population(rng, size=4):
    """Covariance and mean of data."""
    return covariance(rng, size), rng.standard_normal(size)


def _difference(augmentation, C, mean, S, G, moved):
    """Difference of the two views' moments from S, G and the mean, the wanted ones."""
    views = linssl.two_views(linssl.pairs.same_instance_population(C, mean), augmentation)
    return max(
        relative(dense(views.covariance), S),
        relative(dense(views.shared), G),
        relative(views.mean, moved),
    )


def _averaged(maps, shares, C, mean):
    """Covariance and mean of a view by the average over the maps, and the average map."""
    A = np.einsum("p,pij->ij", shares, maps)
    raw = np.einsum("p,pij,jk,plk->il", shares, maps, C + np.outer(mean, mean), maps)
    return raw - np.outer(A @ mean, A @ mean), A @ mean, A


def _one_by_one(augmentation, C, mean, maps, shares):
    """Difference from the average over the maps, each with its share."""
    S, moved, A = _averaged(maps, shares, C, mean)
    return _difference(augmentation, C, mean, S, A @ C @ A.T, moved)


def _subsets(size):
    """All masks of 0 and 1."""
    return np.array(list(itertools.product((0.0, 1.0), repeat=size)))


@ROOM.theorem(
    "view-moments",
    r"$G' = \bar A G\bar A^T$, $\Sigma' = \bar A\Sigma\bar A^T + \Sigma_a(S, \mu)$, "
    r"$\mu' = \bar A\mu$, and $\Sigma' \succeq 0$",
    r"$\bar A$ mean map, $\Sigma_a = E[\mathrm{Cov}(a(x)|x)]$ for a view $x$ of covariance $S = "
    r"G + \Sigma$ and mean $\mu$",
    "derived",
    "augment",
)
def _view_moments(rng):
    (G, mean), Sigma = _population(rng), covariance(rng)
    maps, shares = rng.standard_normal((3, 4, 4)), rng.dirichlet(np.ones(3))
    views = linssl.Views(G, Sigma, mean, np.inf, np.inf)
    made = linssl.augment(views, linssl.augmentations.Matrices(maps, shares))
    S, moved, A = _averaged(maps, shares, G + Sigma, mean)
    return max(
        relative(made.shared, A @ G @ A.T),
        relative(made.spread, S - A @ G @ A.T),
        relative(made.mean, moved),
        -np.min(np.linalg.eigvalsh(made.spread)),
    )


@ROOM.theorem(
    "gaussian-noise",
    r"$S = C + \Theta$, $G = C$",
    r"$\Theta$ covariance of the noise",
    "JEvRC, section 3",
    "GaussianNoise",
)
def _gaussian_noise(rng):
    (C, mean), Theta = _population(rng), covariance(rng)
    return _difference(linssl.GaussianNoise(Theta), C, mean, C + Theta, C, mean)


@ROOM.theorem(
    "aligned-noise",
    r"$S = C + \Theta + \alpha^2\Gamma$, $G = C$",
    r"$\Theta$ base noise, $\Gamma$ the irrelevant noise itself, $\alpha$ alignment",
    "JEvRC, section 4",
    "AlignedNoise",
)
def _aligned_noise(rng):
    (C, mean), Theta, Gamma = _population(rng), covariance(rng), covariance(rng)
    a = linssl.AlignedNoise(Theta, Gamma, 1.5)
    return _difference(a, C, mean, C + Theta + 2.25 * Gamma, C, mean)


@ROOM.theorem(
    "dropout",
    r"$\bar A = \mathrm{diag}(q)$, $\Sigma = \mathrm{diag}(q_i(1 - q_i)E[x_i^2])$",
    r"$q_i$ chance to keep feature $i$; what is dropped is 0, whatever the mean",
    "derived; Balestriero2022",
    "augmentations.Dropout",
)
def _dropout(rng):
    C, mean = _population(rng)
    q, masks = rng.uniform(0.2, 0.9, 4), _subsets(4)
    shares = np.prod(np.where(masks == 1, q, 1 - q), 1)
    return _one_by_one(
        linssl.augmentations.Dropout(q), C, mean, [np.diag(m) for m in masks], shares
    )


@ROOM.theorem(
    "rescaled-dropout",
    r"$\bar A = I$, $\Sigma = \mathrm{diag}(E[x_i^2](1 - q_i)/q_i)$",
    r"$q_i$ chance to keep feature $i$, kept ones divided by it",
    "derived; Balestriero2022",
    "augmentations.Dropout",
)
def _rescaled_dropout(rng):
    C, mean = _population(rng)
    q, masks = rng.uniform(0.2, 0.9, 4), _subsets(4)
    shares = np.prod(np.where(masks == 1, q, 1 - q), 1)
    maps = [np.diag(m / q) for m in masks]
    return _one_by_one(linssl.augmentations.Dropout(q, rescaled=True), C, mean, maps, shares)


@ROOM.theorem(
    "patch-mask",
    r"$\Sigma = M \circ E[xx^T]$, $M = q(1 - q)$ within a patch and 0 across",
    r"$q$ chance to keep a patch",
    "derived",
    "augmentations.PatchMask",
)
def _patch_mask(rng):
    (C, mean), patches, q = _population(rng), np.array([0, 0, 1, 2]), rng.uniform(0.2, 0.9)
    masks = _subsets(3)
    shares = np.prod(np.where(masks == 1, q, 1 - q), 1)
    maps = [np.diag(m[patches]) for m in masks]
    return _one_by_one(linssl.augmentations.PatchMask(patches, q), C, mean, maps, shares)


@ROOM.theorem(
    "fixed-count-mask",
    r"$E[m_i m_j] = K/P$ within a patch and $K(K - 1)/(P(P - 1))$ across",
    r"$K$ of $P$ patches kept, as masked autoencoders do",
    "derived",
    "augmentations.FixedCountMask",
)
def _fixed_count(rng):
    (C, mean), patches = _population(rng), np.array([0, 1, 2, 2])
    kept = list(itertools.combinations(range(3), 2))
    maps = [np.diag(np.isin(patches, k).astype(float)) for k in kept]
    return _one_by_one(linssl.augmentations.FixedCountMask(patches, 2), C, mean, maps, [1 / 3] * 3)


@ROOM.theorem(
    "mask-law",
    r"$\bar A = \mathrm{diag}\,E[m]$, $\Sigma = \mathrm{Cov}(m) \circ E[xx^T]$",
    r"$m$ a mask of any law",
    "derived",
    "augmentations.RandomMask",
)
def _mask_law(rng):
    C, mean = _population(rng)
    masks, shares = rng.uniform(0, 1, (3, 4)), rng.dirichlet(np.ones(3))
    maps = [np.diag(m) for m in masks]
    return _one_by_one(linssl.augmentations.RandomMask(masks, shares), C, mean, maps, shares)


def _uniform(low, high):
    """Nodes and weights of a uniform law, exact for polynomials of degree 7."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    return (low + high) / 2 + (high - low) / 2 * nodes, weights / 2


@ROOM.theorem(
    "brightness",
    r"$\bar A = E[a] I$, $\Sigma = \mathrm{Var}(a)\,E[xx^T]$",
    r"$a$ a random factor",
    "derived",
    "augmentations.Brightness",
)
def _brightness(rng):
    (C, mean), (low, width) = _population(rng), rng.uniform(0.2, 1, 2)
    factors, weights = _uniform(low, low + width)
    maps = [a * np.eye(4) for a in factors]
    return _one_by_one(linssl.augmentations.Brightness(low, low + width), C, mean, maps, weights)


@ROOM.theorem(
    "offset",
    r"$S = C + v\,11^T$, $G = C$",
    r"$v$ variance of one number added to all features",
    "derived",
    "augmentations.Offset",
)
def _offset(rng):
    (C, mean), v = _population(rng), rng.uniform(0.2, 2)
    return _difference(linssl.augmentations.Offset(v), C, mean, C + v * np.ones((4, 4)), C, mean)


@ROOM.theorem(
    "cyclic-filters",
    r"$\hat{\bar A} = \mathrm{diag}(E[\hat a])$, $\hat\Sigma = \mathrm{Cov}(\hat a)\circ\hat R$",
    r"$\hat a$ Fourier transform of a random kernel, $\hat R$ that of $E[xx^T]$",
    "derived; Balestriero2022",
    "augmentations.CyclicFilters",
)
def _cyclic(rng):
    C, mean = _population(rng, 9)
    kernels, shares = rng.standard_normal((2, 3, 3)), np.array([0.3, 0.7])

    def circulant(kernel):
        rolls = [(i, j, np.roll(np.eye(9).reshape(3, 3, 9), (i, j), (0, 1))) for i in range(3)
                 for j in range(3)]  # fmt: skip
        return sum(kernel[i, j] * moved.reshape(9, 9) for i, j, moved in rolls)

    a = linssl.augmentations.CyclicFilters(kernels, SQUARE, shares)
    return _one_by_one(a, C, mean, [circulant(k) for k in kernels], shares)


@ROOM.theorem(
    "quarter-turns",
    r"$\bar A = \sum_p \pi_p A_p$, $E[\tau\tau^T] = \sum_p \pi_p A_p E[xx^T] A_p^T$ for moves of "
    r"whole pixels",
    r"$A_p$ one of four rotations of an image, $\pi_p$ its chance",
    "derived; Balestriero2022",
    "augmentations.quarter_turns",
)
def _turns(rng):
    C, mean = _population(rng, 9)
    grid, shares = np.eye(9).reshape(3, 3, 9), rng.dirichlet(np.ones(4))
    # A turn and the turn back have to be as likely: which way is the family's convention.
    shares[3] = shares[1] = (shares[1] + shares[3]) / 2
    maps = [np.rot90(grid, turns).reshape(9, 9) for turns in range(4)]
    return _one_by_one(linssl.augmentations.quarter_turns(SQUARE, shares), C, mean, maps, shares)


@ROOM.theorem(
    "separable-maps",
    r"$A_p = R_p \otimes K_p$ acts on an image $X$ as $R_p X K_p^T$",
    r"$R_p$ map of rows, $K_p$ of columns: blurs, crops and resizes",
    "derived; Balestriero2022",
    "augmentations.Separable",
)
def _separable(rng):
    (C, mean), shares = _population(rng, 9), np.array([0.4, 0.6])
    R, K = rng.standard_normal((2, 2, 3, 3))
    maps = [np.kron(r, k) for r, k in zip(R, K, strict=True)]
    return _one_by_one(linssl.augmentations.Separable(R, K, SQUARE, shares), C, mean, maps, shares)


@ROOM.theorem(
    "mixup",
    r"$S = (E[l^2] + E[(1 - l)^2])\,C$, $G = E[l]^2 C$, and the mean stays",
    r"$l$ share of the instance, the rest another's; each view has a partner of its own",
    "derived",
    "augmentations.Mixup",
)
def _mixup(rng):
    (C, mean), low = _population(rng), rng.uniform(0, 0.9)
    shares, weights = _uniform(low, 1.0)
    S = weights @ (shares**2 + (1 - shares) ** 2) * C
    return _difference(
        linssl.augmentations.Mixup(low), C, mean, S, (weights @ shares) ** 2 * C, mean
    )


@ROOM.theorem(
    "composition",
    r"$\bar A = \bar A_2\bar A_1$, $\Sigma = \bar A_2\Sigma_1\bar A_2^T + \Sigma_2(S_1, \mu_1)$",
    r"$S_1$, $\mu_1$ covariance and mean after the first augmentation",
    "derived",
    "compose",
)
def _composition(rng):
    C, mean = _population(rng)
    A, B = rng.standard_normal((2, 2, 4, 4))
    maps, shares = [b @ a for b in B for a in A], [0.06, 0.14, 0.24, 0.56]
    both = linssl.compose(
        linssl.augmentations.Matrices(A, [0.3, 0.7]), linssl.augmentations.Matrices(B, [0.2, 0.8])
    )
    return _one_by_one(both, C, mean, maps, shares)


@ROOM.theorem(
    "nearly-equal-maps",
    r"$\Sigma = \sum_p \pi_p (D_p C D_p^T + D_p\mu (D_p\mu)^T)$, $D_p = A_p - \bar A$, however "
    r"small $D_p$ is",
    r"$A_p$ one of $P$ maps, $\pi_p$ its chance; $\sum_p \pi_p A_p C A_p^T - \bar A C\bar A^T$ "
    r"cancels",
    "derived",
    "augmentations.Matrices",
    tolerance=1e-7,
    reason="maps that are 1e-8 apart, rounded to 1e-16, hold eight digits of their differences",
)
def _nearly_equal(rng):
    (C, mean), step = _population(rng), 2.0**-26
    # Steps that can be added to 1 without rounding: the maps are what is meant.
    B, shares = np.round(rng.standard_normal((3, 4, 4)) * 2**20) / 2**20, rng.dirichlet(np.ones(3))
    data = linssl.pairs.same_instance_population(C, mean)
    views = linssl.two_views(data, linssl.augmentations.Matrices(np.eye(4) + step * B, shares))
    S, _, A = _averaged(B, shares, C, mean)
    return relative(views.spread / step**2, S - A @ C @ A.T)
