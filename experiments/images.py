"""What the experiments on corrupted images share: images, corrupted problems, a linear probe."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import linssl
from experiments import common


class Labelled(NamedTuple):
    """Square grey images and their classes, held-out ones too."""

    train: np.ndarray  # (n, side, side), in [0, 1]
    labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray

    @property
    def facts(self) -> dict:
        """What a figure's record says of its images."""
        return common.fingerprint(*self)


def load_images(name: str) -> tuple[Labelled, linssl.Image]:
    """Load labelled square images with a test set."""
    data = linssl.load_dataset(name)
    parts = data.X_train, data.y_train, data.X_test, data.y_test
    side = round(data.X_train.shape[1] ** 0.5)
    if side**2 != data.X_train.shape[1] or side < 4 or any(part is None for part in parts):
        raise ValueError(
            f"{name} must be square images with labels and a test set; got {data.X_train.shape}."
        )
    x, y, x_test, y_test = (np.asarray(part) for part in parts)
    shape = (-1, side, side)
    images = Labelled(x.reshape(shape), y, x_test.reshape(shape), y_test)
    return images, linssl.Image(side, side)


def probe(encoder, label: linssl.PairMoments, test, targets):
    """Accuracy of one linear classifier on held-out codes: least squares on one-hot classes.

    As `linssl.probe_accuracy`, from moments: on whitened codes a ridge scales all scores alike.

    Args:
        encoder: (k, d).
        label: raw (instance, one-hot class) pair of the training set.
        test: (m, d) held-out instances.
        targets: (m,) their classes, by number.
    """
    weights = linssl.linear_probe(encoder, label.centred())
    scores = (test - label.mean_first[None, :]) @ encoder.T @ weights + label.mean_second[None, :]
    return jnp.mean(jnp.argmax(scores, axis=1) == targets)


class Problem(NamedTuple):
    """Corrupted images: all there is to learn from, and to be judged by."""

    x: np.ndarray  # (n, d) to learn from
    labels: np.ndarray  # (n, classes) one-hot
    test: np.ndarray  # (m, d)
    targets: np.ndarray  # (m,) classes by number
    gamma: np.ndarray  # (d, d) second moment of what the corruption changes in x


def corrupted(data: Labelled, kind: str, severity: int, seed: int = 0, held_out=None) -> Problem:
    """Corrupt images, each set by draws of its own; "clean" leaves them as they are."""
    parts = data.train, data.test[:held_out]
    x, test = (
        (part if kind == "clean" else linssl.corrupt(part, kind, severity, 2 * seed + i)).reshape(
            len(part), -1
        )
        for i, part in enumerate(parts)
    )
    change = x - data.train.reshape(x.shape)
    targets = np.searchsorted(np.unique(data.labels), data.test_labels[:held_out])
    hot = np.asarray(linssl.one_hot(data.labels))
    return Problem(x, hot, test, targets, change.T @ change / len(x))


def shifted(data: Labelled, shape: linssl.Image, reach: int, ridge: float, group: int):
    """Return shifts of an image as views of one content, its class and the shift as targets.

    Args:
        data: images.
        shape: of each.
        reach: pixels to either side.
        ridge: variance of noise on every pixel of a view.
        group: views of one content.

    Returns:
        (`linssl.Problem`, the shifts)
    """
    x, hot = data.train.reshape(len(data.train), -1), linssl.one_hot(data.labels)
    shift = linssl.shifts(shape, reach)
    view = linssl.compose(shift, linssl.GaussianNoise(np.full(x.shape[1], ridge)))
    same, label = linssl.same_instance(x), linssl.with_label(x, hot)
    both = eqx.filter_jit(lambda pair: linssl.augment(pair, view, view))  # one program, not many
    one = eqx.filter_jit(lambda pair: linssl.augment(pair, view, None))
    views = both(same)
    side = np.arange(-reach, reach + 1)
    steps = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2).astype(float)
    # A shift is independent of the image: a linear probe reads it off the mean image alone.
    means = jax.lax.map(lambda p: shift.apply(p, same.mean_first[None])[0], np.arange(len(steps)))
    moments = views.first, steps.T @ steps / len(steps), means.T @ steps / len(steps)
    by_shift = linssl.PairMoments(*moments, views.mean_first, jnp.zeros(2), views.count)
    targets = {"content": one(label), "style": by_shift}
    clean = one(same)
    return linssl.Problem(views, clean, targets, group), shift
