"""Names of features: what they are, what takes them along, and what refuses to mix them."""

import pickle

import equinox as eqx
import jax
import numpy as np
import pandas as pd
import pytest
from helpers import any_types

import linssl
from linssl.names import Names, names_of
from linssl.sweep import fingerprint

X = np.random.default_rng(0).standard_normal((30, 3)) * [1.0, 2.0, 3.0]
TABLE = pd.DataFrame(X, columns=["heart", "lung", "skin"])
NAMES = tuple(TABLE.columns)
VIEWS = linssl.same_instance(TABLE)
PAIR = linssl.with_label(TABLE, ["a", "b", "c"] * 10)


def test_names_read_like_a_tuple_and_compare_by_what_they_say():
    names, same = Names(NAMES), Names(np.array(NAMES))
    assert names == same == NAMES
    assert hash(names) == hash(same)
    assert names == same  # by identity, now
    assert names != Names(NAMES[::-1])
    assert names != NAMES[:2]
    assert names != "heart"
    assert (names[1], names[1:], len(names), list(names)) == ("lung", NAMES[1:], 3, list(NAMES))
    assert "skin" in names
    assert pickle.loads(pickle.dumps(names)) == names
    assert list(np.asarray(names)) == list(NAMES)
    assert list(pd.DataFrame(X, columns=names).columns) == list(NAMES)
    assert repr(Names(["a"])) == "Names('a')"
    many = [str(i) for i in range(9999)]
    assert repr(Names(many)).startswith("Names('0', '1', '2', ... 9,999 in all, ")
    assert repr(Names(many)) != repr(Names([*many[:-1], "last"]))
    with pytest.raises(AttributeError, match="names never change"):
        names.anything = 1


@pytest.mark.parametrize(
    ("names", "match"),
    [
        ("abc", "features must be a list of names, in order; got 'abc'"),
        (3, "features must be a list of names, in order; got 3"),
        ({"a", "b", "c"}, "features must be a list of names, in order; got {"),
        (frozenset("abc"), "in order; got frozenset"),
        (["a", 2, "c"], "features must be texts; got 2, int"),
        (["a", "b"], "features must be 3 names, one for each feature; got 2"),
        (Names("abcd"), "features must be 3 names, one for each feature; got 4"),
    ],
)
def test_what_is_no_name_for_each_feature_is_refused(names, match):
    with any_types(), pytest.raises(ValueError, match=match):
        VIEWS.named(names)
    match = match.replace("features", "features_first", 1)
    with any_types(), pytest.raises(ValueError, match=match):
        PAIR.named(names, None)


@pytest.mark.parametrize(
    "data",
    [
        X,
        pd.DataFrame(X),  # whose columns are numbers
        pd.DataFrame(X, columns=["a", 1, "c"]),
        pd.DataFrame(X, columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)])),
        [1.0],
        3.0,
        np.zeros(3, [("a", float)]),
    ],
)
def test_what_has_no_names_has_none(data):
    assert names_of(data) is None


def test_what_is_made_of_moments_keeps_their_names():
    for made in (VIEWS.about_zero(), jax.tree.map(lambda a: 2 * a, VIEWS)):
        assert made.features == NAMES
    assert eqx.tree_at(lambda v: v.shared, VIEWS, VIEWS.spread).features is VIEWS.features
    assert VIEWS.named(None).features is None
    assert VIEWS.named(VIEWS.features) is VIEWS
    sides = [(PAIR, (NAMES, "abc")), (PAIR.about_zero(), (NAMES, "abc"))]
    sides += [(PAIR.swapped(), ("abc", NAMES)), (VIEWS.as_pair(), (NAMES, NAMES))]
    for pair, (first, second) in sides:
        assert (pair.features_first, pair.features_second) == (tuple(first), tuple(second))


def test_merging_keeps_names_takes_those_of_one_side_and_refuses_others():
    assert linssl.merge(VIEWS, linssl.same_instance(TABLE + 1)).features == NAMES
    for both in ((VIEWS, VIEWS.named(None)), (VIEWS.named(None), VIEWS)):
        assert linssl.merge(*both).features == NAMES
    assert linssl.merge(PAIR, PAIR).features_second == tuple("abc")
    turned = VIEWS.named(["heart", "skin", "lung"])
    with pytest.raises(ValueError, match="same order; feature 1 is 'lung' in one and 'skin' in"):
        linssl.merge(VIEWS, turned)
    wrong = {
        "second sides of a and b .* feature 2 is 'c'": (NAMES, tuple("abd")),
        "first sides of a and b .* feature 0 is 'heart'": (tuple("xyz"), tuple("abc")),
    }
    for match, names in wrong.items():
        with pytest.raises(ValueError, match=match):
            linssl.merge(PAIR, PAIR.named(*names))


def test_a_tree_of_moments_of_other_features_is_no_tree_of_these():
    with pytest.raises(ValueError, match="metadata"):
        jax.tree.map(lambda a, b: a + b, VIEWS, VIEWS.named(["a", "b", "c"]))


def test_a_sweep_tells_moments_of_other_features_apart():
    names = [f"gene {i}" for i in range(3)]
    cells = [
        eqx.Partial(linssl.joint_embedding, VIEWS.named(n)) for n in (names, [*names[:2], "x"])
    ]
    cells += [eqx.Partial(linssl.joint_embedding, VIEWS.named(list(names)))]
    for read in (fingerprint.program, lambda cell: str(fingerprint.named(cell))):
        first, other, same = map(read, cells)
        assert first == same != other


def test_names_survive_a_file_and_old_files_have_none(tmp_path):
    path = tmp_path / "moments.npz"
    odd = ["", "naïve\0", 'a "b", \n']
    for views in (VIEWS, VIEWS.named(odd), VIEWS.named(None)):
        linssl.save_moments(views, path)
        assert linssl.load_moments(path).features == views.features
    linssl.save_moments(PAIR.named(None, odd), path)
    assert linssl.load_moments(path).features_first is None
    assert linssl.load_moments(path).features_second == tuple(odd)
    fields = {name: getattr(VIEWS, name) for name in ("shared", "spread", "mean", "rounding")}
    fields |= {"count": VIEWS.count, "draws": VIEWS.draws}
    np.savez(path, kind="Views", version=1, **fields)
    assert linssl.load_moments(path).features is None
    np.savez(path, kind="Views", version=2, features="[1, 2", **fields)
    with pytest.raises(ValueError, match="must be a file of save_moments"):
        linssl.load_moments(path)
