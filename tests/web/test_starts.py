"""A driver starts from the phone, in both dialects: from the tap to the end, and every way it comes to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests.doors import until
from tests.web.conftest import House, house_of
from tests.web.phones import DIALECTS, Skipped, becoming, listed, puppet, signed_in, started, viewer
from wattkeeper.charging.person import Role
from wattkeeper.charging.station import Version
from wattkeeper.operations import starts
from wattkeeper.store.sessions import start as kept
from wattkeeper.store.tables import orders, phone_start

HERE = {"station": "CP1", "evse": 1}
ONCE = pytest.mark.parametrize("engine", ["sqlite"])
"""Where a test is not about the store."""


@pytest.fixture
async def dora(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A driver's phone; CP1 can be found."""
    await listed(house)
    async with await signed_in(house) as phone:
        yield phone


@pytest.mark.parametrize("version", DIALECTS)
async def test_a_whole_session_from_the_phone(house: House, dora: httpx.AsyncClient, version: Version) -> None:
    async with puppet(house, version) as station:
        start = (await started(dora))["id"]
        token = await station.token()
        taken = await becoming(dora, start, "taken")
        assert taken["words"] == "The station is ready. Plug in the cable now."
        assert taken["plug_in_by"]
        await station.status("Preparing")
        assert (await becoming(dora, start, "taken"))["words"] == "The station begins."
        assert await station.begin(token) == "Accepted"
        charging = await becoming(dora, start, "charging")
        await station.read(10, 2000)
        running = (await dora.get(f"/api/v1/sessions/{charging['session']}/receipt")).json()
        assert (running["live"], running["energy_wh"], running["power_w"]) == (True, 1000, 7400)
        stopping = await dora.post(f"/api/v1/starts/{start}/stop")
        assert stopping.status_code == 202, stopping.text
        asked = await station.asked("Stop")
        assert str(asked.get("transactionId")) == station.ref
        await station.end(20, 3000)
        ended = await becoming(dora, start, "stopped")
    assert ended["session"] == charging["session"]
    told = (await dora.get(f"/api/v1/sessions/{ended['session']}")).json()
    assert (told["state"], told["energy_wh"], told["grade"]) == ("ended", 2000, "measured")
    assert [one["id"] for one in (await dora.get("/api/v1/sessions")).json()["items"]] == [ended["session"]]
    for client in (dora, house.api):
        assert (await client.get(f"/api/v1/sessions/{ended['session']}")).json()["card"]["shown"] == "phone"
    async with await signed_in(house, "sam", Role.SUPPORT) as sam:
        for path in ("/sessions", f"/sessions/{ended['session'].replace('-', '')}"):
            page = (await sam.get(path)).text
            assert "<span>phone</span>" in page, path
            assert "unknown card" not in page, path
    async with await signed_in(house, "hal", Role.SITE_HOST) as hal:
        assert "<span>phone</span>" not in (await hal.get("/sessions")).text


@ONCE
@pytest.mark.parametrize("version", DIALECTS)
async def test_a_station_that_declines_is_told_in_words(
    house: House, dora: httpx.AsyncClient, version: Version
) -> None:
    no = {"status": "Rejected"}
    declined: dict[str, Any] = {"RemoteStartTransaction": no, "RequestStartTransaction": no}
    async with puppet(house, version, **declined) as station:
        cases = [("Available", starts.CABLE_OUT), ("Reserved", starts.RESERVED)]
        if station.is_16:
            cases.append(("Finishing", starts.DECLINED))
        for status, why in cases:
            await station.status(status)
            refused = await becoming(dora, (await started(dora))["id"], "refused")
            assert refused["why"] == why
            assert why in refused["words"]
    assert (await dora.get("/api/v1/sessions")).json()["items"] == []


