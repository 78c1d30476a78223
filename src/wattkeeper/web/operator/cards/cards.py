"""Cards, masked: a list comes in as CSV, with every bad line reported; a card is blocked and unblocked."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, UploadFile
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.cards.token import CardState
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.cards.listing import decoded
from wattkeeper.store import journal
from wattkeeper.store.cards import card as store
from wattkeeper.web.operator import stream
from wattkeeper.web.operator.cards.card import LOOKS, key_of, look_of
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.operator.region import Region
from wattkeeper.web.operator.stream import View, Watch
from wattkeeper.web.problem import STATUS

PARTS = "cards_parts.html"
PER_PAGE = 100
STATES = {state.value: state for state in CardState}


def wanted(request: Request) -> dict[str, Any]:
    """What the address bar asks for."""
    query = request.query_params
    last2 = query.get("q", "").strip().lstrip("•*").upper()[-2:]
    return {"last2": last2 or None, "state": STATES.get(query.get("state", "")), "group": query.get("group") or None}


async def look(paper: Paper, connection: AsyncConnection, viewer: Viewer, sought: dict[str, Any]) -> View:
    """The list, the newest first."""
    now = paper.rooms.store.clock()
    rows = await store.find(connection, viewer, PER_PAGE, **sought)
    keys = {f"card-{key_of(row.ref)}": row for row in rows}
    may_write = viewer.may(Scope.CARDS_WRITE)
    printed = {key: paper.part(PARTS, "row", key, row, look_of(row, now), now, may_write) for key, row in keys.items()}
    is_all = not any(sought.values())
    more = len(rows) == PER_PAGE
    return View(
        await journal.newest(connection),
        [
            Region("cards", printed or {"cards-none": paper.part(PARTS, "empty", is_all)}),
            Region("cards-more", {"cards-more-text": paper.part(PARTS, "more", more, PER_PAGE)}, "div"),
        ],
    )


class Cards:
    """``/cards``, its stream, and what can be done with cards."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def _view(self, request: Request, viewer: Viewer) -> View:
        async with self._rooms.store.read() as connection:
            return await look(self._paper, connection, viewer, wanted(request))

    async def show(self, request: Request) -> Response:
        """The list."""
        return await self._page(request, await self._paper.need_viewer(request))

    async def _page(self, request: Request, viewer: Viewer, status: int = 200, **given: Any) -> Response:
        view = await self._view(request, viewer)
        query = request.query_params
        asked = {name: query.get(name, "") for name in ("q", "state", "group")}
        context = {"regions": view.by_name, "asked": asked, "typed": "", "report": None, **given}
        live = f"/live/cards?after={view.position}&{request.url.query}"
        return self._paper.page(request, "cards.html", viewer, status=status, stream=live, looks=LOOKS, **context)

    async def live(self, request: Request, after: str = "") -> Response:
        """The list's changes."""

        async def again(viewer: Viewer) -> View:
            return await self._view(request, viewer)

        return await stream.answer(Watch(self._paper, request, again), after)

    async def take(
        self, request: Request, file: UploadFile | None = None, text: Annotated[str, Form()] = ""
    ) -> Response:
        """Take in a list; says line by line what could not be taken, and keeps what was typed if none could."""
        viewer = await self._paper.need_viewer(request)
        viewer.need(Scope.CARDS_WRITE)
        body = await file.read() if file is not None and file.size else b""
        given = decoded(body) if body else text
        try:
            if not given.strip():
                raise Refusal(Code.INVALID, phrase("Choose a file, or paste the list."))
            report = await self._rooms.cards.import_csv(given, viewer)
        except Refusal as refusal:
            word = Word(phrase("No card was imported."), refusal.why, "harm")
            return await self._page(request, viewer, STATUS[refusal.code], word=word, typed=text)
        return await self._page(request, viewer, report=report)

    async def change(
        self, request: Request, ref: Annotated[str, Form()] = "", state: Annotated[str, Form()] = ""
    ) -> Response:
        """Block or unblock a card."""
        viewer = await self._paper.need_viewer(request)
        viewer.need(Scope.CARDS_WRITE)
        deeds = {CardState.BLOCKED: self._rooms.cards.block, CardState.ACTIVE: self._rooms.cards.unblock}
        deed = deeds.get(STATES.get(state, CardState.RETURNED))
        if deed is None:
            raise Refusal(Code.INVALID, phrase("A card is either blocked or made active here. Nothing was changed."))
        await deed(viewer, ref)
        return RedirectResponse("/cards", 303)


def router(paper: Paper) -> APIRouter:
    """``/cards``, its stream, and what can be done with cards."""
    pages, routes = Cards(paper), routes_of(paper)
    routes.add_api_route("/cards", pages.show, methods=["GET"])
    routes.add_api_route("/live/cards", pages.live, methods=["GET"])
    routes.add_api_route("/cards/import", pages.take, methods=["POST"])
    routes.add_api_route("/cards/import", pages.show, methods=["GET"])
    routes.add_api_route("/cards/state", pages.change, methods=["POST"])
    return routes
