"""A sweep on disk: zarr, one chunk a work unit, and a mark per unit that is written last."""

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from linssl.arguments import as_path
from linssl.runtime.optional import require
from linssl.sweep.fingerprint import digest
from linssl.sweep.plan import Plan
from linssl.sweep.table import Frame

if TYPE_CHECKING:
    import xarray

KEY = "linssl_sweep"  # the group attribute that makes a folder a sweep
NEVER = {"write_empty_chunks": True}  # zarr skips chunks of fill value, which a result may equal


class StoreError(RuntimeError):
    """A sweep's store can't be used, or not all of it; the message says what to do."""


class Store:
    """The finished cells of one sweep, as a zarr group that any reader of zarr can open.

    Each output is an array (cells, ...) with one chunk a unit, the dimensions are arrays
    (cells,), and `done` holds a checksum of each unit, written when all its chunks are. Killing a
    writer at any moment loses the units under way and nothing else.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = as_path("path", path)
        zarr = require("zarr")
        if not (self.path / "zarr.json").is_file():
            kind = "isn't there" if not self.path.exists() else "isn't a sweep"
            raise StoreError(f"{self.path} {kind}: `linssl sweep run ... --out STORE` makes one.")
        try:
            self.group = zarr.open_group(str(self.path), mode="r+")
            record = dict(self.group.attrs)[KEY]
            self.identity: dict[str, Any] = record["identity"]
            self.hash: str = record["hash"]
            self.created: str = record["created"]
            self.plan = Plan(**record["plan"])
            self.frame = Frame(**record["frame"])
            if record["seal"] != _seal(record):
                raise ValueError("its description isn't what was written")
            for name, o in self.frame.outputs.items():
                kept = self.group[name]
                if str(kept.dtype) != o["dtype"] or kept.shape[1:] != tuple(o["shape"]):
                    raise ValueError(f"array {name} isn't what was written")
            self.digests = self._marks()
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise StoreError(
                f"{self.path} isn't a sweep of this version, or is damaged ({error!r}): "
                "give another --out, or remove it."
            ) from error

    def _marks(self) -> np.ndarray:
        """Read the mark of each unit; one that can't be read is as good as none."""
        done = self.group["done"]

        def one(unit: int) -> int:
            try:
                return int(done[unit])
            except OSError:
                raise
            except Exception:  # a broken chunk: each codec has an error of its own
                return 0

        return np.array([one(unit) for unit in range(self.plan.units)], np.uint64)

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], frame: Frame, identity: dict[str, Any], plan: Plan
    ) -> "Store":
        """Make an empty store, at once: it is built beside its place and moved there."""
        zarr = require("zarr")
        path = as_path("path", path)
        if path.is_symlink():
            path = path.resolve()  # a link can't be replaced by a folder
        with explained(path):
            if (path / "zarr.json").is_file():
                raise StoreError(f"{path} was made by another run just now: run it again.")
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise StoreError(f"{path} is there and isn't a sweep: give another --out.")
            path.parent.mkdir(parents=True, exist_ok=True)
            # A name of its own: processes of containers may share their numbers.
            with tempfile.TemporaryDirectory(
                prefix=f".{path.name[:50]}.", dir=path.parent
            ) as scratch:
                built = Path(scratch) / "sweep"
                _build(zarr.create_group(str(built), zarr_format=3), frame, identity, plan)
                try:
                    built.replace(path)
                except OSError as error:
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
                    raise StoreError(
                        f"{path} was made by another run just now: run it again."
                    ) from error
        return cls(path)

    @property
    def finished(self) -> np.ndarray:
        """Which units are done, (units,)."""
        return self.digests != 0

    def write(self, unit: int, values: Mapping[str, np.ndarray]) -> None:
        """Write one unit, and then mark it done."""
        rows = self.plan.of(unit)
        mark = self._mark(unit, values)
        with explained(self.path):
            for name in self.frame.outputs:
                self.group[name][rows] = values[name]
            self.group["done"][unit] = mark
        self.digests[unit] = mark

    def _mark(self, unit: int, values: Mapping[str, np.ndarray]) -> int:
        """Return what `done` holds of a unit: no other unit, and no other sweep, has its mark."""
        return checksum(values, f"{self.hash} {unit}")

    def read(self, unit: int) -> dict[str, np.ndarray] | None:
        """Return a finished unit, or None where it isn't what was written."""
        rows = self.plan.of(unit)
        try:
            values = {name: np.asarray(self.group[name][rows]) for name in self.frame.outputs}
        except OSError:
            raise
        except Exception:  # a broken chunk: each codec has an error of its own
            return None
        return values if self._mark(unit, values) == self.digests[unit] else None

    def damaged(self) -> list[int]:
        """List the finished units whose chunks aren't what was written; reads everything."""
        return [int(u) for u in np.flatnonzero(self.finished) if self.read(int(u)) is None]

    def reopen(self, units: list[int]) -> None:
        """Take the mark off units, so that they are run again."""
        with explained(self.path):
            for unit in units:
                self.group["done"][unit] = 0
                self.digests[unit] = 0

    def dataset(self, partial: bool = False, masked: bool = True) -> "xarray.Dataset":
        """Read the table.

        Args:
            partial: whether cells may be missing; they are NaN.
            masked: if not, they are 0 instead, and integers stay what they are.

        Raises:
            StoreError: cells are missing, or damaged.
        """
        missing = int((~self.finished).sum())
        if missing and not partial:
            raise StoreError(
                f"{missing} of {len(self.digests)} units of {self.path} aren't finished: run the "
                "sweep again with the same --out, or read what there is with partial."
            )
        frame, finished = self.frame, np.zeros(self.frame.cells, bool)
        arrays, broken = frame.blank(), []
        for unit in map(int, np.flatnonzero(self.finished)):
            values, rows = self.read(unit), self.plan.of(unit)
            if values is None:
                broken.append(unit)
                continue
            finished[rows] = True
            for name, array in arrays.items():
                array[rows] = values[name]
        if broken:
            raise StoreError(damage(self.path, broken, len(self.digests)))
        return frame.dataset(
            arrays, attributes(self.identity, self.hash, self.created), finished, masked
        )


