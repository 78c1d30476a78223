"""What is odd about sessions of long ago: each by itself, and each against the others of its file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from heapq import heappop, heappush

from wattkeeper.charging.evidence import duration, kwh
from wattkeeper.charging.history.past import Past
from wattkeeper.charging.meter import SLACK_WH, TOLERANCE, figure
from wattkeeper.charging.money.exact import HOUR_S, divided, seconds
from wattkeeper.charging.phrase import Figure, Said, phrase

BATTERY_WH = Decimal(100_000)
"""What is taken for the most that one car takes at once, unless the mapping says otherwise."""
MOST_PAIRS = 10
"""With how many others a session is told to overlap: a file in which all do has more pairs than memory holds."""


class Oddity(StrEnum):
    """What is odd about a row."""

    YEAR = "year"
    """Its year cannot be, and was repaired or refused."""
    REVERSED = "reversed"
    MISSING = "missing"
    """A value that every session has is missing."""
    UNREADABLE = "unreadable"
    DUPLICATE = "duplicate"
    EMPTY = "empty"
    """No energy flowed."""
    UNKNOWN_ENERGY = "unknown_energy"
    OVERLAP = "overlap"
    BATTERY = "battery"
    """More energy than a battery holds: probably several sessions in one."""
    POWER = "power"
    """More power than its place can deliver."""


O = Oddity  # noqa: E741 - short, for the table below
NAMES: dict[Oddity, Said] = {
    O.YEAR: phrase("Year that cannot be"),
    O.REVERSED: phrase("Ends before it begins"),
    O.MISSING: phrase("Value missing"),
    O.UNREADABLE: phrase("Value that cannot be read"),
    O.DUPLICATE: phrase("Twice in the file"),
    O.EMPTY: phrase("No energy"),
    O.UNKNOWN_ENERGY: phrase("Energy not told"),
    O.OVERLAP: phrase("Overlaps at one plug"),
    O.BATTERY: phrase("More than a battery holds"),
    O.POWER: phrase("More power than the plug can deliver"),
}


@dataclass(frozen=True, slots=True)
class Odd:
    """Something odd about a row of a file."""

    kind: Oddity
    line: int
    why: Said


@dataclass(frozen=True, slots=True)
class Bounds:
    """What sessions of a file can be at most."""

    battery_wh: Decimal = BATTERY_WH
    power_w: Decimal | None = None
    """What one plug can deliver; None: not told."""


def oddities(told: Sequence[Past], bounds: Bounds) -> Iterator[Odd]:
    """All that is odd about sessions that can be taken over."""
    for one in told:
        yield from _of_one(one, bounds)
    yield from _twins(told)
    yield from _overlaps(told)


def _of_one(one: Past, bounds: Bounds) -> Iterator[Odd]:
    """What is odd about one session alone."""
    if one.year:
        yield Odd(O.YEAR, one.line, REPAIRED.filled(year=one.year, now=str(one.began_at.year)))
    if one.energy_wh is None:
        yield Odd(O.UNKNOWN_ENERGY, one.line, phrase("Its energy is not told: it counts as a session without."))
        return
    if one.energy_wh == 0:
        yield Odd(O.EMPTY, one.line, phrase("No energy flowed."))
    if one.energy_wh > bounds.battery_wh:
        words = phrase(
            "{energy_wh} are more than {most_wh}, which a battery holds: probably several sessions in one.",
            energy_wh=kwh(figure(one.energy_wh)),
            most_wh=kwh(figure(bounds.battery_wh)),
        )
        yield Odd(O.BATTERY, one.line, words)
    if bounds.power_w is not None and one.energy_wh > _most_wh(one, bounds.power_w):
        yield Odd(O.POWER, one.line, _too_quick(one, bounds.power_w))


REPAIRED = phrase("The year is written {year}; it was read as {now}.")


def _most_wh(one: Past, power_w: Decimal) -> Decimal:
    """The most energy that a plug delivers while a session charges; with what `evidence` forgives."""
    lasting_s = seconds((one.charged_at or one.ended_at) - one.began_at)
    return divided(power_w * TOLERANCE * lasting_s, HOUR_S) + SLACK_WH


def _too_quick(one: Past, power_w: Decimal) -> Said:
    """How much more power it took than there is."""
    mean = one.power_w
    return phrase(
        "{energy_wh} in {lasting} are {power} on the mean; the plug delivers {most}.",
        energy_wh=kwh(figure(one.energy_wh or Decimal(0))),
        lasting=duration(int(seconds((one.charged_at or one.ended_at) - one.began_at))),
        power="?" if mean is None else _kw(mean),
        most=_kw(power_w),
    )


def _kw(power_w: Decimal) -> Figure:
    return Figure(power_w / 1000, 1, "kW")


def _twins(told: Iterable[Past]) -> Iterator[Odd]:
    """Sessions that are told again under another name: same place, same times, same energy."""
    seen: dict[tuple[object, ...], Past] = {}
    for one in told:
        content = (*one.place, one.connector, one.began_at, one.ended_at, one.energy_wh)
        first = seen.setdefault(content, one)
        if first is not one:
            yield Odd(O.DUPLICATE, one.line, TWIN.filled(line=str(first.line)))


TWIN = phrase("It has the place, the times and the energy of line {line}, under another name.")


def _overlaps(told: Iterable[Past]) -> Iterator[Odd]:
    """Sessions that begin before another at the same plug has ended: one for each pair, of some of them at most."""
    running: dict[tuple[str, int, int], list[tuple[datetime, int, Past]]] = {}
    for place, one in enumerate(sorted(told, key=lambda each: (each.began_at, each.ended_at, each.line))):
        here = running.setdefault((*one.place, one.connector), [])
        while here and here[0][0] <= one.began_at:
            heappop(here)
        for ended_at, _, other in sorted(here[:MOST_PAIRS], key=lambda each: each[1]):
            shared = min(ended_at, one.ended_at) - one.began_at
            if shared.total_seconds() > 0:
                words = OVERLAPS.filled(line=str(other.line), lasting=duration(int(seconds(shared))))
                yield Odd(O.OVERLAP, one.line, words)
        heappush(here, (one.ended_at, place, one))


OVERLAPS = phrase("It begins before the session of line {line} at the same plug has ended; they share {lasting}.")
