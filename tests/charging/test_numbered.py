"""Documents: what brings a session to an amount, and usage in fewer stretches or for another energy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.metering.flow import Kind
from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.numbered import Tax, condensed, gross_of, less, scaled, taxes_of, to_reach
from wattkeeper.charging.money.tariffs.tariff import Bound, Component, Dimension, Element, Tariff
from wattkeeper.charging.money.usage import Interval, Usage

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KINDS = st.sampled_from([Kind.CHARGING, Kind.PARKING, Kind.OTHER, Kind.BLOCKING])
RATES = st.sampled_from([Decimal(0), Decimal("5.5"), Decimal(20), None])


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Stretches one after the other, some with gaps between."""
    at, register, kept = NOON, Decimal(1000), []
    for kind in draw(st.lists(KINDS, max_size=12)):
        at += timedelta(seconds=draw(st.sampled_from([0, 0, 7])))
        until = at + timedelta(seconds=draw(st.integers(1, 4000)))
        wh = Decimal(draw(st.integers(1, 9_000_000))).scaleb(-3) if kind is Kind.CHARGING else Decimal(0)
        kept.append(Interval(kind=kind, since=at, until=until, energy_wh=wh, register_wh=register))
        at, register = until, register + wh
    return Usage(intervals=tuple(kept), started_at=NOON)


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    """Prices of any dimension, with steps, a least and a most."""
    prices = st.integers(0, 9_999_999).map(lambda number: Decimal(number).scaleb(-6))
    components = tuple(
        Component(one, draw(prices), draw(RATES), draw(st.sampled_from([1, 60, 500]))) for one in Dimension
    )
    least, most = (draw(st.none() | prices.map(Bound)) for _ in range(2))
    bills_blocking, tax_included = draw(st.booleans()), draw(st.booleans())
    return Tariff("EUR", (Element(components),), tax_included, least, most, bills_blocking=bills_blocking)


@given(usages(), tariffs())
def test_fewer_stretches_are_the_same_bill(usage: Usage, tariff: Tariff) -> None:
    fewer = condensed(usage, tariff)
    assert price(fewer, tariff) == price(usage, tariff)
    assert len(fewer.intervals) <= len(usage.intervals)
    assert (fewer.energy_wh, fewer.charging_s, fewer.parking_s) == (usage.energy_wh, usage.charging_s, usage.parking_s)


@given(usages(), tariffs(), st.integers(0, 10_000_000))
def test_an_amount_is_reached_to_the_cent_and_no_tax_is_below_zero(usage: Usage, tariff: Tariff, aim: int) -> None:
    taxes = taxes_of(price(usage, tariff))
    extra = to_reach(taxes, aim, Decimal(20))
    whole = less((*taxes, *extra), ())
    assert gross_of(whole) == aim
    if all(min(tax.net_minor, tax.vat_minor) >= 0 for tax in taxes):  # what is taken off above the most is below zero
        assert all(min(tax.net_minor, tax.vat_minor) >= 0 for tax in whole)
    assert to_reach(whole, aim, Decimal(20)) == ()


@given(usages(), tariffs())
def test_nothing_is_reached_by_giving_back_just_what_was_billed(usage: Usage, tariff: Tariff) -> None:
    taxes = taxes_of(price(usage, tariff))
    back = to_reach(taxes, 0, None)
    assert less((*taxes, *back), ()) == ()


@given(usages(), st.integers(0, 50_000_000).map(lambda number: Decimal(number).scaleb(-3)))
def test_another_energy_is_spread_and_adds_up(usage: Usage, wh: Decimal) -> None:
    until = NOON + timedelta(days=1)
    other = scaled(usage, wh, NOON, until)
    assert other.energy_wh == wh
    spans = [(one.since, one.until, one.kind) for one in other.intervals]
    known = [(one.since, one.until, one.kind) for one in usage.intervals]
    assert [one for one in spans if one in known] == known
    made = [one for one in spans if one not in known]
    assert made in ([], [(NOON, until, Kind.CHARGING)])
    outside = all(one.kind in (Kind.RESERVED, Kind.BLOCKING) for one in usage.intervals)
    assert (made == []) == (wh == usage.energy_wh or not outside)
    assert all(one.energy_wh >= 0 for one in other.intervals)


def test_tax_is_told_by_rate_the_highest_first() -> None:
    before = (Tax(Decimal(20), 100, 20), Tax(None, 50, 0))
    now = (Tax(None, 50, 0), Tax(Decimal(7), 100, 7), Tax(Decimal(20), 60, 12))
    assert less(now, before) == (Tax(Decimal(20), -40, -8), Tax(Decimal(7), 100, 7))
