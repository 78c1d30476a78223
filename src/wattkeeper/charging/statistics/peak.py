"""What a month's peak would have been, had a share of some days' load flowed later: in whole millionths, exact.

The load of a quarter hour is a line over the share that is moved: what it loses of its own, what it gains of earlier
ones. The month's peak is the highest of these lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from wattkeeper.charging.money.exact import exactly

MOST_PERCENT = 30
"""No more of a load is thought to be movable."""
LATEST_H = 4
"""Nor later than that."""
QUARTERS = 4
WHOLE = 100


class Days(IntEnum):
    """Whose load is moved."""

    MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)
    WORKING = 7
    ALL = 8

    def holds(self, weekday: int) -> bool:
        """Whether a day of the week (0: Monday) is one of them."""
        return self is Days.ALL or weekday == self or (self is Days.WORKING and weekday < Days.SATURDAY)


@dataclass(frozen=True, slots=True)
class Month:
    """The load of a month at a site."""

    micro_wh: Sequence[int]
    """By quarter hour of the site's own month, millionths of a Wh."""
    weekdays: Sequence[int]
    """On which day of the week each lies, 0: Monday."""

    @property
    def peak(self) -> int:
        """Which quarter hour is the highest: the first of them."""
        return max(range(len(self.micro_wh)), key=lambda one: self.micro_wh[one])


@dataclass(frozen=True, slots=True)
class Shift:
    """A part of the load that flows later."""

    days: Days
    percent: int
    hours: int
    before_w: Decimal
    """The month's highest quarter hour as it was: mean power, W."""
    after_w: Decimal
    """And as it would have been."""
    saved_minor: int
    """So much less in peak charge, whole minor units."""


def best_shift(month: Month, minor_per_kw: Decimal) -> Shift | None:
    """The shift that saves the most in peak charge; None where none saves anything.

    Of those that save at least half of the most the fewest days, then the most money, then the smallest share.
    """
    if not month.micro_wh:
        return None
    near = {hours: _near(month, hours * QUARTERS) for hours in range(1, LATEST_H + 1)}
    found = [one for days in Days for hours, some in near.items() if (one := _best(month, days, hours, some))]
    told = [shift for one in found if (shift := _told(month, one, minor_per_kw)).saved_minor > 0]
    most = max((one.saved_minor for one in told), default=0)
    good = [one for one in told if 2 * one.saved_minor >= most]
    return min(good, key=lambda one: (max(one.days, 6), -one.saved_minor, one.percent, one.hours), default=None)


@dataclass(frozen=True, slots=True)
class _Found:
    days: Days
    hours: int
    percent: int
    peak: int
    """Millionths of a Wh in a quarter hour, times a hundred."""


def _near(month: Month, later: int) -> list[int]:
    """The quarter hours that can be the highest, whatever share of whichever days is moved: the others are far below.

    The highest one loses no more than the largest share, and none gains more than that share of the one before.
    """
    wh, least = month.micro_wh, month.micro_wh[month.peak] * (WHOLE - MOST_PERCENT)
    gained = [*([0] * later), *wh]
    return [at for at, own in enumerate(wh) if own * WHOLE + gained[at] * MOST_PERCENT >= least]


def _best(month: Month, days: Days, hours: int, near: Sequence[int]) -> _Found | None:
    """The smallest share of some days' load that, moved by hours, makes the peak as low as any share does."""
    lines = list(_lines(month, days, hours * QUARTERS, near))
    peaks = [(max(begin + percent * slope for begin, slope in lines), percent) for percent in range(MOST_PERCENT + 1)]
    peak, percent = min(peaks)
    return _Found(days, hours, percent, peak) if percent else None


def _lines(month: Month, days: Days, later: int, near: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The load of quarter hours over the percentage that is moved: where it begins, how it rises, times a hundred.

    Those are left out that are below another one whatever is moved.
    """

    stays = len(month.micro_wh) - later  # what comes later than this would flow in another month

    def movable(at: int) -> int:
        return month.micro_wh[at] if 0 <= at < stays and days.holds(month.weekdays[at]) else 0

    lines = [(month.micro_wh[at] * WHOLE, movable(at - later) - movable(at)) for at in near]
    ends = [(begin, begin + MOST_PERCENT * slope) for begin, slope in lines]
    floor = max(min(one) for one in ends)
    return (line for line, one in zip(lines, ends, strict=True) if max(one) >= floor)


def _told(month: Month, found: _Found, minor_per_kw: Decimal) -> Shift:
    """A shift with what it saves, whole minor units rounded down."""
    with exactly():
        before_w = Decimal(month.micro_wh[month.peak] * QUARTERS).scaleb(-6)
        after_w = Decimal(found.peak * QUARTERS).scaleb(-8)
        saved_minor = int((before_w - after_w).scaleb(-3) * minor_per_kw)
    return Shift(found.days, found.percent, found.hours, before_w, after_w, saved_minor)