def open_sweep(path: str | os.PathLike[str], partial: bool = False) -> "xarray.Dataset":
    """Read the table of a sweep from its store, checking every chunk.

    Args:
        path: of the store.
        partial: whether cells may be missing; they are NaN then, integers become floats, and a
            variable `finished` says which are there.

    Raises:
        StoreError: not a sweep, cells missing, or chunks that aren't what was written.
    """
    return Store(path).dataset(partial)


def attributes(identity: Mapping[str, Any], hash: str, created: str) -> dict[str, str]:
    """Write provenance as the attributes of a table."""
    text = {n: v if isinstance(v, str) else json.dumps(v) for n, v in identity.items()}
    del text["axes"], text["seeds"]  # they are the coordinates
    return {**text, "config_hash": hash, "created": created}


def damage(path: Path, units: list[int], of: int) -> str:
    """Say which chunks are broken, and how to mend them."""
    names = ", ".join(map(str, units[:5])) + (", ..." if len(units) > 5 else "")
    return (
        f"{len(units)} of {of} units of {path} are damaged (unit {names}: their chunks aren't what "
        "was written). The others are sound. Run the same sweep with --repair to solve them again."
    )


def _build(group: Any, frame: Frame, identity: dict[str, Any], plan: Plan) -> None:
    """Lay out the arrays of a sweep, and write down what it is."""
    for name, o in frame.outputs.items():
        shape = tuple(o["shape"])
        array = group.create_array(
            name,
            shape=(frame.cells, *shape),
            chunks=(plan.unit, *(max(s, 1) for s in shape)),
            dtype=o["dtype"],
            dimension_names=["cell", *o["dims"]],
            config=NEVER,
        )
        array.attrs.update({"coordinates": " ".join(frame.order)})
    for name, values in frame.columns().items():
        group.create_array(name, data=values, dimension_names=["cell"])
    group.create_array(
        "done",
        shape=(plan.units,),
        chunks=(1,),
        dtype="uint64",
        dimension_names=["unit"],
        config=NEVER,
    )
    record = {
        "identity": identity,
        "hash": digest(identity),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "plan": plan._asdict(),
        "frame": frame._asdict(),
    }
    group.attrs[KEY] = record | {"seal": _seal(record)}


def _seal(record: Mapping[str, Any]) -> str:
    """Hash what a store says of itself, all but the seal."""
    return digest({name: value for name, value in record.items() if name != "seal"})


def checksum(values: Mapping[str, np.ndarray], of: str) -> int:
    """Hash the arrays of a unit, and what unit it is, to a whole number that isn't 0."""
    state = hashlib.sha256(of.encode())
    for name in sorted(values):
        state.update(name.encode() + np.ascontiguousarray(values[name]).tobytes())
    return int.from_bytes(state.digest()[:8], "little") | 1


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an error of the disk into what happened and what to do."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path} can't be written ({error.strerror or error}). Every finished unit is safe: "
            "make room or get the permission, and run the same sweep again."
        ) from error
