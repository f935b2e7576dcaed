"""Arrays that callers hand over: every front door refuses what numpy would read wrongly."""

import numpy as np
import pytest

import linssl
from linssl.augmentations import PatchMask, PixelMoves
from linssl.data import corrupt
from linssl.diagnosis import diagnose
from linssl.estimators import JointEmbedding, Reconstruction, SemanticJointEmbedding, SimVAE
from linssl.metrics import probe_accuracy, subspace_distance
from linssl.pairs import groups, same_class, two_modalities

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


COLOURS = np.random.default_rng(1).uniform(size=(32, 3, 8, 8))
CHANNELS_FIRST = {
    "colours": lambda: diagnose(COLOURS, augmentation="shifts:1"),
    "grey": lambda: diagnose(COLOURS[:, :1], augmentation="flips"),
    "flat": lambda: diagnose(COLOURS.reshape(32, -1), image_shape=(3, 8, 8)),
}


@pytest.mark.parametrize("call", CHANNELS_FIRST.values(), ids=CHANNELS_FIRST)
def test_channels_first_are_no_height(call):
    with pytest.raises(ValueError, match=r"looks like channels first: np\.moveaxis"):
        call()
