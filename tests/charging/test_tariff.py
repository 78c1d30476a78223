"""What sessions cost: the figures of the standard, and laws that hold for every tariff and every session."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.meter import fold
from wattkeeper.charging.money.bill import Bill, price
from wattkeeper.charging.money.exact import span_of
from wattkeeper.charging.money.line import LineKind
from wattkeeper.charging.money.rounding import minor
from wattkeeper.charging.money.tariffs.tariff import Bound, Component, Dimension, Element, Tariff, check
from wattkeeper.charging.money.usage import Usage, planned
from wattkeeper.charging.reading import Reading
from wattkeeper.store.money.tariffs.ocpi import of_ocpi, to_ocpi, usage_of_periods, zone_of

D = Decimal
PRICED = json.loads((Path(__file__).parent / "priced_sessions.json").read_text(), parse_float=Decimal)
"""Sessions that the standard itself prices."""


@pytest.mark.parametrize("told", PRICED, ids=lambda told: str(told["id"]))
def test_the_standard_s_own_examples_come_out_right(told: dict[str, Any]) -> None:
    ends, expired = datetime.fromisoformat(told["end_date_time"]), told["reservation"] == "RESERVATION_EXPIRES"
    tariff = check(of_ocpi(told["tariff"], zone_of(told["time_zone"])))
    bill = price(usage_of_periods(told["charging_periods"], ends, expired), tariff)
    for amount, expected in ((bill.net_minor, "expected_excl_vat"), (bill.gross_minor, "expected_incl_vat")):
        if told[expected] is not None:
            assert abs(D(amount) / 100 - D(told[expected])) <= D("0.005"), expected


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def used(energy_wh: object = 0, charging_s: object = 0, parking_s: object = 0, parks_last: bool = True) -> Usage:
    """A session from noon on: charging and parking, one after the other."""
    amounts = (D(str(energy_wh)), D(str(charging_s)), D(str(parking_s)))
    if parks_last:
        return planned(NOON, *amounts)
    parked = planned(NOON, D(0), D(0), amounts[2])
    after = planned(NOON + span_of(amounts[2]), *amounts[:2])
    return Usage(intervals=(*parked.intervals, *after.intervals), started_at=NOON)


def eur(*components: Component, **more: Any) -> Tariff:
    """A tariff of one element."""
    return Tariff("EUR", (Element(components),), **more)


KWH = Component(Dimension.ENERGY, D("0.49"), D(20))


def test_a_line_can_be_checked_with_pencil_and_paper() -> None:
    bill = price(used(12_345), eur(KWH))
    (line,) = bill.lines
    assert (line.kind, line.quantity, line.unit_price) == (LineKind.ENERGY, D("12.345"), D("0.49"))
    assert (line.net_minor, line.vat_minor, line.gross_minor) == (605, 121, 726)
    assert bill.gross == D("7.26")


def test_prices_with_tax_are_what_drivers_pay() -> None:
    bill = price(used(10_000), eur(KWH, tax_included=True))
    assert (bill.net_minor, bill.vat_minor, bill.gross_minor) == (408, 82, 490)


def test_a_session_in_which_nothing_happened_costs_nothing() -> None:
    start = Component(Dimension.FLAT, D(1))
    least = Bound(D(5))
    assert price(Usage(), eur(start, KWH, least=least)).lines == ()
    assert price(used(1), eur(start, KWH, least=least)).gross_minor == 500


def test_a_currency_without_cents_is_rounded_to_whole_ones() -> None:
    yen = Tariff("JPY", (Element((Component(Dimension.ENERGY, D("30.5")),)),))
    assert (price(used(1_000), yen).gross_minor, yen.digits) == (31, 0)


def test_only_the_last_kind_of_time_is_rounded_up() -> None:
    times = eur(Component(Dimension.TIME, D(1), None, 600), Component(Dimension.PARKING_TIME, D(2), None, 600))
    parked_last = price(used(0, 1260, 960), times)
    charged_last = price(used(0, 1260, 960, parks_last=False), times)
    assert [line.billed_base for line in parked_last.lines] == [1260, 1200]
    assert [line.billed_base for line in charged_last.lines] == [1800, 960]


def test_what_a_tariff_says_is_checked() -> None:
    wrong = [
        Tariff("euro"),
        eur(Component(Dimension.ENERGY, D(-1))),
        eur(Component(Dimension.ENERGY, D(1), D(101))),
        eur(Component(Dimension.ENERGY, D(1), None, -1)),
        eur(KWH, least=Bound(D(3)), most=Bound(D(2))),
        eur(KWH, least=Bound(D(3), D(2))),
        eur(KWH, least=Bound(D(1), D(10)), most=Bound(D(5), D(6))),
        Tariff("EUR", (), untaxed=True, least=Bound(D(1), D("1.20"))),
    ]
    for tariff in wrong:
        with pytest.raises(Refusal):
            check(tariff)


# --- laws -------------------------------------------------------------------------------------------------

PRICES = st.decimals(0, 100, places=4)
COMPONENTS = st.builds(
    Component,
    st.sampled_from(Dimension),
    PRICES,
    st.none() | st.decimals(0, 30, places=1),
    st.sampled_from((0, 1, 60, 300, 500, 900)),
)
BOUNDS = st.none() | st.builds(Bound, st.decimals(0, 50, places=2))
TARIFFS = st.builds(
    Tariff,
    st.sampled_from(("EUR", "JPY", "KWD")),
    st.lists(st.builds(Element, st.lists(COMPONENTS, min_size=1, max_size=4).map(tuple)), max_size=3).map(tuple),
    st.booleans(),
    BOUNDS,
    st.none(),
)
AMOUNTS = st.decimals(0, 200_000, places=3)
USAGES = st.builds(used, AMOUNTS, AMOUNTS, AMOUNTS, st.booleans())


@given(USAGES, TARIFFS)
def test_totals_are_the_sums_of_lines_and_nobody_pays_less_than_nothing(one: Usage, tariff: Tariff) -> None:
    bill = price(one, tariff)
    assert bill.net_minor + bill.vat_minor == bill.gross_minor == sum(line.gross_minor for line in bill.lines)
    assert all(line.vat_minor >= 0 and line.net_minor >= 0 for line in bill.lines if line.kind is not LineKind.LEAST)
    assert bill.gross_minor >= bill.net_minor >= 0
    for line in bill.lines:
        assert line.billed_base >= line.used_base
        assert abs(line.exact_gross.scaleb(bill.digits) - line.gross_minor) <= max(1, len(bill.lines))


@given(USAGES, TARIFFS)
def test_a_line_is_quantity_times_price_to_the_cent_beside_it(one: Usage, tariff: Tariff) -> None:
    for line in price(one, tariff).lines:
        if line.kind not in (LineKind.LEAST, LineKind.MOST):
            amount = line.gross_minor if tariff.tax_included else line.net_minor
            base = {LineKind.ENERGY: 1000, LineKind.FLAT: 1}.get(line.kind, 3600)
            assert abs((line.billed_base * line.unit_price).scaleb(tariff.digits) - amount * base) < base


@given(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), TARIFFS, st.decimals(0, 1000, places=3))
def test_more_energy_never_costs_less(amounts: tuple[Decimal, Decimal, Decimal], tariff: Tariff, more: Decimal) -> None:
    tariff = Tariff(tariff.currency, tariff.elements, tariff.tax_included)  # a least before tax shifts the mix of taxes
    energy_wh, charging_s, parking_s = amounts
    further = price(used(energy_wh + more, charging_s, parking_s), tariff)
    assert further.gross_minor >= price(used(energy_wh, charging_s, parking_s), tariff).gross_minor


@given(USAGES, st.decimals(0, 50, places=2), TARIFFS)
def test_nobody_pays_more_than_the_most(one: Usage, most: Decimal, tariff: Tariff) -> None:
    bounded = Tariff(tariff.currency, tariff.elements, tariff.tax_included, None, Bound(most))
    assert price(one, bounded).net_minor <= minor(most, tariff.digits)


@given(TARIFFS)
def test_a_tariff_survives_the_store(tariff: Tariff) -> None:
    assert of_ocpi(json.loads(json.dumps(to_ocpi(tariff)))) == tariff


def test_ten_thousand_tiny_sessions_are_each_a_whole_number_of_cents() -> None:
    tiny = eur(Component(Dimension.ENERGY, D("0.4")))
    bills: list[Bill] = [price(used(10), tiny) for _ in range(10_000)]
    assert {bill.gross_minor for bill in bills} == {0}
    assert {bill.lines[0].exact_gross for bill in bills} == {D("0.004")}


# --- time of charging and of parking ----------------------------------------------------------------------


def at(minutes: int, wh: int | None, **more: Any) -> Reading:
    """A reading so many minutes after noon."""
    return Reading(NOON + timedelta(minutes=minutes), energy_wh=None if wh is None else D(wh), **more)


def test_a_car_parks_where_its_register_stands_still() -> None:
    track = fold([at(0, 1000), at(10, 2000), at(15, None), at(20, 3000), at(50, 3000)], D(22_000))
    assert (track.charging_s, track.parking_s, track.parks) == (D(1200), D(1800), True)


def test_a_car_does_not_park_while_the_station_has_no_power_to_give() -> None:
    track = fold([at(0, 1000), at(10, 2000), at(40, 2000, offered_w=D(0)), at(50, 2500)], D(22_000))
    assert (track.charging_s, track.parking_s, track.parks) == (D(1200), D(0), False)


def test_time_that_no_two_registers_enclose_is_never_billed() -> None:
    track = fold([at(30, 1000), at(90, None, power_w=D(7000))], D(22_000))
    assert (track.charging_s, track.parking_s) == (D(0), D(0))


def test_a_least_with_tax_alone_is_not_free() -> None:
    assert not Tariff("EUR", (), least=Bound(D(0), D(500))).is_free
    assert Tariff("EUR", (), least=Bound(D(0), D(0))).is_free
