"""The line between a station and its central system: connect, lose it in one of three ways, connect again."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from wattkeeper.simulator.wire import OfflineError

if TYPE_CHECKING:
    from wattkeeper.simulator.station import Station


GONE = (ConnectionClosed, OfflineError)


async def together(*deeds: Coroutine[Any, Any, None]) -> None:
    """Do several things until one of them ends; then end all and raise what ended them, faults first.

    A task group would not do: when one of its tasks fails at the moment at which the group is cancelled, it
    raises the failure and forgets the cancellation, and a station that was told to stop would connect again.
    """
    tasks = [asyncio.ensure_future(deed) for deed in deeds]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [end for end in ends if isinstance(end, Exception)]
    for failure in sorted(failures, key=lambda one: isinstance(one, GONE)):
        raise failure


class Line:
    """The one connection of a station; `attend` is what the station does while it lasts."""

    def __init__(self, station: Station, attend: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.wire: Any = None
        self._station = station
        self._attend = attend
        self._dark: ClientConnection | None = None
        self._failures = 0
        self._told: str | None = None

    async def keep(self) -> None:
        """Connect, talk, and connect again, for ever; waits longer after each failure."""
        station = self._station
        try:
            while True:
                await station.powered.wait()
                await station.networked.wait()
                await self._talk_once()
                await asyncio.sleep(self._patience_s())
        finally:
            self._bury_dark_socket()

    def cheer(self) -> None:
        """Forget past failures: the next connection is tried at once."""
        self._failures = 0

    def drop(self) -> None:
        """Lose the connection as a network does: no close frame, the socket is simply gone."""
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.socket.transport.abort()

    def go_dark(self) -> None:
        """Lose the connection as a station without power does: not even a FIN; the other side hears nothing at all.

        The half-open socket is thrown away when the next connection is made.
        """
        wire, self.wire = self.wire, None
        if wire is not None:
            self._bury_dark_socket()
            self._dark = wire.socket
            wire.socket.transport.pause_reading()
            wire.closed.cancel()

    async def close(self) -> None:
        """Close the connection in good order."""
        if self.wire is not None:
            await self.wire.socket.close()

    async def _talk_once(self) -> None:
        try:
            socket = await self._connect()
        except (OSError, TimeoutError, InvalidHandshake) as error:
            self._failures += 1
            self._tell_once(_reason(error))
            return
        try:
            await self._talk(socket)
        finally:
            self.wire = None
            self._station.outbox.forget_fleeting()
            if socket is not self._dark:
                await socket.close()

    async def _connect(self) -> ClientConnection:
        station = self._station
        secret = b64encode(f"{station.name}:{station.key}".encode()).decode()
        return await connect(
            f"{station.url}/{station.name}",
            subprotocols=[Subprotocol(station.subprotocol)],
            additional_headers={} if station.key is None else {"Authorization": f"Basic {secret}"},
            compression=station.compression,
            proxy=None,
            ping_interval=None,
            close_timeout=1,
        )

    async def _talk(self, socket: ClientConnection) -> None:
        station = self._station
        self.wire = wire = station.make_wire(socket)
        wire.open(socket, station.tell_human)
        self._bury_dark_socket()
        self._told = None
        try:
            await together(wire.start(), self._attend(), _until_gone(wire))
        except GONE:
            if station.powered.is_set() and station.networked.is_set():
                self._failures += 1
                self._tell_once("connection closed; connects again")

    def _bury_dark_socket(self) -> None:
        dark, self._dark = self._dark, None
        if dark is not None:
            dark.transport.abort()

    def _tell_once(self, text: str) -> None:
        if text != self._told:
            self._station.tell_human(text)
        self._told = text

    def _patience_s(self) -> float:
        """Real seconds to wait before the next connection: doubled with each failure, with jitter."""
        if not self._failures:
            return 0.0
        manners, chance = self._station.manners, self._station.chance
        wished = manners.retry_from_s * float(2 ** min(self._failures - 1, 16))
        return min(wished, manners.retry_up_to_s) * chance.uniform(0.5, 1.0)


async def _until_gone(wire: Any) -> None:
    """End the conversation when the line has gone dark: the socket itself would never tell."""
    await asyncio.wait({wire.closed})
    raise OfflineError


def _reason(error: Exception) -> str:
    if isinstance(error, InvalidStatus) and error.response.status_code in (401, 403, 404):
        return f"refused at the door ({error.response.status_code}); tries again"
    return f"central system not reached ({type(error).__name__}); tries again"
