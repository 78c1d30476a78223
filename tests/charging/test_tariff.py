"""What sessions cost: the figures of the standard, and laws that hold for every tariff and every session."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.bill import Bill, LineKind, Usage, minor, price
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.meter import fold
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.tariff import Bound, Component, Dimension, Element, Tariff, check
from wattkeeper.store.tariff import of_ocpi, to_ocpi

D = Decimal
PRICED = json.loads((Path(__file__).parent / "priced_sessions.json").read_text(), parse_float=Decimal)
"""Sessions that the standard itself prices."""


def used_by(told: dict[str, Any]) -> Usage:
    """What a session of the standard's examples used."""
    sums: Counter[str] = Counter()
    last = ""
    for period in told["charging_periods"]:
        for dimension in period["dimensions"]:
            last = dimension["type"]
            sums[last] += D(str(dimension["volume"]))  # type: ignore[assignment]
    seconds = {kind: (D(sums[kind]) * 3600).quantize(D("0.001")) for kind in ("TIME", "PARKING_TIME")}
    return Usage(
        energy_wh=D(sums["ENERGY"]) * 1000,
        charging_s=seconds["TIME"],
        parking_s=seconds["PARKING_TIME"],
        ends_parking=last == "PARKING_TIME",
    )


@pytest.mark.parametrize("told", PRICED, ids=lambda told: str(told["id"]))
def test_the_standard_s_own_examples_come_out_right(told: dict[str, Any]) -> None:
    bill = price(used_by(told), check(of_ocpi(told["tariff"])))
    for amount, expected in ((bill.net_minor, "expected_excl_vat"), (bill.gross_minor, "expected_incl_vat")):
        if told[expected] is not None:
            assert amount == minor(D(told[expected]), 2), expected


def eur(*components: Component, **more: Any) -> Tariff:
    """A tariff of one element."""
    return Tariff("EUR", (Element(components),), **more)


KWH = Component(Dimension.ENERGY, D("0.49"), D(20))


def test_a_line_can_be_checked_with_pencil_and_paper() -> None:
    bill = price(Usage(energy_wh=D(12_345)), eur(KWH))
    (line,) = bill.lines
    assert (line.kind, line.quantity, line.unit_price) == (LineKind.ENERGY, D("12.345"), D("0.49"))
    assert (line.net_minor, line.vat_minor, line.gross_minor) == (605, 121, 726)
    assert bill.gross == D("7.26")


def test_prices_with_tax_are_what_drivers_pay() -> None:
    bill = price(Usage(energy_wh=D(10_000)), eur(KWH, tax_included=True))
    assert (bill.net_minor, bill.vat_minor, bill.gross_minor) == (408, 82, 490)


def test_a_session_in_which_nothing_happened_costs_nothing() -> None:
    start = Component(Dimension.FLAT, D(1))
    least = Bound(D(5))
    assert price(Usage(), eur(start, KWH, least=least)).lines == ()
    assert price(Usage(energy_wh=D(1)), eur(start, KWH, least=least)).gross_minor == 500


def test_a_currency_without_cents_is_rounded_to_whole_ones() -> None:
    yen = Tariff("JPY", (Element((Component(Dimension.ENERGY, D("30.5")),)),))
    assert (price(Usage(energy_wh=D(1_000)), yen).gross_minor, yen.digits) == (31, 0)


def test_only_the_last_kind_of_time_is_rounded_up() -> None:
    times = eur(Component(Dimension.TIME, D(1), None, 600), Component(Dimension.PARKING_TIME, D(2), None, 600))
    parked_last = price(Usage(charging_s=D(1260), parking_s=D(960), ends_parking=True), times)
    charged_last = price(Usage(charging_s=D(1260), parking_s=D(960)), times)
    assert [line.quantity * 60 for line in parked_last.lines] == [D(21), D(20)]
    assert [round(line.quantity * 60, 6) for line in charged_last.lines] == [D(30), D(16)]


def test_what_a_tariff_says_is_checked() -> None:
    wrong = [
        Tariff("euro"),
        eur(Component(Dimension.ENERGY, D(-1))),
        eur(Component(Dimension.ENERGY, D(1), D(101))),
        eur(Component(Dimension.ENERGY, D(1), None, -1)),
        eur(KWH, least=Bound(D(3)), most=Bound(D(2))),
        eur(KWH, least=Bound(D(3), D(2))),
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
USAGES = st.builds(Usage, energy_wh=AMOUNTS, charging_s=AMOUNTS, parking_s=AMOUNTS, ends_parking=st.booleans())


@given(USAGES, TARIFFS)
def test_totals_are_the_sums_of_lines_and_nobody_pays_less_than_nothing(used: Usage, tariff: Tariff) -> None:
    bill = price(used, tariff)
    assert bill.net_minor + bill.vat_minor == bill.gross_minor == sum(line.gross_minor for line in bill.lines)
    assert all(line.vat_minor >= 0 and line.net_minor >= 0 for line in bill.lines if line.kind is not LineKind.LEAST)
    assert bill.gross_minor >= bill.net_minor >= 0
    for line in bill.lines:
        assert line.quantity >= line.used
        assert abs(line.exact_gross.scaleb(bill.digits) - line.gross_minor) <= max(1, len(bill.lines))


@given(USAGES, TARIFFS)
def test_a_line_is_quantity_times_price_rounded_once(used: Usage, tariff: Tariff) -> None:
    for line in price(used, tariff).lines:
        if line.kind not in (LineKind.LEAST, LineKind.MOST):
            amount = line.gross_minor if tariff.tax_included else line.net_minor
            exact = (line.quantity * line.unit_price).scaleb(tariff.digits)
            assert amount == exact.to_integral_value(ROUND_HALF_UP)


@given(USAGES, TARIFFS, st.decimals(0, 1000, places=3))
def test_more_energy_never_costs_less(used: Usage, tariff: Tariff, more: Decimal) -> None:
    tariff = Tariff(tariff.currency, tariff.elements, tariff.tax_included)  # a least before tax shifts the mix of taxes
    further = Usage(
        energy_wh=used.energy_wh + more,
        charging_s=used.charging_s,
        parking_s=used.parking_s,
        ends_parking=used.ends_parking,
    )
    assert price(further, tariff).gross_minor >= price(used, tariff).gross_minor


@given(USAGES, st.decimals(0, 50, places=2), TARIFFS)
def test_nobody_pays_more_than_the_most(used: Usage, most: Decimal, tariff: Tariff) -> None:
    bounded = Tariff(tariff.currency, tariff.elements, tariff.tax_included, None, Bound(most))
    assert price(used, bounded).net_minor <= minor(most, tariff.digits)


@given(TARIFFS)
def test_a_tariff_survives_the_store(tariff: Tariff) -> None:
    assert of_ocpi(json.loads(json.dumps(to_ocpi(tariff)))) == tariff


def test_ten_thousand_tiny_sessions_are_each_a_whole_number_of_cents() -> None:
    tiny = eur(Component(Dimension.ENERGY, D("0.4")))
    bills: list[Bill] = [price(Usage(energy_wh=D(10)), tiny) for _ in range(10_000)]
    assert {bill.gross_minor for bill in bills} == {0}
    assert {bill.lines[0].exact_gross for bill in bills} == {D("0.004")}


# --- time of charging and of parking ----------------------------------------------------------------------

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


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
