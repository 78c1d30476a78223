"""The API's entrance: who asks is known before anything else of a request is looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.web.guards.origin import cookie_name, need_same_origin
from wattkeeper.web.live import Still
from wattkeeper.web.problem import of_refusal
from wattkeeper.web.rooms import Rooms

Lookup = Callable[[], Awaitable[Viewer | None]]
PREFIX = "/api/v1"
OPEN = frozenset({f"{PREFIX}/health", f"{PREFIX}/openapi.json", f"{PREFIX}/docs"})
"""What is answered to anyone."""
DOORS = ("sign-in", "sign-in/totp", "sign-in/recovery-code", "sign-in/passkey/options", "sign-in/passkey", "sign-out")
LETTERS = ("sign-up", "verify", "recover", "recover/finish", "invitation/accept", "first-owner")
PROOFS = ("log/checkpoint", "log/inclusion", "log/consistency", "log/entries")
OPEN |= {f"{PREFIX}/{one}" for one in (*DOORS, *LETTERS, *PROOFS)}


class Entrance:
    """Lets a request under the API's prefix in with a viewer, or answers 401, or 403 where it was forged."""

    def __init__(self, app: ASGIApp, rooms: Rooms) -> None:
        self._app = app
        self._rooms = rooms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask who it is, where it matters."""
        if scope["type"] != "http" or not is_ours(scope["path"]) or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        try:
            request = Request(scope)
            still = self._credential(request)
            viewer = await still()
            if viewer is None:
                raise Refusal(Code.UNAUTHENTICATED, phrase("This token or sign-in is not known here, or no longer."))
        except Refusal as refusal:
            await of_refusal(refusal)(scope, receive, send)
            return
        request.state.viewer, request.state.still = viewer, _still(still)
        await self._app(scope, receive, send)

    def _credential(self, request: Request) -> Lookup:
        """How to find out who asks: by the token, else by the cookie that only our own pages may use for changes."""
        given = request.headers.get("authorization")
        if given is not None:
            kind, _, token = given.partition(" ")
            if kind.lower() != "bearer":
                raise Refusal(Code.UNAUTHENTICATED, phrase("Send the token as: Authorization: Bearer wk_…"))
            return lambda: self._rooms.access.viewer_by_bearer(token.strip())
        cookie = request.cookies.get(cookie_name(self._rooms.settings))
        if not cookie:
            raise Refusal(Code.UNAUTHENTICATED, phrase("Send an API token: Authorization: Bearer wk_…"))
        need_same_origin(request, self._rooms.settings)
        return lambda: self._rooms.access.viewer_by_cookie(cookie)


def is_ours(path: str) -> bool:
    """Whether a path belongs to the API."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def _still(look: Lookup) -> Still:
    async def still() -> bool:
        return await look() is not None

    return still
