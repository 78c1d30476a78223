"""A session's line of time: every step in the order it happened, and what came late."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.web.conftest import House
from tests.web.told import CARD, Teller, now
from wattkeeper.charging.cards.token import TokenRef
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.facts import Fact, MetersRead, SessionEnded, SessionOpened, TokenPresented
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.session import Session, SessionState
from wattkeeper.store.journal import Entry
from wattkeeper.store.sessions.session import SessionRow
from wattkeeper.web.timeline import AT_ONCE, arrange


async def line(house: House, **query: str) -> list[dict[str, Any]]:
    """The steps of the newest session."""
    session = (await house.api.get("/api/v1/sessions?limit=1")).json()["items"][0]["id"]
    answer = await house.api.get(f"/api/v1/sessions/{session}/timeline", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["is_whole"] is True
    steps: list[dict[str, Any]] = answer.json()["items"]
    return steps


def kinds(steps: list[dict[str, Any]]) -> list[str]:
    """What the steps are."""
    return [step["kind"] for step in steps]


async def test_a_whole_story_is_told_in_order(house: House) -> None:
    await house.api.post("/api/v1/cards", json={"number": CARD})
    at = now()
    async with house.door.plugged() as station:
        await station.boot()
        teller = Teller(station, at)
        await teller.status("Preparing")
        await teller.say("Authorize", idTag=CARD)
        await teller.start()
        await teller.status("Charging")
        for minute in range(5):
            await teller.read(minute, 1000 + minute * 124)
        await teller.status("SuspendedEV", at + timedelta(minutes=5))
        await teller.status("Charging", at + timedelta(minutes=6))
        await teller.read(7, 1868)
        await teller.stop(8, 1992, reason="Remote")
        await teller.status("Available", at + timedelta(minutes=9))
    steps = await line(house)
    assert kinds(steps) == [
        *("plug", "tap", "authorisation", "start", "charging", "readings"),
        *("pause", "charging", "readings", "stop", "plug"),
    ]
    readings = steps[5]
    assert readings["readings"] == 5
    assert readings["words"] == "The meter was read 5 times. Register 1.00 kWh to 1.50 kWh, 7.4 kW."
    assert steps[-2]["words"] == "The session ended. It was stopped from here. Register 1.99 kWh."
    assert [step["late"] for step in steps] == [False] * len(steps)
    assert [step["happened_at"] for step in steps] == sorted(step["happened_at"] for step in steps)
    assert steps[3]["station_words"]["meterStart"] == 1000
    assert CARD not in str(steps)


async def test_each_reading_can_be_told_by_itself(house: House) -> None:
    async with house.door.plugged() as station:
        await station.boot()
        teller = Teller(station, now())
        await teller.start()
        for minute in range(1, 4):
            await teller.read(minute, 1000 + minute * 124)
    assert kinds(await line(house)).count("readings") == 1
    assert kinds(await line(house, readings="true")).count("readings") == 3


async def test_a_lost_connection_and_what_came_late(house: House) -> None:
    at = now() - timedelta(minutes=30)
    async with house.door.plugged() as station:
        await station.boot()
        teller = Teller(station, at)
        await teller.status("Preparing", now())
        teller.at = now()
        await teller.start()
        number = teller.number
    async with house.door.plugged() as station:
        await station.boot()
        await teller.station.closed()
        teller = Teller(station, now() + timedelta(minutes=1), number)
        await teller.status("Charging", now() + timedelta(minutes=20))
        await teller.read(0, 1100)
        await teller.read(2, 1300)
        teller.at = now()
        await teller.stop(21, 3600)
    steps = await line(house)
    told = kinds(steps)
    lost, back = told.index("connection_lost"), told.index("connection_back")
    assert told.index("start") < lost < back
    assert "restart" in told
    late = [step for step in steps if step["late"]]
    assert kinds(late) == ["readings"]
    assert late[0]["readings"] == 2
    assert late[0]["late_s"] > 1000
    assert late[0]["words"].endswith("late.")
    assert told[-1] == "stop"


async def test_a_clock_that_runs_behind_is_not_lateness(house: House) -> None:
    async with house.door.plugged() as station:
        await station.boot()
        teller = Teller(station, now() - timedelta(hours=3))
        await teller.status("Preparing")
        await teller.start()
        for minute in (1, 2, 3):
            await teller.read(minute, 1000 + minute * 124)
        steps = await line(house)
    assert kinds(steps) == ["plug", "start", "authorisation", "readings"]
    assert not any(step["late"] for step in steps)


async def test_a_backlog_told_whole_is_late(house: House) -> None:
    async with house.door.plugged() as station:
        await station.boot()
        teller = Teller(station, now() - timedelta(hours=3))
        await teller.status("Available", now())
        await teller.start()
        await teller.read(10, 2240)
        await teller.stop(20, 3480)
    steps = await line(house)
    assert [step["late"] for step in steps if step["kind"] in ("start", "readings", "stop")] == [True] * 3


async def test_what_the_connector_did_for_others_is_left_out(house: House) -> None:
    at = now()
    async with house.door.plugged() as station:
        await station.boot()
        teller = Teller(station, at)
        await teller.start("FIRST")
        await teller.stop(1, 1100)
        await teller.status("Finishing", at + timedelta(minutes=2))
        await teller.status("Available", at + timedelta(minutes=3))
        teller.at = at + timedelta(minutes=4)
        await teller.status("Preparing")
        await teller.say("Authorize", idTag="OTHER")
        await teller.start("SECOND", 1100)
        await teller.stop(5, 2000)
    steps = await line(house)
    assert kinds(steps) == ["plug", "start", "authorisation", "stop"]
    first = (await house.api.get("/api/v1/sessions?limit=2")).json()["items"][1]["id"]
    before = (await house.api.get(f"/api/v1/sessions/{first}/timeline")).json()["items"]
    assert kinds(before) == ["start", "authorisation", "stop", "plug", "plug"]


async def test_what_we_did_stands_in_the_line(house: House) -> None:
    async with house.door.plugged() as station:
        await station.boot()
        await Teller(station, now()).start()
        asked = house.api.post("/api/v1/stations/CP1/orders?wait=30", json={"order": "unlock", "evse": 1})
        asking = asyncio.create_task(asked)
        call = await station.hear()
        await station.send(json.dumps([3, call[1], {"status": "UnlockFailed"}]))
        assert (await asking).json()["outcome"] == "rejected"
    session = (await house.api.get("/api/v1/sessions?limit=1")).json()["items"][0]
    await house.api.post(f"/api/v1/sessions/{session['id']}/close", json={"reason": "Taken down."})
    steps = await line(house)
    assert kinds(steps) == ["start", "authorisation", "order", "connection_lost", "estimate"]
    assert steps[2]["words"] == "tests asked for UnlockConnector: the station declined."
    assert steps[-1]["words"] == "Closed by tests. Taken down."


async def test_a_long_session_is_told_whole(house: House) -> None:
    at = now() - timedelta(hours=2)
    record = house.rooms.intake.record
    await record("CP1", SessionOpened(at=at, evse=1, connector=1, ref="long", seq=0))
    instants = [at + timedelta(seconds=3 * n) for n in range(1, 2 * AT_ONCE + 200)]
    for some in batched(instants, 250):
        readings = [(Reading(instant, energy_wh=Decimal(5)),) for instant in some]
        facts = [MetersRead(at=one[0].at, evse=1, ref="long", readings=one) for one in readings]
        await asyncio.gather(*(record("CP1", fact) for fact in facts))
    await record("CP1", SessionEnded(at=now(), evse=1, ref="long", seq=1))
    steps = await line(house)
    assert kinds(steps) == ["start", "readings", "stop"]
    assert steps[1]["readings"] == len(instants)


def batched(instants: list[datetime], size: int) -> Iterator[list[datetime]]:
    """The instants, so many at a time."""
    for place in range(0, len(instants), size):
        yield instants[place : place + size]


def test_a_tap_long_before_is_another_s() -> None:
    token, noon = TokenRef("p1:0"), datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    whole = Session(id="K7QM4XRD2", station="CP1", key="k", evse=1, token=token, first_at=noon, last_at=noon)
    states = (SessionState.OPEN, True, Grade.MEASURED)
    place = ("CP1", 1, 1, "1", token, None)
    session = SessionRow("K7QM4XRD2", *place, *states, noon, None, None, None, noon, 9, whole)

    def entry(n: int, minutes: int, fact: Fact) -> Entry:
        came = noon + timedelta(minutes=minutes)
        return Entry(n=n, kind="", station="CP1", session=None, at=fact.at, received_at=came, fact=fact)

    around = [entry(n, minutes, TokenPresented(token=token)) for n, minutes in ((1, -16), (2, -14), (5, 1))]
    own = [entry(4, 0, SessionOpened(at=noon, evse=1))]
    assert [step.n for step in arrange(session, own, around)] == [2, 4]
