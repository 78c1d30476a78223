"""Spans of days that figures are asked for: the usual ones, and any others of a year and a bit at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase

MOST_DAYS = 400
"""How many days may be asked for at once: a year, and what lies around it."""
FIRST, LAST = date(1971, 1, 1), date(9000, 1, 1)
"""Days that anybody can mean: beyond, arithmetic with zones overflows."""
DAY = timedelta(days=1)


class Usual(StrEnum):
    """Spans that have a name."""

    WEEKS = "28d"
    """The last 28 whole days."""
    MONTH = "month"
    """This month, as far as it has come."""
    BEFORE = "last-month"
    """The month before this one."""
    YEAR = "year"
    """The twelve whole months before this one."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days, from one until before another."""

    first: date
    until: date
    """The first day after it."""

    @property
    def last(self) -> date:
        """Its last day."""
        return self.until - DAY

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.first).days

    @property
    def before(self) -> Span:
        """As many days before it."""
        return Span(self.first - (self.until - self.first), self.first)

    @property
    def each(self) -> list[Span]:
        """Its days, one by one."""
        days = (self.first + number * DAY for number in range(self.days))
        return [Span(day, day + DAY) for day in days]

    @property
    def months(self) -> list[Span]:
        """Its months, each as far as it has of it."""
        found = [self.first, *(one.first for one in self.each[1:] if one.first.day == 1)]
        return [Span(first, until) for first, until in zip(found, [*found[1:], self.until], strict=True)]

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """Its first instant and the first after it, UTC, where clocks go as in a zone."""
        return midnight(self.first, zone), midnight(self.until, zone)


def midnight(day: date, zone: tzinfo) -> datetime:
    """When a day begins, UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def usual(which: Usual, today: date) -> Span:
    """A span by its name, as it is today."""
    month = today.replace(day=1)
    if which is Usual.WEEKS:
        return Span(today - 28 * DAY, today)
    if which is Usual.MONTH:
        return Span(month, today + DAY)
    if which is Usual.BEFORE:
        return Span((month - DAY).replace(day=1), month)
    return Span(month.replace(year=month.year - 1), month)


def named(span: Span, today: date) -> Usual | None:
    """What a span is called today; None where it has no name."""
    return next((one for one in Usual if usual(one, today) == span), None)


def span_of(first: date, last: date) -> Span:
    """The days from one to another, both included; Refusal INVALID where they are none, too many or far off."""
    if not FIRST <= first <= LAST or not FIRST <= last <= LAST:
        raise Refusal(Code.INVALID, phrase("These days are too far off."))
    if last < first:
        raise Refusal(Code.INVALID, phrase("The last day must not come before the first."))
    if (last - first).days >= MOST_DAYS:
        why = phrase("At most {most} days can be looked at at once: choose the two days closer together.")
        raise Refusal(Code.INVALID, why.filled(most=MOST_DAYS))
    return Span(first, last + DAY)
