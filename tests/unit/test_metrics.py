"""What no metric reads, and the words that say so."""

import jax.numpy as jnp
import numpy as np
import pytest

from linssl import subspace_distance, with_label
from linssl.metrics import linear_probe, probe_accuracy, probe_r2, probe_risk, relative_error

K, D, N = 3, 5, 40


def encoder(seed, k=K, d=D):
    return jnp.asarray(np.random.default_rng(seed).standard_normal((k, d)))


def samples(seed, shift=0.0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((N, D)) + shift
    return x, x @ rng.standard_normal((D, 2)) + rng.standard_normal((N, 2)) + shift


def test_bad_features_are_refused():
    with pytest.raises(ValueError, match=r"must be k features .* got 2 for \(3, 5\)"):
        subspace_distance(encoder(0), range(2))
    with pytest.raises(ValueError, match=r"whole numbers from 0 to 4; got \[3 4 5\]"):
        subspace_distance(encoder(0), range(3, 6))
    with pytest.raises(ValueError, match=r"distinct features; got \[0 0 1\]"):
        subspace_distance(encoder(0), [0, 0, 1])
    with pytest.raises(ValueError, match="whole numbers from 0 to 4"):
        subspace_distance(encoder(0), [0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    "shapes",
    [((2, 4), (3, 4)), ((2, 4), (2, 5)), ((4,), (4,)), ((4, 2),) * 2, ((0, 4),) * 2],
)
def test_encoders_of_different_shapes_have_no_distance(shapes):
    a, b = (np.ones(s) for s in shapes)
    with pytest.raises(ValueError, match=r"must both be \(k, d\) with 1 <= k <= d; got \("):
        subspace_distance(a, b)


def test_relative_error_of_different_shapes_is_refused():
    with pytest.raises(ValueError, match=r"must agree; got \(2,\) and \(1, 2\)"):
        relative_error(np.ones(2), np.ones((1, 2)))


@pytest.mark.parametrize("probe", [probe_risk, probe_r2, linear_probe])
@pytest.mark.parametrize("W", [np.ones((2, 4)), np.ones(D), np.ones((1, 1, D)), np.ones((0, D))])
def test_encoder_of_another_size_has_no_risk(W, probe):
    with pytest.raises(ValueError, match=r"encoder must be \(k, 5\), k >= 1; got \("):
        probe(W, with_label(*samples(0)))


SMALL = {
    "encoder": np.eye(2),
    "train": np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
    "train_labels": np.array([0, 1, 1]),
    "test": np.array([[0.0, 1.0], [1.0, 0.0]]),
    "test_labels": np.array([0, 1]),
}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"encoder": np.eye(3)}, r"encoder must be \(k, d\) for data of d features; got \(3, 3\)"),
        ({"encoder": np.ones(2)}, r"encoder must be \(k, d\) for data of d features; got \(2,\)"),
        ({"test": np.ones((2, 3))}, r"encoder must be \(k, d\) .* and \(2, 3\)"),
        ({"encoder": np.full((1, 2), np.nan)}, "encoder must be finite; read explain"),
        ({"encoder": np.full((1, 2), np.inf)}, "encoder must be finite; read explain"),
        ({"encoder": np.zeros((1, 2))}, "encoder must give codes that vary; got constant codes"),
        ({"train": np.full((3, 2), np.nan)}, "train must be finite; got 6 NaN or inf"),
        ({"test": np.full((2, 2), np.inf)}, "test must be finite; got 4 NaN or inf"),
        ({"train": np.ones(3)}, r"train must be a non-empty \(n, d\) array of samples"),
        ({"test": np.ones((0, 2))}, r"test must be a non-empty \(n, d\) array of samples"),
        ({"train": np.full((3, 2), "a", object)}, "train must hold numbers; 2 of 2 columns don't"),
        ({"train_labels": np.array([0, 1])}, r"train_labels must be \(3,\), .*; got \(2,\)"),
        ({"train_labels": np.ones((3, 2))}, r"train_labels must be \(3,\), .*; got \(3, 2\)"),
        ({"test_labels": np.ones((2, 2))}, r"test_labels must be \(2,\), .*; got \(2, 2\)"),
        ({"train_labels": np.zeros(3)}, "train_labels must hold at least two classes; got one"),
        ({"ridge": -1.0}, "ridge must be finite and >= 0; got -1"),
        ({"ridge": float("nan")}, "ridge must be finite and >= 0; got nan"),
    ],
)
def test_bad_probes_are_refused(changes, match):
    with pytest.raises(ValueError, match=match):
        probe_accuracy(**{**SMALL, **changes})
