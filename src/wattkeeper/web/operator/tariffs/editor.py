"""The editor: a tariff as a form that works by itself, and beside it what that means, anew with every key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.cards.limits import DAYS
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.tariffs.tariff import Tariff
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Said, counted, phrase
from wattkeeper.operations.money.tariffs.prices import NAME, PAST, TAKEN
from wattkeeper.store.money.tariffs.tariff import TariffRow, valid_at
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.operator.tariffs.picture import SHORT
from wattkeeper.web.operator.tariffs.preview import begun, preview, whens
from wattkeeper.web.operator.tariffs.reading import Read, read, since
from wattkeeper.web.operator.tariffs.typed import Typed, fresh, of_form, of_tariff
from wattkeeper.web.problem import STATUS

PARTS = "tariff_editor_parts.html"
MOST_FIELDS = 6000
NO_NAME = phrase("A name has 1 to 40 letters, digits, dashes or underscores, such as night.")
UNREAD = phrase("Something is wrong where it says so below. What you typed is kept.")
MEANWHILE = phrase(
    "Version {version} was set by {by} meanwhile. Yours is kept here, not saved: look at theirs, then save again to "
    "let yours follow it."
)
KIND_WORDS = {
    "energy": (phrase("Energy"), phrase("for each kWh")),
    "time": (phrase("Charging time"), phrase("for each hour")),
    "idle": (phrase("Idle time"), phrase("for each hour plugged in without charging")),
    "once": (phrase("Start"), phrase("once for each session")),
}
"""What the prices of a block are called, and what they are for."""


async def typed_in(request: Request) -> tuple[Typed, str]:
    """What a form says, and what was pressed; nothing where whoever types has gone on before it was whole."""
    try:
        async with request.form(max_fields=MOST_FIELDS) as form:
            told = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    except ClientDisconnect:
        told = {}
    return of_form(told), told.get("do", "look")


class Editor:
    """``/tariffs/new``, ``/tariffs/named/{tariff}/edit`` and what they mean as one types."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    # --- to look at -------------------------------------------------------------------------------------

    async def new(self, request: Request, like: str = "") -> Response:
        """The form for a new tariff, empty or like another one."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_WRITE)
        rows = await self._rooms.prices.versions(viewer)
        now = self._rooms.store.clock()
        base = valid_at(rows, now, like) if like else None
        currency = rows[0].tariff.currency if rows else "EUR"
        typed = of_tariff(base.tariff) if base else fresh(currency, self._rooms.settings.zone)
        typed.head.update(begun(now, Tariff("EUR", zone=self._rooms.settings.zone)), seen="0")
        return await self._page(request, viewer, "", typed, is_first=base is None)

    async def show(self, request: Request, tariff: str, version: str = "") -> Response:
        """The form with a tariff's newest version, or another one, in it."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_WRITE)
        rows, now = await self._rows(viewer, tariff), self._rooms.store.clock()
        row = next((row for row in rows if str(row.version) == version), rows[0])
        typed = of_tariff(row.tariff)
        typed.head.update(begun(now, row.tariff), seen=str(rows[0].version))
        return await self._page(request, viewer, tariff, typed)

    async def _rows(self, viewer: Viewer, name: str) -> list[TariffRow]:
        """A tariff's versions, the newest first; Refusal NOT_FOUND."""
        rows = [row for row in await self._rooms.prices.versions(viewer) if row.id == name]
        if not rows:
            raise Refusal(Code.NOT_FOUND, phrase("There is no tariff of this name."))
        return rows

    async def _page(
        self,
        request: Request,
        viewer: Viewer,
        name: str,
        typed: Typed,
        *,
        found: Read | None = None,
        is_first: bool = False,
        status: int = 200,
        focus: str = "",
        **given: Any,
    ) -> Response:
        """The form; ``found``: what was read of it, where faults shall be shown at its fields."""
        meant = read(typed)
        context: dict[str, Any] = {
            "name": name,
            "typed": typed,
            "faults": found.faults if found else {},
            "preview": None if is_first else preview(meant, self._rooms.store.clock()),
            "whens": whens(meant),
            "kinds": KIND_WORDS,
            "days": list(zip(DAYS, SHORT, strict=True)),
            "shorts": SHORT,
            "focus": focus,
            "theirs": None,
        }
        return self._paper.page(request, "tariff_editor.html", viewer, status=status, **(context | given))

    async def look(self, request: Request) -> Response:
        """What stands in the form means, for the page that is open."""
        try:
            await self._paper.need_viewer(request, Scope.TARIFFS_WRITE)
        except Refusal as refusal:
            if refusal.code is Code.UNAUTHENTICATED:
                return Response(status_code=STATUS[refusal.code])  # the door is a page, and this is a part of one
            raise
        typed, _ = await typed_in(request)
        shown = self._paper.part(PARTS, "meaning", preview(read(typed), self._rooms.store.clock()), SHORT)
        return Response(shown, 200, {"Cache-Control": "no-store"}, "text/html")

    # --- to change --------------------------------------------------------------------------------------

    async def make(self, request: Request) -> Response:
        """A new tariff: saved, or the form with another row, or with what is wrong."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_WRITE)
        return await self._act(request, viewer, "")

    async def change(self, request: Request, tariff: str) -> Response:
        """A tariff's next version: saved, or the form with another row, or with what is wrong."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_WRITE)
        await self._rows(viewer, tariff)
        return await self._act(request, viewer, tariff)

    async def _act(self, request: Request, viewer: Viewer, name: str) -> Response:
        typed, deed = await typed_in(request)
        if deed == "save":
            return await self._save(request, viewer, name, typed)
        if deed == "look":
            return await self._page(request, viewer, name, typed, found=read(typed))
        changed = typed.changed(deed)
        return await self._page(request, viewer, name, changed, focus=_focus(deed, changed))

    async def _save(self, request: Request, viewer: Viewer, name: str, typed: Typed) -> Response:
        found = read(typed)
        valid_from = since(found, self._paper.times.zone)
        named = name or typed.head["name"]
        if not NAME.fullmatch(named):
            found.fault("name", NO_NAME)
        if found.tariff is not None and not found.faults:
            try:
                row = await self._set(viewer, found.tariff, valid_from, named, typed.head["seen"])
            except Refusal as refusal:
                return await self._refused(request, viewer, name, found, refusal)
            return RedirectResponse(f"/tariffs/named/{row.id}?version={row.version}&did=saved", 303)
        word = Word(_wrong(len(found.faults)), UNREAD, "harm")
        return await self._page(request, viewer, name, typed, found=found, status=422, word=word)

    async def _set(
        self, viewer: Viewer, tariff: Tariff, valid_from: datetime | None, name: str, seen: str
    ) -> TariffRow:
        known = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0
        return await self._rooms.prices.set(viewer, tariff, valid_from, name, known)

    async def _refused(self, request: Request, viewer: Viewer, name: str, found: Read, refusal: Refusal) -> Response:
        """The form as it was typed, with why it was not saved."""
        typed, more = found.typed, dict[str, Any]()
        word = Word(phrase("Nothing was saved."), refusal.why, "harm")
        if refusal.why == TAKEN:
            found.fault("name", refusal.why)
        elif refusal.why == PAST:
            found.fault("since_day", refusal.why)
        elif refusal.code is Code.CONFLICT:
            newest = (await self._rows(viewer, name))[0]
            by = (await self._rooms.names.said(viewer, [newest.by]))[newest.by]
            typed.head["seen"] = str(newest.version)
            word = Word(refusal.why, MEANWHILE.filled(version=newest.version, by=by), "look")
            more = {"theirs": newest}
        given: dict[str, Any] = {"found": found, "status": STATUS[refusal.code], "word": word, **more}
        return await self._page(request, viewer, name, typed, **given)


