"""The deeds by which keys of meters come and go, on the page of their station."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import Scope
from wattkeeper.charging.phrase import phrase
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.operator.people.names import path_of
from wattkeeper.web.operator.stations.plates import Typed
from wattkeeper.web.operator.stations.station import Station
from wattkeeper.web.problem import STATUS


class Meters:
    """What can be done about the meters of a station."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms
        self._station = Station(paper)

    async def pin(
        self,
        request: Request,
        station: Annotated[str, Form()] = "",
        evse: Annotated[str, Form(max_length=10)] = "",
        serial: Annotated[str, Form(max_length=200)] = "",
        key: Annotated[str, Form(max_length=10_000)] = "",
    ) -> Response:
        """Pin a key; where that cannot be, the form as it was typed."""
        viewer = await self._paper.need_viewer(request)
        viewer.need(Scope.STATIONS_WRITE)
        number = int(evse) if evse.strip().isascii() and evse.strip().isdecimal() else 0
        try:
            await self._rooms.meters.pin(viewer, station, number, serial, key)
        except Refusal as refusal:
            word = Word(phrase("This key was not pinned."), refusal.why, "harm")
            typed = Typed(evse.strip(), serial.strip(), key.strip())
            return await self._station.page(request, viewer, station, STATUS[refusal.code], word=word, typed=typed)
        return _back(station)

    async def end(
        self, request: Request, station: Annotated[str, Form()] = "", id: Annotated[str, Form(max_length=40)] = ""
    ) -> Response:
        """End a key: from now on nothing is checked with it."""
        viewer = await self._paper.need_viewer(request)
        await self._rooms.meters.end(viewer, station, id)
        return _back(station)

    async def require(
        self,
        request: Request,
        station: Annotated[str, Form()] = "",
        evse: Annotated[int, Form(ge=0, le=255)] = 0,
        required: Annotated[str, Form(max_length=3)] = "",
    ) -> Response:
        """Rule whether values must be signed."""
        viewer = await self._paper.need_viewer(request)
        await self._rooms.meters.require(viewer, station, evse, required == "yes")
        return _back(station)


def _back(station: str) -> Response:
    """To the station's page, where its meters stand."""
    return RedirectResponse(f"{path_of(station)}#meters-head", 303)


def router(paper: Paper) -> APIRouter:
    """What can be done about meters."""
    pages, routes = Meters(paper), routes_of(paper)
    routes.add_api_route("/stations/meter-key", pages.pin, methods=["POST"])
    routes.add_api_route("/stations/meter-key/end", pages.end, methods=["POST"])
    routes.add_api_route("/stations/signatures", pages.require, methods=["POST"])
    return routes
