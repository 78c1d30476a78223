"""The first real station: it knocks, a person admits it, it comes in with the key it was given."""

from __future__ import annotations

import asyncio

import pytest

from tests.conftest import OpenDoor
from tests.doors import Door, Raw, opening, until
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.store.stations import station as stations
from wattkeeper.store.stations.station import Knock
from wattkeeper.store.tables import knock

VIEWER = Viewer("tests", Role.OPERATOR, EVERYTHING)


async def waiting(door: Door) -> list[Knock]:
    """Who waits to be admitted."""
    async with door.store.read() as connection:
        return await stations.knocks(connection, VIEWER)


async def test_an_unknown_station_knocks_is_admitted_and_comes_in(open_door: OpenDoor) -> None:
    door = await open_door(waiting_room=True)
    async with door.bus.listen("knock") as hints:
        for _ in range(3):
            assert (await door.refusal("NEW 1", "whatever-it-has-now", versions=["ocpp2.0.1", "ocpp1.6"]))[0] == 401
        raw = await Raw.dial(door)
        raw.writer.write(opening("/ocpp/NEW%201", versions="ocpp2.0.1, ocpp1.6"))  # no key: only the address typed in
        assert (await raw.answer())[0] == 401
        await asyncio.wait_for(anext(hints), 20)
    (one,) = await until(lambda: waiting(door))
    await until(lambda: _tries(door, 4))
    assert (one.station, one.address, one.offered) == ("NEW 1", "127.0.0.1", "ocpp2.0.1, ocpp1.6")
    key = await door.admission.provision("NEW 1", "ada", label="At the gate", site="Yard")
    assert await waiting(door) == []
    async with door.plugged("NEW 1", key) as station:
        assert (await station.boot())[2]["status"] == "Accepted"


async def _tries(door: Door, wanted: int) -> bool:
    return [one.tries for one in await waiting(door)] == [wanted]


async def test_without_a_waiting_room_nobody_is_remembered(door: Door) -> None:
    assert (await door.refusal("NEW1", "whatever-it-has-now"))[0] == 401
    await door.admission.write_knocks()
    assert await door.rows(knock) == []


async def test_who_was_turned_away_does_not_wait_again(open_door: OpenDoor) -> None:
    door = await open_door(waiting_room=True)
    assert (await door.refusal("NEW1", "whatever-it-has-now"))[0] == 401
    await door.admission.dismiss("NEW1", "ada")
    assert (await door.refusal("NEW1", "whatever-it-has-now"))[0] == 401
    await door.admission.write_knocks()
    assert await waiting(door) == []
    with pytest.raises(Refusal) as refused:
        await door.admission.dismiss("NEW2", "ada")
    assert refused.value.code is Code.NOT_FOUND


async def test_whoever_comes_again_keeps_its_place_when_a_scan_fills_the_room(open_door: OpenDoor) -> None:
    door = await open_door(waiting_room=True)
    for _ in range(2):
        await door.admission.enter("REAL", None, None, "10.1.1.1", "ocpp1.6")
        await door.admission.write_knocks()
    for again in range(2):
        for n in range(150):
            await door.admission.enter(f"SCAN{n}", None, None, "10.6.6.6", "")
        await door.admission.write_knocks()
        rows = await door.rows(knock)
        assert len(rows) == 1 + stations.MOST_KNOCKS_FROM_ONE, f"round {again}: one address crowds the room"
        assert "REAL" in {row.station_id for row in rows}
    for n in range(500):
        await door.admission.enter(f"MANY{n}", None, None, f"10.7.{n}.1", "")
    await door.admission.write_knocks()
    assert len(await door.rows(knock)) == stations.MOST_KNOCKS


@pytest.mark.parametrize("name", ["", " ", " CP1", "A" * 49, "a\nb", "a\x00b", "\u202eCP"])
async def test_what_can_be_no_identity_is_refused_and_not_remembered(open_door: OpenDoor, name: str) -> None:
    door = await open_door(waiting_room=True)
    with pytest.raises(Refusal) as refused:
        await door.admit(name)
    assert refused.value.code is Code.INVALID
    await door.admission.enter(name, name.encode(), b"guess", "10.0.0.1", "ocpp1.6\x00\n")
    await door.admission.write_knocks()
    assert await door.rows(knock) == []


async def test_a_station_is_admitted_once(door: Door) -> None:
    with pytest.raises(Refusal) as refused:
        await door.admit("CP1")
    assert refused.value.code is Code.CONFLICT
    outcomes = await asyncio.gather(*[door.admit("CP2") for _ in range(8)], return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Refusal"] * 7 + ["str"]


async def test_a_new_key_kills_the_old_one(door: Door) -> None:
    key = await door.admission.rekey("CP1", "ada")
    assert (await door.refusal())[0] == 401
    async with door.plugged(key=key) as station:
        await station.boot()
    with pytest.raises(Refusal) as refused:
        await door.admission.rekey("CP9", "ada")
    assert refused.value.code is Code.NOT_FOUND


async def test_a_removed_station_is_sent_away_and_stays_out(door: Door) -> None:
    async with door.plugged() as station:
        await station.boot()
        await door.admission.remove("CP1", "ada")
        assert await station.closed() == 1008
    assert (await door.refusal())[0] == 401
    with pytest.raises(Refusal) as refused:
        await door.admission.remove("CP1", "ada")
    assert refused.value.code is Code.NOT_FOUND


async def test_a_station_that_another_process_removed_is_found_by_calling_the_roll(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wattkeeper.gateway.door.ROLL_CALL_TICKS", 1)
    async with door.plugged() as station:
        await station.boot()
        async with door.store.unit() as unit:
            assert await stations.remove(unit, "CP1")
        assert await station.closed() == 1008
