"""The attacks on a candidate, before it leaves. They see what whoever is handed the release sees, and no session.

Were the figures measured on the sessions themselves, then printing them, or refusing because of them, would tell
something that no noise covers. So they are measured on the worst town that the candidate leaves possible: behind each
cell that is shown stand as few drivers as there can be, each counting for as much as one may. Membership needs no
town: the attacker is given everything but the one answer (`advantage`). What the attacks do to the true sessions is
measured where those are public (``make privacy-report``), and for the operator's eyes by ``wattkeeper release check``.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from wattkeeper.charging.insight.bar import Figure, Measured
from wattkeeper.charging.insight.contribution import Cell
from wattkeeper.charging.insight.design import Design
from wattkeeper.charging.insight.question import Question
from wattkeeper.charging.insight.release import Release
from wattkeeper.operations.insight import advantage
from wattkeeper.operations.insight.advantage import Shift

TRIALS = 5_000
"""Worlds with the driver, and as many without."""
Town = dict[Cell, int]
"""How few drivers may stand behind each cell that is shown."""


def figures(asked: Question, made: Design, shown: Release, before: Sequence[Shift]) -> list[Figure]:
    """All that is measured of a candidate; ``before``: how a driver moves what has left about the year already."""
    town = {(one.site, one.label): one.drivers for one in shown.shown}
    return [
        Figure(Measured.SINGLED_4, _share(singled_out(town, asked, 4))),
        Figure(Measured.SINGLED_8, _share(singled_out(town, asked, 8))),
        Figure(Measured.LINKED, _share(linked(town))),
        membership(asked, made, before),
        Figure(Measured.ERROR, _share(error(shown))),
    ]


def singled_out(town: Town, asked: Question, points: int) -> float:
    """How often a driver of whom so many points are known is found: one in a cell that is shown, the others anywhere.

    The attacker looks up each point, picks the cell with the fewest drivers behind it, and names one of them. Worked
    out over all drivers and all points that may be known at their site, instead of drawn.
    """
    labels, hit = len(asked.labels), 0.0
    by_site: dict[str, list[int]] = {}
    for (site, _), drivers in town.items():
        by_site.setdefault(site, []).append(drivers)
    for fewest_first in map(sorted, by_site.values()):
        missed = [(1 - rank / labels) ** (points - 1) for rank in range(len(fewest_first) + 1)]
        found = 0.0  # by a point that leads to a smaller cell than the driver's own
        for rank, drivers in enumerate(fewest_first):
            hit += drivers * (found + missed[rank] / drivers)
            found += (missed[rank] - missed[rank + 1]) / drivers
    return hit / sum(town.values()) if town else 0.0


def linked(town: Town) -> float:
    """How often the first guess finds, in another release, a driver whose whole past is known.

    The attacker goes to the driver's site, picks the cell with the fewest drivers behind it, and names one of them.
    """
    fewest: dict[str, int] = {}
    for (site, _), drivers in town.items():
        fewest[site] = min(drivers, fewest.get(site, drivers))
    together = sum(town.values())
    return sum(drivers / fewest[site] for (site, _), drivers in town.items()) / together if together else 0.0


def membership(asked: Question, made: Design, before: Sequence[Shift]) -> Figure:
    """The worst case over all that has left about the year, or what was measured where that is more.

    Measured is this release alone, with the noise that it is made with: noise that is too small would show here.
    """
    share, whole = asked.form.share, made.look.one_cell
    moved = [(whole, made.look)] * 2 + [(made.cells.one_cell, made.cells)] * share
    seen, within = advantage.measured(moved, TRIALS)
    worst = advantage.worst([*before, *advantage.shifts(made, share)])
    return Figure(Measured.MEMBER, _share(max(worst, seen - within)), _share(within))


def error(shown: Release) -> float:
    """How far the cells that are shown are off by the noise, on average; 1 where none is shown."""
    off = [one.error / one.value for one in shown.shown if one.value]
    return sum(off) / len(off) if off else 1.0


def _share(value: float) -> Decimal:
    """A share of one, to four digits."""
    return Decimal(str(round(value, 4)))
