"""A linear classifier on codes, from moments."""

import jax.numpy as jnp

import linssl


def probe(encoder, label: linssl.PairMoments, test, targets):
    """Accuracy of one linear classifier on held-out codes: least squares on one-hot classes.

    As `linssl.metrics.probe_accuracy`, from moments: on whitened codes a ridge scales all scores
    alike.

    Args:
        encoder: (k, d).
        label: (instance, one-hot class) pair of the training set.
        test: (m, d) held-out instances.
        targets: (m,) their classes, by number.
    """
    weights = linssl.metrics.linear_probe(encoder, label)
    scores = (test - label.mean_first[None, :]) @ encoder.T @ weights + label.mean_second[None, :]
    return jnp.mean(jnp.argmax(scores, axis=1) == targets)
