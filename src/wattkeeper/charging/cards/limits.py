"""What binds a card beside its state: energy and money a month, places, hours of the week, kinds of plug."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import IntEnum

from wattkeeper.charging.phrase import phrase

ZERO = Decimal(0)


class Day(IntEnum):
    """A day of the week, counted as `datetime.weekday` does."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6

    @property
    def before(self) -> Day:
        """The day before."""
        return Day((self - 1) % 7)

    @property
    def short(self) -> str:
        """Such as ``mon``."""
        return self.name[:3].lower()


WEEK = frozenset(Day)
DAYS = {day.short: day for day in Day}
DAY_WORDS = (
    *(phrase("Monday"), phrase("Tuesday"), phrase("Wednesday"), phrase("Thursday")),
    *(phrase("Friday"), phrase("Saturday"), phrase("Sunday")),
)
"""What people call each day, in the order of `Day`."""
MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Span:
    """From one time of day to another on some days; ``until`` not after ``since`` is on the day after."""

    since: time = MIDNIGHT
    until: time = MIDNIGHT
    """The first moment that is out again; midnight is the end of the day."""
    days: frozenset[Day] = WEEK

    def holds(self, local: datetime) -> bool:
        """Whether a moment of the place's own clock lies in it."""
        day, at = Day(local.weekday()), local.time()
        if self.since < self.until:
            return day in self.days and self.since <= at < self.until
        return (day in self.days and at >= self.since) or (day.before in self.days and at < self.until)


@dataclass(frozen=True, slots=True)
class Limits:
    """What binds a card; None is no limit, an empty set is nothing at all."""

    energy_wh_month: Decimal | None = None
    """Energy in a calendar month, Wh: at this much no session begins any more."""
    money_month: Decimal | None = None
    """What its sessions may cost in a calendar month with tax, in the currency of the tariff: 50.00."""
    sites: frozenset[str] | None = None
    hours: tuple[Span, ...] | None = None
    """When a session may begin, in the installation's zone."""
    plugs: frozenset[str] | None = None
    """OCPI ConnectorType, such as ``IEC_62196_T2``."""

    @property
    def nothing(self) -> bool:
        """Whether it binds nothing."""
        return self == NO_LIMITS

    @property
    def is_monthly(self) -> bool:
        """Whether a month's use must be known to judge."""
        return self.energy_wh_month is not None or self.money_month is not None


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Use:
    """What was used on a card in the running month, running sessions included."""

    energy_wh: Decimal = ZERO
    money: Decimal = ZERO
    """With tax, in the currency of the tariff."""


NO_USE = Use()


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a card was presented, as far as limits ask."""

    site: str = ""
    plugs: frozenset[str | None] = frozenset()
    """The kinds of plug in question: the EVSE's, or each of the station's before one is chosen; None is not known."""


NO_SPOT = Spot()


def has_plug(wanted: Collection[str], spot: Spot) -> bool:
    """Whether one of the plugs in question is allowed; a plug nobody told us of is not."""
    return any(plug in wanted for plug in spot.plugs)


BACKLOG = timedelta(days=7)
"""How long a station may have been offline for its own time of a start to count."""


def counted_at(started_at: datetime, known_at: datetime) -> datetime:
    """The instant that a session counts for, in a price and in a month: what the station says, within reason.

    A station may have been offline, so its word for the past counts; not for the future, nor for long ago: then it
    is when we first heard of it.
    """
    return started_at if known_at - BACKLOG <= started_at <= known_at else known_at


def month_of(now: datetime, zone: tzinfo) -> datetime:
    """When the running calendar month of a zone began, UTC."""
    here = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    return here.astimezone(UTC)
