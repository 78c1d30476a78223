"""Spans of time that an address asks for: whole days, instants, hours of the day, hours of one day of the week."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from wattkeeper.charging.cards.limits import DAY_WORDS, Day
from wattkeeper.charging.phrase import Phrase, Said, joined, phrase
from wattkeeper.charging.statistics.span import DAY, FIRST, LAST, MOST_DAYS, midnight
from wattkeeper.web.operator.said import DAY_AND_YEAR, dated

Window = tuple[datetime, datetime]
"""From an instant on, until before another."""
RAN = "ran"
"""How an address asks for sessions that ran at some time within it; else for those that began in it."""
HOUR = timedelta(hours=1)
FROM_TO = phrase("{since} to {until}")


@dataclass(frozen=True, slots=True)
class Within:
    """What was asked for, and the windows that it comes to."""

    windows: tuple[Window, ...]
    words: Said


def within(since: str, until: str, hour: str, weekday: str, zone: tzinfo) -> Within | None:
    """The windows between two days (the last included) or two instants; None where that makes no sense.

    ``hour`` (0 to 23, or a time of day such as 22:00-06:00) keeps to that of each day, ``weekday`` (0 to 6, Monday
    first) to one day of the week: of whole days alone, and of a year and a bit at most.
    """
    days = _days(since, until)
    if days is None:
        instants = _instant(since, zone), _instant(until, zone)
        return None if instants[0] is None or instants[1] is None else _between(instants[0], instants[1], zone)
    clock, day = _clock(hour), _number(weekday, 7)
    if (clock is None and day is None) or (days[1] - days[0]).days > MOST_DAYS:
        bounds = midnight(days[0], zone), midnight(days[1], zone)
        return Within((bounds,), _said(*days))
    windows = tuple(_of_days(days, clock, day, zone))
    return Within(windows, joined((_said(*days), _said_hours(clock, day)), ", "))


def _days(since: str, until: str) -> tuple[date, date] | None:
    """Two days, as from one to before another."""
    try:
        first, last = date.fromisoformat(since), date.fromisoformat(until)
    except ValueError:
        return None
    is_sound = len(since) == len(until) == 10 and FIRST <= first <= last <= LAST
    return (first, last + DAY) if is_sound else None


def _instant(text: str, zone: tzinfo) -> datetime | None:
    """An instant, on the place's clock where it names no other."""
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        return at.astimezone(UTC) if FIRST <= at.date() <= LAST else None
    except (ValueError, OverflowError):
        return None


def _between(since: datetime, until: datetime, zone: tzinfo) -> Within | None:
    there = since.astimezone(zone)
    clock = f"{there:%H:%M}", f"{until.astimezone(zone):%H:%M}"
    day = dated(there.date(), DAY_AND_YEAR)
    words = phrase("{day}, {since} to {until}", day=day, since=clock[0], until=clock[1])
    return Within(((since, until),), words) if since < until else None


def _number(text: str, before: int) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 and int(text) < before else None


Clock = int | tuple[time, time]
"""An hour of the day, or from one time until another; where that is not later, over midnight."""


def _clock(text: str) -> Clock | None:
    """What of each day is meant; None where that makes no sense."""
    try:
        since, until = (time.fromisoformat(one) for one in text.split("-"))
        return (since, until) if not since.tzinfo and not until.tzinfo else None
    except ValueError:
        return _number(text, 24)


def _of_days(days: tuple[date, date], hour: Clock | None, weekday: int | None, zone: tzinfo) -> Iterator[Window]:
    """The windows on each day that is meant; an hour that a clock skips has none."""
    day = days[0]
    while day < days[1]:
        if weekday in (None, day.weekday()):
            if hour is None:
                yield midnight(day, zone), midnight(day + DAY, zone)
            elif isinstance(hour, int):
                yield from hours_of(day, hour, zone)
            else:
                yield from _times_of(day, hour, zone)
        day += DAY


def _times_of(day: date, times: tuple[time, time], zone: tzinfo) -> Iterator[Window]:
    """From a time of a day until another, UTC; over midnight: its end and its beginning."""
    since, until = (datetime.combine(day, one, zone).astimezone(UTC) for one in times)
    ends = midnight(day, zone), midnight(day + DAY, zone)
    spans = [(since, until)] if times[0] < times[1] else [(ends[0], until), (since, ends[1])]
    yield from (one for one in spans if one[0] < one[1])


def hours_of(day: date, hour: int, zone: tzinfo) -> Iterator[Window]:
    """An hour on the clock of a day, UTC: twice where clocks go back over it, never where they skip it."""
    there = datetime.combine(day, time(hour), zone)
    first, second = (there.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    for at in sorted({first, second}):
        if at.astimezone(zone).replace(tzinfo=None) == there.replace(tzinfo=None):
            yield at, at + HOUR


def _said(first: date, until: date) -> Said:
    last = until - DAY
    if first == last:
        return phrase("on {day}", day=dated(first, DAY_AND_YEAR))
    return phrase("{first} – {last}", first=dated(first, DAY_AND_YEAR), last=dated(last, DAY_AND_YEAR))


def _said_hours(hour: Clock | None, weekday: int | None) -> Said:
    day = () if weekday is None else (DAY_WORDS[Day(weekday)],)
    clock: tuple[Phrase, ...] = ()
    if isinstance(hour, int):
        clock = (FROM_TO.filled(since=f"{hour:02}:00", until=f"{hour + 1:02}:00"),)
    elif hour is not None:
        clock = (FROM_TO.filled(since=f"{hour[0]:%H:%M}", until=f"{hour[1]:%H:%M}"),)
    return joined((*day, *clock))
