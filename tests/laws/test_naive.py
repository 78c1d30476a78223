"""Real workplace sessions under five tariffs: the money function and a naive second one never differ by a cent."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.laws.naive import Registers, cost
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.tariffs.tariff import Tariff, check
from wattkeeper.charging.money.usage import usage
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.session import Session, follow, remeasure
from wattkeeper.simulator.replay import Sojourn, load
from wattkeeper.store.money.tariffs.ocpi import of_ocpi, zone_of

SOJOURNS = load()
ZONE = "America/New_York"
POWERS = (1_900, 3_300, 6_600, 9_600)
QUARTER_S = 900


def part(dimension: str, price: str, vat: str, step: int = 1) -> dict[str, Any]:
    """A price component."""
    return {"type": dimension, "price": price, "vat": vat, "step_size": step}


def element(*parts: dict[str, Any], **when: Any) -> dict[str, Any]:
    """A tariff element."""
    return {"price_components": list(parts)} | ({"restrictions": when} if when else {})


WORKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
PLAIN = [element(part("ENERGY", "0.35", "19"), part("FLAT", "0.25", "19"), part("PARKING_TIME", "1.20", "19", 60))]
BY_CLOCK = [
    element(part("ENERGY", "0.61", "20"), part("TIME", "0.80", "10", 300), start_time="08:00", end_time="16:45"),
    element(part("ENERGY", "0.29", "20"), start_time="22:00", end_time="06:15", day_of_week=WORKDAYS),
    element(part("ENERGY", "0.44", "7.7", 100), part("PARKING_TIME", "2.10", "20", 900), end_date="2015-06-01"),
    element(part("ENERGY", "0.47", "7.7", 250), part("TIME", "0.33", "20"), start_date="2015-06-01"),
]
BY_MEASURE = [
    element(part("ENERGY", "0", "0"), max_kwh="1.5"),
    element(part("ENERGY", "0.31", "19"), part("TIME", "0.9", "19", 600), min_kwh="1.5", max_kwh="6.25"),
    element(part("ENERGY", "0.52", "19", 500), part("TIME", "1.7", "7", 120), min_duration=7200),
    element(part("ENERGY", "0.40", "19", 500), part("FLAT", "0.77", "7"), min_kwh="6.25", max_duration=7200),
]
BY_POWER = [
    element(part("ENERGY", "0.20", "10"), part("TIME", "0.50", "10"), max_power="3.3"),
    element(part("ENERGY", "0.35", "10"), min_power="3.3", max_power="8"),
    element(part("ENERGY", "0.50", "10"), part("TIME", "2.00", "20", 60)),
    element(part("PARKING_TIME", "4.50", "20", 60), x_min_idle=1800, start_time="07:00", end_time="19:00"),
]
BOUNDED = [
    element(part("FLAT", "1", "0"), start_time="12:00", end_time="18:00"),
    element(part("FLAT", "0.5", "19"), part("ENERGY", "0.3333", "19"), part("PARKING_TIME", "0.01", "7", 1)),
]
LIMITS = {
    "min_price": {"before_taxes": "1.10", "after_taxes": "1.29"},
    "max_price": {"before_taxes": "4", "after_taxes": "4.75"},
}
TARIFFS: dict[str, dict[str, Any]] = {
    "plain": {"currency": "EUR", "tax_included": "NO", "elements": PLAIN},
    "by clock": {"currency": "EUR", "tax_included": "YES", "elements": BY_CLOCK},
    "by measure": {"currency": "EUR", "tax_included": "NO", "elements": BY_MEASURE},
    "by power": {"currency": "EUR", "tax_included": "NO", "elements": BY_POWER},
    "bounded": {"currency": "EUR", "tax_included": "NO", "elements": BOUNDED} | LIMITS,
}


def told(one: Sojourn, power_w: int, every_s: int = QUARTER_S) -> Registers:
    """A real session as its meter could have told it: evenly at a power until its energy has come, then idle."""
    stay_s = int((one.ended - one.created).total_seconds())
    full_s = min(stay_s, -(-one.energy_wh * 3600 // power_w))
    marks = sorted({*range(0, stay_s, every_s), full_s, stay_s})
    base = int(one.session) % 1_000_000
    registers = [base + one.energy_wh * min(second, full_s) // max(full_s, 1) for second in marks]
    return [(one.created + timedelta(seconds=second), wh) for second, wh in zip(marks, registers, strict=True)]


def session_of(registers: Registers) -> tuple[Session, list[Reading]]:
    """The same session as the product keeps it."""
    first, last = registers[0][0], registers[-1][0]
    readings = [Reading(at, energy_wh=Decimal(wh)) for at, wh in registers]
    one = Session(id="0" * 9, station="CP1", key="k", first_at=first, last_at=last)
    one = follow(follow(one, SessionOpened(at=first, evse=1)), SessionEnded(at=last))
    return remeasure(one, readings), readings


def priced(registers: Registers, tariff: Tariff) -> tuple[int, int]:
    """What the product says."""
    bill = price(usage(*session_of(registers)), tariff)
    return bill.net_minor, bill.gross_minor


@pytest.mark.parametrize("name", TARIFFS)
def test_every_real_session_costs_the_same_by_the_naive_pricer(name: str) -> None:
    told_tariff = TARIFFS[name]
    tariff = check(of_ocpi(told_tariff, zone_of(ZONE)))
    for number, one in enumerate(SOJOURNS):
        registers = told(one, POWERS[number % len(POWERS)])
        assert priced(registers, tariff) == cost(registers, told_tariff, ZONE, QUARTER_S), one


ODD = [
    element(part("ENERGY", "0.61", "20"), part("TIME", "1.80", "10", 7), start_time="23:43", end_time="02:17"),
    element(part("TIME", "0.6", "5.5", 13), min_duration=1801, max_duration=5113),
    element(part("PARKING_TIME", "3.3", "20", 11), x_min_idle=77),
    element(part("ENERGY", "0.4", "19", 3), part("FLAT", "0.07", "19")),
]
NIGHTS = (
    "2014-11-02T04:40:11",
    "2015-03-08T05:20:07",
    "2015-02-28T22:10:01",
    "2016-02-28T23:30:59",
    "2015-12-31T22:00:03",
)
"""The nights on which the clocks of New York are set, the ends of February, and New Year's Eve; UTC."""


@pytest.mark.parametrize("night", NIGHTS)
def test_second_by_second_over_the_nights_on_which_clocks_are_set(night: str) -> None:
    told_tariff = {"currency": "EUR", "tax_included": "NO", "elements": ODD}
    tariff = check(of_ocpi(told_tariff, zone_of(ZONE)))
    begun = datetime.fromisoformat(night + "+00:00")
    for minutes, energy_wh in ((97, 4_321), (331, 12_345)):
        one = Sojourn("4711", begun, begun + timedelta(minutes=minutes), "", "", energy_wh)
        registers = told(one, 3_333, every_s=613)
        assert priced(registers, tariff) == cost(registers, told_tariff, ZONE, 1)
