"""Taking in a tariff from a file: first what it means, then, once somebody has seen that, for good."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Said, counted, phrase
from wattkeeper.operations.cards.listing import decoded
from wattkeeper.operations.money.tariffs.price_words import said
from wattkeeper.operations.money.tariffs.prices import CHANGED, NAME, PAST
from wattkeeper.store.money.tariffs.tariff import TariffRow
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.operator.tariffs.editor import NO_NAME
from wattkeeper.web.operator.tariffs.picture import SHORT, pictures
from wattkeeper.web.operator.tariffs.taken import Taken, taken
from wattkeeper.web.operator.tariffs.whom import instant
from wattkeeper.web.problem import STATUS

FIELDS = ("text", "name", "day", "time", "seen", "looked")
EMPTY = dict.fromkeys(FIELDS, "")
NO_FILE = phrase("Choose a file, or paste what is in it.")
LOOK_AGAIN = phrase("Another version was set meanwhile. Look at what follows it, then import again.")


class Import:
    """``/tariffs/import``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """The form."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_WRITE)
        return self._page(request, viewer, EMPTY, None, [])

    def _page(
        self,
        request: Request,
        viewer: Viewer,
        typed: dict[str, str],
        found: Taken | None,
        rows: list[TariffRow],
        *,
        faults: dict[str, Said] | None = None,
        status: int = 200,
        word: Word | None = None,
    ) -> Response:
        """The form, and what a file means."""
        now = self._rooms.store.clock()
        tariff = None if found is None else found.tariff
        known = [row for row in rows if row.id == typed["name"]]
        at = now if found is None or found.since is None else max(now, found.since)
        context: dict[str, Any] = {
            "typed": typed | {"seen": str(known[0].version if known else 0), "looked": typed["name"]},
            "found": found,
            "faults": faults or {},
            "next": known[0].version + 1 if known else 1,
            "is_known": bool(known),
            "pictures": () if tariff is None else pictures(tariff, at.astimezone(tariff.zone).date()),
            "said": () if tariff is None else said(tariff, at),
            "shorts": SHORT,
        }
        return self._paper.page(request, "tariff_import.html", viewer, status=status, word=word, **context)

    async def take(self, request: Request) -> Response:
        """What a file means, or what is wrong with it; or the tariff, kept."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_WRITE)
        typed, deed = await self._typed(request)
        rows = await self._rooms.prices.versions(viewer)
        if not typed["text"].strip():
            word = Word(phrase("Nothing was read."), NO_FILE, "harm")
            return self._page(request, viewer, typed, None, rows, status=422, word=word)
        found = taken(typed["text"], self._rooms.settings.zone)
        if found.faults:
            word = Word(_wrong(len(found.faults)), phrase("What you pasted is kept below."), "harm")
            return self._page(request, viewer, typed, found, rows, status=422, word=word)
        if deed == "save":
            return await self._save(request, viewer, typed, found, rows)
        return self._page(request, viewer, self._offered(typed, found), found, rows)

    async def _typed(self, request: Request) -> tuple[dict[str, str], str]:
        """What was typed, pasted or uploaded, and what was pressed."""
        async with request.form() as form:
            told = {name: str(form.get(name) or "") for name in (*FIELDS, "do")}
            file = form.get("file")
            body = await file.read() if isinstance(file, UploadFile) and file.size else b""
        typed = {name: told[name][: None if name == "text" else 100].strip() for name in FIELDS}
        if body:
            typed |= {"text": decoded(body), "name": ""}
        return typed, told["do"] or "look"

    def _offered(self, typed: dict[str, str], found: Taken) -> dict[str, str]:
        """The name and the instant that the file itself offers, where nothing else was typed."""
        offered = typed | ({"name": found.name} if not typed["name"] else {})
        if found.since is not None and not typed["day"] and found.since > self._rooms.store.clock():
            there = self._paper.times.local(found.since)
            offered |= {"day": f"{there:%Y-%m-%d}", "time": f"{there:%H:%M}"}
        return offered

    async def _save(
        self, request: Request, viewer: Viewer, typed: dict[str, str], found: Taken, rows: list[TariffRow]
    ) -> Response:
        """Keep it; or say why not."""
        at, faults = instant(typed["day"], typed["time"], self._paper.times.zone)
        if not NAME.fullmatch(typed["name"]):
            faults["name"] = NO_NAME
        if not faults:
            try:
                row = await self._keep(viewer, typed, found, at)
                return RedirectResponse(f"/tariffs/named/{row.id}?version={row.version}&did=imported", 303)
            except Refusal as refusal:
                if refusal.code not in (Code.INVALID, Code.CONFLICT):
                    raise
                is_late = refusal.code is Code.CONFLICT
                why = LOOK_AGAIN if refusal.why == CHANGED else refusal.why
                faults = {"day" if refusal.why == PAST else "name": why}
                rows = await self._rooms.prices.versions(viewer) if is_late else rows
                word = Word(phrase("Nothing was imported."), next(iter(faults.values())), "look" if is_late else "harm")
                status = STATUS[refusal.code]
                return self._page(request, viewer, typed, found, rows, faults=faults, status=status, word=word)
        word = Word(phrase("Nothing was imported."), next(iter(faults.values())), "harm")
        return self._page(request, viewer, typed, found, rows, faults=faults, status=422, word=word)

    async def _keep(self, viewer: Viewer, typed: dict[str, str], found: Taken, at: datetime | None) -> TariffRow:
        assert found.tariff is not None
        seen = typed["seen"] if typed["looked"] == typed["name"] else ""
        known = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0
        return await self._rooms.prices.set(viewer, found.tariff, at, typed["name"], known)


def _wrong(count: int) -> Said:
    """How much is wrong."""
    return counted("Nothing was read: 1 thing is wrong.", "Nothing was read: {count} things are wrong.", count)


def router(paper: Paper) -> APIRouter:
    """``/tariffs/import``."""
    pages, routes = Import(paper), routes_of(paper)
    routes.add_api_route("/tariffs/import", pages.show, methods=["GET"])
    routes.add_api_route("/tariffs/import", pages.take, methods=["POST"])
    return routes
