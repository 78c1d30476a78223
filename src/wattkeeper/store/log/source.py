"""The rows that the log follows, as it commits to them: raw values, the same on both engines.

A source is followed by its own numbers, which have no gaps, or by what of it has no leaf yet. Which columns a leaf
covers stands in `SOURCES`; what is not named there may change without breaking a leaf, and only that:

- the journal's ``sealed`` and ``sealed_for`` (free text of stations, sealed: keys rotate, and forgetting destroys it),
  the words with which a person closed a session, and heartbeats, which change nothing and would be most of the log;
- a bill's ``reason`` and ``content`` (its digest is covered);
- who ended a meter's key and when (a deed says so);
- balances, sums, states and everything else that is derived from what is followed.

Rows that must go (what tax law no longer asks for, what was the forgotten person's alone) are told to `gone`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.store import deed
from wattkeeper.store.unit import Unit


class By(Enum):
    """How what is new of a source is found."""

    NUMBER = auto()
    """By its number, from 1 on without gaps."""
    PLACE = auto()
    """By its place in its series, from 1 on without gaps."""
    LACK = auto()
    """By having no leaf: for tables of which there are few."""
    LATELY = auto()
    """By having no leaf, among what was entered lately."""


@dataclass(frozen=True, slots=True)
class Source:
    """One table that the log follows."""

    kind: str
    """What its leaves call it."""
    table: str
    by: By
    key: str
    """The column that numbers it, or the expression that names a row."""
    columns: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    """Columns of which a leaf that is opened shows one hash over all, so that a receipt names no person."""
    where: str = ""
    age: str = "created_at"
    """From which column on its rows count as old, where they go one day."""
    goes: bool = False
    """Whether its rows may go before tax law lets them: those of who is forgotten."""


_BILL = (
    *("number", "kind", "session_id", "station_id", "tariff_id", "tariff_version", "currency", "digits"),
    *("net_minor", "vat_minor", "gross_minor", "energy_wh", "started_at", "ended_at", "issued_at", "grade"),
    *("corrects", "digest"),
)
_MONTH = (
    *("number", "month", "currency", "digits", "net_minor", "vat_minor", "gross_minor"),
    *("issued_at", "due_on", "digest"),
)
_FACT = ("n", "station_id", "received_at", "at", "kind", "session_id", "evse", "body", "decided", "words")
_KEY = ("id", "station_id", "evse", "serial", "key", "curve", "mark", "since", "created_at", "created_by")

JOURNAL = Source("journal", "journal", By.NUMBER, "n", _FACT, where="kind <> 'HeartBeaten'")
DEED = Source("deed", "deed", By.NUMBER, "n", ("n", "at", "kind", "by", "subject", "body"))
ENTRY = Source("ledger", "ledger_entry", By.NUMBER, "n", ("n", "at", "kind", "ref", "by"))
BILL = Source("bill", "bill", By.PLACE, "number", _BILL, ("site", "grouping", "person_id", "by"), age="issued_at")
MONTHLY = Source("month", "monthly_invoice", By.PLACE, "number", _MONTH, ("person_id", "by"), age="issued_at")
SOURCES: Final = (
    JOURNAL,
    DEED,
    ENTRY,
    BILL,
    MONTHLY,
    Source(
        "tariff", "tariff", By.LACK, "id || '/' || version", ("id", "version", "content", "valid_from", "created_by")
    ),
    Source(
        *("price", "tariff_assignment", By.NUMBER, "n"),
        ("n", "kind", "subject", "tariff_id", "valid_from", "created_at", "created_by"),
    ),
    Source("share", "site_share", By.NUMBER, "n", ("n", "site", "host", "kind", "value", "created_at", "created_by")),
    Source("meter_key", "meter_key", By.LACK, "id", _KEY),
    Source(
        "meter_rule", "meter_rule", By.NUMBER, "n", ("n", "station_id", "evse", "is_required", "since", "created_by")
    ),
    Source("card_change", "card_change", By.LATELY, "id", ("id", "ref", "at", "by", "what"), age="at", goes=True),
)
NAMED: Final[Mapping[str, Source]] = {source.kind: source for source in SOURCES}
LATELY_US: Final = 3_600_000_000
"""How long ago something may have been entered to be found without looking at all of its table, microseconds."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of a source, and up to where it was followed."""

    source: Source
    rows: list[tuple[str, Mapping[str, Any]]]
    """How each is called, and what it says."""
    name: str = ""
    """The follower that is moved on; none where nothing is counted."""
    n: int = 0


