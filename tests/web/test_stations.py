"""Stations over the API: let in, shown, described, given another key, removed; and those that wait."""

from __future__ import annotations

import pytest

from tests.conftest import OpenDoor
from tests.doors import KEY, until
from tests.web.conftest import House, house_of
from wattkeeper.charging.person import Scope


async def test_a_station_is_let_in_and_its_key_shown_once(house: House) -> None:
    new = {"id": "Nord-1", "label": "North 1", "site": "Yard", "max_power_w": 22000}
    answer = await house.api.post("/api/v1/stations", json=new)
    assert answer.status_code == 201
    key = answer.json()["key"]
    assert len(key) >= 16
    shown = await house.api.get("/api/v1/stations/Nord-1")
    assert key not in shown.text
    told = shown.json()
    assert (told["label"], told["site"], told["max_power_w"], told["created_by"]) == ("North 1", "Yard", 22000, "tests")
    async with house.door.plugged("Nord-1", key) as station:
        await station.boot()
        told = (await house.api.get("/api/v1/stations/Nord-1")).json()
        assert (told["online"], told["version"], told["vendor"]) == (True, "ocpp1.6", "Volt")
    assert (await house.api.post("/api/v1/stations", json=new)).status_code == 409


async def test_a_weak_key_is_refused(house: House) -> None:
    for key in ("short", "passwordpassword", "x" * 41, "ünïcödeünïcödeünïcöde"):
        answer = await house.api.post("/api/v1/stations", json={"id": "CP9", "key": key})
        assert answer.status_code == 422, key
        assert key not in answer.text


async def test_another_key_ends_the_old_one(house: House) -> None:
    key = (await house.api.post("/api/v1/stations/CP1/key")).json()["key"]
    assert (await house.door.refusal("CP1", KEY))[0] == 401
    async with house.door.plugged("CP1", key) as station:
        await station.boot()
    given = "0123456789abcdef01234567"
    assert (await house.api.post("/api/v1/stations/CP1/key", json={"key": given})).json()["key"] == given
    assert (await house.api.post("/api/v1/stations/CP2/key")).status_code == 404


async def test_what_people_say_of_a_station_changes_member_by_member(house: House) -> None:
    path = "/api/v1/stations/CP1"
    assert (await house.api.patch(path, json={"label": "North", "max_power_w": 11000})).json()["label"] == "North"
    told = (await house.api.patch(path, json={"site": "Yard"})).json()
    assert (told["label"], told["site"], told["max_power_w"]) == ("North", "Yard", 11000)
    assert (await house.api.patch(path, json={"max_power_w": None})).json()["max_power_w"] is None
    assert (await house.api.patch(path, json={})).status_code == 200
    assert (await house.api.patch("/api/v1/stations/CP2", json={"site": "Yard"})).status_code == 404


async def test_a_removed_station_is_gone(house: House) -> None:
    assert (await house.api.delete("/api/v1/stations/CP1")).status_code == 204
    assert (await house.api.get("/api/v1/stations/CP1")).status_code == 404
    assert (await house.api.delete("/api/v1/stations/CP1")).status_code == 404
    assert (await house.door.refusal("CP1", KEY))[0] == 401


async def test_stations_are_found_by_words_and_whether_they_are_connected(house: House) -> None:
    for name, label in (("A-1", "North gate"), ("B-2", "South gate"), ("C%3", "50% off")):
        await house.api.post("/api/v1/stations", json={"id": name, "label": label})
    for query, found in {"gate": ["A-1", "B-2"], "SOUTH": ["B-2"], "%": ["C%3"], "_": [], "cp": ["CP1"]}.items():
        items = (await house.api.get("/api/v1/stations", params={"q": query})).json()["items"]
        assert [one["id"] for one in items] == found, query
    async with house.door.plugged() as station:
        await station.boot()
        for online, expected in (("true", ["CP1"]), ("false", ["A-1", "B-2", "C%3"])):
            items = (await house.api.get("/api/v1/stations", params={"online": online})).json()["items"]
            assert [one["id"] for one in items] == expected


async def test_stations_come_in_pages(house: House) -> None:
    for n in range(4):
        await house.api.post("/api/v1/stations", json={"id": f"S{n}"})
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await house.api.get("/api/v1/stations", params=query)).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["CP1", "S0", "S1", "S2", "S3"]


async def test_connectors_show_what_they_do(house: House) -> None:
    assert (await house.api.get("/api/v1/stations/CP1/connectors")).json()["items"] == []
    assert (await house.api.get("/api/v1/stations/CP2/connectors")).status_code == 404
    async with house.door.plugged() as station:
        await station.boot()
        for connector, status, error in ((1, "Preparing", "NoError"), (2, "Faulted", "GroundFailure")):
            told = {"connectorId": connector, "errorCode": error, "status": status}
            await station.call("StatusNotification", told)
    one, two = (await house.api.get("/api/v1/stations/CP1/connectors")).json()["items"]
    assert (one["evse"], one["status"], one["error"]) == (1, "preparing", None)
    assert (two["evse"], two["status"], two["error"]) == (2, "faulted", "GroundFailure")


@pytest.fixture
async def waiting(open_door: OpenDoor) -> House:
    """A house with a waiting room."""
    return await house_of(await open_door(waiting_room=True))


async def test_a_station_that_knocks_waits_and_is_let_in(waiting: House) -> None:
    async def waits() -> list[str]:
        items = (await waiting.api.get("/api/v1/waiting-room")).json()["items"]
        return [one["id"] for one in items]

    assert await waits() == []
    assert (await waiting.door.refusal("New-1"))[0] == 401
    assert await until(waits, "the knock") == ["New-1"]
    answer = await waiting.api.post("/api/v1/waiting-room/New-1/admit", json={"label": "New"})
    assert answer.status_code == 200
    assert await waits() == []
    async with waiting.door.plugged("New-1", answer.json()["key"]) as station:
        await station.boot()
    assert (await waiting.api.post("/api/v1/waiting-room/New-1/admit")).status_code == 404


async def test_a_station_that_knocks_is_turned_away(waiting: House) -> None:
    await waiting.door.refusal("New-1")
    assert (await waiting.api.post("/api/v1/waiting-room/New-1/dismiss")).status_code == 204
    assert (await waiting.api.get("/api/v1/waiting-room")).json()["items"] == []
    assert (await waiting.api.post("/api/v1/waiting-room/New-2/dismiss")).status_code == 404
    assert (await waiting.api.post("/api/v1/waiting-room/New-2/admit")).status_code == 404


async def test_how_far_a_station_s_own_list_is(house: House) -> None:
    """D6: people see the delay; whoever may not see the station sees nothing."""
    told = (await house.api.get("/api/v1/stations/CP1/local-list")).json()
    assert (told["kept"], told["version"], told["behind"], told["confirmed_at"]) == (None, 0, 0, None)
    body = {"number": "04A2B97F1180", "offline": "accept"}
    assert (await house.api.post("/api/v1/cards", json=body)).status_code == 201
    told = (await house.api.get("/api/v1/stations/CP1/local-list")).json()
    assert (told["behind"], told["why"]) == (1, "The station is not connected; its list follows when it is back.")
    assert (await house.api.get("/api/v1/stations/CP9/local-list")).status_code == 404
    async with await house.with_scopes(Scope.CARDS_READ) as other:
        assert (await other.get("/api/v1/stations/CP1/local-list")).status_code == 403
