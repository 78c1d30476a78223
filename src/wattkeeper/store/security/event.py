"""Security events: one row for each case and subject while it goes on, with how often."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import security_event
from wattkeeper.store.unit import Unit

E = security_event.c
SEVERAL = "*"
"""The origin of what came from several places."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that was tried, for as long as it went on."""

    case: str
    subject: str
    at: datetime
    last_at: datetime
    count: int
    origin: str


@dataclass(frozen=True, slots=True)
class Sought:
    """Which events: since when, of which case, at which subject; empty is all."""

    since: datetime
    case: str = ""
    subject: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class CaseSum:
    """How often a case came up."""

    case: str
    events: int
    count: int
    subjects: int
    last_at: datetime


def keep(unit: Unit, rows: Iterable[EventRow]) -> None:
    """Write events as they stand now, at the next flush; one that goes on replaces what was written of it."""
    for row in rows:
        at, last = to_micros(row.at), to_micros(row.last_at)
        unit.upsert(
            security_event, (row.case, row.subject, at), (row.case, row.subject, at, last, row.count, row.origin)
        )


async def find(connection: AsyncConnection, viewer: Viewer, sought: Sought, limit: int) -> list[EventRow]:
    """The newest events that are sought (scope security:read)."""
    viewer.need(Scope.SECURITY_READ)
    asked = select(security_event).where(*_where(sought)).order_by(E.last_at.desc(), E.case, E.subject).limit(limit)
    return [EventRow(*row) for row in await connection.execute(asked)]


async def sums(connection: AsyncConnection, viewer: Viewer, sought: Sought) -> list[CaseSum]:
    """How often each case came up among those sought, the most frequent first (scope security:read)."""
    viewer.need(Scope.SECURITY_READ)
    often = func.sum(E.count)
    figures = (E.case, func.count(), often, func.count(func.distinct(E.subject)), func.max(E.last_at))
    asked = select(*figures).where(*_where(sought)).group_by(E.case).order_by(often.desc(), E.case)
    return [CaseSum(case, n, int(count), who, last) for case, n, count, who, last in await connection.execute(asked)]


async def counts(connection: AsyncConnection, since: datetime, cases: Collection[str]) -> list[tuple[str, str, int]]:
    """How often these cases came up since then, by case and subject."""
    asked = select(E.case, E.subject, func.sum(E.count)).where(E.last_at >= since, E.case.in_(cases))
    rows = await connection.execute(asked.group_by(E.case, E.subject))
    return [(case, subject, int(count)) for case, subject, count in rows]


def _where(sought: Sought) -> list[ColumnElement[bool]]:
    """The conditions of what is sought."""
    given = [(E.case, sought.case), (E.subject, sought.subject), (E.origin, sought.origin)]
    return [E.last_at >= sought.since, *(column == value for column, value in given if value)]
