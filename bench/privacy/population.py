"""A town of drivers with habits, drawn from a seed: where they work, shop and travel, when they come, what they draw.

An outside witness: it shares no code with the product. What it is like: three in five drivers charge at work on some
days at their own hour, most of the others while they shop or at night in their street, some at fast chargers on
the road. Sites differ in size as they do in towns: a few are large, most are small.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Charge:
    """One session as the record has it, in local time."""

    driver: str
    place: str
    began: datetime
    ended: datetime
    energy_wh: int

    @property
    def hour(self) -> datetime:
        """The clock hour in which it began."""
        return self.began.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Way:
    """How one sort of place is used."""

    name: str
    sites: int
    power_w: tuple[int, ...]
    energy_wh: int
    """Typical energy of a session."""
    hours: tuple[int, ...]
    """When people come: weights of the 24 hours."""
    stay_h: float
    weekend: float
    """How likely somebody comes on a day of the weekend, against a working day."""
    weekly: float
    """Typical sessions of a driver in a week."""


WORK = Way(
    *("work", 30, (3_700, 7_400, 11_000), 8_000),
    *((0, 0, 0, 0, 0, 1, 6, 22, 30, 18, 6, 3, 4, 5, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0), 7.0, 0.05, 2.0),
)
STREET = Way(
    *("street", 20, (11_000, 22_000), 9_000),
    *((1, 0, 0, 0, 0, 0, 1, 2, 4, 6, 8, 8, 7, 6, 7, 9, 11, 13, 12, 9, 6, 4, 2, 1), 3.0, 1.3, 1.2),
)
FAST = Way(
    *("fast", 10, (50_000, 100_000, 150_000), 20_000),
    *((1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 8, 8, 8, 8, 8, 9, 10, 10, 9, 7, 5, 4, 3, 2), 0.6, 1.2, 0.6),
)
WAYS = (WORK, STREET, FAST)
START = datetime(2025, 1, 1)
DAYS = 59
"""January and February."""
ALL = 50_000
"""Drivers of the whole town; a smaller one has as many fewer sites."""


def town(seed: int, drivers: int = ALL) -> list[Charge]:
    """All sessions of a town, driver by driver; the same seed gives the same town."""
    chance = random.Random(seed)
    places = {way: _places(chance, way, drivers) for way in WAYS}
    found: list[Charge] = []
    for number in range(drivers):
        name = f"driver-{number:05d}"
        main = chance.choices(WAYS, (60, 32, 8))[0]
        found += _habit(chance, name, main, places[main], 1.0)
        if chance.random() < 0.35:
            other = chance.choice([way for way in WAYS if way is not main])
            found += _habit(chance, name, other, places[other], 0.3)
    return found


def _places(chance: random.Random, way: Way, drivers: int) -> tuple[list[str], list[float]]:
    """The sites of a sort, and how much each is used."""
    names = [f"{way.name}-{n:02d}" for n in range(1, max(1, way.sites * drivers // ALL) + 1)]
    return names, [chance.lognormvariate(0, 0.8) for _ in names]


def _habit(
    chance: random.Random, driver: str, way: Way, places: tuple[list[str], list[float]], often: float
) -> list[Charge]:
    """One driver's sessions at places of one sort: mostly at one, at much the same hour, on some days."""
    favourite = chance.choices(*places)[0]
    own_hour = chance.choices(range(24), way.hours)[0] + chance.random()
    power_w = chance.choice(way.power_w)
    weekly = min(6.0, often * way.weekly * chance.lognormvariate(0, 0.45))
    on_day = [min(0.95, weekly / 5.2 * (way.weekend if day > 4 else 1) * chance.uniform(0.4, 1.6)) for day in range(7)]
    typical = way.energy_wh * chance.lognormvariate(0, 0.3)
    found = []
    for day in range(DAYS):
        if chance.random() >= on_day[(START.weekday() + day) % 7]:
            continue
        hour = own_hour + chance.gauss(0, 0.7) if chance.random() < 0.75 else chance.choices(range(24), way.hours)[0]
        began = START + timedelta(days=day, minutes=int(60 * max(0.0, hour)))
        place = favourite if chance.random() < 0.85 else chance.choices(*places)[0]
        energy = min(70_000, int(typical * chance.lognormvariate(0, 0.35)))
        stay_h = max(energy / power_w, way.stay_h * chance.lognormvariate(-0.1, 0.35))
        found.append(Charge(driver, place, began, began + timedelta(minutes=1 + int(60 * stay_h)), energy))
    return _one_after_the_other(found)


def _one_after_the_other(charges: list[Charge]) -> list[Charge]:
    """Without those that begin before the one before has ended."""
    kept = charges[:1]
    kept += [later for before, later in pairwise(charges) if later.began >= before.ended]
    return kept
