"""`kill -9` at random moments while stations send: what was acknowledged is there, once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from tests.databases import Databases
from tests.doors import Door, basic, free_port, settings_for
from tests.laws.test_fold import derived
from wattkeeper.operations.rebuild import rebuild
from wattkeeper.store.fold import decode
from wattkeeper.store.tables import journal, reading, session

DEATHS = int(os.environ.get("KILLS", "200"))
STATIONS = 100
READINGS = 6
BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)


@dataclass(slots=True)
class Server:
    """Where it listens, and whether it lives: nobody knocks at a door that is surely shut."""

    port: int
    lives: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Witness:
    """A station that repeats each message until it is acknowledged, and remembers what was."""

    name: str
    key: str
    started: dict[str, int] = field(default_factory=dict)
    """Start time to the transaction id that was acknowledged."""
    read: set[tuple[int, str]] = field(default_factory=set)
    stopped: dict[int, int] = field(default_factory=dict)
    """Transaction id to the energy driven, Wh."""

    async def run(self, server: Server, enough: asyncio.Event) -> None:
        """Session after session, through every death of the server."""
        number = 0
        while not enough.is_set():
            await self._session(server, number)
            number += 1

    async def _session(self, server: Server, number: int) -> None:
        """One session; each message is sent again, word for word, until it is answered."""
        at = BEGIN + timedelta(hours=number)
        start = {"connectorId": 1, "idTag": f"04{self.name}", "meterStart": 1000 * number, "timestamp": stamp(at)}
        answer = await self._until_answered(server, "StartTransaction", start)
        transaction = answer["transactionId"]
        assert self.started.setdefault(stamp(at), transaction) == transaction
        for step in range(1, READINGS + 1):
            moment = stamp(at + timedelta(minutes=step))
            value = {"timestamp": moment, "sampledValue": [{"value": str(1000 * number + 50 * step)}]}
            payload = {"connectorId": 1, "transactionId": transaction, "meterValue": [value]}
            await self._until_answered(server, "MeterValues", payload)
            self.read.add((transaction, moment))
        end = stamp(at + timedelta(minutes=READINGS + 1))
        stop = {"transactionId": transaction, "meterStop": 1000 * number + 400, "timestamp": end}
        await self._until_answered(server, "StopTransaction", stop)
        self.stopped[transaction] = 400

    async def _until_answered(self, server: Server, action: str, payload: dict[str, Any]) -> Any:
        """Send until acknowledged, reconnecting as often as it takes."""
        while True:
            await server.lives.wait()
            try:
                return await self._ask(server.port, action, payload)
            except (OSError, WebSocketException, TimeoutError):
                self._socket = None
                await asyncio.sleep(0.02)

    _socket: Any = None

    async def _ask(self, port: int, action: str, payload: dict[str, Any]) -> Any:
        """Send once over the connection there is, or a new one."""
        if self._socket is None:
            self._socket = await connect(
                f"ws://127.0.0.1:{port}/ocpp/{self.name}",
                subprotocols=[Subprotocol("ocpp1.6")],
                additional_headers=basic(self.name, self.key),
                compression=None,
                ping_interval=None,
                proxy=None,
            )
        await self._socket.send(orjson.dumps([2, "m", action, payload]).decode())
        while (answer := orjson.loads(await asyncio.wait_for(self._socket.recv(), 30)))[0] == 2:
            await self._socket.send(orjson.dumps([4, answer[1], "NotSupported", "", {}]).decode())
        assert answer[0] == 3, answer
        return answer[2]


def stamp(at: datetime) -> str:
    """An instant as stations write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@asynccontextmanager
async def phoenix(database: str, root_key: Path, port: int) -> AsyncIterator[asyncio.StreamReader]:
    """The server that rises again; gives where it tells the process id of each life."""
    command = (sys.executable, "-m", "tests.stories.phoenix", database, str(root_key), str(port))
    nest = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, start_new_session=True)
    assert nest.stdout is not None
    try:
        yield nest.stdout
    finally:
        os.killpg(nest.pid, signal.SIGKILL)
        await nest.wait()


async def suffer(server: Server, told: asyncio.StreamReader, deaths: int) -> None:
    """Kill each life after a random moment; the last lives on."""
    draw = random.Random(7)
    for _ in range(deaths):
        life = int(await asyncio.wait_for(told.readline(), 60))
        server.lives.set()
        await asyncio.sleep(draw.uniform(0.0, 0.5))
        os.kill(life, signal.SIGKILL)
        server.lives.clear()
    await told.readline()
    server.lives.set()


@pytest.mark.long
async def test_what_was_acknowledged_survives_kill_9(databases: Databases, tmp_path: Path) -> None:
    database, server = await databases.fresh("sqlite"), Server(free_port())
    door = await Door.make(settings_for(database, tmp_path))
    stations = [Witness(name, await door.admit(name)) for name in (f"K{index:03}" for index in range(STATIONS))]
    enough = asyncio.Event()
    async with phoenix(database, tmp_path / "wattkeeper.key", server.port) as told:
        work = [asyncio.create_task(one.run(server, enough)) for one in stations]
        await suffer(server, told, DEATHS)
        enough.set()
        await asyncio.wait_for(asyncio.gather(*work), 120)
    await everything_is_there_once(door, stations)
    before = await derived(door.store)
    await rebuild(door.store)
    assert await derived(door.store) == before
    await door.store.close()


async def everything_is_there_once(door: Door, stations: list[Witness]) -> None:
    """Each acknowledged start is one session, each reading one row, each stop an end with its energy."""
    async with door.store.read() as connection:
        sessions = [decode(fold) for (fold,) in await connection.execute(select(session.c.fold))]
        rows = (await connection.execute(select(reading.c.session_id, reading.c.at))).all()
        entries, newest = (await connection.execute(select(func.count(), func.max(journal.c.n)))).one()
    assert entries == newest, "the journal has a gap"
    by_ref = {(s.station, s.ref): s for s in sessions}
    assert len(by_ref) == len(sessions) == sum(len(one.started) for one in stations)
    instants = {(session_id, stamp(at)) for session_id, at in rows}
    assert len(instants) == len(rows), "an instant has two rows"
    acknowledged = 0
    for one in stations:
        for began, transaction in one.started.items():
            assert stamp(by_ref[one.name, str(transaction)].started_at) == began
        for transaction, moment in one.read:
            assert (by_ref[one.name, str(transaction)].id, moment) in instants
        for transaction, energy in one.stopped.items():
            assert by_ref[one.name, str(transaction)].energy_wh == Decimal(energy)
            assert not by_ref[one.name, str(transaction)].is_live
        acknowledged += len(one.started) + len(one.read) + len(one.stopped)
    assert acknowledged > DEATHS, "the stations hardly got a word in"
    print(f"{DEATHS} deaths, {acknowledged} acknowledged messages, {len(sessions)} sessions: all there, once")
