"""What makes no cells, and the words that say so."""

import jax.numpy as jnp
import pytest

from linssl.runtime import grid, over_cells


def cell(*, a, b):
    return {"sum": a + b, "parts": (a * jnp.ones(3), jnp.sin(b))}


def test_a_cell_that_changes_its_shape_is_not_a_cell():
    with pytest.raises(TypeError, match=r"[Ss]hapes must be 1D sequences"):
        over_cells(lambda *, n: jnp.ones(n), n=[1, 2])


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({}, r"got lengths \{\}"),
        ({"a": [1.0, 2.0], "b": [1.0]}, r"got lengths \{'a': 2, 'b': 1\}"),
        ({"a": 1.0, "b": 2.0}, r"got lengths \{'a': None, 'b': None\}"),
        ({"a": [1.0], "b": 2.0}, r"got lengths \{'a': 1, 'b': None\}"),
        ({"a": [], "b": []}, r"got lengths \{'a': 0, 'b': 0\}"),
    ],
)
def test_columns_that_do_not_make_cells_are_refused(columns, match):
    with pytest.raises(ValueError, match=f"cells must be columns of one length > 0; {match}"):
        over_cells(cell, **columns)


@pytest.mark.parametrize(
    ("values", "shape"), [(1.0, r"\(\)"), ([], r"\(0,\)"), ([[1.0]], r"\(1, 1\)")]
)
def test_axes_that_are_not_one_dimensional_are_refused(values, shape):
    with pytest.raises(ValueError, match=f"axis b must be 1-D and not empty; got shape {shape}"):
        grid(a=[1.0], b=values)
