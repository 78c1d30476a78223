"""Attacks on who holds a card, and on stations that still trust one that was blocked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.conftest import OpenDoor
from tests.doors import KEY, Door, until
from tests.stories.listing import caught_up, enroll, follow, hurry, living
from tests.web.conftest import House, house_of
from tests.web.driving import OTHER, TAPPED, driver, ready, state, tap, wish
from tests.web.phones import Skipped
from wattkeeper.charging.cards.token import CardState
from wattkeeper.charging.person import PROGRAMS, Role, Viewer
from wattkeeper.operations.cards.book import Cards
from wattkeeper.simulator.v16.telling import Station16
from wattkeeper.simulator.v201.telling import Station201
from wattkeeper.simulator.visit import Driver, Outcome, arrive
from wattkeeper.store.tables import card, decision, enrolment, holding, session

BLOCKER = Viewer("support", Role.SERVICE, PROGRAMS)


@pytest.fixture
async def house(open_door: OpenDoor) -> AsyncIterator[House]:
    """Both doors, and behind the stations' door CP1."""
    door = await open_door()
    await door.admit("CP1", KEY)
    made = await house_of(door)
    async with made.api:
        yield made


# --- D6: a station that still trusts a card ---------------------------------------------------------------


@pytest.mark.parametrize("kind", [Station16, Station201])
async def test_d6_a_blocked_card_leaves_the_list_of_a_station_when_it_is_back(
    door: Door, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    """The version is bumped, the delay is measured; what was charged on it meanwhile is recorded and held."""
    hurry(monkeypatch)
    ref = await enroll(door, TAPPED)
    async with follow(door) as lists, living(door, kind) as cp:
        before = await caught_up(lists, accepted=1)
        cp.lose_network()
        await until(lambda: not door.gateway.connected("CP1"), "the loss of the line")
        await Cards(door.store, door.safe, door.bus).set_state(ref, CardState.BLOCKED, BLOCKER)
        behind = await lists.view(BLOCKER, "CP1")
        assert (behind.behind, behind.version) == (1, before.version)
        assert behind.behind_since is not None
        assert "not connected" in behind.why
        outcome = await asyncio.wait_for(arrive(cp, Driver(TAPPED, 3_000, 3_600)), 30)
        assert outcome is Outcome.CHARGED, "offline it believes its old list"
        cp.restore_network()
        after = await caught_up(lists, blocked=1)
        assert after.version == before.version + 1
        assert 0 < (after.delay_ms or 0) < 60_000
        assert cp.local_list == {TAPPED: False}
        await until(lambda: len(cp.outbox) == 0, "all that waited to be told")
        cp.lose_network()
        await until(lambda: not door.gateway.connected("CP1"), "the loss of the line")
        assert await arrive(cp, Driver(TAPPED, 3_000, 3_600)) is Outcome.REFUSED
    await until(lambda: _judged(door), "the offline session")
    for row in await door.rows(session):
        assert row.energy_wh is not None
        assert row.grade == "disputed", "recorded and never lost, but it does not bill itself"


async def _judged(door: Door) -> bool:
    """Whether the start on the blocked card is there, ended, with why in words."""
    rows = await door.rows(decision)
    found = [row for row in rows if row.status == "blocked" and row.session_id is not None]
    return any("without asking" in row.reason for row in found) and bool(await door.rows(session))


# --- D9: whose card it is ---------------------------------------------------------------------------------


async def test_d9_a_card_claimed_by_two_drivers_stays_with_the_first(house: House) -> None:
    async with (
        house.door.plugged() as cp,
        await driver(house, "dora") as dora,
        await driver(house, "emil") as emil,
    ):
        await ready(house, cp)
        first = await wish(dora)
        await tap(cp)
        second = await wish(emil)
        await tap(cp)
        assert (await state(dora, first))[0] == "done"
        assert await state(emil, second) == ("taken", None)
    (row,) = await house.door.rows(holding)
    assert row.until is None


async def test_d9_a_card_that_charges_is_caught_by_no_stranger(house: House) -> None:
    """A card imported without a name is in somebody's pocket once it has charged: a tap gives it to nobody."""
    await house.api.post("/api/v1/cards", json={"number": TAPPED})
    async with house.door.plugged() as cp, await driver(house, "dora") as dora:
        await ready(house, cp)
        start = {"connectorId": 1, "idTag": TAPPED, "meterStart": 0, "timestamp": "2026-05-13T10:00:00Z"}
        begun = (await cp.call("StartTransaction", start))[2]
        assert begun["idTagInfo"]["status"] == "Accepted"
        stop = {"transactionId": begun["transactionId"], "meterStop": 10, "timestamp": "2026-05-13T10:10:00Z"}
        await cp.call("StopTransaction", stop)
        made = await wish(dora)
        assert await tap(cp) == "Accepted", "whoever holds it may go on charging"
        assert await state(dora, made) == ("taken", None)
        assert (await dora.get("/api/v1/cards")).json()["items"] == []


async def test_d9_two_taps_in_one_batch_give_two_drivers_nothing(house: House) -> None:
    """Fifty cards tapped at once for one wish: one of them is added."""
    async with house.door.plugged() as cp, await driver(house, "dora") as dora:
        await ready(house, cp)
        made = await wish(dora)
        numbers = [f"04C0FFEE00{n:04X}" for n in range(50)]
        frames = [f'[2,"t{n}","Authorize",{{"idTag":"{number}"}}]' for n, number in enumerate(numbers)]
        for frame in frames:
            await cp.send(frame)
        statuses = Counter([(await cp.hear())[2]["idTagInfo"]["status"] for _ in frames])
        assert statuses == {"Accepted": 1, "Invalid": 49}
        assert (await state(dora, made))[0] == "done"
    assert len(await house.door.rows(card)) == 1


async def test_d9_typing_the_printed_number_adds_nothing(house: House) -> None:
    """There is no way for a driver to hand a number in, whatever they call it."""
    made = await house.api.post("/api/v1/cards", json={"number": TAPPED})
    ref = made.json()["ref"]
    async with house.door.plugged() as cp, await driver(house, "dora") as dora:
        await ready(house, cp)
        wishes: list[tuple[str, dict[str, str]]] = [
            ("/api/v1/cards", {"number": OTHER}),
            ("/api/v1/cards", {"number": TAPPED}),
            ("/api/v1/enrolments", {"station": "CP1", "number": OTHER}),
            ("/api/v1/enrolments", {"station": "CP1", "uid": OTHER}),
            ("/api/v1/enrolments", {"station": "CP1", "ref": ref}),
            ("/api/v1/enrolments", {"code": TAPPED}),
            ("/api/v1/enrolments/activate", {"code": TAPPED}),
            ("/api/v1/enrolments/activate", {"code": OTHER}),
            (f"/api/v1/cards/{ref}/activation", {}),
        ]
        for address, body in wishes:
            answer = await dora.post(address, json=body)
            assert answer.status_code in (403, 404, 409, 422), (address, body)
        imported = await dora.post("/api/v1/cards/import", content=f"number\n{OTHER}\n")
        assert imported.status_code == 403
    async with house.rooms.store.read() as connection:
        assert [row.ref for row in await connection.execute(select(card.c.ref))] == [ref]


async def test_d9_a_tap_proves_nothing_elsewhere_or_later(house: House) -> None:
    key = await house.rooms.admission.provision("CP2", "test")
    async with (
        house.door.plugged() as cp,
        house.door.plugged("CP2", key) as other,
        await driver(house, "dora") as dora,
    ):
        await ready(house, cp)
        await other.boot()
        made = await wish(dora)
        assert await tap(other) == "Invalid"
        assert await state(dora, made) == ("waiting", None)
        clock, house.door.store.clock = house.door.store.clock, lambda: clock() + timedelta(minutes=2, seconds=1)
        assert await tap(cp) == "Invalid"
        assert await state(dora, made) == ("expired", None)
        house.door.store.clock = clock


async def test_d9_one_driver_does_not_wait_at_a_station_for_ever(house: House) -> None:
    """Else they keep others from adding cards there, and catch every unknown card that is tapped."""
    clock = house.door.store.clock = Skipped()
    async with (
        house.door.plugged() as cp,
        await driver(house, "dora") as dora,
        await driver(house, "emil") as emil,
    ):
        await ready(house, cp)
        for at in range(5):
            made = await wish(dora)
            made = await wish(dora)  # its answer was lost: that is no turn of its own
            clock.by += timedelta(seconds=121)
            if at % 2:
                assert (await dora.delete(f"/api/v1/enrolments/{made['id']}")).status_code == 204
        again = await dora.post("/api/v1/enrolments", json={"station": "CP1"})
        assert (again.status_code, again.json()["code"]) == (429, "too_many_requests")
        assert 2_900 < int(again.headers["retry-after"]) < 3_000
        assert "try again in 50 min" in again.json()["detail"]
        await wish(emil)
        clock.by += timedelta(minutes=50)
        await wish(dora)


# --- E22: many at once ------------------------------------------------------------------------------------


async def test_e22_of_fifty_claims_of_one_code_at_once_one_succeeds(house: House) -> None:
    made = await house.api.post("/api/v1/cards", json={"number": TAPPED, "state": "ordered"})
    ref = made.json()["ref"]
    code = (await house.api.post(f"/api/v1/cards/{ref}/activation")).json()["code"]
    drivers = [await driver(house, f"driver{n}") for n in range(5)]
    body = {"code": code}
    claims = [one.post("/api/v1/enrolments/activate", json=body) for one in drivers for _ in range(10)]
    answers = Counter([answer.status_code for answer in await asyncio.gather(*claims)])
    for one in drivers:
        await one.aclose()
    assert answers[200] == 1
    assert answers[200] + answers[422] + answers[429] == 50
    assert [row.until is None for row in await house.door.rows(holding)].count(True) == 1


async def test_e22_of_fifty_wishes_at_one_station_at_once_one_waits(house: House) -> None:
    async with house.door.plugged() as cp:
        await ready(house, cp)
        drivers = [await driver(house, f"driver{n}") for n in range(5)]
        body = {"station": "CP1"}
        wishes = [one.post("/api/v1/enrolments", json=body) for one in drivers for _ in range(10)]
        answers = await asyncio.gather(*wishes)
        for one in drivers:
            await one.aclose()
    assert {answer.status_code for answer in answers} <= {201, 409, 429}
    rows = await house.door.rows(enrolment)
    assert [row.state for row in rows].count("waiting") == 1
    assert len({row.person_id for row in rows}) == 1
