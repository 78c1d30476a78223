"""Any session under any tariff: the money function and the naive one agree to the cent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.naive import Registers, cost
from tests.laws.test_naive import WORKDAYS, ZONE, priced
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.tariffs.tariff import check
from wattkeeper.store.money.tariffs.ocpi import of_ocpi, zone_of

GRID_S = 300
TIMES = st.integers(0, 287).map(lambda n: f"{n // 12:02}:{n % 12 * 5:02}")
SPANS = st.integers(0, 40).map(lambda n: n * GRID_S)
KWH, KW = st.sampled_from(("0.5", "1", "2.345", "7")), st.sampled_from(("1.2", "3.6", "7", "11"))
WHEN = st.fixed_dictionaries(
    {},
    optional={
        "start_time": TIMES,
        "end_time": TIMES,
        "day_of_week": st.sampled_from((WORKDAYS, ["SUNDAY"], ["SATURDAY", "SUNDAY"])),
        "start_date": st.sampled_from(("2028-02-29", "2028-03-01", "2027-10-31")),
        "end_date": st.sampled_from(("2028-02-29", "2028-03-02", "2027-11-07")),
        "min_kwh": KWH,
        "max_kwh": KWH,
        "min_power": KW,
        "max_power": KW,
        "min_duration": SPANS,
        "max_duration": SPANS,
        "x_min_idle": SPANS,
    },
)
PARTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(("ENERGY", "TIME", "PARKING_TIME", "FLAT")),
        "price": st.sampled_from(("0", "0.25", "0.333", "1", "2.4", "11.99")),
        "step_size": st.sampled_from((0, 1, 60, 500, 900)),
    },
    optional={"vat": st.sampled_from(("0", "5.5", "7", "19", "20"))},
)
ELEMENTS = st.fixed_dictionaries(
    {"price_components": st.lists(PARTS, min_size=1, max_size=3, unique_by=lambda one: one["type"])},
    optional={"restrictions": WHEN},
)
TARIFFS = st.fixed_dictionaries(
    {
        "currency": st.just("EUR"),
        "tax_included": st.sampled_from(("YES", "NO")),
        "elements": st.lists(ELEMENTS, min_size=1, max_size=5),
    },
    optional={
        "min_price": st.just({"before_taxes": "1.5", "after_taxes": "1.7"}),
        "max_price": st.just({"before_taxes": "6", "after_taxes": "7.14"}),
    },
)
STARTS = st.sampled_from(
    ("2028-02-28T20:00:13", "2028-02-29T23:11:00", "2027-11-07T03:30:59", "2028-03-12T04:40:00", "2028-03-03T12:00:01")
)
"""The end of a February of 29 days, both nights on which clocks are set, and a day like any other; UTC."""


@st.composite
def sessions(draw: st.DrawFn) -> Registers:
    """Registers of a session, some of them standing still."""
    at, wh = datetime.fromisoformat(draw(STARTS) + "+00:00"), draw(st.integers(0, 10**6))
    told = [(at, wh)]
    for _ in range(draw(st.integers(1, 7))):
        at += timedelta(seconds=draw(st.integers(1, 7200)))
        wh += draw(st.one_of(st.just(0), st.integers(1, 9000)))
        told.append((at, wh))
    return told


@settings(max_examples=300, deadline=None)
@given(sessions(), TARIFFS)
def test_any_session_costs_the_same_by_the_naive_pricer(registers: Registers, told: dict[str, Any]) -> None:
    tariff = of_ocpi(told, zone_of(ZONE))
    try:
        check(tariff)
    except Refusal:
        return
    assert priced(registers, tariff) == cost(registers, told, ZONE, GRID_S)
