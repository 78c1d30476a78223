"""How somebody comes to work here: by an invitation, as the first owner, or back in by a link from a letter."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.store.people.secret_link import Purpose
from wattkeeper.web.device import address_of, device_of
from wattkeeper.web.guards.origin import cookie_name
from wattkeeper.web.operator.door import Door
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.problem import STATUS
from wattkeeper.web.tongue import language_of

Text = Annotated[str, Form()]
WELCOME = "/account?did=joined"
SENT = phrase("If somebody with this address works here, a letter with a link is on its way. It is good for an hour.")
LINKS = {
    Purpose.RECOVER: (phrase("Sign in by this link"), phrase("It is good once, on this device.")),
    Purpose.STEP: (phrase("Complete your sign-in"), phrase("Your password was right; this link is the second half.")),
    Purpose.CHANGE_MAIL: (
        phrase("Use this address from now on"),
        phrase("You sign in with it, and are signed out elsewhere."),
    ),
}
"""What links of letters are for, in words."""


class Joining:
    """``/invitation/{code}``, ``/first-owner/{code}``, ``/login/recover`` and ``/login/link/{code}``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._people = paper.rooms.people
        self._door = Door(paper)

    # --- by invitation ----------------------------------------------------------------------------------

    async def invited(self, request: Request, code: str) -> Response:
        """The form of an invitation; looking at it changes nothing."""
        return await self._form(request, code, Purpose.INVITE)

    async def first(self, request: Request, code: str) -> Response:
        """The form for the first owner."""
        return await self._form(request, code, Purpose.FIRST_OWNER)

    async def _form(
        self, request: Request, code: str, purpose: Purpose, refusal: Refusal | None = None, **typed: str
    ) -> Response:
        if await self._people.accounts.look(code) is not purpose:
            return self._gone(request)
        given: dict[str, Any] = {"code": code, "is_first": purpose is Purpose.FIRST_OWNER, "name": "", "email": ""}
        given |= {"works": self._people.passkeys.works, **typed}
        word = None if refusal is None else Word(phrase("That did not work."), refusal.why, "harm")
        status = 200 if refusal is None else STATUS[refusal.code]
        return self._paper.page(request, "joining.html", None, status=status, word=word, **given)

    async def accept(self, request: Request, code: str, name: Text = "", password: Text = "") -> Response:
        """Take the invitation up, which signs in."""
        about = (address_of(request), device_of(request), language_of(request))
        try:
            entered = await self._people.staff.accept(code, name.strip(), password or None, *about)
        except Refusal as refusal:
            return await self._form(request, code, Purpose.INVITE, refusal, name=name[:200])
        return await self._door.go_on(request, entered, WELCOME)

    async def own(
        self, request: Request, code: str, email: Text = "", name: Text = "", password: Text = ""
    ) -> Response:
        """Become the first owner, which signs in."""
        about = (address_of(request), device_of(request), language_of(request))
        typed = {"email": email[:300], "name": name[:200]}
        try:
            entered = await self._people.staff.first_owner(code, email.strip(), name.strip(), password or None, *about)
        except Refusal as refusal:
            return await self._form(request, code, Purpose.FIRST_OWNER, refusal, **typed)
        return await self._door.go_on(request, entered, WELCOME)

    # --- back in ----------------------------------------------------------------------------------------

    async def recover(self, request: Request) -> Response:
        """The form for who cannot get in."""
        return self._paper.page(request, "recover.html", None, email="", sent="")

    async def recovered(self, request: Request, email: Text = "") -> Response:
        """A letter with a link; the same answer for an address that is not known."""
        given: dict[str, Any] = {"email": email[:300], "sent": SENT}
        status = 200
        try:
            await self._people.accounts.recover(email.strip(), address_of(request), language_of(request))
        except Refusal as refusal:
            status, given = STATUS[refusal.code], given | {"sent": "", "word": Word(refusal.why, "", "harm")}
        return self._paper.page(request, "recover.html", None, status=status, **given)

    async def link(self, request: Request, code: str) -> Response:
        """What a link is for; opening it changes nothing, for programs that look through mail open links too."""
        purpose = await self._people.accounts.look(code)
        if purpose not in LINKS:
            return self._gone(request)
        title, lead = LINKS[purpose]
        return self._paper.page(request, "link.html", None, title=title, lead=lead, code=code)

    async def follow(self, request: Request, code: str) -> Response:
        """Do what the link is for; it is good once."""
        purpose, place = await self._people.accounts.look(code), (address_of(request), device_of(request))
        if purpose not in LINKS:
            return self._gone(request)
        cookie = request.cookies.get(cookie_name(self._paper.rooms.settings), "")
        try:
            if purpose is Purpose.CHANGE_MAIL:
                viewer = await self._paper.rooms.access.viewer_by_cookie(cookie)
                entered = await self._people.accounts.verify(code, *place, viewer=viewer)
            else:
                entered = await self._people.sign_in.link(code, *place, cookie)
        except Refusal as refusal:
            if refusal.code is Code.NOT_FOUND:
                return self._gone(request)
            first = {Code.UNAUTHENTICATED: "/login", Code.PROOF: "/account/proof"}.get(refusal.code)
            if first is None:
                raise
            return RedirectResponse(f"{first}?next={quote(request.url.path)}", 303)
        return await self._door.go_on(request, entered, "/" if purpose is Purpose.STEP else "/account")

    def _gone(self, request: Request) -> Response:
        """A link that is good for nothing, whatever the reason."""
        why = phrase("It was used already, is too old, or is not complete. Ask for a new one.")
        return self._paper.problem(request, 404, phrase("This link does not work any more"), why)


def router(paper: Paper) -> APIRouter:
    """How somebody comes to work here, and back in."""
    pages, routes = Joining(paper), routes_of(paper)
    routes.add_api_route("/invitation/{code}", pages.invited, methods=["GET"])
    routes.add_api_route("/invitation/{code}", pages.accept, methods=["POST"])
    routes.add_api_route("/first-owner/{code}", pages.first, methods=["GET"])
    routes.add_api_route("/first-owner/{code}", pages.own, methods=["POST"])
    routes.add_api_route("/login/recover", pages.recover, methods=["GET"])
    routes.add_api_route("/login/recover", pages.recovered, methods=["POST"])
    routes.add_api_route("/login/link/{code}", pages.link, methods=["GET"])
    routes.add_api_route("/login/link/{code}", pages.follow, methods=["POST"])
    return routes
