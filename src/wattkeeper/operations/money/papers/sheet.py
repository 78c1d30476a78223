"""Revenue as a table for spreadsheets (CSV) and for tools that read columns (Parquet).

Money is in major units with its currency beside it, energy in kWh with the unit in its header: exact decimals in both.
The CSV begins with a byte order mark, without which Excel takes UTF-8 for something else; its lines end as RFC 4180
says. A name that a spreadsheet would run as a formula is kept from it by an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from wattkeeper.store.money.revenue import Facet, Revenue

COUNTED = ("sessions", "corrections")
MONEY = ("net", "tax", "gross")
BOM = "\N{BYTE ORDER MARK}"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula, or may drop before one."""
Cell = str | int | Decimal


def header(by: Sequence[Facet]) -> tuple[str, ...]:
    """The names of the columns."""
    return (*by, "currency", *COUNTED, "energy_kwh", *MONEY)


def cells(one: Revenue) -> tuple[Cell, ...]:
    """A row of exact values."""
    money = (Decimal(minor).scaleb(-one.digits) for minor in (one.net_minor, one.vat_minor, one.gross_minor))
    return (*one.of, one.currency, one.sessions, one.corrections, one.energy_wh.scaleb(-3), *money)


def as_csv(by: Sequence[Facet], rows: Iterable[Revenue]) -> str:
    """The table as CSV."""
    return written(header(by), (cells(one) for one in rows))


def written(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table as CSV (RFC 4180), its byte order mark included; no cell is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([plain(cell) for cell in row] for row in rows)
    return BOM + text.getvalue()


def plain(cell: Cell) -> str:
    """A cell as it is written: numbers in plain digits, names kept from being formulas."""
    if isinstance(cell, str):
        return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def write_csv(path: Path, by: Sequence[Facet], rows: Iterable[Revenue]) -> None:
    """Write the table as CSV; raises OSError."""
    path.write_bytes(as_csv(by, rows).encode())


def write_parquet(path: Path, by: Sequence[Facet], rows: Sequence[Revenue]) -> None:
    """Write the table as Parquet; raises OSError."""
    path.write_bytes(as_parquet(by, rows))


def as_parquet(by: Sequence[Facet], rows: Sequence[Revenue]) -> bytes:
    """The table as Parquet: decimals, and days as dates."""
    import polars

    kinds: dict[str, Any] = {facet.value: polars.Date if facet is Facet.DAY else polars.String for facet in by}
    kinds |= {"currency": polars.String, **dict.fromkeys(COUNTED, polars.Int64)}
    schema = {**kinds, "energy_kwh": polars.Decimal(38, 9)} | dict.fromkeys(MONEY, polars.Decimal(38, 4))
    values = [_dated(by, cells(one)) for one in rows]
    out = io.BytesIO()
    polars.DataFrame(values, schema=schema, orient="row").write_parquet(out)
    return out.getvalue()


def _dated(by: Sequence[Facet], row: tuple[Cell, ...]) -> list[Cell | date]:
    """A row whose days are dates."""
    days = [place for place, facet in enumerate(by) if facet is Facet.DAY]
    return [date.fromisoformat(str(cell)) if place in days else cell for place, cell in enumerate(row)]
