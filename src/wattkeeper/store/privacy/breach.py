"""Breaches: what they touched, who is affected, and who was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.columns import to_micros
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.privacy.leaving import GOING, Whose
from wattkeeper.store.tables import account, breach, breach_person, metadata
from wattkeeper.store.unit import Unit

B, P = breach.c, breach_person.c
REACHED = select(account.c.person_id).where(account.c.state == AccountState.ACTIVE.value)
"""Whoever reads a notice and is written to."""
OF_SESSIONS = frozenset({"session", "journal", "reading", "decision", "signed_record"})
"""Tables that name nobody: whose a row is, the card says that a session ran on."""


@dataclass(frozen=True, slots=True)
class BreachRow:
    """One breach as kept."""

    id: str
    known_at: datetime
    since: datetime | None
    until: datetime | None
    tables: tuple[str, ...]
    stations: tuple[str, ...]
    sealed: bytes
    is_risk: bool
    opened_by: str
    reported_at: datetime | None
    closed_at: datetime | None


async def keep(unit: Unit, row: Mapping[str, Any], tables: Sequence[str], stations: Sequence[str]) -> None:
    """Keep a new breach."""
    scope = orjson.dumps({"tables": [*tables], "stations": [*stations]}).decode()
    await unit.connection.execute(insert(breach).values(**row, scope=scope))


async def unknown_station(unit: Unit, stations: Sequence[str]) -> str:
    """The first of these that is no station here, nor ever told of a session; empty where all are."""
    known = (
        "SELECT id FROM station WHERE id IN {values} UNION SELECT station_id FROM session WHERE station_id IN {more}"
    )
    rows = await unit.select_lists(known, values=stations, more=stations) if stations else []
    return next((one for one in stations if one not in {row[0] for row in rows}), "")


async def change(unit: Unit, identifier: str, **values: Any) -> bool:
    """Change a breach that is not closed; False where there is none."""
    stands = (B.id == identifier) & B.closed_at.is_(None)
    return bool((await unit.connection.execute(update(breach).where(stands).values(**values))).rowcount)


async def one(connection: AsyncConnection, identifier: str) -> BreachRow | None:
    """The breach with this id."""
    row = (await connection.execute(select(breach).where(B.id == identifier))).first()
    return None if row is None else _row(row)


async def listed(connection: AsyncConnection) -> list[BreachRow]:
    """All breaches, those that are open first."""
    rows = await connection.execute(select(breach).order_by(B.closed_at.is_not(None), B.known_at.desc()))
    return [_row(row) for row in rows]


async def affect(unit: Unit, row: BreachRow) -> int:
    """Note who is affected, by one query; how many are now."""
    sql = f"INSERT INTO breach_person (breach_id, person_id, told_at) SELECT '{row.id}', who, NULL FROM ({_who(row)})"
    sql += " AS whoever WHERE who <> '' AND who IN (SELECT subject FROM subject_key) ON CONFLICT DO NOTHING"
    stations = orjson.dumps([*row.stations]).decode() if unit.is_sqlite else [*row.stations]
    marked = sql.replace(
        "{stations}", "(SELECT value FROM json_each(?1))" if unit.is_sqlite else "(SELECT unnest($1::text[]))"
    )
    values = (stations,) if "json_each" in marked or "unnest" in marked else ()
    await unit.connection.exec_driver_sql(marked, values)
    return await count(unit.connection, row.id)


def _who(row: BreachRow) -> str:
    """Whoever has a row in one of the tables, or charged at one of the stations in the time."""
    found = [_of_table(name) for name in row.tables if name not in OF_SESSIONS]
    if not row.tables or OF_SESSIONS & {*row.tables}:
        found.append(_of_sessions(row))
    return " UNION ".join(one for one in found if one) or _of_sessions(row)


def _of_table(name: str) -> str:
    """The persons of a table; nothing for one that names nobody."""
    by = next((one for one in GOING if one.table == name), None)
    if by is not None and by.whose is Whose.ACCOUNT:
        return f"SELECT a.person_id AS who FROM {name} t JOIN account a ON a.id = t.{by.column}"
    if by is not None and by.whose is Whose.CARD:
        return f"SELECT c.person_id AS who FROM {name} t JOIN card c ON c.ref = t.{by.column}"
    column = by.column if by is not None and by.whose is Whose.PERSON else "person_id"
    return f"SELECT {column} AS who FROM {name}" if column in metadata.tables[name].c else ""


def _of_sessions(row: BreachRow) -> str:
    """The holders of cards that sessions ran on, at those stations and in that time."""
    sql = (
        "SELECT h.person_id AS who FROM session s JOIN holding h ON h.ref = s.token AND s.known_at >= h.since"
        " AND (h.until IS NULL OR s.known_at < h.until) WHERE 1 = 1"
    )
    sql += " AND s.station_id IN {stations}" if row.stations else ""
    sql += f" AND s.heard_at >= {to_micros(row.since)}" if row.since else ""
    return sql + (f" AND s.known_at < {to_micros(row.until)}" if row.until else "")


async def count(connection: AsyncConnection, identifier: str, *, told: bool | None = None) -> int:
    """How many are affected; or of them those who were told, or were not."""
    wanted = select(func.count()).where(P.breach_id == identifier)
    if told is not None:
        wanted = wanted.where(P.told_at.is_not(None) if told else P.told_at.is_(None))
    return int(await connection.scalar(wanted) or 0)


async def untold(connection: AsyncConnection, identifier: str, most: int) -> list[str]:
    """Some who were not told yet and can be: they have an account."""
    waits = (P.breach_id == identifier) & P.told_at.is_(None) & P.person_id.in_(REACHED)
    return list(await connection.scalars(select(P.person_id).where(waits).limit(most)))


async def unreached(connection: AsyncConnection, identifier: str) -> int:
    """How many of those affected nothing here can tell: they hold a card and have no account, or none any more."""
    silent = (P.breach_id == identifier) & P.told_at.is_(None) & P.person_id.not_in(REACHED)
    return int(await connection.scalar(select(func.count()).where(silent)) or 0)


async def told(unit: Unit, identifier: str, persons: Sequence[str]) -> None:
    """Note that these were told."""
    which = (P.breach_id == identifier) & P.person_id.in_(persons)
    await unit.connection.execute(update(breach_person).where(which).values(told_at=unit.now))


def _row(row: Any) -> BreachRow:
    scope = orjson.loads(row.scope)
    touched = (tuple(scope["tables"]), tuple(scope["stations"]), bytes(row.sealed), bool(row.is_risk))
    return BreachRow(
        row.id, row.known_at, row.since, row.until, *touched, row.opened_by, row.reported_at, row.closed_at
    )
