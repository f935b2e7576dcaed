"""Every door that takes a path says what is wrong with one: nothing there, no pictures, no kind."""

from pathlib import Path

import jax
import numpy as np
import pytest

import linssl
from linssl import pairs
from linssl.augmentations import GaussianNoise
from linssl.data import load_dataset, load_moments, open_source, read_arrays
from linssl.data.files import read_labels
from linssl.estimators import JointEmbedding, SemanticJointEmbedding

X, NOISE = np.random.default_rng(0).normal(size=(20, 2)), GaussianNoise([1.0, 1.0])
DOORS = {
    "open_source": open_source,
    "same_instance": linssl.same_instance,
    "stream_moments": pairs.stream_moments,
    "with_label": lambda p: linssl.with_label(p, X),
    "same_class": lambda p: pairs.same_class(p, np.arange(20) % 2),
    "groups": pairs.groups,
    "held_by": lambda p: pairs.held_by(p, np.arange(20) % 2),
    "class_tuples": lambda p: pairs.class_tuples(p, np.arange(20) % 2, 2, jax.random.key(0)),
    "two_modalities": lambda p: pairs.two_modalities(X, p),
    "two_views": lambda p: linssl.two_views(p, NOISE),
    "view_and_clean": lambda p: linssl.view_and_clean(p, NOISE),
    "diagnose": linssl.diagnose,
    "fit": JointEmbedding().fit,
    "fit with labels": lambda p: SemanticJointEmbedding().fit(p, np.arange(20) % 2),
    "transform": lambda p: JointEmbedding(1).fit(X).transform(p),
}
NO_FOLDERS = {
    "labels": lambda p: linssl.with_label(X, p),
    "load_dataset": load_dataset,
    "read_arrays": read_arrays,
    "read_labels": read_labels,
    "load_moments": load_moments,
}


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("door", DOORS | NO_FOLDERS)
def test_a_path_with_no_file_is_said(door, kind, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"[Nn]o (such )?file .*absent\.npy"):
        (DOORS | NO_FOLDERS)[door](kind(tmp_path / "absent.npy"))


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("door", DOORS)
def test_a_folder_without_pictures_and_an_unknown_ending_are_said(door, kind, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "data.xyz").write_text("1,2")
    with pytest.raises(ValueError, match=r"empty must hold \.png or \.jpg pictures"):
        DOORS[door](kind(tmp_path / "empty"))
    with pytest.raises(ValueError, match=r"data\.xyz must end in one of \.npy"):
        DOORS[door](kind(tmp_path / "data.xyz"))


@pytest.mark.parametrize("door", [d for d in DOORS if d != "diagnose"])
def test_a_text_that_is_no_path_is_said_too(door):
    with pytest.raises(FileNotFoundError, match=r"no file at .*digits; pass a path"):
        DOORS[door]("digits")
