"""Reliability as it is read: uptime of ports over a span, outages, and what became of attempts; for a viewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, and_, case, func, literal, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.statistics.attempt import Counts, Kind, Some
from wattkeeper.charging.statistics.uptime import LINE, Cause, Exclusion, Uptime
from wattkeeper.store import reach
from wattkeeper.store.columns import to_micros
from wattkeeper.store.statistics.total import WHOLE, Part, stretches
from wattkeeper.store.tables import attempt, attempt_day, attempt_month, exclusion, outage, port, station

P, OUT, A, X, S = port.c, outage.c, attempt.c, exclusion.c, station.c
SECOND = Decimal(1_000_000)
FOR_EVER = 2**62
"""Beyond every instant, in microseconds."""


class Which(StrEnum):
    """Which outages of a span are meant."""

    ALL = ""
    BEGAN = "began"
    """Those that began in it; what goes on for another cause is the same one."""
    MENDED = "mended"
    """Faults that ended in it."""
    EXCLUDED = "excluded"
    """Those of which some does not count."""


@dataclass(frozen=True, slots=True)
class PortRow:
    """A port of a station that is admitted, and when something was told of it first."""

    station: str
    label: str
    site: str
    evse: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class OutageRow:
    """An outage, and why it does not count where staff said so."""

    station: str
    evse: int
    since: datetime
    until: datetime | None
    cause: Cause
    error: str
    began: datetime
    is_over: bool
    excluded: Exclusion | None = None
    exclusion: str = ""
    """The id of what excludes it."""


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt, and what became of it."""

    station: str
    evse: int
    since: datetime
    until: datetime | None
    kind: Kind
    reason: str
    session: str | None


async def ports(connection: AsyncConnection, viewer: Viewer, before: datetime, part: Part = WHOLE) -> list[PortRow]:
    """The ports that were told of before an instant, by station and number; of stations that ever connected."""
    first = func.min(P.first_at)
    heard = select(P.station_id).where(P.evse == LINE)
    named = select(P.station_id, S.label, S.site, P.evse, type_coerce(first, P.first_at.type))
    wanted = named.join(station, S.id == P.station_id).where(
        P.evse > 0, P.station_id.in_(heard), *_within(viewer, P.station_id, part)
    )
    wanted = wanted.group_by(P.station_id, S.label, S.site, P.evse).having(first < before)
    return [PortRow(*row) for row in await connection.execute(wanted.order_by(S.site, P.station_id, P.evse))]


async def down(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime, part: Part = WHOLE
) -> dict[tuple[str, int], Uptime]:
    """Outages of each port within a span: how long, how many began, how many faults ended; ``known_s`` is left out.

    One that goes on counts until the span's end, which must not lie ahead.
    """
    low, high = to_micros(since), to_micros(until)
    begin, end = _whole(OUT.since), func.coalesce(_whole(OUT.until), literal(FOR_EVER, BigInteger))
    fault = _whole(OUT.fault_at)
    is_new = and_(begin == _whole(OUT.began), begin >= low)
    is_mended = and_(OUT.is_over.is_(True), OUT.fault_at.is_not(None), end <= high)
    sums = (
        func.sum(_lower(end, high) - _higher(begin, low)),
        func.sum(case((is_new, 1), else_=0)),
        func.sum(case((is_mended, 1), else_=0)),
        func.sum(case((is_mended, end - fault), else_=0)),
    )
    lately = or_(OUT.until.is_(None), OUT.until > since)
    within = (OUT.since < until, lately, *_within(viewer, OUT.station_id, part))
    wanted = select(OUT.station_id, OUT.evse, *sums).where(*within).group_by(OUT.station_id, OUT.evse)
    apart = await _excluded(connection, viewer, low, high, part)
    return {
        (name, evse): Uptime(
            out_s=int(out) / SECOND,
            excluded_s=apart.get((name, evse), 0) / SECOND,
            outages=int(new),
            repairs=int(mended),
            repair_s=int(repair) / SECOND,
        )
        for name, evse, out, new, mended, repair in await connection.execute(wanted)
    }


async def _excluded(
    connection: AsyncConnection, viewer: Viewer, low: int, high: int, part: Part
) -> dict[tuple[str, int], int]:
    """How much of the outages of each port does not count, microseconds; spans that exclude never overlap."""
    end = _lower(func.coalesce(_whole(OUT.until), literal(FOR_EVER, BigInteger)), high)
    begin = _higher(_whole(OUT.since), low)
    first, last = _higher(begin, _whole(X.since)), _lower(end, _whole(X.until))
    same = and_(OUT.station_id == X.station_id, OUT.evse == X.evse)
    wanted = select(X.station_id, X.evse, func.sum(last - first)).join(outage, same)
    wanted = wanted.where(last > first, *_within(viewer, X.station_id, part)).group_by(X.station_id, X.evse)
    return {(name, evse): int(span) for name, evse, span in await connection.execute(wanted)}


