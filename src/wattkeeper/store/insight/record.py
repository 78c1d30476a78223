"""The sessions that aggregates are made from: whose they were, where, when, how much; no more is read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, tzinfo

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.insight.contribution import Record
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import holding, session

S, H, P = session.c, holding.c, placement.P


async def records(
    connection: AsyncConnection,
    since: datetime,
    until: datetime,
    zone: tzinfo,
    drivers: Collection[str],
) -> list[Record]:
    """The ended sessions of these drivers that began from an instant until before another, driver by driver.

    Whose a session was is asked as in `store/reach.py`; what is in doubt is nobody's, and does not count.
    """
    still = or_(H.until.is_(None), S.known_at < H.until)
    theirs = and_(H.ref == S.token, S.started_at >= H.since, S.known_at >= H.since, still)
    wanted = select(H.person_id, placement.session_site(), S.started_at, S.ended_at, S.energy_wh)
    wanted = wanted.select_from(session.join(holding, theirs))
    wanted = wanted.where(S.started_at >= since, S.started_at < until, ~S.live, S.ended_at > S.started_at)
    wanted = wanted.where(S.energy_wh.is_not(None)).order_by(H.person_id, S.started_at, S.id)
    found = []
    async for person, site, began, ended, energy_wh in await connection.stream(wanted):
        if person in drivers:
            stay_s = int((ended - began).total_seconds())
            found.append(Record(person, site, began.astimezone(zone), stay_s, int(energy_wh)))
    return found


async def sites(connection: AsyncConnection) -> list[str]:
    """The names of all sites: where stations stand or stood is public."""
    rows = await connection.execute(select(P.site).where(P.site != "").distinct())
    return sorted(site for (site,) in rows)
