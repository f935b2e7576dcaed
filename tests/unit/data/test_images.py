"""Images: channels go last, in an order that is certain or asked for; folders of pictures."""

import pickle
import sys

import numpy as np
import pytest
from helpers import any_types
from PIL import Image

from linssl.data import channels_last, open_source

RNG = np.random.default_rng(0)
LAST = RNG.integers(0, 256, (6, 8, 9, 3), dtype=np.uint8)
FIRST = np.moveaxis(LAST, -1, 1)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_go_last_where_the_order_is_certain(channels):
    last = RNG.normal(size=(5, 8, 9, channels))
    for images in (last, np.moveaxis(last, -1, 1)):
        np.testing.assert_array_equal(channels_last(images), last)
        assert np.shares_memory(channels_last(images), images)


def test_grey_images_have_one_channel():
    np.testing.assert_array_equal(channels_last(LAST[..., 0]), LAST[..., :1])


@pytest.mark.parametrize(
    ("shape", "which"),
    [((5, 3, 8, 3), "both"), ((5, 1, 8, 3), "both"), ((5, 4, 4, 4), "both"), ((5, 7, 8, 9), "nei")],
)
def test_an_order_that_can_not_be_told_is_asked_for(shape, which):
    images = RNG.normal(size=shape)
    with pytest.raises(
        ValueError, match=rf"as {which}.* of {shape[1]} and {shape[3]} .*channels=.first"
    ):
        channels_last(images)
    np.testing.assert_array_equal(channels_last(images, "last"), images)
    moved = channels_last(images, "first")
    np.testing.assert_array_equal(moved, np.moveaxis(images, 1, -1))


@pytest.mark.parametrize("shape", [(8, 8), (2, 3, 8, 8, 3), (0, 8, 8), (3, 0, 8, 3)])
def test_what_are_no_images_are_refused(shape):
    with pytest.raises(ValueError, match=r"images must be \(n, height, width\), .*; got \("):
        channels_last(np.zeros(shape))


def test_unknown_orders_and_masks_are_refused():
    with any_types(), pytest.raises(ValueError, match=r"channels must be first or last, .*N"):
        channels_last(LAST, channels="NCHW")
    with pytest.raises(ValueError, match="images must have no masked entries"):
        channels_last(np.ma.array(LAST, mask=LAST > 3))
    with pytest.raises(ValueError, match="images must hold numbers"):
        channels_last(LAST.astype(str))


# ---- folders


def save(folder, images, suffix=".png", start=0):
    folder.mkdir(exist_ok=True)
    for number, image in enumerate(images, start=start):
        Image.fromarray(image).save(folder / f"{number:03}{suffix}")
    return folder


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    source = open_source(save(tmp_path / "pictures", LAST))
    assert (source.shape, source.dtype, source.columns) == (LAST.shape, np.uint8, ("file",))
    np.testing.assert_array_equal(source[:], LAST)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(source))[2:4], LAST[2:4])
    assert source.column("file")[4] == "004.png"


def test_sub_folders_are_labels_and_hidden_files_are_none(tmp_path):
    save(tmp_path / "dogs", LAST[:2])
    save(tmp_path / "cats", LAST[2:])
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "cats" / "._000.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").touch()
    source = open_source(tmp_path)
    np.testing.assert_array_equal(source.column("folder"), ["cats"] * 4 + ["dogs"] * 2)
    np.testing.assert_array_equal(source[:], LAST[[2, 3, 4, 5, 0, 1]])


@pytest.mark.parametrize(
    ("images", "want"),
    [
        (LAST[..., 0], LAST[..., :1]),
        (np.concatenate([LAST, LAST[..., :1]], -1), np.concatenate([LAST, LAST[..., :1]], -1)),
        (LAST[..., 0].astype(np.uint16) * 256, LAST[..., :1].astype(np.uint16) * 256),
    ],
)
def test_grey_opaque_and_deep_pictures_are_kept(tmp_path, images, want):
    source = open_source(save(tmp_path / "pictures", images))
    assert source.dtype == want.dtype
    np.testing.assert_array_equal(source[:], want)


def test_photographs_are_turned_the_right_way_up(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # by a quarter
    wide = np.full((8, 16, 3), 90, np.uint8)
    wide[:, :8] = 200
    Image.fromarray(wide).save(tmp_path / "a.jpg", exif=exif, quality=95)
    Image.fromarray(np.rot90(wide, -1)).save(tmp_path / "b.JPEG", quality=95)
    source = open_source(tmp_path)
    assert source.shape == (2, 16, 8, 3)
    assert np.abs(source[0:1].astype(int) - source[1:2]).max() < 9


def test_pictures_of_several_sizes_or_modes_are_refused(tmp_path):
    save(tmp_path, LAST)
    Image.fromarray(LAST[0, :5]).save(tmp_path / "odd.png")
    with pytest.raises(ValueError, match=r"odd\.png must be 9 x 8 pixels of mode RGB, as 000\.png"):
        open_source(tmp_path)
    Image.fromarray(LAST[0, ..., 0]).save(tmp_path / "odd.png")
    with pytest.raises(ValueError, match=r"odd\.png must be .*; got 9 x 8 of L"):
        open_source(tmp_path)
    Image.fromarray(LAST[0]).convert("P").save(tmp_path / "odd.png")
    with pytest.raises(ValueError, match=r"odd\.png must be of mode L, .*; got P\. Convert it"):
        open_source(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_one_broken_picture_is_named(tmp_path, suffix):
    large = np.kron(LAST, np.ones((1, 9, 9, 1), np.uint8))
    file = save(tmp_path, large, suffix) / f"003{suffix}"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    source = open_source(tmp_path)
    assert source[0:3].shape == (3, 72, 81, 3)
    with pytest.raises(ValueError, match=rf"003\{suffix} is a broken picture: .*truncated"):
        source[2:6]
    file.write_bytes(b"")
    with pytest.raises(ValueError, match=rf"003\{suffix} is a broken picture, or none: "):
        open_source(tmp_path)


def test_a_picture_that_changes_or_is_gone_is_named(tmp_path):
    source = open_source(save(tmp_path, LAST))
    Image.fromarray(LAST[0, :5]).save(tmp_path / "003.png")
    with pytest.raises(
        ValueError, match=r"003\.png has changed .* was \(8, 9, 3\) .* is \(5, 9, 3"
    ):
        source[:]
    (tmp_path / "003.png").unlink()
    with pytest.raises(ValueError, match=r"003\.png is a broken picture, or none: .*No such file"):
        source[:]


def test_folders_without_pictures_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must hold \.png or \.jpg pictures, .*; got neither"):
        open_source(tmp_path)
    (tmp_path / "scan.tif").touch()
    with pytest.raises(ValueError, match=r"scan\.tif must be \.png or \.jpg"):
        open_source(tmp_path)


def test_pillow_that_is_missing_says_what_installs_it(tmp_path, monkeypatch):
    save(tmp_path, LAST)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"PIL\.Image is missing: pip install 'linssl\[data\]'"):
        open_source(tmp_path)
