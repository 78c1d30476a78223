"""Attacks on station identity: who may come in, as whom, and how often one may try."""

from __future__ import annotations

import asyncio
import json
import random
import time

import pytest

from tests.conftest import OpenDoor
from tests.doors import KEY, Door, Raw, basic, opening, until
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.facts import Alarmed, Connected, Disconnected
from wattkeeper.charging.orders import Outcome, Reset
from wattkeeper.operations.stations.admission import MOST_TRIES
from wattkeeper.store.tables import knock, station

WRONG = "badbadbadbadbadbadbadbadbadbadbadbadbad0"


async def status_of(door: Door, name: str, headers: dict[str, str]) -> tuple[int, bytes, bytes]:
    """The answer to an opening request: status, head without its date, body."""
    raw = await Raw.dial(door)
    raw.writer.write(opening(f"/ocpp/{name}", headers))
    status, head = await raw.answer()
    body = await raw.rest()
    raw.hang_up()
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Date:")]
    return status, b"\r\n".join(lines), body


async def test_a1_no_authorization_is_refused_before_the_upgrade(door: Door) -> None:
    status, head, _ = await status_of(door, "CP1", {})
    assert status == 401
    assert b"WWW-Authenticate: Basic" in head
    assert b"Sec-WebSocket-Accept" not in head
    for odd in ("Bearer x", "Basic", "Basic !!!", "Basic Q1Ax", "basic  "):
        assert (await status_of(door, "CP1", {"Authorization": odd}))[0] == 401, odd
    assert await door.facts() == []
    assert not door.gateway.connected("CP1")


async def test_a2_an_unknown_identity_looks_like_a_wrong_key(door: Door) -> None:
    wrong = await status_of(door, "CP1", basic("CP1", WRONG))
    unknown = await status_of(door, "CP9", basic("CP9", WRONG))
    assert wrong == unknown
    assert wrong[0] == 401
    assert await status_of(door, "CP1", {}) == await status_of(door, "CP9", {}) == wrong


