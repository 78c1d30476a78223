"""E4: starting and stopping what is not one's own; to whoever tries, it does not exist."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.web.conftest import House
from tests.web.phones import DIALECTS, Puppet, becoming, listed, puppet, signed_in, started, viewer
from wattkeeper.charging.person import Role
from wattkeeper.charging.station import Version
from wattkeeper.store import journal

NOWHERE = "0123456789abcdef"
NO_SESSION = "0000-0000-0"
STAFF = tuple(role for role in Role if role.is_staff)


@pytest.fixture
async def dora(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A driver's phone; CP1 can be found."""
    await listed(house)
    async with await signed_in(house) as phone:
        yield phone


async def charging(dora: httpx.AsyncClient, station: Puppet) -> tuple[str, str]:
    """Dora charges; the start and its session."""
    start = (await started(dora))["id"]
    await station.begin(await station.token())
    return start, str((await becoming(dora, start, "charging"))["session"])


async def tried(thief: httpx.AsyncClient, start: str, session: str) -> list[tuple[int, str]]:
    """What somebody hears who names another's start and session in every path."""
    answers = [
        await thief.get(f"/api/v1/starts/{start}"),
        await thief.post(f"/api/v1/starts/{start}/stop"),
        await thief.post(f"/api/v1/sessions/{session}/stop"),
        await thief.get(f"/api/v1/sessions/{session}/receipt"),
        await thief.get(f"/api/v1/sessions/{session}"),
    ]
    return [(answer.status_code, answer.text) for answer in answers]


@pytest.mark.parametrize("version", DIALECTS)
async def test_e4_another_driver_s_session_does_not_exist(
    house: House, dora: httpx.AsyncClient, version: Version
) -> None:
    async with puppet(house, version) as station, await signed_in(house, "mallory") as mallory:
        start, session = await charging(dora, station)
        theirs = await tried(mallory, start, session)
        assert theirs == await tried(mallory, NOWHERE, NO_SESSION)
        assert {status for status, _ in theirs} == {404}
        assert not station.times("Stop")
        assert (await mallory.get("/api/v1/starts")).json()["items"] == []
        assert (await dora.post(f"/api/v1/sessions/{session}/stop")).status_code == 202
        await station.asked("Stop")


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_e4_nobody_starts_on_another_s_wish(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station, await signed_in(house, "mallory") as mallory:
        where = {"station": "CP1", "evse": 1}
        mine = await dora.post("/api/v1/starts", json=where, headers={"Idempotency-Key": "wish"})
        theirs = await mallory.post("/api/v1/starts", json=where, headers={"Idempotency-Key": "wish"})
        assert mine.json()["id"] != theirs.json()["id"]
        assert theirs.json()["state"] == "refused"
        for extra in ("person", "person_id", "account", "card", "ref", "token", "id_token"):
            answer = await mallory.post("/api/v1/starts", json=where | {extra: mine.json()["id"]})
            assert answer.status_code == 422, extra
        await station.asked("Start")


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("role", STAFF)
async def test_e4_staff_start_and_stop_on_nobody_s_account(house: House, dora: httpx.AsyncClient, role: Role) -> None:
    async with puppet(house) as station, await signed_in(house, "staff", role) as staff:
        start, session = await charging(dora, station)
        station.heard.clear()
        for answer in (
            await staff.post("/api/v1/starts", json={"station": "CP1", "evse": 1}),
            await staff.get(f"/api/v1/starts/{start}"),
            await staff.post(f"/api/v1/starts/{start}/stop"),
            await staff.post(f"/api/v1/sessions/{session}/stop"),
        ):
            assert answer.status_code == 403
        assert station.heard == []


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_e4_a_program_starts_on_nobody_s_account(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        start, session = await charging(dora, station)
        station.heard.clear()
        assert (await house.api.post("/api/v1/starts", json={"station": "CP1", "evse": 1})).status_code == 403
        assert (await house.api.post(f"/api/v1/starts/{start}/stop")).status_code == 403
        assert (await house.api.post(f"/api/v1/sessions/{session}/stop")).status_code == 403
        assert station.heard == []


async def test_e4_the_stream_of_a_driver_carries_only_own_sessions(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station, await signed_in(house, "mallory"):
        _, session = await charging(dora, station)
        await station.read(5, 2000)
    seen = {}
    async with house.rooms.store.read() as connection:
        for name in ("dora", "mallory"):
            told = await journal.marks_after(connection, await viewer(house, name), 0, 1000)
            seen[name] = {one.session for one in told.marks}
    assert seen == {"dora": {session.replace("-", "")}, "mallory": set()}


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_e22_fifty_starts_at_once_at_one_connector_are_one(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        phones = [await signed_in(house, f"driver{n}") for n in range(20)]
        told = await asyncio.gather(*(started(phone) for phone in phones))
        assert len([one for one in told if one["state"] != "refused"]) == 1
        await station.asked("Start")
        assert station.times("Start") == 1
