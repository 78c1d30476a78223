"""What the same energy would cost at other times: usage moved to another hour, priced by the one money function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal

from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.exact import divided, exactly, per_hour, seconds
from wattkeeper.charging.money.tariffs.tariff import Tariff
from wattkeeper.charging.money.usage import Interval, Usage
from wattkeeper.charging.statistics.used import Currency

HOURS = range(24)
PIECE = timedelta(minutes=15)
"""Stretches are joined up to this long before they are moved: within it, energy is taken to come evenly."""


@dataclass(frozen=True, slots=True)
class Charged:
    """A session as it was billed, and the tariff that would hold for it now."""

    usage: Usage
    tariff: Tariff


@dataclass(frozen=True, slots=True)
class Elsewhen:
    """What some sessions come to at the times at which they were, and had each begun at another hour."""

    sessions: int
    energy_wh: Decimal
    then_minor: int
    """At their own times, by the tariffs that hold now, with tax."""
    hours: tuple[int, ...]
    """Had each begun at 0:00, 1:00 … 23:00 of the day on which it began; empty where no tariff asks for the time."""

    @property
    def differs(self) -> bool:
        """Whether the hour matters."""
        return len(set(self.hours)) > 1

    @property
    def cheapest(self) -> int:
        """The first of the hours at which they cost least."""
        return self.hours.index(min(self.hours))

    @property
    def dearest(self) -> int:
        """The first of the hours at which they cost most."""
        return self.hours.index(max(self.hours))


def elsewhen(charged: Sequence[Charged], zone: tzinfo) -> dict[Currency, Elsewhen]:
    """What sessions would come to at each hour of the clock of a place, by currency of their tariffs."""
    found: dict[Currency, list[Charged]] = {}
    for one in charged:
        if one.usage.began_at is not None:
            found.setdefault(Currency(one.tariff.currency, one.tariff.digits), []).append(one)
    return {money: _of(some, zone) for money, some in found.items()}


def _of(charged: Sequence[Charged], zone: tzinfo) -> Elsewhen:
    """Of one currency; what does not ask for the time costs the same at every hour and is worked out once."""
    energy_wh = sum((one.usage.energy_wh for one in charged), Decimal(0))
    then = [price(one.usage, one.tariff).gross_minor for one in charged]
    clocked = [one for one in charged if is_clocked(one.tariff)]
    hours: tuple[int, ...] = ()
    if clocked:
        steady = sum(minor for minor, one in zip(then, charged, strict=True) if not is_clocked(one.tariff))
        coarse = [Charged(joined(one.usage), one.tariff) for one in clocked]
        hours = tuple(steady + sum(_at(one, hour, zone) for one in coarse) for hour in HOURS)
    return Elsewhen(len(charged), energy_wh, sum(then), hours)


def _at(one: Charged, hour: int, zone: tzinfo) -> int:
    return price(begun_at(one.usage, hour, zone), one.tariff).gross_minor


def is_clocked(tariff: Tariff) -> bool:
    """Whether some price of a tariff holds at some times only."""
    return any(one.restrictions.is_clocked for one in tariff.elements)


def begun_at(usage: Usage, hour: int, zone: tzinfo) -> Usage:
    """A usage as if its session had begun at another hour of the same day, by the clock of a place.

    Where the clock of that day shows no such hour, an hour later; where it shows it twice, the first.
    """
    began_at = usage.began_at
    assert began_at is not None
    wanted = datetime.combine(began_at.astimezone(zone).date(), time(hour), zone)
    return moved(usage, wanted.astimezone(UTC) - began_at)


def moved(usage: Usage, by: timedelta) -> Usage:
    """A usage so much later, or earlier below zero."""
    intervals = tuple(replace(one, since=one.since + by, until=one.until + by) for one in usage.intervals)
    started_at = None if usage.started_at is None else usage.started_at + by
    return replace(usage, intervals=intervals, started_at=started_at)


def joined(usage: Usage) -> Usage:
    """A usage in fewer stretches: neighbours of one kind as one, up to a quarter of an hour long."""
    with exactly():
        return replace(usage, intervals=tuple(_joined(usage.intervals)))


def _joined(intervals: Iterable[Interval]) -> Iterator[Interval]:
    last: Interval | None = None
    for one in intervals:
        if last is not None and _fits(last, one):
            last = _together(last, one)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _fits(last: Interval, one: Interval) -> bool:
    """Whether a stretch goes on from the one before, and both are short."""
    return last.kind is one.kind and last.until == one.since and one.until - last.since <= PIECE


def _together(last: Interval, one: Interval) -> Interval:
    """Two stretches as one, with the means of both."""
    energy_wh, span = last.energy_wh + one.energy_wh, one.until - last.since
    told = replace(last, until=one.until, until_known=one.until_known, energy_wh=energy_wh)
    if not span:
        return told
    return replace(told, power_w=per_hour(energy_wh, span), current_a=_mean(last, one, span))


def _mean(last: Interval, one: Interval, span: timedelta) -> Decimal | None:
    """The mean current of two stretches; None where that of one is not known."""
    if last.current_a is None or one.current_a is None:
        return None
    parts = last.current_a * seconds(last.span) + one.current_a * seconds(one.span)
    return divided(parts, seconds(span))
