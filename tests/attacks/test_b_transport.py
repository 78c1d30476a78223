"""Attacks on the transport: sizes, bombs, slowness, silence, floods. None of them needs the store's help."""

from __future__ import annotations

import asyncio
import gc
import struct
import zlib
from collections.abc import Callable

import pytest

from tests.conftest import OpenDoor
from tests.doors import KEY, PATIENCE_S, Door, Raw, basic, close_code, masked, opening, until
from wattkeeper.charging.facts import Connected, Disconnected

MEBIBYTE = 2**20
TEXT, PING, PONG = 1, 9, 10


@pytest.fixture
def engine() -> str:
    """One engine is enough here."""
    return "sqlite"


@pytest.fixture
def grown() -> Callable[[], int]:
    """How many bytes this process has grown since the test began."""
    gc.collect()
    process = pytest.importorskip("psutil").Process()
    before: int = process.memory_info().rss
    return lambda: int(process.memory_info().rss) - before


async def still_works(door: Door) -> None:
    """Another station gets in and is served."""
    key = await door.admit("CP-OTHER")
    async with door.plugged("CP-OTHER", key) as other:
        assert (await other.boot())[2]["status"] == "Accepted"


@pytest.mark.parametrize("length", [MEBIBYTE + 1, 100 * MEBIBYTE, 2**63 - 1])
async def test_b1_a_frame_that_is_too_large_is_refused_by_its_header(door: Door, length: int) -> None:
    raw = await Raw.station(door)
    raw.writer.write(masked(TEXT, b"", length=length))  # no byte of the payload is needed for the answer
    assert close_code(await raw.rest()) == 1009
    raw.hang_up()
    await until(lambda: not door.gateway.connected("CP1"))
    await still_works(door)


async def test_b1_many_fragments_of_one_message_are_refused_too(door: Door) -> None:
    raw = await Raw.station(door)
    raw.writer.write(b"\x01" + masked(TEXT, b"x" * 1000)[1:])
    for _ in range(1_100):
        raw.writer.write(b"\x00" + masked(TEXT, b"x" * 1000)[1:])
    assert close_code(await raw.rest()) == 1009
    raw.hang_up()


async def test_b1_what_real_stations_send_is_not_too_large(door: Door) -> None:
    async with door.plugged() as station:
        report = {"vendorId": "Volt", "data": "x" * 400_000}
        assert (await station.call("DataTransfer", report))[0] == 3


