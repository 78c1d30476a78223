"""What the text of OCPI works out beside its tables: further sessions of its tariffs, and how its rules are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.bill import Bill, price
from wattkeeper.charging.money.line import LineKind
from wattkeeper.charging.money.tariffs.tariff import check
from wattkeeper.store.money.tariffs.ocpi import of_ocpi, usage_of_periods, zone_of

D = Decimal
Period = tuple[int, dict[str, object]]
"""Minutes from the start of the session, and the volumes of the period."""


def part(dimension: str, price: object, vat: object = None, step: int = 1) -> dict[str, Any]:
    """A price component."""
    return {"type": dimension, "price": str(price), "step_size": step} | ({} if vat is None else {"vat": str(vat)})


def element(*parts: dict[str, Any], **when: Any) -> dict[str, Any]:
    """A tariff element."""
    return {"price_components": list(parts)} | ({"restrictions": when} if when else {})


def billed(
    elements: list[dict[str, Any]],
    periods: Sequence[Period],
    until: int,
    start: str = "2019-02-04T10:00:00",
    zone: str = "UTC",
    expired: bool = False,
    **more: Any,
) -> Bill:
    """What a session costs that began at a time of UTC and ended so many minutes later."""
    began = datetime.fromisoformat(start + "+00:00")
    told = [
        {
            "start_date_time": (began + timedelta(minutes=minutes)).isoformat(),
            "dimensions": [{"type": name, "volume": str(volume)} for name, volume in volumes.items()],
        }
        for minutes, volumes in periods
    ]
    tariff = check(of_ocpi({"currency": "EUR", "elements": elements} | more, zone_of(zone)))
    return price(usage_of_periods(told, began + timedelta(minutes=until), expired), tariff)


def totals(bill: Bill) -> tuple[Decimal, Decimal]:
    """Without and with tax."""
    return D(bill.net_minor).scaleb(-bill.digits), bill.gross


def hours(minutes: int) -> Decimal:
    """Minutes as OCPI tells them."""
    return D(minutes) / 60


START = part("FLAT", "0.5", 20)
KWH = part("ENERGY", "0.25", 10)
EXPIRING = [
    element(part("FLAT", 4, 20), reservation="RESERVATION_EXPIRES"),
    element(part("TIME", 2, 20, 600), reservation="RESERVATION"),
    element(START, KWH),
]
EXPIRING_BY_TIME = [
    element(part("TIME", 6, 20, 600), reservation="RESERVATION_EXPIRES"),
    element(part("TIME", 3, 20, 600), reservation="RESERVATION"),
    element(START, KWH),
]


def test_an_expired_reservation_costs_its_fee_and_its_time() -> None:
    bill = billed(EXPIRING, [(0, {"RESERVATION_TIME": 1})], 60, expired=True)
    assert totals(bill) == (D(6), D("7.20"))
    assert [line.kind for line in bill.lines] == [LineKind.RESERVATION_FLAT, LineKind.RESERVATION_TIME]


@pytest.mark.parametrize("elements", [EXPIRING_BY_TIME, EXPIRING_BY_TIME[::-1]])
def test_prices_of_an_expired_reservation_win_wherever_they_stand(elements: list[dict[str, Any]]) -> None:
    assert totals(billed(elements, [(0, {"RESERVATION_TIME": "1.5"})], 90, expired=True)) == (D(9), D("10.80"))


def test_a_reservation_has_a_fee_of_its_own_beside_the_start() -> None:
    elements = [element(part("FLAT", 2, 20), part("TIME", 5, 20, 300), reservation="RESERVATION"), element(START, KWH)]
    used: list[Period] = [(0, {"RESERVATION_TIME": hours(13)}), (13, {"ENERGY": 20})]
    assert totals(billed(elements, used, 73)) == (D("8.75"), D(10))


def test_durations_of_a_reservation_count_from_when_it_was_made() -> None:
    elements = [
        element(part("TIME", 6), reservation="RESERVATION", min_duration=600),
        element(part("TIME", 3), min_duration=600),
    ]
    used: list[Period] = [(0, {"RESERVATION_TIME": hours(25)}), (25, {"TIME": hours(12)})]
    bill = billed(elements, used, 37)
    assert [(line.kind, line.billed_base) for line in bill.lines] == [
        (LineKind.RESERVATION_TIME, D(900)),
        (LineKind.TIME, D(120)),
    ]


def test_an_expired_reservation_has_no_least_price_and_no_start() -> None:
    least: dict[str, Any] = {"min_price": {"before_taxes": 9, "after_taxes": 9}}
    assert totals(billed(EXPIRING, [(0, {"RESERVATION_TIME": 1})], 60, expired=True, **least)) == (D(6), D("7.20"))


LIMITED = {"max_price": {"before_taxes": 10, "after_taxes": 11}}


@pytest.mark.parametrize(
    ("kwh", "more", "net", "gross"),
    [
        (30, LIMITED, "8.00", "8.85"),
        (50, LIMITED, "10.00", "11.00"),
        (1, {"min_price": {"before_taxes": "2", "after_taxes": "2.2"}}, "2.00", "2.20"),
        (1, {"min_price": {"excl_vat": "2", "incl_vat": "2.2"}}, "2.00", "2.20"),
        (1, {"min_price": {"before_taxes": "2"}}, "2.00", "2.33"),
    ],
)
def test_the_least_and_the_most(kwh: int, more: dict[str, Any], net: str, gross: str) -> None:
    assert totals(billed([element(START, KWH)], [(0, {"ENERGY": kwh})], 60, **more)) == (D(net), D(gross))


def test_steps_of_energy_are_taken_once_on_the_total() -> None:
    elements = [element(part("ENERGY", "0.20", step=500), end_time="17:00"), element(part("ENERGY", "0.27", step=500))]
    bill = billed(elements, [(0, {"ENERGY": "4.3"}), (30, {"ENERGY": "1.1"})], 60, "2019-02-04T16:30:00")
    assert [line.quantity for line in bill.lines] == [D("4.3"), D("1.2")]
    assert [line.used for line in bill.lines] == [D("4.3"), D("1.1")]


def test_steps_of_25_wh() -> None:
    assert [
        line.billed_base for line in billed([element(part("ENERGY", 1, step=25))], [(0, {"ENERGY": "0.1152"})], 5).lines
    ] == [125]


STEPS = [
    element(part("TIME", "1.2", step=1800), part("PARKING_TIME", 1, step=900), start_time="00:00", end_time="17:00"),
    element(part("TIME", "2.4", step=900), part("PARKING_TIME", 1, step=900), start_time="17:00", end_time="20:00"),
    element(part("TIME", "2.4", step=900), start_time="20:00", end_time="00:00"),
]


def test_steps_of_parking_that_becomes_free() -> None:
    used: list[Period] = [(0, {"TIME": hours(12)}), (12, {"PARKING_TIME": hours(20)})]
    bill = billed(STEPS, used, 32, "2019-02-04T19:40:00")
    assert totals(bill) == (D("0.73"), D("0.73"))
    assert [line.billed_base / 60 for line in bill.lines] == [12, 15]


def test_steps_are_those_of_the_kind_of_time_that_came_last() -> None:
    used: list[Period] = [(0, {"PARKING_TIME": hours(7)}), (7, {"TIME": hours(8)})]
    assert [line.billed_base / 60 for line in billed(STEPS, used, 15).lines] == [30, 7]


WEEK = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
COMPLEX = [
    element(part("FLAT", "2.5", 15)),
    element(part("TIME", 1, 20, 900), max_current=32),
    element(part("TIME", 2, 20, 600), min_current=32, day_of_week=WEEK),
    element(part("TIME", "1.25", 20, 600), min_current=32, day_of_week=["SATURDAY", "SUNDAY"]),
    element(part("PARKING_TIME", 5, 10, 300), start_time="09:00", end_time="18:00", day_of_week=WEEK),
    element(part("PARKING_TIME", 6, 10, 300), start_time="10:00", end_time="17:00", day_of_week=["SATURDAY"]),
]


def test_current_and_days_of_the_week() -> None:
    used: list[Period] = [(0, {"TIME": hours(114), "MIN_CURRENT": 43}), (114, {"PARKING_TIME": hours(71)})]
    bill = billed(COMPLEX, used, 185, "2019-02-02T13:30:00")
    assert [line.exact_net for line in bill.lines] == [D("2.5"), D("2.375"), D("7.5")], (
        "1.9 h at 1.25; the text says 2.28"
    )
    assert totals(bill) == (D("12.38"), D("13.98"))


def test_what_nobody_knows_of_the_current_is_not_billed_by_it() -> None:
    assert [line.kind for line in billed(COMPLEX, [(0, {"TIME": 1})], 60).lines] == [LineKind.FLAT]


def test_power_decides_while_it_lasts() -> None:
    elements = [
        element(part("ENERGY", "0.20"), max_power=16),
        element(part("ENERGY", "0.35"), max_power=32),
        element(part("ENERGY", "0.50")),
    ]
    told: list[Period] = [
        (0, {"ENERGY": 1, "MAX_POWER": 6}),
        (10, {"ENERGY": 40, "MAX_POWER": 48}),
        (60, {"ENERGY": "0.5", "MAX_POWER": 4}),
    ]
    assert totals(billed(elements, told, 68))[0] == D("20.30")
    assert [line.quantity for line in billed(elements, told, 68).lines] == [D("1.5"), D(40)]
    untold: list[Period] = [(minutes, {"ENERGY": volumes["ENERGY"]}) for minutes, volumes in told]
    assert totals(billed(elements, untold, 68))[0] == D("20.30"), "48 kW for 50 minutes, 4 kW and 6 kW around it"


def test_duration_decides_from_its_second_on() -> None:
    elements = [
        element(part("ENERGY", 0), max_duration=1800),
        element(part("ENERGY", "0.25"), max_duration=3600),
        element(part("ENERGY", "0.40")),
    ]
    told: list[Period] = [(0, {"ENERGY": 5}), (30, {"ENERGY": "1.2"})]
    assert totals(billed(elements, told, 40))[0] == D("0.30")


def test_taxes_included_and_none_at_all() -> None:
    hour = [element(part("TIME", "2.10", step=60))]
    assert totals(billed(hour, [(0, {"TIME": "2.5"})], 150, tax_included="YES")) == (D("5.25"), D("5.25"))
    taxed = [element(part("TIME", 2, 25, 60))]
    assert totals(billed(taxed, [(0, {"TIME": 1})], 60, tax_included="YES")) == (D("1.60"), D(2))
    assert totals(billed(taxed, [(0, {"TIME": 1})], 60, tax_included="N/A")) == (D(2), D(2))


@pytest.mark.parametrize(
    ("start", "minutes", "nights"),
    [
        ("2019-02-04T21:30:00", 60, 30),  # Monday
        ("2019-02-05T04:00:00", 240, 0),  # Tuesday morning: the night began on Monday, but it is Tuesday
        ("2019-02-04T03:00:00", 240, 180),  # Monday morning
        ("2019-02-04T23:30:00", 60, 30),  # over midnight
    ],
)
def test_a_span_over_midnight_holds_on_the_days_it_names(start: str, minutes: int, nights: int) -> None:
    elements = [element(part("TIME", 1), start_time="22:00", end_time="06:00", day_of_week=["MONDAY"])]
    bill = billed(elements, [(0, {"TIME": hours(minutes)})], minutes, start)
    assert sum(line.used_base for line in bill.lines) == nights * 60


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when",
    [
        {"min_kwh": 5, "max_kwh": 5},
        {"min_duration": 60, "max_duration": 30},
        {"start_date": "2026-05-01", "end_date": "2026-05-01"},
        {"start_time": "08:00", "end_time": "08:00"},
        {"start_time": "8:00"},
        {"start_time": "24:00"},
        {"end_time": "24:30"},
        {"start_date": "2026-02-30"},
        {"day_of_week": ["MO"]},
        {"min_power": -1},
        {"max_kwh": "many"},
        {"max_kwh": "NaN"},
        {"weather": "sunny"},
        {"reservation": "MAYBE"},
        {"reservation": "RESERVATION"},
    ],
)
def test_conditions_that_make_no_sense_are_refused(when: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        check(of_ocpi({"currency": "EUR", "elements": [element(part("ENERGY", 1), **when)]}))


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../etc/passwd", "", "/etc/localtime"])
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(Refusal):
        zone_of(zone)
