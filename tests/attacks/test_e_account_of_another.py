"""E4: charging on another's account with a token that was made for one start from their phone.

Whoever runs a station, or its line, sees the token that it was asked to start on; all that it may bring is that start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.doors import until
from tests.web.conftest import House
from tests.web.phones import DIALECTS, Puppet, Skipped, becoming, listed, puppet, signed_in, stamp, started, viewer
from wattkeeper.charging.cards.token import CardKind
from wattkeeper.charging.station import Version
from wattkeeper.operations import starts
from wattkeeper.store.tables import orders

ONCE = pytest.mark.parametrize("engine", ["sqlite"])
"""Where it is not about the store."""


@pytest.fixture
async def dora(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A driver's phone; CP1 can be found."""
    await listed(house)
    async with await signed_in(house) as phone:
        yield phone


async def sessions_of(phone: httpx.AsyncClient) -> list[Any]:
    """What a driver finds in their history."""
    return list((await phone.get("/api/v1/sessions")).json()["items"])


async def _declined(house: House) -> bool:
    """Whether the station's no to a start is kept."""
    return any(row.outcome == "rejected" for row in await house.door.rows(orders))


def right(station: Puppet, **earlier: float) -> Puppet:
    """The station, with a clock that is right."""
    station.at = datetime.now(UTC).replace(microsecond=0) - timedelta(**earlier)
    return station


@pytest.mark.parametrize("version", DIALECTS)
async def test_e4_a_start_s_token_begins_one_session_and_no_other(
    house: House, dora: httpx.AsyncClient, version: Version
) -> None:
    """The cable is pulled and somebody else's put in; the station tells of a session on the token that it still has."""
    async with puppet(house, version) as station:
        start = (await started(dora))["id"]
        token = await station.token()
        assert await station.begin(token) == "Accepted"
        first = (await becoming(dora, start, "charging"))["session"]
        await station.end(10, 2000)
        await becoming(dora, start, "stopped")
        station.at += timedelta(minutes=11)
        assert await station.begin(token, 2000) not in ("Accepted", "ConcurrentTx")
        told = await becoming(dora, start, "stopped")
        assert told["session"] == first, "what the station makes of its token is not the driver's start"


