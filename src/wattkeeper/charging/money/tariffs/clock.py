"""When a tariff turns by the clock of its place: times of day, dates, days of the week, rates with dates.

An instant at which something may change is a turn; between two turns nothing changes by the clock. On the night in
which an hour comes twice, prices for that hour hold twice; on the night in which one is missing, never: what counts is
what the clock on the wall shows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from wattkeeper.charging.cards.limits import MIDNIGHT, WEEK
from wattkeeper.charging.money.tariffs.restriction import Restrictions
from wattkeeper.charging.money.tariffs.tariff import Tariff

DAY = timedelta(days=1)
LONGEST = timedelta(days=400)
"""Two readings further apart than this say nothing about a clock: what lies between is priced as it began."""


class Turns:
    """The turns of a tariff, worked out day by day as they are asked for."""

    def __init__(self, tariff: Tariff) -> None:
        clocked = [one.restrictions for one in tariff.elements if one.restrictions.is_clocked]
        self._zone = tariff.zone
        self._times = {at for one in clocked for at in _times(one)}
        dated = [one for one in tariff.rates if any(each.tax_rate == one.name for each in tariff.components)]
        dates = [(one.start_date, one.end_date) for one in clocked] + [(one.since, one.until) for one in dated]
        self._dates = {day for pair in dates for day in pair if day is not None}
        self._days: dict[date, list[datetime]] = {}

    def within(self, since: datetime, until: datetime) -> list[datetime]:
        """The turns after an instant and before another (both UTC), in order."""
        if not (self._times or self._dates) or until - since > LONGEST:
            return []
        first, last = since.date(), until.date()
        if first == last:
            return [at for at in self._of(first) if since < at < until]
        days = (first + count * DAY for count in range((last - first).days + 1))
        return [at for day in days for at in self._of(day) if since < at < until]

    def place(self, at: datetime) -> tuple[date, int]:
        """Between which turns an instant lies: equal places are alike by the clock."""
        day = at.date()
        return day, bisect_right(self._of(day), at)

    def _of(self, day: date) -> list[datetime]:
        """The turns of a day of UTC, in order."""
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = sorted({at for at in self._near(day) if at.date() == day})
        return found

    def _near(self, day: date) -> Iterator[datetime]:
        """The turns of the days of the place that share something with a day of UTC; and where its clock is set."""
        if not (self._times or self._dates):
            return
        for local in (day - DAY, day, day + DAY):
            for at in self._times | ({MIDNIGHT} if local in self._dates else set()):
                yield from _instants(local, at, self._zone)
        yield from _settings(day, self._zone)


def _times(when: Restrictions) -> Iterator[time]:
    """The times of day at which restrictions may turn: a day, and a span with one end, turn at midnight too."""
    if when.start_time is not None or when.end_time is not None or when.days != WEEK:
        yield from (when.start_time or MIDNIGHT, when.end_time or MIDNIGHT, MIDNIGHT)


def _instants(day: date, at: time, zone: tzinfo) -> Iterator[datetime]:
    """The instants at which the clock of a place shows a time: two where an hour comes twice."""
    for fold in (0, 1):
        yield datetime.combine(day, at, zone).replace(fold=fold).astimezone(UTC)


def _settings(day: date, zone: tzinfo) -> Iterator[datetime]:
    """The instant of a day of UTC at which the clock of a place is set forward or back, if there is one."""
    low = datetime.combine(day, MIDNIGHT, UTC)
    high = low + DAY
    before = low.astimezone(zone).utcoffset()
    if high.astimezone(zone).utcoffset() == before:
        return
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // timedelta(seconds=2) * timedelta(seconds=1)
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    yield high
