"""The books for accountants: each document by rate of tax, and each line of the ledger, as CSV or Parquet.

Rows are read a few hundred at a time, so that memory does not grow with the period. Whoever owes stands in them by the
id alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.operations.money.papers.sheet import BOM, Cell, plain
from wattkeeper.store.engines import Store
from wattkeeper.store.money import bill, ledger
from wattkeeper.store.money.bill import BillRow
from wattkeeper.store.money.ledger import EntryRow

BATCH = 500
Row = tuple[Cell | date | datetime, ...]


class Book(StrEnum):
    """Which book."""

    BILLS = "bills"
    """Bills, corrections and credit notes: a row for each rate of tax."""
    ENTRIES = "entries"
    """The ledger: a row for each line of an entry."""


COLUMNS: dict[Book, tuple[str, ...]] = {
    Book.BILLS: (
        *("number", "kind", "issued_on", "session", "station", "site", "tariff", "tariff_version", "group", "debtor"),
        *("currency", "energy_kwh", "tax_percent", "net", "tax", "gross", "corrects"),
    ),
    Book.ENTRIES: ("entry", "at", "kind", "ref", "account", "currency", "amount"),
}
DATES, INSTANTS, WHOLE = {"issued_on"}, {"at"}, {"tariff_version", "entry"}
EXACT = {"energy_kwh": 9, "tax_percent": 6, "net": 4, "tax": 4, "gross": 4, "amount": 4}
"""Columns of decimals, with how many places they have."""


@dataclass(frozen=True, slots=True)
class Books:
    """The books of a period of days, by the installation's clock."""

    store: Store
    zone: tzinfo
    since: date
    until: date
    """The first day after it."""

    async def rows(self, viewer: Viewer, book: Book) -> AsyncIterator[list[Row]]:
        """The rows of a book, some at a time, in their order (scope bills:read)."""
        viewer.need(Scope.BILLS_READ)
        read: Callable[[Viewer, datetime, datetime], AsyncIterator[list[Row]]] = getattr(self, f"_{book.value}")
        async for rows in read(viewer, self._begin(self.since), self._begin(self.until)):
            yield rows

    def _begin(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    async def csv(self, viewer: Viewer, book: Book) -> AsyncIterator[str]:
        """A book as CSV (RFC 4180) with a byte order mark, some at a time."""
        yield BOM + _lines([COLUMNS[book]])
        async for rows in self.rows(viewer, book):
            yield _lines(rows)

    async def write(self, viewer: Viewer, book: Book, path: Path) -> int:
        """Write a book as CSV, or as Parquet where the file is called so; how many rows. Raises OSError."""
        if path.suffix == ".parquet":
            kept = [row async for rows in self.rows(viewer, book) for row in rows]
            _parquet(book, kept, path)
            return len(kept)
        count = -1
        with path.open("w", encoding="utf-8", newline="") as file:
            async for text in self.csv(viewer, book):
                file.write(text)
                count += text.count("\r\n")
        return count

    async def _bills(self, viewer: Viewer, since: datetime, until: datetime) -> AsyncIterator[list[Row]]:
        after = ("", 0)
        while True:
            async with self.store.read() as connection:
                found = await bill.issued(connection, viewer, since, until, after, BATCH)
            if not found:
                return
            after = found[-1][0].number[:4], found[-1][0].place
            yield [row for one, adds in found for row in self._taxed(one, adds)]

    def _taxed(self, one: BillRow, content: str) -> Iterator[Row]:
        """The rows of a document: its energy stands in the first alone, so that it adds up."""
        issued = one.issued_at.astimezone(self.zone).date()
        place_of = (shown(one.session), one.station, one.site, one.tariff, one.version, one.group)
        head = (one.number, one.kind.value, issued, *place_of, one.person, one.currency)
        rates = orjson.loads(content)["adds"] or [{"net": 0, "tax": 0}]
        for place, rate in enumerate(rates):
            energy = one.energy_wh.scaleb(-3) if not place else Decimal(0)
            net, tax = (Decimal(rate[name]).scaleb(-one.digits) for name in ("net", "tax"))
            percent = Decimal(rate["vat"]) if rate.get("vat") is not None else ""
            yield (*head, energy, percent, net, tax, net + tax, one.corrects or "")

    async def _entries(self, viewer: Viewer, since: datetime, until: datetime) -> AsyncIterator[list[Row]]:
        after = 0
        while True:
            async with self.store.read() as connection:
                found = await ledger.within(connection, viewer, since, until, after, BATCH)
            if not found:
                return
            after = found[-1].n
            yield [row for one in found for row in _posted(one)]


def _posted(one: EntryRow) -> Iterator[Row]:
    """The rows of an entry."""
    for line in one.lines:
        amount = Decimal(line.amount_minor).scaleb(-digits_of(line.currency))
        yield (one.n, one.at, one.kind.value, one.ref, line.account, line.currency, amount)


def _lines(rows: Sequence[Row]) -> str:
    """Rows as lines of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cell(cell: Cell | date | datetime) -> str:
    """A cell as it is written."""
    return cell.isoformat() if isinstance(cell, date) else plain(cell)


def _parquet(book: Book, rows: Sequence[Row], path: Path) -> None:
    """Write rows as Parquet: days as dates, instants as such, exact decimals; an empty rate is null."""
    import polars

    kinds: dict[str, Any] = dict.fromkeys(COLUMNS[book], polars.String)
    kinds |= {name: polars.Date for name in DATES & kinds.keys()}
    kinds |= {name: polars.Datetime("us", "UTC") for name in INSTANTS & kinds.keys()}
    kinds |= {name: polars.Int64 for name in WHOLE & kinds.keys()}
    kinds |= {name: polars.Decimal(38, places) for name, places in EXACT.items() if name in kinds}
    values = [
        [None if name in EXACT and cell == "" else cell for name, cell in zip(kinds, row, strict=True)] for row in rows
    ]
    polars.DataFrame(values, schema=kinds, orient="row").write_parquet(path)
