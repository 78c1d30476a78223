"""Which price is told first before a session begins: the one that it would be billed by."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.charging.test_week import energy, tariff
from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.tariffs.offered import offered
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.money.usage import planned
from wattkeeper.language import tell_in
from wattkeeper.operations.money.tariffs.price_words import said, said_at
from wattkeeper.operations.money.tariffs.prices import PriceTag
from wattkeeper.web.driver.money.tags import tag_of

VIENNA = ZoneInfo("Europe/Vienna")
NIGHT, DAY = Decimal("0.25"), Decimal("0.45")
TWO = tariff(energy("0.25", start_time=time(22), end_time=time(6)), energy("0.45"))


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """An instant by the clock in Vienna, as it is kept."""
    return datetime(2026, month, day, hour, minute, tzinfo=VIENNA).astimezone(UTC)


def billed(one: Tariff, begins_at: datetime) -> Decimal:
    """What the first kilowatt-hour costs that begins to flow at an instant."""
    return price(planned(begins_at, Decimal(1000), Decimal(60)), one).gross


@pytest.mark.parametrize(
    ("begins_at", "holds"),
    [
        (at(30, 11, 30), DAY),
        (at(30, 21, 58), DAY),
        (at(30, 22), NIGHT),
        (at(30, 5, 58), NIGHT),
        (at(30, 6), DAY),
        (at(24, 21, 58, month=10), DAY),
        (at(25, 5, 58, month=10), NIGHT),
        (at(25, 6, month=10), DAY),
        (datetime(2026, 10, 25, 4, 58, tzinfo=UTC), NIGHT),
        (datetime(2026, 10, 25, 5, tzinfo=UTC), DAY),
        (datetime(2026, 3, 29, 3, 58, tzinfo=UTC), NIGHT),
        (datetime(2026, 3, 29, 4, tzinfo=UTC), DAY),
    ],
)
def test_the_first_price_is_the_one_that_a_session_is_billed_by(begins_at: datetime, holds: Decimal) -> None:
    assert offered(TWO, begins_at)[0].component.price == holds == billed(TWO, begins_at)


def test_a_driver_reads_the_price_of_now_and_below_it_the_other() -> None:
    for when, figure, per, rest in (
        (at(30, 11, 30), "€0.45", "per kWh, now", "€0.25 per kWh, from 22:00 to 06:00"),
        (at(30, 22, 30), "€0.25", "per kWh, from 22:00 to 06:00", "€0.45 per kWh, otherwise"),
    ):
        tag = tag_of(PriceTag((), TWO, 1, when))
        assert tag is not None
        assert (tag.figure, tag.per, tag.rest) == (figure, per, (rest,))
    assert said_at(TWO, at(30, 11, 30)) == (
        "€0.45 for each kWh, now",
        "€0.25 for each kWh, from 22:00 to 06:00",
    )
    assert said_at(TWO, at(30, 23))[0] == "€0.25 for each kWh, from 22:00 to 06:00"
    assert said_at(TWO, at(30, 23))[1] == "€0.45 for each kWh, otherwise"


def test_energy_that_costs_something_only_at_night_costs_nothing_now() -> None:
    one = tariff(energy("0.25", start_time=time(22), end_time=time(6)))
    assert said_at(one, at(30, 12)) == ("€0.00 for each kWh, now", "€0.25 for each kWh, from 22:00 to 06:00")
    assert billed(one, at(30, 12)) == 0
    assert said(one, at(30, 12)) == ("€0.25 for each kWh, from 22:00 to 06:00",)


def test_where_time_costs_now_and_energy_later_time_stands_first() -> None:
    hour = Element((Component(Dimension.TIME, Decimal(6)),))
    one = tariff(energy("0.25", start_time=time(22), end_time=time(6)), hour)
    assert offered(one, at(30, 12))[0].component.dimension is Dimension.TIME
    assert offered(one, at(30, 23))[0].component.dimension is Dimension.ENERGY


def test_a_price_from_some_energy_on_is_not_what_one_begins_with() -> None:
    one = tariff(energy("0.35", min_energy_wh=Decimal(30_000)), energy("0.49"))
    assert said_at(one, at(30, 12)) == ("€0.49 for each kWh, now", "€0.35 for each kWh, from 30 kWh on")


def test_prices_are_written_as_each_language_writes_money() -> None:
    assert str(tell_in("de", said_at(tariff(energy("0.4567")), at(30, 12))[0])).startswith("0,4567\u00a0€")
