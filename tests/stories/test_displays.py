"""What charging costs, on the display of the station: the price, the cost so far, and in the end what the bill says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.conftest import OpenDoor
from tests.doors import KEY, until
from tests.meters import Meter
from tests.stories.screens import Answer, Screen, able, displays_of, driver, mail_of
from tests.stories.till import TWENTY, Till, tariff
from tests.stories.world import CARD, Voice201, World, minute, stamp
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.charging.money.tariffs.restriction import Restrictions
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.gateway import conversation
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.metering.meters import Meters
from wattkeeper.operations.money import displays as watching
from wattkeeper.operations.money.billing import Billing
from wattkeeper.operations.money.displays import Displays
from wattkeeper.operations.money.tariffs.assigning import Assignments
from wattkeeper.operations.money.tariffs.prices import Prices
from wattkeeper.simulator.clock import Clock as SimulatedClock
from wattkeeper.simulator.clock import real_now
from wattkeeper.simulator.station import Manners
from wattkeeper.simulator.v16.telling import Station16
from wattkeeper.simulator.v201.telling import Station201
from wattkeeper.simulator.visit import Driver as Visitor
from wattkeeper.simulator.visit import Outcome, arrive
from wattkeeper.store.money import bill as bills
from wattkeeper.store.money.bill import Sought
from wattkeeper.store.money.proposal import Deed
from wattkeeper.store.tables import journal, orders

BOTH = pytest.mark.parametrize("version", ["v16", "v201"])
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
PRICE = {"v16": "SetUserPrice", "v201": "SetDisplayMessage"}
COST = {"v16": "RunningCost", "v201": "CostUpdated"}


@pytest.fixture
async def till(world: World) -> Till:
    """A world with a price."""
    made = Till(world)
    await made.price()
    return made


@asynccontextmanager
async def screen(world: World, version: str, answer: Any = able) -> AsyncIterator[tuple[Screen, Displays]]:
    """A station that is connected while the block runs, and what looks after its display."""
    displays = await displays_of(world)
    async with getattr(world, version)("CP1") as voice:
        yield Screen(world, voice, answer), displays


def night() -> Tariff:
    """Cheap from 13:00 on (an hour into the story), and idle time costs something after half an hour."""
    cheap = Element((Component(Dimension.ENERGY, Decimal("0.25"), TWENTY),), Restrictions(start_time=time(13)))
    dear = Element((Component(Dimension.ENERGY, Decimal("0.50"), TWENTY),))
    idle = Element((Component(Dimension.PARKING_TIME, Decimal(3), TWENTY),), Restrictions(min_idle_s=1800))
    return Tariff("EUR", (cheap, dear, idle))


# --- a session ------------------------------------------------------------------------------------------------


@BOTH
async def test_what_is_shown_rises_and_in_the_end_is_what_the_bill_says(till: Till, version: str) -> None:
    await driver(till)
    async with screen(till.world, version) as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        for part in (1, 2, 3):
            await cp.read(part * 15, 1000 + part * 2500)
            await cp.told(displays)
        assert [name for name, _ in cp.money] == [PRICE[version]] + [COST[version]] * 4
        assert cp.costs == ["0.00", "1.50", "3.00", "4.50"]
        await cp.stop(60, 11_005)
        await cp.told(displays)
        assert "0,60" in str(cp.money[0]) and "kWh" in str(cp.money[0]), "in the driver's language"
        await till.look()
        await cp.told(displays)
        (bill,) = await till.bills()
        assert cp.shows == Decimal(bill.gross_minor).scaleb(-2) == Decimal("6.00")
        asked = [action for action, _ in cp.heard]
        assert len(asked) == (7 if version == "v16" else 6), asked
    await till.check()


async def test_a_running_cost_in_the_words_that_california_asks_for(till: Till) -> None:
    till.world.settings["public_url"] = "https://charge.example"
    await till.world.restart()
    await till.price(night())
    await driver(till)
    async with screen(till.world, "v16") as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        for at in (10, 20, 30):
            await cp.read(at, 1000 + at * 1000 // 6)
        await cp.told(displays)
        assert cp.money[0][1]["idToken"] == CARD
        idle = {"idlePrice": {"graceMinutes": 30, "hourPrice": Decimal("3.6")}}
        assert cp.money[-1][1] == {
            "transactionId": cp.ref,
            "timestamp": stamp(30),
            "meterValue": 6000,
            "cost": Decimal("3.00"),
            "state": "Charging",
            "chargingPrice": {"kWhPrice": Decimal("0.6")},
            **idle,
            "nextPeriod": {"atTime": stamp(60), "chargingPrice": {"kWhPrice": Decimal("0.3")}, **idle},
            "triggerMeterValue": {"atTime": stamp(60), "atCPStatus": ["Charging", "SuspendedEV", "SuspendedEVSE"]},
        }
        for at in (40, 50, 60):
            await cp.read(at, 1000 + at * 1000 // 6)
        await cp.told(displays)
        assert cp.money[-1][1]["chargingPrice"] == {"kWhPrice": Decimal("0.3")}
        for at in (70, 80):
            await cp.read(at, 1000 + at * 1000 // 6)
        await cp.stop(90, 16_000)
        await cp.told(displays)
        name, final = cp.money[-1]
        session = await till.world.the_session()
        assert (name, final["cost"]) == ("FinalCost", Decimal("7.50"))
        assert final["qrCodeText"] == f"https://charge.example/app/sessions/{session.id}"
        assert "7,50" in final["priceText"] and "15,00 kWh" in final["priceText"]
    await till.look()
    assert await till.amounts() == [("bill", 750)]


@BOTH
async def test_it_is_told_no_more_often_than_once_a_minute_but_for_a_price_that_changes(
    till: Till, version: str
) -> None:
    await till.price(night())
    await till.world.enroll()
    async with screen(till.world, version) as (cp, displays):
        await cp.start(58)
        await cp.told(displays)
        for second in range(1, 9):
            await cp.read(58 + second / 6, 1000 + 50 * second)
            await cp.told(displays)
        assert len(cp.costs) == 2, "at the start, and once a minute has passed"
        await cp.read(60.1, 2000)
        await cp.told(displays)
        assert len(cp.costs) == 3, "the night has begun"
        await cp.read(60.2, 2100)
        await cp.told(displays)
        await cp.read(65, 2100)
        await cp.told(displays)
        shown = len(cp.costs)
        await cp.read(70, 2100)
        await cp.told(displays)
        assert len(cp.costs) == shown, "nothing new, nothing told"


# --- stations that cannot, or do not --------------------------------------------------------------------------


def refusing(*actions: str, how: Answer = "NotSupported") -> Any:
    """A station that says it can, and then does not."""

    def answer(action: str, payload: Any) -> Answer:
        name = payload.get("messageId", action) if isinstance(payload, dict) else action
        return how if name in actions else able(action, payload)

    return answer


@pytest.mark.parametrize(
    ("version", "how"),
    [
        ("v16", {"status": "Rejected"}),
        ("v16", {"status": "UnknownVendorId"}),
        ("v16", "InternalError"),
        ("v16", None),
        ("v201", "NotImplemented"),
        ("v201", None),
    ],
)
@ONE_ENGINE
async def test_a_station_that_declines_is_left_alone_for_that_session(till: Till, version: str, how: Answer) -> None:
    till.world.settings["order_timeout_s"] = 0.2
    await till.world.restart()
    await till.world.enroll()
    async with screen(till.world, version, refusing(COST[version], how=how)) as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        asked = len(cp.heard)
        for at in (10, 20):
            await cp.read(at, 1000 + 100 * at)
            await cp.told(displays)
        fresh = await displays_of(till.world)
        await cp.read(30, 4000)
        await cp.told(fresh)
        assert len([one for one in cp.heard[asked:] if one[0] not in ("GetConfiguration", "GetVariables")]) == 0
        await cp.stop(40, 5000)
        await cp.told(displays)
        assert cp.costs == ["0.00"]
        await cp.start(50, meter=5000)
        await cp.told(displays)
        assert cp.costs == ["0.00", "0.00"], "the next session is another one"


@BOTH
@ONE_ENGINE
async def test_a_station_without_such_a_display_is_asked_once_until_it_boots(till: Till, version: str) -> None:
    await till.world.enroll()
    asking = {"v16": "GetConfiguration", "v201": "GetVariables"}[version]
    async with screen(till.world, version, refusing(asking)) as (cp, displays):
        for at in (0, 10):
            await cp.start(at, meter=100 * at)
            await cp.told(displays)
            await cp.read(at + 5, 100 * at + 500)
            await cp.stop(at + 6, 100 * at + 600)
            await cp.told(displays)
        assert [action for action, _ in cp.heard] == [asking]
        await cp.voice.station.boot()
        await cp.start(30, meter=3000)
        await cp.told(displays)
        assert [action for action, _ in cp.heard] == [asking] * 2


@ONE_ENGINE
async def test_amounts_are_not_shown_in_another_currency(till: Till) -> None:
    await till.world.enroll()

    def dollars(action: str, payload: Any) -> Answer:
        answer = able(action, payload)
        for one in answer["getVariableResult"] if action == "GetVariables" and isinstance(answer, dict) else ():
            one["attributeValue"] = one["attributeValue"].replace("EUR", "USD")
        return answer

    async with screen(till.world, "v201", dollars) as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        await cp.stop(10, 2000)
        assert cp.costs == []
        assert "totalCost" not in cp.replied


@BOTH
@ONE_ENGINE
async def test_no_price_nothing_shown_and_nobody_asked(world: World, version: str) -> None:
    await world.enroll()
    async with screen(world, version) as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        await cp.read(10, 2000)
        await cp.stop(20, 3000)
        await cp.told(displays)
        assert cp.heard == []
        assert "totalCost" not in cp.replied


# --- stations of the simulator ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Station16, Station201])
async def test_simulated_stations_show_what_the_bill_says(
    open_door: OpenDoor, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PAUSE_S", 0.02)
    door = await open_door(station_cost_every_s=0, billing_grace_s=0)
    await door.admit("CP1", KEY)
    door.store.clock = lambda: datetime.now(UTC) - timedelta(days=9)
    await Prices(door.store, door.settings).set(VIEWER, tariff("0.49", "1.20"))
    await Cards(door.store, door.safe, door.bus).enroll(CARD, None, {}, VIEWER)
    door.store.clock = lambda: datetime.now(UTC)
    displays = Displays(door.store, door.safe, door.bus, door.settings, door.dispatch, mail_of(door), door.totals)
    running = asyncio.create_task(displays.run())
    manners = Manners(reading_every_s=120, retry_from_s=0.02, strict=True)
    clock = SimulatedClock(real_now() - timedelta(days=2), 600)
    cp = kind("CP1", KEY, door.url("").rstrip("/"), clock, chance=random.Random(7), manners=manners)
    life = asyncio.create_task(cp.run())
    try:
        await until(lambda: cp.online and not len(cp.outbox), "acceptance")
        assert await arrive(cp, Visitor(CARD, 7_777, 3_600)) is Outcome.CHARGED
        (charge,) = cp.past
        await until(lambda: charge.till.total is not None, "the total")
        await Billing(door.store, door.bus, door.settings).look()
        async with door.store.read() as connection:
            (bill,) = await bills.find(connection, VIEWER, Sought(), 9)
    finally:
        for task in (running, life):
            task.cancel()
        await asyncio.gather(running, life, return_exceptions=True)
    shown = charge.till
    assert shown.price is not None and "0.588 for each kWh" in shown.price
    assert len(set(shown.costs)) > 2 and shown.costs == sorted(shown.costs)
    assert shown.shows == Decimal(bill.gross_minor).scaleb(-2) >= shown.costs[-1] > 1


# --- the total ------------------------------------------------------------------------------------------------


@ONE_ENGINE
async def test_a_free_session_is_told_to_be_free_and_a_doubtful_one_nothing(till: Till) -> None:
    await till.world.enroll()
    async with screen(till.world, "v201") as (cp, _):
        await till.price(tariff("0"), now=True)
        await cp.start(1)
        await cp.stop(10, 2000)
        assert cp.replied["totalCost"] == 0
        await till.price(tariff("0.50"), now=True)
        await cp.start(20, meter=2000)
        await cp.read(25, 9000)
        assert "totalCost" not in cp.replied, "only what has ended has a total"
        await cp.stop(30, 4000)
        assert "totalCost" not in cp.replied, "its register went back: a person looks at it"


@ONE_ENGINE
async def test_a_total_that_is_not_worked_out_soon_enough_is_told_afterwards(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "TOTAL_WITHIN_S", 0)
    await till.world.enroll()
    async with screen(till.world, "v201") as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        await cp.stop(10, 3000)
        assert "totalCost" not in cp.replied
        await cp.told(displays)
        assert cp.money[-1][0] == COST["v201"]
        assert cp.shows == Decimal("1.20")


@ONE_ENGINE
async def test_no_total_is_told_before_the_meters_signature_is_checked(till: Till) -> None:
    await till.world.enroll()
    meter = Meter()
    await Meters(till.world.door.store).pin(VIEWER, "CP1", 1, meter.serial, meter.key, minute(-60))
    async with screen(till.world, "v201") as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        await cp.stop(10, 3000)
        assert "totalCost" not in cp.replied
        await till.look()
        await cp.told(displays)
        billed = [Decimal(gross).scaleb(-2) for _, gross in await till.amounts()]
        assert [Decimal(cost) for cost in cp.costs[1:]] == billed


@ONE_ENGINE
async def test_an_end_that_is_told_again_is_answered_as_it_was_billed(till: Till) -> None:
    await till.world.enroll()
    async with screen(till.world, "v201") as (cp, _):
        await cp.start(0)
        for again in range(3):
            cp.seq = 0
            await cp.stop(10, 3000)
            assert cp.shows == Decimal("1.20"), again
            if again == 1:
                await till.look()
        cp.seq = 5
        await cp.stop(10, 4000)
        assert "totalCost" not in cp.replied, "it says something else now: a person looks at it"
    assert await till.amounts() == [("bill", 120)]


@BOTH
@ONE_ENGINE
async def test_after_a_restart_of_ours_it_goes_on(till: Till, version: str) -> None:
    await till.world.enroll()
    async with screen(till.world, version) as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        fresh = await displays_of(till.world)
        await cp.read(10, 3000)
        await cp.told(fresh)
        assert cp.costs == ["0.00", "1.20"]
        await cp.stop(20, 5000)
        await cp.told(fresh)
        assert cp.shows == Decimal("2.40")


@ONE_ENGINE
async def test_where_costs_are_not_to_be_shown_nobody_is_asked(till: Till) -> None:
    till.world.settings["station_costs"] = False
    await till.world.restart()
    await till.world.enroll()
    async with screen(till.world, "v201") as (cp, displays):
        await displays.run()
        await cp.start(0)
        await cp.stop(10, 3000)
        assert "totalCost" not in cp.replied


@ONE_ENGINE
async def test_only_what_is_shown_now_is_kept_of_what_was_shown(till: Till) -> None:
    await till.world.enroll()
    async with screen(till.world, "v16") as (cp, displays):
        await cp.start(0)
        for at in range(5, 65, 5):
            await cp.read(at, 1000 + at * 100)
            await cp.told(displays)
        assert len(cp.costs) == 12
    async with till.world.door.store.read() as connection:
        kept = await connection.scalar(select(func.count()).where(orders.c.kind == "ShowCost"))
    assert (kept or 0) <= 2


@pytest.mark.parametrize(("currency", "price", "written"), [("JPY", "55", "132"), ("KWD", "0.0555", "0.133")])
@ONE_ENGINE
async def test_amounts_are_written_in_the_currencys_own_digits(
    till: Till, currency: str, price: str, written: str
) -> None:
    await till.price(replace(tariff(price), currency=currency))
    await till.world.enroll()
    async with screen(till.world, "v16") as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        await cp.read(10, 3000)
        await cp.told(displays)
        assert cp.costs[-1] == written


@ONE_ENGINE
async def test_what_waits_for_a_person_is_shown_once_it_is_billed(till: Till) -> None:
    async with screen(till.world, "v16") as (cp, displays):
        await till.world.enroll()
        await cp.start(0)
        await cp.told(displays)
        await cp.read(25, 9000)
        await cp.stop(30, 4000)
        await cp.told(displays)
        assert [name for name, _ in cp.money][-1] == "RunningCost"
        await till.look()
        await till.do(Deed.CORRECT, gross_minor=123)
        await cp.told(displays)
        assert cp.money[-1][0] == "FinalCost"
        assert cp.costs[-1] == "1.23"


@ONE_ENGINE
async def test_of_many_readings_no_total_is_worked_out_while_a_station_waits(till: Till) -> None:
    await till.price(night())
    await till.world.enroll()
    async with screen(till.world, "v201") as (cp, displays):
        await cp.start(0)
        values = {"measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}}
        for part in range(3):
            told = [
                {
                    "timestamp": stamp(minute(part * 6) + timedelta(seconds=one)),
                    "sampledValue": [values | {"value": 1000 + part * 360 + one}],
                }
                for one in range(360)
            ]
            cp.seq += 1
            await cp.voice.event("Updated", cp.ref, cp.seq, part * 6 + 6, more={"meterValue": told})  # type: ignore[attr-defined]
        await cp.stop(20, 2200)
        assert "totalCost" not in cp.replied
        await till.look()
        (bill,) = await till.bills()
        await cp.told(displays)
        assert bill.gross_minor == 72


@ONE_ENGINE
async def test_what_a_station_is_shown_fills_no_line_of_time_and_its_card_number_is_kept_nowhere(till: Till) -> None:
    await driver(till)
    async with screen(till.world, "v16") as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        for at in range(5, 50, 5):
            await cp.read(at, 1000 + at * 100)
            await cp.told(displays)
        await cp.stop(50, 6000)
        await cp.told(displays)
    async with till.world.door.store.read() as connection:
        settled = await connection.execute(select(journal.c.body).where(journal.c.kind == "OrderSettled"))
        assert len(settled.all()) == 2, "the price and the total"
        sealed = (await connection.execute(select(orders.c.sealed, orders.c.words))).all()
    opened = [till.world.door.safe.unseal("orders", "sealed", bytes(row.sealed)) for row in sealed]
    assert not any(CARD.encode() in one for one in opened)
    assert not any(CARD in (row.words or "") for row in sealed)


# --- what goes wrong ------------------------------------------------------------------------------------------


@ONE_ENGINE
async def test_who_plugs_in_before_they_tap_is_shown_the_price_of_their_card(till: Till) -> None:
    await till.world.enroll(group="crew")
    await till.price(tariff("0.10"), "crew")
    await Assignments(till.world.door.store).assign(VIEWER, Rank.GROUP, "crew", "crew")
    async with screen(till.world, "v201") as (cp, displays):
        assert isinstance(cp.voice, Voice201)
        await cp.voice.event("Started", "TX", 0, 1, trigger="CablePluggedIn", wh=1000)
        assert await cp.told(displays) == [], "nobody is known yet"
        cp.ref = "TX"
        await cp.voice.event("Updated", "TX", 1, 2, card=CARD, trigger="Authorized", wh=1000)
        await cp.told(displays)
        assert "0.12 for each kWh" in str(cp.money[0])
        cp.seq = 1
        await cp.stop(60, 11_000)
        assert cp.shows == Decimal("1.20")


@BOTH
@ONE_ENGINE
async def test_what_did_not_reach_a_station_is_told_once_it_is_back(till: Till, version: str) -> None:
    await till.world.enroll()
    world = till.world
    async with screen(world, version) as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        await cp.read(25, 9000)
        await cp.stop(30, 4000)
        await cp.told(displays)
    await till.look()
    await till.do(Deed.CORRECT, gross_minor=123)
    await displays.look()
    await displays.settle()
    async with getattr(world, version)("CP1", boots=False) as voice:
        back = replace(cp, voice=voice, heard=[])
        await back.told(displays)
        assert back.costs == ["1.23"]
        assert await back.told(displays) == [], "once"


@ONE_ENGINE
async def test_a_display_that_could_not_be_seen_to_is_seen_to_again(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    await till.world.enroll()
    async with screen(till.world, "v16") as (cp, displays):
        await cp.start(0)
        await cp.told(displays)
        await cp.read(10, 3000)
        with monkeypatch.context() as broken:
            broken.setattr(watching, "standing", raises)
            await cp.told(displays)
        assert cp.costs == ["0.00"]
        await cp.told(displays)
        assert cp.costs == ["0.00", "1.20"]
        await cp.read(20, 5000)
        for _ in range(2):
            with monkeypatch.context() as broken:
                broken.setattr(watching, "standing", raises)
                await cp.told(displays)
        await cp.read(30, 7000)
        await cp.told(displays)
        assert cp.costs == ["0.00", "1.20"], "twice in a row, and it is left alone"


@ONE_ENGINE
async def test_a_look_that_breaks_off_is_made_again(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    await till.world.enroll()
    async with screen(till.world, "v16") as (cp, displays):
        await cp.start(0)
        with monkeypatch.context() as broken:
            broken.setattr(watching, "pinned", raises)
            with pytest.raises(OSError, match="gone"):
                await displays.look()
        await cp.told(displays)
        assert cp.costs == ["0.00"]


def raises(*_: Any) -> Any:
    """What could not be asked."""
    raise OSError("the database is gone")
