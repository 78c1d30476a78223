"""Where stations stood and since when: what happened at a station happened at the site where it stood then."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.limits import BACKLOG
from wattkeeper.store.fold import HISTORY
from wattkeeper.store.tables import placement, session, station
from wattkeeper.store.unit import Unit

P, S = placement.c, session.c
ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
"""Since when a station stands at its first site: what it did before it was admitted here counts there too."""
_BACKLOG = BACKLOG // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stand:
    """A stretch of time at a site."""

    site: str
    since: datetime
    until: datetime | None
    """None: it stands there."""

    def overlaps(self, since: datetime, until: datetime) -> bool:
        """Whether it has anything of the span from an instant to before another."""
        return self.since < until and (self.until is None or self.until > since)

    def within(self, since: datetime, until: datetime) -> timedelta:
        """How much of such a span it has."""
        end = until if self.until is None else min(self.until, until)
        return max(end - max(self.since, since), timedelta(0))


# --- moving -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a station is found, for drivers and for the map."""

    address: str
    latitude: Decimal | None
    longitude: Decimal | None


async def spot(unit: Unit, name: str) -> Spot | None:
    """Where a station is found now; None where there is no such one."""
    c = station.c
    row = (await unit.connection.execute(select(c.address, c.latitude, c.longitude).where(c.id == name))).first()
    return None if row is None else Spot(*row)


async def put(
    unit: Unit, name: str, site: str, since: datetime | None = None, left: Spot | None = None
) -> datetime | None:
    """Let a station stand at a site since an instant, in place of what was known from then on.

    Gives the instant from which on it stands elsewhere than was known; None: that is no news.

    ``since`` None: from now on; or, where its place had no name yet, since it came there. Where it stands there
    already, that is when it came. ``left``: where it was found before; of a site left already, what was kept stays.
    """
    known = await of_station(unit.connection, name)
    last = known[-1] if known else None
    if last is not None and since is None:
        if last.site == site:
            return None
        since = unit.now if last.site else last.since
    is_dated = last is not None and last.site == site and len(known) > 1
    before = [one for one in (known[:-1] if is_dated else known) if since is not None and one.since < since]
    since = since if before and since is not None else ALWAYS
    mine = P.station_id == name
    over = P.since > before[-1].since if before else true()
    await unit.connection.execute(delete(placement).where(mine, over))
    goes_on = bool(before) and before[-1].site == site
    if before:
        is_kept = before[-1].until is not None and not goes_on
        told = {"until": since} if is_kept else _left(None if goes_on else since, left)
        await unit.connection.execute(update(placement).where(mine, P.since == before[-1].since).values(told))
    if not goes_on:
        await unit.connection.execute(insert(placement).values(station_id=name, since=since, until=None, site=site))
    now = await of_station(unit.connection, name)
    began = {(one.since, one.site) for one in known} ^ {(one.since, one.site) for one in now}
    return min((at for at, _ in began), default=None)


def _left(until: datetime | None, was: Spot | None) -> dict[str, Any]:
    """What is kept of a place that a station left; None: it stands there."""
    there = Spot("", None, None) if was is None else was
    if until is None:
        return {"until": None, "address": None, "latitude": None, "longitude": None}
    return {"until": until, "address": there.address, "latitude": there.latitude, "longitude": there.longitude}


async def of_station(connection: AsyncConnection, name: str) -> list[Stand]:
    """Where a station stood, in the order of time."""
    wanted = select(P.site, P.since, P.until).where(P.station_id == name).order_by(P.since)
    return [Stand(*row) for row in await connection.execute(wanted)]


async def is_site(connection: AsyncConnection, site: str) -> bool:
    """Whether any station stands or stood at a site of this name; an empty one: whether any at none."""
    return await connection.scalar(select(P.station_id).where(P.site == site).limit(1)) is not None


# --- parts of queries ---------------------------------------------------------------------------------------------


def session_at() -> ColumnElement[Any]:
    """The instant that says at which site a session ran: its start as it counts (`charging.limits.counted_at`).

    What was imported began when it is told to have begun, however long ago.
    """
    began, known = (type_coerce(column, BigInteger) for column in (S.started_at, S.known_at))
    counts = and_(began <= known, or_(began >= known - _BACKLOG, HISTORY))
    return case((counts, S.started_at), else_=S.known_at)


def holds(station_id: ColumnElement[Any], at: ColumnElement[Any]) -> ColumnElement[bool]:
    """Which row of `placement` says where a station stood at an instant."""
    return and_(P.station_id == station_id, P.since <= at, or_(P.until.is_(None), P.until > at))


def site_at(station_id: ColumnElement[Any], at: ColumnElement[Any]) -> ColumnElement[str]:
    """The site at which a station stood at an instant; empty: none."""
    stood = select(P.site).where(holds(station_id, at)).correlate_except(placement).limit(1).scalar_subquery()
    return func.coalesce(stood, "")


def session_site() -> ColumnElement[str]:
    """The site at which a session ran; empty: none."""
    return site_at(S.station_id, session_at())


def found_at(column: str, at: ColumnElement[Any], station_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """The address, latitude or longitude of where a station stood at an instant; null: not known."""
    now = select(station.c[column]).where(station.c.id == P.station_id).scalar_subquery()
    where = case((P.until.is_(None), now), else_=P[column])
    return select(where).where(holds(station_id, at)).correlate_except(placement).limit(1).scalar_subquery()


def session_found(column: str) -> ColumnElement[Any]:
    """The address, latitude or longitude of where a session ran, by that name; null: not known."""
    return found_at(column, session_at(), S.station_id).label(column)


def here_since(station_id: ColumnElement[Any]) -> ColumnElement[datetime]:
    """Since when a station stands where it stands; `ALWAYS`, or null: it always did."""
    here = (P.station_id == station_id, P.until.is_(None))
    return select(P.since).where(*here).correlate_except(placement).limit(1).scalar_subquery()


def stood_at(station_id: ColumnElement[Any], at: ColumnElement[Any], sites: Collection[str]) -> ColumnElement[bool]:
    """Whether a station stood at one of these sites at an instant; never at those without a name."""
    where = (holds(station_id, at), P.site.in_(sorted(sites)), P.site != "")
    return exists(select(P.station_id).where(*where).correlate_except(placement))
