"""Rules of prices one by one: clocks that are set, leap days, dated taxes, grace, coarse meters, what is estimated."""

from __future__ import annotations

import time as watch
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wattkeeper.charging.cards.limits import Day
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.metering.flow import Kind
from wattkeeper.charging.money import bill
from wattkeeper.charging.money.line import LineKind
from wattkeeper.charging.money.tariffs.restriction import Reservation, Restrictions
from wattkeeper.charging.money.tariffs.tariff import (
    Bound,
    Component,
    Dimension,
    Element,
    Tariff,
    TaxRate,
    check,
    with_tax,
)
from wattkeeper.charging.money.usage import Interval, Known, Usage, expired, planned, usage
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.session import Session, remeasure

D = Decimal
BERLIN = ZoneInfo("Europe/Berlin")
HOURLY = Component(Dimension.TIME, D(1))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def price(one: Usage, tariff: Tariff) -> Any:
    """What it costs; untyped, so that figures may be compared with plain numbers."""
    return bill.price(one, tariff)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A time of Berlin, UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


def seconds(since: datetime, until: datetime, **when: object) -> Decimal:
    """How much of an hourly price that holds at some times a charging car pays for."""
    tariff = check(Tariff("EUR", (Element((HOURLY,), Restrictions(**when)),), zone=BERLIN))  # type: ignore[arg-type]
    span_s = D((until - since) // timedelta(seconds=1))
    return sum((line.used_base for line in price(planned(since, D(1000), span_s), tariff).lines), D(0))


SPRING, AUTUMN = (2026, 3, 29), (2026, 10, 25)


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), ((2026, 5, 3), 24)])
def test_a_day_is_as_long_as_the_clock_makes_it(day: tuple[int, int, int], hours: int) -> None:
    since, until = at(*day) - timedelta(hours=30), at(*day) + timedelta(hours=60)
    assert seconds(since, until, days=frozenset({Day.SUNDAY})) == hours * 3600
    assert seconds(since, until, start_date=date(*day), end_date=date(*day) + timedelta(days=1)) == hours * 3600


@pytest.mark.parametrize(
    ("day", "start", "end", "minutes"),
    [
        (SPRING, time(2), time(3), 0),
        (SPRING, time(2, 30), time(3, 30), 30),
        (SPRING, time(1, 30), time(2, 30), 30),
        (SPRING, time(2, 10), time(2, 20), 0),
        (AUTUMN, time(2), time(3), 120),
        (AUTUMN, time(2, 30), time(3, 30), 90),
        (AUTUMN, time(1, 30), time(2, 30), 90),
        (AUTUMN, time(2, 10), time(2, 20), 20),
        (AUTUMN, time(22), time(2, 45), 165 + 45),
    ],
)
def test_what_counts_is_the_clock_on_the_wall(day: tuple[int, int, int], start: time, end: time, minutes: int) -> None:
    midnight = at(*day)
    assert seconds(midnight, midnight + timedelta(hours=23), start_time=start, end_time=end) == minutes * 60


def test_the_29th_of_february_is_a_day() -> None:
    since, until = at(2028, 2, 28, 12), at(2028, 3, 1, 12)
    leap = {"start_date": date(2028, 2, 29), "end_date": date(2028, 3, 1)}
    assert seconds(since, until, **leap) == 86_400
    assert seconds(since, until, **leap, start_time=time(23), end_time=time(1)) == 2 * 3600


def test_a_rate_of_tax_holds_on_its_days() -> None:
    rates = (
        TaxRate("DE standard", D(16), date(2020, 7, 1), date(2021, 1, 1)),
        TaxRate("DE standard", D(19), date(2021, 1, 1)),
    )
    components = tuple(
        Component(dimension, D(1), D(7), tax_rate="DE standard") for dimension in (Dimension.FLAT, Dimension.ENERGY)
    )
    tariff = check(Tariff("EUR", (Element(components),), zone=BERLIN, rates=rates))
    told = price(planned(at(2020, 12, 31, 23), D(10_000), D(7200)), tariff)
    assert [(line.kind, line.vat_percent, line.quantity) for line in told.lines] == [
        (LineKind.FLAT, 16, 1),
        (LineKind.ENERGY, 16, 5),
        (LineKind.ENERGY, 19, 5),
    ]
    assert [(one.vat_percent, one.net_minor, one.vat_minor) for one in told.taxes] == [(19, 500, 95), (16, 600, 96)]
    before = price(planned(at(2020, 6, 30, 12), D(10_000), D(7200)), tariff)
    assert {line.vat_percent for line in before.lines} == {7}, "on a day without a rate the price's own holds"
    assert not tariff.is_plain


