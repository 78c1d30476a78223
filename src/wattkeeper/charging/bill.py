"""What a session costs: lines that anyone can check with pencil and paper, and their sum.

Rounding happens once, here: each line's net and gross amount is rounded half up to the currency's minor unit, its VAT
is their difference, and totals are sums of lines. Nothing is rounded before or after.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from enum import StrEnum

from wattkeeper.charging.session import Session
from wattkeeper.charging.tariff import TIMES, ZERO, Component, Dimension, Tariff

HOUR_S = Decimal(3600)
KILO = Decimal(1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is billed of a session.

    A car *charges* between two readings of the register of which the later is higher, and *parks* between two that
    are equal: plugged in, but no energy flows. Time that no two readings enclose is neither, and is never billed.
    """

    energy_wh: Decimal = ZERO
    charging_s: Decimal = ZERO
    parking_s: Decimal = ZERO
    ends_parking: bool = False
    """Whether it parked last: the step of the last kind of time is the one that is rounded up."""

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to bill but a start."""
        return not (self.energy_wh or self.charging_s or self.parking_s)


class LineKind(StrEnum):
    """What a line of a bill is for."""

    FLAT = "FLAT"
    ENERGY = "ENERGY"
    TIME = "TIME"
    PARKING_TIME = "PARKING_TIME"
    LEAST = "LEAST"
    """What is missing to the least that a session costs."""
    MOST = "MOST"
    """What is taken off above the most that a session costs; below zero."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: quantity times unit price. Amounts are whole minor units (cents)."""

    kind: LineKind
    quantity: Decimal
    """kWh, hours or sessions as billed: used, then rounded up to the step."""
    used: Decimal
    """kWh, hours or sessions as measured."""
    unit_price: Decimal
    """Major units, with tax where the tariff includes it."""
    vat_percent: Decimal | None
    net_minor: int
    vat_minor: int
    gross_minor: int
    exact_net: Decimal
    """Before rounding, major units."""
    exact_gross: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """What a session costs; every total is the sum of its lines."""

    currency: str
    digits: int
    """Digits of the minor unit after the point."""
    lines: tuple[Line, ...] = ()

    @property
    def net_minor(self) -> int:
        """Without tax, minor units."""
        return sum(line.net_minor for line in self.lines)

    @property
    def vat_minor(self) -> int:
        """The tax, minor units."""
        return sum(line.vat_minor for line in self.lines)

    @property
    def gross_minor(self) -> int:
        """To pay, minor units."""
        return sum(line.gross_minor for line in self.lines)

    @property
    def gross(self) -> Decimal:
        """To pay, major units: 5.50."""
        return Decimal(self.gross_minor).scaleb(-self.digits)


def usage(session: Session) -> Usage:
    """What is billed of a session, as its meter told it so far."""
    track = session.track
    return Usage(
        energy_wh=max(session.energy_wh or ZERO, ZERO),
        charging_s=track.charging_s,
        parking_s=track.parking_s,
        ends_parking=track.parks,
    )


def price(used: Usage, tariff: Tariff) -> Bill:
    """The ONE money function: what this usage costs by this tariff; where nothing happened, nothing."""
    if used.nothing:
        return Bill(tariff.currency, tariff.digits)
    lines = [*_lines(used, tariff)]
    return Bill(tariff.currency, tariff.digits, (*lines, *_bounded(lines, tariff)))


def _lines(used: Usage, tariff: Tariff) -> Iterator[Line]:
    """A line for each priced dimension that was used."""
    prices = tariff.prices
    for dimension, component in prices.items():
        amount = _amount(used, dimension)
        if amount > 0:
            step = component.step_size if _steps(dimension, used, prices) else 1
            billed = _stepped(amount, step, dimension)
            counted = (_shown(amount, dimension), _shown(billed, dimension))
            yield _line(LineKind(dimension.value), component, *counted, tariff)


