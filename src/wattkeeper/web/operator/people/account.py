"""One's own account: how one signs in, where one is signed in, and the proof that is asked for before a change."""

from __future__ import annotations

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Form
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import FRESH, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.sign_in.factors import Changed
from wattkeeper.operations.people.sign_in.totp import Setup
from wattkeeper.web.device import address_of
from wattkeeper.web.guards.origin import keep_cookie
from wattkeeper.web.operator.door import within
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.problem import STATUS

HERE = "/account"
Text = Annotated[str, Form()]
DID = {
    "joined": Word(
        phrase("You are in."), phrase("Add a passkey or a code app now: your role opens as soon as there is one.")
    ),
    "passkey": Word(phrase("The passkey is added.")),
    "password": Word(phrase("Your password is set."), phrase("You are signed out everywhere else.")),
    "name": Word(phrase("Your name is changed.")),
    "mail": Word(
        phrase("A letter is on its way there."), phrase("Its link makes the change; until then the old address stays.")
    ),
    "ended": Word(phrase("That sign-in is ended.")),
    "removed": Word(phrase("It is removed.")),
    "proof": Word(phrase("Thank you."), phrase("For five minutes you can change how you sign in.")),
}
"""What was done, in words."""
HOWS = {
    "passkey": phrase("by passkey {when}, last seen {seen}"),
    "password": phrase("by password {when}, last seen {seen}"),
    "totp": phrase("by password and code {when}, last seen {seen}"),
    "recovery": phrase("by recovery code {when}, last seen {seen}"),
    "mail": phrase("by a link by e-mail {when}, last seen {seen}"),
    "oidc": phrase("by your company {when}, last seen {seen}"),
}
"""How a sign-in was made, and when."""
OTHERWISE = phrase("by {how} {when}, last seen {seen}")


def is_fresh(paper: Paper, viewer: Viewer) -> bool:
    """Whether the viewer has shown just now who they are."""
    return viewer.proved_at is not None and paper.rooms.store.clock() - viewer.proved_at <= FRESH


