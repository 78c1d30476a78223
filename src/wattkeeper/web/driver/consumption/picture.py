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
    bars = [_bar(one, place, slot, most, width, is_written=place in written) for place, one in enumerate(figures)]
    foot = FOOT + (YEAR if any(one.under for one in figures) else 0)
    return Picture(name, title, tuple(bars), width, base, base + foot)


def _written(figures: Sequence[Figure], most: Decimal, slot: int) -> set[int]:
    """Which figures are written above their bars: the chosen, and the greatest where it does not run into it."""
    chosen = [place for place, one in enumerate(figures) if one.is_chosen and one.value > 0]
    great = [place for place, one in enumerate(figures) if most > 0 and one.value == most][:1]
    return {*chosen, *(one for one in great if all(abs(one - other) * slot >= WORD for other in chosen))}


def _bar(one: Figure, place: int, slot: int, most: Decimal, width: int, *, is_written: bool) -> Bar:
    """A bar in its slot."""
    height = max(LEAST, int(one.value * HIGH // most)) if one.value > 0 else 0
    left, right = place * slot, place * slot + slot
    anchor, x = "middle", left + slot // 2
    if x < WORD // 2:
        anchor, x = "start", left
    elif x > width - WORD // 2:
        anchor, x = "end", right
    return Bar(
        x=left + GAP // 2,
        y=TOP + HIGH - height,
        width=slot - GAP,
        height=height,
        middle=left + slot // 2,
        label=one.label,
        under=one.under,
        figure=one.told if is_written else "",
        anchor=anchor,
        anchor_x=x,
        is_chosen=one.is_chosen,
    )
