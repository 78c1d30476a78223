"""Energy times what held for a kWh when it flowed: grams of carbon, or what it cost. What nobody told is kept apart."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, Self

from wattkeeper.charging.money.exact import divided, exactly

ZERO, KILO = Decimal(0), Decimal(1000)


class Rate(Protocol):
    """What holds for a kWh at a site."""

    def at(self, at: datetime) -> Decimal | None:
        """For a kWh in the quarter hour that begins at an instant; None where nobody told."""

    @property
    def begins(self) -> Collection[date]:
        """Days from which on something else holds."""

    @property
    def kind(self) -> Hashable:
        """What decides it, where it is the same every day from one of these on; None where each hour has its own."""

    @property
    def is_hourly(self) -> bool:
        """Whether it changes on the hour alone."""


@dataclass(frozen=True, slots=True)
class Rated:
    """What energy came to."""

    amount: Decimal = ZERO
    """Of the energy of which it is known."""
    known_wh: Decimal = ZERO
    """How much energy that is."""
    energy_wh: Decimal = ZERO
    """All of it."""

    @property
    def is_whole(self) -> bool:
        """Whether it is known of all energy."""
        return self.known_wh == self.energy_wh

    @property
    def unknown_wh(self) -> Decimal:
        """Of how much energy it is not known."""
        return self.energy_wh - self.known_wh

    @property
    def per_kwh(self) -> Decimal | None:
        """On the mean of the energy of which it is known; None where there is none."""
        return divided(self.amount * KILO, self.known_wh) if self.known_wh > 0 else None

    def __add__(self, other: Self) -> Self:
        with exactly():
            known_wh, energy_wh = self.known_wh + other.known_wh, self.energy_wh + other.energy_wh
            return type(self)(self.amount + other.amount, known_wh, energy_wh)

    @classmethod
    def of(cls, taken: Iterable[tuple[datetime, Decimal]], rate: Rate | None) -> Self:
        """What energy came to; ``taken``: by the beginnings of hours or quarter hours, Wh."""
        amount = known_wh = energy_wh = ZERO
        with exactly():
            for at, wh in taken:
                energy_wh += wh
                held = None if rate is None else rate.at(at)
                if held is not None:
                    known_wh += wh
                    amount += wh * held
            return cls(amount.scaleb(-3), known_wh, energy_wh)
