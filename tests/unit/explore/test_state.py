"""The address: every view survives it, and nothing that it says can do harm."""

import math
from itertools import pairwise

import pytest

from linssl.explore.model import spectra
from linssl.explore.presets import PRESETS
from linssl.explore.state import (
    CONTROLS,
    DEFAULT,
    SPECTRA,
    View,
    from_query,
    to_query,
    with_spectra,
)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_its_address(name):
    view = PRESETS[name].view
    assert from_query(to_query(view)) == (view, [])


def test_every_number_of_a_view_has_a_slider_that_can_show_its_default():
    assert {*CONTROLS, *SPECTRA} == set(View.__dataclass_fields__)
    for name, control in CONTROLS.items():
        assert getattr(DEFAULT, name) in control.steps
        assert list(control.steps) == sorted(set(control.steps))
        assert control.about.endswith(".")
        least = min(b - a for a, b in pairwise(control.steps))  # what a number field can show
        places = [(step - control.steps[0]) / least for step in control.steps]
        assert all(abs(place - round(place)) < 1e-6 for place in places), name


def test_an_empty_address_is_the_default_view():
    assert from_query({}) == (DEFAULT, [])
    assert to_query(DEFAULT) == {}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"alpha": "nan"}, "alpha must be a finite number; got 'nan', so it is 1"),
        ({"alpha": "-inf"}, "alpha must be a finite number"),
        ({"alpha": "1e999"}, "alpha must be a finite number"),
        ({"alpha": "1e308"}, "alpha can't be 1e\\+308 here: it is 20"),
        ({"alpha": "-3"}, "alpha can't be -3 here: it is 0"),
        ({"n": "12345678901234567890"}, "n can't be 1.23e\\+19 here: it is 1,000,000"),
        ({"signals": "2.4"}, "signals can't be 2.4 here: it is 2"),
        ({"dim": "0x10"}, "dim must be a finite number; got '0x10'"),
        ({"beta": "9" * 10**6}, "beta must be a finite number; got '9{40}…'"),
        ({"beta": "__import__('os').system('x')"}, "beta must be a finite number; got '__import__"),
        ({"alpha": ""}, "alpha must be a finite number; got ''"),
        ({"../../etc/passwd": "1"}, "There is no '../../etc/passwd': ignored"),
        ({"file": "../../etc/passwd"}, "There is no 'file': ignored"),
        ({"__class__": "1"}, "There is no '__class__'"),
        ({"a\x1b[31m\n": "1"}, "There is no 'a\\?\\[31m\\?'"),
    ],
)
def test_what_an_address_cannot_mean_is_replaced_and_told(query, said):
    view, notes = from_query(query)
    assert len(notes) == 1
    with pytest.raises(ValueError, match=said):
        raise ValueError(notes[0])
    for name, control in CONTROLS.items():
        assert getattr(view, name) in control.steps
        assert math.isfinite(getattr(view, name))


def test_of_a_repeated_key_the_last_counts():
    view, notes = from_query({"alpha": ["2", "0.5"]})
    assert view.alpha == 0.5
    assert notes == []


def test_a_link_says_all_of_a_view_so_that_other_defaults_change_nothing(monkeypatch):
    view = View(alpha=2.0)
    query = to_query(view)
    assert set(query) == set(CONTROLS)
    monkeypatch.setattr("linssl.explore.state.DEFAULT", View(dim=3, n=10))  # of a later version
    assert from_query(query) == (view, [])


def test_a_link_of_thousands_of_words_is_told_in_a_few():
    view, notes = from_query({f"x{i}": "1" for i in range(5000)})
    assert view == DEFAULT
    assert len(notes) == 15
    assert notes[-1] == "And 4986 more of the kind."


def test_spectra_that_are_written_count_in_units_of_the_weakest_signal():
    view = with_spectra(View(), "2, 8\n4", "1;0.5")
    assert (view.own_signal, view.own_noise) == ((4, 2, 1), (0.5, 0.25))
    assert (view.signals, view.noises, view.noise_variance) == (3, 2, 0.5)
    signal, noise = spectra(view)
    assert (signal.tolist(), noise.tolist()) == ([4, 2, 1], [0.5, 0.25])
    assert from_query(to_query(view)) == (view, [])
    assert with_spectra(View(), " ", "") == View()


@pytest.mark.parametrize("text", ["1 2 x", "1 -2", "nan", "1e999", "0", " ".join("12345678901")])
def test_spectra_that_are_none_are_told(text):
    with pytest.raises(ValueError, match=r"noise must be up to 10 variances from 0.000001 to"):
        with_spectra(View(), "", text)
    assert len(from_query({"own_noise": text})[1]) == 1
