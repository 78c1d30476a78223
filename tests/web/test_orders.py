"""Orders and commands over the API: what a station is asked, and every way it may answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.doors import Station
from tests.web.conftest import House
from tests.web.told import CARD, Teller, now

Reply = Callable[[str, Any], list[Any] | None]
"""What a station answers to an action and its payload: the end of a frame, or nothing at all."""


def accepted(_action: str, _payload: Any) -> list[Any]:
    """Whatever you say."""
    return [3, {"status": "Accepted"}]


@asynccontextmanager
async def obeying(house: House, reply: Reply, heard: list[tuple[str, str]]) -> AsyncIterator[Station]:
    """CP1, which answers what it is asked; what it hears is kept as it came."""
    async with house.door.plugged() as station:
        await station.boot()
        obeys = asyncio.create_task(_obey(station, reply, heard))
        yield station
        obeys.cancel()
        await asyncio.gather(obeys, return_exceptions=True)


async def _obey(station: Station, reply: Reply, heard: list[tuple[str, str]]) -> None:
    while True:
        text = str(await station.socket.recv())
        kind, call_id, action, payload = json.loads(text)
        heard.append((action, text))
        answer = reply(action, payload)
        if kind == 2 and answer is not None:
            await station.send(json.dumps([answer[0], call_id, *answer[1:]]))


async def test_an_order_is_answered_while_one_waits(house: House) -> None:
    heard: list[tuple[str, str]] = []
    async with obeying(house, accepted, heard):
        answer = await house.api.post("/api/v1/stations/CP1/orders?wait=30", json={"order": "reset", "kind": "hard"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["state"], told["outcome"], told["action"], told["by"]) == ("answered", "accepted", "Reset", "tests")
    assert told["answer"] == {"status": "Accepted"}
    assert json.loads(heard[0][1])[3] == {"type": "Hard"}
    shown = (await house.api.get(f"/api/v1/orders/{told['id']}")).json()
    assert shown == told
    listed = (await house.api.get("/api/v1/orders?station=CP1")).json()["items"]
    assert [(one["id"], one["outcome"], one["words"]) for one in listed] == [(told["id"], "accepted", {"type": "Hard"})]


async def test_an_order_to_a_station_that_is_away_is_queued(house: House) -> None:
    answer = await house.api.post("/api/v1/stations/CP1/orders", json={"order": "unlock", "evse": 1})
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["outcome"]) == ("queued", None)
    assert (await house.api.post("/api/v1/stations/CP2/orders", json={"order": "unlock", "evse": 1})).status_code == 404
    assert (await house.api.get("/api/v1/orders/nothing")).status_code == 404


@pytest.mark.parametrize(
    ("order", "action", "payload"),
    [
        ({"order": "trigger", "message": "StatusNotification", "evse": 1}, "TriggerMessage", {"connectorId": 1}),
        ({"order": "unlock", "evse": 2}, "UnlockConnector", {"connectorId": 2}),
        ({"order": "change_availability", "operative": False}, "ChangeAvailability", {"type": "Inoperative"}),
        ({"order": "start_charging", "id_token": "04A2B97F"}, "RemoteStartTransaction", {"idTag": "04A2B97F"}),
        ({"order": "reset"}, "Reset", {"type": "Soft"}),
    ],
)
async def test_every_order_is_said_in_the_standard_s_words(
    house: House, order: dict[str, Any], action: str, payload: dict[str, Any]
) -> None:
    heard: list[tuple[str, str]] = []
    async with obeying(house, accepted, heard):
        answer = await house.api.post("/api/v1/stations/CP1/orders?wait=30", json=order)
    assert answer.status_code == 200, answer.text
    assert "04A2B97F" not in answer.text
    assert heard[0][0] == action
    assert payload.items() <= json.loads(heard[0][1])[3].items()


async def test_a_session_is_started_on_an_enrolled_card_and_stopped_by_its_id(house: House) -> None:
    ref = (await house.api.post("/api/v1/cards", json={"number": CARD})).json()["ref"]
    heard: list[tuple[str, str]] = []
    async with house.door.plugged() as station:
        await station.boot()
        await Teller(station, now() - timedelta(minutes=5)).start()
    session = (await house.api.get("/api/v1/sessions")).json()["items"][0]
    async with obeying(house, accepted, heard):
        orders = "/api/v1/stations/CP1/orders?wait=30"
        started = await house.api.post(orders, json={"order": "start_charging", "card": ref, "evse": 1})
        stopped = await house.api.post(orders, json={"order": "stop_charging", "session": session["id"].lower()})
    assert (started.status_code, stopped.status_code) == (200, 200)
    assert json.loads(heard[0][1])[3]["idTag"] == CARD
    assert json.loads(heard[1][1])[3] == {"transactionId": int(session["transaction_id"])}
    assert CARD not in started.text


async def test_orders_that_make_no_sense_are_refused(house: House) -> None:
    ref = "p1:" + "0" * 32
    wrong: list[tuple[dict[str, Any], int]] = [
        ({"order": "start_charging"}, 422),
        ({"order": "start_charging", "card": ref, "id_token": "1"}, 422),
        ({"order": "start_charging", "card": ref}, 404),
        ({"order": "stop_charging", "session": "0000-0000-0"}, 404),
        ({"order": "stop_charging", "session": "0000-0000-1"}, 404),
        ({"order": "unlock"}, 422),
        ({"order": "unlock", "evse": "1"}, 422),
        ({"order": "dance"}, 422),
        ({}, 422),
    ]
    for order, status in wrong:
        answer = await house.api.post("/api/v1/stations/CP1/orders", json=order)
        assert answer.status_code == status, order
    assert (await house.api.get("/api/v1/orders")).json()["items"] == []


async def test_the_session_of_another_station_is_not_stopped(house: House) -> None:
    await house.api.post("/api/v1/stations", json={"id": "CP2"})
    async with house.door.plugged() as station:
        await station.boot()
        await Teller(station, now() - timedelta(minutes=5)).start()
    session = (await house.api.get("/api/v1/sessions")).json()["items"][0]["id"]
    answer = await house.api.post("/api/v1/stations/CP2/orders", json={"order": "stop_charging", "session": session})
    assert answer.status_code == 404


# --- any command ------------------------------------------------------------------------------------------


async def test_a_command_is_sent_as_given(house: House) -> None:
    heard: list[tuple[str, str]] = []
    payload = '{"key":["B","A"]}'
    async with obeying(house, lambda *_: [3, {"unknownKey": ["B", "A"]}], heard):
        answer = await house.api.post("/api/v1/stations/CP1/ocpp/GetConfiguration", content=payload)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["outcome"], told["action"]) == ("accepted", "GetConfiguration")
    assert told["payload"] == {"unknownKey": ["B", "A"]}
    assert heard[0][1].endswith(f',"GetConfiguration",{payload}]')


@pytest.mark.parametrize(
    ("reply", "outcome", "members"),
    [
        ([3, {"status": "Rejected"}], "rejected", {"payload": {"status": "Rejected"}}),
        (
            [4, "NotSupported", "Not here", {"why": "old"}],
            "error",
            {"error": {"code": "NotSupported", "description": "Not here", "details": {"why": "old"}}},
        ),
        (None, "timeout", {"summary": "The station did not answer in time."}),
    ],
)
async def test_every_way_to_answer_a_command_is_an_outcome(
    house: House, reply: list[Any] | None, outcome: str, members: dict[str, Any]
) -> None:
    async with obeying(house, lambda *_: reply, []):
        answer = await house.api.post("/api/v1/stations/CP1/ocpp/ClearCache?timeout=2", json={})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["outcome"] == outcome
    assert told.keys() == {"outcome", "action", "order"} | members.keys()
    assert members.items() <= told.items()


async def test_a_station_without_a_connection_is_distinguishable(house: House) -> None:
    answer = await house.api.post("/api/v1/stations/CP1/ocpp/ClearCache", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "station_not_connected")
    answer = await house.api.post("/api/v1/stations/CP2/ocpp/ClearCache", json={})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_command_that_does_not_exist_is_refused(house: House) -> None:
    heard: list[tuple[str, str]] = []
    async with obeying(house, accepted, heard):
        for action in ("Dance", "BootNotification", "clearcache"):
            answer = await house.api.post(f"/api/v1/stations/CP1/ocpp/{action}", json={})
            assert answer.status_code in (404, 422), action
        for body in (b"", b"[]", b"null", b'"x"', b"{", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 100_000):
            answer = await house.api.post("/api/v1/stations/CP1/ocpp/ClearCache", content=body)
            assert answer.status_code == 422, body[:20]
    assert heard == []
