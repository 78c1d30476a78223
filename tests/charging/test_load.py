"""Spans of days and the load within them: laws that hold whatever clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.statistics.load import by_day, peak_of, power, stretched
from wattkeeper.charging.statistics.share import QUARTER
from wattkeeper.charging.statistics.span import MOST_DAYS, Span, Usual, named, span_of, usual

VIENNA = ZoneInfo("Europe/Vienna")
SINCE = datetime(2026, 3, 28, 23, tzinfo=UTC)
"""Midnight in Vienna before the night in which clocks skip an hour."""
DAYS = st.dates(date(1972, 1, 1), date(8990, 1, 1))
LOADS = st.dictionaries(st.integers(0, 400), st.decimals(Decimal("0.001"), 10_000, places=3), max_size=40)


def test_usual_spans_are_those_that_people_mean() -> None:
    today = date(2026, 3, 1)
    assert usual(Usual.WEEKS, today) == Span(date(2026, 2, 1), today)
    assert usual(Usual.MONTH, today) == Span(today, date(2026, 3, 2))
    assert usual(Usual.BEFORE, today) == Span(date(2026, 2, 1), today)
    assert usual(Usual.YEAR, today) == Span(date(2025, 3, 1), today)
    assert named(Span(date(2026, 2, 1), today), today) is Usual.WEEKS, "February had 28 days: both names are right"
    assert named(Span(date(2026, 2, 2), today), today) is None


@given(DAYS, st.integers(0, MOST_DAYS - 1))
def test_days_and_months_of_a_span_are_the_span(first: date, more: int) -> None:
    span = span_of(first, first + timedelta(days=more))
    for parts in (span.each, span.months):
        assert (parts[0].first, parts[-1].until) == (span.first, span.until)
        assert all(one.until == other.first for one, other in pairwise(parts))
    assert len(span.each) == span.days == more + 1
    assert all(one.first.month == one.last.month for one in span.months)


@pytest.mark.parametrize("more", [-1, MOST_DAYS])
def test_no_span_runs_backwards_or_for_ever(more: int) -> None:
    with pytest.raises(Refusal):
        span_of(date(2026, 3, 1), date(2026, 3, 1) + timedelta(days=more))


def test_a_day_on_which_clocks_skip_an_hour_is_shorter() -> None:
    since, until = Span(date(2026, 3, 29), date(2026, 3, 30)).bounds(VIENNA)
    assert (since, until - since) == (SINCE, timedelta(hours=23))
    quarters = {SINCE: Decimal(1), SINCE + timedelta(hours=22, minutes=45): Decimal(2), until: Decimal(4)}
    days = by_day(quarters, {}, VIENNA)
    assert [(one.day.day, int(one.energy_wh)) for one in days] == [(29, 3), (30, 4)]


@given(LOADS, st.integers(1, 700))
def test_no_peak_and_no_energy_is_lost_in_a_picture(load: dict[int, Decimal], count: int) -> None:
    quarters = {SINCE + place * QUARTER: energy_wh for place, energy_wh in load.items()}
    until = SINCE + 401 * QUARTER
    made = stretched(quarters, SINCE, until, count)
    peak, size = peak_of(quarters), made.length // QUARTER
    assert max(made.most, default=None) == (peak.power_w if peak else 0)
    whole = sum(made.mean) * size
    assert abs(whole - sum((power(one) for one in quarters.values()), Decimal(0))) < Decimal("0.000001")
    assert all(mean <= most for mean, most in zip(made.mean, made.most, strict=True))
    assert len(made.most) <= max(count, -(-401 // 96))


def test_a_peak_is_spread_where_most_of_it_was_measured_over_a_longer_time() -> None:
    load = {SINCE: Decimal(400), SINCE + QUARTER: Decimal(500)}
    spread = [{SINCE: Decimal(400)}, {SINCE + QUARTER: Decimal(250)}, {SINCE + QUARTER: Decimal(251)}]
    peaks: list[Any] = [peak_of(load, one) for one in spread]
    assert [(peak.power_w, peak.spread_w, peak.is_spread) for peak in peaks] == [
        (2000, 0, False),
        (2000, 1000, False),
        (2000, 1004, True),
    ]


@given(LOADS)
def test_the_peak_is_the_first_of_the_highest(load: dict[int, Decimal]) -> None:
    quarters = {SINCE + place * QUARTER: energy_wh for place, energy_wh in load.items()}
    peak = peak_of(quarters)
    if peak is None:
        assert not quarters
        return
    assert all(power(energy_wh) <= peak.power_w for energy_wh in quarters.values())
    assert all(power(energy_wh) < peak.power_w for at, energy_wh in quarters.items() if at < peak.at)
