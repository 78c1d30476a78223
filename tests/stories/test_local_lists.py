"""Stations' own lists follow the cards: whole, then change by change, whatever a station makes of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.conftest import OpenDoor
from tests.doors import KEY, Door, Station, until
from tests.stories.listing import (
    CARD,
    OTHER,
    THIRD,
    VIEWER,
    asked,
    caught_up,
    change,
    enroll,
    follow,
    hurry,
    living,
    row_of,
)
from wattkeeper.charging.cards.token import Group
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.operations.cards.groups import Groups
from wattkeeper.operations.cards.lists import local_list as following
from wattkeeper.operations.cards.lists.local_list import LocalLists
from wattkeeper.simulator import orders as habits
from wattkeeper.simulator.quirks import QuirkyStation16
from wattkeeper.simulator.station import Listed
from wattkeeper.simulator.v16.telling import Station16
from wattkeeper.simulator.v201.telling import Station201
from wattkeeper.store.tables import card, list_content, local_list, orders, subject_key

SECOND = "c0ffee55c0ffee66c0ffee77c0ffee88c0ffee99"
"""The key of another station."""
BOTH = pytest.mark.parametrize("kind", [Station16, Station201])
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits."""
    hurry(monkeypatch)


@BOTH
async def test_a_list_is_given_whole_and_then_follows_each_change(door: Door, kind: Any) -> None:
    until_then = datetime(2031, 1, 2, tzinfo=UTC)
    first = await enroll(door)
    await enroll(door, OTHER, expires_at=until_then)
    await enroll(door, THIRD, offline="refuse")
    async with follow(door) as lists, living(door, kind) as cp:
        view = await caught_up(lists, accepted=2)
        assert cp.listed == {CARD: Listed(True), OTHER: Listed(True, until_then)}
        assert (view.version, view.kept, view.delay_ms) == (1, True, None)
        await change(door, first, state="blocked")
        view = await caught_up(lists, version=2)
        assert cp.listed[CARD] == Listed(False), "it stays on the list, as blocked"
        assert (view.accepted, view.blocked) == (1, 1)
        assert 0 < (view.delay_ms or 0) < 30_000
        await change(door, first, state="returned")
        await caught_up(lists, version=3)
        assert set(cp.listed) == {OTHER}
        await change(door, first, state="active")
        await caught_up(lists, version=4)
        assert cp.listed[CARD] == Listed(True)
        assert cp.local_list_version == 4


@ONE_ENGINE
@BOTH
async def test_nothing_is_sent_where_no_card_is_good_offline(door: Door, kind: Any) -> None:
    await enroll(door, offline="refuse")
    async with follow(door) as lists, living(door, kind):
        await asyncio.sleep(0.3)
        await lists.bring("CP1")
        view = await lists.view(VIEWER, "CP1")
    assert await asked(door) == []
    assert (view.kept, view.version, view.behind) == (None, 0, 0)


@ONE_ENGINE
async def test_cards_go_where_their_limits_allow_them(door: Door) -> None:
    await enroll(door, limits='{"sites": ["North"]}')
    await enroll(door, OTHER, limits='{"sites": ["South"]}')
    await door.admission.describe("CP1", "test", {"site": "North"})
    async with follow(door) as lists, living(door, Station16) as cp:
        await caught_up(lists, accepted=1)
        assert set(cp.listed) == {CARD}
        await door.admission.describe("CP1", "test", {"site": "South"})
        await lists.bring("CP1")
        assert set(cp.listed) == {OTHER}


@ONE_ENGINE
@BOTH
async def test_a_station_with_another_list_is_given_the_whole_one(door: Door, kind: Any) -> None:
    """VersionMismatch: whoever set it up before us left a list there."""
    ref = await enroll(door)
    async with follow(door) as lists, living(door, kind) as cp:
        await caught_up(lists, accepted=1)
        cp.listed, cp.local_list_version = {OTHER: Listed(True)}, 99
        await change(door, ref, state="lost")
        await caught_up(lists, blocked=1)
        assert cp.listed == {CARD: Listed(False)}
    assert await asked(door, "SendLocalList") == ["Accepted", "VersionMismatch", "Accepted"]


