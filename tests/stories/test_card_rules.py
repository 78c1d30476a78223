"""What binds a card: a month's energy and money, places, hours and plugs; groups, master passes; and what is kept."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from tests.stories.world import CARD, NOON, FindingCode, World, found
from wattkeeper.charging.cards.limits import Day, Limits, Span
from wattkeeper.charging.cards.token import Authorisation, Group, Offline
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.cards.groups import Groups
from wattkeeper.operations.money.tariffs.prices import Prices
from wattkeeper.store.cards import decision as decisions
from wattkeeper.store.cards.decision import DecisionRow
from wattkeeper.store.tables import station

OTHER, PASS = "04FFEEDDCCBBAA", "04000000000001"


async def group(world: World, name: str, parent_id: str | None = None, **rules: Any) -> None:
    """Make a group."""
    await Groups(world.door.store, world.door.bus).put(VIEWER, Group(name, parent_id, **rules))


async def decided(world: World, ref: str) -> list[DecisionRow]:
    """What was decided on a card, the oldest first."""
    async with world.door.store.read() as connection:
        return (await decisions.of_card(connection, VIEWER, ref, 500))[::-1]


async def describe(world: World, name: str, **values: Any) -> None:
    """Say where a station stands and what it has."""
    async with world.door.store.unit() as unit:
        await unit.connection.execute(update(station).where(station.c.id == name).values(values))


# --- a month ----------------------------------------------------------------------------------------------


async def test_energy_of_a_month_running_sessions_included(world: World) -> None:
    """Last month counts no more; what runs counts, whenever it began."""
    ref = await world.enroll(limits=Limits(energy_wh_month=Decimal(5000)), max_sessions=3)
    async with world.v16("CP1") as cp, world.v201("CP2") as new:
        await cp.stop(await cp.start(-3 * 1440, 0), -2 * 1440, 4900)
        tx = await cp.start(0, 10_000)
        await cp.stop(tx, 10, 13_000)
        assert await new.authorize() == "Accepted"
        running = await cp.start(20, 20_000)
        await cp.read(running, 30, wh=22_000)
        assert await new.authorize() == "NoCredit"
        start = await new.event("Started", "T", 0, 31, card=CARD)
        assert start["idTokenInfo"] == {"status": "NoCredit"}
        assert await cp.authorize() == "Accepted", "the driver may tap to stop"
        assert (await cp.begin(32, 0, connector=2))["idTagInfo"] == {"status": "Blocked"}
        assert (await cp.stop(running, 33, 22_500, idTag=CARD))["idTagInfo"]["status"] == "Accepted"
        assert await cp.authorize() == "Blocked"
        world.clock.skip(days=31)
        assert await cp.authorize() == "Accepted"
    refused = [one for one in await decided(world, ref) if one.status is Authorisation.NO_CREDIT]
    assert refused[0].reason == "The energy that this card may have in a month is used up: 5.00 of 5.00 kWh."
    assert {one.station for one in refused} == {"CP1", "CP2"}


async def test_the_month_is_that_of_the_place(world: World) -> None:
    await world.close()
    world.settings["time_zone"] = "Pacific/Auckland"
    await world.open()
    await world.enroll(limits=Limits(energy_wh_month=Decimal(1)))
    async with world.v16("CP1") as cp:
        begins = datetime(2026, 3, 31, 11, tzinfo=UTC)  # midnight in Auckland
        tx = await cp.start(begins - timedelta(minutes=30), 0)
        await cp.stop(tx, begins - timedelta(minutes=1), 1000)
        assert await cp.authorize() == "Blocked"
        world.clock.reach(begins)
        assert await cp.authorize() == "Accepted"


async def test_money_of_a_month(world: World) -> None:
    tariff = Tariff("EUR", (Element((Component(Dimension.ENERGY, Decimal("0.50"), None, 1),)),), True)
    await Prices(world.door.store, world.door.settings).set(VIEWER, tariff)
    ref = await world.enroll(limits=Limits(money_month=Decimal("1.50")))
    async with world.v16("CP1") as cp:
        tx = await cp.start(1, 0)
        await cp.stop(tx, 10, 2999)
        assert await cp.authorize() == "Blocked", "1.4995 is 1.50 on the bill"
    (*_, last) = await decided(world, ref)
    assert last.reason == "The money that this card may cost in a month is used up: 1.50 of 1.50."


async def test_a_limit_of_the_house_binds_cards_that_are_only_a_number(world: World) -> None:
    await world.close()
    world.settings["number_card_kwh_month"] = 2
    await world.open()
    ref = await world.enroll()
    async with world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0), 10, 2000)
        assert await cp.authorize() == "Blocked"
    assert "cards that can be copied" in (await decided(world, ref))[-1].reason


# --- places, hours, plugs -----------------------------------------------------------------------------------


async def test_sites_and_plugs(world: World) -> None:
    plugs = '{"1": "IEC_62196_T2", "2": "IEC_62196_T2_COMBO"}'
    await describe(world, "CP1", site="Yard", plugs=plugs)
    await describe(world, "CP2", site="Gate")
    await world.enroll(limits=Limits(sites=frozenset({"Yard"}), plugs=frozenset({"IEC_62196_T2"})), max_sessions=9)
    await world.enroll(OTHER, limits=Limits(plugs=frozenset({"CHADEMO"})))
    async with world.v201("CP1") as here, world.v201("CP2") as there:
        assert [await here.authorize(), await there.authorize()] == ["Accepted", "NotAtThisLocation"]
        assert [await here.authorize(OTHER), await there.authorize(OTHER)] == ["NotAllowedTypeEVSE"] * 2
        for evse, status in ((1, "Accepted"), (2, "NotAllowedTypeEVSE")):
            answer = await here.event("Started", f"T{evse}", 0, evse, card=CARD, evse=evse)
            assert answer["idTokenInfo"]["status"] == status


async def test_hours_of_the_week_are_those_of_the_place(world: World) -> None:
    """The story begins on Sunday, 1 March 2026, at 12:00 UTC, which is 13:00 in Vienna."""
    await world.close()
    world.settings["time_zone"] = "Europe/Vienna"
    await world.open()
    await world.enroll(limits=Limits(hours=(Span(time(8), time(14), frozenset({Day.SUNDAY})),)))
    async with world.v201("CP1") as cp:
        assert await cp.authorize() == "Accepted"
        await cp.event("Started", "T", 0, 1, card=CARD)
        world.clock.reach(60)
        going_on = await cp.event("Updated", "T", 1, 61, card=CARD)
        assert going_on["idTokenInfo"]["status"] == "Accepted", "what began in time goes on"
        await cp.event("Ended", "T", 2, 62)
        assert await cp.authorize() == "NotAtThisTime"


# --- groups -------------------------------------------------------------------------------------------------


async def test_a_group_stops_what_one_of_it_began_in_16(world: World) -> None:
    """1.6 4.8: the station compares parent ids; here the card is in use elsewhere, and may stop all the same."""
    await group(world, "fleet", "FLEET1")
    for number in (CARD, OTHER):
        await world.enroll(number, group="fleet", offline=Offline.ACCEPT)
    told = {"status": "Accepted", "parentIdTag": "FLEET1"}
    async with world.v16("CP1") as cp, world.v16("CP2") as elsewhere:
        begun = await cp.begin(0, 0)
        assert begun["idTagInfo"] == told
        await elsewhere.start(1, 0, OTHER)
        assert (await cp.say("Authorize", {"idTag": OTHER}))["idTagInfo"] == told
        assert (await cp.stop(begun["transactionId"], 5, 100, idTag=OTHER))["idTagInfo"] == told
        assert await cp.authorize(OTHER) == "ConcurrentTx", "now nothing of its group runs here"
    (session,) = await world.sessions("CP1")
    assert found(session) == {FindingCode.OTHER_TOKEN_AT_END: {}}


async def test_a_group_in_201(world: World) -> None:
    """C09: groupIdToken, with Authorize and with TransactionEvent."""
    await group(world, "fleet", "FLEET1")
    await world.enroll(group="fleet", offline=Offline.ACCEPT)
    told = {"status": "Accepted", "groupIdToken": {"idToken": "FLEET1", "type": "Central"}}
    async with world.v201("CP1") as cp:
        answer = await cp.say("Authorize", {"idToken": {"idToken": CARD, "type": "ISO14443"}})
        assert answer["idTokenInfo"] == told
        assert (await cp.event("Started", "T", 0, 0, card=CARD))["idTokenInfo"] == told


async def test_limits_of_a_group_bind_each_of_its_cards(world: World) -> None:
    await group(world, "guests", limits=Limits(energy_wh_month=Decimal(1000)))
    for number in (CARD, OTHER):
        await world.enroll(number, group="guests")
    async with world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 0), 10, 1000)
        assert [await cp.authorize(), await cp.authorize(OTHER)] == ["Blocked", "Accepted"]
        await group(world, "guests", limits=Limits(energy_wh_month=Decimal(2000)))
        assert await cp.authorize() == "Accepted"


async def test_a_master_pass_stops_any_session_and_starts_none(world: World) -> None:
    """C16, and the same in 1.6, whose stations know no such pass."""
    await group(world, "marshal", "MARSHAL", is_master_pass=True)
    await world.enroll(max_sessions=5)
    await world.enroll(PASS, group="marshal", max_sessions=5)
    async with world.v16("CP1") as old, world.v201("CP2") as new:
        assert [await old.authorize(PASS), await new.authorize(PASS)] == ["Invalid"] * 2
        begun = await old.begin(0, 0, PASS)
        assert begun["idTagInfo"] == {"status": "Invalid"}
        await old.stop(begun["transactionId"], 1, 0)
        refused = await new.event("Started", "P", 0, 1, card=PASS)
        assert refused["idTokenInfo"] == {"status": "Invalid"}
        await new.event("Ended", "P", 1, 2)
        tx = await old.start(5, 0)
        await new.event("Started", "T", 0, 5, card=CARD)
        tapped = await new.say("Authorize", {"idToken": {"idToken": PASS, "type": "ISO14443"}})
        assert tapped["idTokenInfo"]["groupIdToken"]["idToken"] == "MARSHAL"
        assert (await old.say("Authorize", {"idTag": PASS}))["idTagInfo"]["parentIdTag"] == "MARSHAL"
        why = {"stoppedReason": "MasterPass"}
        ended = await new.event("Ended", "T", 1, 6, card=PASS, trigger="StopAuthorized", info=why)
        assert ended["idTokenInfo"]["status"] == "Accepted"
        assert (await old.stop(tx, 6, 100, idTag=PASS))["idTagInfo"]["status"] == "Accepted"
    begun_by_pass = [s for s in await world.sessions() if FindingCode.UNAUTHORISED in found(s)]
    assert len(begun_by_pass) == 2


# --- offline ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offline", Offline)
async def test_how_long_a_station_may_remember_an_answer(world: World, offline: Offline) -> None:
    """1.6 expiryDate and 2.x cacheExpiryDateTime are for the station's cache: for the time when it cannot ask."""
    await world.enroll(offline=offline, expires_at=NOON + timedelta(days=90))
    remembered = {Offline.ACCEPT: "2026-05-30T12:00:00.000Z", Offline.REFUSE: "2026-03-01T14:00:00.000Z"}[offline]
    async with world.v16("CP1") as old, world.v201("CP2") as new:
        assert (await old.say("Authorize", {"idTag": CARD}))["idTagInfo"]["expiryDate"] == remembered
        answer = await new.say("Authorize", {"idToken": {"idToken": CARD, "type": "ISO14443"}})
        assert answer["idTokenInfo"]["cacheExpiryDateTime"] == remembered


