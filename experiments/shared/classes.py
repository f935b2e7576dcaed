"""Simulated classes: means on axes of their own, instances around them, and strong noise."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import helmert

import linssl

K, SAMPLES = 4, 2000  # K + 1 classes; as many samples again are held out
VARIANCES = np.linspace(20.0, 6.0, 8)  # of the noise, where class means have 1 on each axis
NOISE = np.r_[np.zeros(K), VARIANCES]
WITHIN = np.r_[np.full(K, 0.2), VARIANCES]  # of instances around their class
BASE = np.r_[np.full(K, 0.6), np.full(VARIANCES.size, 0.1)]
AXES = np.eye(K, BASE.size)


def population():
    """The pairs of infinitely many samples."""
    return linssl.pairs.SemanticPairs.population(1.0 * (NOISE == 0), WITHIN)


def draw(key):
    """Draw labelled samples, and summarise their pairs."""
    simplex = helmert(K + 1).T * np.sqrt(K + 1)  # not by an SVD, whose basis a tie leaves open
    means = jnp.pad(simplex, ((0, 0), (0, VARIANCES.size)))
    targets = jnp.arange(2 * SAMPLES) % (K + 1)
    noise = jax.random.normal(key, (targets.size, BASE.size))
    x, hot = means[targets] + np.sqrt(WITHIN)[None, :] * noise, jnp.eye(K + 1)[targets]
    known = linssl.pairs.SemanticPairs.from_labels(x[:SAMPLES], hot[:SAMPLES])
    label = linssl.with_label(x[:SAMPLES], hot[:SAMPLES])
    return known, label, x[SAMPLES:], targets[SAMPLES:]
