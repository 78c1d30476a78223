"""The door: sign in, step by step, and out. Works without script; passkeys are what script adds."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.sign_in.factors import Entered, Factor
from wattkeeper.web.device import address_of, device_of
from wattkeeper.web.guards.origin import cookie_name, drop_cookie, keep_cookie
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.problem import STATUS

WRONG = phrase(
    "Check the name and whether Caps Lock is on. If you cannot get in, an owner can help, or a link by e-mail."
)
MAILED = phrase("We have sent you a letter. Open the link in it on this device: it completes your sign-in.")


def within(wanted: str) -> str:
    """Where to go after signing in: a path of ours, never another site."""
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if is_ours else "/"


class Door:
    """``/login``, what comes after a right password, and ``/logout``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms, self._settings = paper.rooms, paper.rooms.settings

    # --- the first step ---------------------------------------------------------------------------------

    async def show(self, request: Request, next: str = "/") -> Response:
        """The form; who is signed in already goes on."""
        if await self._paper.viewer(request):
            return RedirectResponse(within(next), 303)
        return self._form(request, name="", next=within(next))

    def _form(self, request: Request, status: int = 200, **given: Any) -> Response:
        company = self._rooms.company.name if self._rooms.company.is_open else ""
        works = self._rooms.people.passkeys.works
        return self._paper.page(request, "login.html", None, status=status, **given, company=company, works=works)

    async def enter(
        self,
        request: Request,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/",
    ) -> Response:
        """Sign in by password, or say why not and keep what was typed but the password."""
        try:
            entered = await self._rooms.people.sign_in.password(
                name.strip(), password, address_of(request), device_of(request)
            )
        except Refusal as refusal:
            word = Word(refusal.why, WRONG if refusal.code is Code.UNAUTHENTICATED else "", "harm")
            return self._form(request, STATUS[refusal.code], word=word, name=name, next=within(next))
        return await self.go_on(request, entered, within(next))

    async def go_on(self, request: Request, entered: Entered, next: str) -> Response:
        """With the cookie to where one wanted to, or to what is still missing; what one was signed in with ends."""
        before = request.cookies.get(cookie_name(self._settings))
        if before:
            await self._rooms.access.sign_out(before)
        answer = RedirectResponse(next if entered.is_whole else _second(next), 303)
        keep_cookie(answer, self._settings, entered.cookie)
        return answer

    # --- the second step --------------------------------------------------------------------------------

    async def second(self, request: Request, next: str = "/") -> Response:
        """What is still missing; who has not begun begins."""
        return await self._second(request, within(next))

    async def _second(self, request: Request, next: str, status: int = 200, word: Word | None = None) -> Response:
        missing = await self._rooms.people.sign_in.missing(self._half(request))
        if not missing:
            return RedirectResponse("/login", 303)
        ways = {factor.value for factor in missing if factor is not Factor.PASSKEY or self._rooms.people.passkeys.works}
        mailed = MAILED if Factor.MAIL in missing else ""
        given: dict[str, Any] = {"ways": ways, "next": next, "mailed": mailed, "word": word}
        return self._paper.page(request, "second.html", None, status=status, **given)

    async def finish(
        self,
        request: Request,
        code: Annotated[str, Form()] = "",
        way: Annotated[str, Form()] = "totp",
        next: Annotated[str, Form()] = "/",
    ) -> Response:
        """Complete the sign-in by a code of the app or a recovery code."""
        sign_in, place = self._rooms.people.sign_in, (address_of(request), device_of(request))
        prove = sign_in.recovery_code if way == "recovery_code" else sign_in.totp
        try:
            entered = await prove(self._half(request), code.strip(), *place)
        except Refusal as refusal:
            return await self._second(request, within(next), STATUS[refusal.code], Word(refusal.why, "", "harm"))
        answer = RedirectResponse(within(next), 303)
        keep_cookie(answer, self._settings, entered.cookie)
        return answer

    def _half(self, request: Request) -> str:
        return request.cookies.get(cookie_name(self._settings), "")

    # --- out --------------------------------------------------------------------------------------------

    async def leave(self, request: Request) -> Response:
        """Sign out here; the sign-in is gone from the server too."""
        cookie = self._half(request)
        if cookie:
            await self._rooms.access.sign_out(cookie)
        answer = RedirectResponse("/login", 303)
        drop_cookie(answer, self._settings)
        return answer


def _second(next: str) -> str:
    """The second step, on the way to somewhere."""
    return "/login/second" if next == "/" else f"/login/second?next={quote(next, safe='/')}"


def router(paper: Paper) -> APIRouter:
    """``/login``, its second step, and ``/logout``."""
    door, routes = Door(paper), routes_of(paper)
    routes.add_api_route("/login", door.show, methods=["GET"])
    routes.add_api_route("/login", door.enter, methods=["POST"])
    routes.add_api_route("/login/second", door.second, methods=["GET"])
    routes.add_api_route("/login/second", door.finish, methods=["POST"])
    routes.add_api_route("/logout", door.leave, methods=["POST"])
    return routes
