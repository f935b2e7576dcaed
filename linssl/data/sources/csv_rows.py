"""Rows of a .csv, by blocks of lines: one pass finds where lines begin; a slice reads its own."""

import csv
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from linssl.data.sources.source import Contents
from linssl.data.sources.tables import choose_features, not_numbers, readable
from linssl.data.tables import FileError, as_numbers, label_numbers, require_columns
from linssl.labels import WORDS

MARKS = 256  # lines from one known place in the file to the next
AT_ONCE = 2**19  # fields in memory as text


def open_csv(file: Path, columns: Sequence[str], text_beside: bool = False) -> Contents:
    """Open a .csv: features are its columns but y, label and those that are named."""
    lines = Lines(file)
    head = partial(_head, lines) if text_beside else None
    features = choose_features(file, lines.header, columns, partial(_texts, lines), head)
    others = [name for name in lines.header if name not in features]
    read = {name: partial(_values, lines, name) for name in others}
    return Contents(readable(CsvRows(lines, features)), tuple(features), read)


def _texts(lines: "Lines", name: str) -> np.ndarray:
    return lines.columns([name], 0, lines.count)[:, 0]


def _head(lines: "Lines", names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the first rows of some columns: to read each by itself reads the file as often."""
    return dict(zip(names, lines.columns(names, 0, min(lines.count, MARKS)).T, strict=True))


def _values(lines: "Lines", name: str) -> np.ndarray:
    """Return a column as numbers, or as text where it is names."""
    values = _texts(lines, name)
    numbers = label_numbers(lines.file, name, values)
    return values if numbers is None else numbers


class Lines:
    """The lines of a .csv below its header, by number, and the fields in them.

    Raises:
        ValueError: no header, no rows, blank lines, or what `linssl.data.tables` refuses.
    """

    def __init__(self, file: Path):
        self.file = file
        with file.open("rb") as stream:
            head = stream.readline()
            fields = self._rows([head], 1)[0] if head.strip() else []
            self.header = [name.strip() for name in fields]
            self.begins, self.count = self._scan(stream)
        if not self.header or not self.count:
            raise FileError(f"{file} must have a header row and at least one row of data.")
        require_columns(file, self.header, self._rows(self._lines(0, min(self.count, MARKS)), 2))

    def _scan(self, stream: BinaryIO) -> tuple[list[int], int]:
        """Return where every MARKS-th line begins, and how many lines there are."""
        begins, at, blank = [], stream.tell(), None
        count = 0
        for number, line in enumerate(stream):
            if number % MARKS == 0:
                begins.append(at)
            at += len(line)
            if not line.strip():
                blank = number if blank is None else blank
            elif blank is not None:
                raise FileError(
                    f"{self.file} must have no blank lines between its rows: a value that is "
                    f"missing, or nothing at all? Got line {blank + 2}."
                )
            else:
                count = number + 1
        return begins, count

    def _lines(self, start: int, stop: int) -> list[bytes]:
        with self.file.open("rb") as stream:
            stream.seek(self.begins[start // MARKS])
            return list(islice(stream, start % MARKS, start % MARKS + stop - start))

    def _rows(self, lines: list[bytes], first: int) -> list[list[str]]:
        """Return the fields of lines, the first of which has this number in the file."""
        code = "utf-8-sig" if first == 1 else "utf-8"
        rows = list(csv.reader(line.decode(code) for line in lines))
        if len(rows) != len(lines):
            raise FileError(
                f"{self.file} must have one row a line; got {len(lines)} lines from line {first} "
                f"on that make {len(rows)} rows: look for a quotation mark that isn't closed."
            )
        return rows

    def columns(self, names: Sequence[str], start: int, stop: int) -> np.ndarray:
        """Return some fields of some rows as text, (stop - start, len(names))."""
        at = [self.header.index(name) for name in names]
        step, parts = max(1, AT_ONCE // len(self.header)), []
        for first in range(start, stop, step):
            rows = self._rows(self._lines(first, min(first + step, stop)), first + 2)
            for line, row in enumerate(rows, start=first + 2):
                if len(row) != len(self.header):
                    raise FileError(
                        f"{self.file} must have a header name for each column; got "
                        f"{len(self.header)} names for {len(row)} columns in line {line:,}."
                    )
            parts.append(np.strings.strip(np.array([[row[i] for i in at] for row in rows])))
        return np.concatenate(parts)


class CsvRows:
    """Features of a .csv as numbers, (n, d): NaN where a cell is empty, or holds a word for it."""

    dtype = np.dtype(float)

    def __init__(self, lines: Lines, features: Sequence[str]):
        self.lines, self.features = lines, features
        self.shape = lines.count, len(features)

    def __getitem__(self, rows: slice) -> np.ndarray:
        step = max(1, AT_ONCE // len(self.lines.header))
        parts = [
            self._block(first, min(first + step, rows.stop))
            for first in range(rows.start, rows.stop, step)
        ]
        return np.concatenate(parts)

    def _block(self, start: int, stop: int) -> np.ndarray:
        texts = self.lines.columns(self.features, start, stop)
        numbers = as_numbers(texts)
        if numbers is None:  # an empty cell, or a word for it
            texts = np.where(np.isin(texts, WORDS), "nan", texts)
            numbers = as_numbers(texts)
        if numbers is not None:
            return numbers
        for name, column in zip(self.features, texts.T, strict=True):
            for row, text in enumerate(column) if as_numbers(column) is None else ():
                if as_numbers(np.array([text])) is None:
                    raise not_numbers(self.lines.file, name, str(text), f"line {start + row + 2:,}")
        raise AssertionError("a block of numbers, by its columns")