def _wrong(count: int) -> Said:
    """How much is wrong."""
    return counted("Nothing was saved: 1 thing is wrong.", "Nothing was saved: {count} things are wrong.", count)


def _focus(deed: str, typed: Typed) -> str:
    """Which field has the focus once a row was added, taken out or moved."""
    what, _, number = deed.rpartition("-")
    if deed == "add-rate" and typed.rates:
        return f"r{len(typed.rates) - 1}-name"
    if deed == "add" and typed.blocks:
        return f"b{len(typed.blocks) - 1}-energy-price"
    if what == "up" and number.isdecimal():
        return f"b{max(0, int(number[:3]) - 1)}-energy-price"
    return "add-rate" if what == "remove-rate" else "add"


def router(paper: Paper) -> APIRouter:
    """``/tariffs/new``, ``/tariffs/named/{tariff}/edit`` and what they mean as one types."""
    pages, routes = Editor(paper), routes_of(paper)
    routes.add_api_route("/tariffs/new", pages.new, methods=["GET"])
    routes.add_api_route("/tariffs/new", pages.make, methods=["POST"])
    routes.add_api_route("/tariffs/preview", pages.look, methods=["POST"])
    routes.add_api_route("/tariffs/named/{tariff}/edit", pages.show, methods=["GET"])
    routes.add_api_route("/tariffs/named/{tariff}/edit", pages.change, methods=["POST"])
    return routes
