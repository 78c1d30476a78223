"""The lines of a bill: what was used at one price, from when to when, and how the meter is known there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from wattkeeper.charging.money.exact import HOUR_S, KILO, divided, shown
from wattkeeper.charging.money.usage import Known


class LineKind(StrEnum):
    """What a line of a bill is for; they stand in this order."""

    RESERVATION_FLAT = "RESERVATION_FLAT"
    RESERVATION_TIME = "RESERVATION_TIME"
    FLAT = "FLAT"
    ENERGY = "ENERGY"
    TIME = "TIME"
    PARKING_TIME = "PARKING_TIME"
    BLOCKING_TIME = "BLOCKING_TIME"
    """Idle after the transaction; priced as parking."""
    LEAST = "LEAST"
    """What is missing to the least that a session costs."""
    MOST = "MOST"
    """What is taken off above the most that a session costs; below zero."""


K = LineKind
ORDER = {kind: place for place, kind in enumerate(LineKind)}
HOURLY = frozenset({K.RESERVATION_TIME, K.TIME, K.PARKING_TIME, K.BLOCKING_TIME})
BOUNDS = frozenset({K.LEAST, K.MOST})


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a line: from when to when, how much, and how that is known."""

    since: datetime
    until: datetime
    used: Decimal
    """Wh, seconds or sessions."""
    since_known: Known
    until_known: Known
    since_wh: Decimal | None = None
    """The register, as it counts; None: there is none."""
    until_wh: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line: quantity times unit price. Amounts are whole minor units (cents)."""

    kind: LineKind
    used_base: Decimal
    """Wh, seconds or sessions, as measured."""
    billed_base: Decimal
    """As billed: used, and rounded up to the step where this is the line that is."""
    unit_price: Decimal
    """For a kWh, an hour or a session, major units, with tax where the tariff includes it."""
    vat_percent: Decimal | None
    net_minor: int
    vat_minor: int
    gross_minor: int
    exact_net: Decimal
    """Before rounding, major units, to twelve digits after the point."""
    exact_gross: Decimal
    element: int | None = None
    """Which element of the tariff, counted from 0; None: no single one."""
    step_size: int = 1
    parts: tuple[Part, ...] = ()

    @property
    def used(self) -> Decimal:
        """kWh, hours or sessions as measured."""
        return _counted(self.kind, self.used_base)

    @property
    def quantity(self) -> Decimal:
        """kWh, hours or sessions as billed."""
        return _counted(self.kind, self.billed_base)

    @property
    def unit(self) -> str:
        """What its quantity is counted in."""
        return "h" if self.kind in HOURLY else "kWh" if self.kind is K.ENERGY else "session"

    @property
    def since(self) -> datetime | None:
        """When its first stretch began."""
        return self.parts[0].since if self.parts else None

    @property
    def until(self) -> datetime | None:
        """When its last stretch ended."""
        return self.parts[-1].until if self.parts else None

    @property
    def known(self) -> Known:
        """How the ends of its stretches are known: the weakest of all."""
        ends = {end for part in self.parts for end in (part.since_known, part.until_known)}
        weakest = (Known.ESTIMATED, Known.INTERPOLATED)
        return next((one for one in weakest if one in ends), Known.MEASURED)


def _counted(kind: LineKind, base: Decimal) -> Decimal:
    """Wh as kWh, seconds as hours; to be shown, as hours may have no end after the point."""
    return shown(divided(Fraction(base), unit_of(kind)))


def unit_of(kind: LineKind) -> int:
    """How many Wh, seconds or sessions a price is for."""
    return HOUR_S if kind in HOURLY else KILO if kind is K.ENERGY else 1
