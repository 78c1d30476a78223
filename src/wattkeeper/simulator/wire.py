"""The seam to the `ocpp` library: one conversation over one socket, for either version.

Whatever the library would write into a log holds whole frames, and so card numbers. It gets a log that
keeps quiet about all of it but the kind of a fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, cast

from ocpp.charge_point import camel_to_snake_case, remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.exceptions import OCPPError
from ocpp.routing import on
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from ocpp.messages import Call, MessageType

Answerer = TypeVar("Answerer", bound=Callable[..., Any])


class OfflineError(Exception):
    """The connection is gone or silent; whether the message was heard is unknown."""


class UnansweredError(Exception):
    """The other side answered with an error, or with something that is no answer."""


def answers(action: str) -> Callable[[Answerer], Answerer]:
    """Mark a method as the answer to that call of the central system."""
    return cast(Callable[[Answerer], Answerer], on(action))


class DiscreetLog:
    """Stands in for a logger: tells only that something went wrong, and of which kind."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def info(self, *_: object) -> None:
        """Say nothing: these lines hold whole frames."""

    warning = error = info

    def exception(self, *parts: object) -> None:
        """Tell the kind of a fault that the library answered with an error."""
        fault = next((type(part).__name__ for part in parts if isinstance(part, Exception)), "fault")
        self._tell(f"could not answer a request ({fault})")


class Wire:
    """What both versions' charge points share; mixed in before the library's class."""

    def open(self, socket: ClientConnection, tell: Callable[[str], None]) -> None:
        """Prepare for one conversation over that socket."""
        self.socket = socket
        self.afterwards: list[Callable[[], object]] = []
        self.closed = asyncio.ensure_future(socket.wait_closed())
        self.logger = DiscreetLog(tell)

    async def _handle_call(self, msg: Call) -> None:
        """Answer first, then do what the answer promised."""
        try:
            await super()._handle_call(msg)  # type: ignore[misc]
        finally:
            deeds, self.afterwards = self.afterwards, []
        for deed in deeds:
            deed()

    async def ask(self, payload: Any, *, strict: bool) -> Any:
        """Send a call and wait for its answer; raises `OfflineError` or `UnansweredError`."""
        this = cast(Any, self)
        calling = this.call(payload, suppress=False, skip_schema_validation=not strict)
        try:
            return await self._until_closed(calling)
        except OCPPError as error:
            raise UnansweredError(f"an error: {error.code}") from None
        except TypeError:
            # The library builds the answer from whatever members came, and trips over strange ones.
            raise UnansweredError("something that is no answer") from None

    async def ask_raw(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a call that the library would refuse to build; return the answer's members as they came."""
        return cast(dict[str, Any], await self._until_closed(self._call_raw(action, payload)))

    async def _call_raw(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        this = cast(Any, self)
        call = Call(str(this._unique_id_generator()), action, payload)
        async with this._call_lock:
            await this._send(call.to_json())
            answer = await this._get_specific_response(call.unique_id, this._response_timeout)
        if answer.message_type_id == MessageType.CallError:
            raise UnansweredError(f"an error: {answer.error_code}")
        return cast(dict[str, Any], answer.payload)

    async def _until_closed(self, calling: Any) -> Any:
        """Wait for the call, but no longer than the connection lives."""
        task = asyncio.ensure_future(calling)
        try:
            await asyncio.wait({task, self.closed}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise OfflineError
            return task.result()
        except ConnectionClosed as error:
            raise OfflineError from error
        except TimeoutError:
            # Who does not answer in time is not there any more: give the connection up, keep the message.
            # The error is cut off here because the library's own words hold the whole frame.
            self.socket.transport.abort()
            raise OfflineError from None
        finally:
            task.cancel()


def as_frame(payload: Any) -> dict[str, Any]:
    """The members of a call as they go over the wire."""
    return cast(dict[str, Any], remove_nones(snake_to_camel_case(serialize_as_dict(payload))))


def as_members(frame: dict[str, Any]) -> dict[str, Any]:
    """The members of an answer as the library names them."""
    return cast(dict[str, Any], camel_to_snake_case(frame))


def stamp(at: datetime) -> str:
    """The instant as OCPP writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
