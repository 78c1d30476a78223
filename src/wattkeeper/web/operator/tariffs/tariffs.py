"""The list of tariffs: what a kWh costs, who gets which, in which version, since when."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.person import Scope
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.operator.tariffs.listed import answer, listed


class Tariffs:
    """``/tariffs``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """The list."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_READ)
        rows = await self._rooms.prices.versions(viewer)
        assignments = await self._rooms.assignments.find(viewer)
        now = self._rooms.store.clock()
        found = listed(rows, assignments, now)
        may_write = viewer.may(Scope.TARIFFS_WRITE)
        given: dict[str, Any] = {"tariffs": found, "answer": answer(found, now), "may_write": may_write}
        return self._paper.page(request, "tariffs.html", viewer, **given)


def router(paper: Paper) -> APIRouter:
    """``/tariffs``."""
    pages, routes = Tariffs(paper), routes_of(paper)
    routes.add_api_route("/tariffs", pages.show, methods=["GET"])
    return routes
