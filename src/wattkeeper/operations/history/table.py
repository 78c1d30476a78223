"""A file as a table: what its columns are called, and its rows with their lines; CSV here, XLSX in `sheet`."""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Figure, Said, phrase
from wattkeeper.operations.cards.listing import decoded
from wattkeeper.operations.history import sheet

LARGEST = 256 * 1024 * 1024
"""Bytes of a file at most."""
MOST_ROWS = 1_000_000
MOST_COLUMNS = sheet.MOST_COLUMNS
LONGEST_CELL = 10_000
"""Characters of a cell at most; what is longer is not read."""
ZIPPED, OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""How an XLSX file begins, and how one of an older Excel or an encrypted one does."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not blank."""

    line: int
    cells: list[str] | None
    """None: it could not be read."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a file."""

    names: list[str]
    """What the columns are called."""
    rows: Iterator[Row]
    epoch: datetime | None = None
    """Day nought of numbers that are dates, in a sheet."""


def read_table(path: Path, sheet_name: str = "") -> Table:
    """The table of a CSV or XLSX file; Refusal (INVALID) where it is none, OSError where it cannot be read."""
    body = _bytes_of(path)
    if body.startswith(OLD):
        raise refused(phrase("This is an old or an encrypted Excel file: save it as XLSX or CSV, without a password."))
    if body.startswith(ZIPPED):
        found = sheet.read(body, sheet_name)
        rows = ((line, cells) for line, cells in found.rows)
        return _table(rows, found.epoch)
    if sheet_name:
        raise refused(phrase("A CSV file has no sheets: leave --sheet out."))
    return _table(_lines_of(decoded(body)))


def _bytes_of(path: Path) -> bytes:
    """The whole of a file that is one: no link, no pipe, no device."""
    if path.is_symlink():
        raise refused(phrase("{path} is a link: give the file that it leads to.", path=str(path)))
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise refused(phrase("{path} is no file.", path=str(path)))
    with open(file, "rb") as opened:
        body = opened.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise refused(phrase("The file has more than {most} MiB: split it.", most=LARGEST // 1024**2))
    return body


def _lines_of(text: str) -> Iterator[tuple[int, list[str] | None]]:
    """The rows of CSV, each with the line in which it begins; None for one that cannot be told apart."""
    first = text[:100_000].split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    while True:
        line = rows.line_num + 1
        try:
            yield line, next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield line, None


def _table(rows: Iterator[tuple[int, list[str] | None]], epoch: datetime | None = None) -> Table:
    """The first row that is not blank names the columns."""
    filled = (Row(line, cells) for line, cells in rows if cells is None or any(cell.strip() for cell in cells))
    head = next(filled, None)
    if head is None or head.cells is None:
        raise refused(phrase("The file is empty, or its first line is no table: it must name the columns."))
    if len(head.cells) > MOST_COLUMNS:
        raise refused(phrase("The first line has more than {most} columns: this is no table.", most=MOST_COLUMNS))
    return Table([cell.strip() for cell in head.cells], _some(filled), epoch)


def _some(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows, no more than can be taken at once."""
    for count, row in enumerate(rows):
        if count >= MOST_ROWS:
            raise refused(
                phrase("The file has more than {most} lines. Split it.", most=Figure(Decimal(MOST_ROWS), 0)),
            )
        too_long = row.cells is not None and any(len(cell) > LONGEST_CELL for cell in row.cells)
        yield Row(row.line, None) if too_long else row


def printable(text: str, most: int) -> str:
    """A piece of a file as it may stand in a sentence: no terminal obeys it."""
    told = "".join(letter if letter.isprintable() else "?" for letter in text[:most])
    return told + ("…" if len(text) > most else "")


def refused(why: Said) -> Refusal:
    """A file that cannot be taken."""
    return Refusal(Code.INVALID, why)
