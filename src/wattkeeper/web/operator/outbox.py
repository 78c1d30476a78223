"""The outbox of a demonstration: letters that would go out by mail, for anyone to read."""

from __future__ import annotations

import re

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.web.operator.paper import Paper, routes_of

LINK = re.compile(r"(https?://\S+)")


class Outbox:
    """``/outbox``: there only while no mail server is set and the setting of that name is on."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    async def show(self, request: Request) -> Response:
        """Every letter, the newest first, its links ready to follow; Refusal NOT_FOUND where mail is sent."""
        letters = await self._paper.rooms.people.mail.outbox()
        told = [(letter, [LINK.split(part) for part in letter.text.split("\n\n")]) for letter in letters]
        return self._paper.page(request, "outbox.html", None, letters=told)


def router(paper: Paper) -> APIRouter:
    """``/outbox``."""
    routes = routes_of(paper)
    routes.add_api_route("/outbox", Outbox(paper).show, methods=["GET"])
    return routes