def test_a_price_is_shown_with_the_tax_of_its_day() -> None:
    rates = (TaxRate("A", D(16), date(2020, 7, 1), date(2021, 1, 1)), TaxRate("A", D(19), date(2021, 1, 1)))
    tariff = Tariff("EUR", (Element((Component(Dimension.ENERGY, D(1), tax_rate="A"),)),), zone=BERLIN, rates=rates)
    shown = [
        with_tax(next(tariff.on(when).components), tariff)
        for when in (at(2020, 12, 31, 23), at(2021, 1, 1), at(2020, 1, 1))
    ]
    assert shown == [D("1.16"), D("1.19"), D(1)]


def test_two_rates_of_one_name_on_one_day_are_refused() -> None:
    first, second = TaxRate("A", D(16), date(2020, 7, 1)), TaxRate("A", D(19), date(2021, 1, 1))
    with pytest.raises(Refusal):
        check(Tariff("EUR", rates=(first, second)))
    with pytest.raises(Refusal):
        check(Tariff("EUR", rates=(TaxRate("A", D(101), date(2020, 7, 1)),)))


# --- idle time --------------------------------------------------------------------------------------------------


def used(*told: tuple[int, int | None, object]) -> tuple[Any, Any]:
    """A session of readings: minutes after noon, register, and power."""
    readings = [
        Reading(
            NOON + timedelta(minutes=minutes),
            energy_wh=None if wh is None else D(wh),
            power_w=None if w is None else D(str(w)),
        )
        for minutes, wh, w in told
    ]
    one = remeasure(Session(id="0" * 9, station="CP1", key="k", first_at=NOON, last_at=NOON), readings)
    return one, usage(one, readings)


FEE = Element((Component(Dimension.PARKING_TIME, D(60)),), Restrictions(min_idle_s=600))


def test_grace_begins_anew_when_the_car_charges_again() -> None:
    _, one = used((0, 0, None), (5, 900, None), (13, 900, None), (14, 950, None), (20, 950, None), (27, 950, None))
    told = price(one, Tariff("EUR", (FEE,)))
    assert [line.used_base for line in told.lines] == [180]
    assert [(part.since, part.until) for part in told.lines[0].parts] == [
        (NOON + timedelta(minutes=24), NOON + timedelta(minutes=27))
    ]


def test_a_register_that_counts_coarsely_does_not_make_a_car_idle() -> None:
    session, one = used(
        (0, 0, 7000), (5, 0, 7000), (9, 1000, 7000), (14, 1000, 6800), (18, 2000, 6800), (25, 2000, 3), (40, 2000, 0)
    )
    assert (session.track.charging_s, session.track.parking_s) == (1080, 1320)
    assert [(i.kind, i.energy_wh, round(i.power_w or 0)) for i in one.intervals] == [
        (Kind.CHARGING, 1000, 6667),
        (Kind.CHARGING, 1000, 6667),
        (Kind.PARKING, 0, 0),
        (Kind.PARKING, 0, 0),
    ]


def test_a_register_that_stands_still_at_the_end_is_charging_so_far() -> None:
    session, one = used((0, 0, None), (5, 1000, 7000), (9, 1000, 7000))
    assert one.charging_s == session.track.charging_s == 540
    session, one = used((0, 0, None), (5, 1000, 7000), (9, 1000, 7000), (12, 1000, 0), (13, 900, 0))
    assert (one.charging_s, one.parking_s) == (session.track.charging_s, session.track.parking_s) == (540, 180)


