"""What sessions cost that stations tell of, in both dialects: time of day, idle time, pauses, a blocked connector."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.stories.world import Voice16, Voice201, World, minute
from wattkeeper.charging.cards.limits import Limits
from wattkeeper.charging.money.bill import Bill
from wattkeeper.charging.money.line import LineKind
from wattkeeper.charging.money.tariffs.restriction import Restrictions
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.money.usage import Known
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.tariffs.prices import Prices

D = Decimal
K = LineKind
ENERGY, PARKING = Component(Dimension.ENERGY, D("0.50")), Component(Dimension.PARKING_TIME, D(6))
IDLE_FEE = Tariff("EUR", (Element((ENERGY,)), Element((PARKING,), Restrictions(min_idle_s=600))), bills_blocking=True)


async def set_prices(world: World, tariff: Tariff) -> Prices:
    """Set prices; the one who works them out."""
    prices = Prices(world.door.store, world.door.settings)
    await prices.set(VIEWER, tariff)
    world.clock.skip(minutes=1)
    return prices


async def the_bill(world: World, prices: Prices) -> Bill:
    """What the only session costs."""
    receipt = await prices.receipt(VIEWER, (await world.the_session()).id)
    assert receipt.bill is not None
    return receipt.bill


def lines(bill: Bill) -> list[tuple[LineKind, Decimal]]:
    """What is billed, Wh and seconds."""
    return [(line.kind, line.billed_base) for line in bill.lines]


async def course_v16(cp: Voice16, words: tuple[tuple[int, str], ...]) -> None:
    """Charging for 20 minutes, then plugged in for 40; words of the connector at some minutes."""
    tx = await cp.start(1, 1000)
    await cp.status("Charging", 1)
    told = {**{at: word for at, word in words}}
    for at in (11, 21, 31, 41, 51):
        await cp.read(tx, at, wh=min(1000 + (at - 1) * 100, 3000))
        for when in [one for one in told if at <= one < at + 10 and one < 61]:
            await cp.status(told[when], when)
    await cp.stop(tx, 61, 3000)
    for when in [one for one in told if one >= 61]:
        await cp.status(told[when], when)


async def course_v201(cp: Voice201, words: tuple[tuple[int, str], ...]) -> None:
    """The same course as a 2.0.1 station tells it: the flow in its events, the connector beside them."""
    await cp.status("Occupied", 1)
    states = {at: word for at, word in words if at < 61}
    await cp.event("Started", "T", 0, 1, state="Charging", wh=1000)
    seq = 0
    for at in range(6, 61, 5):
        seq += 1
        wh = min(1000 + (at - 1) * 100, 3000) if at % 10 == 1 else None
        await cp.event("Updated", "T", seq, at, state=states.get(at), wh=wh)
    await cp.event("Ended", "T", seq + 1, 61, state="EVConnected", wh=3000)
    for at, word in words:
        if at >= 61:
            await cp.status({"Finishing": "Occupied"}.get(word, word), at)


async def played(world: World, dialect: str, *words: tuple[int, str]) -> Bill:
    """The bill of the course in a dialect."""
    prices = await set_prices(world, IDLE_FEE)
    if dialect == "1.6":
        async with world.v16() as cp:
            await course_v16(cp, words)
            return await the_bill(world, prices)
    async with world.v201() as cp201:
        await course_v201(cp201, words)
        return await the_bill(world, prices)


DIALECTS = pytest.mark.parametrize("dialect", ["1.6", "2.0.1"])


@DIALECTS
async def test_idle_time_costs_after_its_grace(world: World, dialect: str) -> None:
    """Idle from minute 21 to 61, the first ten of them free."""
    bill = await played(world, dialect)
    assert lines(bill) == [(K.ENERGY, D(2000)), (K.PARKING_TIME, D(1800))]
    assert bill.gross_minor == 100 + 300
    (part,) = bill.lines[1].parts
    assert (part.since, part.until) == (minute(31), minute(61))


@DIALECTS
async def test_a_pause_of_the_station_is_nobody_s_idle_time(world: World, dialect: str) -> None:
    """From minute 36 to 46 the station gives no power; after that the grace begins anew."""
    bill = await played(world, dialect, (21, "SuspendedEV"), (36, "SuspendedEVSE"), (46, "SuspendedEV"))
    assert lines(bill) == [(K.ENERGY, D(2000)), (K.PARKING_TIME, D(600))]
    assert [(part.since, part.until) for part in bill.lines[1].parts] == [
        (minute(31), minute(36)),
        (minute(56), minute(61)),
    ]
    assert bill.lines[1].known is Known.INTERPOLATED


@DIALECTS
async def test_a_connector_is_blocked_until_it_is_available(world: World, dialect: str) -> None:
    bill = await played(world, dialect, (61, "Finishing"), (76, "Available"))
    assert lines(bill) == [(K.ENERGY, D(2000)), (K.PARKING_TIME, D(1800)), (K.BLOCKING_TIME, D(900))]
    assert bill.gross_minor == 100 + 300 + 150


@DIALECTS
@pytest.mark.parametrize("words", [(), ((61, "Finishing"),), ((61, "Available"), (76, "Finishing"), (99, "Available"))])
async def test_what_nobody_told_of_a_connector_is_not_billed(world: World, dialect: str, words: Any) -> None:
    assert lines(await played(world, dialect, *words)) == [(K.ENERGY, D(2000)), (K.PARKING_TIME, D(1800))]


async def test_a_station_that_went_away_tells_no_more_of_a_connector(world: World) -> None:
    prices = await set_prices(world, IDLE_FEE)
    async with world.v16() as cp:
        await course_v16(cp, ((61, "Finishing"),))
        world.clock.reach(70)
    world.clock.reach(4000)
    async with world.v16() as cp:
        await cp.status("Available", 4000)
        kind, seconds = lines(await the_bill(world, prices))[-1]
    assert kind is K.BLOCKING_TIME
    assert 540 <= seconds <= 542, "until it went, not until it came back"


async def test_the_next_session_ends_what_was_blocked(world: World) -> None:
    prices = await set_prices(world, IDLE_FEE)
    async with world.v16() as cp:
        await course_v16(cp, ((61, "Finishing"),))
        await cp.start(66, 3000)
        first, _ = await world.sessions()
        receipt = await prices.receipt(VIEWER, first.id)
    assert receipt.bill is not None
    assert lines(receipt.bill)[-1] == (K.BLOCKING_TIME, D(300))


async def test_energy_is_split_where_the_price_changes_and_says_so(world: World) -> None:
    """13:20 in Berlin, between two readings."""
    cheap = Element((Component(Dimension.ENERGY, D("0.30")),), Restrictions(start_time=time(13, 20)))
    prices = await set_prices(world, Tariff("EUR", (cheap, Element((ENERGY,))), zone=ZoneInfo("Europe/Berlin")))
    async with world.v16() as cp:
        tx = await cp.start(10, 1000)
        await cp.read(tx, 15, wh=2000)
        await cp.read(tx, 25, wh=4000)
        await cp.stop(tx, 30, 4600)
        late, early = (await the_bill(world, prices)).lines
    if late.element:
        early, late = late, early
    assert (early.used_base, late.used_base) == (D(2000), D(1600))
    assert [(p.until, p.until_known, p.until_wh) for p in early.parts] == [(minute(20), Known.INTERPOLATED, D(3000))]
    assert [(p.since, p.since_known, p.since_wh) for p in late.parts] == [(minute(20), Known.INTERPOLATED, D(3000))]
    assert (early.parts[0].since_known, late.parts[0].until_known) == (Known.MEASURED, Known.MEASURED)


@pytest.mark.parametrize(("paused", "answer"), [(False, "Blocked"), (True, "Accepted")])
async def test_money_of_a_month_counts_idle_time_without_pauses(world: World, paused: bool, answer: str) -> None:
    """0.50 of energy and half an hour of idle time, ten minutes of which the station gave no power: 2.50, not 3.50."""
    await set_prices(world, Tariff("EUR", (Element((ENERGY, PARKING)),)))
    await world.enroll(limits=Limits(money_month=D("2.60")))
    async with world.v16() as cp:
        tx = await cp.start(1, 0)
        await cp.read(tx, 10, wh=1000)
        if paused:
            await cp.status("SuspendedEVSE", 20)
            await cp.status("SuspendedEV", 30)
        await cp.stop(tx, 40, 1000)
        assert await cp.authorize() == answer
        assert await cp.authorize() == answer, "remembered"