async def outages(
    connection: AsyncConnection,
    viewer: Viewer,
    since: datetime,
    until: datetime,
    part: Part = WHOLE,
    *,
    is_open: bool = False,
    limit: int = 200,
    skip: int = 0,
    evse: int | None = None,
    which: Which = Which.ALL,
) -> list[OutageRow]:
    """The newest outages within a span, or those of them that go on; the longest of these first."""
    ended = func.coalesce(_whole(OUT.until), literal(FOR_EVER, BigInteger))
    goes_on = OUT.until.is_(None) if is_open else ended > to_micros(since)
    within = [OUT.since < until, goes_on, *_within(viewer, OUT.station_id, part)]
    within += [] if evse is None else [OUT.evse == evse]
    if which is Which.BEGAN:
        within.append(and_(_whole(OUT.since) == _whole(OUT.began), OUT.since >= since))
    if which is Which.MENDED:
        within.append(and_(OUT.is_over.is_(True), OUT.fault_at.is_not(None), OUT.until <= until))
    begun = or_(OUT.until.is_(None), X.since < OUT.until)
    apart = and_(X.station_id == OUT.station_id, X.evse == OUT.evse, begun, X.until > OUT.since)
    why = select(X.id).where(apart).correlate(outage).order_by(X.since).limit(1).scalar_subquery()
    told = (OUT.station_id, OUT.evse, OUT.since, OUT.until, OUT.cause, OUT.error, OUT.began, OUT.is_over)
    joined = select(*told, X.reason, X.id).select_from(outage).outerjoin(exclusion, X.id == why).where(*within)
    if which is Which.EXCLUDED:
        joined = joined.where(X.id.is_not(None))
    order = (OUT.began, OUT.station_id) if is_open else (OUT.since.desc(), OUT.station_id)
    rows = await connection.execute(joined.order_by(*order, OUT.evse).limit(limit).offset(skip))
    return [_outage(row) for row in rows]


def _outage(row: Any) -> OutageRow:
    excluded = None if row.reason is None else Exclusion(row.reason)
    told = (row.station_id, row.evse, row.since, row.until, Cause(row.cause), row.error, row.began, bool(row.is_over))
    return OutageRow(*told, excluded, row.id or "")


# --- attempts -----------------------------------------------------------------------------------------------------


async def counts(
    connection: AsyncConnection, viewer: Viewer, first: date, until: date, part: Part = WHOLE
) -> dict[tuple[str, int], Counts]:
    """How many attempts from one day to before another became what, by port; EVSE 0: not told."""
    found: dict[tuple[str, int], Counter[tuple[Kind, str]]] = {}
    for is_month, low, high in stretches(first, until):
        table = attempt_month if is_month else attempt_day
        c, span = table.c, table.c["month" if is_month else "day"]
        of = (c.station_id, c.evse, c.kind, c.reason)
        within = (span >= low, span < high, *_within(viewer, c.station_id, part))
        wanted = select(*of, func.sum(c.attempts)).where(*within).group_by(*of)
        for name, evse, kind, reason, count in await connection.execute(wanted):
            if count:
                found.setdefault((name, evse), Counter())[Kind(kind), reason] += int(count)
    return dict(found)


async def attempts(
    connection: AsyncConnection,
    viewer: Viewer,
    since: datetime,
    until: datetime,
    what: Sequence[Some],
    part: Part = WHOLE,
    limit: int = 100,
    skip: int = 0,
    evse: int | None = None,
) -> list[AttemptRow]:
    """The newest attempts of a span that are over and became one of these."""
    of = [or_(*(_is(one) for one in what)), A.since >= since, A.since < until, A.until.is_not(None)]
    of += [] if evse is None else [A.evse == evse]
    wanted = select(A.station_id, A.evse, A.since, A.until, A.kind, A.reason, A.session_id)
    wanted = wanted.where(*of, *_within(viewer, A.station_id, part))
    order = (A.since.desc(), A.station_id, A.kind, A.name)
    rows = await connection.execute(wanted.order_by(*order).limit(limit).offset(skip))
    return [AttemptRow(*row[:4], Kind(row.kind), row.reason, row.session_id) for row in rows]


def _is(some: Some) -> ColumnElement[bool]:
    """Whether an attempt is one of some."""
    names = sorted(some.reasons)
    return and_(A.kind == some.kind.value, A.reason.not_in(names) if some.but else A.reason.in_(names))


# --- parts of queries ---------------------------------------------------------------------------------------------


def _within(viewer: Viewer, station_id: Column[Any], part: Part) -> list[ColumnElement[bool]]:
    """What the viewer may read of stations that are admitted, and of that the part."""
    there = select(S.id)
    if part.site is not None:
        there = there.where(S.site == part.site)
    if part.station is not None:
        there = there.where(S.id == part.station)
    return [reach.totals(viewer, station_id), station_id.in_(there)]


def _whole(column: Column[Any]) -> ColumnElement[int]:
    """An instant as the number that is kept."""
    return type_coerce(column, BigInteger)


def _lower(one: ColumnElement[int], other: ColumnElement[int] | int) -> ColumnElement[int]:
    """The lower of two numbers, on both engines."""
    return case((one < other, one), else_=other)


def _higher(one: ColumnElement[int], other: ColumnElement[int] | int) -> ColumnElement[int]:
    """The higher of two numbers, on both engines."""
    return case((one > other, one), else_=other)
