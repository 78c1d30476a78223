"""How a driver signs in: passkeys, password, code app, recovery codes; and the proof that is asked for before."""

from __future__ import annotations

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Form
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.sign_in.factors import Changed, Factor
from wattkeeper.web.device import address_of
from wattkeeper.web.driver.me import DID
from wattkeeper.web.driver.paper import HOME, Paper, Word, routes_of, within
from wattkeeper.web.guards.origin import keep_cookie
from wattkeeper.web.problem import STATUS

HERE = "/app/me"
ALONE = phrase("At least 15 characters; three or four words do.")
WITH_SECOND = phrase("At least 8 characters, for you prove yourself in another way as well; longer is better.")


class Factors:
    """``/app/me/passkeys`` and the other ways to prove oneself."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms, self._people = paper.rooms, paper.rooms.people

    async def _page(self, request: Request, template: str, **given: Any) -> Response:
        viewer = await self._paper.need_viewer(request)
        word = DID.get(request.query_params.get("did", ""))
        return await self._paper.page(request, template, viewer, **{"word": word} | given)

    async def _changed(self, request: Request, viewer: Viewer, changed: Changed, back: str) -> Response:
        """Go on with the new cookie; codes that are shown this once are shown first."""
        if changed.codes:
            given: dict[str, Any] = {"codes": changed.codes, "left": 0, "state": "", "can": True, "onward": back}
            answer: Response = await self._paper.page(request, "recovery_codes.html", viewer, **given)
        else:
            answer = RedirectResponse(back, 303)
        keep_cookie(answer, self._rooms.settings, changed.cookie)
        return answer

    # --- passkeys ---------------------------------------------------------------------------------------

    async def welcome(self, request: Request, new: str = "0") -> Response:
        """The first thing after signing up, and after getting back in."""
        await self._paper.need_viewer(request)
        given = {"is_new": new == "1", "works": self._people.passkeys.works}
        return await self._paper.page(request, "welcome.html", None, **given)

    async def passkeys(self, request: Request) -> Response:
        """The passkeys there are."""
        viewer = await self._paper.need_viewer(request)
        keys = await self._people.passkeys.mine(viewer)
        return await self._page(request, "passkeys.html", passkeys=keys, works=self._people.passkeys.works)

    async def remove_passkey(self, request: Request, id: str) -> Response:
        """Remove one; one that is gone already was removed by the tap before."""
        viewer = await self._paper.need_viewer(request)
        try:
            changed = await self._people.passkeys.remove(viewer, id)
        except Refusal as refusal:
            if refusal.code is not Code.NOT_FOUND:
                raise
            return RedirectResponse(f"{HERE}/passkeys?did=passkey-removed", 303)
        return await self._changed(request, viewer, changed, f"{HERE}/passkeys?did=passkey-removed")

    # --- password ---------------------------------------------------------------------------------------

    async def password(self, request: Request) -> Response:
        """The form."""
        return await self._password(request)

    async def _password(self, request: Request, fault: str = "", status: int = 200) -> Response:
        mine = await self._people.accounts.mine(await self._paper.need_viewer(request))
        has = mine.factors
        given = {
            "email": mine.email,
            "has": has.password,
            "can_remove": has.passkeys > 0,
            "rule": WITH_SECOND if has.second else ALONE,
            "fault": fault,
        }
        return await self._page(request, "password.html", status=status, **given)

    async def set_password(self, request: Request, password: Annotated[str, Form()] = "") -> Response:
        """Set it, or say why not."""
        viewer = await self._paper.need_viewer(request)
        try:
            cookie = await self._people.accounts.set_password(viewer, password)
        except Refusal as refusal:
            if refusal.code is not Code.INVALID:
                raise
            return await self._password(request, refusal.why, 422)
        return await self._changed(request, viewer, Changed(cookie), f"{HERE}?did=password")

    async def remove_password(self, request: Request) -> Response:
        """Go without one."""
        viewer = await self._paper.need_viewer(request)
        cookie = await self._people.accounts.remove_password(viewer)
        return await self._changed(request, viewer, Changed(cookie), f"{HERE}?did=password-removed")

    # --- the code app -----------------------------------------------------------------------------------

    async def code_app(self, request: Request) -> Response:
        """Whether it is on."""
        mine = await self._people.accounts.mine(await self._paper.need_viewer(request))
        return await self._page(request, "code_app.html", made=None, is_on=mine.factors.totp, fault="")

    async def make_code_app(self, request: Request) -> Response:
        """A secret for it, as a picture and as text, shown this once."""
        made = await self._people.totp.begin(await self._paper.need_viewer(request))
        picture = Markup(segno.make(made.uri).svg_inline(border=4, light="#fff", omitsize=True))
        shown = {"picture": picture, "secret": _in_fours(made.secret)}
        return await self._page(request, "code_app.html", made=shown, is_on=False, fault="")

    async def confirm_code_app(self, request: Request, code: Annotated[str, Form()] = "") -> Response:
        """Switch it on by its first code; a wrong one can be typed again."""
        viewer = await self._paper.need_viewer(request)
        try:
            changed = await self._people.totp.confirm(viewer, code.strip())
        except Refusal as refusal:
            if refusal.code not in (Code.UNAUTHENTICATED, Code.BUSY):
                raise
            given = {"made": {"picture": None, "secret": None}, "is_on": False, "fault": refusal.why}
            return await self._page(request, "code_app.html", status=STATUS[refusal.code], **given)
        return await self._changed(request, viewer, changed, f"{HERE}?did=code-app")

    async def remove_code_app(self, request: Request) -> Response:
        """Switch it off."""
        viewer = await self._paper.need_viewer(request)
        changed = await self._people.totp.remove(viewer)
        return await self._changed(request, viewer, changed, f"{HERE}?did=code-app-off")

    # --- recovery codes ---------------------------------------------------------------------------------

    async def codes(self, request: Request) -> Response:
        """How many are left; never which."""
        mine = await self._people.accounts.mine(await self._paper.need_viewer(request))
        left = mine.factors.codes
        given = {"codes": (), "left": left, "state": _codes(left, mine.factors.second), "can": mine.factors.second}
        return await self._page(request, "recovery_codes.html", onward=HERE, **given)

    async def make_codes(self, request: Request) -> Response:
        """Ten new ones."""
        viewer = await self._paper.need_viewer(request)
        changed = await self._people.codes.make(viewer)
        return await self._changed(request, viewer, changed, HERE)

    # --- proof ------------------------------------------------------------------------------------------

    async def proof(self, request: Request, next: str = HERE) -> Response:
        """The form; what is strongest comes first."""
        return await self._proof(request, next)

    async def _proof(self, request: Request, next: str, word: Word | None = None, status: int = 200) -> Response:
        viewer = await self._paper.need_viewer(request)
        ways = {factor.value for factor in await self._people.sign_in.proofs(viewer)}
        email = (await self._people.accounts.mine(viewer)).email
        company = await self._rooms.company.proving(viewer)
        ways = set() if company else ways
        given = {"next": within(next), "ways": ways, "email": email, "word": word, "company": company}
        return await self._page(request, "proof.html", status=status, **given)

    async def prove(
        self,
        request: Request,
        way: str,
        given: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = HOME,
    ) -> Response:
        """Prove it, or say why it was not enough."""
        try:
            cookie = await self._proved(request, way, given)
        except Refusal as refusal:
            if refusal.code not in (Code.UNAUTHENTICATED, Code.BUSY, Code.CONFLICT, Code.INVALID):
                raise
            return await self._proof(request, next, Word(refusal.why, "", "harm"), STATUS[refusal.code])
        answer = RedirectResponse(within(next), 303)
        keep_cookie(answer, self._rooms.settings, cookie)
        return answer

    async def _proved(self, request: Request, way: str, given: str) -> str:
        """The new cookie."""
        viewer = await self._paper.need_viewer(request)
        sign_in = self._people.sign_in
        match way:
            case Factor.PASSWORD:
                return await sign_in.prove_password(viewer, given, address_of(request))
            case Factor.TOTP:
                return await sign_in.prove_totp(viewer, given.strip())
            case Factor.RECOVERY_CODE:
                return await sign_in.prove_recovery_code(viewer, given.strip())
        raise Refusal(Code.NOT_FOUND, phrase("There is no such way."))


def _in_fours(secret: str) -> str:
    """A secret in groups, to be typed."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _codes(left: int, has_second: bool) -> str:
    """How many there are, or why none."""
    if left:
        return phrase("You have {count} left. Each replaces your passkey or code app once.", count=left)
    if has_second:
        return phrase("You have none left. Make ten new ones: each replaces your passkey or code app once.")
    return phrase("They replace a passkey or code app when you lose your phone. Make one of these first.")


