"""The people's door does not wait for ever: requests that trickle in are ended, and no more come than may."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LOOK_EVERY_S = 5.0
HEADERS_WITHIN_S = 10.0
"""How long a connection may take to say what it wants, seconds."""
BODY_STALL_S = 15.0
"""How long nothing may arrive of a body that is not complete, seconds."""
MOST_CONNECTIONS = 2_000


class PatientProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with deadlines and a cap: sockets that people hold are not there for stations."""

    _watch: asyncio.TimerHandle | None = None
    _since = _heard = 0.0

    def connection_made(self, transport: Any) -> None:
        """Begin to watch, or send away whoever is too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._since = self._heard = self.loop.time()
        self._watch = self.loop.call_later(LOOK_EVERY_S, self._look)

    def data_received(self, data: bytes) -> None:
        """Note that something came."""
        self._heard = self.loop.time()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """End the connection where a request is overdue; look again later where none is."""
        now = self.loop.time()
        never_asked = self.cycle is None and now - self._since > HEADERS_WITHIN_S
        stalled = self.cycle is not None and self.cycle.more_body and now - self._heard > BODY_STALL_S
        if never_asked or stalled:
            self.transport.abort()
        else:
            self._watch = self.loop.call_later(LOOK_EVERY_S, self._look)
