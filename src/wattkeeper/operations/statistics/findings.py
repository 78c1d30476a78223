"""Findings: what the last whole month suggests at each site that a viewer may see, the greatest amount first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, tzinfo

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.statistics.savings import UNUSED, Finding, Seen, findings, foremost, unused
from wattkeeper.charging.statistics.terms import terms_at
from wattkeeper.operations.statistics.use import need_totals
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.statistics import share, terms, total
from wattkeeper.store.statistics.total import Part

MOST_KEPT = 500
"""So many sites' findings are kept until what they are of changes."""
MOST_SITES = 20
"""So many sites are looked at together: those with the most energy in the month."""
YEAR = timedelta(days=365)
"""What was used before is not looked for further back: it would cost the more the longer an installation runs."""


class Findings:
    """What could be saved, stands idle, or is near."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._kept: dict[Seen, list[Finding]] = {}

    async def of(self, viewer: Viewer, site: str | None = None) -> list[Finding]:
        """At most five findings of one site or of all (scope sessions:read; those with money bills:read too).

        While sessions are counted anew there are none: half of what was used would suggest what is not so.
        """
        need_totals(viewer)
        now, zone = self._store.clock(), self._settings.zone
        async with self._store.read() as connection:
            if await share.behind(connection, now):
                return []
            since, until = last_month(now, zone)
            seen = await _seen(connection, viewer, since, until, zone, site)
            found = await _unused(connection, viewer, now, zone, site)
            fresh = [await _loaded(connection, viewer, one) for one in seen if one not in self._kept]
        drawn = await asyncio.to_thread(_drawn, fresh)
        known = self._kept | drawn
        self._kept = known if len(known) < MOST_KEPT else drawn
        found += [finding for one in seen for finding in known.get(one, [])]
        may_know = viewer.may(Scope.BILLS_READ)
        return foremost([one for one in found if may_know or one.saved_minor is None])


def last_month(now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The last whole month where the installation is: its first instant, and the first after it, UTC."""
    until = now.astimezone(zone).date().replace(day=1)
    since = (until - timedelta(days=1)).replace(day=1)
    first, after = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (since, until))
    return first, after


def _drawn(seen: Sequence[tuple[Seen, Seen]]) -> dict[Seen, list[Finding]]:
    """Findings by what they are of, which is the first of each two."""
    return {bare: list(findings(loaded)) for bare, loaded in seen}


async def _loaded(connection: AsyncConnection, viewer: Viewer, seen: Seen) -> tuple[Seen, Seen]:
    """A month, and the same with its load, where its terms ask for it."""
    if seen.terms is None:
        return seen, seen
    load, spread = total.loaded(await total.load(connection, viewer, seen.site, seen.since, seen.until))
    return seen, replace(seen, load=load, spread=spread)


async def _seen(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime, zone: tzinfo, site: str | None
) -> list[Seen]:
    """What each site did in a month; its load is left out."""
    sites = await total.busiest(connection, viewer, since, until, MOST_SITES, site)
    entered = await terms.of_sites(connection, list(sites))
    first, after = (at.astimezone(zone).date() for at in (since, until))
    found = []
    for name, energy_wh in sites.items():
        outlets = await total.by_outlet(connection, viewer, first, after, Part(name))
        used = [one for one in outlets.values() if one.known_s > 0]
        found.append(
            Seen(
                site=name,
                since=since,
                until=until,
                zone=zone,
                energy_wh=energy_wh,
                plugged_s=sum((one.known_s for one in used), total.ZERO),
                unknown_s=sum((one.unknown_s for one in outlets.values()), total.ZERO),
                idle_s=sum((one.idle_s for one in used), total.ZERO),
                outlets=len(used),
                terms=terms_at(entered.get(name, ()), after - timedelta(days=1)),
            )
        )
    return found


async def _unused(
    connection: AsyncConnection, viewer: Viewer, now: datetime, zone: tzinfo, site: str | None
) -> list[Finding]:
    """Connectors that stand here for thirty days and longer, and had no session in them.

    Where a station told of any EVSE, what it told of none is no connector.
    """
    today, part, since = now.astimezone(zone).date(), Part(site), now - UNUSED
    after = today + timedelta(days=1)
    lately = await total.outlets(connection, viewer, today - UNUSED, after, part)
    within_year = await total.outlets(connection, viewer, today - YEAR, after, part)
    here = await total.placed(connection, viewer)
    known = {outlet for one in here.values() if one.admitted_at <= since for outlet in one.outlets(since, now)}
    told = {one.station for one in known | lately | within_year if one.evse}
    told |= {name for name, one in here.items() if one.connectors}
    outlets = {one for one in known | within_year if one.evse or one.station not in told}
    there = [one for one in outlets if one.station in here and here[one.station].stands_at(one.site, since)]
    idle = sorted({one[:3] for one in there if one not in lately and site in (None, one.site)})
    found = unused(site, idle, now, zone)
    return [found] if found is not None else []