@ONCE
async def test_e4_an_authorize_of_a_used_token_is_refused(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        start = (await started(dora))["id"]
        assert await station.begin(await station.token()) == "Accepted"
        await becoming(dora, start, "charging")
        assert await station.authorize() == "Accepted", "it may end what it began"
        await station.end(10, 2000)
        assert await station.authorize() != "Accepted"


@ONCE
async def test_e4_a_replay_of_the_start_is_the_same_session(house: House, dora: httpx.AsyncClient) -> None:
    """A station that did not hear our answer asks again, as it may, even after the end."""
    async with puppet(house) as station:
        start = (await started(dora))["id"]
        token = await station.token()
        assert await station.begin(token) == "Accepted"
        number = station.ref
        assert await station.begin(token) == "Accepted"
        assert station.ref == number
        await station.end(10, 2000)
        await station.begin(token)
        assert station.ref == number
        await becoming(dora, start, "stopped")


@ONCE
async def test_e4_nobody_s_car_begins_late_on_a_start_that_nobody_looks_at(
    house: House, dora: httpx.AsyncClient
) -> None:
    """The driver left without a look at the phone; whoever plugs in ten minutes later does not charge on them."""
    clock = house.door.store.clock = Skipped()
    async with puppet(house) as station:
        start = (await started(dora))["id"]
        await becoming(dora, start, "taken")
        clock.by = timedelta(minutes=10)
        right(station, minutes=-10)
        assert await station.begin(await station.token()) != "Accepted"


@ONCE
async def test_e4_what_began_in_time_and_is_told_late_is_the_driver_s(house: House, dora: httpx.AsyncClient) -> None:
    clock = house.door.store.clock = Skipped()
    async with puppet(house) as station:
        start = (await started(dora))["id"]
        await becoming(dora, start, "taken")
        clock.by = timedelta(minutes=10)
        right(station, minutes=-1)
        assert await station.begin(await station.token()) == "Accepted"
        await becoming(dora, start, "charging")


@ONCE
async def test_e4_who_starts_next_ends_what_was_asked_before(house: House, dora: httpx.AsyncClient) -> None:
    """The station took two starts; the second driver plugs in, and the station tells of the first one's token."""
    clock = house.door.store.clock = Skipped()
    async with puppet(house) as station, await signed_in(house, "emil") as emil:
        await becoming(dora, (await started(dora))["id"], "taken")
        old = await station.token()
        clock.by = timedelta(minutes=4)
        station.heard.clear()
        second = (await started(emil))["id"]
        await becoming(emil, second, "taken")
        assert await station.begin(old) != "Accepted", "its clock is behind, so it seems to be in time"
        assert await sessions_of(emil) == []


@ONCE
async def test_e4_a_station_that_declined_begins_nothing(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house, RemoteStartTransaction={"status": "Rejected"}) as station:
        await started(dora)
        token = await station.token()
        await until(lambda: _declined(house), "the station's answer")
        assert await station.begin(token) != "Accepted"


@pytest.mark.parametrize("version", DIALECTS)
async def test_e4_a_captured_token_is_good_at_no_other_station(
    house: House, dora: httpx.AsyncClient, version: Version
) -> None:
    """A hostile station tells of a session on it: that is refused, held, and does not become the driver's start."""
    await house.door.admit("CP2", "badc0ffee00badc0ffee11badc0ffee22badc0ff")
    async with (
        puppet(house, version) as station,
        house.door.plugged("CP2", "badc0ffee00badc0ffee11badc0ffee22badc0ff", versions=[version.value]) as evil,
    ):
        start = (await started(dora))["id"]
        token = await station.token()
        await becoming(dora, start, "taken")
        other = Puppet(evil, version)
        listens = asyncio.create_task(other.listen())
        await other.boot()
        assert await other.begin(token) != "Accepted"
        told = (await dora.get(f"/api/v1/starts/{start}")).json()
        assert (told["state"], told["session"]) == ("taken", None)
        assert await station.begin(token) == "Accepted", "the true one is not kept out by it"
        charging = await becoming(dora, start, "charging")
        row = await dora.get(f"/api/v1/sessions/{charging['session']}")
        assert row.json()["station"] == "CP1"
        for one in await sessions_of(dora):
            assert one["station"] == "CP1" or one["grade"] == "disputed", one
        listens.cancel()
        await asyncio.gather(listens, return_exceptions=True)


@ONCE
async def test_e4_sessions_that_a_station_invents_do_not_lock_a_driver_out(
    house: House, dora: httpx.AsyncClient
) -> None:
    """A station that knows a card's number tells of sessions on it that we refused; the holder still starts."""
    number = "04C0FFEE11AA22"
    who = await viewer(house)
    async with house.rooms.store.unit() as unit:
        await house.rooms.cards.enroll_for(unit, who.person, number, CardKind.CARD, None, {}, "test")
    async with puppet(house) as station:
        for connector in range(2, 8):
            told = {"idTag": number, "meterStart": 0, "timestamp": stamp(datetime.now(UTC))}
            await station.say("StartTransaction", connectorId=connector, **told)
        start = await started(dora)
        assert start["why"] != starts.TOO_MANY


async def test_e22_nobody_keeps_every_connector_from_others_by_asking(house: House, dora: httpx.AsyncClient) -> None:
    """Ten starts at once at ten connectors: three are asked for, the others stay free for whoever is there."""
    async with puppet(house) as station:
        for connector in range(2, 11):
            told = {"connectorId": connector, "status": "Available", "errorCode": "NoError"}
            await station.say("StatusNotification", **told)
        made = await asyncio.gather(*(started(dora, station="CP1", evse=connector) for connector in range(1, 11)))
        assert sum(one["state"] != "refused" for one in made) == starts.MOST_AT_ONCE
        assert {one["why"] for one in made if one["state"] == "refused"} == {starts.TOO_MANY}
