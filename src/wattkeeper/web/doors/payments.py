"""The payment provider's door: what it tells by itself, believed by its signature alone. Neither cookie nor form."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wattkeeper.operations.money.payments.hearing import Hearing
from wattkeeper.operations.money.payments.provider import Forged
from wattkeeper.web.rooms import Rooms

PATH = "/payments/stripe"
SIGNATURE = "stripe-signature"
MOST = 256 * 1024
"""Bytes of what is told: Stripe's events are far smaller."""


def router(rooms: Rooms) -> list[BaseRoute]:
    """The door, where a provider is set up; else it is as absent as any other page."""
    if rooms.payments.hearing is None:
        return []
    return [Route(PATH, Door(rooms.payments.hearing).hear, methods=["POST"], include_in_schema=False)]


class Door:
    """``/payments/stripe``"""

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing

    async def hear(self, request: Request) -> Response:
        """Take in an event: 200 once it is kept or no concern of ours, 400 where they did not sign it, or not now."""
        body = await request.body()
        if len(body) > MOST:
            return Response(status_code=413)
        try:
            await self._hearing.hear(body, request.headers.get(SIGNATURE, ""))
        except Forged:
            return Response(status_code=400)
        return Response(status_code=200)
