"""Breaches of personal data: the clock, who is affected, the report, the notices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope
from wattkeeper.charging.phrase import Said, counted, phrase, plural
from wattkeeper.operations.privacy.breach.breach import Breach, Happened
from wattkeeper.web.operator.paper import Look, Paper, routes_of

HERE = "/breaches"
UNREACHED = plural(
    "1 of them has no account here, so no letter reaches them: tell them publicly.",
    "{count} of them have no account here, so no letter reaches them: tell them publicly.",
)
STATES = {
    "late": Look(phrase("The 72 hours are over"), "harm", "harm"),
    "open": Look(phrase("Open"), "look", "look"),
    "reported": Look(phrase("Reported"), "done"),
    "closed": Look(phrase("Closed"), "done"),
}


def state_of(one: Breach) -> Look:
    """Where a breach is."""
    if one.row.closed_at:
        return STATES["closed"]
    return STATES["late" if one.is_late else "reported" if one.row.reported_at else "open"]


def left_of(one: Breach) -> Said:
    """How long until the authority must be told."""
    if one.row.reported_at or one.row.closed_at:
        return phrase("no clock runs")
    hours = int(one.left.total_seconds() // 3600)
    return counted("1 hour left", "{count} hours left", hours) if hours >= 0 else phrase("too late")


class Breaches:
    """``/breaches``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._breaches = paper.rooms.rights.breaches

    async def show(self, request: Request) -> Response:
        """The list, and a form for a new one."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_READ)
        lines = [(one, state_of(one), left_of(one)) for one in await self._breaches.listed(viewer)]
        may = viewer.may(Scope.PRIVACY_WRITE)
        return self._paper.page(request, "breaches.html", viewer, lines=lines, may_write=may)

    async def open(
        self,
        request: Request,
        what: Annotated[str, Form()] = "",
        tables: Annotated[str, Form()] = "",
        stations: Annotated[str, Form()] = "",
        since: Annotated[str, Form()] = "",
        until: Annotated[str, Form()] = "",
        risk: Annotated[str, Form()] = "",
    ) -> Response:
        """Enter one."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_WRITE)
        span = (self._at(since), self._at(until))
        named = (tuple(tables.replace(",", " ").split()), tuple(stations.replace(",", " ").split()))
        made = await self._breaches.open(viewer, Happened(what, None, *span, *named, risk == "yes"))
        return RedirectResponse(f"{HERE}/{made}", 303)

    async def one(self, request: Request, identifier: str) -> Response:
        """One breach."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_READ)
        one = await self._breaches.one(viewer, identifier)
        report = await self._breaches.report(viewer, identifier)
        given: dict[str, Any] = {"one": one, "state": state_of(one), "left": left_of(one), "report": report}
        given["affected"] = counted("1 person is affected", "{count} people are affected", one.affected)
        given["unreached"] = UNREACHED.filled(count=one.unreached)
        return self._paper.page(request, "breach.html", viewer, may_write=viewer.may(Scope.PRIVACY_WRITE), **given)

    async def report(self, request: Request, identifier: str) -> Response:
        """What the authority is told, as a file."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_READ)
        headers = {"Content-Disposition": f'attachment; filename="breach-{identifier[:12]}.txt"'}
        return PlainTextResponse(await self._breaches.report(viewer, identifier), headers=headers)

    async def reported(self, request: Request, identifier: str) -> Response:
        """The authority was told."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_WRITE)
        await self._breaches.reported(viewer, identifier)
        return RedirectResponse(f"{HERE}/{identifier}", 303)

    async def tell(
        self, request: Request, identifier: str, title: Annotated[str, Form()] = "", words: Annotated[str, Form()] = ""
    ) -> Response:
        """Tell those who are affected."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_WRITE)
        await self._breaches.tell(viewer, identifier, title, words)
        return RedirectResponse(f"{HERE}/{identifier}", 303)

    async def close(self, request: Request, identifier: str, done: Annotated[str, Form()] = "") -> Response:
        """It is over."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_WRITE)
        await self._breaches.close(viewer, identifier, done)
        return RedirectResponse(f"{HERE}/{identifier}", 303)

    def _at(self, said: str) -> datetime | None:
        """A time that was typed, by the place's clock; nothing where none was."""
        if not said.strip():
            return None
        try:
            at = datetime.fromisoformat(said.strip())
        except ValueError:
            raise Refusal(Code.INVALID, phrase("A time is such as 2026-03-01T12:00.")) from None
        return at.replace(tzinfo=at.tzinfo or self._paper.rooms.settings.zone)


def router(paper: Paper) -> APIRouter:
    """``/breaches`` and each of them."""
    pages, routes = Breaches(paper), routes_of(paper)
    routes.add_api_route(HERE, pages.show, methods=["GET"])
    routes.add_api_route(HERE, pages.open, methods=["POST"])
    routes.add_api_route(f"{HERE}/{{identifier}}", pages.one, methods=["GET"])
    routes.add_api_route(f"{HERE}/{{identifier}}/report", pages.report, methods=["GET"])
    for name, deed in (("reported", pages.reported), ("letters", pages.tell), ("end", pages.close)):
        routes.add_api_route(f"{HERE}/{{identifier}}/{name}", deed, methods=["POST"])
    return routes
