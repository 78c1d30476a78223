"""The sheet of a station's codes: one printed page for each EVSE, to be stuck on it."""

from __future__ import annotations

from typing import Any

import segno
from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.person import Scope
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.operator.people.names import path_of


class Codes:
    """The page ``/stations/{id}/codes``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._places = paper.rooms.places

    async def show(self, request: Request, station: str) -> Response:
        """The sheet."""
        viewer = await self._paper.need_viewer(request)
        name, printed = await self._places.printed(viewer, station)
        base = self._paper.rooms.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
        labels = [(one, f"{base}{one.path}", qr(f"{base}{one.path}")) for one in printed]
        may_renew = viewer.may(Scope.STATIONS_WRITE)
        told: dict[str, Any] = {"name": name, "labels": labels, "back": path_of(station), "may_renew": may_renew}
        return self._paper.page(request, "codes.html", viewer, **told)

    async def renew(self, request: Request, station: str) -> Response:
        """End the codes that are printed, and show others."""
        viewer = await self._paper.need_viewer(request)
        await self._places.renew(viewer, station)
        return RedirectResponse(f"{path_of(station)}/codes", 303)


def qr(address: str) -> Markup:
    """An address as a QR code: an SVG element that grows with its place (error correction M: 15 % may be worn off)."""
    drawn = segno.make_qr(address, error="m")
    return Markup(drawn.svg_inline(omitsize=True, border=4, svgclass="qr", lineclass=None, title=address))


def router(paper: Paper) -> APIRouter:
    """``/stations/{id}/codes``; an id may hold slashes."""
    pages, routes = Codes(paper), routes_of(paper)
    routes.add_api_route("/stations/{station:path}/codes", pages.show, methods=["GET"])
    routes.add_api_route("/stations/{station:path}/codes", pages.renew, methods=["POST"])
    return routes
