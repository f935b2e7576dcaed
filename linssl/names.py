"""Names of features, which travel with moments and solutions and change no number."""

import hashlib
import json
from collections.abc import Iterable, Iterator, KeysView, Sequence, Set
from typing import Any, overload

from linssl.arguments import describe

SHOWN = 3  # names of many, in a message


class Names(Sequence[str]):
    """Names of features: reads like a tuple of text, and never changes.

    They are static in the moments that carry them: JAX compares them whenever it looks for a
    program that is compiled, and moments of other names run another. So a comparison must be
    cheap: what differs mostly has another hash, which is kept, and what was found equal once
    shares its texts from then on.

    Args:
        names: one of each feature, in their order; some may be alike.
    """

    __slots__ = ("_hash", "_names")
    _names: tuple[str, ...]
    _hash: int

    def __init__(self, names: Iterable[str]):
        object.__setattr__(self, "_names", tuple(map(str, names)))  # str of those of numpy
        object.__setattr__(self, "_hash", hash(self._names))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"names never change: make others instead of setting {name}.")

    def __reduce__(self) -> tuple[type["Names"], tuple[tuple[str, ...]]]:
        return Names, (self._names,)  # the hash of a text is another one in another process

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Names):
            return self._names == other if isinstance(other, tuple) else NotImplemented
        if self._names is other._names:
            return True
        if self._hash != other._hash or self._names != other._names:
            return False
        object.__setattr__(other, "_names", self._names)
        return True

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        return self._names[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __repr__(self) -> str:
        if len(self) > SHOWN:  # with a digest, for those of others must look different
            digest = hashlib.sha256(json.dumps(self._names).encode()).hexdigest()[:16]
            more = f", ... {len(self):,} in all, {digest}"
        else:
            more = ""
        return f"Names({', '.join(map(repr, self._names[:SHOWN]))}{more})"


def as_names(argument: str, names: object, features: int) -> Names | None:
    """Return a name for each feature, or None for none; or raise."""
    if names is None:
        return None
    if not isinstance(names, Names):
        unordered = isinstance(names, Set) and not isinstance(names, KeysView)
        if isinstance(names, str | bytes) or unordered or not hasattr(names, "__iter__"):
            raise ValueError(f"{argument} must be a list of names, in order; got {names!r}.")
        given: list[Any] = list(names)  # pyright: ignore[reportArgumentType]
        wrong = next((name for name in given if not isinstance(name, str)), None)
        if wrong is not None:
            raise ValueError(f"{argument} must be texts; got {wrong!r}, {describe(wrong)}.")
        names = Names(given)
    if len(names) != features:
        raise ValueError(
            f"{argument} must be {features:,} names, one for each feature; got {len(names):,}."
        )
    return names


def names_of(data: object) -> Names | None:
    """Return the names of the features of data, where they have any.

    Those in `.names` of a source, and of a table's columns, where all of them are texts: as in
    scikit-learn, numbers are places and no names.
    """
    shape = getattr(data, "shape", ())
    found = getattr(data, "names", None)
    if not isinstance(found, tuple):
        is_table = hasattr(data, "iloc") or hasattr(data, "__arrow_c_stream__")
        found = getattr(data, "column_names", getattr(data, "columns", ())) if is_table else ()
        found = tuple(found)
    fit = isinstance(shape, tuple) and len(found) == (shape[-1] if shape else 0)
    return Names(found) if found and fit and all(isinstance(n, str) for n in found) else None


def agreed(arguments: str, first: Names | None, second: Names | None) -> Names | None:
    """Return the names of what is put together, or raise where they differ, or their order.

    What has no names goes by places, and takes those of the other.
    """
    if first is None or second is None or first == second:
        return second if first is None else first
    if len(first) != len(second):
        raise ValueError(
            f"{arguments} must have the same features; got {len(first):,} and {len(second):,}."
        )
    at = next(i for i, (a, b) in enumerate(zip(first, second, strict=True)) if a != b)
    raise ValueError(
        f"{arguments} must have the same features in the same order; feature {at} is "
        f"{first[at]!r} in one and {second[at]!r} in the other."
    )
