"""A small central system on the `ocpp` library's server side: it checks every message against the official schemas."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar, cast

from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call_result as result201
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

import ocpp.messages

# In threads, the checks of one message cost more than the messages of a whole session.
ocpp.messages.ASYNC_VALIDATION = False

GOOD_CARD, OTHER_CARD, BAD_CARD = "04A1B2C3D4E5F6", "04FFEEDDCCBBAA", "0BADC0FFEE0BAD"
KEY = "0123456789abcdef"


@dataclass
class Heard:
    """One call of a station: what it said, with the members as they came."""

    station: str
    action: str
    payload: dict[str, Any]
    message_id: str


@dataclass
class Csms:
    """What the central system was told, and how it answers."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    errors: list[list[Any]] = field(default_factory=list)
    handshakes: list[tuple[str, str]] = field(default_factory=list)
    points: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    boots: list[tuple[str, int]] = field(default_factory=list)
    """Answers to the next boots; Accepted once they are used up."""
    refused_at_start: set[str] = field(default_factory=set)
    bad_cards: set[str] = field(default_factory=lambda: {BAD_CARD})
    message: str | None = None
    lax: bool = False
    failing: set[str] = field(default_factory=set)
    """Actions that are answered with InternalError."""
    silent: set[str] = field(default_factory=set)
    """Actions that are not answered at all."""
    change: asyncio.Event = field(default_factory=asyncio.Event)
    server: Server | None = None
    lives: list[asyncio.Task[None]] = field(default_factory=list)
    """The stations of the test: none may die while something is awaited."""
    _cards: list[str] = field(default_factory=list)

    def of(self, *actions: str, station: str | None = None) -> list[dict[str, Any]]:
        """The payloads of these actions in the order in which they came."""
        return [one.payload for one in self.heard if one.action in actions and station in (None, one.station)]

    def actions(self) -> list[str]:
        """All actions in the order in which they came."""
        return [one.action for one in self.heard]

    def open_transaction(self, card: str) -> int:
        """A transaction id of 1.6 for that card."""
        self._cards.append(card)
        return len(self._cards)

    def card_of(self, transaction_id: int) -> str:
        """The card that a transaction was opened with."""
        return self._cards[transaction_id - 1]

    async def until(self, condition: Callable[[], object], what: str = "what was awaited") -> None:
        """Wait until the condition holds; however slow the machine, a minute is enough."""
        try:
            async with asyncio.timeout(60):
                while not condition():
                    for life in self.lives:
                        if life.done() and not life.cancelled():
                            life.result()
                    self.change.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.05):
                            await self.change.wait()
        except TimeoutError:
            raise AssertionError(f"{what} never came; heard {self.actions()[-20:]}") from None

    def card_status(self, card: str) -> str:
        """The answer to Authorize."""
        return "Invalid" if card in self.bad_cards else "Accepted"

    def start_status(self, card: str) -> str:
        """The answer to a start."""
        return "Blocked" if card in self.refused_at_start else self.card_status(card)


