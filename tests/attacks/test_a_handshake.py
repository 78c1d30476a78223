"""Attacks on the opening handshake: web pages, dialects."""

from __future__ import annotations

import asyncio

import pytest

from tests.conftest import OpenDoor
from tests.doors import KEY, PATIENCE_S, Door, Raw, basic, opening, until
from wattkeeper.charging.facts import Alarmed, Connected


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8080", ""])
async def test_a19_a_web_page_is_no_station(door: Door, origin: str) -> None:
    raw = await Raw.dial(door)
    raw.writer.write(opening("/ocpp/CP1", basic("CP1", KEY) | {"Origin": origin}))
    status, _ = await raw.answer()
    assert status == 403
    raw.hang_up()
    assert await door.facts() == []


async def test_a20_a_known_station_that_names_no_dialect_is_served_in_the_one_set_for_it(door: Door) -> None:
    async with door.plugged(versions=[]) as station:
        assert station.socket.subprotocol is None
        assert (await station.boot())[2]["status"] == "Accepted"
    assert [fact["version"] for fact in await door.facts(Connected)] == ["ocpp1.6"]


@pytest.mark.parametrize("offered", ["ocpp9.9", "ocpp1.5, ocpp2.0", "mqtt"])
async def test_a20_unknown_dialects_complete_the_handshake_and_are_closed(door: Door, offered: str) -> None:
    raw = await Raw.dial(door)
    raw.writer.write(opening("/ocpp/CP1", basic("CP1", KEY), versions=offered))
    status, head = await raw.answer()
    assert status == 101
    assert b"Sec-WebSocket-Protocol" not in head
    assert await asyncio.wait_for(raw.reader.readexactly(1), PATIENCE_S) == b"\x88"
    raw.hang_up()
    assert await door.facts() == []


async def test_a20_no_dialect_is_closed_where_that_is_set(open_door: OpenDoor) -> None:
    door = await open_door(missing_subprotocol="")
    await door.admit("CP1", KEY)
    async with door.plugged(versions=[]) as station:
        assert await station.closed() == 1002


async def test_a20_of_both_dialects_the_newer_is_spoken(door: Door) -> None:
    async with door.plugged(versions=["ocpp1.6", "ocpp2.0.1"]) as station:
        assert station.socket.subprotocol == "ocpp2.0.1"
        assert (await station.boot())[2]["status"] == "Accepted"


async def test_a20_a_station_keeps_the_dialect_it_has_spoken(door: Door) -> None:
    async with door.plugged(versions=["ocpp1.6"]) as station:
        await station.boot()
    await until(lambda: not door.gateway.connected("CP1"))
    async with door.plugged(versions=["ocpp2.0.1", "ocpp1.6"]) as station:
        assert station.socket.subprotocol == "ocpp1.6"
        await station.boot()
    assert await door.facts(Alarmed) == []


async def test_a20_a_change_of_dialect_is_let_in_and_raises_an_alarm(door: Door) -> None:
    for version in ("ocpp1.6", "ocpp2.0.1", "ocpp2.0.1"):
        async with door.plugged(versions=[version]) as station:
            assert (await station.boot())[2]["status"] == "Accepted"
        await until(lambda: not door.gateway.connected("CP1"))
    alarms = await door.facts(Alarmed)
    assert [alarm["code"] for alarm in alarms] == ["VersionChanged"]
    assert "ocpp1.6" in alarms[0]["summary"]


async def test_a20_the_stations_own_spelling_is_answered(door: Door) -> None:
    async with door.plugged(versions=["OCPP1.6"]) as station:
        assert station.socket.subprotocol == "OCPP1.6"
        assert (await station.boot())[0] == 3


@pytest.mark.parametrize("path", ["/", "/ocpp", "/ocpp/", "/ocpp/CP1/more", "/api/v1/stations", "/ocpp/%ff"])
async def test_other_paths_are_not_found(door: Door, path: str) -> None:
    raw = await Raw.dial(door)
    raw.writer.write(opening(path, basic("CP1", KEY)))
    assert (await raw.answer())[0] == 404
    raw.hang_up()


@pytest.mark.parametrize("name", ["RDAM 123", "DE*ABC*E1:2", "Säule 7", "a|b@c", "a/b"])
async def test_identities_are_percent_decoded(door: Door, name: str) -> None:
    key = await door.admit(name)
    async with door.plugged(name, key) as station:
        await station.boot()
    assert {fact["station"] for fact in await door.facts()} == {name}


@pytest.mark.parametrize("spelled", [bytes.fromhex(KEY), KEY.upper(), KEY.encode().hex()])
async def test_a_key_is_recognised_in_the_spellings_of_stations(door: Door, spelled: str | bytes) -> None:
    """Q47: some send the bytes that the hex digits stand for, or the hex digits of the bytes."""
    async with door.plugged("CP1", spelled) as station:
        await station.boot()
