"""A session's curve: power and energy so far at each reading, and the title that carries the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from wattkeeper.charging.meter import Track, extend, power_of
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.reading import Context, Reading
from wattkeeper.charging.session import Session, counts

MOST_POINTS = 1_000
"""What a page shows; a longer session is thinned, its peaks kept."""
WHY_READ = {
    Context.BEGIN: phrase("start"),
    Context.END: phrase("end"),
    Context.PERIODIC: "",
    Context.CLOCK: phrase("on the clock"),
    Context.TRIGGER: phrase("asked for"),
    Context.INTERRUPTION_BEGIN: phrase("interruption began"),
    Context.INTERRUPTION_END: phrase("interruption ended"),
    Context.OTHER: "",
}


@dataclass(frozen=True, slots=True)
class Point:
    """What one instant adds to the curve."""

    at: datetime
    power_w: Decimal | None
    energy_wh: Decimal | None
    """Energy delivered up to here, Wh, by the same fold that makes the session's total."""
    why: str


@dataclass(frozen=True, slots=True)
class Curve:
    """The points in order, and where the power comes from."""

    points: list[Point]
    count: int
    """How many readings there are; more than points where it was thinned."""
    is_derived: bool = False
    """Whether power is not the meter's word but what the register rose by between readings."""

    @property
    def is_mean(self) -> bool:
        """Whether all that is known is what the register rose by from one reading to another: a mean is no curve."""
        return self.is_derived and sum(one.power_w is not None for one in self.points) == 1


def curve(session: Session, readings: Sequence[Reading]) -> Curve:
    """The curve of a session's readings in the order of their instants."""
    points, track = [], Track()
    for reading in readings:
        if counts(session, reading):
            track = extend(track, reading, session.max_power_w)
            points.append(Point(reading.at, power_of(reading), track.energy_wh, WHY_READ[reading.context]))
    if any(p.power_w is not None for p in points):
        return Curve(thinned(points), len(points))
    return Curve(thinned(_derived(points)), len(points), is_derived=True)


def _derived(points: list[Point]) -> list[Point]:
    """Mean power since the reading before, where no reading told power."""
    made = points[:1]
    for before, point in pairwise(points):
        seconds = Decimal((point.at - before.at).total_seconds())
        rise = None if point.energy_wh is None or before.energy_wh is None else point.energy_wh - before.energy_wh
        power = rise * 3600 / seconds if rise is not None and seconds > 0 else None
        made.append(Point(point.at, power, point.energy_wh, point.why))
    return made


def thinned(points: list[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most about ``most`` points: of each stretch its highest power and its last, so no peak is lost."""
    if len(points) <= most:
        return points
    size = -(-len(points) * 2 // most)
    kept: list[Point] = points[:1]
    for start in range(1, len(points), size):
        stretch = points[start : start + size]
        peak = max(stretch, key=lambda p: p.power_w if p.power_w is not None else Decimal(-1))
        kept += [peak] if peak is stretch[-1] else [peak, stretch[-1]]
    return kept


def peak(made: Curve) -> Point | None:
    """The point of the highest power; None where no power is known."""
    known = [p for p in made.points if p.power_w is not None]
    return max(known, key=lambda p: p.power_w or Decimal(0)) if known else None
