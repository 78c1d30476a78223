"""Orders leave by one door: queued, sent once, then answered or expired; told in the line of time."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from tests.conftest import OpenDoor
from tests.doors import KEY, Door, Station, until
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.facts import OrderSettled
from wattkeeper.charging.orders import (
    AnyCommand,
    Order,
    OrderState,
    Outcome,
    Reset,
    Settlement,
    ShowMessage,
    StartCharging,
    StopCharging,
    Trigger,
    Unlock,
)
from wattkeeper.operations.dispatch import OrderView
from wattkeeper.store.tables import orders

UID = "CANARY04A224"


async def answered(station: Station, payload: Any) -> Any:
    """Hear an order, answer it, give its frame."""
    frame = await station.hear()
    await station.send(json.dumps([3, frame[1], payload]))
    return frame


def ask(door: Door, order: Order, wait_s: float = 20, **more: Any) -> asyncio.Task[OrderView]:
    """Order CP1 to do something, and go on."""
    return asyncio.create_task(door.dispatch.order("CP1", order, "test", wait_s=wait_s, **more))


@pytest.mark.parametrize(("version", "action"), [("ocpp1.6", "Reset"), ("ocpp2.0.1", "Reset")])
async def test_an_order_is_sent_answered_and_told(door: Door, version: str, action: str) -> None:
    async with door.plugged(versions=[version]) as station:
        await station.boot()
        asking = ask(door, Reset())
        frame = await answered(station, {"status": "Accepted"})
        view = await asking
    assert frame[0] == 2
    assert frame[2] == action
    assert (view.state, view.outcome, view.action) == (OrderState.ANSWERED, Outcome.ACCEPTED, action)
    assert view.answer == {"status": "Accepted"}
    assert view.words == frame[3]
    assert view.created_at <= (view.sent_at or view.created_at) <= (view.settled_at or view.created_at)
    assert await door.dispatch.view(view.id) == view
    (told,) = await door.facts(OrderSettled)
    assert (told["order_id"], told["outcome"], told["by"], told["action"]) == (view.id, "accepted", "test", action)


async def test_a_refusal_and_a_callerror_are_outcomes(door: Door) -> None:
    async with door.plugged() as station:
        await station.boot()
        asking = ask(door, Unlock(evse=1))
        await answered(station, {"status": "UnlockFailed"})
        assert (await asking).outcome is Outcome.REJECTED
        asking = ask(door, Unlock(evse=1))
        frame = await station.hear()
        await station.send(json.dumps([4, frame[1], "NotSupported", "no lock here", {"a": 1}]))
        view = await asking
    assert (view.state, view.outcome) == (OrderState.ANSWERED, Outcome.ERROR)
    assert view.answer is not None
    assert view.answer["code"] == "NotSupported"
    assert "NotSupported" in (view.summary or "")


async def test_one_order_at_a_time_in_the_order_they_were_given(door: Door) -> None:
    async with door.plugged() as station:
        await station.boot()
        asking = []
        for number in range(5):
            asking.append(ask(door, Unlock(evse=1 + number)))
            await until(partial(_queued, door, number + 1))
        frames = []
        for _ in range(5):
            frame = await station.hear()
            assert (await station.call("Heartbeat", {}))[0] == 3  # nothing else came before the answer to this
            await station.send(json.dumps([3, frame[1], {"status": "Unlocked"}]))
            frames.append(frame)
        assert [frame[3]["connectorId"] for frame in frames] == [1, 2, 3, 4, 5]
        assert {view.outcome for view in await asyncio.gather(*asking)} == {Outcome.ACCEPTED}


async def _queued(door: Door, wanted: int) -> bool:
    return len(await door.rows(orders)) >= wanted


async def test_an_order_waits_for_its_station(door: Door) -> None:
    asking = ask(door, Reset())
    await until(lambda: _queued(door, 1))
    async with door.plugged() as station:
        await answered(station, {"status": "Accepted"})
        assert (await asking).outcome is Outcome.ACCEPTED


async def test_an_order_that_waited_too_long_expires_and_is_never_sent(open_door: OpenDoor) -> None:
    door = await open_door(order_queue_s=0.1)
    await door.admit("CP1", KEY)
    view = await ask(door, Reset())
    assert (view.state, view.outcome, view.sent_at) == (OrderState.EXPIRED, Outcome.TIMEOUT, None)
    assert "not connected" in (view.summary or "")
    async with door.plugged() as station:
        await station.boot()
        await station.call("Heartbeat", {})
    assert [told["outcome"] for told in await door.facts(OrderSettled)] == ["timeout"]


async def test_without_an_answer_in_time_an_order_expires_and_the_next_goes_out(open_door: OpenDoor) -> None:
    door = await open_door(order_timeout_s=0.3)
    await door.admit("CP1", KEY)
    async with door.plugged() as station:
        await station.boot()
        first, second = ask(door, Unlock(evse=1)), ask(door, Unlock(evse=2))
        late = await station.hear()
        await answered(station, {"status": "Unlocked"})
        outcomes = {(await one).outcome for one in (first, second)}
        assert outcomes == {Outcome.ACCEPTED, Outcome.TIMEOUT}
        await station.send(json.dumps([3, late[1], {"status": "Unlocked"}]))  # too late: dropped
        assert (await station.call("Heartbeat", {}))[0] == 3
    assert sorted(told["outcome"] for told in await door.facts(OrderSettled)) == ["accepted", "timeout"]


async def test_an_order_whose_connection_was_lost_is_not_sent_again(door: Door) -> None:
    async with door.plugged() as station:
        await station.boot()
        asking = ask(door, Reset())
        await station.hear()
    view = await asking
    assert (view.state, view.outcome) == (OrderState.EXPIRED, Outcome.TIMEOUT)
    assert "lost" in (view.summary or "")
    async with door.plugged() as station:
        assert (await station.call("Heartbeat", {}))[0] == 3


async def test_a_restart_gives_up_what_was_sent_and_keeps_what_was_queued(open_door: OpenDoor) -> None:
    door = await open_door()
    await door.admit("CP1", KEY)
    await door.admit("CP2", "e7c1" * 5 + "0a9b")
    queued = await door.dispatch.order("CP1", Reset(), "test")
    sent = await door.dispatch.order("CP2", Reset(), "test")
    assert await door.dispatch.sent(sent.id, "Reset", {})  # and then the lights went out
    again = await open_door()
    assert (await again.dispatch.view(sent.id)).state is OrderState.EXPIRED
    assert (await again.dispatch.view(queued.id)).state is OrderState.QUEUED
    async with again.plugged() as station:
        await answered(station, {"status": "Accepted"})
    async with again.plugged("CP2", "e7c1" * 5 + "0a9b") as station:
        assert (await station.call("Heartbeat", {}))[0] == 3


async def test_an_order_is_sent_at_most_once(open_door: OpenDoor) -> None:
    door = await open_door(order_queue_s=1.0)
    await door.admit("CP1", KEY)
    once = await door.dispatch.order("CP1", Reset(), "test")
    claims = await asyncio.gather(*[door.dispatch.sent(once.id, "Reset", {}) for _ in range(5)])
    assert sorted(claims) == [False] * 4 + [True]
    late = await door.dispatch.order("CP1", Reset(), "test", wait_s=20)
    assert late.state is OrderState.EXPIRED
    assert not await door.dispatch.sent(late.id, "Reset", {})
    await door.dispatch.settled(late.id, Settlement(Outcome.ACCEPTED, {}, "too late"))
    assert (await door.dispatch.view(late.id)).outcome is Outcome.TIMEOUT


async def test_refusals_are_told_at_once(door: Door) -> None:
    with pytest.raises(Refusal) as refused:
        await door.dispatch.order("CP9", Reset(), "test")
    assert refused.value.code is Code.NOT_FOUND
    with pytest.raises(Refusal) as refused:
        await door.dispatch.order("CP1", Reset(), "test", only_if_connected=True)
    assert refused.value.code is Code.OFFLINE
    with pytest.raises(Refusal) as refused:
        await door.dispatch.view("ffff")
    assert refused.value.code is Code.NOT_FOUND
    async with door.plugged() as station:
        await station.boot()
        with pytest.raises(Refusal) as refused:
            await door.dispatch.order("CP1", ShowMessage(text="hi", ref="1", message_id=1), "test")
        assert refused.value.code is Code.INVALID
    assert await door.rows(orders) == []


async def test_what_the_stations_version_cannot_say_is_rejected_when_it_would_be_sent(door: Door) -> None:
    view = await door.dispatch.order("CP1", ShowMessage(text="hi", ref="1", message_id=1), "test")
    async with door.plugged() as station:
        await station.boot()
        settled = await until(lambda: _settled(door, view.id))
    assert (settled.state, settled.outcome) == (OrderState.ANSWERED, Outcome.REJECTED)


async def _settled(door: Door, order_id: str) -> OrderView | None:
    view = await door.dispatch.view(order_id)
    return view if view.settled_at else None


async def test_any_command_goes_out_as_given(door: Door) -> None:
    async with door.plugged(versions=["ocpp2.0.1"]) as station:
        await station.boot()
        payload = {"requestId": 7, "reportBase": "FullInventory"}
        asking = ask(door, AnyCommand(action="GetBaseReport", payload=payload), only_if_connected=True)
        frame = await answered(station, {"status": "NotSupported"})
        assert frame[2:] == ["GetBaseReport", payload]
        view = await asking
    assert view.answer == {"status": "NotSupported"}


async def test_no_token_is_kept_in_the_clear(door: Door) -> None:
    async with door.plugged() as station:
        await station.boot()
        asking = ask(door, StartCharging(uid=UID, evse=1))
        frame = await answered(station, {"status": "Accepted"})
        view = await asking
    assert frame[3]["idTag"] == UID
    assert view.words is not None
    assert UID not in str(view.words)
    for row in await door.rows(orders):
        assert UID not in str(dict(row._mapping))
        assert UID.encode() not in bytes(row.sealed) + bytes(row.answer or b"")
    assert UID not in str(await door.facts())


async def test_wait_zero_gives_the_order_as_it_is(door: Door) -> None:
    view = await door.dispatch.order("CP1", StopCharging(ref="7"), "test")
    assert view.state is OrderState.QUEUED
    assert (view.kind, view.action, view.words, view.answer) == ("StopCharging", None, None, None)


async def test_a_known_station_that_does_not_boot_is_asked_to_once(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Q33: its messages are served all the same."""
    monkeypatch.setattr("wattkeeper.gateway.conversation.BOOT_PATIENCE_S", 0.2)
    async with door.plugged() as station:
        status = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}
        assert (await station.call("StatusNotification", status))[0] == 3
        frame = await answered(station, {"status": "Accepted"})
        assert frame[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
        await station.boot()
    async with door.plugged() as station:  # it has booted here: a lost line is no boot
        await asyncio.sleep(0.5)
        assert (await station.call("Heartbeat", {}))[0] == 3
    triggers = [view for view in await door.rows(orders) if view.kind == Trigger.__name__]
    assert len(triggers) == 1
