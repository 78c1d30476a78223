"""A card becomes a driver's own by a tap at the station they chose, or by the code that came with it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.conftest import OpenDoor
from tests.doors import KEY, Station
from tests.web.conftest import House, house_of
from tests.web.driving import OTHER, TAPPED, driver, ready, state, tap, wish
from tests.web.told import Teller, now, word
from wattkeeper.charging.cards.token import Presented, TokenKind
from wattkeeper.charging.facts import SessionOpened, TokenPresented
from wattkeeper.store.tables import card, card_change, enrolment, holding

ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
"""What asks nothing of the database that another test here does not ask of both."""


async def held(house: House) -> list[tuple[str, bool]]:
    """Each span of holding: the card's last two characters, and whether it still lasts."""
    async with house.rooms.store.read() as connection:
        joined = select(card.c.last2, holding.c.until).join(holding, holding.c.ref == card.c.ref)
        rows = await connection.execute(joined.order_by(holding.c.since, card.c.last2))
        return [(last2, until is None) for last2, until in rows]


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
async def test_the_next_unknown_card_that_is_tapped_becomes_the_driver_s(house: House, version: str) -> None:
    async with house.door.plugged(versions=[version]) as cp, await driver(house, "dora") as dora:
        await cp.boot()
        await house.rooms.places.mark_all()
        assert (await tap(cp)) in ("Invalid", "Unknown")
        code = await connector_code(house, cp)
        made = await dora.post("/api/v1/enrolments", json={"code": code, "label": "Key ring"})
        assert made.status_code == 201, made.text
        told = made.json()
        assert (told["state"], told["station"], told["card"]) == ("waiting", "CP1", None)
        assert await tap(cp) == "Accepted", "it is theirs within the very transaction that records the tap"
        assert await tap(cp, OTHER) in ("Invalid", "Unknown"), "one wish, one card"
        became, ref = await state(dora, told)
        assert became == "done"
        assert ref == house.rooms.safe.ref(TAPPED)
        assert await tap(cp) == "Accepted"
    assert await held(house) == [("22", True)]
    async with house.rooms.store.unit() as unit:
        row = (await unit.connection.execute(select(card))).one()
        (change,) = (await unit.connection.execute(select(card_change))).all()
        label = await house.rooms.safe.unseal_for(unit, row.person_id, "card", "label", bytes(row.label))
        number = await house.rooms.safe.unseal_for(unit, row.person_id, "card", "sealed", bytes(row.sealed))
    assert (label.decode(), number.decode(), row.state, row.offline) == ("Key ring", TAPPED, "active", "refuse")
    assert (change.ref, change.by) == (ref, "holder")


async def connector_code(house: House, cp: Station) -> str:
    """What the QR code on CP1's connector says."""
    told: dict[str, Any] = {"timestamp": word(now()), "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
    if cp.socket.subprotocol != "ocpp2.0.1":
        told = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}
    await cp.call("StatusNotification", told)
    return str((await house.api.get("/api/v1/stations/CP1/codes")).json()["items"][0]["code"])


@ONE_ENGINE
async def test_a_start_with_the_card_is_a_tap_and_is_answered_by_the_rule(house: House) -> None:
    async with house.door.plugged() as cp, await driver(house, "dora") as dora:
        await ready(house, cp)
        made = await wish(dora)
        start = {"connectorId": 1, "idTag": TAPPED, "meterStart": 1, "timestamp": word(now())}
        answer = await cp.call("StartTransaction", start)
        assert answer[2]["idTagInfo"]["status"] == "Accepted"
        assert (await state(dora, made))[0] == "done"
    (session,) = (await house.api.get("/api/v1/sessions")).json()["items"]
    assert session["grade"] != "disputed"


@ONE_ENGINE
async def test_what_is_told_late_is_no_proof(house: House) -> None:
    """A start of before, one that a station kept while offline, one from afar, a reading, an end, another kind."""
    async with house.door.plugged() as cp, await driver(house, "dora") as dora:
        await ready(house, cp)
        teller = Teller(cp, now() - timedelta(minutes=10))
        await teller.start(OTHER)
        made = await wish(dora)
        begun = {"connectorId": 1, "idTag": TAPPED, "meterStart": 1, "timestamp": word(now() - timedelta(minutes=3))}
        assert (await cp.call("StartTransaction", begun))[2]["idTagInfo"]["status"] == "Invalid"
        await teller.stop(10, 2000, idTag=TAPPED)
        record, token = house.rooms.intake.record, Presented(TAPPED)
        await record("CP1", SessionOpened(at=now(), ref="A", seq=0, offline=True, evse=1), token=token)
        await record("CP1", SessionOpened(at=now(), ref="B", seq=0, evse=1, remote_start=7), token=token)
        await record("CP1", TokenPresented(), token=Presented(TAPPED, TokenKind.CENTRAL))
        await record("CP1", TokenPresented(), token=Presented(TAPPED, TokenKind.KEYCODE))
        assert await state(dora, made) == ("waiting", None)
    assert await held(house) == []