@ONE_ENGINE
@BOTH
async def test_after_a_boot_the_station_is_asked_what_it_still_has(door: Door, kind: Any) -> None:
    await enroll(door)
    async with follow(door) as lists, living(door, kind) as cp:
        before = await caught_up(lists, accepted=1)
        cp.listed, cp.local_list_version = {}, 0
        cp.lose_power()
        cp.restore_power()
        after = await caught_up(lists, version=2)
        assert cp.listed == {CARD: Listed(True)}
        assert before.confirmed_at is not None
        assert (after.confirmed_at or before.confirmed_at) > before.confirmed_at
        cp.lose_network()
        cp.restore_network()
        await until(lambda: cp.online, "the station to be back")
        await lists.bring("CP1")
    assert (await asked(door)).count("GetLocalListVersion") == 1, "a lost line is no boot"
    assert (await asked(door)).count("SendLocalList") == 2


@ONE_ENGINE
@BOTH
async def test_a_station_that_keeps_no_list_is_left_in_peace(door: Door, kind: Any) -> None:
    ref = await enroll(door)
    async with follow(door) as lists, living(door, kind) as cp:
        cp.keeps_list = False
        view = await caught_up(lists, kept=False)
        assert view.why == "The station keeps no list of its own."
        await change(door, ref, state="blocked")
        await caught_up(lists)
        await until(lambda: lists.view(VIEWER, "CP1"), "a look")
    assert (await asked(door)).count("SendLocalList") == 1
    assert (await row_of(door))["version"] == -1


@ONE_ENGINE
async def test_it_may_keep_one_after_it_was_started_anew(door: Door) -> None:
    await enroll(door)
    async with follow(door) as lists, living(door, QuirkyStation16) as cp:
        await caught_up(lists, kept=False)
        cp.keeps_list = True
        cp.lose_power()
        cp.restore_power()
        await caught_up(lists, kept=True, accepted=1)


