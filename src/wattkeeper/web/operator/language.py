"""Choosing a language: for this browser, and for the letters to whoever is signed in. Drivers and staff alike."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.language import chosen
from wattkeeper.web.guards.origin import cookie_name
from wattkeeper.web.operator.door import within
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.tongue import keep_language


class Choice:
    """``/language``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def choose(self, request: Request, next: str = "/", language: Annotated[str, Form()] = "") -> Response:
        """Keep the choice, and go back to the page that it was made on."""
        cookie = request.cookies.get(cookie_name(self._rooms.settings), "")
        viewer = await self._rooms.access.viewer_by_cookie(cookie) if cookie else None
        if viewer is not None:
            await self._rooms.people.accounts.speak(viewer, chosen(language))
        response = RedirectResponse(within(next), 303)
        keep_language(response, self._rooms.settings, language)
        return response


def router(paper: Paper) -> APIRouter:
    """``/language``."""
    choice, routes = Choice(paper), routes_of(paper)
    routes.add_api_route("/language", choice.choose, methods=["POST"])
    return routes
