"""A week by a tariff says what a session in it costs: its stretches against the one money function."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.cards.limits import WEEK, Day
from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.tariffs.restriction import Restrictions
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff, TaxRate
from wattkeeper.charging.money.tariffs.week import DAY_MIN, day, week
from wattkeeper.charging.money.usage import planned

MONDAY = date(2026, 11, 30)
KWH = Dimension.ENERGY


def energy(amount: str, **when: object) -> Element:
    """A price for a kWh that holds sometimes."""
    return Element((Component(KWH, Decimal(amount)),), Restrictions(**when))  # type: ignore[arg-type]


def tariff(*elements: Element, zone: str = "Europe/Vienna") -> Tariff:
    """A tariff of these elements, with tax."""
    return Tariff("EUR", elements, tax_included=True, zone=ZoneInfo(zone))


def told(one: Tariff, which: date) -> list[tuple[int, int, list[Decimal]]]:
    """A day's stretches, as hours and prices."""
    return [(each.since_min, each.until_min, [offer.price for offer in each.offers]) for each in day(one, which, KWH)]


def test_a_night_that_ends_on_the_next_day_is_two_stretches() -> None:
    night = tariff(energy("0.29", start_time=time(22), end_time=time(6)), energy("0.45"))
    low, high = [Decimal("0.29")], [Decimal("0.45")]
    assert told(night, MONDAY) == [(0, 360, low), (360, 1320, high), (1320, DAY_MIN, low)]


def test_what_also_asks_for_something_else_stands_before_what_holds_then() -> None:
    one = tariff(energy("0.35", min_energy_wh=Decimal(30_000)), energy("0.49"))
    assert told(one, MONDAY) == [(0, DAY_MIN, [Decimal("0.35"), Decimal("0.49")])]
    assert day(one, MONDAY, KWH)[0].opening == Decimal("0.49")


def test_where_nothing_holds_there_is_no_price_and_reservations_are_not_told() -> None:
    reserved = Element((Component(Dimension.TIME, Decimal(5)),), Restrictions(reservation=None, end_time=time(12)))
    one = tariff(reserved)
    assert told(one, MONDAY) == [(0, DAY_MIN, [])]
    assert [len(each.offers) for each in day(one, MONDAY, Dimension.TIME)] == [1, 0]


def test_a_rate_with_dates_counts_on_its_days() -> None:
    component = Component(KWH, Decimal("1"), Decimal(10), tax_rate="AT")
    rate = TaxRate("AT", Decimal(20), date(2026, 12, 2))
    one = Tariff("EUR", (Element((component,)),), zone=UTC, rates=(rate,))
    prices = [stretches[0].offers[0].price for stretches in week(one, MONDAY, KWH)]
    assert prices == [Decimal("1.1")] * 2 + [Decimal("1.2")] * 5


clocks = st.one_of(st.none(), st.integers(0, 95).map(lambda one: time(one // 4, one % 4 * 15)))
whens = st.builds(
    lambda since, until, days: {"start_time": since, "end_time": until, "days": days},
    clocks,
    clocks,
    st.sampled_from([WEEK, frozenset({Day.MONDAY, Day.SUNDAY}), frozenset(Day) - {Day.WEDNESDAY}]),
).filter(lambda one: one["start_time"] != one["end_time"] or one["start_time"] is None)


@given(st.lists(whens, max_size=4), st.integers(0, 7 * 96 - 1))
@pytest.mark.parametrize("zone", ["UTC", "Europe/Vienna", "Asia/Kathmandu"])
def test_a_quarter_of_an_hour_costs_what_the_week_says(zone: str, some: list[dict[str, object]], place: int) -> None:
    elements = [energy(f"0.{number + 1}1", **when) for number, when in enumerate(some)]
    one = tariff(*elements, zone=zone)
    local = datetime.combine(MONDAY, time(), one.zone) + timedelta(minutes=place * 15)
    usage = planned(local.astimezone(UTC), Decimal(100_000), Decimal(900))
    minute = local.hour * 60 + local.minute
    stretches = week(one, MONDAY, KWH)[place // 96]
    (found,) = [each for each in stretches if each.since_min <= minute < each.until_min]
    expected = found.offers[0].price * 100 if found.offers else Decimal(0)
    assert price(usage, one).gross == expected
