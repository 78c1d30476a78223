"""Reliability as it is read: uptime of ports over a span, outages, and what became of attempts; for a viewer.

All of it is of the sites at which stations stood when it happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.charging.statistics.attempt import Counts, Kind, Some
from wattkeeper.charging.statistics.span import Span
from wattkeeper.charging.statistics.uptime import LINE, Cause, Exclusion, Uptime
from wattkeeper.store import reach
from wattkeeper.store.columns import to_micros
from wattkeeper.store.stations.placement import Stand, holds
from wattkeeper.store.statistics.total import WHOLE, Part, stretches
from wattkeeper.store.tables import attempt, attempt_day, attempt_month, exclusion, outage, placement, port, station

P, OUT, A, X, S, AT = port.c, outage.c, attempt.c, exclusion.c, station.c, placement.c
SECOND = Decimal(1_000_000)
FOR_EVER = 2**62
"""Beyond every instant, in microseconds."""
Spot = tuple[str, str, int]
"""A site, a station that stood there, and its EVSE."""
TOLD = (OUT.station_id, OUT.evse, OUT.since, OUT.until, OUT.cause, OUT.error, OUT.began, OUT.is_over)
STOOD = (AT.site, AT.since.label("came"), AT.until.label("left"))
"""What is read of an outage, and of where its station stood."""


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
    """A port of a station that is admitted, at a site where it stood, and when something was told of it there first."""

    station: str
    label: str
    site: str
    evse: int
    first_at: datetime
    stands: tuple[Stand, ...]
    """When it stood at that site."""

    @property
    def spot(self) -> Spot:
        """Its site, station and EVSE."""
        return self.site, self.station, self.evse

    def known(self, since: datetime, until: datetime) -> timedelta:
        """How long it was there in a span that has come so far."""
        return sum((one.within(max(since, self.first_at), until) for one in self.stands), timedelta(0))


@dataclass(frozen=True, slots=True)
class OutageRow:
    """An outage, and why it does not count where staff said so."""

    station: str
    evse: int
    site: str
    """Where the station stood when it began, or when the viewer may first know of it."""
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
    """The ports that were told of before an instant, by site, station and number; of stations that ever connected."""
    first = func.min(P.first_at)
    heard = select(P.station_id).where(P.evse == LINE)
    named = select(P.station_id, S.label, AT.site, P.evse, type_coerce(first, P.first_at.type), AT.since, AT.until)
    wanted = named.join(station, S.id == P.station_id).join(placement, AT.station_id == P.station_id)
    wanted = wanted.where(P.evse > 0, P.station_id.in_(heard), AT.since < before, *_stood(viewer, part))
    wanted = wanted.group_by(P.station_id, S.label, AT.site, P.evse, AT.since, AT.until).having(first < before)
    found: dict[Spot, PortRow] = {}
    for name, label, site, evse, first_at, since, until in await connection.execute(wanted.order_by(AT.since)):
        if until is None or first_at < until:
            fresh = PortRow(name, label, site, evse, max(first_at, since), ())
            known = found.get((site, name, evse), fresh)
            found[site, name, evse] = replace(known, stands=(*known.stands, Stand(site, since, until)))
    return [found[key] for key in sorted(found)]


async def down(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime, part: Part = WHOLE
) -> dict[Spot, Uptime]:
    """Outages of each port within a span: how long, how many began, how many faults ended; ``known_s`` is left out.

    One that goes on counts until the span's end, which must not lie ahead.
    """
    low, high = to_micros(since), to_micros(until)
    begin, end, came, left = _whole(OUT.since), _end(OUT.until), _whole(AT.since), _end(AT.until)
    is_new = and_(begin == _whole(OUT.began), begin >= low, begin >= came, begin < left)
    is_mended = and_(OUT.is_over.is_(True), OUT.fault_at.is_not(None), end <= high, end > came, end <= left)
    sums = (
        func.sum(_lasted(since, until)),
        func.sum(case((is_new, 1), else_=0)),
        func.sum(case((is_mended, 1), else_=0)),
        func.sum(case((is_mended, end - _whole(OUT.fault_at)), else_=0)),
    )
    of = (AT.site, OUT.station_id, OUT.evse)
    wanted = select(*of, *sums).join(placement, _there(since, until)).where(*_admitted(viewer, OUT.station_id, part))
    apart = await _excluded(connection, viewer, low, high, part)
    return {
        (site, name, evse): Uptime(
            out_s=int(lost) / SECOND,
            excluded_s=apart.get((site, name, evse), 0) / SECOND,
            outages=int(new),
            repairs=int(mended),
            repair_s=int(repair) / SECOND,
        )
        for site, name, evse, lost, new, mended, repair in await connection.execute(wanted.group_by(*of))
    }


async def _excluded(connection: AsyncConnection, viewer: Viewer, low: int, high: int, part: Part) -> dict[Spot, int]:
    """How much of the outages of each port does not count, microseconds; spans that exclude never overlap."""
    begin, end = _stretch()
    first, last = _higher(_higher(begin, low), _whole(X.since)), _lower(_lower(end, high), _whole(X.until))
    of, same = (AT.site, X.station_id, X.evse), and_(OUT.station_id == X.station_id, OUT.evse == X.evse)
    wanted = select(*of, func.sum(last - first)).join(outage, same).join(placement, AT.station_id == X.station_id)
    wanted = wanted.where(last > first, *_admitted(viewer, X.station_id, part)).group_by(*of)
    return {(site, name, evse): int(span) for site, name, evse, span in await connection.execute(wanted)}


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
    """The newest outages within a span, or those of them that go on; the longest of these first.

    What a host is told of one begins and ends with the station's time at their site.
    """
    goes_on = OUT.until.is_(None) if is_open else _end(OUT.until) > to_micros(since)
    within = [OUT.since < until, goes_on, OUT.station_id.in_(select(S.id))]
    within += [] if evse is None else [OUT.evse == evse]
    within += _are(which, since, until)
    begun = or_(OUT.until.is_(None), X.since < OUT.until)
    apart = and_(X.station_id == OUT.station_id, X.evse == OUT.evse, begun, X.until > OUT.since)
    why = select(X.id).where(apart).correlate(outage).order_by(X.since).limit(1).scalar_subquery()
    came = _came(viewer, since, until, part, is_open=is_open, is_last=which is Which.MENDED)
    there = and_(AT.station_id == OUT.station_id, AT.since == came)
    joined = select(*TOLD, *STOOD, X.reason, X.id).select_from(outage).join(placement, there)
    order = (OUT.began, OUT.station_id) if is_open else (OUT.since.desc(), OUT.station_id)
    asked = joined.outerjoin(exclusion, X.id == why).where(*within).order_by(*order, OUT.evse)
    is_host = viewer.reach(Scope.SESSIONS_READ) is Reach.SITES
    return [_outage(row, is_cut=is_host) for row in await connection.execute(asked.limit(limit).offset(skip))]


async def longest(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime, spots: Collection[Spot], limit: int
) -> list[OutageRow]:
    """Of the outages of some ports within a span, those that lasted longest in it.

    Each is cut to when its station stood at the site of its port: one that goes on elsewhere is another row there.
    """
    begin, end = _stretch()
    same = (X.station_id == OUT.station_id, X.evse == OUT.evse, _whole(X.since) < end, _whole(X.until) > begin)
    why = select(X.id).where(*same).correlate(outage, placement).order_by(X.since).limit(1).scalar_subquery()
    wanted = select(*TOLD, *STOOD, X.reason, X.id).select_from(outage).join(placement, _there(since, until))
    wanted = wanted.outerjoin(exclusion, X.id == why).where(*_of(viewer, spots))
    order = (_lasted(since, until).desc(), OUT.since.desc(), OUT.station_id, OUT.evse, AT.since)
    return [_outage(row, is_cut=True) for row in await connection.execute(wanted.order_by(*order).limit(limit))]


async def causes(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime, spots: Collection[Spot]
) -> dict[Spot, dict[Cause, timedelta]]:
    """How long some ports were out within a span, and for which cause."""
    of = (AT.site, OUT.station_id, OUT.evse, OUT.cause)
    wanted = select(*of, func.sum(_lasted(since, until))).join(placement, _there(since, until))
    wanted = wanted.where(*_of(viewer, spots)).group_by(*of)
    found: dict[Spot, dict[Cause, timedelta]] = {}
    for site, name, evse, cause, spent in await connection.execute(wanted):
        found.setdefault((site, name, evse), {})[Cause(cause)] = timedelta(microseconds=int(spent))
    return found


def _are(which: Which, since: datetime, until: datetime) -> Iterator[ColumnElement[bool]]:
    """Which outages of a span are meant, where the station stood then."""
    if which is Which.BEGAN:
        yield and_(_whole(OUT.since) == _whole(OUT.began), OUT.since >= since, OUT.since >= AT.since)
    if which is Which.MENDED:
        yield and_(OUT.is_over.is_(True), OUT.fault_at.is_not(None), OUT.until <= until)
        yield _whole(OUT.until) <= _end(AT.until)
    if which is Which.EXCLUDED:
        yield X.id.is_not(None)


def _came(
    viewer: Viewer, since: datetime, until: datetime, part: Part, *, is_open: bool, is_last: bool
) -> ColumnElement[Any]:
    """When the station of an outage came to the first, or last, site at which it stood then, of those asked for."""
    one = placement.alias("stood")
    within = (_whole(one.c.since) < _end(OUT.until), _end(one.c.until) > _whole(OUT.since))
    now = one.c.until.is_(None) if is_open else and_(one.c.since < until, _end(one.c.until) > to_micros(since))
    there = (one.c.station_id == OUT.station_id, *within, now, *_stood(viewer, part, one))
    order = one.c.since.desc() if is_last else one.c.since
    return select(one.c.since).where(*there).correlate(outage).order_by(order).limit(1).scalar_subquery()


def _outage(row: Any, *, is_cut: bool) -> OutageRow:
    """An outage of its row; ``is_cut``: of it, what was while the station stood there."""
    since, until, began, is_over = row.since, row.until, row.began, bool(row.is_over)
    if is_cut:
        since, began = max(since, row.came), max(began, row.came)
        if row.left is not None and (until is None or until > row.left):
            until, is_over = row.left, False
    excluded = None if row.reason is None else Exclusion(row.reason)
    told = (row.station_id, row.evse, row.site, since, until, Cause(row.cause), row.error, began, is_over)
    return OutageRow(*told, excluded, row.id or "")


# --- attempts -----------------------------------------------------------------------------------------------------


async def counts(
    connection: AsyncConnection, viewer: Viewer, span: Span, zone: tzinfo, part: Part = WHOLE
) -> dict[Spot, Counts]:
    """How many attempts of a span became what, by port and site; EVSE 0: not told.

    What is counted by day knows no site: of a station that moved within the span, each attempt is looked at.
    """
    since, until = span.bounds(zone)
    moved = select(AT.station_id).where(AT.since > since, AT.since < until)
    found: dict[Spot, Counter[tuple[Kind, str]]] = {}
    for is_month, low, high in stretches(span.first, span.until):
        table = attempt_month if is_month else attempt_day
        c, days = table.c, table.c["month" if is_month else "day"]
        of = (AT.site, c.station_id, c.evse, c.kind, c.reason)
        there = and_(AT.station_id == c.station_id, AT.since <= since, _end(AT.until) > to_micros(since))
        within = (days >= low, days < high, c.station_id.not_in(moved), *_admitted(viewer, c.station_id, part))
        wanted = select(*of, func.sum(c.attempts)).join(placement, there).where(*within)
        _add(found, await connection.execute(wanted.group_by(*of)))
    of = (AT.site, A.station_id, A.evse, A.kind, A.reason)
    within = (A.since >= since, A.since < until, A.until.is_not(None), A.station_id.in_(moved))
    each = select(*of, func.count()).join(placement, holds(A.station_id, A.since)).where(*within)
    _add(found, await connection.execute(each.where(*_admitted(viewer, A.station_id, part)).group_by(*of)))
    return dict(found)


def _add(found: dict[Spot, Counter[tuple[Kind, str]]], rows: Iterable[Any]) -> None:
    """Add counts of their rows."""
    for site, name, evse, kind, reason, count in rows:
        if count:
            found.setdefault((site, name, evse), Counter())[Kind(kind), reason] += int(count)


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
    wanted = wanted.join(placement, holds(A.station_id, A.since)).where(*of, *_admitted(viewer, A.station_id, part))
    order = (A.since.desc(), A.station_id, A.kind, A.name)
    rows = await connection.execute(wanted.order_by(*order).limit(limit).offset(skip))
    return [AttemptRow(*row[:4], Kind(row.kind), row.reason, row.session_id) for row in rows]


def _is(some: Some) -> ColumnElement[bool]:
    """Whether an attempt is one of some."""
    names = sorted(some.reasons)
    return and_(A.kind == some.kind.value, A.reason.not_in(names) if some.but else A.reason.in_(names))


# --- parts of queries ---------------------------------------------------------------------------------------------


def _stood(viewer: Viewer, part: Part, table: FromClause = placement) -> Iterator[ColumnElement[bool]]:
    """Of where stations stood, what the viewer may read, and of that the part."""
    yield reach.site_totals(viewer, table.c.site)
    if part.site is not None:
        yield table.c.site == part.site
    if part.station is not None:
        yield table.c.station_id == part.station


def _admitted(viewer: Viewer, station_id: Column[Any], part: Part) -> Iterator[ColumnElement[bool]]:
    """The same, of stations that are admitted."""
    yield from _stood(viewer, part)
    yield station_id.in_(select(S.id))


def _of(viewer: Viewer, spots: Collection[Spot]) -> Iterator[ColumnElement[bool]]:
    """Outages of some ports, each at its site, of those that the viewer may read."""
    yield from _admitted(viewer, OUT.station_id, WHOLE)
    yield OUT.station_id.in_({name for _, name, _ in spots})
    yield or_(*(and_(AT.site == site, OUT.station_id == name, OUT.evse == evse) for site, name, evse in spots))


def _there(since: datetime, until: datetime) -> ColumnElement[bool]:
    """Where the station of an outage stood within a span while it was out."""
    out = (_whole(OUT.since) < _end(AT.until), _end(OUT.until) > _whole(AT.since))
    lately = (OUT.since < until, or_(OUT.until.is_(None), OUT.until > since))
    stood = (AT.since < until, _end(AT.until) > to_micros(since))
    return and_(AT.station_id == OUT.station_id, *lately, *stood, *out)


def _stretch() -> tuple[ColumnElement[int], ColumnElement[int]]:
    """From when until when an outage went on while its station stood there, microseconds."""
    return _higher(_whole(OUT.since), _whole(AT.since)), _lower(_end(OUT.until), _end(AT.until))


def _lasted(since: datetime, until: datetime) -> ColumnElement[int]:
    """How much of a span that is, microseconds."""
    begin, end = _stretch()
    return _lower(end, to_micros(until)) - _higher(begin, to_micros(since))


def _whole(column: ColumnElement[Any]) -> ColumnElement[int]:
    """An instant as the number that is kept."""
    return type_coerce(column, BigInteger)


def _end(column: ColumnElement[Any]) -> ColumnElement[int]:
    """The same of an end; of what goes on, beyond every instant."""
    return func.coalesce(_whole(column), literal(FOR_EVER, BigInteger))


def _lower(one: ColumnElement[int], other: ColumnElement[int] | int) -> ColumnElement[int]:
    """The lower of two numbers, on both engines."""
    return case((one < other, one), else_=other)


def _higher(one: ColumnElement[int], other: ColumnElement[int] | int) -> ColumnElement[int]:
    """The higher of two numbers, on both engines."""
    return case((one > other, one), else_=other)
