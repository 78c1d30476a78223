"""What the same energy would have cost at other times: worked out by hand, by the money function and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.operations.driven import FLAT, VAT, VIENNA, local, roads
from wattkeeper.charging.metering.flow import Kind
from wattkeeper.charging.money.bill import price
from wattkeeper.charging.money.tariffs.restriction import Restrictions
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.money.usage import Interval, Usage
from wattkeeper.charging.statistics.elsewhen import PIECE, Charged, begun_at, elsewhen, joined, moved
from wattkeeper.charging.statistics.used import Currency

EUR = Currency("EUR", 2)
NIGHT = Tariff(
    "EUR",
    (
        Element(
            (Component(Dimension.ENERGY, Decimal("0.20"), VAT),),
            Restrictions(start_time=time(22), end_time=time(6)),
        ),
        Element((Component(Dimension.ENERGY, Decimal("0.50"), VAT),)),
    ),
    tax_included=True,
    zone=VIENNA,
)
"""Half a euro for a kWh by day, a fifth by night."""


async def test_each_hour_is_that_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    async with roads(database, tmp_path, local(2026, 3, 1)) as made:
        anna = await made.driver("anna")
        card = await made.card(anna, "04AABBCCDDEE01")
        await made.charged(card, local(2026, 3, 2, 8, 20), 10_000)
        await made.charged(card, local(2026, 3, 28, 23), 20_000)  # its other hours lie on the night of the clocks
        other = made.rooms.statistics.other_times
        steady = await other.of(anna, date(2026, 3, 1))
        assert steady is not None
        assert (steady.by_currency[EUR].then_minor, steady.by_currency[EUR].hours) == (1500, ())
        assert not steady.by_currency[EUR].differs
        await made.price(NIGHT)
        found = await other.of(anna, date(2026, 3, 1))
        assert found is not None
        one = found.by_currency[EUR]
        assert (one.sessions, int(one.energy_wh), one.then_minor) == (2, 30_000, 500 + 400)
        by_night, by_day = 600, 1500
        assert one.hours == (*[by_night] * 6, *[by_day] * 16, *[by_night] * 2)
        assert (one.cheapest, one.dearest) == (0, 6)
        assert (await other.of(anna, date(2026, 2, 1))).by_currency == {}  # type: ignore[union-attr]


async def test_where_the_price_turns_within_a_session_both_parts_count(database: str, tmp_path: Path) -> None:
    async with roads(database, tmp_path, local(2026, 3, 1)) as made:
        anna = await made.driver("anna")
        card = await made.card(anna, "04AABBCCDDEE01")
        await made.charged(card, local(2026, 3, 2, 12), 10_000, minutes=120)
        await made.price(NIGHT)
        found = await made.rooms.statistics.other_times.of(anna, date(2026, 3, 1))
        assert found is not None
        hours = found.by_currency[EUR].hours
        assert (hours[4], hours[5], hours[6]) == (200, 350, 500)
        assert (hours[20], hours[21], hours[22]) == (500, 350, 200)


async def test_only_the_newest_sessions_are_worked_out_and_it_says_so(database: str, tmp_path: Path) -> None:
    async with roads(database, tmp_path, local(2026, 3, 1)) as made:
        anna = await made.driver("anna")
        card = await made.card(anna, "04AABBCCDDEE01")
        for n in range(63):
            await made.charged(card, local(2026, 3, 1 + n // 6, 2 + 3 * (n % 6)), 1_000, minutes=20, bills=n % 6 == 5)
        await made.bill()
        found = await made.rooms.statistics.other_times.of(anna, date(2026, 3, 1))
        assert found is not None
        assert (found.by_currency[EUR].sessions, found.left_out) == (60, 3)


def usage(began: datetime, steps: list[tuple[int, int]]) -> Usage:
    """A session of stretches, each so many seconds and Wh."""
    made, at = [], began
    for lasting, wh in steps:
        until = at + timedelta(seconds=lasting)
        kind = Kind.CHARGING if wh else Kind.PARKING
        made.append(Interval(kind=kind, since=at, until=until, energy_wh=Decimal(wh), power_w=Decimal(wh)))
        at = until
    return Usage(intervals=tuple(made), started_at=began)


STEPS = st.lists(st.tuples(st.integers(1, 1800), st.integers(0, 900)), min_size=1, max_size=20)
WHEN = st.datetimes(datetime(2023, 1, 1), datetime(2026, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


@given(began=WHEN, steps=STEPS, hour=st.integers(0, 23))
def test_moving_changes_nothing_but_the_time(began: datetime, steps: list[tuple[int, int]], hour: int) -> None:
    used = usage(began, steps)
    there = begun_at(used, hour, VIENNA)
    assert there.began_at is not None
    shown = there.began_at.astimezone(VIENNA)
    assert shown.hour == hour or (hour, shown.hour) == (2, 3), "an hour later, where the clock shows none such"
    assert moved(there, began - there.began_at) == used
    assert (there.energy_wh, there.charging_s, there.parking_s) == (used.energy_wh, used.charging_s, used.parking_s)
    assert price(there, FLAT).gross_minor == price(used, FLAT).gross_minor


@given(began=WHEN, steps=STEPS)
def test_joining_keeps_energy_and_time_and_its_stretches_short(began: datetime, steps: list[tuple[int, int]]) -> None:
    used = usage(began, steps)
    fewer = joined(used)
    assert (fewer.energy_wh, fewer.charging_s, fewer.parking_s) == (used.energy_wh, used.charging_s, used.parking_s)
    longest = max(one.span for one in used.intervals)
    assert all(one.span <= max(PIECE, longest) for one in fewer.intervals)
    assert [one.until for one in fewer.intervals][:-1] == [one.since for one in fewer.intervals][1:]
    each = elsewhen([Charged(used, FLAT)], VIENNA)[EUR]
    assert each.then_minor == price(used, FLAT).gross_minor
