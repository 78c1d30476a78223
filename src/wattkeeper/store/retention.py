"""What is kept for so many days, or as long as tax law asks, and no longer, as the tables themselves say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, delete, exists, func, not_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.columns import Retention
from wattkeeper.store.privacy.legal_hold import HoldKind, held
from wattkeeper.store.tables import account, holding, metadata, payment, session
from wattkeeper.store.unit import Unit

DAYS: Mapping[Retention, int] = {Retention.DAYS_30: 30, Retention.DAYS_90: 90}
TAX_YEARS = 10
"""How many years tax law asks for, from the end of the year in which something was made."""
ANCHORS = ("issued_at", "last_at", "expires_at", "created_at", "since", "at")
"""From which instant the days of a row are counted: the first of these that its table has."""
TOGETHER = 500
"""Rows deleted in one transaction: few enough that stations need not wait for it."""


def passing() -> list[tuple[Table, Column[Any], timedelta]]:
    """The tables whose rows are all kept for so many days; from which column they count, and how long."""
    found = []
    for table in metadata.sorted_tables:
        days = {DAYS.get(column.info["retention"]) for column in table.columns}
        longest = max((day for day in days if day is not None), default=None)
        if longest is not None and None not in days:
            anchor = next(table.c[name] for name in ANCHORS if name in table.c)
            found.append((table, anchor, timedelta(days=longest)))
    return found


def taxed() -> list[tuple[Table, Column[Any]]]:
    """The tables whose rows are kept as long as tax law asks, and from which column that counts."""
    return [
        (table, next(table.c[name] for name in ANCHORS if name in table.c))
        for table in metadata.sorted_tables
        if {column.info["retention"] for column in table.columns} == {Retention.TAX}
    ]


def tax_end(now: datetime) -> datetime:
    """What was made before this instant has been kept as long as tax law asks."""
    return datetime(now.year - TAX_YEARS, 1, 1, tzinfo=UTC)


def due(now: datetime) -> list[tuple[Table, Column[Any], datetime]]:
    """From which tables something is to go: by which column, and what is older than which instant."""
    over = [(table, anchor, now - kept) for table, anchor, kept in passing()]
    return over + [(table, anchor, tax_end(now)) for table, anchor in taxed()]


def free(table: Table, now: datetime) -> ColumnElement[bool]:
    """Which rows of a table no legal hold keeps: not those of a person or a session that is held."""
    persons, c = held(HoldKind.PERSON, now), table.c
    theirs = select(holding.c.ref).where(holding.c.person_id.in_(persons))
    ran = exists(select(holding.c.id).where(holding.c.ref == session.c.token, holding.c.person_id.in_(persons)))
    sessions = select(session.c.id).where(or_(session.c.id.in_(held(HoldKind.SESSION, now)), ran))
    whose: Mapping[str, Any] = {
        "person_id": persons,
        "account_id": select(account.c.id).where(account.c.person_id.in_(persons)),
        "session_id": sessions,
        "token": theirs,
        "ref": theirs,
        "payment_id": select(payment.c.id).where(
            or_(payment.c.person_id.in_(persons), payment.c.session_id.in_(sessions))
        ),
    }
    kept = [func.coalesce(c[name].in_(ids), False) for name, ids in whose.items() if name in c]
    return and_(*(not_(one) for one in kept)) if kept else and_(True)


async def forget(unit: Unit, table: Table, anchor: Column[Any], before: datetime) -> int:
    """Delete some of the rows of a table made before an instant; gives how many, 0 where none are left.

    What a legal hold keeps stays.
    """
    keys = tuple_(*table.primary_key.columns)
    over = select(*table.primary_key.columns).where(anchor < before, free(table, unit.now)).limit(TOGETHER)
    rows = [tuple(row) for row in await unit.connection.execute(over)]
    if rows:
        await unit.connection.execute(delete(table).where(keys.in_(rows)))
    return len(rows)


async def oldest(connection: AsyncConnection, anchor: Column[Any]) -> datetime | None:
    """The instant of the oldest row that is left; None where there is none."""
    found: datetime | None = await connection.scalar(select(func.min(anchor)))
    return found


async def left(
    connection: AsyncConnection, table: Table, anchor: Column[Any], before: datetime, now: datetime
) -> tuple[int, int]:
    """How many rows made before an instant are still there, and how many of them a legal hold keeps."""
    counted = select(func.count()).select_from(table).where(anchor < before)
    whole = int(await connection.scalar(counted) or 0)
    loose = int(await connection.scalar(counted.where(free(table, now))) or 0) if whole else 0
    return whole, whole - loose
