"""The database goes away: nothing is acknowledged that is not kept, and what is sent again afterwards is accepted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from tests.doors import until
from tests.stories.world import CARD, Voice16, World, found, minute, stamp

REFUSED = "This could not be recorded now; send it again."


@asynccontextmanager
async def full_disk(world: World) -> AsyncIterator[None]:
    """SQLite may not grow any more."""
    async with world.door.store.unit() as unit:
        before = (await unit.connection.exec_driver_sql("PRAGMA max_page_count")).scalar()
        pages = (await unit.connection.exec_driver_sql("PRAGMA page_count")).scalar()
        await unit.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    yield
    async with world.door.store.unit() as unit:
        await unit.connection.exec_driver_sql(f"PRAGMA max_page_count={before}")


@asynccontextmanager
async def gone_server(world: World) -> AsyncIterator[None]:
    """PostgreSQL ends every connection to the database and lets nobody in."""
    name = make_url(world.database).database
    connection = await asyncpg.connect(world.database.replace(f"/{name}", "/postgres", 1))
    try:
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1"
        await connection.execute(f"SET application_name = 'outage'; {ended.replace('$1', repr(name))}")
        yield
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    finally:
        await connection.close()


def outage(world: World, engine: str) -> Any:
    """The database of this engine goes away for the length of a block."""
    return full_disk(world) if engine == "sqlite" else gone_server(world)


async def until_refused(cp: Voice16, tx: int) -> tuple[int, dict[str, Any]]:
    """Send readings until one is refused: how many were acknowledged, and the one that was not."""
    for number in range(1, 20_000):
        filler = {"value": "1", "measurand": "Frequency", "unit": "Hertz", "location": "Inlet"}
        sampled = [{"value": str(1000 + number)}, *[filler] * 40]
        payload = {
            "connectorId": 1,
            "transactionId": tx,
            "meterValue": [{"timestamp": stamp(number / 100), "sampledValue": sampled}],
        }
        answer = await cp.station.call("MeterValues", payload)
        if answer[0] != 3:
            assert answer[2:] == ["InternalError", REFUSED, {}]
            return number - 1, payload
    raise AssertionError("nothing was refused")


async def test_nothing_is_acknowledged_while_the_database_is_away(
    world: World, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    """C: InternalError, the connection stays; afterwards the very same messages are accepted, once."""
    await world.enroll(max_sessions=2)
    world.clock.reach(300)
    start = {"connectorId": 2, "idTag": CARD, "meterStart": 1, "timestamp": stamp(1)}
    async with world.v16("CP1") as cp, world.v16("CP2") as other:
        tx = await cp.start(0, 1000)
        async with outage(world, engine):
            acknowledged, refused = await until_refused(cp, tx)
            asking = (
                cp.station.call("MeterValues", refused),
                other.station.call("MeterValues", refused | {"transactionId": 5}),
            )
            answers = await asyncio.gather(*asking)
            assert [answer[2] for answer in answers] == ["InternalError"] * 2

        async def accepted(voice: Voice16, action: str, payload: dict[str, Any]) -> Any:
            answer = await voice.station.call(action, payload)
            return answer if answer[0] == 3 else None

        await until(lambda: accepted(cp, "MeterValues", refused), "the return of the database")
        again = [await other.station.call("StartTransaction", start) for _ in range(2)]
        assert again[0][2] == again[1][2]
        await cp.stop(tx, 250, 3000)
    (session,) = await world.sessions("CP1")
    instants = [at for at, _ in await world.registers(session)]
    assert instants == [0, *(pytest.approx(n / 100) for n in range(1, acknowledged + 2)), 250]
    assert (session.energy_wh, session.ended_at, found(session).keys()) == (2000, minute(250), {"gap"})
    assert CARD not in caplog.text


@pytest.mark.parametrize("engine", ["postgres"])
async def test_a_station_that_comes_while_the_database_is_away_is_told_to_come_again(world: World, engine: str) -> None:
    """Nobody is let in unseen. (A full disk lets SQLite be read: there the station is let in, and not believed yet.)"""
    async with world.v16("CP1") as cp:
        async with outage(world, engine):
            assert (await cp.station.call("Heartbeat", {}))[2] == "InternalError"
            status, _ = await world.door.refusal("CP2", "c0ffee00c0ffee11c0ffee22c0ffee33c0ffee44")
            assert status == 503
        assert await until(lambda: cp.station.call("Heartbeat", {}), "an answer")
    async with world.v16("CP2") as other:
        assert await other.start(0, 1) > 0
