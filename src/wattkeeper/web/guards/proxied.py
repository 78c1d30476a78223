"""Where requests come from, behind a proxy that is believed: told once, before anything asks."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from wattkeeper.operations.proxies import Proxies


class Proxied:
    """Puts who a proxy of ours heard in the place of the proxy, and the scheme that it was asked by."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the address of who asks."""
        peer = scope.get("client")
        if scope["type"] == "http" and peer and self._proxies.trusts(peer[0]):
            headers = Headers(scope=scope)
            address = self._proxies.origin(peer[0], headers.getlist(self._proxies.header))
            scheme = headers.get("x-forwarded-proto", "")
            told = {"scheme": scheme} if scheme in ("http", "https") else {}
            scope = {**scope, **told, "client": (address, 0 if address != peer[0] else peer[1])}
        await self._app(scope, receive, send)