async def test_a_card_of_somebody_else_never_changes_hands(house: House) -> None:
    async with (
        house.door.plugged() as cp,
        await driver(house, "dora") as dora,
        await driver(house, "emil") as emil,
    ):
        await ready(house, cp)
        first = await wish(dora)
        await tap(cp)
        assert (await state(dora, first))[0] == "done"
        second = await wish(emil)
        assert await tap(cp) == "Accepted", "it is still a good card"
        assert await state(emil, second) == ("taken", None)
        words = (await emil.get(f"/api/v1/enrolments/{second['id']}")).json()["words"]
        assert "belongs to somebody" in words
        assert "dora" not in words
        again = await wish(dora)
        await tap(cp)
        assert await state(dora, again) == ("taken", None)
        assert "yours already" in (await dora.get(f"/api/v1/enrolments/{again['id']}")).json()["words"]
    assert await held(house) == [("22", True)]


async def test_one_driver_at_a_time_at_a_station(house: House) -> None:
    async with (
        house.door.plugged() as cp,
        await driver(house, "dora") as dora,
        await driver(house, "emil") as emil,
    ):
        await ready(house, cp)
        first = await wish(dora)
        refused = await emil.post("/api/v1/enrolments", json={"station": "CP1"})
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert "Somebody is adding a card" in refused.json()["detail"]
        second = await wish(dora)
        assert (await state(dora, first))[0] == "expired", "their own wish of before is given up"
        assert (await emil.get(f"/api/v1/enrolments/{second['id']}")).status_code == 404
        assert (await emil.delete(f"/api/v1/enrolments/{second['id']}")).status_code == 404
        assert (await dora.delete(f"/api/v1/enrolments/{second['id']}")).status_code == 204
        assert (await dora.get(f"/api/v1/enrolments/{second['id']}")).status_code == 404
        made = await wish(emil)
        await tap(cp)
        assert (await state(emil, made))[0] == "done"


async def test_cards_that_become_one_s_own_do_not_count(house: House) -> None:
    async with house.door.plugged() as cp, await driver(house, "dora") as dora:
        await ready(house, cp)
        for at in range(7):
            made = await wish(dora)
            assert (await cp.call("Authorize", {"idTag": f"04A1B2C3D4E5{at:02}"}))[2]["idTagInfo"][
                "status"
            ] == "Accepted"
            assert (await state(dora, made))[0] == "done"


@ONE_ENGINE
async def test_a_wish_ends_in_time(open_door: OpenDoor) -> None:
    door = await open_door(enrolment_s=0.0)
    await door.admit("CP1", KEY)
    house = await house_of(door)
    async with (
        house.api,
        door.plugged() as cp,
        await driver(house, "dora") as dora,
        await driver(house, "emil") as emil,
    ):
        await ready(house, cp)
        made = await wish(dora)
        assert await tap(cp) == "Invalid"
        assert await state(dora, made) == ("expired", None)
        await wish(emil)
    assert await door.rows(card) == []


async def test_wishes_outlive_a_crash(open_door: OpenDoor) -> None:
    """All that is known of a wish is in the database; whoever opens the next door takes the tap."""
    first = await open_door()
    await first.admit("CP1", KEY)
    house = await house_of(first)
    async with house.api, first.plugged() as cp, await driver(house, "dora") as dora:
        await ready(house, cp)
        made = await wish(dora)
    again = await open_door()
    async with again.plugged() as cp:
        assert await tap(cp) == "Accepted"
    (row,) = await again.rows(enrolment)
    assert (row.id, row.state) == (made["id"], "done")


@ONE_ENGINE
async def test_a_tap_at_another_station_is_not_meant(house: House) -> None:
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


