"""A whole Wattkeeper with its stations' door open, and stations that connect to it by hand."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from sqlalchemy import Table, select
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.facts import Fact
from wattkeeper.gateway import Gateway
from wattkeeper.operations.dispatch import Dispatch
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.money.total import Totals
from wattkeeper.operations.safe import Safe, open_safe
from wattkeeper.operations.stations.admission import Admission
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import journal

KEY = "c0ffee00c0ffee11c0ffee22c0ffee33c0ffee44"
PATIENCE_S = 30.0
"""How long anything may take in a test before it is a failure; generous, for machines are shared."""


def basic(user: str | bytes, password: str | bytes) -> dict[str, str]:
    """An Authorization header."""
    pair = (user.encode() if isinstance(user, str) else user) + b":"
    pair += password.encode() if isinstance(password, str) else password
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def free_port() -> int:
    """A port that nobody listens at, for who must know it before; not of those that systems give to whoever asks.

    Processes that share the tests find different ones.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    while True:
        port = random.randrange(20_000 + number, 32_000, 16)
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


async def until(holds: Callable[[], Awaitable[Any] | Any], what: str = "it") -> Any:
    """Wait until something holds, and give what it gave; a failure after PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found = holds()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {PATIENCE_S} s")
        await asyncio.sleep(0.02)


class Station:
    """A station's end of a connection, driven frame by frame."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._ids = 0

    async def send(self, frame: str | bytes) -> None:
        """Put a frame on the wire as it is."""
        await self.socket.send(frame)

    async def hear(self) -> Any:
        """The next frame, parsed."""
        return json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_S))

    async def call(self, action: str, payload: object) -> Any:
        """Call and give the frame that answers, whatever it is; calls of the other side meanwhile fail the test."""
        self._ids += 1
        call_id = f"m{self._ids}"
        await self.send(json.dumps([2, call_id, action, payload]))
        answer = await self.hear()
        assert answer[1] == call_id, answer
        return answer

    async def boot(self) -> Any:
        """Tell what it is, in the words of its version."""
        if self.socket.subprotocol == "ocpp2.0.1":
            station = {"vendorName": "Volt", "model": "One"}
            return await self.call("BootNotification", {"reason": "PowerUp", "chargingStation": station})
        return await self.call("BootNotification", {"chargePointVendor": "Volt", "chargePointModel": "One"})

    async def closed(self) -> int:
        """Wait until the other side closed; the close code."""
        try:
            while True:
                await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        except ConnectionClosed:
            return self.socket.close_code or 0


