"""Insight › Overview: how the connectors of a site, or of all, were used over a span of days."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.person import Scope
from wattkeeper.web.operator.insight.desks import OVERVIEW, RELEASES, page
from wattkeeper.web.operator.paper import Paper, routes_of


class Pages:
    """``/insight``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """The overview; whoever only lets out releases goes there."""
        viewer = await self._paper.need_viewer(request)
        if Scope.SESSIONS_READ not in viewer.scopes | viewer.at_sites and viewer.may(Scope.PRIVACY_READ):
            return RedirectResponse(RELEASES, 303)
        viewer.reach(Scope.SESSIONS_READ)
        return page(self._paper, request, OVERVIEW, "insight.html", viewer)


def router(paper: Paper) -> APIRouter:
    """``/insight``."""
    pages, routes = Pages(paper), routes_of(paper)
    routes.add_api_route(OVERVIEW, pages.show, methods=["GET"])
    return routes
