"""The way in: signing up and in, getting back in, the links of letters, signing out. All of it works without script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import spoken
from wattkeeper.operations.people.sign_in.factors import Entered, Factor
from wattkeeper.store.people.secret_link import Purpose
from wattkeeper.web.device import address_of, device_of
from wattkeeper.web.driver.paper import HOME, SIGN_IN, Paper, Word, routes_of, within
from wattkeeper.web.guards.origin import browser_of, cookie_name, drop_cookie, keep_browser, keep_cookie
from wattkeeper.web.problem import STATUS

SENT = phrase("If {email} can be used here, a letter is on its way to it. Open its link on this phone.")
WRONG = phrase("Check the address, and whether Caps Lock is on.")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link of a letter leads to, before it is used."""

    title: str
    lead: str
    button: str
    busy: str


LINKS = {
    Purpose.VERIFY: Opened(
        phrase("Is this your address?"),
        phrase("One tap, and your account is ready."),
        phrase("Yes, go on"),
        phrase("Opening …"),
    ),
    Purpose.CHANGE_MAIL: Opened(
        phrase("Your new address"),
        phrase("From now on you sign in with it."),
        phrase("Yes, change it"),
        phrase("Changing it …"),
    ),
    Purpose.RECOVER: Opened(
        phrase("Get back in"), phrase("This link is good once."), phrase("Sign in"), phrase("Signing in …")
    ),
    Purpose.STEP: Opened(
        phrase("Is it you who signs in?"),
        phrase("Only go on if you just signed in yourself."),
        phrase("Yes, it’s me"),
        phrase("Signing in …"),
    ),
}
"""The letters that lead here."""