class Account:
    """``/account`` and what can be changed there."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms, self._people = paper.rooms, paper.rooms.people

    async def show(self, request: Request, did: str = "") -> Response:
        """The page."""
        return await self._page(request, await self._paper.need_viewer(request), word=DID.get(did))

    async def back(self) -> Response:
        """From the address of a form back to the page that it is on."""
        return RedirectResponse(HERE, 303)

    async def _page(self, request: Request, viewer: Viewer, status: int = 200, **given: Any) -> Response:
        mine = await self._people.accounts.mine(viewer)
        company = self._rooms.company
        context: dict[str, Any] = {
            "mine": mine,
            "keys": await self._people.passkeys.mine(viewer),
            "logins": await self._people.accounts.logins(viewer),
            "apps": await self._rooms.apps.let_in(viewer),
            "hows": HOWS,
            "otherwise": OTHERWISE,
            "fresh": is_fresh(self._paper, viewer),
            "works": self._people.passkeys.works,
            "company": company.name if company.is_open else "",
            "connected": company.is_open and await company.is_connected(viewer),
            "setup": None,
            "codes": (),
        }
        return self._paper.page(request, "account.html", viewer, status=status, **(context | given))

    async def _changed(self, request: Request, viewer: Viewer, changed: Changed, did: str) -> Response:
        """Go on with the new cookie; codes that are shown this once are shown first."""
        if changed.codes:
            answer = await self._page(request, viewer, codes=changed.codes)
        else:
            answer = RedirectResponse(f"{HERE}?did={did}", 303)
        keep_cookie(answer, self._rooms.settings, changed.cookie)
        return answer

    # --- who one is -------------------------------------------------------------------------------------

    async def rename(self, request: Request, name: Text = "") -> Response:
        """Call oneself something else."""
        viewer = await self._paper.need_viewer(request)
        try:
            await self._people.accounts.rename(viewer, name)
        except Refusal as refusal:
            return await self._refused(request, viewer, refusal)
        return RedirectResponse(f"{HERE}?did=name", 303)

    async def change_mail(self, request: Request, email: Text = "") -> Response:
        """Ask for another address."""
        viewer = await self._paper.need_viewer(request)
        try:
            await self._people.accounts.change_mail(viewer, email.strip())
        except Refusal as refusal:
            return await self._refused(request, viewer, refusal)
        return RedirectResponse(f"{HERE}?did=mail", 303)

    async def _refused(self, request: Request, viewer: Viewer, refusal: Refusal, **given: Any) -> Response:
        """The page with a word on what cannot be; a proof that is missing is asked for."""
        if refusal.code in (Code.PROOF, Code.FORBIDDEN):
            raise refusal
        word = Word(phrase("Nothing was changed."), refusal.why, "harm")
        return await self._page(request, viewer, STATUS[refusal.code], word=word, **given)

    # --- how one signs in -------------------------------------------------------------------------------

    async def set_password(self, request: Request, password: Text = "") -> Response:
        """Set or change it."""
        viewer = await self._paper.need_viewer(request)
        try:
            cookie = await self._people.accounts.set_password(viewer, password)
        except Refusal as refusal:
            return await self._refused(request, viewer, refusal)
        return await self._changed(request, viewer, Changed(cookie), "password")

    async def remove_password(self, request: Request) -> Response:
        """Go without one."""
        viewer = await self._paper.need_viewer(request)
        try:
            cookie = await self._people.accounts.remove_password(viewer)
        except Refusal as refusal:
            return await self._refused(request, viewer, refusal)
        return await self._changed(request, viewer, Changed(cookie), "removed")

    async def remove_passkey(self, request: Request, passkey: Text = "") -> Response:
        """Remove one of them."""
        viewer = await self._paper.need_viewer(request)
        try:
            changed = await self._people.passkeys.remove(viewer, passkey)
        except Refusal as refusal:
            return await self._refused(request, viewer, refusal)
        return await self._changed(request, viewer, changed, "removed")

    async def begin_code_app(self, request: Request) -> Response:
        """A secret for it, as a picture and as text, shown this once."""
        viewer = await self._paper.need_viewer(request)
        try:
            setup = await self._people.totp.begin(viewer)
        except Refusal as refusal:
            return await self._refused(request, viewer, refusal)
        return await self._page(request, viewer, setup=_drawn(setup))

    async def confirm_code_app(self, request: Request, code: Text = "") -> Response:
        """Switch it on by its first code; a wrong one can be typed again."""
        viewer = await self._paper.need_viewer(request)
        try:
            changed = await self._people.totp.confirm(viewer, code.strip())
        except Refusal as refusal:
            if refusal.code not in (Code.UNAUTHENTICATED, Code.BUSY):
                raise
            word = Word(refusal.why, "", "harm")
            return await self._page(request, viewer, STATUS[refusal.code], word=word, setup={"uri": "", "secret": ""})
        return await self._changed(request, viewer, changed, "passkey")

    async def remove_code_app(self, request: Request) -> Response:
        """Switch it off."""
        viewer = await self._paper.need_viewer(request)
        try:
            changed = await self._people.totp.remove(viewer)
        except Refusal as refusal:
            return await self._refused(request, viewer, refusal)
        return await self._changed(request, viewer, changed, "removed")

    async def make_codes(self, request: Request) -> Response:
        """Ten new recovery codes, which void the older ones."""
        viewer = await self._paper.need_viewer(request)
        try:
            changed = await self._people.codes.make(viewer)
        except Refusal as refusal:
            return await self._refused(request, viewer, refusal)
        return await self._changed(request, viewer, changed, "removed")

    # --- where one is signed in -------------------------------------------------------------------------

    async def end(self, request: Request, login: Text = "") -> Response:
        """End one sign-in, or all but this one; an app's access by its id."""
        viewer = await self._paper.need_viewer(request)
        if login:
            await self._people.accounts.end_login(viewer, login)
        else:
            await self._people.accounts.end_other_logins(viewer)
        return RedirectResponse(f"{HERE}?did=ended", 303)

    async def end_app(self, request: Request, app: Text = "") -> Response:
        """End an app's access."""
        await self._rooms.apps.end(await self._paper.need_viewer(request), app)
        return RedirectResponse(f"{HERE}?did=ended", 303)

    # --- the proof --------------------------------------------------------------------------------------

    async def proof(self, request: Request, next: str = HERE) -> Response:
        """Ask once more."""
        return await self._proof(request, within(next))

    async def _proof(self, request: Request, next: str, refusal: Refusal | None = None) -> Response:
        viewer = await self._paper.need_viewer(request)
        ways = [factor.value for factor in await self._people.sign_in.proofs(viewer)]
        company = await self._rooms.company.proving(viewer)
        word = None if refusal is None else Word(refusal.why, "", "harm")
        status = 200 if refusal is None else STATUS[refusal.code]
        return self._paper.page(
            request,
            "proof.html",
            viewer,
            status=status,
            word=word,
            ways=() if company else ways,
            company=company,
            next=next,
            works=self._people.passkeys.works,
        )

    async def prove(
        self, request: Request, way: Text = "", secret: Text = "", next: Annotated[str, Form()] = HERE
    ) -> Response:
        """Show that it is oneself, by password or code."""
        viewer, sign_in = await self._paper.need_viewer(request), self._people.sign_in
        try:
            if way == "password":
                cookie = await sign_in.prove_password(viewer, secret, address_of(request))
            elif way == "recovery_code":
                cookie = await sign_in.prove_recovery_code(viewer, secret.strip())
            else:
                cookie = await sign_in.prove_totp(viewer, secret.strip())
        except Refusal as refusal:
            if refusal.code is Code.FORBIDDEN:
                raise
            return await self._proof(request, within(next), refusal)
        answer = RedirectResponse(within(next), 303)
        keep_cookie(answer, self._rooms.settings, cookie)
        return answer


def _drawn(setup: Setup) -> dict[str, Any]:
    """What an authenticator app needs: a picture to scan, and the same to type, in fours."""
    picture = Markup(segno.make(setup.uri).svg_inline(scale=4, border=4, light="#fff"))
    fours = " ".join(setup.secret[start : start + 4] for start in range(0, len(setup.secret), 4))
    return {"uri": picture, "secret": fours}


def router(paper: Paper) -> APIRouter:
    """One's own account."""
    pages, routes = Account(paper), routes_of(paper)
    routes.add_api_route(HERE, pages.show, methods=["GET"])
    routes.add_api_route(f"{HERE}/proof", pages.proof, methods=["GET"])
    deeds = {
        "name": pages.rename,
        "mail": pages.change_mail,
        "password": pages.set_password,
        "password/remove": pages.remove_password,
        "passkeys/remove": pages.remove_passkey,
        "code-app": pages.begin_code_app,
        "code-app/confirm": pages.confirm_code_app,
        "code-app/remove": pages.remove_code_app,
        "recovery-codes": pages.make_codes,
        "sign-ins/end": pages.end,
        "apps/end": pages.end_app,
        "proof": pages.prove,
    }
    for path, deed in deeds.items():
        routes.add_api_route(f"{HERE}/{path}", deed, methods=["POST"])
    for path in deeds.keys() - {"proof"}:
        routes.add_api_route(f"{HERE}/{path}", pages.back, methods=["GET"])
    return routes
