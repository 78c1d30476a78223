"""Tariffs in OCPI terms: what energy, time, idle time, a start and a reservation cost, before and with tax.

A tariff is a list of elements; each holds prices for some dimensions, and when they hold. For each dimension the first
element that has a price for it and holds at an instant applies (OCPI mod_tariffs, Tariff object).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from itertools import combinations

from wattkeeper.charging.cards.limits import MIDNIGHT
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.exact import ZERO, divided
from wattkeeper.charging.money.tariffs.restriction import ALWAYS, Restrictions
from wattkeeper.charging.phrase import Phrase, phrase

MOST = Decimal(1_000_000)
"""No price is this high; one that is was mistyped."""
PLACES = 12
"""No price has more digits after the point."""
MOST_ELEMENTS = 200
UNREADABLE = phrase("This is not a tariff in OCPI terms: {error} cannot be read.")
NOT_KNOWN = phrase("The restriction {name} is not known, so nobody can be billed by it.")
NO_DAY = phrase("There is no day {day}.")
NO_ZONE = phrase("There is no time zone {name}; a name is such as Europe/Berlin.")
NO_TIME = phrase("{time} is no time of day; one is such as 13:30.")


class Dimension(StrEnum):
    """What is priced (OCPI TariffDimensionType)."""

    FLAT = "FLAT"
    """Once for each session; with a reservation restriction once for each reservation."""
    ENERGY = "ENERGY"
    """For each kWh; steps of 1 Wh."""
    TIME = "TIME"
    """For each hour in which energy flowed; with a reservation restriction each hour reserved. Steps of 1 s."""
    PARKING_TIME = "PARKING_TIME"
    """For each hour plugged in without energy flowing; steps of 1 s."""


RESERVABLE = frozenset({Dimension.FLAT, Dimension.TIME})


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
    tax_rate: str | None = None
    """The name of a dated rate; on a day for which the tariff has none by that name, ``vat_percent`` holds."""


@dataclass(frozen=True, slots=True)
class Element:
    """Prices that hold together (OCPI TariffElement)."""

    components: tuple[Component, ...]
    restrictions: Restrictions = ALWAYS


@dataclass(frozen=True, slots=True)
class Bound:
    """The least or the most that a session costs (OCPI PriceLimit); both of its amounts hold."""

    net: Decimal
    gross: Decimal | None = None

    @property
    def dearest(self) -> Decimal:
        """The higher of its amounts: with tax, where that is told."""
        return self.net if self.gross is None else self.gross


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A rate of VAT with the days on which it holds, in the tariff's zone."""

    name: str
    """Such as ``DE standard``."""
    percent: Decimal
    since: date
    until: date | None = None
    """The first day on which it does not hold any more."""

    def holds(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.since <= day and (self.until is None or day < self.until)


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
    zone: tzinfo = UTC
    """Whose clock restrictions mean."""
    bills_blocking: bool = False
    """Whether idle time goes on after the transaction, until the connector is available again (not in OCPI)."""
    untaxed: bool = False
    """Whether no tax applies at all (OCPI tax_included N/A)."""
    rates: tuple[TaxRate, ...] = ()
    """The dated rates that components name."""

    @property
    def digits(self) -> int:
        """How many digits the currency's minor unit is after the point."""
        return digits_of(self.currency)

    @property
    def components(self) -> Iterator[Component]:
        """Every price, in the order of its elements."""
        return (component for element in self.elements for component in element.components)

    @property
    def is_free(self) -> bool:
        """Whether nothing costs anything."""
        return all(one.price == 0 for one in self.components) and (self.least is None or not self.least.dearest)

    @property
    def is_steady(self) -> bool:
        """Whether when and how fast something was used changes nothing about its price."""
        measured = (one.restrictions.is_clocked or one.restrictions.is_measured for one in self.elements)
        dated = self.rates and any(one.tax_rate for one in self.components)
        return not (any(measured) or dated)

    @property
    def is_plain(self) -> bool:
        """Whether only sums count: its prices are steady, and none is for idle time."""
        return self.is_steady and not self.prices_idling

    @property
    def prices_idling(self) -> bool:
        """Whether idle time costs something: then what the station told beside its meter counts."""
        return any(one.dimension is Dimension.PARKING_TIME and one.price for one in self.components)

    @property
    def offers(self) -> tuple[tuple[Component, Restrictions], ...]:
        """Every price that can hold, with its restrictions; by dimension, those for reservations last."""
        found: dict[tuple[bool, Dimension], list[tuple[Component, Restrictions]]] = {}
        for element in self.elements:
            for component in element.components:
                key = (element.restrictions.reservation is not None, component.dimension)
                known = found.setdefault(key, [])
                if not known or known[-1][1].is_bound:
                    known.append((component, element.restrictions))
        order = [(reserved, dimension) for reserved in (False, True) for dimension in Dimension]
        return tuple(offer for key in order for offer in found.get(key, ()))

    def on(self, at: datetime) -> Tariff:
        """The tariff as it is on the day of an instant: with the rates of tax that hold then, and no others."""
        if not self.rates:
            return self
        day = at.astimezone(self.zone).date()
        return replace(self, elements=tuple(self._on(day, each) for each in self.elements), rates=())

    def _on(self, day: date, each: Element) -> Element:
        taxed = (replace(one, vat_percent=self.vat_of(one, day), tax_rate=None) for one in each.components)
        return replace(each, components=tuple(taxed))

    def vat_of(self, component: Component, day: date) -> Decimal | None:
        """The VAT on a price on a day of the tariff's zone, percent; None: none applies."""
        if self.untaxed:
            return None
        dated = (rate.percent for rate in self.rates if rate.name == component.tax_rate and rate.holds(day))
        return next(dated, component.vat_percent)


def check(tariff: Tariff) -> Tariff:
    """The tariff; Refusal INVALID where it cannot be billed by."""
    for why in _wrong(tariff):
        raise Refusal(Code.INVALID, why)
    return tariff


def _wrong(tariff: Tariff) -> Iterator[Phrase]:
    """What is wrong with a tariff."""
    if len(tariff.currency) != 3 or not tariff.currency.isascii() or not tariff.currency.isupper():
        yield phrase("The currency is three capital letters, such as EUR (ISO 4217).")
    if len(tariff.elements) > MOST_ELEMENTS:
        yield phrase("A tariff has {most} elements at most.", most=MOST_ELEMENTS)
    for element in tariff.elements:
        yield from _wrong_when(element)
    for one in tariff.components:
        yield from _wrong_price(one)
    for bound in filter(None, (tariff.least, tariff.most)):
        if not (_is_amount(bound.net) and _is_amount(bound.dearest) and bound.net <= bound.dearest):
            yield phrase("The least and the most are 0 or more, and with tax no less than without.")
    least, most = tariff.least, tariff.most
    if least and most and (least.net > most.net or least.dearest > most.dearest):
        yield phrase("The least that a session costs is above the most.")
    if tariff.untaxed and any(bound.dearest != bound.net for bound in (tariff.least, tariff.most) if bound):
        yield phrase("No tax applies, so the least and the most are the same with it and without.")
    yield from _wrong_rates(tariff.rates)


def _is_amount(value: Decimal) -> bool:
    """Whether a value can be a price: 0 or more, not huge, of a bounded number of digits."""
    return value.is_finite() and ZERO <= value < MOST and value == round(value, PLACES)


def _is_percent(value: Decimal) -> bool:
    """Whether a value can be a rate of tax."""
    return value.is_finite() and ZERO <= value <= 100


def _wrong_price(one: Component) -> Iterator[Phrase]:
    """What is wrong with a price."""
    name = one.dimension.value
    if not _is_amount(one.price):
        yield phrase("The price of {dimension} must be 0 or more, and below {most}.", dimension=name, most=MOST)
    if one.vat_percent is not None and not _is_percent(one.vat_percent):
        yield phrase("The VAT on {dimension} must be 0 to 100 percent.", dimension=name)
    if one.step_size < 0:
        yield phrase("The step of {dimension} must be 0 or more.", dimension=name)


def _wrong_when(element: Element) -> Iterator[Phrase]:
    """What is wrong with conditions: they can never be met, or a reservation cannot have such a price."""
    when = element.restrictions
    if when.reservation and any(one.dimension not in RESERVABLE for one in element.components):
        yield phrase("A reservation costs by the hour (TIME) or once (FLAT), nothing else.")
    pairs = (when.energies, when.powers, when.currents, when.durations, (when.start_date, when.end_date))
    if any(low is not None and high is not None and low >= high for low, high in pairs):  # type: ignore[operator]
        yield phrase("A condition of this tariff can never be met: its lower bound is not below its upper.")
    if when.start_time == when.end_time not in (None, MIDNIGHT) or not when.days:
        yield phrase("A condition of this tariff is empty: name two different times, and a day.")
    bounds = (*when.energies, *when.powers, *when.currents, *when.durations, when.min_idle_s)
    if any(bound is not None and not ZERO <= bound < MOST * 1000 for bound in bounds):
        yield phrase("Energy, power, current and duration in conditions are 0 or more.")


def _wrong_rates(rates: tuple[TaxRate, ...]) -> Iterator[Phrase]:
    """What is wrong with dated rates: of one name, two must not hold on one day."""
    for rate in rates:
        if not _is_percent(rate.percent) or (rate.until is not None and rate.until <= rate.since):
            yield phrase("The rate {name} must be 0 to 100 percent, and end after it began.", name=rate.name)
    for one, other in combinations(rates, 2):
        if one.name == other.name and (one.holds(other.since) or other.holds(one.since)):
            yield phrase("Two rates of {name} hold on the same day.", name=one.name)


def with_tax(component: Component, tariff: Tariff) -> Decimal:
    """A price as a driver pays it; of a tariff whose rates have dates, `Tariff.on` first."""
    if tariff.tax_included or tariff.untaxed or component.vat_percent is None:
        return component.price
    return divided(component.price * (100 + component.vat_percent), 100)


def money(minor: int, tariff: Tariff) -> Decimal:
    """An amount of minor units in the currency's major unit: 550 is 5.50."""
    return Decimal(minor).scaleb(-tariff.digits)
