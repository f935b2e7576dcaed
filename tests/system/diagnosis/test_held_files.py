"""Files as people have them: each gets an answer, or a message that says what to type."""

import numpy as np
import pytest
from held_files import FILES, IMAGES, X

import linssl
from linssl.cli.data_options import DataOptions
from linssl.diagnosis.opened import open_data


def diagnosed(path, options):
    """Diagnose as the command line does."""
    options = dict(options)
    augmentation = options.pop("augmentation", None)
    typed = DataOptions(str(path), **options).keywords()
    return linssl.diagnose(str(path), **typed, augmentation=augmentation)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_gets_an_answer_or_what_to_type(kind, tmp_path):
    name, write, options, said = FILES[kind]
    write(tmp_path / name)
    if said is None:
        assert str(diagnosed(tmp_path / name, options))
        return
    with pytest.raises(ValueError, match=said):
        diagnosed(tmp_path / name, options)


@pytest.mark.parametrize(
    "values",
    [X, X.astype(np.float16), X.astype(np.float32), X > 0, IMAGES, np.moveaxis(IMAGES, -1, 1)],
)
def test_a_file_and_an_array_hand_on_the_same_shape_and_type(values, tmp_path):
    np.save(tmp_path / "x.npy", values)
    np.savez(tmp_path / "x.npz", X=values)
    for data in (values, str(tmp_path / "x.npy"), str(tmp_path / "x.npz")):
        held = open_data(data).rows.values
        assert held.dtype == values.dtype
        np.testing.assert_array_equal(held, values)


def test_a_series_is_never_an_image(tmp_path):
    series = np.random.default_rng(0).normal(size=(40, 8, 32))
    np.save(tmp_path / "x.npy", series)
    assert linssl.data.load_dataset(str(tmp_path / "x.npy")).image is None  # 256 = 16 x 16
    found = linssl.diagnose(str(tmp_path / "x.npy"))
    assert found.image is None
    assert any("may be series: if they are images, pass" in note for note in found.notes)
