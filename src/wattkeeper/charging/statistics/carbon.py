"""Carbon dioxide of energy: what the grid carried in each hour, times what was taken from it then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.statistics.terms import Carbon

ZERO, KILO = Decimal(0), Decimal(1000)


@dataclass(frozen=True, slots=True)
class Emitted:
    """What energy came to."""

    grams: Decimal = ZERO
    """Carbon dioxide of the energy of which the grid's is known."""
    known_wh: Decimal = ZERO
    """How much energy that is."""
    energy_wh: Decimal = ZERO
    """All of it."""

    @property
    def is_whole(self) -> bool:
        """Whether it is known of all energy."""
        return self.known_wh == self.energy_wh

    @property
    def g_per_kwh(self) -> Decimal | None:
        """On the mean of the energy of which it is known; None where there is none."""
        return divided(self.grams * KILO, self.known_wh) if self.known_wh > 0 else None

    def __add__(self, other: Emitted) -> Emitted:
        return Emitted(self.grams + other.grams, self.known_wh + other.known_wh, self.energy_wh + other.energy_wh)


def emitted(taken: Iterable[tuple[datetime, Decimal]], carbon: Carbon | None) -> Emitted:
    """What energy came to; ``taken``: by the beginnings of hours or quarter hours, Wh."""
    grams = known_wh = energy_wh = ZERO
    for at, wh in taken:
        energy_wh += wh
        intensity = None if carbon is None else carbon.at(at)
        if intensity is not None:
            known_wh += wh
            grams += wh * intensity
    return Emitted(grams.scaleb(-3), known_wh, energy_wh)
