"""Bars as a small picture: no legend, the answer in the title, a label where it is needed; whole numbers throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

HIGH, TOP, FOOT, YEAR = 112, 24, 20, 16
"""The room of the tallest bar, of a figure above it, of a label beneath, and of a second line of labels."""
GAP = 4
WORD = 64
"""How wide a figure above a bar may be."""
LEAST = 2
"""How tall the smallest bar is that stands for something."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a bar stands for."""

    label: str
    """What stands beneath it; empty: nothing."""
    value: Decimal
    told: str
    """The value as people read it."""
    under: str = ""
    """A second line beneath it, such as the year."""
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, and what is written at it."""

    x: int
    y: int
    width: int
    height: int
    middle: int
    label: str
    under: str
    figure: str
    """Written above it; empty: nothing."""
    anchor: str
    """How the figure is set (SVG text-anchor), so that it does not run out at either end."""
    anchor_x: int
    figure_y: int
    """Above whichever bars it reaches over."""
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """Bars with their title."""

    name: str
    title: str
    bars: tuple[Bar, ...]
    width: int
    base: int
    """Where nothing is."""
    height: int


def drawn(name: str, title: str, figures: Sequence[Figure], slot: int) -> Picture:
    """The picture of some figures, each in a slot so wide; the greatest and the chosen one are written out."""
    most = max([one.value for one in figures], default=Decimal(0))
    written = _written(figures, most, slot)
    base, width = TOP + HIGH, len(figures) * slot
    heights = [_height(one.value, most) for one in figures]
    bars = [_bar(one, place, slot, heights, is_written=place in written) for place, one in enumerate(figures)]
    foot = FOOT + (YEAR if any(one.under for one in figures) else 0)
    return Picture(name, title, tuple(bars), width, base, base + foot)


def _written(figures: Sequence[Figure], most: Decimal, slot: int) -> set[int]:
    """Which figures are written above their bars: the chosen, and the greatest where it does not run into it."""
    chosen = [place for place, one in enumerate(figures) if one.is_chosen and one.value > 0]
    great = [place for place, one in enumerate(figures) if most > 0 and one.value == most][:1]
    return {*chosen, *(one for one in great if all(abs(one - other) * slot >= WORD for other in chosen))}


def _bar(one: Figure, place: int, slot: int, heights: Sequence[int], *, is_written: bool) -> Bar:
    """A bar in its slot."""
    left, right, width = place * slot, place * slot + slot, len(heights) * slot
    anchor, x, begin = "middle", left + slot // 2, left + slot // 2 - WORD // 2
    if begin < 0:
        anchor, x, begin = "start", left, left
    elif begin + WORD > width:
        anchor, x, begin = "end", right, right - WORD
    under = heights[max(0, begin) // slot : -(-(begin + WORD) // slot)]
    return Bar(
        x=left + GAP // 2,
        y=TOP + HIGH - heights[place],
        width=slot - GAP,
        height=heights[place],
        middle=left + slot // 2,
        label=one.label,
        under=one.under,
        figure=one.told if is_written else "",
        anchor=anchor,
        anchor_x=x,
        figure_y=TOP + HIGH - max(under) - 6,
        is_chosen=one.is_chosen,
    )


def _height(value: Decimal, most: Decimal) -> int:
    return max(LEAST, int(value * HIGH // most)) if value > 0 else 0
