"""Every maker of pairs takes the names of features from where its data come from."""

import inspect
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import linssl
from linssl import pairs
from linssl.data import open_source

N, NAMES, OTHERS = 40, ("heart", "lung", "skin"), ("age", "mass")
X = np.random.default_rng(0).standard_normal((N, 3)) + 1
RNG = np.random.default_rng(1)
TABLE = pd.DataFrame(X, columns=NAMES)
BESIDE = pd.DataFrame(X @ np.ones((3, 2)) + X[:, :2] ** 2, columns=OTHERS)
CLASSES, BATCHES = ["cat", "dog"] * (N // 2), np.repeat(["p", "q"], N // 2)


class Groups(np.ndarray):
    """Rows (n, J, d) that know their features, as those of a source do."""

    names = NAMES


def names(moments):
    if isinstance(moments, linssl.Views):
        return moments.features
    return moments.features_first, moments.features_second


MAKERS = {
    "estimate_pair": lambda: pairs.estimate_pair(lambda x: x + RNG.random(3), TABLE, 2).views,
    "groups": lambda: pairs.groups(np.stack([X, X + 1], 1).view(Groups)),
    "held_by": lambda: pairs.held_by(TABLE, BATCHES).after,
    "same_class": lambda: pairs.same_class(TABLE, CLASSES, 0.5),
    "same_instance": lambda: pairs.same_instance(TABLE, BATCHES),
    "same_instance_population": lambda: pairs.same_instance_population(TABLE.cov()),
    "stream_moments": lambda: pairs.stream_moments(TABLE, blocks=3),
    "two_modalities": lambda: pairs.two_modalities(TABLE, BESIDE, BATCHES),
    "with_label": lambda: pairs.with_label(TABLE, CLASSES),
}
SECOND = {"two_modalities": OTHERS, "with_label": ("cat", "dog")}
NO_MAKER = {"another_class", "class_redrawn", "class_tuples", "one_hot", "within_superclass"}
NO_DATA = {"same_instance_moments"}  # arrays of moments: `named` names them


def test_every_maker_is_here():
    functions = {n for n, f in vars(pairs).items() if inspect.isfunction(inspect.unwrap(f))}
    assert functions - NO_MAKER - NO_DATA == MAKERS.keys()


@pytest.mark.parametrize("maker", MAKERS)
def test_a_maker_takes_the_names_of_a_table(maker):
    second = SECOND.get(maker)
    assert names(MAKERS[maker]()) == (NAMES if second is None else (NAMES, second))


def test_sides_of_an_estimate_have_names_where_they_have_the_features():
    rng = np.random.default_rng(0)
    same = pairs.estimate_pair(lambda x: x + rng.random(3), TABLE, 2)
    fewer = pairs.estimate_pair(lambda x: x[:2] + rng.random(2), TABLE, 2)
    assert names(same.clean) == (NAMES, NAMES)
    assert names(same.without[0][1]) == (NAMES, NAMES)
    assert names(fewer.clean) == (None, NAMES)
    assert fewer.views.features is None


def annotated():
    var = SimpleNamespace(columns=[])
    empty = pd.DataFrame(index=range(N))
    return SimpleNamespace(X=X, obs=empty, var=var, var_names=NAMES, layers={}, obsm={})


def on_disk(path):
    write = TABLE.to_csv if path.suffix == ".csv" else TABLE.to_parquet
    write(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet", "annotated", "opened"])
def test_paths_and_annotated_matrices_bring_their_names(kind, tmp_path):
    held = {"annotated": annotated, "opened": lambda: open_source(TABLE)}
    data = held[kind]() if kind in held else on_disk(tmp_path / f"data.{kind}")
    noise = linssl.GaussianNoise(np.full(3, 0.1))
    assert linssl.two_views(data, noise).features == NAMES
    assert names(linssl.view_and_clean(data, noise)) == (NAMES, NAMES)
    assert pairs.stream_moments(data).features == NAMES


def test_a_sweep_over_pairs_of_one_summary_keeps_its_names():
    summary = pairs.SemanticPairs.from_labels(TABLE, CLASSES)
    many = jax.vmap(summary.pair)(np.linspace(0, 1, 3))
    assert many.features == NAMES
    assert many.mean.shape == (3, 3)


def test_noisy_data_keep_names_unless_features_without_any_are_appended():
    pair = pairs.with_label(TABLE, CLASSES)
    key = jax.random.key(0)
    found = linssl.NoisyData.from_pair(pair).sample_moments(key, jnp.ones(3))
    assert found.same.features == NAMES
    assert names(found.label) == (NAMES, ("cat", "dog"))
    found = linssl.NoisyData.from_pair(pair, 2).sample_moments(key, jnp.ones(2))
    assert found.same.features is None
    assert names(found.label) == (None, ("cat", "dog"))
