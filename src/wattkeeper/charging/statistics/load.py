"""The load of a site: mean power by quarter hour, its highest, each day's, and as few stretches as a picture needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.statistics.share import QUARTER

ZERO = Decimal(0)
STEPS = (1, 2, 4, 8, 12, 24, 48, 96)
"""Of how many quarter hours a stretch of a picture may be."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The quarter hour with the most power."""

    at: datetime
    power_w: Decimal
    """Its mean power."""
    spread_w: Decimal = ZERO
    """Of it, what came between readings that lie far apart."""

    @property
    def is_spread(self) -> bool:
        """Whether most of it was measured over a longer time, so that the real peak may be another one."""
        return self.spread_w * 2 > self.power_w


@dataclass(frozen=True, slots=True)
class DayLoad:
    """A day."""

    day: date
    energy_wh: Decimal
    peak: Peak


@dataclass(frozen=True, slots=True)
class Stretched:
    """The load by stretches of one length: the highest quarter hour and the mean power of each, W."""

    length: timedelta
    most: list[Decimal]
    mean: list[Decimal]


def power(energy_wh: Decimal) -> Decimal:
    """The mean power of a quarter hour that delivered this, W."""
    return energy_wh * 4


def peak_of(quarters: Mapping[datetime, Decimal], spread: Mapping[datetime, Decimal] | None = None) -> Peak | None:
    """The highest quarter hour, the first of several; None where there was no load. ``quarters``: energy, Wh.

    ``spread``: of it, what came between readings that lie far apart, Wh.
    """
    at = max(sorted(quarters), key=lambda one: quarters[one], default=None)
    if at is None or quarters[at] <= 0:
        return None
    return Peak(at, power(quarters[at]), power((spread or {}).get(at, ZERO)))


def by_day(quarters: Mapping[datetime, Decimal], spread: Mapping[datetime, Decimal], zone: tzinfo) -> list[DayLoad]:
    """Each day on which there was load, where clocks go as in a zone."""
    days: dict[date, dict[datetime, Decimal]] = {}
    for at, energy_wh in quarters.items():
        days.setdefault(at.astimezone(zone).date(), {})[at] = energy_wh
    made = [(day, sum(those.values(), ZERO), peak_of(those, spread)) for day, those in sorted(days.items())]
    return [DayLoad(day, energy_wh, peak) for day, energy_wh, peak in made if peak is not None]


def stretched(quarters: Mapping[datetime, Decimal], since: datetime, until: datetime, count: int) -> Stretched:
    """The load from one instant until before another in at most about ``count`` stretches; no highest is lost."""
    whole = max(1, -(-(until - since) // QUARTER))
    size = next((one for one in STEPS if whole <= one * count), STEPS[-1])
    most, energy = ([ZERO] * -(-whole // size) for _ in range(2))
    for at, energy_wh in quarters.items():
        place = (at - since) // QUARTER // size
        if 0 <= place < len(most):
            most[place] = max(most[place], power(energy_wh))
            energy[place] += power(energy_wh)
    return Stretched(size * QUARTER, most, [divided(one, size) for one in energy])
