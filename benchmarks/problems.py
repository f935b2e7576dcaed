"""The settings that both sides of a comparison solve; numpy only, so that neither owns them."""

import functools
from typing import NamedTuple

import numpy as np

K = Q = 50  # signal and noise directions; the embedding dimension is K
OBJECTIVES = ("supervised", "joint_embedding", "reconstruction")


class Figure2(NamedTuple):
    """The 2 x 3 figure: 2 noise levels x 3 alignments x 10 sizes x 5 seeds, 3 objectives.

    All variances are in units of the weakest signal's. The data stand in for the principal
    components of 60 000 digits: what is in them enters neither side's time.
    """

    scores: np.ndarray  # (60 000, k), centred
    labels: np.ndarray  # (60 000, 10), one-hot
    noise: np.ndarray  # (2, q): weak and strong, variances
    base: np.ndarray  # (k + q,)
    alphas: tuple[float, ...] = (0.1, 1.0, 10.0)
    sizes: tuple[int, ...] = tuple(100 * 2**i for i in range(10))
    seeds: int = 5

    @property
    def cells(self) -> int:
        """300."""
        return len(self.noise) * len(self.alphas) * len(self.sizes) * self.seeds


@functools.cache
def figure2() -> Figure2:
    """Make the data: a decaying spectrum, and classes that the leading components tell apart."""
    rng = np.random.default_rng(0)
    rows, classes = 60_000, 10
    scores = rng.standard_normal((rows, K)) * np.sqrt(np.geomspace(30, 1, K))
    logits = scores[:, :classes] + rng.gumbel(size=(rows, classes))
    return Figure2(
        scores - scores.mean(0),
        np.eye(classes)[logits.argmax(1)],
        np.stack([np.linspace(0.06, 0.3, Q), np.linspace(6.0, 30.0, Q)]),
        base_variances(),
    )


def base_variances() -> np.ndarray:
    """Theta, (k + q,): the scale-free setting of the experiments."""
    return np.repeat([0.6, 0.006], K)


class PhaseMap(NamedTuple):
    """Noise magnitude x alignment at one n; `linssl.sweep.cells.spiked` in other words."""

    magnitudes: np.ndarray
    alphas: np.ndarray
    seeds: int = 10
    n: int = 100_000
    signal: np.ndarray = np.linspace(2, 1, K)
    spread: np.ndarray = np.linspace(1, 0.2, Q)  # times the magnitude: the noise variances

    @property
    def cells(self) -> int:
        """Points times seeds."""
        return len(self.magnitudes) * len(self.alphas) * self.seeds


def phase_map(points: int = 100) -> PhaseMap:
    """100 x 100 cells x 10 seeds, 1e5 samples of 100 features in each."""
    return PhaseMap(np.geomspace(1e-2, 1e2, points), np.geomspace(3e-2, 30, points))