@ONE_ENGINE
@BOTH
async def test_long_lists_go_in_portions_and_end_where_the_station_s_do(
    door: Door, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(habits, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(habits, "LONGEST_LIST", 7)
    for module in ("v16.orders", "v201.orders"):
        monkeypatch.setattr(f"wattkeeper.simulator.{module}.MOST_AT_ONCE", 3)
    monkeypatch.setattr("wattkeeper.simulator.v16.orders.LONGEST_LIST", 7)
    refs = [await enroll(door, f"04AABBCC00{n:04X}") for n in range(7 if kind is Station201 else 9)]
    async with follow(door) as lists, living(door, kind) as cp:
        await caught_up(lists, accepted=7)
        assert len(cp.listed) == 7
        if kind is Station16:
            assert not {"04AABBCC000000", "04AABBCC000001"} & cp.listed.keys(), "the newest come first"
        await change(door, refs[5], state="blocked")
        await caught_up(lists, blocked=1)
    told = await asked(door, "SendLocalList")
    assert told == ["Accepted"] * 4


@ONE_ENGINE
async def test_a_card_that_expires_leaves_the_list(door: Door) -> None:
    await enroll(door, expires_at=datetime.now(UTC) + timedelta(seconds=0.5))
    await enroll(door, OTHER)
    async with follow(door) as lists, living(door, Station16) as cp:
        await caught_up(lists, version=1)
        await asyncio.sleep(0.6)
        await lists.bring("CP1")
        assert set(cp.listed) == {OTHER}


@ONE_ENGINE
async def test_caches_are_emptied_when_a_card_is_spoilt(door: Door) -> None:
    ref = await enroll(door, offline="refuse")
    async with follow(door) as lists, living(door, Station16) as cp:
        cp.cards = {CARD: True}
        await change(door, ref, state="lost")
        await until(lambda: not cp.cards, "an empty cache")
        await until(lambda: _cleared(lists), "the answer")
        await lists.bring("CP1")
    assert await asked(door) == ["GetListBounds", "ClearCache"]


async def _cleared(lists: Any) -> bool:
    return (await lists.view(VIEWER, "CP1")).cleared_at is not None


@ONE_ENGINE
async def test_a_card_whose_person_is_forgotten_leaves_by_a_whole_list(door: Door) -> None:
    """Its number can be opened by nobody, so it cannot be named any more."""
    ref = await enroll(door)
    await enroll(door, OTHER)
    async with follow(door) as lists, living(door, Station16) as cp:
        await caught_up(lists, accepted=2)
        async with door.store.unit() as unit:
            person = await unit.connection.scalar(select(card.c.person_id).where(card.c.ref == ref))
            await unit.connection.execute(subject_key.delete().where(subject_key.c.subject == person))
        await change(door, ref, state="returned")
        await caught_up(lists, accepted=1)
        assert set(cp.listed) == {OTHER}


# --- what stations share ----------------------------------------------------------------------------------


async def test_stations_with_the_same_list_share_what_is_kept_of_it(door: Door) -> None:
    first, _ = await enroll(door), await enroll(door, OTHER)
    await door.admit("CP2", SECOND)
    async with follow(door) as lists, living(door, Station16), living(door, Station201, "CP2", SECOND) as other:
        for name in ("CP1", "CP2"):
            await caught_up(lists, name, accepted=2)
        await change(door, first, state="blocked")
        for name in ("CP1", "CP2"):
            await caught_up(lists, name, accepted=1, blocked=1)
        assert other.listed == {CARD: Listed(False), OTHER: Listed(True)}
        (holds,) = {row.content for row in await door.rows(local_list)}
    assert len(await door.rows(list_content)) == 2, "what they had, and what they have"
    async with follow(door):
        await until(lambda: _kept(door, [holds]), "the end of what nobody holds any more")


async def _kept(door: Door, wanted: list[str]) -> bool:
    return [row.id for row in await door.rows(list_content)] == wanted


@ONE_ENGINE
async def test_where_it_is_lost_what_a_station_holds_it_is_given_the_whole_list(door: Door) -> None:
    await enroll(door)
    async with living(door, Station16):
        async with follow(door) as lists:
            await caught_up(lists, accepted=1)
        async with door.store.unit() as unit:
            await unit.connection.execute(list_content.delete())
        again = LocalLists(door.store, door.safe, door.bus, door.settings, door.dispatch)
        await again.bring("CP1")
        assert (await again.view(VIEWER, "CP1")).version == 2
    assert await asked(door, "SendLocalList") == ["Accepted", "Accepted"]
    assert len(await door.rows(list_content)) == 1


@ONE_ENGINE
async def test_nothing_is_told_before_all_cards_are_known(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read one by one: a list that was looked at meanwhile would seem to hold too many."""
    monkeypatch.setattr("wattkeeper.operations.cards.lists.roster.READ_AT_ONCE", 1)
    for number in (CARD, OTHER, THIRD):
        await enroll(door, number)
    async with living(door, Station16) as cp:
        async with follow(door) as lists:
            await caught_up(lists, accepted=3)
        again = LocalLists(door.store, door.safe, door.bus, door.settings, door.dispatch)
        await asyncio.gather(again.view(VIEWER, "CP1"), again.bring("CP1"))
        assert len(cp.listed) == 3
    assert await asked(door, "SendLocalList") == ["Accepted"]


@ONE_ENGINE
async def test_a_rule_of_a_group_reaches_the_lists(door: Door) -> None:
    await enroll(door, grouping="crew")
    await enroll(door, OTHER)
    async with follow(door) as lists, living(door, Station16) as cp:
        await caught_up(lists, accepted=2)
        await Groups(door.store, door.bus).put(VIEWER, Group("crew", is_master_pass=True))
        await caught_up(lists, accepted=1)
        assert set(cp.listed) == {OTHER}, "a pass that ends sessions starts none"


@ONE_ENGINE
async def test_a_block_does_not_wait_for_long_lists(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FILLING", 1)
    ref = await enroll(door)
    await door.admit("CP2", SECOND)
    async with follow(door) as lists, living(door, Station16):
        await caught_up(lists, accepted=1)
        async with door.plugged("CP2", SECOND) as silent:
            assert (await silent.hear())[2] == "GetConfiguration"  # and the only one who fills waits for the answer
            await change(door, ref, state="blocked")
            await caught_up(lists, blocked=1)


@ONE_ENGINE
async def test_no_number_stays_open_when_all_is_sent(door: Door) -> None:
    await enroll(door)
    async with follow(door) as lists, living(door, Station16):
        await caught_up(lists, accepted=1)
        await until(lambda: not lists._cabinet._numbers, "the end of the round")


# --- stations that do not answer --------------------------------------------------------------------------


async def answer(cp: Station, payloads: dict[str, Any], until_action: str) -> list[str]:
    """Answer commands with these payloads (None: not at all) until this one was heard; what was heard."""
    heard = []
    while True:
        frame = await cp.hear()
        heard.append(frame[2])
        if payloads.get(frame[2]) is not None:
            await cp.send(f'[3,"{frame[1]}",{payloads[frame[2]]}]')
        if frame[2] == until_action:
            return heard


@ONE_ENGINE
async def test_a_lost_answer_is_found_again_by_the_version(open_door: OpenDoor) -> None:
    door = await open_door(order_timeout_s=0.2)
    await door.admit("CP1", KEY)
    await enroll(door)
    says: dict[str, Any] = {"GetConfiguration": "{}", "GetLocalListVersion": '{"listVersion":1}'}
    async with follow(door) as lists, door.plugged() as cp:
        await cp.boot()
        assert await answer(cp, says, "SendLocalList") == ["GetConfiguration", "SendLocalList"]
        assert (await row_of(door))["sending"] == 1, "kept before it leaves"
        assert await answer(cp, says, "GetLocalListVersion") == ["GetLocalListVersion"]
        view = await caught_up(lists, version=1, accepted=1)
        assert (view.tries, view.next_at) == (0, None)


@ONE_ENGINE
async def test_a_failure_is_tried_again_later_and_said(open_door: OpenDoor) -> None:
    door = await open_door()
    await door.admit("CP1", KEY)
    await enroll(door)
    says: dict[str, Any] = {"GetConfiguration": "{}", "SendLocalList": '{"status":"Failed"}'}
    async with follow(door) as lists, door.plugged() as cp:
        await cp.boot()
        await answer(cp, says, "SendLocalList")
        await until(lambda: _tries(lists, 1), "the failure")
        view = await lists.view(VIEWER, "CP1")
        assert view.why == "The station answered: Failed."
        assert view.behind == 1
        says["GetLocalListVersion"] = '{"listVersion":0}'
        await answer(cp, says, "SendLocalList")
        await until(lambda: _tries(lists, 2), "the next failure")
        says["SendLocalList"] = '{"status":"Accepted"}'
        await answer(cp, says, "SendLocalList")
        assert (await caught_up(lists, accepted=1)).tries == 0


async def _tries(lists: Any, count: int) -> bool:
    return bool((await lists.view(VIEWER, "CP1")).tries >= count)


async def test_a_restart_in_the_middle_asks_the_station(open_door: OpenDoor) -> None:
    """What was under way when the process died may have arrived or not: the station knows."""
    first = await open_door()
    await first.admit("CP1", KEY)
    await enroll(first)
    says: dict[str, Any] = {"GetConfiguration": "{}"}
    async with follow(first), first.plugged() as cp:
        await cp.boot()
        await answer(cp, says, "SendLocalList")  # and then the lights went out
    again = await open_door()
    async with follow(again) as lists, again.plugged() as cp:
        says["GetLocalListVersion"] = '{"listVersion":1}'
        assert (await answer(cp, says, "GetLocalListVersion"))[-1] == "GetLocalListVersion"
        await caught_up(lists, version=1, accepted=1)


# --- what is kept and shown -------------------------------------------------------------------------------


@ONE_ENGINE
@BOTH
async def test_no_number_is_kept_in_an_order(door: Door, kind: Any) -> None:
    """D4: numbers go to the station alone."""
    await enroll(door)
    async with follow(door) as lists, living(door, kind):
        await caught_up(lists, accepted=1)
    for row in await door.rows(orders):
        if row.kind == "SendLocalList":
            assert CARD not in str(row.words)
            assert b'"entries":[]' in door.safe.unseal("orders", "sealed", bytes(row.sealed))
    assert CARD not in str(await door.facts())


async def test_people_see_how_far_a_list_is(door: Door) -> None:
    ref = await enroll(door)
    async with follow(door) as lists:
        async with living(door, Station16):
            await caught_up(lists, accepted=1)
            assert (await lists.view(VIEWER, "CP1")).why == "The list is as it should be."
        await until(lambda: not door.gateway.connected("CP1"), "the end of the connection")
        await change(door, ref, state="blocked")
        view = await lists.view(VIEWER, "CP1")
        assert (view.behind, view.accepted) == (1, 1)
        assert view.behind_since is not None
        assert "not connected" in view.why
    with pytest.raises(Refusal) as refused:
        await lists.view(VIEWER, "CP9")
    assert refused.value.code is Code.NOT_FOUND


@ONE_ENGINE
async def test_it_can_be_switched_off(open_door: OpenDoor) -> None:
    door = await open_door(local_lists=False)
    await door.admit("CP1", KEY)
    await enroll(door)
    async with follow(door) as lists, living(door, Station16):
        await asyncio.sleep(0.2)
        assert (await lists.view(VIEWER, "CP1")).why == "Local lists are switched off here."
    assert await asked(door) == []


@ONE_ENGINE
async def test_the_list_of_a_station_that_is_no_more_is_forgotten(door: Door) -> None:
    await enroll(door)
    async with follow(door) as lists, living(door, Station16):
        await caught_up(lists, accepted=1)
    await door.admission.remove("CP1", "test")
    async with follow(door):
        await until(lambda: _no_rows(door), "the end of its list")


async def _no_rows(door: Door) -> bool:
    return not await door.rows(local_list)
