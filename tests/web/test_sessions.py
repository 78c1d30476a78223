"""Sessions over the API: listed, found, shown with their readings, closed."""

from __future__ import annotations

from datetime import timedelta

from tests.web.conftest import House
from tests.web.told import CARD, Teller, now, word


async def a_session(house: House, minutes_ago: int = 60, card: str = CARD) -> str:
    """A whole session of 30 minutes and 3.72 kWh at CP1, at 7.4 kW; its id."""
    async with house.door.plugged() as station:
        await station.boot()
        teller = Teller(station, now() - timedelta(minutes=minutes_ago))
        await teller.start(card)
        for minute in (0, 15, 30):
            await teller.read(minute, 1000 + 124 * minute)
        await teller.stop(30, 4720)
    return str((await newest(house))["id"])


async def newest(house: House) -> dict[str, object]:
    """The newest session."""
    answer = await house.api.get("/api/v1/sessions?limit=1")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json()["items"]
    return items[0]


async def test_a_session_is_shown_whole(house: House) -> None:
    await house.api.post("/api/v1/cards", json={"number": CARD})
    identifier = await a_session(house)
    told = (await house.api.get(f"/api/v1/sessions/{identifier}")).json()
    assert told["id"] == identifier
    assert (told["station"], told["evse"]) == ("CP1", 1)
    assert told["energy_wh"] == 3720
    assert told["duration_s"] == 1800
    assert (told["state"], told["live"], told["ended_reason"]) == ("ended", False, "Local")
    assert told["card"]["shown"] == "••80"
    assert told["grade"] == "measured", told["findings"]


async def test_an_id_is_understood_as_it_was_said(house: House) -> None:
    identifier = await a_session(house)
    for said in (identifier.lower(), identifier.replace("-", " "), identifier.replace("-", ""), f" {identifier} "):
        found = await house.api.get(f"/api/v1/sessions/{said}")
        assert found.json().get("id") == identifier, said
    slipped = identifier[:-1] + ("0" if identifier[-1] != "0" else "1")
    assert (await house.api.get(f"/api/v1/sessions/{slipped}")).status_code == 404


async def test_sessions_are_found_by_the_station_s_transaction_id_and_by_card(house: House) -> None:
    ref = (await house.api.post("/api/v1/cards", json={"number": CARD})).json()["ref"]
    identifier = await a_session(house)
    transaction = (await house.api.get(f"/api/v1/sessions/{identifier}")).json()["transaction_id"]
    exactly = (f"transaction_id={transaction}", f"card={ref}", "card=80")
    for query in (*exactly, "station=CP1&evse=1", "state=ended&live=false"):
        found = (await house.api.get(f"/api/v1/sessions?{query}")).json()["items"]
        assert [one["id"] for one in found] == [identifier], query
    for query in (f"transaction_id={transaction}&station=CP2", "card=81", "live=true", "grade=disputed", "evse=2"):
        assert (await house.api.get(f"/api/v1/sessions?{query}")).json()["items"] == [], query


async def test_sessions_are_found_by_the_time_they_started(house: House) -> None:
    identifier = await a_session(house, minutes_ago=60)
    start = now() - timedelta(minutes=60)
    before, later = word(start - timedelta(minutes=5)), word(start + timedelta(minutes=5))
    found = (await house.api.get("/api/v1/sessions", params={"from": before, "to": later})).json()["items"]
    assert [one["id"] for one in found] == [identifier]
    for query in ({"from": later}, {"to": before}):
        assert (await house.api.get("/api/v1/sessions", params=query)).json()["items"] == []


async def test_pages_stay_true_while_sessions_come_in(house: House) -> None:
    ids = [await a_session(house, minutes_ago=600 - 40 * n, card=f"CARD{n}") for n in range(5)]
    first = (await house.api.get("/api/v1/sessions?limit=2")).json()
    ids.append(await a_session(house, minutes_ago=60, card="LATEST"))
    second = (await house.api.get("/api/v1/sessions", params={"limit": 2, "cursor": first["next"]})).json()
    third = (await house.api.get("/api/v1/sessions", params={"limit": 2, "cursor": second["next"]})).json()
    seen = [one["id"] for page in (first, second, third) for one in page["items"]]
    assert seen == ids[:5][::-1]
    assert third["next"] is None


async def test_readings_come_in_pages_and_exact(house: House) -> None:
    identifier = await a_session(house)
    readings, cursor = [], None
    for _ in range(10):
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await house.api.get(f"/api/v1/sessions/{identifier}/readings", params=query)).json()
        readings += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [one["energy_wh"] for one in readings] == [1000, 2860, 4720]
    assert [one["context"] for one in readings] == ["begin", "periodic", "end"]
    assert readings[1]["power_w"] == 7400


async def test_a_stale_session_is_closed_with_a_reason(house: House) -> None:
    async with house.door.plugged() as station:
        await station.boot()
        await Teller(station, now() - timedelta(minutes=30)).start()
    identifier = (await newest(house))["id"]
    assert (await newest(house))["live"] is True
    closing = f"/api/v1/sessions/{identifier}/close"
    for empty in ({}, {"reason": ""}, {"reason": "  "}, {"reason": "x", "at": "now"}):
        assert (await house.api.post(closing, json=empty)).status_code == 422
    closed = await house.api.post(closing, json={"reason": "Taken down on Monday."})
    assert closed.status_code == 200
    assert (closed.json()["state"], closed.json()["live"]) == ("estimated", False)
    assert closed.json()["ended_reason"] == "Taken down on Monday."
    assert [one["code"] for one in closed.json()["findings"]].count("end_estimated") == 1
    assert (await house.api.post(closing, json={"reason": "Again."})).status_code == 409
    assert (await house.api.post("/api/v1/sessions/0000-0000-0/close", json={"reason": "x"})).status_code == 404


async def test_tampered_cursors_are_refused(house: House) -> None:
    for cursor in ("AAAA", "1", ".", "-999999999999999999.A", "999999999999999999.z", "1.A", "9" * 30 + ".A"):
        answer = await house.api.get("/api/v1/sessions", params={"cursor": cursor})
        assert answer.status_code in (200, 422), cursor
        answer = await house.api.get("/api/v1/cards", params={"cursor": cursor})
        assert answer.status_code in (200, 422), cursor
