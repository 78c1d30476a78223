"""Carbon dioxide of sessions, and of sites by hour of the day and by day: their energy, by what their grid carried."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.statistics.carbon import Emitted
from wattkeeper.charging.statistics.span import Span
from wattkeeper.charging.statistics.terms import Carbon
from wattkeeper.operations.statistics.use import need_totals
from wattkeeper.operations.statistics.weighing import Weighed, untold, weighed
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.statistics import share, terms

HOUR = timedelta(hours=1)


async def carbon_of(connection: AsyncConnection, sessions: Sequence[str], zone: tzinfo) -> dict[str, Decimal]:
    """The carbon dioxide of sessions that their viewer has seen already, in grams.

    Left out: those of which the grid's carbon is not known for all their energy, that brought none, or that were not
    counted yet.
    """
    return {name: one.grams for name, one in (await emitted_of(connection, sessions, zone)).items() if one.is_whole}


async def emitted_of(connection: AsyncConnection, sessions: Sequence[str], zone: tzinfo) -> dict[str, Emitted]:
    """The same, with how much of their energy is known; left out: those that brought none, or have no terms."""
    known = await share.counted(connection, sessions)
    ats = [part.at for one in known.values() for part in one.share.parts]
    if not ats:
        return {}
    span = (min(ats), max(ats) + HOUR)
    grids = await carbon_at(connection, {one.site for one in known.values()}, *span, zone)
    found = {}
    for name, one in known.items():
        came = Emitted.of(((part.at, part.energy_wh) for part in one.share.parts), grids.get(one.site))
        if came.energy_wh > 0 and came.known_wh > 0:
            found[name] = came
    return found


async def carbon_at(
    connection: AsyncConnection, sites: Collection[str], since: datetime, until: datetime, zone: tzinfo
) -> dict[str, Carbon]:
    """What the grids of sites carried between two instants; sites of which nobody told are left out."""
    entered = await terms.of_sites(connection, sites)
    by_hour = await terms.carbon_by_hour(connection, sites, since - HOUR, until)
    told = {site for site, all_of_it in entered.items() if any(one.carbon_g_per_kwh for one in all_of_it)}
    return {site: Carbon(entered.get(site, ()), by_hour.get(site, {}), zone) for site in told | {*by_hour}}


@dataclass(frozen=True, slots=True)
class Carbons:
    """What the energy of sites came to over a span."""

    weighed: Weighed[Emitted]
    untold: Sequence[str]
    """Sites that delivered energy, and of whose grid nobody told anything."""


class SiteCarbon:
    """The carbon dioxide of sites."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._zone = settings.zone

    async def of(
        self, viewer: Viewer, span: Span, sites: Collection[str], *, by_month: bool, told_alone: bool = False
    ) -> Carbons:
        """What these sites came to (scope sessions:read); ``told_alone``: without those of which nobody told."""
        need_totals(viewer)
        async with self._store.read() as connection:
            since, until = span.bounds(self._zone)
            grids = await carbon_at(connection, sites, since, until, self._zone)
            rates = {site: grids.get(site) for site in sites if site in grids or not told_alone}
            told = await weighed(connection, viewer, Emitted, rates, span, self._zone, by_month=by_month)
            return Carbons(told, await untold(connection, viewer, rates, since, until))
