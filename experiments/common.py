"""What the experiments share: their options, and real data with appended noise."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import tyro

import linssl
from linssl.cli.progress import reporting
from linssl.plotting import house_style, write_figure


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of every experiment."""

    data: str = "digits"
    """digits, the NAME of a file $LINSSL_DATA/NAME.npz, or a path."""
    out: Path = Path("figures")
    """Folder for the PDF, PNG, CSV and JSON."""
    full: bool = False
    """More seeds and finer grids, as `make figures-full` runs it."""

    @property
    def name(self) -> str:
        """The data set's name, for captions."""
        return Path(self.data).stem


class Signal(NamedTuple):
    """Clean real data in the basis of its first k principal components."""

    scores: np.ndarray  # (n, k), centred
    labels: np.ndarray | None
    variances: np.ndarray  # lambda, (k,), divisor n, descending
    fingerprint: str  # of the data as loaded


# The scale-free setting of the 2 x 3 figure: all variances in units of the weakest signal's.
BASE_SIGNAL, BASE_NOISE = 0.6, 0.006
NOISE_LABEL = r"noise variance $\gamma / \lambda_k$"
NOISE_RANGES = {"weak": (0.06, 0.3), "strong": (6.0, 30.0)}


def sweep(cell: Callable, columns: dict):
    """Evaluate all cells of one experiment behind a progress bar on stderr."""
    with reporting("cells") as report:
        return linssl.over_cells(cell, report, **columns)


def table(sweep: linssl.Sweep):
    """Run a sweep behind the same bar."""
    with reporting("cells") as report:
        return sweep.run(report=report)


def run(experiment: Callable[[Options], None], description: str | None) -> None:
    """Run an experiment as a script: read its options, set double precision, go."""
    options = tyro.cli(Options, description=description)
    jax.config.update("jax_enable_x64", True)
    try:
        with house_style():
            experiment(options)
    except (ValueError, FileNotFoundError, ImportError) as error:
        raise SystemExit(f"error: {error}") from None


def load_signal(name: str, k: int | None = None) -> Signal:
    """Load a data set and keep its first k principal components: 50, or 20 of small images."""
    from sklearn.decomposition import PCA

    data = linssl.load_dataset(name)
    n, d = data.X_train.shape
    k = min(k or (50 if d > 100 else 20), d // 2)
    if k < 2 or n <= k:
        raise ValueError(f"{name} must have at least 4 features and {k + 1} rows; got {(n, d)}.")
    scores = PCA(k, svd_solver="covariance_eigh").fit_transform(data.X_train)
    variances = np.mean(scores**2, axis=0)
    if variances[-1] < 1e-10 * variances[0]:
        raise ValueError(f"{name} must have rank >= {k}; component {k} has no variance.")
    parts = [data.X_train] if data.y_train is None else [data.X_train, np.asarray(data.y_train)]
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in parts))
    return Signal(scores, data.y_train, variances, digest.hexdigest()[:16])


def clean_data(signal: Signal, sizes: np.ndarray, directions: int, seeds: int) -> linssl.NoisyData:
    """Summarise the first n draws of the data, with room for noise, for every seed and n.

    The rows are [x 0 y]: the data in random order, drawn again with replacement past its end,
    zeros for the noise directions, and labels. Larger n extend smaller ones. Noise is drawn in
    the cells, exactly, from moments alone.

    Returns:
        `NoisyData` whose arrays have (seeds, sizes) in front.
    """
    N, n_max, k = len(signal.scores), int(sizes[-1]), signal.scores.shape[1]
    Y = targets(signal)
    rows = jnp.concatenate([jnp.asarray(signal.scores), jnp.zeros((N, directions)), Y], axis=1)

    def one_seed(seed):
        order_key, again_key = jax.random.split(jax.random.fold_in(jax.random.key(0), seed))
        order = jax.random.permutation(order_key, N)[:n_max]
        again = jax.random.randint(again_key, (max(n_max - N, 0),), 0, N)
        pieces = jnp.split(rows[jnp.concatenate([order, again])], sizes[:-1])
        total = jnp.cumsum(jnp.stack([piece.T @ piece for piece in pieces]), 0)
        mean = jnp.cumsum(jnp.stack([piece.sum(0) for piece in pieces]), 0)
        return jax.lax.map(one_size, (total, mean, jnp.asarray(sizes, rows.dtype)))

    def one_size(sums):
        second, mean, n = sums[0] / sums[2], sums[1] / sums[2], sums[2]
        d = k + directions
        return linssl.NoisyData.from_pair(
            linssl.PairMoments(
                second[:d, :d], second[d:, d:], second[:d, d:], mean[:d], mean[d:], n
            )
        )

    return jax.jit(lambda s: jax.lax.map(one_seed, s))(jnp.arange(seeds))


def draw(data: linssl.NoisyData, key, seed, size, noise) -> linssl.PairMoments:
    """Draw the (instance, label) pair of one seed and size (both by number) under noise (d,)."""
    one = jax.tree_util.tree_map(lambda stacked: stacked[seed, size], data)
    label = one.sample_moments(key, noise).label
    assert label is not None
    return label


def same_instance(label: linssl.PairMoments) -> linssl.PairMoments:
    """Return the centred pair of every instance with itself, from its pair with the label."""
    return linssl.same_instance_moments(label.first, label.mean_first, label.count).centred()


def targets(signal: Signal):
    """One-hot classes; without labels, the clean scores themselves are what is predicted."""
    if signal.labels is None:
        return jnp.asarray(signal.scores)
    classes = len(np.unique(signal.labels))
    if classes < 2:
        raise ValueError(f"labels must hold at least two classes; got {classes}.")
    if classes <= 100:
        return linssl.one_hot(signal.labels)
    return jnp.asarray(signal.labels, float).reshape(len(signal.scores), -1)


def tidy(axes: dict[str, Iterable], **values: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of a table with one row for each cell of a grid with these axes."""
    labels = np.meshgrid(*(np.asarray(list(a), object) for a in axes.values()), indexing="ij")
    columns = dict(zip(axes, labels, strict=True)) | values
    return {name: column.ravel() for name, column in columns.items()}


def rotation(seed: int, size: int):
    """Return one fixed random rotation."""
    return jnp.linalg.qr(jax.random.normal(jax.random.key(seed), (size, size)))[0]


def with_errors(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard error over the last axis, the seeds."""
    return values.mean(-1), values.std(-1, ddof=1) / np.sqrt(values.shape[-1])


def save(options: Options, signal: Signal, name: str, figure, caption: str, table, **facts) -> None:
    """Write the four files of a figure, with what every experiment says of its data."""
    provenance = {
        "caption": caption,
        "data": options.data,
        "data_sha256": signal.fingerprint,
        "base_variances_relative": [BASE_SIGNAL, BASE_NOISE],
    }
    write_figure(options.out, name, figure, table, provenance | facts)
