"""A release: noisy numbers made fit to read. Nothing here sees a session, so nothing here can tell more than the noise.

What follows a noisy number costs no privacy (post-processing): what is too small to be shown is left out, what the
bounds cut off is added back in the same proportion everywhere, and the total of a site is never less than its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from wattkeeper.charging.insight.contribution import Cell, Counted
from wattkeeper.charging.insight.design import Design, Noise
from wattkeeper.charging.insight.question import Question

SURE = 3
"""In 19 of 20 draws the noise is less than three times its scale: ln 20 is 2.996."""
CLEAR = 6
"""By how many scales of the look a site must be larger than one cell that is shown; chance does that once in 800."""


@dataclass(frozen=True, slots=True)
class Row:
    """One number that is shown, or left out."""

    site: str
    label: str
    value: int | None
    """None: too few drivers may stand behind it."""
    error: int
    """How far it is off by the noise on average."""
    sure: int
    """Within how much of the truth it is in 19 of 20 draws, by the noise."""
    drivers: int
    """How many drivers stand behind it at least; 0 where it is left out."""


@dataclass(frozen=True, slots=True)
class Release:
    """What leaves: the cells of each site in the order of the question, and the totals of the sites."""

    cells: tuple[Row, ...]
    sites: tuple[Row, ...]
    raised_by: Fraction
    """By what all numbers were multiplied, for what the bounds cut off."""

    @property
    def shown(self) -> list[Row]:
        """The cells that are not left out."""
        return [one for one in self.cells if one.value is not None]


def looked_at(counted: Counted, asked: Question) -> list[int]:
    """What the first look counts: each site, and what was cut off."""
    return [*(counted.sites[site] for site in asked.sites), counted.cut]


def is_worth_it(look: Sequence[int], made: Design) -> bool:
    """Whether any site is large enough, as the noisy first look has it, that one of its cells might be shown."""
    return any(one >= made.cells.shown_from + CLEAR * made.look.scale for one in look[:-1])


def raised(look: Sequence[int], made: Design) -> Fraction:
    """By what to multiply for what the bounds cut off, as the noisy look has it; 1 where the noise hides it."""
    whole, cut = sum(look[:-1]), look[-1]
    if cut <= 2 * made.look.scale or whole <= made.look.margin:
        return Fraction(1)
    return 1 + min(Fraction(1), Fraction(cut, whole))


def release(asked: Question, made: Design, look: Sequence[int], noisy: Mapping[Cell, int]) -> Release:
    """What is shown of the noisy numbers of both steps."""
    by = raised(look, made)
    cells = tuple(_row(cell, noisy[cell], made.cells, by) for cell in noisy)
    sites = []
    for site, total in zip(asked.sites, look, strict=False):
        row, parts = _row((site, ""), total, made.look, by), [one.value or 0 for one in cells if one.site == site]
        value = None if row.value is None else max(row.value, sum(parts))
        sites.append(Row(site, "", value, row.error, row.sure, row.drivers))
    return Release(cells, tuple(sites), by)


def _row(cell: Cell, noisy: int, noise: Noise, by: Fraction) -> Row:
    """One noisy number as it is shown."""
    error, sure = round(noise.scale * by), round(SURE * noise.scale * by)
    if noisy < noise.shown_from:
        return Row(*cell, None, error, sure, 0)
    return Row(*cell, round(noisy * by), error, sure, noise.drivers(noisy))
