"""The files of a figure hold every number as it was, for any reader."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

from linssl.plotting import write_record, write_table


def test_whole_numbers_keep_all_their_digits_whatever_holds_them(tmp_path):
    path = tmp_path / "t.csv"
    columns = {
        "jax": jnp.asarray([2**30 + 1]),  # was 1.07374182e+09
        "numpy": np.asarray([2**63], np.uint64),
        "python": [2**70],
        "true": jnp.asarray([True]),
        "float": jnp.asarray([0.1], jnp.float32),
        "half": jnp.asarray([0.5], jnp.bfloat16),
    }
    write_table(str(path), columns)
    row = path.read_text().splitlines()[1]
    assert row == "1073741825,9223372036854775808,1180591620717411303424,True,0.100000001,0.5"


@pytest.mark.parametrize(
    ("column", "match"),
    [
        ([None], "a must hold numbers or texts; got None"),
        ([1j], "a must hold numbers or texts; got 1j"),
        (np.ones((1, 2)), "a must hold numbers or texts; got array"),
        (np.ma.masked_equal([1, 2], 2), "a must have no masked entries"),
    ],
)
def test_what_is_no_number_and_no_text_is_refused_and_nothing_written(tmp_path, column, match):
    with pytest.raises(ValueError, match=match):
        write_table(tmp_path / "t.csv", {"a": column})
    assert not (tmp_path / "t.csv").exists()


def test_a_record_is_json_for_any_reader(tmp_path):
    given = {
        "nan": np.nan,
        "inf": [np.inf, 1],
        "whole": np.int64(3),
        "array": jnp.arange(2),
        "path": tmp_path,
    }
    write_record(str(tmp_path), "r", given)

    def no_constant(name):
        raise AssertionError(f"{name} isn't JSON")

    record = json.loads((tmp_path / "r.json").read_text("utf-8"), parse_constant=no_constant)
    want = {"nan": None, "inf": [None, 1], "whole": 3, "array": [0, 1], "path": str(tmp_path)}
    assert {name: record[name] for name in given} == want
