"""When a price holds, in words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from wattkeeper.charging.cards.limits import DAY_WORDS, WEEK, Day
from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.money.tariffs.restriction import Reservation, Restrictions
from wattkeeper.charging.phrase import Figure, Phrase, joined, phrase

WORKDAYS = frozenset(Day) - {Day.SATURDAY, Day.SUNDAY}
KWH = phrase("from {bound} kWh on"), phrase("up to {bound} kWh")
KW = phrase("at {bound} kW or more"), phrase("below {bound} kW")
AMPERE = phrase("at {bound} A or more"), phrase("below {bound} A")
MINUTES = phrase("after {bound} min"), phrase("in the first {bound} min")


def conditions(when: Restrictions) -> tuple[str, ...]:
    """When a price holds, to stand behind it one after the other; none: always."""
    return (*_by_clock(when), *_by_measure(when))


def _by_clock(when: Restrictions) -> Iterator[str]:
    """Days, times and dates."""
    if when.days == WORKDAYS:
        yield phrase("on workdays")
    elif when.days != WEEK:
        yield phrase("only on {days}", days=joined([DAY_WORDS[day] for day in sorted(when.days)], ", "))
    start, end = (None if at is None else f"{at:%H:%M}" for at in (when.start_time, when.end_time))
    yield from _between(start, "24:00" if end == "00:00" else end)
    since, until = (None if day is None else day.isoformat() for day in (when.start_date, when.end_date))
    yield from _between(since, until)


def _between(since: str | None, until: str | None) -> Iterator[str]:
    """A span of the clock or of the calendar."""
    if since and until:
        yield phrase("from {since} to {until}", since=since, until=until)
    elif since:
        yield phrase("from {since} on", since=since)
    elif until:
        yield phrase("until {until}", until=until)


def _by_measure(when: Restrictions) -> Iterator[str]:
    """Energy, power, current, duration, idle time; and whether it is for a reservation that ran out."""
    yield from _within(when.energies, Decimal(1000), KWH)
    yield from _within(when.powers, Decimal(1000), KW)
    yield from _within(when.currents, Decimal(1), AMPERE)
    yield from _within(when.durations, Decimal(60), MINUTES)
    if when.min_idle_s is not None:
        grace = _figure(divided(Decimal(when.min_idle_s), 60))
        yield phrase("after {minutes} min without charging", minutes=grace)
    if when.reservation is Reservation.RESERVATION_EXPIRES:
        yield phrase("where it was not used")


Bounds = tuple[Decimal | int | None, Decimal | int | None]


def _within(bounds: Bounds, unit: Decimal, words: tuple[Phrase, Phrase]) -> Iterator[str]:
    """The bounds of one measure, those that are given."""
    for bound, pattern in zip(bounds, words, strict=True):
        if bound is not None:
            yield pattern.filled(bound=_figure(divided(Decimal(bound), unit)))


def _figure(value: Decimal) -> Figure:
    """A figure without more digits than it has, three at most after the point."""
    shown = round(value, 3).normalize()
    return Figure(shown, max(0, -int(shown.as_tuple().exponent)))
