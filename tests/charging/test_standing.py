"""What one pays from now on: by the clock, by energy, by the day's tax; and what changes it next."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec.structs import replace as changed

from wattkeeper.charging.meter import Mark, Track
from wattkeeper.charging.money.standing import Standing, UnitPrices, standing
from wattkeeper.charging.money.tariffs.restriction import Restrictions
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff, TaxRate
from wattkeeper.charging.session import Session

VIENNA = ZoneInfo("Europe/Vienna")
TWENTY = Decimal(20)
START = datetime(2026, 3, 28, 20, tzinfo=UTC)
"""The evening before the clocks go forward."""


def session(wh: int = 0, power_w: int | None = None, start: datetime = START) -> Session:
    """A session that has delivered so much."""
    marks = (Mark(start, Decimal(1000)), Mark(start + timedelta(hours=1), Decimal(1000 + wh)))
    track = Track(count=2, first=marks[0], last=marks[1], base_wh=Decimal(1000), high_wh=Decimal(1000 + wh))
    if power_w is not None:
        track = changed(track, power_w=Decimal(power_w))
    return Session(id="X", station="CP1", key="k", first_at=start, last_at=start, track=track)


def energy(price: str, **when: object) -> Element:
    """So much for a kWh."""
    return Element((Component(Dimension.ENERGY, Decimal(price), TWENTY),), Restrictions(**when))  # type: ignore[arg-type]


def test_a_plain_price_never_changes() -> None:
    tariff = Tariff(
        "EUR", (Element((Component(Dimension.ENERGY, Decimal("0.50"), TWENTY), Component(Dimension.FLAT, Decimal(1)))),)
    )
    prices = UnitPrices(kwh=Decimal("0.6"), flat=Decimal(1))
    assert standing(session(), tariff, START) == Standing(prices=prices)


def test_the_clock_of_the_place_changes_it() -> None:
    tariff = Tariff("EUR", (energy("0.25", start_time=time(22), end_time=time(6)), energy("0.50")), zone=VIENNA)
    evening = standing(session(), tariff, START)
    assert (evening.prices.kwh, evening.changes_at) == (Decimal("0.6"), START + timedelta(hours=1))
    assert evening.then == UnitPrices(kwh=Decimal("0.3"))
    night = standing(session(), tariff, START + timedelta(hours=2))
    assert night.changes_at == datetime(2026, 3, 29, 4, tzinfo=UTC), "six o'clock comes an hour sooner this night"


def test_what_has_come_changes_it() -> None:
    tariff = Tariff(
        "EUR",
        (energy("0.20", max_energy_wh=Decimal(5000)), energy("0.50", max_energy_wh=Decimal(9000)), energy("0.10")),
    )
    assert [
        (one.prices.kwh, one.changes_at_wh) for one in (standing(session(wh), tariff, START) for wh in (0, 5000, 9001))
    ] == [
        (Decimal("0.24"), Decimal(5000)),
        (Decimal("0.6"), Decimal(9000)),
        (Decimal("0.12"), None),
    ]


def test_power_decides_where_it_is_known() -> None:
    tariff = Tariff("EUR", (energy("0.90", min_power_w=Decimal(50_000)), energy("0.50")))
    assert standing(session(power_w=60_000), tariff, START).prices.kwh == Decimal("1.08")
    assert standing(session(), tariff, START).prices.kwh == Decimal("0.6")


def test_idle_time_costs_once_its_grace_is_over() -> None:
    fee = Element((Component(Dimension.PARKING_TIME, Decimal(3), TWENTY),), Restrictions(min_idle_s=1800))
    prices = standing(session(), Tariff("EUR", (energy("0.50"), fee)), START).prices
    assert (prices.idle_hour, prices.idle_grace_min, prices.kwh) == (Decimal("3.6"), 30, Decimal("0.6"))
    free = Tariff("EUR", (energy("0.50"), Element((Component(Dimension.PARKING_TIME, Decimal(0)),))))
    assert standing(session(), free, START).prices.idle_hour is None


def test_a_rate_of_tax_that_begins_at_midnight_is_told_before() -> None:
    rates = (
        TaxRate("AT", Decimal(20), date(2000, 1, 1), date(2026, 3, 29)),
        TaxRate("AT", Decimal(10), date(2026, 3, 29)),
    )
    component = Component(Dimension.ENERGY, Decimal("0.50"), None, tax_rate="AT")
    found = standing(session(), Tariff("EUR", (Element((component,)),), zone=VIENNA, rates=rates), START)
    assert (found.prices.kwh, found.changes_at) == (Decimal("0.6"), datetime(2026, 3, 28, 23, tzinfo=UTC))
    assert found.then == UnitPrices(kwh=Decimal("0.55"))


def test_unit_prices_are_told_to_a_hundredth_of_a_cent() -> None:
    tariff = Tariff("EUR", (Element((Component(Dimension.ENERGY, Decimal("0.333333"), Decimal(19)),)),))
    assert standing(session(), tariff, START).prices.kwh == Decimal("0.3967")