def now() -> str:
    """This moment, as OCPP writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


Answer = TypeVar("Answer", bound=Callable[..., Any])


def reply(action: str) -> Callable[[Answer], Answer]:
    """Mark a method as the answer to that call of a station."""
    return cast(Callable[[Answer], Answer], on(action))


class Recording:
    """Notes every call before it is answered, and every error that is sent."""

    csms: Csms
    route_map: dict[str, dict[str, Any]]

    def check_nothing(self) -> None:
        """Take whatever comes: for stations that keep to no schema."""
        for route in self.route_map.values():
            route["_skip_schema_validation"] = True

    async def route_message(self, raw: str) -> None:
        frame = json.loads(raw)
        if frame[0] == 2:
            self.csms.heard.append(Heard(self.id, frame[2], frame[3], frame[1]))  # type: ignore[attr-defined]
            if frame[2] in self.csms.silent:
                return
            if frame[2] in self.csms.failing:
                await self._send(json.dumps([4, frame[1], "InternalError", "", {}]))
                return
        await super().route_message(raw)  # type: ignore[misc]
        self.csms.change.set()

    async def _send(self, message: str) -> None:
        frame = json.loads(message)
        if frame[0] == 4:
            self.csms.errors.append(frame)
        await super()._send(message)  # type: ignore[misc]


def boot_answer(csms: Csms) -> dict[str, Any]:
    """What the next boot is answered with."""
    status, interval = csms.boots.pop(0) if csms.boots else ("Accepted", 300)
    return {"current_time": now(), "interval": interval, "status": status}


class Point16(Recording, ChargePoint16):  # type: ignore[misc]
    """The central system's end of a 1.6 station."""

    @reply("BootNotification")
    def boot(self, **_: Any) -> Any:
        return result16.BootNotification(**boot_answer(self.csms))

    @reply("Heartbeat")
    def heartbeat(self) -> Any:
        return result16.Heartbeat(current_time=now())

    @reply("Authorize")
    def authorize(self, id_tag: str) -> Any:
        return result16.Authorize(id_tag_info={"status": self.csms.card_status(id_tag)})

    @reply("StatusNotification")
    def status(self, **_: Any) -> Any:
        return result16.StatusNotification()

    @reply("StartTransaction")
    def start_transaction(self, id_tag: str, **_: Any) -> Any:
        info = {"status": self.csms.start_status(id_tag)}
        return result16.StartTransaction(transaction_id=self.csms.open_transaction(id_tag), id_tag_info=info)

    @reply("MeterValues")
    def meter_values(self, **_: Any) -> Any:
        return result16.MeterValues()

    @reply("StopTransaction")
    def stop_transaction(self, **_: Any) -> Any:
        return result16.StopTransaction()


class Point201(Recording, ChargePoint201):  # type: ignore[misc]
    """The CSMS's end of a 2.0.1 station."""

    @reply("BootNotification")
    def boot(self, **_: Any) -> Any:
        return result201.BootNotification(**boot_answer(self.csms))

    @reply("Heartbeat")
    def heartbeat(self) -> Any:
        return result201.Heartbeat(current_time=now())

    @reply("Authorize")
    def authorize(self, id_token: dict[str, Any], **_: Any) -> Any:
        return result201.Authorize(id_token_info={"status": self.csms.card_status(id_token["id_token"])})

    @reply("StatusNotification")
    def status(self, **_: Any) -> Any:
        return result201.StatusNotification()

    @reply("TransactionEvent")
    def transaction_event(self, id_token: dict[str, Any] | None = None, **_: Any) -> Any:
        csms = self.csms
        return result201.TransactionEvent(
            id_token_info=None if id_token is None else {"status": csms.start_status(id_token["id_token"])},
            updated_personal_message=None if csms.message is None else {"format": "UTF8", "content": csms.message},
        )

    @reply("MeterValues")
    def meter_values(self, **_: Any) -> Any:
        return result201.MeterValues()

    @reply("NotifyReport")
    def notify_report(self, **_: Any) -> Any:
        return result201.NotifyReport()

    @reply("NotifyDisplayMessages")
    def notify_display_messages(self, **_: Any) -> Any:
        return result201.NotifyDisplayMessages()


POINTS: dict[str, Any] = {"ocpp1.6": Point16, "ocpp2.0.1": Point201}


@asynccontextmanager
async def open_csms(csms: Csms | None = None, port: int = 0) -> AsyncIterator[Csms]:
    """A central system that listens until the block ends."""
    csms = csms or Csms()
    async with serve(
        lambda socket: _attend(csms, socket),
        "127.0.0.1",
        port,
        subprotocols=["ocpp1.6", "ocpp2.0.1"],  # type: ignore[list-item]
        process_request=lambda _, request: _admit(csms, request),
        ping_interval=None,
        close_timeout=1,
    ) as server:
        csms.server = server
        csms.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
        yield csms


def _admit(csms: Csms, request: Request) -> Response | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    user, _, key = b64decode(secret).decode().partition(":")
    station = request.path.rpartition("/")[2]
    csms.handshakes.append((station, key))
    if scheme == "Basic" and user == station and key == csms.keys.get(station, KEY):
        return None
    return Response(HTTPStatus.UNAUTHORIZED, "Unauthorized", Headers({"Content-Length": "0"}))


async def _attend(csms: Csms, socket: ServerConnection) -> None:
    assert socket.request is not None
    station = socket.request.path.rpartition("/")[2]
    point = POINTS[str(socket.subprotocol)](station, socket)
    point.csms = csms
    if csms.lax:
        point.check_nothing()
    csms.points[station] = point
    try:
        await point.start()
    except ConnectionClosed:
        csms.change.set()
