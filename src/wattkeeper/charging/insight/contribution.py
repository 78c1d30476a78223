"""What one driver counts for in the cells of a question, and no more: everything else follows from this bound."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from wattkeeper.charging.insight.question import (
    HOURS,
    SESSION_WH,
    SESSIONS_A_WEEK,
    STAY_LABELS,
    STAYS_UNTIL_H,
    Kind,
    Measure,
    Question,
)

Cell = tuple[str, str]
"""A site and a label."""
HOUR_S = 3600
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Record:
    """One ended session as an aggregate counts it."""

    driver: str
    site: str
    began: datetime
    """By the clock on the wall."""
    stay_s: int
    energy_wh: int


@dataclass(slots=True)
class Counted:
    """What the cells come to before any noise: never shown, never written down."""

    cells: dict[Cell, int] = field(default_factory=dict)
    sites: dict[str, int] = field(default_factory=dict)
    cut: int = 0
    """What the bounds cut off, of each driver at most as much as a driver may count for."""


def most(asked: Question) -> int:
    """What one driver counts for at most, over all cells of all sites: the L1 sensitivity of the cells.

    In words: let a driver be added or taken away, with all their sessions of the year. Only their own cells change,
    for whose sessions count, and for how much, is settled driver by driver. In each week that the period touches, at
    most four sessions count; what they bring to all cells together is scaled down to `Form.week`. So the cells change
    by at most weeks times that, summed over all of them. What is cut by the period is still counted as a whole week.
    """
    return asked.period.weeks * asked.form.week


def most_in_a_cell(asked: Question) -> int:
    """What one driver counts for at most in a single cell."""
    return most(asked) // asked.form.share


def count(asked: Question, records: Iterable[Record]) -> Counted:
    """Count all drivers; the records come driver by driver."""
    found = Counted({(site, label): 0 for site in asked.sites for label in asked.labels}, dict.fromkeys(asked.sites, 0))
    for _, own in groupby(records, lambda one: one.driver):
        cells, cut = of_driver(asked, own)
        for cell, amount in cells.items():
            found.cells[cell] += amount
            found.sites[cell[0]] += amount
        found.cut += cut
    return found


def of_driver(asked: Question, own: Iterable[Record]) -> tuple[dict[Cell, int], int]:
    """What one driver counts for, cell by cell and within every bound; and what the bounds cut off."""
    first, until, sites = asked.period.first, asked.period.until, set(asked.sites)
    weeks: dict[object, list[Record]] = {}
    for one in own:
        day = one.began.date()
        if first <= day < until and one.site in sites and one.stay_s > 0:
            weeks.setdefault(day - day.weekday() * DAY, []).append(one)
    cells: dict[Cell, int] = {}
    for records in weeks.values():
        for cell, amount in _week(asked, records):
            cells[cell] = cells.get(cell, 0) + amount
    cap = most_in_a_cell(asked)
    kept = {cell: min(cap, amount) for cell, amount in cells.items() if amount > 0}
    whole = sum(_worth(asked, one) for records in weeks.values() for one in records)
    return kept, max(0, min(most(asked), whole - sum(kept.values())))


def _worth(asked: Question, one: Record) -> int:
    """What a session would count for without any bound."""
    return max(0, one.energy_wh) if asked.form.measure is Measure.ENERGY else 1


def _week(asked: Question, records: list[Record]) -> Iterator[tuple[Cell, int]]:
    """What one driver's sessions of one week count for: the first four, each bounded, all together bounded."""
    first = sorted(records, key=lambda one: (one.began, one.site, one.stay_s, one.energy_wh))[:SESSIONS_A_WEEK]
    if asked.form.measure is Measure.SESSIONS:
        worth = [1] * len(first)
    else:
        worth = [min(SESSION_WH, _worth(asked, one)) for one in first]
    together, most_here = sum(worth), asked.form.week
    for one, amount in zip(first, worth, strict=True):
        bounded = amount if together <= most_here else amount * most_here // together
        yield from _fall(asked.kind, one, bounded)


def unbounded(asked: Question, one: Record) -> Iterator[tuple[Cell, int]]:
    """What a session would count for without any bound: never in a release, only to hold one against it."""
    if one.site in asked.sites and asked.period.first <= one.began.date() < asked.period.until and one.stay_s > 0:
        yield from _fall(asked.kind, one, _worth(asked, one))


def _fall(kind: Kind, one: Record, amount: int) -> Iterator[tuple[Cell, int]]:
    """Into which cells of its site a session falls, and how much of it into each."""
    if kind is Kind.SITE_LOAD:
        yield from (((one.site, hour), part) for hour, part in by_hour(one, amount))
    elif kind is Kind.SITE_MONTHS:
        yield (one.site, f"{one.began:%Y-%m}"), amount
    elif kind is Kind.ARRIVALS:
        yield (one.site, HOURS[one.began.hour]), amount
    else:
        yield (one.site, STAY_LABELS[bisect_right([hours * HOUR_S for hours in STAYS_UNTIL_H], one.stay_s)]), amount


def by_hour(one: Record, energy_wh: int) -> Iterator[tuple[str, int]]:
    """Energy by hour of the day, evenly over the stay; the parts add up to the whole."""
    passed = one.began.minute * 60 + one.began.second
    hour, given, until = one.began.hour, 0, HOUR_S - passed
    while given < energy_wh:
        due = energy_wh * min(until, one.stay_s) // one.stay_s
        yield HOURS[hour % 24], due - given
        hour, given, until = hour + 1, due, until + HOUR_S
