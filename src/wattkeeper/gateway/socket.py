"""The seam to the WebSocket library: the only module that imports it.

`listen` opens the door, `Wire` is one socket. What the library leaves to its users is done here: counting sockets
before anything is read, TLS that says which address failed, bounds on the opening request and on control frames,
and an end for whoever never closes.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidMessage
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import DATA_OPCODES, PING, PONG, CloseCode, Frame
from websockets.http11 import Request, Response
from websockets.protocol import CLOSED, CONNECTING, OPEN, Event
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from wattkeeper.gateway.begun import Begun
from wattkeeper.gateway.crowd import Crowd
from wattkeeper.gateway.endings import LOST, attack_of, why
from wattkeeper.gateway.introduction import Accepted, Introduction, Refused, introduce
from wattkeeper.gateway.notes import Notes
from wattkeeper.operations.people.security import Case
from wattkeeper.operations.proxies import Proxies
from wattkeeper.settings import Settings

MOST_INTRODUCTION = 16_384
"""Bytes of an opening request; the library alone would hold a mebibyte for everybody outside."""
QUEUED_FRAMES = 16
"""How many frames of a station wait here before its socket is no longer read."""
CONTROL_BURST, CONTROL_RATE = 200, 20.0
"""How many pings and pongs a station may send at once, and how many a second after that."""
CLOSE_S = 3.0
"""How long the other side may take to close, seconds."""
BACKLOG = 256
"""How many sockets the system holds for us; the event loop takes up to this many in one turn."""

PROTOCOL_ERROR = int(CloseCode.PROTOCOL_ERROR)
POLICY = int(CloseCode.POLICY_VIOLATION)
BROKEN = int(CloseCode.INTERNAL_ERROR)
GOING_AWAY = int(CloseCode.GOING_AWAY)

DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,  # keeps no window between messages: nothing idle, nothing to guess secrets by
    client_no_context_takeover=True,
    server_max_window_bits=12,
    compress_settings={"memLevel": 5},
)


class Gone(Exception):  # noqa: N818 - the end of a conversation is not a fault
    """The connection has ended; why, in a sentence."""


Greet = Callable[[Introduction, str], Awaitable[Accepted | Refused]]
"""Decides on a newcomer by its introduction and address."""


@dataclass(slots=True)
class Porch:
    """What all sockets of one door share."""

    settings: Settings
    crowd: Crowd
    notes: Notes
    tls: ssl.SSLContext | None
    proxies: Proxies
    wires: set[Wire] = field(default_factory=set)


class Wire(ServerConnection):
    """One socket from its accept to its end; after the handshake it carries a station's frames."""

    def __init__(self, protocol: ServerProtocol, server: Server, *, porch: Porch, **options: Any) -> None:
        super().__init__(protocol, server, **options)
        self.peer = self.address = ""
        """Who connected, and who that was by the word of a proxy that is believed."""
        self.accepted: Accepted | None = None
        self.ended_because: str | None = None
        self._came_at = self.heard_at = self.loop.time()
        """When anything came from the other side, event loop time."""
        self.pinged_at = 0.0
        """When it was last pinged to see whether it lives, event loop time."""
        self.stalled_at: float | None = None
        """Since when it takes nothing from us any more, event loop time."""
        self.waiting = 0
        """How many whole messages have come that nobody has received yet."""
        self._porch = porch
        self._counted = self._opened = False
        self._early = b""
        self._introduced = 0
        self._controls, self._controls_at = float(CONTROL_BURST), self.heard_at
        self._raw: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._reaper: asyncio.TimerHandle | None = None

    def learn_address(self, told: Callable[[str], list[str]]) -> None:
        """Who connected, from the headers of the opening request."""
        proxies = self._porch.proxies
        self.address = proxies.origin(self.peer, told(proxies.header))

    # --- for the conversation -------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether frames can be exchanged."""
        return self.protocol.state is OPEN

    async def receive(self) -> bytes:
        """The next message, whole, as the bytes that came; raises Gone."""
        try:
            message = await self.recv(decode=False)
        except ConnectionClosed as closed:
            raise Gone(self.ended_because or why(closed)) from None
        self.waiting -= 1
        return message

    async def tell(self, text: str) -> None:
        """Send a message, and wait while the other side takes too little; raises Gone."""
        if not self.is_open:
            raise Gone(self.ended_because or LOST)
        self.protocol.send_text(text.encode())  # `send` does the same with more ado, for fragments
        self.send_data()
        if self.paused:
            try:
                await self.drain()
            except OSError:
                raise Gone(self.ended_because or LOST) from None

    async def lives(self, within_s: float) -> bool:
        """Whether the other side answers a ping, or says anything at all, within this time."""
        asked = self.loop.time()
        try:
            async with asyncio.timeout(within_s):
                await (await self.ping())
        except (TimeoutError, ConnectionClosed):
            return self.is_open and self.heard_at > asked
        return True

    def beat(self) -> None:
        """Ping without waiting for the answer: `heard_at` will tell."""
        self.pinged_at = self.loop.time()
        self._task = self.loop.create_task(self._beat())

    async def _beat(self) -> None:
        try:
            await self.ping()
        except ConnectionClosed:
            return

    def drop(self, why: str) -> None:
        """End the connection at once, without a word."""
        self.ended_because = self.ended_because or why
        if self._raw is not None:
            self._raw.abort()

    async def end(self, code: int, why: str) -> None:
        """End the connection with a close code; whoever does not close within CLOSE_S is dropped."""
        self.ended_because = self.ended_because or why
        self.transport.resume_reading()  # its close must be heard, behind whatever it has sent
        await self.close(code, why)

    # --- from the transport ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket came: count it, then let it introduce itself, behind TLS if there is a certificate."""
        self._raw = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = self.address = str(peer[0]) if peer else ""
        self._counted = self._porch.crowd.let_in(self.peer)
        if not self._counted:
            text = "too many connections; one from %s was dropped"
            self._porch.notes.noise(f"crowd {self.address}", text, self.address)
            self._note(Case.CROWDED)
            self._raw.abort()
            return
        self._porch.wires.add(self)
        if self._porch.tls is None:
            self._open(self._raw)
        else:
            limit = self._porch.settings.handshake_s
            starting = self.loop.start_tls(
                self._raw, self, self._porch.tls, server_side=True, ssl_handshake_timeout=limit
            )
            self._task = self.loop.create_task(self._secure(self._raw, Begun(starting)))

    async def _secure(self, raw: asyncio.Transport, handshake: Begun[asyncio.Transport | None]) -> None:
        """See the TLS handshake through; a failure is told to the operator by address, for stations do not tell."""
        try:
            secured = await handshake
        except OSError as failure:
            reason = getattr(failure, "reason", None) or type(failure).__name__
            self._porch.notes.noise(
                f"tls {self.address}",
                "a TLS handshake from %s failed (%s); does the station trust our certificate?",
                *(self.address, reason),
            )
            self._note(Case.TLS_FAILED)
            raw.abort()
            self._leave()
            return
        if secured is not None:
            self._open(secured)

    def _open(self, transport: asyncio.Transport) -> None:
        """Hand the transport, and what came early, to the library."""
        self._opened = True
        super().connection_made(transport)
        if self._early:
            early, self._early = self._early, b""
            super().data_received(early)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if self._opened:
            super().connection_lost(exc)
            silent_s = self.loop.time() - self._came_at if self.request is None else 0.0
            case = attack_of(self.protocol, silent_s, self._porch.settings.handshake_s)
            if case is not None:
                self._note(case)
        if self._reaper is not None:
            self._reaper.cancel()
        self._leave()

    def _leave(self) -> None:
        """Make room for another."""
        if self._counted:
            self._counted = False
            self._porch.crowd.let_out(self.peer)
            self._porch.wires.discard(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self.heard_at = self.loop.time()
        if self.request is None:
            self._introduced += len(data)
            if self._introduced > MOST_INTRODUCTION:
                self._note(Case.INTRODUCTION_OVERSIZED)
                self._turn_away(b"431 Request Header Fields Too Large")
                return
            if not self._opened:
                self._early += data
                return
        super().data_received(data)
        if self.protocol.state is not OPEN and self._reaper is None and self.request is not None:
            self._reap()

    def _note(self, case: Case) -> None:
        """A security event of this socket, and of its station once that is proven."""
        station = self.accepted.welcome.station if self.accepted is not None else ""
        self._porch.notes.event(case, station, self.address)

    def _reap(self) -> None:
        """Once we have closed, wait for the other side no longer than CLOSE_S."""
        if self.protocol.state is not CONNECTING and self.protocol.state is not CLOSED:
            self._reaper = self.loop.call_later(CLOSE_S, self.drop, "The station did not close the connection.")

    def process_event(self, event: Event) -> None:
        """A request or a frame came: refuse what comes before we have answered, and too many pings."""
        if isinstance(event, Frame):
            if self.protocol.state is CONNECTING:
                self.drop("It sent before it was let in.")
                self._note(Case.SPOKE_EARLY)
                return
            if event.opcode in DATA_OPCODES:
                if not self.is_open:
                    return  # we have closed: nobody will receive it
                self.waiting += event.fin
            elif (event.opcode is PING or event.opcode is PONG) and self.is_open and not self._may_control():
                self.ended_because = "It sent too many pings."
                self._note(Case.PINGS_FLOOD)
                self.protocol.fail(POLICY, "too many pings")
                self.send_data()
        super().process_event(event)

    def _may_control(self) -> bool:
        """Whether another ping or pong is within what is allowed."""
        refilled = self._controls + (self.heard_at - self._controls_at) * CONTROL_RATE
        self._controls, self._controls_at = min(float(CONTROL_BURST), refilled) - 1, self.heard_at
        return self._controls >= 0

    def send_data(self) -> None:
        """Write what the library has to say; to what is no HTTP at all it says nothing, so say that (400)."""
        if self.request is None and isinstance(self.protocol.handshake_exc, InvalidMessage) and self._counted:
            if self._introduced:
                self._porch.notes.noise(f"http {self.address}", "what came from %s is no HTTP request", self.address)
                self._note(Case.NOT_HTTP)
            self._turn_away(b"400 Bad Request")
            return
        super().send_data()

    def _turn_away(self, status: bytes) -> None:
        """Answer an opening request that cannot be read, and close."""
        if self._raw is not None and not self._raw.is_closing():
            transport = self.transport if self._opened else self._raw
            transport.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            transport.close()

    def pause_writing(self) -> None:
        """The other side does not read fast enough."""
        super().pause_writing()
        self.stalled_at = self.loop.time()

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        self.stalled_at = None


class Listener:
    """An open door."""

    def __init__(self, server: Server, porch: Porch) -> None:
        self._server = server
        self._porch = porch
        self.port: int = next(iter(server.sockets)).getsockname()[1]
        """The TCP port it listens on."""

    async def stop(self) -> None:
        """Close the door: whoever is inside is told (1001), whoever is on the way in is dropped."""
        for wire in [wire for wire in self._porch.wires if not wire.is_open]:
            wire.drop("Wattkeeper is stopping.")
        for wire in self._porch.wires:
            wire.ended_because = wire.ended_because or "Wattkeeper is stopping."
        self._server.close(code=GOING_AWAY, reason="Wattkeeper is stopping.")
        await self._server.wait_closed()


async def listen(porch: Porch, greet: Greet, talk: Callable[[Wire], Awaitable[None]]) -> Listener:
    """Open the door at the settings' address; ``talk`` runs once for each socket that was accepted."""
    quiet = logging.getLogger("wattkeeper.gateway.socket")
    quiet.setLevel(logging.WARNING)  # below that the library writes payloads into the log
    settings = porch.settings
    server = await serve(
        cast(Callable[[ServerConnection], Awaitable[None]], talk),
        settings.host,
        settings.ocpp_port,
        create_connection=cast(type[ServerConnection], partial(Wire, porch=porch)),
        process_request=partial(_admit, greet),
        select_subprotocol=_name_subprotocol,
        compression=None,
        server_header=None,
        open_timeout=settings.handshake_s,
        ping_interval=None,
        close_timeout=CLOSE_S,
        max_size=settings.max_frame_bytes,
        max_queue=QUEUED_FRAMES,
        logger=quiet,
        backlog=BACKLOG,
    )
    return Listener(server, porch)


async def _admit(greet: Greet, connection: ServerConnection, request: Request) -> Response | None:
    """Decide on an opening request before it is answered; nothing more is read meanwhile."""
    wire = cast(Wire, connection)
    wire.transport.pause_reading()
    try:
        all_of = request.headers.get_all
        wire.learn_address(all_of)
        headers = (all_of("Authorization"), all_of("Sec-WebSocket-Protocol"), all_of("Origin"))
        decided = await greet(introduce(request.path, *headers), wire.address)
    finally:
        wire.transport.resume_reading()
    if isinstance(decided, Refused):
        return _refuse(wire, decided)
    wire.accepted = decided
    wire.protocol.available_extensions = [DEFLATE] if decided.deflate else None
    return None


def _refuse(wire: Wire, refused: Refused) -> Response:
    """The HTTP answer to whoever stays out."""
    response = wire.respond(refused.status, refused.text)
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="OCPP"'
    return response


def _name_subprotocol(connection: ServerConnection, offered: object) -> Subprotocol | None:
    """What was chosen when the newcomer was accepted."""
    accepted = cast(Wire, connection).accepted
    return Subprotocol(accepted.subprotocol) if accepted and accepted.subprotocol else None
