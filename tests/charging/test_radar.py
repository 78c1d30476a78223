"""What the clone radar takes for impossible, for guessing and for unlike; measured on real sessions."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wattkeeper.simulator
from wattkeeper.charging.cards import radar
from wattkeeper.charging.cards.radar import Location, Oddity, Point, Sighting, Visit

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
VIENNA, SALZBURG = Point(Decimal("48.2082"), Decimal("16.3738")), Point(Decimal("47.8095"), Decimal("13.0550"))
REAL = Path(wattkeeper.simulator.__file__).parent / "data" / "workplace_sessions.csv"

latitudes = st.decimals(min_value=-90, max_value=90, places=4)
longitudes = st.decimals(min_value=-180, max_value=180, places=4)
points = st.builds(Point, latitudes, longitudes)
locations = st.builds(Location, st.sampled_from("ABC"), st.sampled_from(("", "north", "south")), st.none() | points)
sightings = st.builds(Sighting, locations, st.timedeltas(timedelta(0), timedelta(days=2)).map(lambda d: NOON + d))


def seen(point: Point | None, minutes: float = 0, station: str = "A", site: str = "") -> Sighting:
    """A card at a station there, so many minutes after noon."""
    return Sighting(Location(station, site, point), NOON + timedelta(minutes=minutes))


def test_the_way_from_vienna_to_salzburg() -> None:
    assert radar.distance_km(VIENNA, SALZBURG) == pytest.approx(251, abs=2)
    antipodes = Point(Decimal(0), Decimal(0)), Point(Decimal(0), Decimal(180))
    assert radar.distance_km(*antipodes) == pytest.approx(20015, abs=1)


def test_ten_minutes_over_300_km_is_out_of_reach_and_half_a_day_is_not() -> None:
    far = Point(VIENNA.latitude, VIENNA.longitude - Decimal("4.05"))
    assert radar.distance_km(VIENNA, far) == pytest.approx(300, abs=1)
    assert radar.is_out_of_reach(seen(VIENNA), seen(far, 10, "B"))
    assert radar.is_out_of_reach(seen(far, 10, "B"), seen(VIENNA)), "told in the other order"
    assert radar.is_out_of_reach(seen(VIENNA), seen(far, 44, "B"))
    assert not radar.is_out_of_reach(seen(VIENNA), seen(far, 46, "B"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(seen(VIENNA), seen(SALZBURG, 1), id="one station, whose coordinates were corrected"),
        pytest.param(seen(VIENNA, site="yard"), seen(SALZBURG, 1, "B", "yard"), id="one site"),
        pytest.param(seen(VIENNA), seen(None, 1, "B"), id="nobody knows where the other stands"),
        pytest.param(seen(None), seen(None, 1, "B"), id="nobody knows where either stands"),
        pytest.param(seen(VIENNA), seen(Point(Decimal("48.24"), Decimal("16.37")), 0, "B"), id="next street"),
        pytest.param(seen(VIENNA), seen(Point(Decimal("48.7"), Decimal("16.37")), 0, "B"), id="54 km, clocks differ"),
    ],
)
def test_what_never_counts_as_far(one: Sighting, other: Sighting) -> None:
    assert not radar.is_out_of_reach(one, other)


@given(sightings, sightings)
def test_out_of_reach_is_a_matter_of_both(one: Sighting, other: Sighting) -> None:
    assert radar.is_out_of_reach(one, other) == radar.is_out_of_reach(other, one)
    if radar.together(one.location, other.location):
        assert not radar.is_out_of_reach(one, other)


def test_ten_unknown_cards_are_the_least() -> None:
    assert radar.unusual_unknown([]) == radar.unusual_unknown([0] * 28) == 10


def test_a_busy_public_station_has_a_limit_of_its_own() -> None:
    assert radar.unusual_unknown([20, 22, 18, 25, 21, 19, 23]) > 25


def test_days_of_guessing_do_not_make_guessing_usual() -> None:
    quiet = [0, 1, 2, 0, 1, 3, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0]
    assert radar.unusual_unknown([*quiet, *[500] * 10]) < 30


def habit() -> list[Visit]:
    """Forty working days at one place, at nine."""
    begin = datetime(2026, 9, 7, 9, tzinfo=UTC)
    days = [begin + timedelta(days=d) for d in range(56) if (begin + timedelta(days=d)).weekday() < 5]
    energy_wh = (Decimal(8000 + 300 * (n % 7)) for n in range(len(days)))
    return [Visit(day, Location("A", "yard"), amount) for day, amount in zip(days, energy_wh, strict=True)]


@pytest.mark.parametrize(
    ("at", "site", "energy_wh", "odd"),
    [
        ("2026-11-23T09:10:00Z", "yard", 9000, ()),
        ("2026-11-22T03:00:00Z", "yard", 9000, ()),
        ("2026-11-23T09:10:00Z", "elsewhere", 9000, ()),
        ("2026-11-23T09:10:00Z", "yard", 60000, ()),
        ("2026-11-22T03:00:00Z", "elsewhere", 9000, (Oddity.HOUR, Oddity.PLACE)),
        ("2026-11-23T09:10:00Z", "elsewhere", 60000, (Oddity.PLACE, Oddity.ENERGY)),
        ("2026-11-22T03:00:00Z", "elsewhere", 60000, (Oddity.HOUR, Oddity.PLACE, Oddity.ENERGY)),
    ],
)
def test_one_oddity_is_an_ordinary_day(at: str, site: str, energy_wh: int, odd: tuple[Oddity, ...]) -> None:
    visit = Visit(datetime.fromisoformat(at), Location(site, site), Decimal(energy_wh))
    assert radar.oddities(visit, habit()) == odd


def test_a_card_without_enough_history_is_never_unlike_itself() -> None:
    visit = Visit(datetime(2026, 11, 22, 3, tzinfo=UTC), Location("B", "elsewhere"), Decimal(60000))
    assert radar.oddities(visit, habit()[: radar.HISTORY - 1]) == ()


def real_visits() -> Iterator[list[Visit]]:
    """The real sessions of each card, in the order of their starts."""
    cards = defaultdict(list)
    for row in csv.DictReader(REAL.read_text().splitlines()):
        at = datetime.fromisoformat(f"2{row['created'][1:]}").replace(tzinfo=UTC)
        cards[row["user"]].append(Visit(at, Location(row["station"], row["location"]), Decimal(row["kwh"]) * 1000))
    for visits in cards.values():
        yield sorted(visits, key=lambda visit: visit.at)


def test_how_often_an_honest_card_is_taken_for_a_copy() -> None:
    """The figures of docs/decisions/0011: 1 of the 1,863 real sessions that had history enough."""
    judged = found = 0
    for visits in real_visits():
        for place, visit in enumerate(visits):
            past = visits[max(0, place - radar.HISTORY_MOST) : place]
            judged += len(past) >= radar.HISTORY
            found += bool(radar.oddities(visit, past))
    assert (judged, found) == (1863, 1)


def test_how_often_a_thief_is_noticed() -> None:
    """The figure of docs/decisions/0011: whoever uses a copy elsewhere, at any hour, 10 to 50 kWh."""
    tried = found = 0
    for visits in real_visits():
        if len(visits) < radar.HISTORY:
            continue
        for hour in range(0, 168, 4):
            at = datetime(2016, 1, 4, tzinfo=UTC) + timedelta(hours=hour)
            for energy_wh in (10_000, 20_000, 30_000, 40_000, 50_000):
                tried += 1
                past = visits[-radar.HISTORY_MOST :]
                found += bool(radar.oddities(Visit(at, Location("public", "public"), Decimal(energy_wh)), past))
    assert round(100 * found / tried) == 88, f"{found} of {tried}"
