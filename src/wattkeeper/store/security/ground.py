"""What the security audit reads of stations, keys, deadlines and columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store import retention
from wattkeeper.store.tables import look, metadata, station, subject_key

YEARS = "invoices:"
"""Keys of what tax law asks for: one a year, destroyed when its time is over and never rotated before."""
PERSONS = "person:"
GRACE = timedelta(days=2)
"""The nightly job may be late once."""


@dataclass(frozen=True, slots=True)
class KeyAge:
    """A station, and since when it has its key."""

    station: str
    since: datetime


@dataclass(frozen=True, slots=True)
class VaultKey:
    """A key of the vault that is nobody's in particular, and since when it is as it is."""

    name: str
    since: datetime


async def station_keys(connection: AsyncConnection) -> list[KeyAge]:
    """Since when each station has its key."""
    rows = await connection.execute(select(station.c.id, station.c.created_at).order_by(station.c.id))
    return [KeyAge(identifier, since) for identifier, since in rows]


async def vault_keys(connection: AsyncConnection) -> list[VaultKey]:
    """The newest of each kind of key."""
    shared = (~subject_key.c.subject.startswith(PERSONS), ~subject_key.c.subject.startswith(YEARS))
    newest: dict[str, datetime] = {}
    for subject, since in await connection.execute(
        select(subject_key.c.subject, subject_key.c.created_at).where(*shared)
    ):
        name = re.sub(r":\d+$", "", subject)
        newest[name] = max(since, newest.get(name, since))
    return [VaultKey(name, since) for name, since in sorted(newest.items())]


async def unreviewed(connection: AsyncConnection, before: datetime) -> list[tuple[str, datetime]]:
    """Looks that broke the glass before an instant and that nobody has reviewed: their ids, and when."""
    L = look.c  # noqa: N806 - as columns are called everywhere
    open_ones = (L.is_emergency, L.reviewed_at.is_(None), L.opened_at < before)
    rows = await connection.execute(select(L.id, L.opened_at).where(*open_ones).order_by(L.opened_at))
    return [(identifier, at) for identifier, at in rows]


async def unexplained(connection: AsyncConnection) -> tuple[int, list[str]]:
    """How many columns the database has, and which of them have no purpose, basis or retention in the tables."""

    def read(sync: Connection) -> list[tuple[str, str]]:
        found = inspect(sync)
        names = [one for one in found.get_table_names() if one != "alembic_version" and not one.startswith("sqlite_")]
        return [(table, column["name"]) for table in names for column in found.get_columns(table)]

    there = await connection.run_sync(read)
    return len(there), [f"{table}.{column}" for table, column in there if not _is_explained(table, column)]


def _is_explained(table: str, column: str) -> bool:
    """Whether the tables say why a column is kept, on what basis and how long."""
    known = metadata.tables.get(table)
    if known is None or column not in known.columns:
        return False
    return all(known.columns[column].info.get(word) for word in ("purpose", "basis", "retention"))


async def overdue(connection: AsyncConnection, now: datetime) -> list[tuple[str, int, int]]:
    """Tables with rows whose time is over for two days and more: the table, how many, and days since the oldest."""
    found = []
    for table, anchor, before in retention.due(now):
        late = (anchor < before - GRACE, retention.free(table, now))
        count, oldest = (await connection.execute(select(func.count(), func.min(anchor)).where(*late))).one()
        if count:
            found.append((table.name, int(count), (before - oldest).days))
    return found