@dataclass(slots=True)
class Door:
    """Everything behind one open door."""

    settings: Settings
    store: Store
    safe: Safe
    bus: MemoryBus
    intake: Intake
    dispatch: Dispatch
    admission: Admission
    gateway: Gateway
    totals: Totals
    port: int = 0
    dialled: list[Raw] = field(default_factory=list)

    @classmethod
    async def make(cls, settings: Settings) -> Self:
        """Wire everything on the settings' database, which is migrated; nothing runs yet."""
        store, bus = Store(settings.database), MemoryBus()
        safe = await open_safe(store, settings.root_key)
        intake = Intake(store, safe, bus, settings)
        dispatch = Dispatch(store, safe, bus, settings, intake)
        admission = Admission(store, safe, bus, settings)
        totals = Totals(store, settings)
        gateway = Gateway(settings, intake, dispatch, admission, totals)
        return cls(settings, store, safe, bus, intake, dispatch, admission, gateway, totals)

    async def open(self) -> Self:
        """Begin to record, then let stations in."""
        await self.intake.start()
        self.port = await self.gateway.start()
        return self

    async def close(self) -> None:
        """Send stations away, write what has arrived, close the database."""
        for raw in self.dialled:
            raw.hang_up()
        await self.gateway.stop()
        await self.intake.stop()
        await self.store.close()

    def url(self, station: str = "CP1") -> str:
        """Where a station connects."""
        scheme = "wss" if self.settings.tls_certificate else "ws"
        return f"{scheme}://127.0.0.1:{self.port}/ocpp/{quote(station, safe='')}"

    async def admit(self, station: str = "CP1", key: str | None = None) -> str:
        """Make a station; its key."""
        return await self.admission.provision(station, "test", key=key)

    @asynccontextmanager
    async def plugged(
        self,
        station: str = "CP1",
        key: str | bytes = KEY,
        versions: Sequence[str] = ("ocpp1.6",),
        user: str | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> AsyncIterator[Station]:
        """A station that is connected while the block runs."""
        given = basic(station if user is None else user, key) | (headers or {})
        options = {"compression": None, "ping_interval": None, "proxy": None, "open_timeout": PATIENCE_S} | options
        offered = [Subprotocol(version) for version in versions] or None
        url = options.pop("url", None) or self.url(station)
        async with connect(url, subprotocols=offered, additional_headers=given, **options) as socket:
            yield Station(socket)

    async def refusal(self, station: str = "CP1", key: str | bytes = KEY, **options: Any) -> tuple[int, bytes]:
        """Try to connect and be refused: the status and body of the answer."""
        try:
            async with self.plugged(station, key, **options):
                raise AssertionError(f"{station} was let in")
        except InvalidStatus as refused:
            return refused.response.status_code, bytes(refused.response.body or b"")

    async def facts(self, kind: type[Fact] | None = None, station: str | None = None) -> list[Any]:
        """The bodies of the journal as parsed JSON, of one kind or of all, each with its ``station`` and ``kind``."""
        rows = await self.rows(journal)
        found = [json.loads(row.body) | {"station": row.station_id, "kind": row.kind} for row in rows]
        named = [one for one in found if kind is None or one["kind"] == kind.__name__]
        return [one for one in named if station is None or one["station"] == station]

    async def rows(self, table: Table) -> list[Any]:
        """Every row of a table, in the order of its first column."""
        async with self.store.read() as connection:
            return list((await connection.execute(select(table).order_by(next(iter(table.columns))))).all())


def settings_for(database: str, folder: Path, **given: Any) -> Settings:
    """Settings of a test: quick where waiting is all that would happen."""
    quick: dict[str, Any] = {"ocpp_port": 0, "root_key": folder / "wattkeeper.key", "probation_s": 0.3}
    quick["forgotten"] = folder / "wattkeeper.forgotten"
    quick["staff_passkeys"] = False
    return Settings(database=database, **(quick | given))


def opening(path: str, headers: dict[str, str] | None = None, versions: str | None = "ocpp1.6") -> bytes:
    """An opening request, byte by byte as a station sends it."""
    lines = {"Host": "wattkeeper", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    lines["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    if versions is not None:
        lines["Sec-WebSocket-Protocol"] = versions
    told = "".join(f"{name}: {value}\r\n" for name, value in (lines | (headers or {})).items())
    return f"GET {path} HTTP/1.1\r\n{told}\r\n".encode()


@dataclass(slots=True)
class Raw:
    """A bare TCP connection to the door, for what no library would send."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def dial(cls, door: Door, source: str | None = None) -> Self:
        """Connect, from a loopback address if one is given."""
        local = (source, 0) if source else None
        raw = cls(*await asyncio.open_connection("127.0.0.1", door.port, local_addr=local))
        door.dialled.append(raw)
        return raw

    @classmethod
    async def station(cls, door: Door, station: str = "CP1", key: str = KEY, **opened: Any) -> Self:
        """Connect as a station, up to and including the answer to the opening request."""
        raw = await cls.dial(door)
        headers = basic(station, key) | opened.pop("headers", {})
        raw.writer.write(opening(f"/ocpp/{station}", headers, **opened))
        status, _ = await raw.answer()
        assert status == 101, status
        return raw

    async def answer(self) -> tuple[int, bytes]:
        """The status of the HTTP answer, and all of its head; 0 where the connection just ended."""
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0, b""
        return int(head.split(b" ", 2)[1]), head

    async def rest(self) -> bytes:
        """Everything until the other side ends the connection."""
        try:
            return await asyncio.wait_for(self.reader.read(), PATIENCE_S)
        except ConnectionError:
            return b""

    def frame(self, opcode: int, payload: bytes, *, compressed: bool = False) -> None:
        """Write one whole frame, masked with zeros."""
        self.writer.write(masked(opcode, payload, compressed=compressed))

    def hang_up(self) -> None:
        """End the connection without a word."""
        self.writer.transport.abort()


def masked(opcode: int, payload: bytes, *, compressed: bool = False, length: int | None = None) -> bytes:
    """A client's frame; ``length`` is what its header claims, if that is not true."""
    size = len(payload) if length is None else length
    first = 0x80 | (0x40 if compressed else 0) | opcode
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 2**16:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


def close_code(told: bytes) -> int:
    """The code of the close frame that ends what the other side told."""
    start = told.rindex(b"\x88")
    return int.from_bytes(told[start + 2 : start + 4])
