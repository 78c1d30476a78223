"""Tariffs in OCPI terms: what energy, time, parking and a start cost, before and with tax.

A tariff is a list of elements; each holds one price for some dimensions. For each dimension the first element that
has a price for it applies (OCPI mod_tariffs, TariffElement). Restrictions on elements are not understood yet: a tariff
that has any cannot be made here, so that nobody is billed by half a tariff.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase

ZERO = Decimal(0)
DIGITS = {"BIF": 0, "CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "PYG": 0, "VND": 0, "BHD": 3, "JOD": 3, "KWD": 3, "TND": 3}
"""Digits after the point of currencies that do not have two (ISO 4217)."""
MOST = Decimal(1_000_000)
"""No price is this high; one that is was mistyped."""


class Dimension(StrEnum):
    """What is priced (OCPI TariffDimensionType)."""

    FLAT = "FLAT"
    """Once for each session."""
    ENERGY = "ENERGY"
    """For each kWh; steps of 1 Wh."""
    TIME = "TIME"
    """For each hour in which energy flowed; steps of 1 s."""
    PARKING_TIME = "PARKING_TIME"
    """For each hour plugged in without energy flowing; steps of 1 s."""


TIMES = frozenset({Dimension.TIME, Dimension.PARKING_TIME})


@dataclass(frozen=True, slots=True)
class Component:
    """One price (OCPI PriceComponent)."""

    dimension: Dimension
    price: Decimal
    """For one kWh, one hour or one session, in the currency's major unit, without tax unless the tariff says."""
    vat_percent: Decimal | None = None
    """None: no VAT applies, which is not the same as 0 %."""
    step_size: int = 1
    """What is billed is a multiple of so many Wh or seconds, rounded up; 0 and 1 bill what was used, by Wh or s."""


@dataclass(frozen=True, slots=True)
class Element:
    """Prices that hold together (OCPI TariffElement)."""

    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """The least or the most that a session costs (OCPI Price)."""

    net: Decimal
    gross: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """What charging costs."""

    currency: str
    """ISO 4217."""
    elements: tuple[Element, ...] = ()
    """None at all: charging is free."""
    tax_included: bool = False
    """Whether prices are with tax (OCPI tax_included YES)."""
    least: Bound | None = None
    most: Bound | None = None

    @property
    def digits(self) -> int:
        """How many digits the currency's minor unit is after the point."""
        return DIGITS.get(self.currency, 2)

    @property
    def is_free(self) -> bool:
        """Whether nothing costs anything."""
        return all(one.price == 0 for one in self.prices.values()) and (self.least is None or self.least.net == 0)

    @property
    def prices(self) -> dict[Dimension, Component]:
        """The price of each dimension that has one, in the order of `Dimension`."""
        found: dict[Dimension, Component] = {}
        for element in self.elements:
            for component in element.components:
                found.setdefault(component.dimension, component)
        return {dimension: found[dimension] for dimension in Dimension if dimension in found}


def check(tariff: Tariff) -> Tariff:
    """The tariff; Refusal INVALID where it cannot be billed by."""
    if len(tariff.currency) != 3 or not tariff.currency.isascii() or not tariff.currency.isupper():
        raise Refusal(Code.INVALID, phrase("The currency is three capital letters, such as EUR (ISO 4217)."))
    components = [component for element in tariff.elements for component in element.components]
    for one in components:
        if not ZERO <= one.price < MOST:
            raise Refusal(
                Code.INVALID,
                phrase(
                    "The price of {dimension} must be 0 or more, and below {most}.",
                    dimension=one.dimension.value,
                    most=MOST,
                ),
            )
        if one.vat_percent is not None and not ZERO <= one.vat_percent <= 100:
            raise Refusal(
                Code.INVALID, phrase("The VAT on {dimension} must be 0 to 100 percent.", dimension=one.dimension.value)
            )
        if one.step_size < 0:
            raise Refusal(
                Code.INVALID, phrase("The step of {dimension} must be 0 or more.", dimension=one.dimension.value)
            )
    for bound in filter(None, (tariff.least, tariff.most)):
        if not ZERO <= bound.net <= (bound.net if bound.gross is None else bound.gross) < MOST:
            raise Refusal(
                Code.INVALID, phrase("The least and the most are 0 or more, and with tax no less than without.")
            )
    if tariff.least and tariff.most and tariff.least.net > tariff.most.net:
        raise Refusal(Code.INVALID, phrase("The least that a session costs is above the most."))
    return tariff


UNITS = {"FLAT": "session", "ENERGY": "kWh", "TIME": "h", "PARKING_TIME": "h"}
"""What each dimension is counted in."""


def with_tax(component: Component, tariff: Tariff) -> Decimal:
    """A price as a driver pays it."""
    if tariff.tax_included or component.vat_percent is None:
        return component.price
    return component.price * (100 + component.vat_percent) / 100


def money(minor: int, tariff: Tariff) -> Decimal:
    """An amount of minor units in the currency's major unit: 550 is 5.50."""
    return Decimal(minor).scaleb(-tariff.digits)
