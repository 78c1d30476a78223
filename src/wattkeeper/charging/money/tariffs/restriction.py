"""When prices hold (OCPI mod_tariffs, TariffRestrictions): every restriction that is given must.

Two sorts: those by the clock of the place (time of day, date, day of the week), and those by what the session has come
to (energy, power, current, duration, idle time). A lower bound is met from its value on, an upper one until before its
value; both are judged anew at every instant, never for the session as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.cards.limits import MIDNIGHT, WEEK, Day
from wattkeeper.charging.money.exact import seconds


class Reservation(StrEnum):
    """Which prices are for reservations (OCPI ReservationRestrictionType)."""

    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"
    """For one that ran out without charging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a session has come to at an instant, as far as prices ask."""

    energy_wh: Decimal
    """Delivered so far."""
    lasting: timedelta
    """Since the session began, or the reservation."""
    idle: timedelta = timedelta(0)
    """How long the car has been idle without interruption."""
    power_w: Decimal | None = None
    """Mean power until the next reading; None: nobody knows."""
    current_a: Decimal | None = None
    """Sum over the phases; None: nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restrictions:
    """When prices hold; None is no restriction."""

    start_time: time | None = None
    end_time: time | None = None
    """Not after ``start_time``: on the day after. Midnight is the end of the day."""
    start_date: date | None = None
    end_date: date | None = None
    """The first day that is out again."""
    days: frozenset[Day] = WEEK
    """Of the instant itself: after midnight it is the next day, though the span of time began the day before."""
    min_energy_wh: Decimal | None = None
    max_energy_wh: Decimal | None = None
    min_power_w: Decimal | None = None
    max_power_w: Decimal | None = None
    min_current_a: Decimal | None = None
    max_current_a: Decimal | None = None
    min_duration_s: int | None = None
    """Since the session began."""
    max_duration_s: int | None = None
    min_idle_s: int | None = None
    """The grace before an idle fee: since the car became idle, without interruption (not in OCPI)."""
    reservation: Reservation | None = None

    @property
    def is_clocked(self) -> bool:
        """Whether the clock of the place decides."""
        return self.days != WEEK or any((self.start_time, self.end_time, self.start_date, self.end_date))

    @property
    def is_measured(self) -> bool:
        """Whether what the session has come to decides."""
        bounds = (*self.energies, *self.powers, *self.currents, *self.durations, self.min_idle_s)
        return any(bound is not None for bound in bounds)

    @property
    def is_bound(self) -> bool:
        """Whether these prices hold only sometimes; that they are for reservations does not count."""
        return self.is_clocked or self.is_measured or self.reservation is Reservation.RESERVATION_EXPIRES

    @property
    def energies(self) -> tuple[Decimal | None, Decimal | None]:
        """From and until which energy, Wh."""
        return self.min_energy_wh, self.max_energy_wh

    @property
    def powers(self) -> tuple[Decimal | None, Decimal | None]:
        """From and until which power, W."""
        return self.min_power_w, self.max_power_w

    @property
    def currents(self) -> tuple[Decimal | None, Decimal | None]:
        """From and until which current, A."""
        return self.min_current_a, self.max_current_a

    @property
    def durations(self) -> tuple[int | None, int | None]:
        """From and until which duration, s."""
        return self.min_duration_s, self.max_duration_s

    def holds_by_clock(self, local: datetime) -> bool:
        """Whether the clock of the place, which shows this, lets these prices hold."""
        return self._holds_on(local.date()) and self._holds_in_the_day(local.time())

    def _holds_on(self, day: date) -> bool:
        if (self.start_date and day < self.start_date) or (self.end_date and day >= self.end_date):
            return False
        return Day(day.weekday()) in self.days

    def _holds_in_the_day(self, at: time) -> bool:
        start, end = self.start_time or MIDNIGHT, self.end_time or MIDNIGHT
        if start < end:
            return start <= at < end
        return at >= start or at < end

    def holds_by_measure(self, now: Moment) -> bool:
        """Whether what the session has come to lets these prices hold; what nobody knows does not."""
        return (
            _within(self.energies, now.energy_wh)
            and _within(self.durations, seconds(now.lasting))
            and _within(self.powers, now.power_w)
            and _within(self.currents, now.current_a)
            and (self.min_idle_s is None or now.idle >= timedelta(seconds=self.min_idle_s))
        )


def _within(bounds: tuple[Decimal | int | None, Decimal | int | None], value: Decimal | None) -> bool:
    """Whether a value is not below the lower bound, and below the upper."""
    lower, upper = bounds
    if lower is None and upper is None:
        return True
    return value is not None and (lower is None or value >= lower) and (upper is None or value < upper)


ALWAYS = Restrictions()
"""No restriction."""
