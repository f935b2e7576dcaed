"""Rows of a folder of pictures, (n, height, width, channels), each read when it is asked for."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from linssl.data.sources.source import Contents
from linssl.data.tables import FileError
from linssl.runtime.optional import require

TAKEN = (".png", ".jpg", ".jpeg")
OTHERS = (".bmp", ".gif", ".tif", ".tiff", ".webp", ".jp2", ".heic", ".avif")
MODES = {"L": (1, np.uint8), "RGB": (3, np.uint8), "RGBA": (4, np.uint8), "I;16": (1, np.uint16)}
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)  # of EXIF: which way up; by a quarter


def open_pictures(folder: Path) -> Contents:
    """Open a folder of PNG and JPEG files, in the order of their names.

    Its sub-folders, if any, are the column `folder`; `file` is the name of each.

    Raises:
        ValueError: no pictures, of other formats, of several sizes or modes, or a broken one.
    """
    names = sorted(_names(folder))
    if not names:
        raise FileError(
            f"{folder} must hold .png or .jpg pictures, or be a .zarr store; got neither."
        )
    first, mode = _kind(folder / names[0])
    for name in names[1:]:
        size, other = _kind(folder / name)
        if (size, other) != (first, mode):
            raise FileError(
                f"{folder / name} must be {first[0]} x {first[1]} pixels of mode {mode}, as "
                f"{names[0]} is; got {size[0]} x {size[1]} of {other}. Scale or crop them first."
            )
    channels, dtype = MODES[mode]
    rows = PictureRows(folder, names, (len(names), first[1], first[0], channels), np.dtype(dtype))
    folders = [str(Path(name).parent) for name in names]
    columns = {"file": partial(np.array, names)}
    if set(folders) != {"."}:
        columns["folder"] = partial(np.array, folders)
    return Contents(rows, None, columns)


def _names(folder: Path) -> Iterator[str]:
    """Yield the pictures of a folder and its sub-folders; hidden files are none."""
    for at, _, files in os.walk(folder, followlinks=True):
        for name in files:
            path = Path(at, name)
            if name.startswith(".") or path.suffix.lower() not in (*TAKEN, *OTHERS):
                continue
            if path.suffix.lower() in OTHERS:
                raise FileError(f"{path} must be .png or .jpg, as all pictures of a folder.")
            yield path.relative_to(folder).as_posix()


def _open(path: Path) -> Any:
    try:
        return require("PIL.Image", "data").open(path)
    except ImportError:
        raise
    except Exception as error:
        raise FileError(f"{path} is a broken picture, or none: {error}") from error


def _kind(path: Path) -> tuple[tuple[int, int], str]:
    """Return width and height, the right way up, and the mode of a picture, by its header."""
    with _open(path) as picture:
        if picture.mode not in MODES:
            raise FileError(
                f"{path} must be of mode {', '.join(MODES)}; got {picture.mode}. Convert it, such "
                "as by pillow's .convert('RGB')."
            )
        width, height = picture.size
        turned = _orientation(picture) in TURNED
        return (height, width) if turned else (width, height), picture.mode


def _orientation(picture: Any) -> int:
    return picture.getexif().get(ORIENTATION, 1) if picture.format == "JPEG" else 1


class PictureRows:
    """Pictures of one size and mode."""

    def __init__(self, folder: Path, names: list[str], shape: tuple[int, ...], dtype: np.dtype):
        self.folder, self.names, self.shape, self.dtype = folder, names, shape, dtype

    def __getitem__(self, rows: slice) -> np.ndarray:
        out = np.empty((rows.stop - rows.start, *self.shape[1:]), self.dtype)
        for picture, name in zip(out, self.names[rows], strict=True):
            pixels = self._pixels(self.folder / name)
            if pixels.shape != picture.shape or pixels.dtype != self.dtype:
                raise FileError(
                    f"{self.folder / name} has changed since it was opened: it was "
                    f"{picture.shape} of {self.dtype}, and is {pixels.shape} of {pixels.dtype}."
                )
            picture[:] = pixels
        return out

    def _pixels(self, path: Path) -> np.ndarray:
        with _open(path) as picture:
            try:
                turned = picture
                if _orientation(picture) != 1:
                    turned = require("PIL.ImageOps", "data").exif_transpose(picture)
                pixels = np.asarray(turned)
            except Exception as error:
                raise FileError(f"{path} is a broken picture: {error}") from error
        return pixels[:, :, None] if pixels.ndim == 2 else pixels
