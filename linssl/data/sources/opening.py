"""Open data as it is held: by the suffix of a path, or by what an object looks like."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from linssl.arguments import Numbers, as_path
from linssl.data.files import SUFFIXES, read_labels
from linssl.data.sources.arrays import is_hdf5, of_array, open_npy
from linssl.data.sources.batches import is_batched, of_batched
from linssl.data.sources.csv_rows import open_csv
from linssl.data.sources.frames import (
    AnnotatedMatrix,
    from_arrow,
    is_arrow,
    is_frame,
    of_annotated,
    of_frame,
)
from linssl.data.sources.h5ad import open_h5ad
from linssl.data.sources.parquet_rows import open_parquet
from linssl.data.sources.picture_rows import open_pictures
from linssl.data.sources.source import Contents, Source, given
from linssl.data.sources.stores import open_hdf5, open_npz, open_safetensors, open_zarr
from linssl.data.tables import FileError, convert
from linssl.linalg.averages import RowSource

NAMED = {
    ".npz": open_npz,
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
    ".h5ad": open_h5ad,
    ".zarr": open_zarr,
    ".safetensors": open_safetensors,
}
TABLES = (".csv", ".parquet")
KNOWN = (".npy", *NAMED, *TABLES)
FOREIGN = {  # tables that pandas reads
    ".tsv": "read_csv('{}', sep='\\t')",
    ".tab": "read_csv('{}', sep='\\t')",
    ".xlsx": "read_excel('{}')",
    ".xls": "read_excel('{}')",
    ".feather": "read_feather('{}')",
    ".dta": "read_stata('{}')",
}
PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib")


def open_source(
    data: object,
    *,
    layer: str | None = None,
    columns: Sequence[str] = (),
    text_beside: bool = False,
) -> Source:
    """Open data as rows, (n, ...), that are read a slice at a time.

    | data | rows | columns |
    |---|---|---|
    | .npy | the array, memory-mapped | none |
    | .npz, .h5, .hdf5, .zarr, .safetensors | `layer`, X, X_train, or the only one | arrays (n,) |
    | .csv, .parquet, DataFrame, Arrow | all other columns, of numbers | y, label, and `columns` |
    | .parquet with a column of lists | `layer`, one of lists | all others |
    | .h5ad, AnnData | `layer`: X, raw, a name in layers, or obsm/NAME | obs |
    | .h5 of 10x Genomics | cells x genes; `layer` where there are several genomes | barcodes |
    | a folder of .png and .jpg | (n, height, width, channels), by their names | folder, file |
    | anything with .shape and slices, sparse matrices, tensors | itself | none |

    Files of HDF5, .zarr, .parquet, .npy, .csv and .safetensors are never in memory as a whole; an
    .npz is, and so is a matrix that is stored by columns (csc). Nothing is executed: pickles are
    refused. What must be installed for a file comes with `pip install 'linssl[data]'`.

    Args:
        data: a path, or an object.
        layer: which part of it holds the rows, where it has several.
        columns: of a table, what tells of the rows and is no feature, such as a batch.
        text_beside: of a table, whether columns of text tell of the rows too; else they are an
            error, and nothing is quietly left out.

    Returns:
        A `Source`: `.shape`, `.dtype`, `.names` of features, `.columns` and `.column(name)`,
        `source[a:b]`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: an unknown suffix, a damaged file, a part that isn't there or is one of
            several, or what holds no numbers (n, ...): the message says where.
        ImportError: a package that a file needs and that isn't installed.
    """
    if isinstance(columns, str):
        raise ValueError(f"columns must be several names; got {columns!r}: write [{columns!r}].")
    columns = tuple(columns)
    if isinstance(data, str | os.PathLike):
        return _of_path(as_path("data", data), layer, columns, text_beside)
    if is_batched(data):
        return given("data", of_batched("data", data, layer, columns, text_beside))
    if is_frame(data) or is_arrow(data):
        _refuse("data", layer, ())
        frame = data if is_frame(data) else from_arrow(data)
        return given("data", of_frame("data", frame, columns, text_beside))
    _refuse("data", None if isinstance(data, AnnotatedMatrix) else layer, columns)
    if isinstance(data, Source):
        return data
    if isinstance(data, AnnotatedMatrix):
        return given("data", of_annotated("data", data, layer))
    return of_array("data", data)


Data: TypeAlias = Numbers | RowSource | AnnotatedMatrix | os.PathLike[str]


def opened(data: Any, *beside: object) -> Any:
    """Open paths, tables, AnnData and data sets of HDF5; return anything else as it is.

    Args:
        data: as it came.
        beside: what is asked for beside the rows: of a table a column that is named is no feature.

    Raises:
        ValueError: as `open_source`.
    """
    table = is_table(data)
    named = isinstance(data, str | os.PathLike | AnnotatedMatrix)
    if not (table or named or is_hdf5(data)):
        return data
    names = [asked for asked in beside if isinstance(asked, str) and is_column(asked)]
    return open_source(data, columns=tuple(dict.fromkeys(names)) if table else ())


def is_table(data: object) -> bool:
    """Say whether all columns are features, but those that are named."""
    if isinstance(data, str | os.PathLike):
        return Path(data).suffix.lower() in TABLES
    return is_frame(data) or is_arrow(data) or is_batched(data)


def is_column(asked: str) -> bool:
    """Say whether a text is the name of a column, and no file of labels."""
    return Path(asked).suffix.lower() not in SUFFIXES


def told(argument: str, asked: Any, rows: Any, also: str = "an array (n,)") -> Any:
    """Return what is asked for beside rows: values as they come, a column by its name, or a file.

    Args:
        argument: what errors call it.
        asked: values, a text, or a path.
        rows: whose columns may be named, if they are a `Source`.
        also: what else it may be, for errors.

    Raises:
        ValueError: no such column or file of labels, or as `read_labels` and `Source.column`.
    """
    there = rows.columns if isinstance(rows, Source) else ()
    if isinstance(asked, str) and asked in there:
        return rows.column(asked)
    if isinstance(asked, os.PathLike) or (isinstance(asked, str) and not is_column(asked)):
        return read_labels(asked)
    if not isinstance(asked, str):
        return asked
    raise ValueError(
        f"{argument} must be a column of the data ({', '.join(there) or 'they have none'}), a file "
        f"({', '.join(SUFFIXES)}), or {also}; got {asked!r}."
    )


def _refuse(where: str, layer: str | None, columns: Sequence[str]) -> None:
    """Raise where something is asked for that this kind of data doesn't have."""
    if layer is not None:
        raise ValueError(f"{where} holds one array: layer must be None; got {layer!r}.")
    if columns:
        raise ValueError(f"{where} is no table: columns must be (); got {list(columns)}.")