def router(paper: Paper) -> APIRouter:
    """The ways to prove oneself."""
    pages, routes = Factors(paper), routes_of(paper)
    routes.add_api_route("/app/welcome", pages.welcome, methods=["GET"])
    routes.add_api_route(f"{HERE}/passkeys", pages.passkeys, methods=["GET"])
    for path, show, deed in (
        (f"{HERE}/password", pages.password, pages.set_password),
        (f"{HERE}/code-app", pages.code_app, pages.make_code_app),
        (f"{HERE}/code-app/confirm", pages.code_app, pages.confirm_code_app),
        (f"{HERE}/recovery-codes", pages.codes, pages.make_codes),
    ):
        routes.add_api_route(path, show, methods=["GET"])
        routes.add_api_route(path, deed, methods=["POST"])
    routes.add_api_route(f"{HERE}/passkeys/{{id}}/remove", pages.remove_passkey, methods=["POST"])
    routes.add_api_route(f"{HERE}/password/remove", pages.remove_password, methods=["POST"])
    routes.add_api_route(f"{HERE}/code-app/remove", pages.remove_code_app, methods=["POST"])
    routes.add_api_route(f"{HERE}/proof", pages.proof, methods=["GET"])
    routes.add_api_route(f"{HERE}/proof/{{way}}", pages.prove, methods=["POST"])
    return routes