async def test_b2_a_compression_bomb_is_refused_when_it_unfolds(door: Door, grown: Callable[[], int]) -> None:
    raw = await Raw.station(
        door, versions="ocpp2.0.1", headers={"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    )
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packer.compress(bytes(MEBIBYTE))
    packer.flush(zlib.Z_FULL_FLUSH)
    mebibyte = packer.compress(bytes(MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = mebibyte * 512
    assert len(bomb) < MEBIBYTE
    raw.frame(TEXT, bomb, compressed=True)
    assert close_code(await raw.rest()) == 1009
    assert grown() < 64 * MEBIBYTE
    raw.hang_up()


@pytest.mark.parametrize(("version", "agreed"), [("ocpp1.6", False), ("ocpp2.0.1", True)])
async def test_b2_compression_is_for_2x_and_keeps_nothing_between_messages(
    door: Door, version: str, agreed: bool
) -> None:
    raw = await Raw.dial(door)
    headers = basic("CP1", KEY) | {"Sec-WebSocket-Extensions": "permessage-deflate"}
    raw.writer.write(opening("/ocpp/CP1", headers, versions=version))
    _, head = await raw.answer()
    assert (b"permessage-deflate" in head) is agreed
    assert (b"server_no_context_takeover" in head and b"client_no_context_takeover" in head) is agreed
    raw.hang_up()


async def test_b2_compressed_messages_are_understood(door: Door) -> None:
    async with door.plugged(versions=["ocpp2.0.1"], compression="deflate") as station:
        assert (await station.boot())[2]["status"] == "Accepted"
        for _ in range(3):
            assert (await station.call("Heartbeat", {}))[0] == 3


async def test_b4_slow_handshakes_are_cut_off_and_hinder_nobody(open_door: OpenDoor, grown: Callable[[], int]) -> None:
    door = await open_door(handshake_s=1.5)
    slow = [await Raw.dial(door) for _ in range(200)]
    for raw in slow:
        raw.writer.write(b"GET /ocpp/CP1 HT")
    await still_works(door)
    for raw in slow:
        assert b"101" not in await raw.rest()
        raw.hang_up()
    assert grown() < 64 * MEBIBYTE


async def test_b4_an_endless_opening_request_is_cut_off(door: Door) -> None:
    raw = await Raw.dial(door)
    raw.writer.write(b"GET /ocpp/CP1 HTTP/1.1\r\n" + b"X: xxxxxxxxxxxxx\r\n" * 100)
    for _ in range(4):
        raw.writer.write(b"X: " + b"x" * 4_000 + b"\r\n")
    assert (await raw.answer())[0] == 431
    raw.hang_up()
    await still_works(door)


async def test_b5_whoever_is_silent_and_answers_no_ping_is_dropped(open_door: OpenDoor) -> None:
    door = await open_door(ping_s=0.2, pong_s=0.2)
    await door.admit("CP1", KEY)
    raw = await Raw.station(door)
    assert b"\x89" in await raw.rest()  # it was asked
    raw.hang_up()
    (gone,) = await until(lambda: door.facts(Disconnected), "the end")
    assert "ping" in gone["reason"]


async def test_b5_whoever_answers_pings_or_says_anything_stays(open_door: OpenDoor) -> None:
    """Q46: some stations never pong; what they say is life enough."""
    door = await open_door(ping_s=0.2, pong_s=2.5)
    await door.admit("CP1", KEY)
    chatty = await Raw.station(door)
    key = await door.admit("CP2")
    async with door.plugged("CP2", key) as quiet:
        await quiet.boot()
        for n in range(9):
            chatty.frame(TEXT, f'[2,"{n}","Heartbeat",{{}}]'.encode())
            await asyncio.sleep(0.5)
        assert door.gateway.connected("CP1")
        assert door.gateway.connected("CP2")
        assert await door.facts(Disconnected) == []
        assert (await quiet.call("Heartbeat", {}))[0] == 3
    chatty.hang_up()


@pytest.mark.parametrize("opcode", [PING, PONG])
async def test_b6_a_million_pings_close_the_connection(door: Door, grown: Callable[[], int], opcode: int) -> None:
    raw = await Raw.station(door)
    flood = masked(opcode, b"") * 10_000
    try:
        for _ in range(100):
            raw.writer.write(flood)
            await asyncio.wait_for(raw.writer.drain(), PATIENCE_S)
    except ConnectionError:
        pass
    await until(lambda: not door.gateway.connected("CP1"))
    assert grown() < 16 * MEBIBYTE
    raw.hang_up()
    (gone,) = await door.facts(Disconnected)
    assert "pings" in gone["reason"]


async def test_b6_pings_now_and_then_are_answered(door: Door) -> None:
    raw = await Raw.station(door)
    for n in range(20):
        raw.frame(PING, struct.pack("!B", n))
        assert await asyncio.wait_for(raw.reader.readexactly(3), PATIENCE_S) == b"\x8a\x01" + struct.pack("!B", n)
    raw.hang_up()


async def test_b7_sockets_are_counted_before_anything_is_read(open_door: OpenDoor) -> None:
    door = await open_door(max_connections_per_address=5, max_connections=8, handshake_s=1000.0)
    await door.admit("CP1", KEY)
    inside = [await Raw.dial(door) for _ in range(5)]
    crowded = await Raw.dial(door)
    assert await crowded.rest() == b""
    other = await Raw.dial(door, "127.0.0.2")  # another address is not locked out
    other.writer.write(opening("/ocpp/CP1", basic("CP1", KEY)))
    assert (await other.answer())[0] == 101
    more = [await Raw.dial(door, f"127.0.0.{n}") for n in (3, 4)]
    full = await Raw.dial(door, "127.0.0.5")
    assert await full.rest() == b""
    for raw in (inside[0], other):
        raw.hang_up()

    async def let_in() -> bool:
        raw = await Raw.dial(door)
        raw.writer.write(opening("/ocpp/CP1", basic("CP1", KEY)))
        status, _ = await raw.answer()
        raw.hang_up()
        return status == 101

    await until(let_in, "room for another")
    for raw in (*inside, *more):
        raw.hang_up()


@pytest.mark.parametrize("key", [KEY, "badbadbadbadbadbadbadbadbadbadbadbadbad0"])
async def test_b8_frames_before_the_answer_are_not_accepted(door: Door, key: str) -> None:
    raw = await Raw.dial(door)
    boot = b'[2,"1","BootNotification",{"chargePointVendor":"Volt","chargePointModel":"One"}]'
    raw.writer.write(opening("/ocpp/CP1", basic("CP1", key)) + masked(TEXT, boot))
    told = await raw.rest()
    assert b'[3,"1"' not in told
    raw.hang_up()
    await still_works(door)
    assert await door.facts(station="CP1") == []


async def test_q37_what_is_no_http_is_answered_400(door: Door) -> None:
    for nonsense in (b"\x16\x03\x01\x02\x00\x01\x00", b"HELO there\r\n\r\n", b"GET /ocpp/CP1\r\n\r\n", b"\0" * 100):
        raw = await Raw.dial(door)
        raw.writer.write(nonsense)
        raw.writer.write(b"\r\n\r\n")
        assert (await raw.answer())[0] == 400, nonsense
        raw.hang_up()
    without_upgrade = opening("/ocpp/CP1", basic("CP1", KEY)).replace(b"Connection: Upgrade\r\n", b"")
    raw = await Raw.dial(door)
    raw.writer.write(without_upgrade)
    assert (await raw.answer())[0] in {400, 426}
    raw.hang_up()
    await still_works(door)


async def test_q45_reserved_bits_close_the_connection_and_the_station_comes_back(door: Door) -> None:
    raw = await Raw.station(door)
    raw.frame(TEXT, b"[]", compressed=True)
    assert close_code(await raw.rest()) == 1002
    raw.hang_up()
    async with door.plugged() as station:
        await station.boot()
    assert len(await door.facts(Connected)) == 2


async def test_whoever_never_closes_is_closed(door: Door) -> None:
    raw = await Raw.station(door)
    raw.writer.write(masked(TEXT, b"", length=2**40))
    await until(lambda: not door.gateway.connected("CP1"), "the end of who does not close")
    raw.hang_up()


async def test_whoever_takes_no_answers_is_dropped(open_door: OpenDoor) -> None:
    door = await open_door(pong_s=0.5)
    await door.admit("CP1", KEY)
    raw = await Raw.station(door)
    raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
    ask = masked(TEXT, b'[2,"1","GetLocalListVersion' + b"x" * 200 + b'",{}]') * 200

    async def flood() -> None:
        while True:
            raw.writer.write(ask)
            await raw.writer.drain()

    flooding = asyncio.create_task(flood())
    await until(lambda: not door.gateway.connected("CP1"), "the end of who takes no answers")
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    (gone,) = await door.facts(Disconnected)
    assert "did not take our answers" in gone["reason"]