@ONCE
async def test_a_connector_out_of_order_is_not_even_asked(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        await station.status("Faulted")
        refused = await started(dora)
        assert (refused["state"], refused["why"]) == ("refused", starts.BROKEN)
        assert not station.times("Start")


@ONCE
async def test_a_station_that_is_away_is_said_to_be(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house):
        pass
    await until(lambda: not house.rooms.dispatch.connected("CP1"), "the end of the connection")
    refused = await started(dora)
    assert (refused["state"], refused["why"]) == ("refused", starts.OFFLINE)


@ONCE
async def test_a_station_that_does_not_answer_is_said_not_to(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house, RemoteStartTransaction=None) as station:
        start = (await started(dora))["id"]
        await station.asked("Start")
        assert (await becoming(dora, start, "asked"))["words"] == "The station is being asked."
    refused = await becoming(dora, start, "refused")
    assert refused["why"] == starts.NO_ANSWER


@ONCE
async def test_a_cable_that_is_never_plugged_in(house: House, dora: httpx.AsyncClient) -> None:
    clock = house.door.store.clock = Skipped()
    async with puppet(house) as station:
        start = (await started(dora))["id"]
        await becoming(dora, start, "taken")
        clock.by = timedelta(minutes=4)
        late = await becoming(dora, start, "late")
        assert (late["why"], late["session"]) == (starts.NOTHING_BEGAN, None)
        assert await station.authorize() == "Blocked", "whoever plugs in next does not charge on it"
        station.heard.clear()
        again = await started(dora)
        assert again["id"] != start
        assert await station.begin(await station.token()) == "Accepted"
        await becoming(dora, again["id"], "charging")


@ONCE
async def test_what_is_called_off_does_not_begin(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        start = (await started(dora))["id"]
        token = await station.token()
        await becoming(dora, start, "taken")
        off = (await dora.post(f"/api/v1/starts/{start}/stop")).json()
        assert (off["state"], off["words"]) == ("stopped", starts.CALLED_OFF)
        assert await station.begin(token) == "Blocked"


@ONCE
async def test_the_token_of_a_start_is_good_nowhere_else(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        await started(dora)
        token = await station.token()
        told = {"connectorId": 2, "idTag": token, "meterStart": 0, "timestamp": "2026-03-01T12:00:00Z"}
        assert (await station.say("StartTransaction", **told))["idTagInfo"]["status"] != "Accepted"


# --- once, and one ----------------------------------------------------------------------------------------


async def test_the_same_wish_is_the_same_start(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        first = await dora.post("/api/v1/starts", json=HERE, headers={"Idempotency-Key": "w1"})
        again = await dora.post("/api/v1/starts", json=HERE, headers={"Idempotency-Key": "w1"})
        tapped_twice = await started(dora)
        await station.asked("Start")
        assert first.json()["id"] == again.json()["id"] == tapped_twice["id"]
        elsewhere = await dora.post("/api/v1/starts", json=HERE | {"evse": 2}, headers={"Idempotency-Key": "w1"})
        assert elsewhere.status_code == 404
        assert station.times("Start") == 1


async def test_a_tap_that_is_sent_fifty_times_starts_once(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        many = await asyncio.gather(*(started(dora) for _ in range(50)))
        await becoming(dora, many[0]["id"], "taken")
        assert len({one["id"] for one in many}) == 1
        assert station.times("Start") == 1


async def test_of_two_drivers_at_one_connector_one_wins(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station, await signed_in(house, "emil") as emil:
        both = await asyncio.gather(started(dora), started(emil))
        await station.asked("Start")
        refused = [one for one in both if one["state"] == "refused"]
        assert [one["why"] for one in refused] == [starts.OTHERS]
        assert station.times("Start") == 1
        assert await station.begin(await station.token()) == "Accepted"
        late = await started(emil if both[1]["state"] == "refused" else dora)
        assert (late["state"], late["why"]) == ("refused", starts.IN_USE)


@ONCE
async def test_the_refusal_of_one_frees_the_connector_for_another(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house, RemoteStartTransaction={"status": "Rejected"}) as station:
        await started(dora)  # and never looked at again
        await station.asked("Start")
        station.answers.clear()
        async with await signed_in(house, "emil") as emil:
            for _ in range(100):
                one = await started(emil)
                if one["state"] != "refused":
                    break
                assert one["why"] == starts.OTHERS
                await asyncio.sleep(0.02)
            await becoming(emil, one["id"], "taken")


@ONCE
async def test_nobody_charges_at_more_places_than_may_be(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        for connector in (2, 3, 4):
            told = {"connectorId": connector, "status": "Available", "errorCode": "NoError"}
            await station.say("StatusNotification", **told)
            start = await started(dora, station="CP1", evse=connector)
            token = await station.token()
            at = {"meterStart": 0, "timestamp": "2026-03-01T12:00:00Z"}
            answer = await station.say("StartTransaction", connectorId=connector, idTag=token, **at)
            assert answer["idTagInfo"]["status"] == "Accepted"
            assert (await becoming(dora, start["id"], "charging"))["evse"] == connector
            station.heard.clear()
        assert (await started(dora))["why"] == starts.TOO_MANY


# --- dying and coming back --------------------------------------------------------------------------------


async def test_a_start_whose_order_was_never_kept_is_settled(house: House, dora: httpx.AsyncClient) -> None:
    """What a kill leaves between the two transactions: the start and its token, and no order."""
    clock = house.door.store.clock = Skipped()
    who, start = await viewer(house), "0123456789abcdef"
    async with puppet(house):
        async with house.rooms.store.unit() as unit:
            until_ = unit.now + timedelta(minutes=15)
            ref, _ = await house.rooms.cards.make_app_token(unit, who.person, "CP1", 1, until_)
            await kept.keep(unit, start, who.person, who.account, ref, "CP1", 1, "asked", None)
        assert (await becoming(dora, start, "asked"))["why"] is None
        clock.by = timedelta(seconds=11)
        assert (await becoming(dora, start, "refused"))["why"] == starts.CUT_OFF
        assert (await started(dora))["state"] != "refused"


@ONCE
async def test_an_order_that_was_sent_when_we_died_is_settled_by_what_follows(
    house: House, dora: httpx.AsyncClient
) -> None:
    async with puppet(house, RemoteStartTransaction=None) as station:
        start = (await started(dora))["id"]
        token = await station.token()
        reborn = await house_of(house.door)
        await reborn.rooms.dispatch.expire_old(at_start=True)
        assert (await becoming(dora, start, "refused"))["why"] == starts.NO_ANSWER
        assert await station.begin(token) == "Blocked", "the driver was told that it failed, and may be gone"
        assert (await becoming(dora, start, "charging"))["session"], "what runs all the same is shown"


@ONCE
async def test_an_answer_that_was_lost_is_made_up_for_by_the_session(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house, RemoteStartTransaction=None) as station:
        start = (await started(dora))["id"]
        token = await station.token()
        reborn = await house_of(house.door)
        await reborn.rooms.dispatch.expire_old(at_start=True)
        assert await station.begin(token) == "Accepted"
        assert (await becoming(dora, start, "charging"))["session"]


# --- what is kept -----------------------------------------------------------------------------------------


@ONCE
async def test_the_token_is_nowhere_to_be_read(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        start = (await started(dora))["id"]
        token = await station.token()
        await becoming(dora, start, "taken")
        await station.begin(token)
        paths = ("starts", f"starts/{start}", "sessions", "orders", "cards", "decisions")
        seen = [(await who.get(f"/api/v1/{path}")).text for who in (dora, house.api) for path in paths]
    assert all(token not in text for text in seen)
    for table in (phone_start, orders):
        async with house.door.store.read() as connection:
            rows = (await connection.execute(select(table))).all()
        assert rows
        assert token not in repr(rows)


@ONCE
async def test_a_start_needs_a_place(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house):
        wrong: list[tuple[dict[str, Any], int]] = [
            ({}, 422),
            ({"station": "CP1"}, 422),
            ({"evse": 1}, 422),
            ({"code": "A" * 24, "station": "CP1", "evse": 1}, 422),
            ({"code": "A" * 24}, 404),
            ({"station": "CP1", "evse": 9}, 404),
            ({"station": "CP9", "evse": 1}, 404),
        ]
        for where, status in wrong:
            assert (await dora.post("/api/v1/starts", json=where)).status_code == status, where
        await listed(house, is_listed=False)
        assert (await dora.post("/api/v1/starts", json=HERE)).status_code == 404
    assert (await dora.get("/api/v1/starts")).json()["items"] == []
