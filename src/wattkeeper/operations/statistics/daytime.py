"""Time of day: energy by hour of the day, what it cost by the terms of its sites, and what was billed for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.exact import KILO, divided
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.statistics.rated import Rated
from wattkeeper.charging.statistics.span import Span
from wattkeeper.charging.statistics.terms import Prices
from wattkeeper.operations.statistics.weighing import hours_of, untold
from wattkeeper.operations.statistics.when import When
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.statistics import other_money, terms
from wattkeeper.store.statistics.other_money import Sum
from wattkeeper.store.statistics.total import Part, Total

OF_DAY = 24


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the day, of all days together; money in minor units of the installation's."""

    total: Total
    """What was delivered and billed, and how many sessions began."""
    bought: Rated = Rated()
    """What the energy cost, as far as the terms of its sites tell."""
    one_money: bool = True
    """Whether nothing in the span was billed in other money: else nobody can say what a kWh brings."""

    def __add__(self, other: Hour) -> Hour:
        return Hour(self.total + other.total, self.bought + other.bought, self.one_money and other.one_money)

    @property
    def billed_per_kwh(self) -> Fraction | None:
        """Billed with tax, for a kWh; None where no energy flowed, or some was billed in other money."""
        return self._each(Fraction(self.total.gross_minor)) if self.one_money else None

    @property
    def margin_per_kwh(self) -> Fraction | None:
        """Billed with tax less bought, for a kWh; None where some is not told or in other money, or nothing flowed."""
        if not self.one_money or not self.bought.is_whole or self.bought.energy_wh != self.total.energy_wh:
            return None
        return self._each(self.total.gross_minor - Fraction(self.bought.amount))

    def _each(self, amount: Fraction) -> Fraction | None:
        energy_wh = self.total.energy_wh
        return divided(amount * KILO, Fraction(energy_wh)) if energy_wh > 0 else None


@dataclass(frozen=True, slots=True)
class Day:
    """A span by hour of the day, on the clock of the installation."""

    hours: Sequence[Hour]
    """All 24."""
    knows_money: bool
    """Whether the viewer may know amounts; else they are 0 everywhere."""
    untold: Sequence[str]
    """Sites that delivered energy, and of which nobody told what it costs; for those who may know."""
    other_money: Sequence[Sum] = ()
    """What was billed in other money for sessions that began in it: no amount has it."""

    @property
    def whole(self) -> Hour:
        """All of it."""
        return sum(self.hours, Hour(Total()))


class Daytime:
    """What happens by time of day."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._when = When(store, settings)

    async def of(self, viewer: Viewer, span: Span, site: str | None, sites: Collection[str]) -> Day:
        """A span by hour of the day (scope sessions:read, for amounts bills:read); ``sites``: the one, or all seen."""
        week = await self._when.week(viewer, span, site)
        totals = [week.hour(hour).total for hour in range(OF_DAY)]
        if not week.knows_money:
            return Day([Hour(one) for one in totals], False, ())
        zone, bounds = self._settings.zone, self._when.bounds(span)
        async with self._store.read() as connection:
            rates = await self._prices(connection, sites)
            bought = await hours_of(connection, viewer, Rated, rates, bounds, zone)
            silent = await untold(connection, viewer, rates, *bounds)
            part = Part(site)
            others = await other_money.billed(connection, viewer, self._settings.pay_currency, bounds, part)
        hours = [Hour(*one, not others) for one in zip(totals, bought, strict=True)]
        return Day(hours, True, silent, others)

    async def _prices(self, connection: AsyncConnection, sites: Collection[str]) -> dict[str, Prices | None]:
        """What energy costs at sites; None: nobody told."""
        entered, currency = await terms.of_sites(connection, sites), self._settings.pay_currency
        found = {site: Prices(entered.get(site, ()), currency, self._settings.zone) for site in sites}
        return {site: one if one.is_told else None for site, one in found.items()}