def _amount(used: Usage, dimension: Dimension) -> Decimal:
    """How much of a dimension was used: Wh, seconds, or one session."""
    amounts = {Dimension.ENERGY: used.energy_wh, Dimension.TIME: used.charging_s}
    return (amounts | {Dimension.PARKING_TIME: used.parking_s, Dimension.FLAT: Decimal(1)})[dimension]


def _steps(dimension: Dimension, used: Usage, prices: dict[Dimension, Component]) -> bool:
    """Whether a dimension is rounded up to its step: of the two kinds of time only the one that came last.

    OCPI 2.3 mod_cdrs, step_size: otherwise a driver would pay for the same minutes twice.
    """
    if dimension not in TIMES:
        return True
    other = Dimension.TIME if dimension is Dimension.PARKING_TIME else Dimension.PARKING_TIME
    alone = other not in prices or not _amount(used, other)
    return alone or used.ends_parking == (dimension is Dimension.PARKING_TIME)


def _stepped(amount: Decimal, step: int, dimension: Dimension) -> Decimal:
    """An amount rounded up to whole steps; a flat one has none."""
    if dimension is Dimension.FLAT:
        return amount
    size = Decimal(max(step, 1))
    return (amount / size).to_integral_value(ROUND_CEILING) * size


def _shown(amount: Decimal, dimension: Dimension) -> Decimal:
    """An amount in the unit its price is for: kWh, hours, sessions."""
    if dimension is Dimension.FLAT:
        return amount
    return amount / (KILO if dimension is Dimension.ENERGY else HOUR_S)


def _line(kind: LineKind, component: Component, used: Decimal, billed: Decimal, tariff: Tariff) -> Line:
    """Quantity times unit price, with tax."""
    amount = billed * component.price
    factor = 1 + (component.vat_percent or ZERO) / 100
    net, gross = (amount / factor, amount) if tariff.tax_included else (amount, amount * factor)
    net_minor, gross_minor = minor(net, tariff.digits), minor(gross, tariff.digits)
    amounts = (net_minor, gross_minor - net_minor, gross_minor, net, gross)
    return Line(kind, billed, used, component.price, component.vat_percent, *amounts)


def minor(amount: Decimal, digits: int) -> int:
    """An amount of the major unit in whole minor units, half up."""
    return int(amount.scaleb(digits).to_integral_value(ROUND_HALF_UP))


def _bounded(lines: list[Line], tariff: Tariff) -> Iterator[Line]:
    """What brings the sum up to the least, or down to the most, that a session costs: with and without tax, each.

    OCPI 2.3 mod_tariffs 11.3.1: both apply.
    """
    net = sum((line.exact_net for line in lines), ZERO)
    gross = sum((line.exact_gross for line in lines), ZERO)
    for kind, bound, clamp in ((LineKind.LEAST, tariff.least, max), (LineKind.MOST, tariff.most, min)):
        if bound is None:
            continue
        net_aim = clamp(net, bound.net)
        gross_aim = gross * net_aim / net if bound.gross is None and net else clamp(gross, bound.gross or bound.net)
        if (net_aim, gross_aim) != (net, gross):
            yield _difference(kind, lines, net_aim, gross_aim, tariff)
            return


def _difference(kind: LineKind, lines: list[Line], net: Decimal, gross: Decimal, tariff: Tariff) -> Line:
    """The line that brings the rounded sum to exactly these amounts."""
    net_minor = minor(net, tariff.digits) - sum(line.net_minor for line in lines)
    gross_minor = minor(gross, tariff.digits) - sum(line.gross_minor for line in lines)
    exact_net = net - sum((line.exact_net for line in lines), ZERO)
    exact_gross = gross - sum((line.exact_gross for line in lines), ZERO)
    one, amount = Decimal(1), exact_gross if tariff.tax_included else exact_net
    vat_minor = gross_minor - net_minor
    return Line(kind, one, one, amount, None, net_minor, vat_minor, gross_minor, exact_net, exact_gross)