@pytest.mark.parametrize("name", ["CP1", "CP9"])
async def test_a2_too_many_wrong_keys_are_told_so_for_known_and_unknown_alike(door: Door, name: str) -> None:
    statuses = [(await status_of(door, name, basic(name, WRONG)))[0] for _ in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    async with door.plugged() as real:
        assert (await real.boot())[2]["status"] == "Accepted"


async def time_of(door: Door, name: str) -> float:
    """How long a refusal takes, seconds."""
    raw = await Raw.dial(door)
    start = time.perf_counter()
    raw.writer.write(opening(f"/ocpp/{name}", basic(name, WRONG)))
    await raw.reader.readline()
    taken = time.perf_counter() - start
    raw.hang_up()
    return taken


@pytest.mark.alone
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a2_time_does_not_tell_which_identities_exist(open_door: OpenDoor) -> None:
    """The chance that a refusal of a station that exists takes longer than one of a station that does not."""
    samples = 1_000
    door = await open_door(waiting_room=True)
    async with door.store.unit() as unit:
        columns = {"label": "", "site": "", "salt": b"s" * 16, "key_hash": b"h" * 32, "max_power_w": None}
        rows = [columns | {"id": f"CP{n:04d}", "created_at": unit.now, "created_by": "test"} for n in range(samples)]
        await unit.connection.execute(station.insert(), rows)
    names = [f"CP{n:04d}" for n in range(2 * samples)]
    random.Random(2).shuffle(names)
    taken = [(await time_of(door, name), name < f"CP{samples:04d}") for name in names]
    ranks = [place for place, (_, exists) in enumerate(sorted(taken), 1) if exists]
    longer = (sum(ranks) - samples * (samples + 1) / 2) / samples**2
    assert 0.45 <= longer <= 0.55


async def test_a3_a_twin_of_a_living_station_is_refused(door: Door) -> None:
    async with door.plugged() as first:
        await first.boot()
        for _ in range(2):
            async with door.plugged() as twin:
                assert await twin.closed() == 1008
        assert (await first.call("Heartbeat", {}))[0] == 3
        assert door.gateway.connected("CP1")
        alarms = await until(lambda: door.facts(Alarmed), "the alarm")
        assert [alarm["code"] for alarm in alarms] == ["DuplicateIdentity"]
        assert len(await door.facts(Connected)) == 1
        assert KEY not in str(alarms)


async def test_a3_many_twins_at_once_do_not_wait_in_line(door: Door) -> None:
    async with door.plugged() as first:
        await first.boot()

        async def twin() -> int:
            async with door.plugged() as other:
                return await other.closed()

        assert await asyncio.gather(*[twin() for _ in range(12)]) == [1008] * 12
        assert (await first.call("Heartbeat", {}))[0] == 3


async def test_a4_a_zombie_does_not_lock_its_station_out(door: Door) -> None:
    zombie = await Raw.station(door)  # it never reads, so it answers no ping: as after a cut cable
    await until(lambda: door.gateway.connected("CP1"))
    started = time.monotonic()
    async with door.plugged() as back:
        assert (await back.boot())[2]["status"] == "Accepted"
        assert time.monotonic() - started < 10
        kinds = [fact["kind"] for fact in await door.facts()]
        assert kinds == ["Connected", "Disconnected", "Connected", "Booted"]
        zombie.hang_up()  # the late end of the old connection is not the end of the new one
        await back.call("Heartbeat", {})
        asking = asyncio.create_task(door.dispatch.order("CP1", Reset(), "test", wait_s=20))
        ordered = await back.hear()
        await back.send(json.dumps([3, ordered[1], {"status": "Accepted"}]))
        assert (await asking).outcome is Outcome.ACCEPTED
        assert len(await door.facts(Disconnected)) == 1


async def test_a4_a_late_end_of_the_old_connection_leaves_the_new_one_in_place(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wattkeeper.gateway.twins.HAND_OVER_S", 0.1)
    zombie = await Raw.station(door)
    await until(lambda: door.facts(Connected))
    async with door.plugged() as back:
        async with door.store.unit():  # nothing can be written down meanwhile, the end of the old one neither
            await asyncio.sleep(1)
        zombie.hang_up()
        await until(lambda: door.facts(Disconnected))
        assert (await back.boot())[2]["status"] == "Accepted"
        assert door.gateway.connected("CP1")
        assert door.dispatch.connected("CP1")
        kinds = [fact["kind"] for fact in await door.facts()]
        assert kinds == ["Connected", "Disconnected", "Connected", "Booted"]
        async with door.plugged() as twin:
            assert await twin.closed() == 1008


async def test_a4_a_clean_reconnect_needs_no_probation(door: Door) -> None:
    for _ in range(3):
        async with door.plugged() as station:
            await station.boot()
    await until(lambda: not door.gateway.connected("CP1"))
    kinds = [fact["kind"] for fact in await door.facts()]
    assert kinds == ["Connected", "Booted", "Disconnected"] * 3


async def test_a6_another_stations_credentials_do_not_open(door: Door) -> None:
    key = await door.admit("CP2")
    assert (await door.refusal("CP1", key, user="CP2"))[0] == 401
    assert (await door.refusal("CP1", KEY, user="CP2"))[0] == 401
    assert (await door.refusal("CP1", KEY, user="cp1"))[0] == 401
    assert (await door.refusal("CP1", KEY, user=""))[0] == 401


async def test_a6_identities_are_compared_byte_by_byte(door: Door) -> None:
    for spelling in ("cp1", "CP1 ", "CP1\u200b", "ＣＰ1", "CP%31"):
        assert (await door.refusal(spelling, KEY))[0] == 401, spelling
    async with door.plugged(url=door.url().replace("CP1", "%43P1")) as station:  # percent-encoding is none of it
        await station.boot()


@pytest.mark.parametrize(
    "key",
    [
        "a1b2c3d4e5f6a7b",  # 15 bytes
        "a1b2c3d4e5" * 4 + "f",  # 41 bytes
        "password",
        "passwordpassword",
        "Password12345678!",
        "1234567890123456",
        "aaaaaaaaaaaaaaaa",
        "schlüsselschlüssel",
        "key\x00key\x00key\x00key\x00",
    ],
)
async def test_a7_a_weak_key_is_refused_at_provisioning(door: Door, key: str) -> None:
    with pytest.raises(Refusal) as refused:
        await door.admit("CP2", key)
    assert refused.value.code is Code.INVALID
    assert key not in refused.value.why
    with pytest.raises(Refusal):
        await door.admission.rekey("CP1", "test", key)
    async with door.plugged() as station:  # the old key still opens
        await station.boot()


async def test_a7_a_key_is_neither_the_identity_nor_another_stations(door: Door) -> None:
    for name, key in (("STATION-0000-0042", "STATION-0000-0042"), ("CP2", KEY), ("CP2", KEY.upper())):
        with pytest.raises(Refusal) as refused:
            await door.admit(name, key)
        assert refused.value.code is Code.INVALID
    made = {await door.admit(f"N{n}") for n in range(20)}
    assert len(made) == 20
    assert all(len(key) == 40 and int(key, 16) for key in made)


async def test_a7_keys_are_kept_only_as_a_keyed_hash(door: Door) -> None:
    rows = await door.rows(station)
    assert KEY.encode() not in b"".join(bytes(row.salt) + bytes(row.key_hash) for row in rows)
    await door.admit("CP2", "e7c1" * 5 + "0a9b")
    assert len({bytes(row.key_hash) for row in await door.rows(station)}) == 2


async def test_a8_guessing_is_slowed_and_told_once_and_never_locks_the_station_out(door: Door) -> None:
    async def guess(source: str) -> int:
        raw = await Raw.dial(door, source)
        raw.writer.write(opening("/ocpp/CP1", basic("CP1", WRONG)))
        status, _ = await raw.answer()
        raw.hang_up()
        return status

    one_place = [await guess("127.0.0.1") for _ in range(40)]
    assert one_place[:5] == [401] * 5
    assert set(one_place[5:]) == {429}
    many_places = [await guess(f"127.7.{n // 250}.{1 + n % 250}") for n in range(200)]
    assert set(many_places) == {429}
    async with door.plugged() as real:
        assert (await real.boot())[2]["status"] == "Accepted"
    alarms = await until(lambda: door.facts(Alarmed), "the alarm")
    assert [alarm["code"] for alarm in alarms] == ["WrongKey"]
    assert WRONG not in str(alarms)


async def test_a8_a_scan_of_identities_fills_no_memory_and_no_disk(open_door: OpenDoor) -> None:
    door = await open_door(waiting_room=True)
    for n in range(MOST_TRIES + 100):
        await door.admission.enter(f"X{n}", b"X", b"guess", f"10.0.{n // 250}.{n % 250}", "ocpp1.6")
    await door.admission.write_knocks()
    assert len(await door.rows(knock)) == 200
    assert await door.facts() == []
