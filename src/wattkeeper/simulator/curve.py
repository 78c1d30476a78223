"""The power that a car draws over a session, and the energy that comes of it. Pure.

A curve is a handful of corners joined by straight lines: the current rises, holds, tapers as the battery
fills, and stops. Its area is exactly the energy asked for, because the height is computed from the area and
kept as a fraction. What the register shows is that exact energy, cut to whole watt-hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

TIERS_W = (3_600, 6_600, 7_200, 11_000, 22_000, 50_000)
"""What stations and cars commonly agree on, in watts, least first."""
MOST_ON_ONE_PHASE_W = 7_400
RAMP_S = 60
LONGEST_TAPER_S = 2_400
LAST_POWER = Fraction(1, 10)
"""The part of the full power at which the car ends its taper and stops."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One car's power over time: corners of (second, watts) joined by straight lines, zero beyond the last."""

    corners: tuple[tuple[int, Fraction], ...]
    energy_wh: int
    phases: int

    @property
    def length_s(self) -> int:
        """Seconds from the first to the last moment in which energy flows."""
        return self.corners[-1][0] if self.corners else 0

    @property
    def peak_w(self) -> Fraction:
        """The highest power of the curve, in watts."""
        return max((watts for _, watts in self.corners), default=Fraction(0))

    def power_w(self, second: float) -> Fraction:
        """Watts drawn at that second after the start."""
        at = _milliseconds(second)
        for (left, low), (right, high) in pairwise(self.corners):
            if left <= at < right:
                return low + (high - low) * (at - left) / (right - left)
        return Fraction(0)

    def energy_at_wh(self, second: float) -> int:
        """Whole watt-hours drawn from the start until that second."""
        at = _milliseconds(second)
        drawn = Fraction(0)
        for (left, low), (right, high) in pairwise(self.corners):
            run = min(max(at - left, Fraction(0)), Fraction(right - left))
            reached = low + (high - low) * run / (right - left)
            drawn += (low + reached) / 2 * run
        return int(drawn / 3600)


def _milliseconds(second: float) -> Fraction:
    return Fraction(int(second * 1000), 1000)


def draw(energy_wh: int, stay_s: float) -> Curve:
    """A curve that draws exactly that energy (Wh) within the stay (seconds), gently if the stay is long enough.

    The least common power that fits is taken; where none fits, the power is as high as the stay demands.
    """
    if energy_wh < 0:
        raise ValueError(f"a session cannot draw {energy_wh} Wh")
    if energy_wh == 0:
        return Curve((), 0, 1)
    for tier_w in TIERS_W:
        shape = _shape(energy_wh, tier_w)
        if shape[-1] <= stay_s:
            return _raise(shape, energy_wh)
    return _raise(_squeezed(stay_s), energy_wh)


def _shape(energy_wh: int, tier_w: int) -> tuple[int, int, int]:
    """Ends of ramp, plateau and taper in seconds, for a height of at most `tier_w`."""
    seconds_at_full = Fraction(energy_wh * 3600, tier_w)
    ramp = max(1, min(RAMP_S, int(seconds_at_full / 10)))
    taper = max(1, min(LONGEST_TAPER_S, int(seconds_at_full * 3 / 10)))
    plateau = seconds_at_full - Fraction(ramp, 2) - taper * (1 + LAST_POWER) / 2
    held = max(1, -int(-plateau // 1))
    return ramp, ramp + held, ramp + held + taper


def _squeezed(stay_s: float) -> tuple[int, int, int]:
    whole = max(3, int(stay_s))
    edge = max(1, whole // 20)
    return edge, whole - edge, whole


def _raise(ends: tuple[int, int, int], energy_wh: int) -> Curve:
    """Give the shape the one height at which its area is the energy."""
    ramp, plateau, end = ends
    area = Fraction(ramp, 2) + (plateau - ramp) + (end - plateau) * (1 + LAST_POWER) / 2
    height = energy_wh * 3600 / area
    corners = ((0, Fraction(0)), (ramp, height), (plateau, height), (end, height * LAST_POWER))
    return Curve(corners, energy_wh, 3 if height > MOST_ON_ONE_PHASE_W else 1)
