"""Programs: which have access by a token, to what, until when, and when they last used it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import IN_WORDS, PROGRAMS, Scope
from wattkeeper.charging.phrase import counted, phrase
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.operator.people.account import is_fresh
from wattkeeper.web.problem import STATUS

Text = Annotated[str, Form()]
Texts = Annotated[list[str] | None, Form()]
LASTS = {
    "30": phrase("30 days"),
    "90": phrase("90 days"),
    "365": phrase("a year"),
    "": phrase("until it is revoked"),
}
"""How long a token may be good, by days."""
OFFERED = [scope for scope in Scope if scope in PROGRAMS]
DID = {"revoked": Word(phrase("Its access is ended."), phrase("The token is refused from now on."))}


class Programs:
    """``/programs`` and what can be done there."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._programs = paper.rooms.programs

    async def show(self, request: Request, did: str = "") -> Response:
        """Which programs have access."""
        return await self._page(request, word=DID.get(did))

    async def _page(self, request: Request, status: int = 200, **given: Any) -> Response:
        viewer = await self._paper.need_viewer(request, Scope.TOKENS_READ)
        rows = await self._programs.every(viewer)
        some = counted("1 program has access", "{count} programs have access", len(rows))
        context: dict[str, Any] = {
            "rows": [(row, [IN_WORDS[scope] for scope in Scope if scope in row.scopes]) for row in rows],
            "answer": some if rows else phrase("No program has access"),
            "everything": PROGRAMS,
            "offered": OFFERED,
            "lasts": LASTS,
            "fresh": is_fresh(self._paper, viewer),
            "may_write": viewer.may(Scope.TOKENS_WRITE),
            "typed": {"name": "", "scopes": (), "days": "90"},
            "token": "",
        }
        return self._paper.page(request, "programs.html", viewer, status=status, **(context | given))

    async def give(self, request: Request, name: Text = "", scopes: Texts = None, days: Text = "90") -> Response:
        """Make a token and show it, this once; or say why not and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.TOKENS_WRITE)
        typed = {"name": name[:200], "scopes": tuple(scopes or ()), "days": days}
        try:
            if days not in LASTS:
                raise Refusal(Code.INVALID, phrase("Choose how long it lasts."))
            ends = self._paper.rooms.store.clock() + timedelta(days=int(days)) if days else None
            wanted = [scope for scope in OFFERED if scope.value in (scopes or ())]
            token = await self._programs.give(viewer, name, wanted, ends)
        except Refusal as refusal:
            if refusal.code is Code.PROOF:
                raise
            word = Word(phrase("No token was made."), refusal.why, "harm")
            return await self._page(request, STATUS[refusal.code], word=word, typed=typed)
        return await self._page(request, token=token, typed={"name": name, "scopes": (), "days": "90"})

    async def revoke(self, request: Request, token: Text = "") -> Response:
        """End a program's access."""
        await self._programs.revoke(await self._paper.need_viewer(request, Scope.TOKENS_WRITE), token)
        return RedirectResponse("/programs?did=revoked", 303)

    async def back(self) -> Response:
        """From the address of a form back to the page that it is on."""
        return RedirectResponse("/programs", 303)


def router(paper: Paper) -> APIRouter:
    """``/programs`` and what can be done there."""
    pages, routes = Programs(paper), routes_of(paper)
    routes.add_api_route("/programs", pages.show, methods=["GET"])
    routes.add_api_route("/programs/give", pages.give, methods=["POST"])
    routes.add_api_route("/programs/give", pages.back, methods=["GET"])
    routes.add_api_route("/programs/revoke", pages.revoke, methods=["POST"])
    routes.add_api_route("/programs/revoke", pages.back, methods=["GET"])
    return routes
