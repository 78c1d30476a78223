"""How much better than by chance somebody can tell whether one driver is in a release: the worst case, worked out.

The driver fills every bound. Whoever attacks knows all other drivers' sessions to the last Wh, and the driver's own,
and asks the release only whether they are in it. Nobody can do better than by the ratio of likelihoods; its
distribution under Laplace noise is folded cell by cell, over all that has left about the year.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wattkeeper.operations.insight.noise import drawn

if TYPE_CHECKING:
    from wattkeeper.charging.insight.design import Design, Noise

STEP = 1e-3
"""The grid of log-likelihood ratios."""
Shift = tuple[int, int]
"""By how much the driver moves a cell, and the scale of its noise."""


def shifts(made: Design, share: int) -> list[Shift]:
    """How a driver who fills every bound moves the numbers of a release: one site, what is cut off, and the cells."""
    whole = made.look.one_cell
    return [(whole, made.look.scale)] * 2 + [(made.cells.one_cell, made.cells.scale)] * share


def worst(moved: Sequence[Shift]) -> float:
    """The advantage (true less false positives) of the best attack there is, up to the grid."""
    ratios = {0: 1.0}
    for shift, scale in moved:
        ratios = _folded(ratios, _of_one(shift / scale))
    return sum(weight * -math.expm1(-step * STEP) for step, weight in ratios.items() if step > 0)


def _of_one(shift: float) -> dict[int, float]:
    """The log-likelihood ratio of one cell, where the driver is in it: how likely each step of the grid is."""
    top = round(shift / STEP)
    found = {-top: math.exp(-shift) / 2, top: 0.5}
    parts = max(1, round(shift / STEP))
    for part in range(parts):
        near, far = -shift * part / parts, -shift * (part + 1) / parts
        at = round((shift + near + far) / STEP)
        found[at] = found.get(at, 0.0) + (math.exp(near) - math.exp(far)) / 2
    return found


def _folded(one: dict[int, float], other: dict[int, float]) -> dict[int, float]:
    """The sum of two that do not depend on each other."""
    found: dict[int, float] = {}
    for step, weight in one.items():
        for more, likely in other.items():
            found[step + more] = found.get(step + more, 0.0) + weight * likely
    return found


def measured(moved: Sequence[tuple[int, Noise]], trials: int) -> tuple[float, float]:
    """The same attack on as many worlds with the driver and without: its advantage, and how sure that is (95 %).

    The noise is what releases are made with; the attacker decides by the ratio of likelihoods.
    """
    is_in, is_out = ([0.0] * trials, [0.0] * trials)
    for shift, noise in moved:
        for world, base in ((is_in, shift), (is_out, 0)):
            for n, seen in enumerate(drawn([base] * trials, noise)):
                world[n] += (abs(seen) - abs(seen - shift)) / noise.scale
    true, false = (sum(one > 0 for one in world) / trials for world in (is_in, is_out))
    return true - false, 1.96 * math.sqrt((true * (1 - true) + false * (1 - false)) / trials)
