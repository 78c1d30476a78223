"""What the security audit reads of stations, keys, deadlines and columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.store import retention
from wattkeeper.store.tables import deed, log_cosignature, look, metadata, station, subject_key

GRACE = timedelta(days=2)
"""The nightly job may be late once."""


@dataclass(frozen=True, slots=True)
class KeyAge:
    """A station, and since when it has its key."""

    station: str
    since: datetime


async def station_keys(connection: AsyncConnection) -> list[KeyAge]:
    """Since when each station has its key."""
    rows = await connection.execute(select(station.c.id, station.c.created_at).order_by(station.c.id))
    asked = select(deed.c.subject, func.max(deed.c.at)).where(
        deed.c.kind == DeedKind.STATION.value, deed.c.body.contains('"another key"')
    )
    changed = {name: at for name, at in await connection.execute(asked.group_by(deed.c.subject))}
    return [KeyAge(identifier, max(since, changed.get(identifier, since))) for identifier, since in rows]


async def begun_at(connection: AsyncConnection) -> datetime | None:
    """Since when the installation is: when its first key was made."""
    at: datetime | None = await connection.scalar(select(func.min(subject_key.c.created_at)))
    return at


async def done_last(connection: AsyncConnection, kind: DeedKind) -> datetime | None:
    """When something was last done; None: never."""
    asked = select(deed.c.at).where(deed.c.kind == kind.value).order_by(deed.c.n.desc()).limit(1)
    at: datetime | None = await connection.scalar(asked)
    return at


async def witnesses(connection: AsyncConnection) -> dict[str, tuple[datetime, int]]:
    """By witness when it last signed a checkpoint, and the largest that it has."""
    W = log_cosignature.c  # noqa: N806 - as columns are called everywhere
    rows = await connection.execute(select(W.witness, func.max(W.at), func.max(W.size)).group_by(W.witness))
    return {name: (at, int(size)) for name, at, size in rows}


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
