"""Sessions become bills: by themselves on good evidence, by the tariff they were pinned to; the rest waits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import func, insert, select, update

from tests.stories.till import Till, tariff
from tests.stories.world import CARD, World, minute
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.metering.flow import Kind
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.charging.money.tariffs.tariff import Dimension, Element
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.billing import Billing
from wattkeeper.operations.money.tariffs.assigning import Assignments
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import follower, journal, pin


@pytest.fixture
async def till(world: World) -> Till:
    """A world with a price, and one card."""
    made = Till(world)
    await made.price()
    await world.enroll()
    return made


async def charged(world: World, at: float = 0, wh: int = 10_000, minutes: int = 60, meter: int = 0) -> None:
    """A session of an hour that delivers 10 kWh, read every quarter."""
    async with world.v16("CP1") as cp:
        tx = await cp.start(at, meter)
        for part in (1, 2, 3):
            await cp.read(tx, at + minutes * part / 4, wh=meter + wh * part // 4)
        await cp.stop(tx, at + minutes, meter + wh)


async def test_a_good_session_bills_itself_once_its_station_has_had_time(till: Till) -> None:
    await charged(till.world)
    assert await till.look(seconds=30) == 0
    assert await till.bills() == []
    assert await till.look() == 1
    (bill,) = await till.bills()
    session = await till.world.the_session()
    assert (bill.number, bill.session, bill.station) == ("2026-000001", session.id, "CP1")
    assert (bill.net_minor, bill.vat_minor, bill.gross_minor) == (500, 100, 600)
    assert bill.energy_wh == Decimal(10_000)
    assert (bill.started_at, bill.ended_at, bill.grade, bill.by) == (
        minute(0),
        minute(60),
        Grade.MEASURED,
        "wattkeeper",
    )
    assert bill.person.startswith("person:")
    why = await till.why(bill.number)
    assert [(one.kind, one.energy_wh) for one in why.usage.intervals] == [(Kind.CHARGING, Decimal(10_000))]
    assert (why.tariff_id, why.version, why.rank) == ("standard", 1, "standard")
    assert await till.balance(f"owed:{bill.person}") == 600
    assert await till.balance("sales:") == -500
    for _ in range(2):
        await till.world.restart()
        assert await till.look() == 0
    assert await till.amounts() == [("bill", 600)]
    await till.check()


async def test_a_price_that_changes_meanwhile_changes_no_session_that_has_begun(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        await till.look(seconds=1)
        await till.price(tariff("9.99"), now=True)
        await cp.stop(tx, 10, 1000)
        await till.look()
        await cp.stop(await cp.start(15, 1000), 20, 2000)
    await till.look()
    assert await till.amounts() == [("bill", 60), ("bill", 1199)]
    assert await till.pins() == [("standard", 1, "standard"), ("standard", 2, "standard")]
    await till.check()


async def test_without_a_price_nothing_is_billed_and_nothing_waits(world: World) -> None:
    till = Till(world)
    await world.enroll()
    await charged(world)
    assert await till.look() == 1
    await till.price(now=True)
    await till.look()
    assert (await till.bills(), await till.holds()) == ([], [])
    assert await till.pins() == [(None, None, "standard")]


async def test_a_free_session_is_billed_for_nothing(world: World) -> None:
    till = Till(world)
    await till.price(tariff("0"))
    await charged(world)
    await till.look()
    (bill,) = await till.bills()
    assert (bill.gross_minor, bill.energy_wh, bill.person) == (0, Decimal(10_000), "")
    await till.check()


async def test_nothing_happened_and_nothing_is_billed(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 500), 1, 500)
        await cp.stop(await cp.start(5, 500, card="0BADCA4D"), 6, 500)
    await till.look()
    assert (await till.bills(), await till.holds()) == ([], [])


async def test_a_session_that_is_ended_by_estimate_waits_until_its_end_is_told(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        await cp.read(tx, 10, wh=2000)
        await till.world.close_silent()
    till.world.clock.skip(hours=2)
    await till.world.close_silent()
    await till.look()
    assert await till.waits() == ["end_estimated"]
    assert (await till.words())[0].startswith("The station has not told an end. Nothing was heard of it for")
    async with till.world.v16("CP1") as cp:
        await cp.stop(tx, 12, 2400)
    await till.look()
    assert await till.waits() == []
    (hold,) = await till.holds(all_of_them=True)
    assert (hold.state, hold.settled_by, hold.number) == ("cleared", "wattkeeper", "2026-000001")
    assert await till.amounts() == [("bill", 144)]
    await till.check()


async def test_what_changes_after_it_was_billed_waits_with_the_difference(till: Till) -> None:
    """A reading from before the end comes late, and the register had restarted: more than was billed."""
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.stop(tx, 10, 2000)
        await till.look()
        await cp.read(tx, 5, wh=3000)
        await till.look()
        assert (await till.waits())[0] == "changed_after_billing"
        assert (await till.words())[0] == (
            "It changed after it was billed: €0.60 for 1.00 kWh before, €1.20 for 2.00 kWh now."
        )
        (before,) = await till.holds()
        await cp.read(tx, 6, wh=3000)
        await till.look()
        (hold,) = await till.holds()
    assert (hold.id, hold.since) == (before.id, before.since)
    assert (hold.billed_minor, hold.gross_minor) == (60, 120)
    assert await till.amounts() == [("bill", 60)]
    await till.check()


async def test_late_readings_that_change_nothing_go_unnoticed(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.stop(tx, 10, 2000)
        await till.look()
        await cp.read(tx, 5, wh=1400)
        await cp.read(tx, 15, wh=2500)
    await till.look()
    assert (await till.amounts(), await till.holds()) == ([("bill", 60)], [])


async def test_a_gap_matters_only_where_time_does(world: World) -> None:
    till = Till(world)
    await world.enroll()
    for priced, expected in ((tariff(), []), (tariff("0.50", hour="1.00"), ["gap"])):
        await till.price(priced, now=True)
        world.clock.skip(minutes=1)
        at = (world.clock.now - minute(0)).total_seconds() / 60
        async with world.v16("CP1") as cp:
            await cp.stop(await cp.start(at, 0), at + 60, 10_000)
        await till.look()
        assert await till.waits() == expected
    assert await till.amounts() == [("bill", 600)]


async def test_a_card_that_was_refused_and_charged_all_the_same_waits(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0, card="0BADCA4D"), 10, 1000)
    await till.look()
    assert await till.waits() == ["unauthorised", "nobody_to_bill"]
    assert (await till.words())[1] == "Nobody is known who would pay €0.60 for it."


async def test_blocking_time_is_billed_once_the_connector_is_free(world: World) -> None:
    till = Till(world)
    hourly = tariff("0.50").elements[0].components[0]
    parking = replace(hourly, dimension=Dimension.PARKING_TIME, price=Decimal(6))
    await till.price(replace(tariff(), elements=(Element((hourly, parking)),), bills_blocking=True))
    await world.enroll()
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        await cp.read(tx, 10, wh=1000)
        await cp.stop(tx, 10, 1000)
        await cp.status("Finishing", 10)
        await till.look()
        assert await till.bills() == [], "the car is still there"
        await cp.status("Available", 40)
        await till.look()
    assert await till.amounts() == [("bill", 60 + 360)]
    why = await till.why("2026-000001")
    assert [one.kind for one in why.bill.lines] == ["ENERGY", "BLOCKING_TIME"]
    await till.check()


@pytest.mark.parametrize("word", ["Finishing", None])
async def test_blocking_time_that_nobody_tells_the_end_of_is_not_billed(world: World, word: str | None) -> None:
    """A car that is known to stay is waited for, for a day; one of which nobody says that it stays, not at all."""
    till = Till(world)
    parking = replace(tariff().elements[0].components[0], dimension=Dimension.PARKING_TIME)
    await till.price(replace(tariff(), elements=(*tariff().elements, Element((parking,))), bills_blocking=True))
    await world.enroll()
    async with world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0), 10, 1000)
        if word:
            await cp.status(word, 10)
        await till.look()
        assert (await till.bills() == []) is bool(word)
        await till.look(hours=25)
        assert await till.amounts() == [("bill", 60)]


async def test_v201_is_billed_alike(till: Till) -> None:
    async with till.world.v201("CP1") as cp:
        await cp.event("Started", "T", 0, 0, card=CARD, wh=0, context="Transaction.Begin")
        for step in (1, 2, 3):
            await cp.event("Updated", "T", step, 15 * step, wh=2500 * step)
        await cp.event("Ended", "T", 4, 60, wh=10_000, context="Transaction.End")
    await till.look()
    assert await till.amounts() == [("bill", 600)]


async def test_who_plugs_in_before_they_tap_pays_as_their_card_says(till: Till) -> None:
    world, store = till.world, till.world.door.store
    await till.price(tariff("0.10"), "crew")
    await world.enroll("04BB", group="crew")
    await Assignments(store).assign(VIEWER, Rank.GROUP, "crew", "crew")
    async with world.v201("CP1") as cp:
        await cp.event("Started", "TX", 0, 1, trigger="CablePluggedIn", wh=1000)
        await till.look(seconds=1)
        assert await till.pins() == [], "nobody is known yet"
        await cp.event("Updated", "TX", 1, 2, card="04BB", trigger="Authorized", state="Charging", wh=1000)
        await till.look(seconds=1)
        assert await till.pins() == [("crew", 1, "group")]
        await cp.event("Ended", "TX", 2, 60, trigger="StopAuthorized", wh=11_000, info={"stoppedReason": "Local"})
    await till.look()
    assert await till.amounts() == [("bill", 120)]
    await till.check()


async def test_messages_that_are_missing_make_it_wait_until_they_arrive(till: Till) -> None:
    async with till.world.v201("CP1") as cp:
        await cp.event("Started", "T", 0, 0, card=CARD, wh=0, context="Transaction.Begin")
        await cp.event("Ended", "T", 2, 10, wh=1000, context="Transaction.End")
        await till.look()
        assert await till.waits() == ["messages_missing"]
        await cp.event("Updated", "T", 1, 5, wh=500, more={"offline": True})
    await till.look()
    assert (await till.waits(), await till.amounts()) == ([], [("bill", 60)])
    await till.check()


async def test_two_that_bill_at_once_bill_each_session_once(till: Till) -> None:
    """As where several processes serve one installation."""
    async with till.world.v16("CP1") as cp:
        for number in range(12):
            await cp.stop(await cp.start(20 * number, 1000 * number), 20 * number + 10, 1000 * number + 500)
    till.world.clock.skip(minutes=2)
    stores = [Store(till.world.database, till.world.clock) for _ in range(3)]
    door = till.world.door
    await asyncio.gather(*(Billing(store, door.bus, door.settings).look() for store in stores))
    for store in stores:
        await store.close()
    assert await till.amounts() == [("bill", 30)] * 12
    assert await till.look() == 0
    await till.check()


async def test_a_session_that_makes_trouble_keeps_no_other_from_being_billed(till: Till) -> None:
    """Its pin leads nowhere: it is tried again in an hour, and billed once that is mended."""
    async with till.world.v16("CP1") as cp:
        for number in range(3):
            await cp.stop(await cp.start(20 * number, 1000 * number), 20 * number + 10, 1000 * number + 500)
    door = till.world.door
    await Billing(door.store, door.bus, replace(door.settings, billing=False)).look()
    assert len(await till.pins()) == 3
    odd = (await till.world.sessions())[1]
    async with till.world.door.store.unit() as unit:
        await unit.connection.execute(update(pin).where(pin.c.session_id == odd.id).values(version=99))
    await till.look()
    assert odd.id not in [bill.session for bill in await till.bills()]
    assert await till.amounts() == [("bill", 30)] * 2
    async with till.world.door.store.unit() as unit:
        await unit.connection.execute(update(pin).where(pin.c.session_id == odd.id).values(version=1))
    assert await till.look(minutes=30) == 0
    assert await till.look(minutes=31) == 1
    assert await till.amounts() == [("bill", 30)] * 3


async def test_what_was_over_before_there_were_bills_is_not_billed(till: Till) -> None:
    """As after an upgrade: what runs then is billed, what had ended is not, whatever is told of it later."""
    await charged(till.world)
    async with till.world.v16("CP1") as cp:
        tx = await cp.start(70, 10_000)
        async with till.world.door.store.unit() as unit:
            n = await unit.connection.scalar(select(func.max(journal.c.n)))
            told = {"name": "billing", "n": n, "since": minute(75)}
            await unit.connection.execute(insert(follower).values(told))
        await cp.read(None, 61, wh=10_100)
        await cp.read(None, 59, wh=9_900)
        await cp.stop(tx, 80, 11_000)
    await till.look()
    assert await till.amounts() == [("bill", 60)]
    assert await till.holds() == []
