"""Attacks on single sessions under pseudonyms: what would be called anonymous and is not. No code of the product."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby

from bench.privacy.population import Charge

Point = tuple[str, datetime]
"""A place, and the clock hour of one date in which a session began there."""
Own = Mapping[str, list[Charge]]


def own(charges: Iterable[Charge]) -> dict[str, list[Charge]]:
    """Each driver's sessions; they come driver by driver."""
    return {driver: list(some) for driver, some in groupby(charges, lambda one: one.driver)}


def point(one: Charge) -> Point:
    """What somebody knows who saw a session begin."""
    return one.place, one.hour


def singled_out(charges: Own, points: int, chance: random.Random, targets: int = 2_000) -> tuple[float, int]:
    """G1: how many drivers have a pseudonym of their own as soon as so many of their points are known, of how many."""
    there: dict[Point, set[str]] = defaultdict(set)
    for driver, some in charges.items():
        for one in some:
            there[point(one)].add(driver)
    able = [driver for driver, some in charges.items() if len({point(one) for one in some}) >= points]
    asked = chance.sample(able, min(targets, len(able)))
    alone = 0
    for driver in asked:
        known = chance.sample(sorted({point(one) for one in charges[driver]}), points)
        alone += set.intersection(*(there[each] for each in known)) == {driver}
    return alone / max(1, len(asked)), len(asked)


def linked(before: Own, after: Own, chance: random.Random, targets: int = 400) -> tuple[float, int]:
    """G2: how many drivers are found again under another pseudonym by their habits, at the first guess, of how many.

    Each pseudonym is a bag of habits (places, hours, days of the week, kWh), rare ones weigh more; the nearest wins.
    """
    bags = {driver: _bag(some) for driver, some in after.items()}
    common = Counter(habit for bag in bags.values() for habit in bag)
    weight = {habit: math.log(1 + len(bags) / count) ** 2 for habit, count in common.items()}
    index: dict[object, list[tuple[str, float]]] = defaultdict(list)
    for driver, bag in bags.items():
        length = math.sqrt(sum(weight[habit] * often * often for habit, often in bag.items()))
        for habit, often in bag.items():
            index[habit].append((driver, often / length))
    able = [driver for driver in before if driver in after]
    asked = chance.sample(able, min(targets, len(able)))
    hits = 0
    for driver in asked:
        likeness: dict[str, float] = defaultdict(float)
        for habit, often in _bag(before[driver]).items():
            for other, has in index.get(habit, ()):
                likeness[other] += weight[habit] * often * has
        hits += bool(likeness) and max(likeness, key=lambda one: (likeness[one], one)) == driver
    return hits / max(1, len(asked)), len(asked)


def _bag(charges: Iterable[Charge]) -> dict[object, float]:
    """Habits, and how usual each is."""
    bag: Counter[object] = Counter()
    for one in charges:
        at, hour = one.place, one.began.hour
        stay_h = round((one.ended - one.began).total_seconds() / 3600)
        bag.update((at, (at, hour), (at, one.began.weekday()), (at, hour + 1, "or before"), (at, hour, "or before")))
        bag.update(((at, "kWh", round(one.energy_wh / 1000)), (at, "stays", stay_h)))
    most = sum(bag.values())
    return {habit: math.sqrt(count / most) for habit, count in bag.items()}


def member(charges: Own, chance: random.Random, points: int = 4, targets: int = 1_000) -> tuple[float, float, int]:
    """Whether somebody is in an export, by so many known points: true less false positives, within, of how many.

    Half of the drivers are exported; somebody is held to be in it where one pseudonym has all points.
    """
    able = [driver for driver, some in charges.items() if len(some) >= points]
    chance.shuffle(able)
    half = len(able) // 2
    inside, outside = able[:half][:targets], able[half:][:targets]
    there: dict[Point, set[str]] = defaultdict(set)
    left_out = set(able[half:])
    for driver, some in charges.items():
        for one in some if driver not in left_out else ():
            there[point(one)].add(driver)

    def is_found(driver: str) -> bool:
        return bool(set.intersection(*(there[point(one)] for one in chance.sample(charges[driver], points))))

    true, false = (sum(map(is_found, some)) / max(1, len(some)) for some in (inside, outside))
    within = 1.96 * math.sqrt((true * (1 - true) + false * (1 - false)) / max(1, len(inside)))
    return true - false, within, len(inside) + len(outside)
