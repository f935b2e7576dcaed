"""Images from files and folders: what a view gets, and what a broken one says."""

import json
import re
import runpy

import numpy as np
import pytest
from PIL import Image

import linssl
from linssl.cli import main
from linssl.data import load_dataset

VIEWS = """
import json
import numpy as np

def recording(x):
    with open("seen.jsonl", "a") as file:
        file.write(json.dumps([x.shape, str(x.dtype), x.astype(float).ravel().tolist()]) + "\\n")
    return x + np.random.standard_normal(x.shape)

def shared(block):  # as transforms of torchvision do
    return block[:, :, ::-1] if np.random.rand() < 0.5 else block

def each(block):
    return np.stack([x[:, ::-1] if np.random.rand() < 0.5 else x for x in block])

def same(x):
    return x

class Tensor:
    def __init__(self, values):
        self.values = values
    def detach(self):
        return Tensor(self.values)
    def cpu(self):
        return self.values

def tensors(x):
    return Tensor(x + np.random.standard_normal(x.shape))

def half(x):
    class Half(Tensor):
        def cpu(self):
            return self
        def __array__(self, dtype=None, copy=None):
            raise TypeError("Got unsupported ScalarType BFloat16")
        def detach(self):
            return self
    return Half(x)
"""
RNG = np.random.default_rng(0)
LAST = np.clip(128 + 30 * RNG.normal(size=(320, 5, 6, 3)), 0, 255).astype(np.uint8)
LAST[:160, :, :3] //= 2  # two classes
Y = np.arange(320) // 160
HELD = {
    "last": LAST,
    "first": np.moveaxis(LAST, -1, 1),
    "grey": LAST[..., 0],
    "fortran": np.asfortranarray(LAST.astype(np.float32)),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "imageviews.py").write_text(VIEWS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, text):
    main(["diagnose", *text.split(), "--json"])
    return json.loads(capfd.readouterr().out)


def seen(folder):
    file = folder / "seen.jsonl"
    lines = file.read_text().splitlines()
    file.unlink()
    return [json.loads(line) for line in lines]


def pictures(folder, images=LAST):
    for number, image in enumerate(images):
        at = folder / "pictures" / "ab"[number >= 160]
        at.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(at / f"{number:03}.png")
    return folder / "pictures"


@pytest.mark.parametrize("held", HELD)
def test_a_view_gets_the_same_array_from_a_file_and_in_python(folder, capfd, held):
    data = HELD[held]
    np.save(folder / "x.npy", data)
    options = "--view imageviews:recording --views-per-sample 2 --dim 2"
    found = run(capfd, f"x.npy {options}")
    by_file = seen(folder)
    assert by_file[0][:2] == [list(data.shape[1:]), str(data.dtype)]
    assert by_file[0][2] == data[0].astype(float).ravel().tolist()
    again = linssl.diagnose(data, view="imageviews:recording", views_per_sample=2, dim=2)
    assert seen(folder) == by_file
    assert found == json.loads(again.to_json())
    function = runpy.run_path("imageviews.py")["recording"]
    linssl.diagnose(data, view=function, views_per_sample=2, dim=2)
    assert seen(folder) == by_file


def test_a_folder_of_pictures_is_diagnosed_as_its_array(folder, capfd):
    pictures(folder)
    np.savez(folder / "first.npz", X=HELD["first"], y=Y)
    np.save(folder / "y.npy", Y)
    for words in ("shifts:1", "mask:0.5"):
        options = f"--augmentation {words} --labels y.npy"
        found, array = (run(capfd, f"{data} {options}") for data in ("pictures", "first.npz"))
        for key in ("recommendation", "joint_embedding", "reconstruction", "image"):
            assert found[key] == array[key]
        assert found["image"] == [5, 6, 3]
        assert any("whose channels came first" in note for note in array["notes"])
    data = load_dataset("pictures", ["folder"])
    np.testing.assert_array_equal(data.X_train, LAST.reshape(320, -1) / 255)
    assert data.image == (5, 6, 3)
    np.testing.assert_array_equal(data.columns["folder"], np.array(["a", "b"])[Y])
    np.testing.assert_array_equal(load_dataset("first.npz").X_train, data.X_train)


def test_rows_are_images_in_an_order_that_is_stated(folder, capfd):
    np.savez(folder / "rows.npz", X=HELD["first"].reshape(320, -1), y=Y)
    np.savez(folder / "last.npz", X=LAST, y=Y)
    words = "--augmentation shifts:1"
    found = run(capfd, f"rows.npz {words} --image 3x5x6")
    want = run(capfd, f"last.npz {words}")
    assert found["joint_embedding"] == want["joint_embedding"]
    assert found["image"] == [5, 6, 3]


def test_views_of_blocks_are_guarded_and_tensors_are_read(folder, capfd):
    np.save(folder / "x.npy", LAST)
    with pytest.raises(SystemExit, match="error: view must draw for each instance apart with bat"):
        run(capfd, "x.npy --view imageviews:shared --batched")
    options = "--views-per-sample 2 --dim 2"
    for view in ("each --batched", "tensors", "same"):
        found = run(capfd, f"x.npy --view imageviews:{view} {options}")
        noted = any("returned every instance unchanged" in note for note in found["notes"])
        assert noted == (view == "same")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "odd.npy --augmentation shifts:1",
            r"those of \(3, 8, 3\) may have .*channels='first'",
        ),
        ("odd.npy --augmentation shifts:1 --channels fist", "fist"),
        ("last.npy --image 3x5x6", r"image_shape must be that of an instance, \(5, 6, 3\), in its"),
        ("last.npy --image 5x6x4", "image_shape must have 90 values, as the data; got 5 x 6 x 4 ="),
        ("last.npy --batched", "batched is for a view; got none"),
        ("last.npy --view imageviews:half", "none masked; got Half: Got unsupported ScalarType"),
        ("pictures --augmentation shifts:1", r"a/007\.png is a broken picture: .*truncated"),
        ("empty", r"empty must hold \.png or \.jpg pictures"),
    ],
)
def test_what_is_ambiguous_or_broken_is_one_line(folder, capfd, text, message):
    np.save(folder / "odd.npy", RNG.normal(size=(40, 3, 8, 3)))
    np.save(folder / "last.npy", LAST)
    (folder / "empty").mkdir()
    if "pictures" in text:
        file = pictures(folder, LAST[:40]) / "a" / "007.png"
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    with pytest.raises(SystemExit) as stopped:
        main(["diagnose", *text.split()])
    told = f"{stopped.value.code} {capfd.readouterr().err}"
    assert re.search(message, told), told
