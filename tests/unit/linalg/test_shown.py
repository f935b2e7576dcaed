"""What is printed of results: numbers, shapes of matrices, a status in words; never an error."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import linssl
from linssl.linalg.shown import in_words
from linssl.pairs.held import Held
from linssl.theory import AlignmentThresholds, DetectionThreshold


def solution(**changes):
    known = {"encoder": jnp.ones((2, 3)), "second_encoder": None, "decoder": None}
    known |= {"spectrum": jnp.array([0.75, 0.5, 0.25]), "gap": jnp.asarray(0.25)}
    known |= {"loss": jnp.asarray(1.5), "status": jnp.asarray(0)}
    known |= {"mean": jnp.zeros(3), "second_mean": jnp.zeros(3)}
    return linssl.Solution(**known | changes)


KIND = "f64" if jax.config.jax_enable_x64 else "f32"
SHOWN = f"""Solution(
  encoder={KIND}[2,3],
  spectrum=[0.75, 0.5, 0.25],
  gap=0.25,
  loss=1.5,
  status=OK,
  mean=[0, 0, 0],
  second_mean=[0, 0, 0]
)"""


def test_numbers_are_shown_and_matrices_by_their_shape():
    assert repr(solution()) == SHOWN
    thresholds = AlignmentThresholds(*map(jnp.asarray, (0.387, 1.423, 0.15, 2.025)))
    assert "joint_embedding=0.387,\n" in repr(thresholds)
    short = DetectionThreshold(jnp.asarray(0.5), jnp.asarray(0.25))
    assert repr(short) == "DetectionThreshold(alpha=0.5, alpha_squared=0.25)"


def test_a_status_is_shown_in_words():
    bits = linssl.Status.NO_GAP | linssl.Status.FEW_SAMPLES
    assert "status=NO_GAP|FEW_SAMPLES," in repr(solution(status=jnp.asarray(int(bits))))
    batch = jax.tree.map(lambda x: jnp.stack([x] * 3), solution())
    many = repr(eqx.tree_at(lambda s: s.status, batch, jnp.array([0, 0, 32])))
    assert "status=OK in 2 of 3, NO_GAP in 1 of 3," in many


def test_records_inside_records_are_indented():
    noise, offset = linssl.GaussianNoise(np.arange(9.0)), linssl.augmentations.Offset(0.5)
    text = repr(linssl.compose(noise, offset))
    assert "GaussianNoise(covariance=[0, 1, 2, ..., 8; 9 in all])" in text
    views = linssl.Views(np.eye(2), np.ones(2), np.zeros(2), np.inf, 7)
    held = repr(Held(np.eye(2), views, views))
    assert held.startswith(f"Held(\n  between=f64[2,2],\n  before=Views(shared={KIND}[2,2], ")
    wide = repr(Held(np.eye(2), solution(), None))
    assert f"\n  before=Solution(\n    encoder={KIND}[2,3],\n" in wide
    assert "draws=7" in held


def test_notebooks_get_a_table_with_names_that_cannot_be_read_as_html():
    page = solution()._repr_html_()
    assert page.count("<tr>") == 7
    assert "<caption>Solution</caption>" in page
    assert in_words(("<b>",)) == "('<b>')"
    held = Held(np.eye(2), "<b>", None)
    assert "&lt;b&gt;" in held._repr_html_()


def test_traced_and_abstract_values_are_shown_as_such():
    seen = []

    def look(s):
        seen.append(repr(s))
        s._repr_html_()
        return s

    jax.eval_shape(look, solution())
    jax.make_jaxpr(jax.vmap(look))(jax.tree.map(lambda x: x[None], solution()))
    assert f"spectrum=traced {KIND}[3]" in seen[0]
    assert f"gap=traced {KIND}[]" in seen[1]
    assert f"encoder={KIND}[2,3]" in repr(jax.eval_shape(lambda s: s, solution()))


@pytest.mark.parametrize("fill", [None, 3, object, np.nan, "text", (1, 2), np.array(["a"], object)])
def test_whatever_stands_in_the_place_of_an_array_is_shown(fill):
    odd = jax.tree.map(lambda _: fill, solution())
    assert repr(odd).startswith("Solution(")
    assert "<table>" in odd._repr_html_()


def test_what_has_no_numbers_to_give_is_shown_by_its_type():
    assert in_words(jax.random.key(0)) == "key<fry>[]"
    gone = jnp.ones(2)
    gone.delete()
    assert in_words(gone) == f"{KIND}[2]"
    assert in_words(jnp.array([True, False])) == "[True, False]"
    assert in_words(jnp.ones(2, jnp.bfloat16)) == "[1, 1]"
    assert in_words(np.arange(3)) == "[0, 1, 2]"
    assert in_words(np.array(1j)) == "c128[]"
