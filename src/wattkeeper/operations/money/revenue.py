"""Revenue for whoever runs stations: what was billed, what is open, and energy billed against energy delivered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.grid import Counted, counted
from wattkeeper.charging.money.ledger import AccountKind, Posting
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.store.engines import Store
from wattkeeper.store.money import delivered, grid, ledger, revenue
from wattkeeper.store.money.delivered import Delivered, Metered
from wattkeeper.store.money.ledger import Outstanding
from wattkeeper.store.money.revenue import Facet, Revenue

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Supply:
    """What a site's grid meters counted, as far into the period as they were read, and what was delivered in that."""

    since: datetime
    until: datetime
    grid_wh: Decimal
    delivered_wh: Decimal
    is_interpolated: bool
    """Whether a register at either end lies between two readings."""


@dataclass(slots=True)
class SiteEnergy:
    """Energy at a site, Wh: what its sessions delivered, what was billed, and where it is metered, what was lost."""

    site: str
    sessions: int = 0
    delivered_wh: Decimal = ZERO
    billed_wh: Decimal = ZERO
    """What was billed of the same sessions, whenever that was."""
    supply: Supply | None = None
    """By the site's grid meters; None where none was read around the period."""
    metered: list[Metered] = field(default_factory=list)
    """The stations whose main meter was read in the period."""

    @property
    def grid_wh(self) -> Decimal | None:
        """What came through the grid meters, else through stations' main meters; None where there are none."""
        if self.supply is not None:
            return self.supply.grid_wh
        return sum((one.grid_wh for one in self.metered), ZERO) if self.metered else None

    @property
    def lost_wh(self) -> Decimal | None:
        """What came through them and was delivered in no session; None where there are none."""
        if self.supply is not None:
            return self.supply.grid_wh - self.supply.delivered_wh
        return sum((one.grid_wh - one.delivered_wh for one in self.metered), ZERO) if self.metered else None


@dataclass(frozen=True, slots=True)
class Report:
    """What was billed from one day until before another, and how the energy adds up."""

    since: date
    until: date
    by: tuple[Facet, ...]
    rows: list[Revenue]
    totals: list[Revenue]
    """By currency."""
    energy: list[SiteEnergy] | None
    """None for who may not see sessions."""
    outstanding: list[Outstanding]
    """As it is now, whatever the period."""
    written_off: list[Posting]
    """So too: what was covered for drivers (`lost:covered`), and what nobody will pay."""


SHARES = (Facet.SITE, Facet.STATION, Facet.TARIFF, Facet.GROUP)
MOST_DEBTORS = 10


@dataclass(frozen=True, slots=True)
class Overview:
    """A period by day, and by all that it is told apart by."""

    report: Report
    """By day."""
    by: Mapping[Facet, list[Revenue]]
    owed: list[Posting]
    """The accounts that owe most, as it is now."""
    owing: list[Posting]
    """The accounts to which most is owed."""
    first: date | None
    """The first day on which anything was billed; None: nothing was yet."""


def month(text: str) -> tuple[date, date]:
    """The first day of a month such as 2026-03, and the first after it; Refusal (INVALID) where it is none."""
    try:
        first = date.fromisoformat(f"{text}-01")
        return first, date(first.year + first.month // 12, first.month % 12 + 1, 1)
    except ValueError:
        raise Refusal(Code.INVALID, phrase("A month is written like 2026-03.")) from None


def running_month(now: datetime, zone: tzinfo) -> str:
    """The month that it is, such as 2026-03."""
    return f"{now.astimezone(zone):%Y-%m}"


async def report(
    store: Store, viewer: Viewer, zone: tzinfo, period: tuple[date, date], by: tuple[Facet, ...]
) -> Report:
    """What was billed in a period of days, at one snapshot (scope bills:read; sessions:read for the energy)."""
    async with store.read() as connection:
        return await _reported(connection, viewer, zone, period, by)


async def overview(store: Store, viewer: Viewer, zone: tzinfo, period: tuple[date, date]) -> Overview:
    """A period by day, and by all else, at one snapshot (scope bills:read; sessions:read for the energy)."""
    async with store.read() as connection:
        told = await _reported(connection, viewer, zone, period, (Facet.DAY,))
        by = {facet: await revenue.report(connection, viewer, *period, [facet]) for facet in SHARES}
        owed = await ledger.largest(connection, viewer, MOST_DEBTORS)
        owing = await ledger.largest(connection, viewer, MOST_DEBTORS, owing=True)
        return Overview(told, by, owed, owing, await revenue.first_day(connection, viewer))


async def _reported(
    connection: AsyncConnection, viewer: Viewer, zone: tzinfo, period: tuple[date, date], by: tuple[Facet, ...]
) -> Report:
    """What was billed in a period of days."""
    since, until = instants(period, zone)
    rows = await revenue.report(connection, viewer, *period, by)
    totals = await revenue.report(connection, viewer, *period)
    energy = None
    if viewer.may(Scope.SESSIONS_READ):
        sites = await delivered.billed(connection, viewer, since, until)
        sold = await delivered.by_sessions(connection, viewer, since, until)
        energy = _energy(sites, sold, await delivered.by_main_meters(connection, viewer, since, until))
        energy = _supplied(energy, await _supplies(connection, viewer, since, until))
    owed = await ledger.outstanding(connection, viewer)
    lost = await ledger.balances(connection, viewer, AccountKind.LOST)
    return Report(*period, by, rows, totals, energy, owed, lost)


def instants(period: tuple[date, date], zone: tzinfo) -> tuple[datetime, datetime]:
    """When a period of days begins and when it is over, in a zone."""
    since, until = (datetime.combine(day, time(), zone).astimezone(UTC) for day in period)
    return since, until


async def _supplies(connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime) -> dict[str, Supply]:
    """What the grid meters of each site counted in a period; meters stand beside each other, or follow one another."""
    found: dict[str, list[Counted]] = {}
    for (site, _), told in (await grid.registers(connection, viewer)).items():
        if (one := counted(told, since, until)) is not None:
            found.setdefault(site, []).append(one)
    supplies = {}
    for site, meters in found.items():
        begin, end = min(one.since for one in meters), max(one.until for one in meters)
        sold = await delivered.within(connection, viewer, site, begin, end)
        total = sum((one.energy_wh for one in meters), ZERO)
        supplies[site] = Supply(begin, end, total, sold, any(one.is_interpolated for one in meters))
    return supplies


def _supplied(sites: list[SiteEnergy], supplies: Mapping[str, Supply]) -> list[SiteEnergy]:
    """Sites with what their grid meters counted, and those of which nothing else is told."""
    known = {one.site: one for one in sites}
    for site, supply in supplies.items():
        known.setdefault(site, SiteEnergy(site)).supply = supply
    return [known[name] for name in sorted(known)]


def _energy(billed: Mapping[str, Decimal], sold: Iterable[Delivered], metered: Iterable[Metered]) -> list[SiteEnergy]:
    """Site by site: what was billed, delivered, and metered."""
    sites: dict[str, SiteEnergy] = {}
    for name, energy_wh in billed.items():
        sites.setdefault(name, SiteEnergy(name)).billed_wh += energy_wh
    for each in sold:
        site = sites.setdefault(each.site, SiteEnergy(each.site))
        site.sessions += each.sessions
        site.delivered_wh += each.energy_wh
    for meter in metered:
        sites.setdefault(meter.site, SiteEnergy(meter.site)).metered.append(meter)
    return [sites[name] for name in sorted(sites)]
