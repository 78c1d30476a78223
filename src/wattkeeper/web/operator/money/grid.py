"""Grid meters: what those of each site showed, and a form to enter the next reading."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Said, phrase
from wattkeeper.store.money.grid import GridReading
from wattkeeper.web.operator.money import typed
from wattkeeper.web.operator.money.desks import page
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.operator.tariffs import whom
from wattkeeper.web.problem import STATUS

DESK, MOST = "/money/grid", 100
EMPTY = {"site": "", "meter": "", "day": "", "time": "", "kwh": ""}
DID = {"entered": Word(phrase("The reading is entered."))}


class GridPages:
    """``/money/grid``"""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, site: str = "", did: str = "") -> Response:
        """The newest readings; the form is for the site that is asked for."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        return await self._page(request, viewer, DID.get(did), form=EMPTY | {"site": site[:200]})

    async def _page(
        self, request: Request, viewer: Viewer, word: Word | None, status: int = 200, form: Mapping[str, str] = EMPTY
    ) -> Response:
        rows = await self._rooms.grid_meters.find(viewer, MOST)
        by = await self._rooms.names.said(viewer, (row.by for row in rows))
        lead: Said = phrase("What a site took from the grid stands beside what was delivered and billed there.")
        given: dict[str, Any] = {
            "lead": lead,
            "rows": [(row, by[row.by]) for row in rows],
            "sites": (await whom.known(self._rooms, viewer)).sites,
            "may_write": viewer.may(Scope.BILLS_WRITE),
            "typed": form,
            "most": MOST,
        }
        return page(self._paper, request, DESK, "grid.html", viewer, status=status, word=word, **given)

    async def enter(self, request: Request) -> Response:
        """Enter a reading; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ, Scope.BILLS_WRITE)
        form = EMPTY | await form_of(request)
        try:
            await self._rooms.grid_meters.enter(viewer, [self._reading(form)])
        except Refusal as refusal:
            word = Word(phrase("Nothing was entered."), refusal.why, "harm")
            return await self._page(request, viewer, word, STATUS[refusal.code], form)
        return RedirectResponse(f"{DESK}?did=entered", 303)

    def _reading(self, form: Mapping[str, str]) -> GridReading:
        """What was typed; Refusal INVALID."""
        at, faults = whom.instant(form["day"], form["time"], self._paper.times.zone)
        if faults:
            raise Refusal(Code.INVALID, next(iter(faults.values())))
        kwh = typed.number(form["kwh"], phrase("The register"))
        if kwh is None:
            raise Refusal(Code.INVALID, phrase("Say what the register showed."))
        return GridReading(form["site"], form["meter"], at or self._rooms.store.clock(), kwh * Decimal(1000))


def router(paper: Paper) -> APIRouter:
    """``/money/grid``"""
    pages, routes = GridPages(paper), routes_of(paper)
    routes.add_api_route(DESK, pages.show, methods=["GET"])
    routes.add_api_route(DESK, pages.enter, methods=["POST"])
    return routes
