"""Shifted images: the class is content, the shift is style."""

import jax
import jax.numpy as jnp
import numpy as np

import linssl
from experiments.shared.images import Labelled


def shifted(
    data: Labelled, shape: linssl.augmentations.Image, reach: int, ridge: float, group: int
):
    """Return shifts of an image as views of one content, its class and the shift as targets.

    Args:
        data: images.
        shape: of each.
        reach: pixels to either side.
        ridge: variance of noise on every pixel of a view.
        group: views of one content.

    Returns:
        (`linssl.populations.Problem`, the shifts)
    """
    x, hot = data.train.reshape(len(data.train), -1), linssl.pairs.one_hot(data.labels)
    shift = linssl.augmentations.shifts(shape, reach)
    view = linssl.compose(shift, linssl.GaussianNoise(np.full(x.shape[1], ridge)))
    same = linssl.same_instance(x)
    views, clean = linssl.two_views(same, view), linssl.view_and_clean(same, view)
    by_class = linssl.augment_sides(linssl.with_label(x, hot), view, None)
    side = np.arange(-reach, reach + 1)
    steps = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2).astype(float)
    # A shift is independent of the image: a linear probe reads it off the mean image alone.
    means = jax.lax.map(lambda p: shift.apply(p, same.mean[None])[0], np.arange(len(steps)))
    moments = views.covariance, steps.T @ steps / len(steps), means.T @ steps / len(steps)
    by_shift = linssl.PairMoments(*moments, views.mean, jnp.zeros(2), views.count, views.draws)
    targets = {"content": by_class, "style": by_shift}
    return linssl.populations.Problem(views, clean, targets, group), shift
