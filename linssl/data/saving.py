"""Moments as files: what one process has summed, another one merges or solves."""

import json
import os
import tempfile
import zipfile
import zlib
from typing import Any

import numpy as np

from linssl.arguments import as_path, describe, is_concrete
from linssl.moments import PairMoments, Views

VERSION = 2  # since 2 with names of features
KINDS = {"PairMoments": PairMoments, "Views": Views}
NAMES = {"features", "features_first", "features_second"}
OPTIONAL = {"group_size", *NAMES}
DAMAGED = (
    ValueError, TypeError, KeyError, EOFError, OSError, NotImplementedError, RuntimeError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def save_moments(moments: PairMoments | Views, path: str | os.PathLike[str]) -> None:
    """Write moments to one file, whole or not at all.

    An .npz of arrays by field, with the kind and the version of the format; nothing is pickled.
    Names of features are a text in JSON.

    Args:
        moments: `PairMoments` or `Views`, concrete, of one problem.
        path: of the file, which is replaced.

    Raises:
        ValueError: no path, something else than moments, traced ones, or a batch.
        OSError: a folder that isn't there, or can't be written to.
    """
    if not isinstance(moments, PairMoments | Views):
        raise ValueError(f"moments must be PairMoments or Views; got {describe(moments)}.")
    if not is_concrete(moments):
        raise ValueError("moments must be concrete to be saved: save them outside of a trace.")
    if moments.count.ndim:
        raise ValueError(f"moments must be of one problem; got a batch of {moments.count.shape}.")
    fields: dict[str, Any] = {
        k: json.dumps(list(v)) if k in NAMES else np.asarray(v)
        for k, v in vars(moments).items()
        if v is not None
    }
    fields |= {"kind": type(moments).__name__, "version": VERSION}
    write_whole(path, fields)


def write_whole(path: str | os.PathLike[str], fields: dict[str, Any]) -> None:
    """Write arrays to one .npz, whole or not at all."""
    target = as_path("path", path)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".moments-", delete=False) as file:
        try:
            np.savez(file, **fields)
            file.close()
            os.replace(file.name, target)
        except BaseException:
            os.unlink(file.name)
            raise


def load_moments(path: str | os.PathLike[str]) -> PairMoments | Views:
    """Read what `save_moments` wrote, in the precision at hand, with the names of the features.

    Raises:
        ValueError: no path, no file of moments, a damaged one, or one of a newer version.
        OSError: no file, or one that can't be opened.
    """
    with as_path("path", path).open("rb") as stream:
        try:
            with np.load(stream, allow_pickle=False) as file:
                fields = {name: file[name] for name in file.files}
            kind, version = str(fields.pop("kind")), int(fields.pop("version"))
        except (*DAMAGED, AttributeError) as error:
            raise ValueError(f"{path} must be a file of save_moments; reading: {error}") from None
    if version > VERSION or kind not in KINDS:
        raise ValueError(
            f"{path} must hold PairMoments or Views of version {VERSION} or older; got {kind} of "
            f"version {version}: update linssl."
        )
    wanted = set(KINDS[kind].__dataclass_fields__)
    if not wanted - OPTIONAL <= set(fields) <= wanted:
        raise ValueError(f"{path} must hold the fields of {kind}; got {sorted(fields)}.")
    try:
        return KINDS[kind](**{name: _field(name, value) for name, value in fields.items()})
    except DAMAGED as error:
        raise ValueError(f"{path} must be a file of save_moments; {error}") from None


def _field(name: str, value: np.ndarray) -> Any:
    """Return a field as it was before it was written."""
    if name in NAMES:
        return json.loads(str(value))
    return int(value) if name in OPTIONAL else value
