"""Totals as Parquet files, one a month and kind, and questions to them in SQL: for what no page answers.

The files hold totals of connectors and sites; no person, card or session stands in them. They are for those who run
the installation all the same: at a small site a total may be one driver's. What leaves the house goes by `insight`.
"""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.operations.money.papers.sheet import plain
from wattkeeper.store.engines import Store
from wattkeeper.store.statistics import share
from wattkeeper.store.tables import load_quarter, stay_count, tally_day, tally_hour
from wattkeeper.vault.durable import put

if TYPE_CHECKING:
    import polars as pl

FILES = {"quarters": load_quarter, "hours": tally_hour, "days": tally_day, "stays": stay_count}
"""What can be asked for, by the name of its table in SQL."""
QUESTION = re.compile(r"[\s(]*(SELECT|WITH)\b", re.IGNORECASE)
ELSEWHERE = re.compile(r"\bread_\w+", re.IGNORECASE)
"""What Polars calls functions that read any file there is."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    files: int
    rows: int
    waiting: int
    """How many sessions are not in them yet, because sessions are being counted anew; else 0."""


async def write(store: Store, viewer: Viewer, zone: tzinfo, folder: Path) -> Written:
    """Write all totals under a folder (scopes sessions:read and bills:read everywhere); OSError where that fails."""
    viewer.need(Scope.SESSIONS_READ)
    viewer.need(Scope.BILLS_READ)
    made, rows = set[Path](), 0
    async with store.read() as connection:
        waiting = await share.behind(connection, store.clock())
        for name, table in FILES.items():
            async for month, some in _months(connection, table, zone):
                made.add(folder / name / f"{month}.parquet")
                put(folder / name / f"{month}.parquet", _parquet(some))
                rows += len(some)
    for old in (one for name in FILES for one in (folder / name).glob("*.parquet") if one not in made):
        old.unlink()
    return Written(len(made), rows, waiting)


async def _months(connection: AsyncConnection, table: Table, zone: tzinfo) -> AsyncIterator[tuple[str, list[Row]]]:
    """The rows of a total by month, the first month first."""
    span = next(column for column in table.primary_key if column.name in ("at", "day", "month"))
    month, some = "", list[Row]()
    async for row in await connection.stream(select(table).order_by(span)):
        told = dict(row._mapping)
        of = _month(told[span.name], zone)
        if of != month and some:
            yield month, some
            some = []
        month = of
        some.append(_plain(told, zone))
    if some:
        yield month, some


def _month(span: datetime | str, zone: tzinfo) -> str:
    """The month of an instant, a day or a month."""
    return (span if isinstance(span, str) else span.astimezone(zone).date().isoformat())[:7]


def _plain(told: Row, zone: tzinfo) -> Row:
    """A row as files have it: measured values as binary fractions, money in minor units, local time beside UTC."""
    row: Row = {name: float(one) if isinstance(one, Decimal) else one for name, one in told.items()}
    if "at" in row:
        there = row["at"].astimezone(zone)
        row |= {"day": there.date().isoformat(), "weekday": there.isoweekday(), "hour": there.hour}
    return row


def _parquet(rows: list[Row]) -> bytes:
    """Rows as a file."""
    import polars as pl  # here: what never asks need not load it

    made = io.BytesIO()
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(made)
    return made.getvalue()


def ask(folder: Path, sql: str) -> pl.DataFrame:
    """The answer of the files to a question in SQL, over the tables of `FILES`; ValueError says what is wrong."""
    import polars as pl

    there = {name: folder / name for name in FILES if any((folder / name).glob("*.parquet"))}
    if not there:
        raise ValueError(f"{folder} has no totals; write them by: wattkeeper statistics export {folder}")
    if not QUESTION.match(sql):
        raise ValueError("A question begins with SELECT or WITH; these files are read, never changed.")
    if ELSEWHERE.search(sql):
        raise ValueError(f"A question is about these tables alone, and reads no other file: {', '.join(there)}.")
    frames = {name: pl.scan_parquet(path / "*.parquet") for name, path in there.items()}
    return _asked(lambda: pl.SQLContext(frames).execute(sql).collect(), there)


def as_csv(answer: pl.DataFrame) -> bytes:
    """An answer for spreadsheets; a text that they would run as a formula is kept from it."""
    import polars as pl

    return answer.with_columns(pl.col(pl.String).map_elements(plain, return_dtype=pl.String)).write_csv().encode()


def _asked(answer: Callable[[], pl.DataFrame], there: dict[str, Path]) -> pl.DataFrame:
    """An answer, or why there is none."""
    import polars as pl

    try:
        return answer()
    except pl.exceptions.PolarsError as problem:
        names = ", ".join(there)
        raise ValueError(f"That could not be answered: {problem}. The tables are {names}.") from None
