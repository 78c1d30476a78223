"""The privacy notice: what is kept of drivers, why, how long, who gets it, and what they may ask. For anyone."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.operations.privacy.register.notice import notice
from wattkeeper.web.driver.paper import Paper, routes_of

HERE = "/privacy"


class Notice:
    """``/privacy``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    async def show(self, request: Request) -> Response:
        """The notice, whoever asks."""
        told = notice(self._paper.rooms.settings)
        return await self._paper.page(request, "notice.html", None, told=told)


def router(paper: Paper) -> APIRouter:
    """``/privacy``."""
    pages, routes = Notice(paper), routes_of(paper)
    routes.add_api_route(HERE, pages.show, methods=["GET"])
    return routes
