"""What a station says is recorded, then answered; over real sockets, on both engines."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from tests.conftest import OpenDoor
from tests.doors import KEY, PATIENCE_S, Door, Raw, until
from wattkeeper.charging.facts import Booted, Connected, Disconnected, Garbled, HeartBeaten
from wattkeeper.store.tables import journal, station_state

CARD = "CANARY04A224"


@asynccontextmanager
async def broken(door: Door, table: str) -> AsyncIterator[None]:
    """The database fails for a while: a table is not where it should be."""
    async with door.store.unit() as unit:
        await unit.connection.execute(text(f"ALTER TABLE {table} RENAME TO elsewhere"))
    yield
    async with door.store.unit() as unit:
        await unit.connection.execute(text(f"ALTER TABLE elsewhere RENAME TO {table}"))


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
async def test_a_boot_and_a_heartbeat_are_recorded_and_answered(door: Door, version: str) -> None:
    async with door.plugged(versions=[version]) as station:
        kind, _, booted = await station.boot()
        assert (kind, booted["status"], booted["interval"]) == (3, "Accepted", 300)
        assert (await station.call("Heartbeat", {}))[2]["currentTime"]
        assert door.gateway.connected("CP1")
        assert len(await door.facts(Booted)) == len(await door.facts(HeartBeaten)) == 1
    await until(lambda: not door.gateway.connected("CP1"))
    kinds = [fact["kind"] for fact in await door.facts()]
    assert kinds == [kind.__name__ for kind in (Connected, Booted, HeartBeaten, Disconnected)]
    (state,) = await door.rows(station_state)
    assert (state.version, state.online) == (version, False)


async def test_what_was_answered_is_on_disk(door: Door) -> None:
    async with door.plugged() as station:
        start = {"connectorId": 1, "idTag": CARD, "meterStart": 10, "timestamp": "2024-05-01T10:00:00Z"}
        answer = await station.call("StartTransaction", start)
        rows = await door.rows(journal)  # at once, from another connection to the database
        assert [row.kind for row in rows] == ["Connected", "SessionOpened"]
        assert answer[2]["transactionId"] > 0
        assert CARD not in str([dict(row._mapping) for row in rows])


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
async def test_what_cannot_be_stored_is_refused_and_may_come_again(door: Door, version: str) -> None:
    async with door.plugged(versions=[version]) as station:
        await station.boot()
        async with broken(door, "journal"):
            refused = await station.call("Heartbeat", {})
            assert (refused[0], refused[2]) == (4, "InternalError")
            garbled = await _garbled(door, station)
            assert garbled[0] == 4
        assert (await station.call("Heartbeat", {}))[0] == 3
    assert len(await door.facts(HeartBeaten)) == 1


async def _garbled(door: Door, station: object) -> list[object]:
    await station.send('[2,"7",')  # type: ignore[attr-defined]
    heard: list[object] = await station.hear()  # type: ignore[attr-defined]
    return heard


async def test_who_came_while_nothing_could_be_stored_is_told_of_with_its_next_message(door: Door) -> None:
    async with broken(door, "journal"):
        async with door.plugged() as station:
            assert (await station.call("Heartbeat", {}))[0] == 4
        await until(lambda: not door.gateway.connected("CP1"))
    async with broken(door, "journal"):
        raw = await Raw.station(door)
        await until(lambda: door.gateway.connected("CP1"))
        await asyncio.sleep(0.1)
    raw.frame(1, b'[2,"1","Heartbeat",{}]')
    await until(lambda: door.facts(HeartBeaten), "the heartbeat")
    assert [fact["kind"] for fact in await door.facts()] == ["Connected", "HeartBeaten"]


async def test_nobody_is_let_in_while_nobody_can_be_looked_up(door: Door) -> None:
    async with broken(door, "station"):
        assert (await door.refusal())[0] == 503
    async with door.plugged() as station:
        await station.boot()


async def test_an_unreadable_frame_is_kept_sealed(door: Door) -> None:
    async with door.plugged() as station:
        await station.send(f'[2,"7","Authorize",{{"idTag":"{CARD}"')
        answer = await station.hear()
        assert answer[:3] == [4, "7", "FormationViolation"]
    (row,) = [row for row in await door.rows(journal) if row.kind == Garbled.__name__]
    assert CARD not in str(dict(row._mapping))
    assert CARD in json.loads(door.safe.unseal("journal", "sealed", bytes(row.sealed)))["frame"]


async def test_a_flood_of_unreadable_frames_is_answered_but_not_all_kept(door: Door) -> None:
    async with door.plugged() as station:
        for n in range(200):
            await station.send(f'[2,"{n}",')
            assert (await station.hear())[:2] == [4, str(n)]
        assert (await station.call("Heartbeat", {}))[0] == 3
    assert len(await door.facts(Garbled)) == 60


async def test_a_fault_of_ours_in_reading_costs_neither_the_frame_nor_the_station(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with door.plugged() as station:
        await station.boot()
        with monkeypatch.context() as fault:
            fault.setattr("wattkeeper.ocpp.link.Link.receive", lambda _link, frame: int(frame))
            answer = await station.call("Authorize", {"idTag": CARD})
        assert (answer[0], answer[2]) == (4, "InternalError")
        assert (await station.call("Heartbeat", {}))[0] == 3
    (row,) = [row for row in await door.rows(journal) if row.kind == Garbled.__name__]
    assert CARD in json.loads(door.safe.unseal("journal", "sealed", bytes(row.sealed)))["frame"]
    assert CARD not in caplog.text
    assert "ValueError" in caplog.text


async def test_going_away_is_told_and_every_end_is_written_down(door: Door) -> None:
    keys = {f"CP{n}": await door.admit(f"CP{n}") for n in range(10, 20)}
    raws = [await Raw.station(door, name, key) for name, key in keys.items()]
    await until(lambda: _count(door, 10))
    stopping = asyncio.create_task(door.gateway.stop())
    for raw in raws:
        told = await asyncio.wait_for(raw.reader.readexactly(4), PATIENCE_S)
        assert (told[:1], int.from_bytes(told[2:])) == (b"\x88", 1001)
        raw.hang_up()
    await stopping
    ends = await door.facts(Disconnected)
    assert {end["station"] for end in ends} == set(keys)
    assert {end["reason"] for end in ends} == {"Wattkeeper is stopping."}
    assert not door.gateway.connected("CP10")


async def _count(door: Door, wanted: int) -> bool:
    return len(await door.facts(Connected)) == wanted


async def test_the_log_holds_no_keys_no_cards_and_no_payloads(
    open_door: OpenDoor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    door = await open_door()
    await door.admit("CP1", KEY)
    guess = "guessguess0123456789guess"
    for _ in range(7):
        await door.refusal("CP1", guess)
    async with door.plugged() as station:
        await station.boot()
        await station.call("Authorize", {"idTag": CARD})
        await station.send(f'[2,"1","{CARD}"')
        await station.hear()
        async with broken(door, "journal"):
            await station.call("Authorize", {"idTag": CARD})
    theirs = ("websockets.client", "aiosqlite", "asyncio")  # the station's own end of the line, and the driver
    ours = "\n".join(logging.Formatter().format(one) for one in caplog.records if not one.name.startswith(theirs))
    assert "was refused" in ours
    for secret in (KEY, guess, CARD, CARD[:8]):
        assert secret not in ours
