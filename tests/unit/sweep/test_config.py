"""A sweep as text: a file, options, and what is wrong with them."""

import numpy as np
import pytest
import toy

from linssl.sweep.config import find_function, make_sweep, parse_option, read_config, spaced


def test_a_file_is_the_sweep_it_describes(tmp_path):
    (tmp_path / "s.toml").write_text(
        """
cell = "toy:cell"
seeds = [3, 5]
[axes]
a = { geomspace = [0.1, 10, 3] }
b = [1, 2.5]
[constants]
size = 4
[units]
a = "m"
"""
    )
    sweep = make_sweep(read_config(tmp_path / "s.toml"))
    assert sweep.cell is toy.cell
    np.testing.assert_allclose(sweep.axes["a"], [0.1, 1, 10])
    np.testing.assert_array_equal(sweep.axes["b"], [1, 2.5])
    assert (sweep.seeds, sweep.constants, sweep.units) == ((3, 5), {"size": 4}, {"a": "m"})


def test_a_module_beside_the_file_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    (tmp_path / "beside_cells.py").write_text("def cell(key, *, a):\n    return {'x': a}\n")
    sweep = make_sweep({"cell": "beside_cells:cell", "axes": {"a": [1.0]}}, [tmp_path])
    assert sweep.cell.__module__ == "beside_cells"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a=1", ("a", 1)),
        ("a=1,2,3.5", ("a", [1, 2, 3.5])),
        ("a = [1, 2]", ("a", [1, 2])),
        ("a=1e5", ("a", 1e5)),
        ("a=.5,1.", ("a", [0.5, 1.0])),
        ("a=-3", ("a", -3)),
        ("a=geomspace(.1, 10, 3)", ("a", {"geomspace": [0.1, 10, 3]})),
        ("kind=weak", ("kind", "weak")),
        ("flag=true", ("flag", True)),
    ],
)
def test_options_are_read_as_toml_would(text, want):
    assert parse_option(text, "--axis") == want


def test_spacings_are_numpys():
    np.testing.assert_allclose(spaced("a", {"linspace": [0, 1, 5]}), np.linspace(0, 1, 5))
    np.testing.assert_allclose(spaced("a", {"geomspace": [1, 100, 3.0]}), [1, 10, 100])
    np.testing.assert_array_equal(spaced("a", {"arange": [2, 8, 3]}), [2, 5])
    np.testing.assert_array_equal(spaced("a", 3), [3])


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ("", 'cell must be given as "module:function"; got none'),
        ('cell = "toy.cell"', "cell must be \"module:function\"; got 'toy.cell'"),
        ('cell = "nonesuch:cell"', "there is no module 'nonesuch'"),
        ('cell = "toy:cel"', "toy has no 'cel'. Did you mean cell"),
        ('cels = "toy:cell"', "must hold cell, draw, .*; got cels. Did you mean cell"),
        ("cell = ", r"s.toml isn't TOML"),
        ('cell = "toy:cell"\naxes = 3', r"must hold \[axes\] as a table; got 3"),
        ('cell = "toy:cell"\n[axes]\na = "x"', r"axis a must be a list of numbers or one of"),
        ('cell = "toy:cell"\n[axes]\na = {geomspace = [0, 1, 3]}', r"axis a: geomspace\(0, 1, 3\)"),
        ('cell = "toy:cell"\n[axes]\na = {logspace = [0, 1, 3]}', "axis a must be a list"),
        ('cell = "toy:cell"\n[axes]\na = {linspace = []}', "axis a: linspace"),
        ('cell = "toy:cell"\n[axes]\na = {linspace = [0, 1]}', r"axis a: linspace\(0, 1\)"),
        ('cell = "toy:cell"\n[axes]\na = {linspace = [0, 1, 2.5]}', "the last a whole one"),
        ('cell = "toy:cell"\n[axes]\na = [[1], [2, 3]]', "axis a must be a list of numbers"),
        (
            'cell = "toy:cell"\n[axes]\na = {geomspace = [1, 2, 1000000000000]}',
            "must hold at most 10,000,000 values; got 1,000,000,000,000",
        ),
        (
            'cell = "toy:cell"\n[axes]\na = {arange = [0, 1, 1e-12]}',
            "at most .* got 1,000,000,",
        ),
        ('cell = "toy:cell"\n[axes]\na = {arange = [0, inf, 1]}', r"axis a: arange\(0, inf, 1\)"),
        ('cell = "toy:cell"\n[axes]\na = {arange = 1e12}', "axis a must be a list of numbers"),
        (
            'cell = "toy:cell"\nseeds = 10000000\n[axes]\na = {arange = [0, 1e7, 1]}',
            "a sweep must have at most 10,000,000,000 cells; got 100,000,000,000,000",
        ),
        ('cell = "math:pi.x"', "math has no 'x'"),
        (
            'cell = "toy:cell"\nseeds = 1000000000000\n[axes]\na=[1]',
            "seeds must be at most",
        ),
    ],
)
def test_mistakes_in_a_file_are_named(tmp_path, config, match):
    (tmp_path / "s.toml").write_text(config)
    with pytest.raises(ValueError, match=match):
        make_sweep(read_config(tmp_path / "s.toml"))


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "s.toml").write_bytes('\ufeffcell = "toy:cell"\n'.encode())
    assert read_config(tmp_path / "s.toml") == {"cell": "toy:cell"}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"no.toml can't be read: No such file"):
        read_config(tmp_path / "no.toml")


def test_an_import_that_fails_inside_a_module_is_not_blamed_on_its_name(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "needs_more.py").write_text("import not_installed_here\n")
    with pytest.raises(ModuleNotFoundError, match="not_installed_here"):
        find_function("cell", "needs_more:cell")


@pytest.mark.parametrize("text", ["a", "=3", "a=", "a=1,,2", "a=1 2"])
def test_options_that_are_no_option_are_refused(text):
    with pytest.raises(ValueError, match=r"--axis"):
        parse_option(text, "--axis")


@pytest.mark.parametrize(
    ("text", "want"),
    [("a=mnist5.npz", "mnist5.npz"), ('a="v2.x"', "v2.x"), ("a=runs/v1.final", "runs/v1.final")],
)
def test_points_in_words_are_left_alone(text, want):
    assert parse_option(text, "--constant") == ("a", want)


def test_booleans_may_be_written_as_in_python():
    assert parse_option("flag=False", "--constant") == ("flag", False)
    with pytest.raises(ValueError, match="None can't be given"):
        parse_option("a=None", "--constant")


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"linspace": [0, 1]}, "the last a whole one >= 1"),
        ({"linspace": [0, 1, 0]}, "the last a whole one >= 1"),
        ({"geomspace": [1, 2, -3]}, "the last a whole one >= 1"),
        ({"linspace": [0, 1, True]}, "the last a whole one >= 1"),
        ({"linspace": [0, 1, "3"]}, "the last a whole one >= 1"),
    ],
)
def test_a_spacing_without_a_number_of_values_is_refused(values, match):
    with pytest.raises(ValueError, match=match):
        spaced("a", values)


@pytest.mark.parametrize("name", ["..toy:cell", "toy:", "toy:cell.", ".:cell"])
def test_a_function_is_named_in_full(name):
    with pytest.raises(ValueError, match='cell must be "module:function"; got'):
        find_function("cell", name)
