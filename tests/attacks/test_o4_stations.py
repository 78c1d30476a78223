"""O4 for groups A and B: each attack on the stations' door is exactly one security event, kept, that names its case.

The event names a station only where it is one of ours, never an address, a key or a payload; a try after another
counts, and is no other event.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.conftest import OpenDoor
from tests.doors import KEY, Door, Raw, basic, masked, opening, until
from tests.gateway.test_tls import CERTIFICATE, PRIVATE_KEY
from wattkeeper.charging.errors import Refusal
from wattkeeper.gateway.door import LATER_S
from wattkeeper.operations.people.security import Case, heard_by
from wattkeeper.operations.security.events import SecurityEvents
from wattkeeper.store.tables import security_event

WRONG = "badbadbadbadbadbadbadbadbadbadbadbadbad0"
TEXT, PING = 1, 9
CANARY = "04CANARY1234"


@pytest.fixture
def engine() -> str:
    """How rows are written on both engines is told in tests/operations/security/test_events.py."""
    return "sqlite"


@asynccontextmanager
async def watched(door: Door) -> AsyncIterator[Callable[[], Awaitable[list[tuple[str, str, int]]]]]:
    """Keep what happens at a door; gives what asks for the events: case, station, how often."""
    events = SecurityEvents(door.store, door.safe, door.bus)

    async def kept() -> list[tuple[str, str, int]]:
        await asyncio.sleep(2 * LATER_S)
        await events.write()
        rows = await door.rows(security_event)
        for row in rows:
            told = " ".join(map(str, row))
            assert "127." not in told and KEY not in told and CANARY not in told and WRONG not in told
        return [(row.case, row.subject, row.count) for row in rows]

    with heard_by(events.heard):
        yield kept


async def status_of(door: Door, name: str, headers: dict[str, str], **more: str) -> int:
    """The answer to an opening request."""
    raw = await Raw.dial(door)
    raw.writer.write(opening(f"/ocpp/{name}", headers, **more))
    status, _ = await raw.answer()
    raw.hang_up()
    return status


async def test_a1_no_key_is_one_event(door: Door) -> None:
    async with watched(door) as kept:
        for _ in range(3):
            assert await status_of(door, "CP1", {}) == 401
        assert await kept() == [("key_missing", "CP1", 3)]
        assert await status_of(door, CANARY, {}) == 401
        assert ("key_missing", "", 1) in await kept(), "what a stranger calls itself is kept nowhere"


@pytest.mark.parametrize("name", ["CP1", "CP9"])
async def test_a2_and_a8_guessed_keys_are_one_event(door: Door, name: str) -> None:
    async with watched(door) as kept:
        for _ in range(8):
            await status_of(door, name, basic(name, WRONG))
        assert await kept() == [("key_wrong", name if name == "CP1" else "", 8)]


async def test_a3_a_twin_is_one_event(door: Door) -> None:
    async with watched(door) as kept, door.plugged() as first:
        await first.boot()
        for _ in range(2):
            async with door.plugged() as twin:
                assert await twin.closed() == 1008
        assert await kept() == [("duplicate_identity", "CP1", 2)]


async def test_a4_a_zombie_and_its_return_are_no_event(door: Door) -> None:
    async with watched(door) as kept:
        zombie = await Raw.station(door)
        await until(lambda: door.gateway.connected("CP1"))
        async with door.plugged() as back:
            await back.boot()
            zombie.hang_up()
        assert await kept() == []


async def test_a6_another_stations_credentials_are_one_event(door: Door) -> None:
    key = await door.admit("CP2")
    async with watched(door) as kept:
        assert (await door.refusal("CP1", key, user="CP2"))[0] == 401
        assert (await door.refusal("CP1", KEY, user="cp1"))[0] == 401
        assert await kept() == [("key_wrong", "CP1", 2)]


async def test_a7_a_weak_key_is_one_event(door: Door) -> None:
    async with watched(door) as kept:
        with pytest.raises(Refusal):
            await door.admission.rekey("CP1", "test", "password")
        assert await kept() == [("key_weak", "CP1", 1)]
        for key in ("passwordpassword", KEY):
            with pytest.raises(Refusal):
                await door.admit(CANARY, key)
        assert ("key_weak", "", 2) in await kept()


async def test_a16_a_handshake_that_fails_is_one_event(open_door: OpenDoor) -> None:
    door = await open_door(tls_certificate=CERTIFICATE, tls_key=PRIVATE_KEY)
    async with watched(door) as kept:
        for _ in range(2):
            raw = await Raw.dial(door)
            raw.writer.write(b"\x16\x03\x01\x00\x05hello")  # SSL 3.1 with nothing in it
            await raw.rest()
            raw.hang_up()
        await until(lambda: kept())
        await asyncio.sleep(0.1)
        assert await kept() == [("tls_failed", "", 2)]


async def test_a19_a_web_page_is_one_event(door: Door) -> None:
    async with watched(door) as kept:
        for _ in range(2):
            assert await status_of(door, "CP1", basic("CP1", KEY) | {"Origin": "https://evil.example"}) == 403
        assert await kept() == [("page_as_station", "", 2)]


async def test_a20_no_dialect_and_another_dialect_are_one_event_each(door: Door) -> None:
    async with watched(door) as kept:
        for version in ("ocpp1.6", "ocpp2.0.1", "ocpp2.0.1"):
            async with door.plugged(versions=[version]) as station:
                await station.boot()
            await until(lambda: not door.gateway.connected("CP1"))
        assert await kept() == [("dialect_changed", "CP1", 1)]
        raw = await Raw.dial(door)
        raw.writer.write(opening("/ocpp/CP1", basic("CP1", KEY), versions="ocpp9.9"))
        assert (await raw.answer())[0] == 101
        await raw.rest()
        raw.hang_up()
        assert sorted(await kept()) == [("dialect_changed", "CP1", 1), ("dialect_unknown", "CP1", 1)]


async def test_b1_and_b2_a_message_too_large_is_one_event(door: Door) -> None:
    async with watched(door) as kept:
        raw = await Raw.station(door)
        raw.writer.write(masked(TEXT, b"", length=2**40))
        await raw.rest()
        raw.hang_up()
        assert await until(kept) == [("frame_oversized", "CP1", 1)]


async def test_b4_whoever_never_introduces_itself_is_one_event(open_door: OpenDoor) -> None:
    door = await open_door(handshake_s=0.3)
    async with watched(door) as kept:
        slow = [await Raw.dial(door) for _ in range(5)]
        for raw in slow:
            raw.writer.write(b"GET /ocpp/CP1 HT")
        for raw in slow:
            await raw.rest()
            raw.hang_up()
        await asyncio.sleep(0.1)
        assert await kept() == [("introduction_slow", "", 5)]


async def test_b4_an_opening_request_without_end_is_one_event(door: Door) -> None:
    async with watched(door) as kept:
        raw = await Raw.dial(door)
        raw.writer.write(b"GET /ocpp/CP1 HTTP/1.1\r\n" + (b"X: " + b"x" * 4_000 + b"\r\n") * 5)
        assert (await raw.answer())[0] == 431
        raw.hang_up()
        assert await kept() == [("introduction_oversized", "", 1)]


async def test_b5_silence_is_no_event_but_stands_in_the_journal(open_door: OpenDoor) -> None:
    door = await open_door(ping_s=0.2, pong_s=0.2)
    await door.admit("CP1", KEY)
    async with watched(door) as kept:
        raw = await Raw.station(door)
        await raw.rest()
        raw.hang_up()
        await until(lambda: not door.gateway.connected("CP1"))
        assert await kept() == []


async def test_b6_far_too_many_pings_are_one_event(door: Door) -> None:
    async with watched(door) as kept:
        raw = await Raw.station(door)
        raw.writer.write(masked(PING, b"") * 10_000)
        await until(lambda: not door.gateway.connected("CP1"))
        raw.hang_up()
        assert await kept() == [("pings_flood", "CP1", 1)]


async def test_b7_a_crowd_is_one_event(open_door: OpenDoor) -> None:
    door = await open_door(max_connections_per_address=3, handshake_s=1000.0)
    async with watched(door) as kept:
        inside = [await Raw.dial(door) for _ in range(3)]
        for _ in range(4):
            assert await (await Raw.dial(door)).rest() == b""
        assert await kept() == [("too_many_connections", "", 4)]
        for raw in inside:
            raw.hang_up()


async def test_b8_words_before_the_answer_are_one_event(door: Door) -> None:
    async with watched(door) as kept:
        raw = await Raw.dial(door)
        raw.writer.write(opening("/ocpp/CP1", basic("CP1", KEY)) + masked(TEXT, b'[2,"1","Heartbeat",{}]'))
        await raw.rest()
        raw.hang_up()
        assert await kept() == [("spoke_early", "", 1)]


UNREADABLE: dict[str, bytes] = {
    "b9": b"[" * 2_000,
    "b11": b'[2,"1","Authorize",{"idTag":"\xff\xfe"}]',
    "b13": b'[2,["x"],"../../etc/passwd",{},{},{}]',
}


@pytest.mark.parametrize("which", UNREADABLE)
async def test_b9_b11_and_b13_what_cannot_be_read_is_one_event(door: Door, which: str) -> None:
    async with watched(door) as kept:
        raw = await Raw.station(door)
        for _ in range(3):
            raw.frame(TEXT, UNREADABLE[which])
        raw.frame(TEXT, b'[2,"9","Heartbeat",{}]')
        await until(lambda: door.gateway.connected("CP1"))
        (event,) = await until(kept)
        await until(lambda: _counted(kept, 3))
        raw.hang_up()
        assert event[:2] == ("unreadable_messages", "CP1")


async def _counted(kept: Callable[[], Awaitable[list[tuple[str, str, int]]]], count: int) -> bool:
    """Whether there is one event, tried so often."""
    return [one[2] for one in await kept()] == [count]


async def test_b13_an_answer_that_nobody_asked_for_is_one_event(door: Door) -> None:
    async with watched(door) as kept, door.plugged() as station:
        await station.boot()
        for _ in range(2):
            await station.send('[3,"nobody",{}]')
        await station.call("Heartbeat", {})
        assert await kept() == [("stray_answers", "CP1", 2)]


async def test_b14_messages_that_lack_something_are_one_event(door: Door) -> None:
    async with watched(door) as kept, door.plugged() as station:
        for _ in range(3):
            assert (await station.call("BootNotification", {}))[0] == 4
        assert await kept() == [("unreadable_messages", "CP1", 3)]


async def test_b16_far_too_many_calls_are_one_event(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wattkeeper.gateway.conversation.MOST_AHEAD", 20)
    async with watched(door) as kept:
        raw = await Raw.station(door)
        raw.writer.write(b"".join(masked(TEXT, b'[2,"%d","Heartbeat",{}]' % n) for n in range(2_000)))
        await until(lambda: not door.gateway.connected("CP1"))
        raw.hang_up()
        assert await kept() == [("calls_flood", "CP1", 1)]


async def test_b11_and_b17_broken_frames_are_one_event(door: Door) -> None:
    async with watched(door) as kept:
        raw = await Raw.station(door)
        raw.writer.write(struct.pack("!BB", 0xF1, 0x80) + b"\0\0\0\0")  # reserved bits
        await raw.rest()
        raw.hang_up()
        assert await until(kept) == [("frame_broken", "CP1", 1)]


def test_o4_no_case_changes_its_name() -> None:
    """They are searched for, and stand in rows: those of before are there still."""
    names = {case.value for case in Case}
    assert {"key_wrong", "duplicate_identity", "dialect_changed", "passwords_guessed", "unreadable_messages"} <= names