# --- what is kept -------------------------------------------------------------------------------------------


async def test_every_decision_is_kept_with_its_reason(world: World) -> None:
    """And rebuilding leaves them as they were, as after every story."""
    ref = await world.enroll()
    async with world.v16("CP1") as cp:
        await cp.authorize()
        tx = await cp.start(0, 0)
        await cp.stop(tx, 5, 100, idTag=CARD)
        await cp.authorize(OTHER)
    told = [(one.station, one.status.value, one.reason, one.session is not None) for one in await decided(world, ref)]
    active, ends = "This card is active.", "This card is good, and ends a session."
    assert told == [
        ("CP1", "accepted", active, False),
        ("CP1", "accepted", active, True),
        ("CP1", "accepted", ends, True),
    ]
    async with world.door.store.read() as connection:
        (newest, *_) = await decisions.at_station(connection, VIEWER, "CP1", 10)
    assert (newest.status.value, newest.reason, newest.last2) == ("unknown", "This card is not enrolled here.", None)


async def test_facts_without_a_token_ask_nothing_of_limits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hot path: a card without limits, and meter values, never make the store look at a month."""
    from wattkeeper.store.cards import use

    async def never(*given: object) -> Any:
        raise AssertionError("a month was looked at")

    monkeypatch.setattr(use, "energy_since", never)
    await world.enroll(max_sessions=2)
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        await cp.read(tx, 1, wh=100)
        await cp.stop(tx, 5, 100)
