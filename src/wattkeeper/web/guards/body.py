"""How much may be sent to us."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST = 1024 * 1024
"""Bytes of a request's body, where nothing else is said."""


class BodyLimit:
    """Refuses a body that is too large (413): from its announced length alone, or else as soon as it is."""

    def __init__(self, app: ASGIApp, larger: Mapping[str, int]) -> None:
        self._app = app
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, counting what is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._larger.get(scope["path"], MOST)
        announced = Headers(scope=scope).get("content-length", "")
        too_large = announced.isdigit() and (len(announced) > 15 or int(announced) > most)
        came = 0

        async def counted() -> Message:
            nonlocal came
            if too_large:
                raise HTTPException(413)
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)
