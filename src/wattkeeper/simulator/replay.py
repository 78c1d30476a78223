"""Real workplace sessions as a plan of arrivals: who comes when, how long they stay, how much they draw.

The run opens with one busy day and goes on with the busy days that follow it; after the last day of the
data it starts again with the first. Quiet days (week-ends, holidays, the first weeks of the experiment) are
left out.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from itertools import count, cycle

BUSIEST_DAY = date(2015, 10, 1)
QUIET_BELOW = 20
"""A day with fewer sessions is left out of the replay."""
CROWD, CROWD_WITHIN = 4, timedelta(minutes=30)
"""The replay opens with the first arrival of its day that this many others follow within this time."""


@dataclass(frozen=True, slots=True)
class Sojourn:
    """One real session: a car stood plugged in from `created` to `ended` (aware; local time read as UTC)."""

    session: str
    created: datetime
    ended: datetime
    user: str
    station: str
    energy_wh: int
    site: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A driver who comes at `at` (simulated), stays `stay_s` seconds and draws `energy_wh`."""

    at: datetime
    stay_s: float
    energy_wh: int
    user: str
    session: str


def load() -> tuple[Sojourn, ...]:
    """All sessions of the package data, in order of arrival."""
    source = files("wattkeeper.simulator") / "data" / "workplace_sessions.csv"
    with source.open(encoding="ascii") as lines:
        return tuple(sorted(map(_read, csv.DictReader(lines)), key=lambda sojourn: sojourn.created))


def _read(row: dict[str, str]) -> Sojourn:
    return Sojourn(
        session=row["session"],
        created=_repaired(row["created"]),
        ended=_repaired(row["ended"]),
        user=row["user"],
        station=row["station"],
        energy_wh=int(Decimal(row["kwh"]) * 1000),
        site=row["location"],
    )


def _repaired(stamp: str) -> datetime:
    """The data were published with the years 0014 and 0015."""
    return datetime.fromisoformat("20" + stamp.removeprefix("00")).replace(tzinfo=UTC)


def busy_days(sojourns: Sequence[Sojourn], first: date = BUSIEST_DAY) -> tuple[date, ...]:
    """`first`, then the busy days after it, then those before it."""
    sizes = Counter(sojourn.created.date() for sojourn in sojourns)
    if first not in sizes:
        raise ValueError(f"no session on {first}; the data run from {min(sizes)} to {max(sizes)}")
    busy = sorted(day for day, size in sizes.items() if size >= QUIET_BELOW or day == first)
    here = busy.index(first)
    return tuple(busy[here:] + busy[:here])


def opening(day: Sequence[Sojourn]) -> int:
    """Index of the arrival that the replay opens with: the first that a crowd follows, else the first."""
    for index in range(len(day) - CROWD):
        if day[index + CROWD].created - day[index].created <= CROWD_WITHIN:
            return index
    return 0


def opening_time(first: date = BUSIEST_DAY) -> timedelta:
    """Time of day (since midnight) at which the replay of that day opens."""
    day = [sojourn for sojourn in load() if sojourn.created.date() == first]
    moment = day[opening(day)].created
    return moment - datetime.combine(first, datetime.min.time(), UTC)


def arrivals(sojourns: Sequence[Sojourn], start: datetime, first: date = BUSIEST_DAY) -> Iterator[Arrival]:
    """Arrivals without end: the opening of day `first` falls on `start`, every next busy day one day later."""
    for number, day in zip(count(), cycle(busy_days(sojourns, first)), strict=False):
        present = [sojourn for sojourn in sojourns if sojourn.created.date() == day]
        if number == 0:
            present = present[opening(present) :]
            shift = start - present[0].created
        moved = shift + timedelta(days=number) - (day - first)
        yield from (_moved(sojourn, moved) for sojourn in present)


def _moved(sojourn: Sojourn, by: timedelta) -> Arrival:
    stay_s = (sojourn.ended - sojourn.created).total_seconds()
    return Arrival(sojourn.created + by, stay_s, sojourn.energy_wh, sojourn.user, sojourn.session)