def test_current_is_the_mean_of_what_both_readings_say() -> None:
    phases: Any = {"current_l1_a": D(10), "current_l2_a": D(10), "current_l3_a": D(10)}
    readings = [
        Reading(NOON, energy_wh=D(0), **phases),
        Reading(NOON + timedelta(minutes=5), energy_wh=D(500), current_a=D(40)),
        Reading(NOON + timedelta(minutes=10), energy_wh=D(900)),
        Reading(NOON + timedelta(minutes=15), energy_wh=D(1200)),
        Reading(NOON + timedelta(minutes=20), energy_wh=D(1200)),
    ]
    one = usage(remeasure(Session(id="0" * 9, station="C", key="k", first_at=NOON, last_at=NOON), readings), readings)
    assert [stretch.current_a for stretch in one.intervals] == [35, 40, None, 0]


def test_blocking_is_idle_time_that_goes_on() -> None:
    """Five minutes of parking and nine of blocking, ten of grace: what is left is rounded up once."""
    _, one = used((0, 0, None), (5, 900, None), (10, 900, None))
    blocked = Interval(kind=Kind.BLOCKING, since=NOON + timedelta(minutes=10), until=NOON + timedelta(minutes=19))
    longer = Usage(intervals=(*one.intervals, blocked))
    hourly = Component(Dimension.PARKING_TIME, D(60), step_size=600)
    at_once = Tariff("EUR", (Element((hourly,)),), bills_blocking=True)
    assert [(line.kind, line.billed_base) for line in price(longer, at_once).lines] == [
        (LineKind.PARKING_TIME, 300),
        (LineKind.BLOCKING_TIME, 900),
    ]
    assert [line.billed_base for line in price(longer, replace(at_once, bills_blocking=False)).lines] == [600]
    after_grace = Tariff("EUR", (FEE,), bills_blocking=True)
    assert [(line.kind, line.billed_base) for line in price(longer, after_grace).lines] == [
        (LineKind.BLOCKING_TIME, 240)
    ]


# --- how things are known ---------------------------------------------------------------------------------------

TIERS = Tariff(
    "EUR",
    (
        Element((Component(Dimension.ENERGY, D("0.3")),), Restrictions(max_energy_wh=D(1000))),
        Element((Component(Dimension.ENERGY, D("0.4")),)),
    ),
)


def test_a_line_says_how_the_meter_is_known_at_its_ends() -> None:
    _, one = used((0, 5000, None), (10, 6500, None), (20, 7000, None))
    first, second = price(one, TIERS).lines
    (begin,), (end,) = first.parts, second.parts
    assert (begin.since_wh, begin.until_wh, end.since_wh, end.until_wh) == (5000, 6000, 6000, 7000)
    ends = (begin.since_known, begin.until_known, end.since_known, end.until_known)
    assert ends == (Known.MEASURED, Known.INTERPOLATED, Known.INTERPOLATED, Known.MEASURED)
    assert begin.until == end.since == NOON + timedelta(seconds=400)
    assert (first.known, first.element, second.element) == (Known.INTERPOLATED, 0, 1)


def test_energy_is_interpolated_to_a_millionth_of_a_watt_hour() -> None:
    _, one = used((0, 0, None), (30, 1000, None))
    early = Element((Component(Dimension.ENERGY, D(1)),), Restrictions(end_time=time(12, 10)))
    late = Element((Component(Dimension.ENERGY, D(2)),))
    first, second = price(one, Tariff("EUR", (early, late))).lines
    assert (first.used_base, second.used_base) == (D("333.333333"), D("666.666667"))


def test_what_is_planned_is_estimated() -> None:
    told = price(planned(NOON, D(2000), D(3600)), TIERS)
    assert [line.gross_minor for line in told.lines] == [30, 40]
    assert {line.known for line in told.lines} == {Known.ESTIMATED}


def test_readings_that_are_complete_are_measured() -> None:
    _, one = used((0, 5000, None), (10, 5500, None))
    (line,) = price(one, TIERS).lines
    assert (line.known, line.since, line.until) == (Known.MEASURED, NOON, NOON + timedelta(minutes=10))


def test_a_register_that_restarts_counts_from_where_it_restarted() -> None:
    _, one = used((0, 5000, None), (10, 5600, None), (20, 0, None), (30, 900, None))
    (low, high) = price(one, TIERS).lines
    assert [(part.since_wh, part.until_wh) for part in low.parts] == [(5000, 5600), (0, 400)]
    assert [(part.since_wh, part.until_wh) for part in high.parts] == [(400, 900)]