def _named(source: Source, row: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """How a row is called, and its raw values by name."""
    values = dict(zip((*source.columns, *source.hidden), map(_raw, row[1:]), strict=True))
    return str(row[0]), values


def _raw(value: Any) -> Any:
    """A value as both engines give it: numbers, texts, nothing; bytes in hexadecimal."""
    if isinstance(value, bool):
        return int(value)
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def _select(source: Source) -> str:
    """The beginning of a query for its rows, each after its name."""
    columns = ", ".join(f'"{name}"' for name in (*source.columns, *source.hidden))
    return f"SELECT {source.key}, {columns} FROM {source.table}"


async def _all(connection: AsyncConnection, sql: str, *values: Any) -> list[Any]:
    """Rows of a query whose values are marked ``?``."""
    if connection.dialect.name != "sqlite":
        parts = sql.split("?")
        sql = parts[0] + "".join(f"${place}{part}" for place, part in enumerate(parts[1:], 1))
    return list((await connection.exec_driver_sql(sql, values)).all())


async def _lines(connection: AsyncConnection, entries: list[tuple[str, dict[str, Any]]]) -> None:
    """Give entries of the ledger their lines."""
    if not entries:
        return
    first, last = entries[0][1]["n"], entries[-1][1]["n"]
    sql = "SELECT entry, account, currency, amount_minor FROM ledger_line WHERE entry >= ? AND entry <= ?"
    by_entry: dict[int, list[list[Any]]] = {}
    for entry, *line in await _all(connection, sql + " ORDER BY entry, place", first, last):
        by_entry.setdefault(entry, []).append(line)
    for _, values in entries:
        values["lines"] = by_entry.get(values["n"], [])


async def numbered(connection: AsyncConnection, source: Source, n: int, limit: int) -> Found:
    """The rows among the next ``limit`` numbers of a source after ``n``, and the last number that there is of them."""
    newest = (await _all(connection, f"SELECT max({source.key}) FROM {source.table}"))[0][0] or 0
    until = min(newest, n + limit)
    also = f" AND {source.where}" if source.where else ""
    sql = f"{_select(source)} WHERE {source.key} > ? AND {source.key} <= ?{also} ORDER BY {source.key}"
    rows = [_named(source, row) for row in await _all(connection, sql, n, until)] if until > n else []
    if source is ENTRY:
        await _lines(connection, rows)
    return Found(source, list(rows), f"log.{source.kind}", max(until, n))


async def placed(connection: AsyncConnection, source: Source, series: str, n: int, limit: int) -> Found:
    """The first ``limit`` rows of a series after a place."""
    sql = f"{_select(source)} WHERE series = ? AND place > ? ORDER BY place LIMIT {limit:d}"
    rows = [_named(source, row) for row in await _all(connection, sql, series, n)]
    last = f"SELECT max(place) FROM (SELECT place FROM {source.table} WHERE series = ? AND place > ?"
    until = (
        (await _all(connection, f"{last} ORDER BY place LIMIT {limit:d}) AS placed", series, n))[0][0] if rows else n
    )
    return Found(source, list(rows), f"log.{source.kind}.{series}", int(until))


async def series_of(connection: AsyncConnection, source: Source) -> list[str]:
    """The series of a source, each found by one look into an index."""
    found: list[str] = []
    while True:
        sql = f"SELECT min(series) FROM {source.table} WHERE series > ?"
        one = (await _all(connection, sql, found[-1] if found else ""))[0][0]
        if one is None:
            return found
        found.append(str(one))


async def lacking(connection: AsyncConnection, source: Source, limit: int, since_us: int = 0) -> Found:
    """The first ``limit`` rows of a source that have no leaf; ``since_us``: among those no older, microseconds."""
    young = f"{source.age} >= ? AND " if since_us else ""
    named = f"SELECT 1 FROM log_leaf WHERE log_leaf.ref = {_within(source)} AND log_leaf.kind = '{source.kind}'"
    also = f"{source.where} AND " if source.where else ""
    sql = f"{_select(source)} WHERE {young}{also}NOT EXISTS ({named}) ORDER BY {source.key} LIMIT {limit:d}"
    rows = await _all(connection, sql, *((since_us,) if since_us else ()))
    return Found(source, [_named(source, row) for row in rows])


async def passed_by(connection: AsyncConnection, source: Source, followed: Mapping[str, int]) -> list[str]:
    """Rows that should have been logged when their source was followed as far as it was, and have no leaf."""
    parts: list[tuple[str, tuple[Any, ...]]]
    if source.by is By.NUMBER:
        parts = [(f"{source.key} <= ?", (followed.get(f"log.{source.kind}", 0),))]
    elif source.by is By.PLACE:
        series = await series_of(connection, source)
        parts = [("series = ? AND place <= ?", (one, followed.get(f"log.{source.kind}.{one}", 0))) for one in series]
    else:
        return []
    named = f"SELECT 1 FROM log_leaf WHERE log_leaf.ref = {_within(source)} AND log_leaf.kind = '{source.kind}'"
    also = f" AND {source.where}" if source.where else ""
    found: list[str] = []
    for which, values in parts:
        sql = f"SELECT {source.key} FROM {source.table} WHERE {which}{also} AND NOT EXISTS ({named})"
        found += [str(row[0]) for row in await _all(connection, f"{sql} ORDER BY {source.key} LIMIT 100", *values)]
    return found


async def unsaid(connection: AsyncConnection, source: Source, followed: Mapping[str, int]) -> int:
    """How many rows of a numbered source must have a leaf, as its numbers have no gaps; 0 for others."""
    if source.by is not By.NUMBER:
        return 0
    until = followed.get(f"log.{source.kind}", 0)
    if not source.where:
        return until
    sql = f"SELECT count(*) FROM {source.table} WHERE {source.key} > 0 AND {source.key} <= ? AND NOT ({source.where})"
    return until - int((await _all(connection, sql, until))[0][0])


def _within(source: Source) -> str:
    """Its row's name as a text, where columns of another table stand beside it."""
    if source.by is By.NUMBER:
        return f"CAST({source.table}.{source.key} AS TEXT)"
    return " || '/' || ".join(f"{source.table}.{part}" for part in source.key.split(" || '/' || "))


async def count(connection: AsyncConnection, source: Source) -> int:
    """How many rows a source has."""
    return int((await _all(connection, f"SELECT count(*) FROM {source.table}"))[0][0])


async def these(connection: AsyncConnection, source: Source, refs: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What these rows say now, by their names; those that are not there any more are missing."""
    by_number = source.by is By.NUMBER
    some = "(SELECT value FROM json_each(?))"
    if connection.dialect.name != "sqlite":
        some = f"(SELECT unnest(?::{'bigint' if by_number else 'text'}[]))"
    given: Any = [int(ref) for ref in refs] if by_number else list(refs)
    sql = f"{_select(source)} WHERE {source.key} IN {some} ORDER BY {source.key}"
    told = orjson.dumps(given).decode() if connection.dialect.name == "sqlite" else given
    rows = [_named(source, row) for row in await _all(connection, sql, told)] if refs else []
    if source is ENTRY:
        await _lines(connection, rows)
    return dict(rows)


async def gone(unit: Unit, kind: str, refs: Sequence[str], why: str) -> None:
    """Say, in the unit that deletes them, that rows of a followed table go; ``refs`` as their leaves name them.

    A deed says so, which is a leaf itself: whoever audits the log then knows why the rows are missing.
    """
    assert kind in NAMED and NAMED[kind].goes, kind
    if refs:
        await deed.enter(unit, DeedKind.ROWS_GONE, "wattkeeper", kind, {"refs": sorted(refs), "why": why})