def _of_path(path: Path, layer: str | None, columns: Sequence[str], text_beside: bool) -> Source:
    where, path, kind = str(path), path.absolute(), path.suffix.lower()
    _require_there(path)
    if kind in PICKLES:
        raise ValueError(
            f"{where} is a pickle, which may run any code when it is read, and is refused. If you "
            'trust where it is from, convert it once: python -c "import numpy, torch; numpy.save('
            f"'{path.stem}.npy', torch.load('{path.name}', weights_only=True).numpy())\""
        )
    if path.is_dir() and kind != ".zarr":
        _refuse(where, layer, columns)
        return Source(where, partial(_opened, path, partial(open_pictures, path)), path)
    if kind in FOREIGN:
        read = FOREIGN[kind].format(path.name)
        raise ValueError(f"{where} must be a .csv or a .parquet. {convert(path, read)}")
    if kind not in KNOWN:
        raise ValueError(
            f"{where} must end in one of {', '.join(KNOWN)}, or be a folder of .png or .jpg "
            f"pictures; got {path.suffix!r}."
        )
    opener = partial(_opened, path, _opener(path, kind, layer, columns, text_beside))
    return Source(where, opener, path)


def _require_there(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(
            f"no file at {path}; pass a path to one of {', '.join(KNOWN)}, or to a folder of .png "
            "or .jpg pictures."
        )


def _opener(
    path: Path, kind: str, layer: str | None, columns: Sequence[str], text_beside: bool
) -> Callable[[], Contents]:
    if kind == ".parquet":
        return partial(open_parquet, path, layer, columns, text_beside)
    _refuse(str(path), None if kind in NAMED else layer, () if kind == ".csv" else columns)
    if kind == ".csv":
        return partial(open_csv, path, columns, text_beside)
    return partial(NAMED[kind], path, layer) if kind in NAMED else partial(open_npy, path)


def _opened(path: Path, opener: Callable[[], Any]) -> Contents:
    """Open a path, or raise an error that names it."""
    _require_there(path)
    try:
        return opener()
    except (ImportError, FileError, PermissionError):
        raise
    except Exception as error:  # damaged bytes fail anywhere
        kind = path.suffix or "a folder of pictures"
        raise FileError(f"{path} can't be read as {kind}: {error}") from error