@ONE_ENGINE
async def test_where_no_tap_can_come_no_wish_waits(house: House) -> None:
    async with await driver(house, "dora") as dora:
        async with house.door.plugged() as cp:
            await ready(house, cp)
        refused = await dora.post("/api/v1/enrolments", json={"station": "CP1"})
        assert (refused.status_code, refused.json()["code"]) == (409, "station_not_connected")
        for body in ({"station": "CP9"}, {"code": "A" * 24}):
            assert (await dora.post("/api/v1/enrolments", json=body)).status_code == 404
        for body in ({}, {"station": "CP1", "code": "A"}, {"station": "CP1", "label": "x" * 61}):
            assert (await dora.post("/api/v1/enrolments", json=body)).status_code == 422
    assert (await house.api.post("/api/v1/enrolments", json={"station": "CP1"})).status_code == 403


@ONE_ENGINE
async def test_pages_hear_of_it(house: House) -> None:
    heard = house.door.bus.listen("enrolments")
    async with house.door.plugged() as cp, await driver(house, "dora") as dora, heard as hints:
        await ready(house, cp)
        made = await wish(dora)
        assert await asyncio.wait_for(anext(aiter(hints)), 30) == made["id"]
        await tap(cp)
        assert await asyncio.wait_for(anext(aiter(hints)), 30) == made["id"]


# --- the code that came with a card -----------------------------------------------------------------------


async def ordered(house: House, number: str = TAPPED, **more: Any) -> tuple[str, str]:
    """A card that staff took in, and the code that goes with it."""
    body = {"number": number, "state": "ordered"} | more
    made = await house.api.post("/api/v1/cards", json=body)
    assert made.status_code == 201, made.text
    ref = made.json()["ref"]
    answer = await house.api.post(f"/api/v1/cards/{ref}/activation")
    assert answer.status_code == 200, answer.text
    return ref, answer.json()["code"]


@pytest.mark.parametrize("name", [None, "Emil"])
async def test_a_code_gives_its_card_to_whoever_has_it(house: House, name: str | None) -> None:
    ref, code = await ordered(house, **({"name": name} if name else {}))
    async with house.door.plugged() as cp, await driver(house, "dora") as dora:
        await ready(house, cp)
        assert await tap(cp) == "Invalid"
        typed = code.lower().replace("-", " ").replace("0", "o")
        answer = await dora.post("/api/v1/enrolments/activate", json={"code": typed, "label": "Company"})
        assert (answer.status_code, answer.json()) == (200, {"card": ref})
        assert await tap(cp) == "Accepted"
    assert await held(house) == [("22", False), ("22", True)]
    assert len(code.replace("-", "")) == 17, "eighty bits and a check"


async def test_wrong_used_and_old_codes_are_told_alike(house: House) -> None:
    ref, old = await ordered(house)
    code = (await house.api.post(f"/api/v1/cards/{ref}/activation")).json()["code"]
    async with await driver(house, "dora") as dora, await driver(house, "emil") as emil:
        assert (await dora.post("/api/v1/enrolments/activate", json={"code": code})).status_code == 200
        used = (code, old, "0FBH-3J6V-BS53-EGC9-B", "0FBH-3J6V-BS53-EGC9-C", TAPPED, "?", "x" * 64)
        answers = [await emil.post("/api/v1/enrolments/activate", json={"code": one}) for one in used]
    assert {(one.status_code, one.content) for one in answers} == {(422, answers[0].content)}
    assert (await house.api.post(f"/api/v1/cards/{ref}/activation")).status_code == 409, "it has a holder now"
    assert (await house.api.post(f"/api/v1/cards/p1:{'0' * 32}/activation")).status_code == 404
    for row in await house.door.rows(card):
        assert code not in str(row)
        assert row.activation is None


@ONE_ENGINE
async def test_guessing_codes_ends_soon(house: House) -> None:
    async with await driver(house, "dora") as dora:
        tries = [await dora.post("/api/v1/enrolments/activate", json={"code": str(n)}) for n in range(12)]
    assert [one.status_code for one in tries[:10]] == [422] * 10
    assert tries[-1].status_code == 429
    assert int(tries[-1].headers["Retry-After"]) >= 1


@ONE_ENGINE
async def test_a_blocked_card_has_no_code(house: House) -> None:
    made = await house.api.post("/api/v1/cards", json={"number": TAPPED, "state": "blocked"})
    assert (await house.api.post(f"/api/v1/cards/{made.json()['ref']}/activation")).status_code == 409
