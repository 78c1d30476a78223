"""The door: sign in, sign out. Works without script."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.origin import cookie_name, drop_cookie, keep_cookie
from wattkeeper.web.problem import STATUS

WRONG = "Check the name and whether Caps Lock is on. Whoever runs this installation can set a new password for you."


def within(wanted: str) -> str:
    """Where to go after signing in: a path of ours, never another site."""
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if is_ours else "/"


class Door:
    """``/login`` and ``/logout``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._access, self._settings = paper.rooms.access, paper.rooms.settings

    async def show(self, request: Request, next: str = "/") -> Response:
        """The form; who is signed in already goes on."""
        if await self._paper.viewer(request):
            return RedirectResponse(within(next), 303)
        return self._paper.page(request, "login.html", None, name="", next=within(next))

    async def enter(
        self,
        request: Request,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/",
    ) -> Response:
        """Sign in, or say why not and keep what was typed but the password."""
        address = request.client.host if request.client else ""
        try:
            cookie = await self._access.sign_in(name.strip(), password, address)
        except Refusal as refusal:
            word = Word(refusal.why, WRONG if refusal.code is Code.UNAUTHENTICATED else "", "harm")
            status, form = STATUS[refusal.code], {"name": name, "next": within(next)}
            return self._paper.page(request, "login.html", None, status=status, word=word, **form)
        answer = RedirectResponse(within(next), 303)
        keep_cookie(answer, self._settings, cookie)
        return answer

    async def leave(self, request: Request) -> Response:
        """Sign out here; the sign-in is gone from the server too."""
        cookie = request.cookies.get(cookie_name(self._settings))
        if cookie:
            await self._access.sign_out(cookie)
        answer = RedirectResponse("/login", 303)
        drop_cookie(answer, self._settings)
        return answer


def router(paper: Paper) -> APIRouter:
    """``/login`` and ``/logout``."""
    door, routes = Door(paper), routes_of(paper)
    routes.add_api_route("/login", door.show, methods=["GET"])
    routes.add_api_route("/login", door.enter, methods=["POST"])
    routes.add_api_route("/logout", door.leave, methods=["POST"])
    return routes
