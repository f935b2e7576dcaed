"""No number of the library has changed since it was recorded."""

import json

import frozen
import pytest


@pytest.mark.x64
@pytest.mark.parametrize("area", frozen.AREAS, ids=lambda area: area.__name__)
def test_numbers_are_those_of_the_record(area):
    record = json.loads(frozen.RECORD.read_text())
    assert frozen.differences(area(), record[area.__name__]) == []


def test_the_record_has_every_area():
    record = json.loads(frozen.RECORD.read_text())
    assert record.keys() == {area.__name__ for area in frozen.AREAS}


def test_a_change_of_a_number_is_found():
    want = {"a": 1.0, "b": "OK", "c": 0.0, "simvae/loss": 1.0}
    assert (
        frozen.differences({"a": 1 + 9e-9, "b": "OK", "c": 9e-11, "simvae/loss": 1 + 9e-7}, want)
        == []
    )
    got = {"a": 1 + 2e-8, "b": "NO_GAP", "simvae/loss": "inf", "d": 1.0}
    assert frozen.differences(got, want) == [
        "a: 1.00000002 was 1.0",
        "b: NO_GAP was OK",
        "c is missing",
        "d is new: renew the record",
        "simvae/loss: inf was 1.0",
    ]
