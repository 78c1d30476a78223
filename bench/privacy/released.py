"""Attacks on what left as a release: the JSON file alone, as whoever is handed it has it. No code of the product.

The witness who scores the attacks knows the sessions; the attacker knows what is said at each attack, and the file.
"""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from bench.privacy.population import Charge
from bench.privacy.records import Own, point
from bench.privacy.worlds import Worlds

Cell = tuple[str, str]
ENOUGH = 50
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Truth:
    """What stands behind the hours of each site, as the witness knows it."""

    drivers: Mapping[Cell, set[str]]
    sessions: Mapping[Cell, int]
    energy_wh: Mapping[Cell, float]


def shown(file: str) -> dict[Cell, int]:
    """The cells of a file that are not left out."""
    cells = json.loads(file)["cells"] if file else []
    return {(one["site"], one["cell"]): int(one["value"]) for one in cells if one["value"] is not None}


def by_hours(one: Charge) -> Iterable[tuple[Cell, float]]:
    """The energy of a session by hour of the day, evenly over the stay."""
    edge = one.began.replace(minute=0, second=0) + HOUR
    edges = [one.began]
    while edge < one.ended:
        edges.append(edge)
        edge += HOUR
    edges.append(one.ended)
    whole = (one.ended - one.began).total_seconds()
    for start, end in pairwise(edges):
        yield (one.place, f"{start.hour:02d}"), one.energy_wh * (end - start).total_seconds() / max(1.0, whole)


def truth(charges: Iterable[Charge]) -> Truth:
    """Count what really stands behind the hours of each site, without any bound."""
    drivers: dict[Cell, set[str]] = defaultdict(set)
    sessions: dict[Cell, int] = defaultdict(int)
    energy: dict[Cell, float] = defaultdict(float)
    for one in charges:
        for cell, part in by_hours(one):
            drivers[cell].add(one.driver)
            sessions[cell] += 1
            energy[cell] += part
    return Truth(drivers, sessions, energy)


def singled_out(
    cells: Mapping[Cell, int], real: Truth, charges: Own, points: int, chance: random.Random, targets: int = 2_000
) -> tuple[float, int]:
    """G1: how often somebody of whom so many points are known is named rightly, of how many.

    Points lead to cells by place and hour. The attacker goes to the smallest that is shown and names one of those
    behind it; who these are the witness tells, which is more than an attacker has.
    """
    able = [driver for driver, some in charges.items() if len({point(one) for one in some}) >= points]
    asked = chance.sample(able, min(targets, len(able)))
    hits = 0.0
    for driver in asked:
        known = chance.sample(sorted({point(one) for one in charges[driver]}), points)
        found = [(place, f"{at.hour:02d}") for place, at in known if (place, f"{at.hour:02d}") in cells]
        hits += _named(driver, min(found, key=lambda cell: cells[cell]), real) if found else 0.0
    return hits / max(1, len(asked)), len(asked)


def linked(
    cells: Mapping[Cell, int], later: Truth, before: Own, chance: random.Random, targets: int = 2_000
) -> tuple[float, int]:
    """G2: how often somebody whose whole past is known is found again in the release about later, at the first guess.

    The attacker goes to the cell that fits the past best for the fewest in it, and names one of those behind it.
    """
    asked = chance.sample(sorted(before), min(targets, len(before)))
    hits = 0.0
    for driver in asked:
        habits: dict[Cell, float] = defaultdict(float)
        for one in before[driver]:
            for cell, part in by_hours(one):
                habits[cell] += part
        fit = {cell: part / cells[cell] for cell, part in habits.items() if cell in cells}
        hits += _named(driver, max(fit, key=lambda cell: fit[cell]), later) if fit else 0.0
    return hits / max(1, len(asked)), len(asked)


def _named(driver: str, cell: Cell, real: Truth) -> float:
    """How likely one of those behind a cell, named by chance, is this driver."""
    return 1 / len(real.drivers[cell]) if driver in real.drivers[cell] else 0.0


def error(cells: Mapping[Cell, int], real: Truth) -> tuple[float | None, int, int, float]:
    """Mean absolute percentage error of shown cells with 50 sessions or more; how many of how many are shown, and
    what part of all energy lies in them."""
    able = [cell for cell, count in real.sessions.items() if count >= ENOUGH and real.energy_wh[cell] > 0]
    seen = [cell for cell in able if cell in cells]
    off = [abs(cells[cell] - real.energy_wh[cell]) / real.energy_wh[cell] for cell in seen]
    covered = sum(real.energy_wh[cell] for cell in seen) / max(1.0, sum(real.energy_wh.values()))
    return (sum(off) / len(off) if off else None), len(seen), len(able), covered


Score = Callable[[Sequence[int], Worlds], float]


def member(worlds: Worlds) -> tuple[float, float]:
    """How well the best of several attackers tells worlds with a driver from those without: advantage, and within.

    All know everybody else's sessions and the driver's. On a quarter of the worlds each learns where to draw the line,
    and the best is chosen; on the others it is scored, so that no luck is counted.
    """
    part = len(worlds.inside) // 4
    best, line, gain = _likelihood, 0.0, -1.0
    for score in (_likelihood, _sum, _largest):
        true, false = ([score(one, worlds) for one in some[:part]] for some in (worlds.inside, worlds.outside))
        for at in [*(sorted(false)[:: max(1, part // 50)]), 0.0]:
            here = (sum(one > at for one in true) - sum(one > at for one in false)) / part
            if here > gain:
                best, line, gain = score, at, here
    scored = len(worlds.inside) - part
    right, wrong = (
        sum(best(one, worlds) > line for one in some[part:]) / scored for some in (worlds.inside, worlds.outside)
    )
    return right - wrong, 1.96 * math.sqrt((right * (1 - right) + wrong * (1 - wrong)) / scored)


def _likelihood(seen: Sequence[int], worlds: Worlds) -> float:
    """The logarithm of the ratio of likelihoods: nobody can do better than to go by it (Neyman and Pearson)."""
    known = zip(seen, worlds.base, worlds.moved, worlds.scale, strict=True)
    return sum((abs(one - base) - abs(one - base - moved)) / scale for one, base, moved, scale in known)


def _sum(seen: Sequence[int], worlds: Worlds) -> float:
    """All that is more than it should be without the driver."""
    return float(sum(seen[: worlds.cells]) - sum(worlds.base[: worlds.cells]))


def _largest(seen: Sequence[int], worlds: Worlds) -> float:
    """The one cell that the driver moves most."""
    place = max(range(worlds.cells), key=lambda n: worlds.moved[n])
    return float(seen[place] - worlds.base[place])


def recovered(worlds: Worlds) -> float:
    """Reconstruction: how often what one driver drew is found to a tenth by subtracting everybody else."""
    own, rest = sum(worlds.moved[: worlds.cells]), sum(worlds.base[: worlds.cells])
    found = [abs(sum(one[: worlds.cells]) - rest - own) <= own / 10 for one in worlds.inside]
    return sum(found) / max(1, len(found))