class Door:
    """``/app/sign-in``, ``/app/sign-up``, ``/app/recover``, ``/app/link`` and ``/app/sign-out``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms, self._people = paper.rooms, paper.rooms.people
        self._settings = paper.rooms.settings

    # --- sign in ----------------------------------------------------------------------------------------

    async def show(self, request: Request, next: str = HOME, did: str = "") -> Response:
        """The form; who is signed in already goes on."""
        if await self._paper.viewer(request):
            return RedirectResponse(within(next), 303)
        word = (
            Word(phrase("You are signed out."), phrase("Nothing of yours is left on this phone."))
            if did == "out"
            else None
        )
        return await self._sign_in(request, next, word=word)

    async def _sign_in(
        self, request: Request, next: str, *, email: str = "", status: int = 200, word: Word | None = None
    ) -> Response:
        given = {"next": within(next), "email": email, "word": word}
        return await self._paper.page(request, "sign_in.html", None, status=status, **given)

    async def password(
        self,
        request: Request,
        email: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = HOME,
    ) -> Response:
        """Sign in by password, or say why not and keep what was typed but the password."""
        try:
            entered = await self._people.sign_in.password(
                email.strip(), password, address_of(request), device_of(request)
            )
        except Refusal as refusal:
            word = Word(refusal.why, WRONG if refusal.code is Code.UNAUTHENTICATED else "", "harm")
            return await self._sign_in(request, next, email=email[:200], status=STATUS[refusal.code], word=word)
        return await self._enter(request, entered, next)

    async def _enter(self, request: Request, entered: Entered, next: str) -> Response:
        """On to where they wanted, or to the second step; what one was signed in with ends.

        Whoever works here goes to their own pages.
        """
        before = request.cookies.get(cookie_name(self._settings))
        if before:
            await self._rooms.access.sign_out(before)
        if not entered.is_whole:
            answer = RedirectResponse(f"/app/sign-in/second?next={quote(within(next))}", 303)
        else:
            viewer = await self._rooms.access.viewer_by_cookie(entered.cookie)
            is_staff = viewer is not None and viewer.role.is_staff
            answer = RedirectResponse("/" if is_staff else within(next), 303)
        keep_cookie(answer, self._settings, entered.cookie)
        return answer

    # --- the second step --------------------------------------------------------------------------------

    async def second(self, request: Request, next: str = HOME) -> Response:
        """What is still missing."""
        return await self._second(request, next)

    async def _second(self, request: Request, next: str, word: Word | None = None, status: int = 200) -> Response:
        missing = await self._people.sign_in.missing(request.cookies.get(cookie_name(self._settings), ""))
        if not missing:
            return RedirectResponse(f"{SIGN_IN}?next={quote(within(next))}", 303)
        given = {"next": within(next), "word": word, "missing": {factor.value for factor in missing}}
        return await self._paper.page(request, "second.html", None, status=status, **given)

    async def code(
        self, request: Request, code: Annotated[str, Form()] = "", next: Annotated[str, Form()] = HOME
    ) -> Response:
        """Complete it by the code app."""
        return await self._complete(request, Factor.TOTP, code, next)

    async def recovery_code(
        self, request: Request, code: Annotated[str, Form()] = "", next: Annotated[str, Form()] = HOME
    ) -> Response:
        """Complete it by a recovery code."""
        return await self._complete(request, Factor.RECOVERY_CODE, code, next)

    async def _complete(self, request: Request, factor: Factor, code: str, next: str) -> Response:
        half = request.cookies.get(cookie_name(self._settings), "")
        ways = {Factor.TOTP: self._people.sign_in.totp, Factor.RECOVERY_CODE: self._people.sign_in.recovery_code}
        try:
            entered = await ways[factor](half, code.strip(), address_of(request), device_of(request))
        except Refusal as refusal:
            return await self._second(request, next, Word(refusal.why, "", "harm"), STATUS[refusal.code])
        return await self._enter(request, entered, next)

    # --- sign up, get back in ---------------------------------------------------------------------------

    async def sign_up(self, request: Request, next: str = HOME) -> Response:
        """The form."""
        return await self._sign_up(request, next, {"name": "", "email": ""})

    async def _sign_up(
        self, request: Request, next: str, typed: dict[str, str], refusal: Refusal | None = None
    ) -> Response:
        """The form, with what was typed but the password."""
        status = STATUS[refusal.code] if refusal else 200
        fault = refusal.why if refusal else ""
        given = {"next": within(next), "typed": typed, "fault": fault}
        return await self._paper.page(request, "sign_up.html", None, status=status, **given)

    async def signed_up(
        self,
        request: Request,
        name: Annotated[str, Form()] = "",
        email: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = HOME,
    ) -> Response:
        """A letter to prove the address; the same answer for one that is known."""
        typed = {"name": name[:200], "email": email[:200]}
        browser = browser_of(request, self._settings)
        who = (email.strip(), name, password or None, address_of(request))
        try:
            await self._people.accounts.sign_up(*who, spoken(), browser)
        except Refusal as refusal:
            return await self._sign_up(request, next, typed, refusal)
        answer = await self._sent(request, email.strip(), "/app/sign-up")
        keep_browser(answer, self._settings, browser)
        return answer

    async def _sent(self, request: Request, email: str, again: str) -> Response:
        outbox = "/outbox" if self._people.mail.shows else ""
        words = SENT.filled(email=email[:200])
        return await self._paper.page(request, "sent.html", None, words=words, again=again, outbox=outbox)

    async def recover(self, request: Request) -> Response:
        """The form."""
        return await self._paper.page(request, "recover.html", None, email="")

    async def recovered(self, request: Request, email: Annotated[str, Form()] = "") -> Response:
        """A letter with a way in; the same answer for an address that is not known."""
        try:
            await self._people.accounts.recover(email.strip(), address_of(request), spoken())
        except Refusal as refusal:
            word = Word(refusal.why, "", "harm")
            given = {"email": email[:200], "word": word}
            return await self._paper.page(request, "recover.html", None, status=STATUS[refusal.code], **given)
        return await self._sent(request, email.strip(), "/app/recover")

    # --- links of letters -------------------------------------------------------------------------------

    async def link(self, request: Request, code: str) -> Response:
        """What a link is for; opening it changes nothing, for programs that look through mail open links too."""
        purpose = await self._people.accounts.look(code)
        if purpose not in LINKS:
            return await self._gone(request)
        opened = LINKS[purpose]
        return await self._paper.page(request, "link.html", None, opened=opened, code=code)

    async def follow(self, request: Request, code: str) -> Response:
        """Do what the link is for; it is good once."""
        address, device = address_of(request), device_of(request)
        purpose = await self._people.accounts.look(code)
        try:
            if purpose in (Purpose.VERIFY, Purpose.CHANGE_MAIL):
                browser = browser_of(request, self._settings)
                viewer = await self._rooms.access.viewer_by_cookie(self._cookie(request))
                entered = await self._people.accounts.verify(code, address, device, browser, viewer)
            elif purpose in LINKS:
                entered = await self._people.sign_in.link(code, address, device, self._cookie(request))
            else:
                return await self._gone(request)
        except Refusal as refusal:
            first = {Code.UNAUTHENTICATED: SIGN_IN, Code.PROOF: "/app/me/proof"}.get(refusal.code)
            if first and purpose is Purpose.CHANGE_MAIL:
                return RedirectResponse(f"{first}?next={quote(request.url.path)}", 303)
            return await self._gone(request, refusal)
        onward = HOME if purpose is Purpose.STEP else f"/app/welcome?new={int(purpose is Purpose.VERIFY)}"
        return await self._enter(request, entered, onward)

    def _cookie(self, request: Request) -> str:
        return request.cookies.get(cookie_name(self._settings), "")

    async def _gone(self, request: Request, refusal: Refusal | None = None) -> Response:
        """A link that is good for nothing, whatever the reason."""
        why = refusal.why if refusal else phrase("It was used already, or is too old. Ask for a new one.")
        return await self._paper.page(request, "gone.html", None, status=404, why=why)

    async def leave(self, request: Request) -> Response:
        """Sign out here; the sign-in is gone from the server too."""
        cookie = request.cookies.get(cookie_name(self._settings))
        if cookie:
            await self._rooms.access.sign_out(cookie)
        answer = RedirectResponse(f"{SIGN_IN}?did=out", 303)
        drop_cookie(answer, self._settings)
        return answer


def router(paper: Paper) -> APIRouter:
    """The way in and out."""
    door, routes = Door(paper), routes_of(paper)
    routes.add_api_route("/app/sign-in", door.show, methods=["GET"])
    routes.add_api_route("/app/sign-in", door.password, methods=["POST"])
    routes.add_api_route("/app/sign-in/second", door.second, methods=["GET"])
    routes.add_api_route("/app/sign-in/code", door.code, methods=["POST"])
    routes.add_api_route("/app/sign-in/recovery-code", door.recovery_code, methods=["POST"])
    for alike in ("code", "recovery-code"):
        routes.add_api_route(f"/app/sign-in/{alike}", door.show, methods=["GET"])
    routes.add_api_route("/app/sign-up", door.sign_up, methods=["GET"])
    routes.add_api_route("/app/sign-up", door.signed_up, methods=["POST"])
    routes.add_api_route("/app/recover", door.recover, methods=["GET"])
    routes.add_api_route("/app/recover", door.recovered, methods=["POST"])
    routes.add_api_route("/app/link/{code}", door.link, methods=["GET"])
    routes.add_api_route("/app/link/{code}", door.follow, methods=["POST"])
    routes.add_api_route("/app/sign-out", door.leave, methods=["POST"])
    return routes