def test_a_start_fee_is_the_first_that_holds_and_only_once() -> None:
    late, usual = Component(Dimension.FLAT, D(2)), Component(Dimension.FLAT, D(1))
    tariff = Tariff(
        "EUR", (Element((late,), Restrictions(start_time=time(13))), Element((usual,), Restrictions(min_duration_s=60)))
    )
    before, after = (
        price(planned(NOON, D(9), D(7200)), tariff),
        price(planned(NOON + timedelta(hours=1), D(9), D(7200)), tariff),
    )
    assert [(line.gross_minor, line.since) for line in before.lines] == [(100, NOON + timedelta(minutes=1))]
    assert [line.gross_minor for line in after.lines] == [200]


def test_a_tax_free_tariff_has_no_tax_though_its_prices_name_one() -> None:
    tariff = Tariff("USD", (Element((Component(Dimension.ENERGY, D(1), D(20)),)),), untaxed=True)
    (line,) = price(planned(NOON, D(1000), D(60)), tariff).lines
    assert (line.vat_percent, line.net_minor, line.gross_minor) == (None, 100, 100)


def test_nothing_used_costs_nothing_but_its_reservation() -> None:
    reserved = Element((Component(Dimension.FLAT, D(3)),), Restrictions(reservation=Reservation.RESERVATION))
    tariff = Tariff("EUR", (reserved, Element((Component(Dimension.FLAT, D(1)),))))
    one = expired(NOON, NOON + timedelta(hours=1))
    unused = Usage(intervals=(*one.intervals, Interval(kind=Kind.OTHER, since=NOON, until=NOON + timedelta(hours=2))))
    assert [line.kind for line in price(unused, tariff).lines] == [LineKind.RESERVATION_FLAT]
    assert price(Usage(), tariff).lines == ()


# --- limits of the imaginable -----------------------------------------------------------------------------------

NIGHTLY = Tariff(
    "EUR",
    (Element((Component(Dimension.ENERGY, D(1)),), Restrictions(start_time=time(22), end_time=time(6))),),
    zone=BERLIN,
)


def test_a_clock_that_leaps_thousands_of_years_costs_no_time_of_ours() -> None:
    far = [datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 1, tzinfo=UTC), datetime(9989, 12, 31, tzinfo=UTC)]
    stretches = [Interval(kind=Kind.CHARGING, since=a, until=b, energy_wh=D(1000)) for a, b in pairwise(far)]
    began = watch.process_time()
    assert price(Usage(intervals=tuple(stretches)), NIGHTLY).gross_minor == 200
    assert watch.process_time() - began < 1


def test_three_thousand_readings_are_priced_while_a_page_waits() -> None:
    _, one = used(*((minute, minute * 90, None) for minute in range(3000)))
    began = watch.process_time()
    told = price(one, NIGHTLY)
    assert watch.process_time() - began < 1
    (line,) = told.lines
    assert (line.used_base, len(line.parts)) == (2 * 480 * 90, 2)


def test_the_least_is_shared_out_over_the_rates_of_tax() -> None:
    flat, kwh = Component(Dimension.FLAT, D(1), D(10)), Component(Dimension.ENERGY, D("0.50"), D(20))
    bounded = Tariff("EUR", (Element((flat, kwh)),), least=Bound(D(6)))
    lines = price(planned(NOON, D(4000), D(3600)), bounded).lines
    told = [(str(line.kind), line.vat_percent, line.net_minor, line.vat_minor) for line in lines]
    used = [("ENERGY", 20, 200, 40), ("FLAT", 10, 100, 10)]
    assert sorted(told) == sorted([*used, ("LEAST", 20, 200, 40), ("LEAST", 10, 100, 10)])
    odd = Tariff("EUR", (Element((flat, kwh)),), least=Bound(D(6), D(9)))
    (line,) = [one for one in price(planned(NOON, D(4000), D(3600)), odd).lines if one.kind is LineKind.LEAST]
    assert (line.vat_percent, line.net_minor, line.vat_minor) == (None, 300, 250)
