"""What the experiments share: their options, and real data with appended noise."""

import dataclasses
import hashlib
import itertools
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import tyro
from threadpoolctl import threadpool_limits

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
    facts: dict  # for the record


# The scale-free setting of the 2 x 3 figure: all variances in units of the weakest signal's.
BASE_SIGNAL, BASE_NOISE = 0.6, 0.006
CHUNK = 4096  # rows whose products are summed at once: few enough for a cache
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
    base = {"base_variances_relative": [BASE_SIGNAL, BASE_NOISE]}
    return Signal(scores, data.y_train, variances, fingerprint(*parts) | base)


def fingerprint(*arrays: np.ndarray) -> dict:
    """Hash data, for the record."""
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays))
    return {"data_sha256": digest.hexdigest()[:16]}


def clean_data(signal: Signal, sizes: np.ndarray, appended: int, seeds: int) -> linssl.NoisyData:
    """Summarise the first n draws of the data for every seed and n, with room for noise behind.

    The rows are the data in random order, drawn again with replacement past its end, and labels.
    Larger n extend smaller ones. Noise is drawn in the cells, exactly, from moments alone.

    Returns:
        `NoisyData` whose arrays have (seeds, sizes) in front.
    """
    N, k = signal.scores.shape
    rows = np.hstack([signal.scores, targets(signal), np.ones((N, 1))])  # 1: sums come along
    edges = np.union1d(np.arange(0, sizes[-1], CHUNK), sizes)

    def one_seed(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        again = rng.integers(0, N, max(sizes[-1] - N, 0))
        order = np.concatenate([rng.permutation(N), again])
        chunks = (rows[order[a:b]] for a, b in itertools.pairwise(edges))
        sums = np.cumsum([chunk.T @ chunk for chunk in chunks], 0)
        return sums[np.searchsorted(edges[1:], sizes)] / sizes[:, None, None]

    # The host's BLAS is best at it; over seeds, since one such product is too small for threads.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        moments = jnp.asarray(np.stack(list(pool.map(one_seed, range(seeds)))))
    return _summary(moments, jnp.asarray(sizes, float), k, appended)


@eqx.filter_jit
def _summary(moments, sizes, k: int, appended: int) -> linssl.NoisyData:
    def one(moments, n):
        S, m = moments[:-1, :-1], moments[-1, :-1]
        pair = linssl.PairMoments(S[:k, :k], S[k:, k:], S[:k, k:], m[:k], m[k:], n)
        return linssl.NoisyData.from_pair(pair, appended)

    return jax.lax.map(lambda seed: jax.lax.map(lambda x: one(*x), (seed, sizes)), moments)


def draw(data: linssl.NoisyData, key, seed, size, noise) -> linssl.PairMoments:
    """Draw the (instance, label) pair of one seed and size (both by number) under noise (q,)."""
    one = jax.tree_util.tree_map(lambda stacked: stacked[seed, size], data)
    label = one.sample_moments(key, noise).label
    assert label is not None
    return label


def same_instance(label: linssl.PairMoments) -> linssl.PairMoments:
    """Return the centred pair of every instance with itself, from its pair with the label."""
    return linssl.same_instance_moments(label.first, label.mean_first, label.count).centred()


def targets(signal: Signal) -> np.ndarray:
    """One-hot classes; without labels, the clean scores themselves are what is predicted."""
    if signal.labels is None:
        return signal.scores
    classes = len(np.unique(signal.labels))
    if classes < 2:
        raise ValueError(f"labels must hold at least two classes; got {classes}.")
    if classes <= 100:
        return np.asarray(linssl.one_hot(signal.labels))
    return np.asarray(signal.labels, float).reshape(len(signal.scores), -1)


def tidy(axes: Mapping[str, Iterable], **values: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of a table with one row for each cell of a grid with these axes."""
    labels = np.meshgrid(*(np.asarray(list(a), object) for a in axes.values()), indexing="ij")
    columns = dict(zip(axes, labels, strict=True)) | values
    return {name: column.ravel() for name, column in columns.items()}


def rotation(seed: int, size: int):
    """Return one fixed random rotation."""
    return jnp.linalg.qr(jax.random.normal(jax.random.key(seed), (size, size)))[0]


def descend(loss: Callable, start, draw: Callable, key, steps: int, batch: int) -> Any:
    """Minimise loss(parameters, drawn) by Adam on minibatches draw(key, batch), new every step."""
    import optax

    optimiser = optax.adam(optax.cosine_decay_schedule(0.03, steps))

    def step(state, i):
        theta, memory = state
        grad = jax.grad(loss)(theta, draw(jax.random.fold_in(key, i), batch))
        updates, memory = optimiser.update(grad, memory, theta)
        return (optax.apply_updates(theta, updates), memory), None

    return jax.lax.scan(step, (start, optimiser.init(start)), jnp.arange(steps))[0][0]


def with_errors(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard error over the last axis, the seeds; one alone has no error."""
    mean, seeds = values.mean(-1), values.shape[-1]
    if seeds == 1:
        return mean, np.full_like(mean, np.nan)
    return mean, values.std(-1, ddof=1) / np.sqrt(seeds)


def save(options: Options, source: dict, name: str, figure, caption: str, table, **facts) -> None:
    """Write the four files of a figure, with what there is to say of its data."""
    provenance = {"caption": caption, "data": options.data}
    write_figure(options.out, name, figure, table, provenance | source | facts)
