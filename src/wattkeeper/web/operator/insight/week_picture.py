"""A week of load as a picture: what is expected, between what it lies, and what the week before came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.statistics.forecast import HOURS, Hour
from wattkeeper.web.operator.said import dated

HEIGHT = 1000
"""Of the picture in its own units; an hour is one wide."""
SHORT = phrase("EEE d")
STEPS = (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Day:
    """Where a day begins: which hour it is, and how far along, in percent."""

    text: str
    x: int
    along: str


@dataclass(frozen=True, slots=True)
class Level:
    """A line across: what it stands for, and how far down it is, in percent."""

    text: str
    y: str


@dataclass(frozen=True, slots=True)
class WeekPicture:
    """The paths of the picture, and the texts beside it."""

    band: str
    line: str
    last: str
    days: list[Day]
    levels: list[Level]
    """Energies at the lines across, kWh."""
    top: tuple[str, str]
    """Where what is expected is the highest: along and down, in percent."""
    top_anchor: str
    last_top: tuple[str, str]
    last_anchor: str
    width: int = HOURS
    height: int = HEIGHT


def drawn(hours: Sequence[Hour], last_wh: Sequence[float], begins: Sequence[datetime], zone: tzinfo) -> WeekPicture:
    """The picture of a week."""
    most = _ceiling(max([1.0, *last_wh, *(one.high_wh for one in hours)]) / 1000) * 1000

    def y(wh: float) -> int:
        return round(HEIGHT - HEIGHT * wh / most)

    expected = [one.expected_wh for one in hours]
    high, low = [y(one.high_wh) for one in hours], [y(one.low_wh) for one in hours]
    band = _steps(high) + _back(low) + "Z"
    top = max(range(len(expected)), key=lambda at: expected[at])
    others = [at for at in range(len(last_wh)) if abs(at - top) > HOURS // 6] or [0]
    last_top = max(others, key=lambda at: last_wh[at])
    return WeekPicture(
        band=band,
        line=_steps([y(wh) for wh in expected]),
        last=_steps([y(wh) for wh in last_wh]),
        days=_days(begins, zone),
        levels=[Level(f"{most / 1000 * part / 2:g}", f"{100 - 50 * part}%") for part in (1, 2)],
        top=(_along(top), f"{y(expected[top]) / 10:.1f}%"),
        top_anchor=_anchor(top),
        last_top=(_along(last_top), f"{y(last_wh[last_top]) / 10:.1f}%"),
        last_anchor=_anchor(last_top),
    )


def _steps(heights: Sequence[int]) -> str:
    """A path that stays at each height for an hour."""
    return f"M0 {heights[0]}" + "".join(f"V{height}H{at + 1}" for at, height in enumerate(heights))


def _back(heights: Sequence[int]) -> str:
    """The same from the end to the beginning, as the rest of a shape."""
    return "".join(f"V{heights[at]}H{at}" for at in range(len(heights) - 1, -1, -1))


def _days(begins: Sequence[datetime], zone: tzinfo) -> list[Day]:
    """Where each day begins."""
    found = []
    for at, begin in enumerate(begins):
        local = begin.astimezone(zone)
        if local.hour == 0 and HOURS - at > 8:
            found.append(Day(dated(local.date(), SHORT), at, _along(at)))
    return found


def _along(hour: int) -> str:
    return f"{100 * hour / HOURS:.2f}%"


def _ceiling(kwh: float) -> float:
    """The next number that people like to read."""
    size = 1.0
    while size * 10 < kwh:
        size *= 10
    while size > kwh and size > 0.001:
        size /= 10
    return next(size * step for step in STEPS if size * step >= kwh)


def _anchor(hour: int) -> str:
    """On which side a text stands, so that it stays in the picture."""
    return "start" if hour < HOURS // 8 else "end" if hour > HOURS * 7 // 8 else "middle"
