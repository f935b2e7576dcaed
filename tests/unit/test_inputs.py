"""Arrays that callers hand over: every front door refuses what numpy would read wrongly."""

import jax
import numpy as np
import pandas as pd
import pytest
from helpers import any_types
from scipy import sparse

import linssl
from linssl.augmentations import PatchMask, PixelMoves
from linssl.data import corrupt, load_dataset, read_arrays
from linssl.data.files import read_labels
from linssl.diagnosis import diagnose
from linssl.estimators import JointEmbedding, Reconstruction, SemanticJointEmbedding, SimVAE
from linssl.metrics import probe_accuracy, subspace_distance
from linssl.pairs import estimate_pair, groups, same_class, two_modalities

X = np.random.default_rng(0).normal(size=(60, 4))
Y = np.arange(60) % 3
W = np.eye(2, 4)
IMAGES = np.abs(X.reshape(15, 4, 4)) / 9
FITTED = Reconstruction(1).fit(X)


def masked(values):
    values = np.asarray(values)
    return np.ma.array(values, mask=np.arange(values.size).reshape(values.shape) == 1)


MASKED = {
    "joint embedding": lambda: JointEmbedding(1).fit(masked(X)),
    "simvae": lambda: SimVAE(1).fit(masked(X)),
    "semantic": lambda: SemanticJointEmbedding(1).fit(masked(X), Y),
    "transform": lambda: FITTED.transform(masked(X)),
    "inverse_transform": lambda: FITTED.inverse_transform(masked(X[:, :1])),
    "same_instance": lambda: linssl.same_instance(masked(X)),
    "a list of rows": lambda: linssl.same_instance([*map(masked, X)]),
    "same_class": lambda: same_class(masked(X), Y),
    "two_modalities": lambda: two_modalities(X, masked(X)),
    "groups": lambda: groups(masked(X.reshape(15, 4, 4))),
    "probe": lambda: probe_accuracy(masked(W), X, Y, X, Y),
    "features": lambda: subspace_distance(W, masked([0, 1])),
    "corrupt": lambda: corrupt(masked(IMAGES), "pixelate", 1),
    "patches": lambda: PatchMask(masked([0, 0, 1, 1]), 0.5),
    "sources": lambda: PixelMoves(masked([[0, 1, 2, 3]])),
    "axis": lambda: linssl.Sweep(lambda key, *, a: {"out": a}, axes={"a": masked([1.0, 2.0])}),
    "diagnose": lambda: diagnose(masked(X)),
}


@pytest.mark.parametrize("call", MASKED.values(), ids=MASKED)
def test_masked_entries_are_refused(call):
    with pytest.raises(ValueError, match="must have no masked entries"):
        call()


TABLE = pd.DataFrame(X, columns=list("acde"))
STRANGE = {
    "structured": np.array([tuple(row) for row in X], [(name, float) for name in "abcd"]),
    "structured entries": X.astype([("value", float)]),
    "structured, masked": np.ma.array(X.astype([("value", float)]), mask=False),
    "dates": X.astype("M8[s]"),
    "text": X.astype(str),
    "bytes": b"digits",
    "a name": "digits",
    "nothing": None,
    "a set": {1.0, 2.0},
    "ragged": [[1.0], [2.0, 3.0]],
    "sparse": sparse.csr_array(X),
    "a sparse matrix": sparse.csr_matrix(X),
    "a table with a gap": TABLE.assign(b=pd.array([pd.NA, *Y[1:]], "Int64")),
    "a table with dates": TABLE.assign(b=pd.Timestamp("2020-01-01")),
    "a table with categories": TABLE.assign(b=pd.Categorical(["u", "v"] * 30)),
}
DOORS = {
    "same_instance": linssl.same_instance,
    "two_views": lambda data: linssl.two_views(data, linssl.GaussianNoise(np.ones(4))),
    "same_class": lambda data: same_class(data, Y),
    "with_label": lambda data: linssl.with_label(data, Y),
    "two_modalities": lambda data: two_modalities(X, data),
    "groups": groups,
    "probe": lambda data: probe_accuracy(W, data, Y, X, Y),
    "estimate_pair": lambda data: estimate_pair(lambda view: view, data, 2),
    "noise": linssl.GaussianNoise,
    "codes": linssl.joint_embedding(linssl.same_instance(X), 2),
    "fit": JointEmbedding(1).fit,
    "transform": FITTED.transform,
    "diagnose": lambda data: diagnose(data, Y),
}
PATHS = DOORS.keys() - {"probe", "estimate_pair", "noise", "codes"}
OPENING = PATHS - {"groups"}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("data", STRANGE.values(), ids=STRANGE)
def test_what_holds_no_numbers_is_refused(door, data):
    if (door in OPENING and sparse.issparse(data)) or (door in PATHS and isinstance(data, str)):
        return  # read a block at a time; a path (test_paths.py)
    if door == "diagnose" and isinstance(data, pd.DataFrame) and data["b"].dtype == "category":
        return  # encoded (test_preparation.py)
    match = "must (hold (numbers|groups)|be an array|be dense|be a path, or an array|be finite)"
    if door == "diagnose":
        match += "|holds dates, such as"
    if door == "groups":
        match += r"|must be \(n, J, d\)"  # which no table is, and no sparse matrix
    with any_types(), pytest.raises(ValueError, match=match):
        DOORS[door](data)


@pytest.mark.parametrize("wrong", [None, b"digits", 3, "", ["x.csv"], np.ones(1)])
def test_what_is_no_path_is_refused(wrong, tmp_path):
    moments = linssl.same_instance(X)
    for call in (
        load_dataset,
        read_arrays,
        read_labels,
        linssl.load_moments,
        lambda path: linssl.save_moments(moments, path),
        linssl.open_sweep,
    ):
        with any_types(), pytest.raises(ValueError, match="must be a text or a path; got "):
            call(wrong)


@pytest.mark.parametrize("scale", [1e-20, 1e-30])
def test_spreads_whose_squares_are_lost_are_not_called_constant(scale):
    with jax.enable_x64(False), pytest.raises(ValueError, match="must vary by more than squares"):
        linssl.same_instance((scale * X).astype(np.float32))
