"""A calendar year of what a driver used and paid: every month, every place, the tax by rate; equal to their bills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.numbered import Tax, less
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.statistics.carbon import Emitted
from wattkeeper.charging.statistics.used import NONE, Currency, Place, Sum, Use, apart, month_of, summed
from wattkeeper.operations.statistics.consumption import (
    EARLIEST,
    LATEST,
    carbon_by_month,
    most_first,
    need_own,
    span_of_year,
    uses_of,
)
from wattkeeper.store.engines import Store
from wattkeeper.store.statistics import own

NOT_YET = phrase("That year is still to come.")
NO_YEAR = phrase("A year is written like 2026.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnYear:
    """A year of one's own."""

    year: int
    is_running: bool
    """Whether it is not over."""
    made_at: datetime
    zone: tzinfo
    sum: Sum
    months: Mapping[date, Sum]
    """Those in which anything was charged, the first before the others."""
    places: Mapping[Place, Sum]
    """Where most energy came from first."""
    taxes: Mapping[Currency, Sequence[Tax]]
    """What bears which rate, by currency."""
    carbon: Mapping[date, Emitted]
    """Carbon dioxide by month, as far as the grid's is known; months of which nothing is are left out."""
    documents: int
    """How many bills, corrections and credit notes it is the sum of."""

    @property
    def emitted(self) -> Emitted:
        """Carbon dioxide of the year."""
        return sum(self.carbon.values(), Emitted())


class OwnYears:
    """Works it out."""

    def __init__(self, store: Store, zone: tzinfo) -> None:
        self._store = store
        self._zone = zone

    async def of(self, viewer: Viewer, year: str) -> OwnYear:
        """One's own year such as 2026 (scopes sessions:read and bills:read, one's own).

        Refusal FORBIDDEN; INVALID where it is no year, or one that is still to come.
        """
        person, number = need_own(viewer), read_year(year)
        since, until = span_of_year(number, self._zone)
        now = self._store.clock()
        if since > now:
            raise Refusal(Code.INVALID, NOT_YET)
        async with self._store.read() as connection:
            uses = await uses_of(connection, person, since, until)
            taxes, documents = await own.taxes(connection, person, since, until)
            carbon = await carbon_by_month(connection, uses, self._zone)
        by_month = apart(uses, self._month)
        return OwnYear(
            year=number,
            is_running=since <= now < until,
            made_at=now,
            zone=self._zone,
            sum=summed(uses),
            months={month: by_month[month] for month in sorted(by_month)},
            places=dict(sorted(apart(uses, lambda one: one.place).items(), key=most_first)),
            taxes={Currency(*money): less(some, ()) for money, some in sorted(taxes.items())},
            carbon=carbon,
            documents=documents,
        )

    def _month(self, use: Use) -> date:
        return month_of(use.began_at, self._zone)


def read_year(text: str) -> int:
    """A year such as 2026; Refusal INVALID where it is none."""
    if not (len(text) == len("2026") and text.isascii() and text.isdigit() and EARLIEST < int(text) < LATEST):
        raise Refusal(Code.INVALID, NO_YEAR)
    return int(text)


def month_in(one: OwnYear, number: int) -> Sum:
    """A month of a year by its number; nothing where nothing was charged in it."""
    return one.months.get(date(one.year, number, 1), NONE)


def grams(one: Emitted) -> Decimal | None:
    """Carbon dioxide where it is known of all energy, g; None where it is not."""
    return one.grams if one.is_whole and one.energy_wh > 0 else None
