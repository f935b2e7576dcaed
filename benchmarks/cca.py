"""One joint embedding at d = 784 from exact moments, against CCA on sampled views.

The problem: 5 000 clean Gaussian samples with variances 10/i along random axes; two views, each
with independent noise of known, uneven variances around 0.3. linssl reads the moments of the clean
samples and adds the known noise; CCA gets one pair of sampled views of the same samples, since
that is what it takes. So linssl is told more, which is the point; the detail also has linssl on
the sampled views, which is told the same.
"""

import functools
import importlib.util
import warnings
from typing import NamedTuple

import numpy as np

from benchmarks import timing
from benchmarks.process import Process

HERE = "benchmarks.cca"


class Problem(NamedTuple):
    """Clean samples, two views, what made them, and the embedding dimension."""

    clean: np.ndarray  # (n, d)
    first: np.ndarray
    second: np.ndarray
    covariance: np.ndarray  # (d, d) of the population
    noise: np.ndarray  # (d,) variances
    dim: int


@functools.cache
def problem(n: int, d: int, dim: int) -> Problem:
    """Draw it; the same in every process."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0]
    root = np.sqrt(10 / np.arange(1, d + 1))[:, None] * axes.T
    noise = np.linspace(0.15, 0.45, d)
    clean = rng.standard_normal((n, d)) @ root
    first, second = (clean + rng.standard_normal((n, d)) * np.sqrt(noise) for _ in range(2))
    C = root.T @ root
    return Problem(clean, first, second, (C + C.T) / 2, noise, dim)


def exact(n: int, d: int, dim: int) -> list:
    """W (k, d) from the moments of the clean samples and the known noise."""
    import linssl

    p = problem(n, d, dim)
    noise = linssl.GaussianNoise(p.noise)
    views = linssl.two_views(p.clean, noise)
    return np.asarray(linssl.check(linssl.joint_embedding(views, dim)).encoder).tolist()


def sampled(n: int, d: int, dim: int) -> list:
    """W from the moments of the two sampled views: told no more than CCA is."""
    import linssl
    from linssl.pairs import groups

    p = problem(n, d, dim)
    views = groups(np.stack([p.first, p.second], axis=1))
    return np.asarray(linssl.check(linssl.joint_embedding(views, dim)).encoder).tolist()


def population(n: int, d: int, dim: int) -> list:
    """W of the population."""
    import linssl

    p = problem(n, d, dim)
    noise = linssl.GaussianNoise(p.noise)
    views = linssl.two_views(linssl.pairs.same_instance_population(p.covariance), noise)
    return np.asarray(linssl.check(linssl.joint_embedding(views, dim)).encoder).tolist()


def scikit_learn(n: int, d: int, dim: int) -> list:
    """Weights of the first view, (k, d)."""
    from sklearn.cross_decomposition import CCA

    p = problem(n, d, dim)
    return CCA(dim, scale=False).fit(p.first, p.second).x_rotations_.T.tolist()


def cca_zoo(n: int, d: int, dim: int) -> list:
    """Weights of the first view, (k, d)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cca_zoo.linear import CCA

        p = problem(n, d, dim)
        return CCA(dim).fit([p.first, p.second]).weights_[0].T.tolist()


def _against(library: str, repeats: int) -> dict:
    large = {"n": 5_000, "d": 784, "dim": 10}
    small = {"n": 50_000, "d": 12, "dim": 3}
    names = ("exact", "sampled", "population")
    with Process(f"{HERE}:{library}") as other, Process(f"{HERE}:ours", devices=1) as linssl:
        # Where samples abound all find one subspace: the same quantity is computed.
        theirs, mine = other(**small), linssl(what="exact", **small)
        agreement = linssl(what="distance", encoder=theirs, reference=mine)
        assert agreement < 0.01, f"{library} finds another subspace: {agreement:.3f}"
        for what in names:
            linssl(what=what, **large)  # compiled and warm; the library has nothing to compile
        found: dict[str, list] = {}
        sides = {
            library: lambda: found.update({library: other(**large)}),
            **{
                f"linssl, {what}": lambda w=what: found.update({w: linssl(what=w, **large)})
                for what in names[:2]
            },
        }
        times = timing.alternate(sides, repeats, warm=False)
        truth = linssl(what="population", **large)
        distances = {
            name: linssl(what="distance", encoder=encoder, reference=truth)
            for name, encoder in found.items()
        }
    assert distances["exact"] < distances[library]
    return {
        "ratio": timing.ratio(times, library, "linssl, exact"),
        "unit": "x",
        "detail": {
            "problem": large,
            "times": timing.summary(times),
            "distance_to_population_subspace": distances,
            "ratio_on_the_same_sampled_views": timing.ratio(times, library, "linssl, sampled"),
            "agreement_at_n_50000_d_12": agreement,
        },
    }


def ours(what: str, **arguments) -> list | float:
    """One of `exact`, `sampled` and `population`, or the distance between two encoders."""
    if what == "distance":
        import linssl

        return float(linssl.subspace_distance(**{k: np.array(v) for k, v in arguments.items()}))
    return {"exact": exact, "sampled": sampled, "population": population}[what](**arguments)


def vs_sklearn() -> dict:
    """scikit-learn's CCA over linssl's exact joint embedding."""
    return _against("scikit_learn", 1)


def vs_cca_zoo() -> dict:
    """The same for cca-zoo, which need not be installed."""
    if importlib.util.find_spec("cca_zoo") is None:
        return {"ratio": None, "unit": "x", "detail": {"skipped": "cca-zoo isn't installed"}}
    return _against("cca_zoo", 3)
