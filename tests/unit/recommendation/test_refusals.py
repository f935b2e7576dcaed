"""What nothing is recommended for, and the words that say so."""

import numpy as np
import pytest
from helpers import any_types

import linssl
from linssl.diagnosis.inputs import find_images
from linssl.diagnosis.opened import open_data
from linssl.recommendation.kinds import find_kind

X = np.random.default_rng(0).standard_normal((40, 6))
Y = np.arange(40) % 2


@pytest.mark.parametrize(
    ("data", "labels", "options", "message"),
    [
        (X, Y, {"kind": "pictures"}, "kind must be one of table, embeddings, images; got"),
        (X, Y, {"kind": "images"}, "kind is images, and nothing tells their shape: give image_sh"),
        (X, Y, {"nuisance": Y[:-1]}, r"nuisance must be \(40,\) .* got"),
        (X, Y, {"nuisance": np.zeros(40, int)}, "nuisance must hold at least two classes"),
        (X, Y, {"nuisance": np.where(Y, 1, np.nan)}, "nuisance must be finite .* got 20 that are"),
        (X, Y, {"nuisance": "plate"}, "nuisance must be a column of the data"),
        (X, Y, {"batched": True}, "batched is for a view; got none"),
        (X, Y, {"numeric": "yes"}, "numeric must be True or False; got 'yes'"),
        (X, Y, {"dim": 9}, "dim must be .* 6"),
        (X, Y, {"seed": -1}, "seed must be"),
        (X, Y, {"view": lambda x: x}, "data must have at least 320 samples for a view"),
        (X[:20], Y[:20], {}, "data must have at least 32 samples"),
        (X, Y[:-1], {}, r"labels must be \(40,\)"),
        (np.ones((40, 3)), Y, {"groups": np.arange(40)}, "data must vary; every column is const"),
        (1e80 * X, Y, {}, r"data must be finite, and less than .* Change their units"),
        (1e14 + X, Y, {}, "data must vary beside their mean"),
    ],
)
def test_bad_input_is_explained(data, labels, options, message):
    with any_types(), pytest.raises(ValueError, match=message):
        linssl.recommend(data, labels, **options)


def kind_of(X):
    opened = open_data(X)
    return find_kind(None, opened, find_images(X, X))


def test_a_square_is_images_only_where_neighbours_are_alike():
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal((60, 64))
    smooth = np.cumsum(np.cumsum(rng.standard_normal((60, 12, 12)), 1), 2)[:, 4:, 4:]
    smooth -= smooth.mean((1, 2), keepdims=True)
    assert kind_of(numbers).kind == "embeddings"
    assert "taken for embeddings" in kind_of(numbers).note
    assert kind_of(smooth.reshape(60, 64)).kind == "images"
    assert "taken for images of 8 x 8" in kind_of(smooth.reshape(60, 64)).note
    assert kind_of(smooth).note == ""


def test_few_columns_are_a_table():
    assert kind_of(X).kind == "table"
