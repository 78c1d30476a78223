"""People: who works here, as what, and who is asked to; who may, invites and changes them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import STAFF, Role, Scope, Viewer
from wattkeeper.charging.phrase import Said, counted, joined, phrase
from wattkeeper.operations.people.staff import Member
from wattkeeper.store.people import staff as store
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.people.staff import Ways
from wattkeeper.web.operator.paper import Look, Paper, Word, routes_of
from wattkeeper.web.operator.people.account import is_fresh
from wattkeeper.web.problem import STATUS

Text = Annotated[str, Form()]
Texts = Annotated[list[str] | None, Form()]
STATES = {
    AccountState.ACTIVE: Look(phrase("Active"), "done"),
    AccountState.DISABLED: Look(phrase("Not let in"), "none"),
    AccountState.INVITED: Look(phrase("Invited"), "half"),
    AccountState.UNVERIFIED: Look(phrase("Address not proved"), "half"),
}
ABOUT = {
    Role.OWNER: phrase("everything, and who else may come in"),
    Role.OPERATOR: phrase("stations, cards, prices and every command"),
    Role.SUPPORT: phrase("finds sessions and cards, blocks cards, closes sessions"),
    Role.BILLING: phrase("sees sessions and drivers’ names, sets prices"),
    Role.PRIVACY_OFFICER: phrase("sees persons, and who has access to them"),
    Role.AUDITOR: phrase("reads everything but persons, changes nothing"),
    Role.SITE_HOST: phrase("sees stations and sessions of the own sites, and no persons"),
}
"""What a role is for, in a line."""
DID = {
    "invited": Word(phrase("The invitation is on its way."), phrase("Its link is good for seven days.")),
    "changed": Word(phrase("It is changed."), phrase("They are signed out and come back with the new role.")),
    "let-out": Word(phrase("They are not let in any more."), phrase("Whatever they had open has ended.")),
    "let-in": Word(phrase("They are let in again.")),
    "ended": Word(phrase("Their sign-ins are ended.")),
    "erased": Word(
        phrase("Their passkeys, code app and codes are gone."), phrase("They get in by a link and make new ones.")
    ),
    "withdrawn": Word(phrase("The invitation is withdrawn."), phrase("Its link is dead.")),
}
"""What was done, in words."""


def signs_in_by(ways: Ways) -> Said:
    """How somebody signs in, in words; empty for who cannot yet."""
    said = list[str]()
    if ways.passkeys:
        said.append(counted("1 passkey", "{count} passkeys", ways.passkeys))
    if ways.password:
        said.append(phrase("password and code") if ways.totp else phrase("password"))
    if ways.company:
        said.append(phrase("their company"))
    return joined(said, ", ")


class People:
    """``/people`` and what can be done there."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms, self._staff = paper.rooms, paper.rooms.people.staff
        self._rests = paper.rooms.settings.login_rests(is_staff=True)

    async def show(self, request: Request, did: str = "") -> Response:
        """Who works here."""
        return await self._page(request, word=DID.get(did))

    async def _page(self, request: Request, status: int = 200, **given: Any) -> Response:
        viewer = await self._paper.need_viewer(request, Scope.STAFF_READ)
        async with self._rooms.store.read() as connection:
            ways = await store.ways(connection, viewer, self._rooms.store.clock(), self._rests)
            sites = await store.sites(connection, viewer)
        members = [(one, ways[one.id]) for one in await self._staff.members(viewer) if one.id in ways]
        context: dict[str, Any] = {
            "members": members,
            "invitations": await self._staff.invitations(viewer),
            "answer": _answer([one for one, _ in members]),
            "fresh": is_fresh(self._paper, viewer),
            "may_write": viewer.may(Scope.STAFF_WRITE),
            "signs_in_by": signs_in_by,
            "states": STATES,
            "about": ABOUT,
            "sites": sites,
            "typed": {"email": "", "role": "", "sites": ()},
            "link": "",
            "to": "",
        }
        return self._paper.page(request, "people.html", viewer, status=status, **(context | given))

    async def one(self, request: Request, account: str) -> Response:
        """One of them, and what can be changed."""
        return await self._one(request, account)

    async def _one(self, request: Request, account: str, status: int = 200, **given: Any) -> Response:
        viewer = await self._paper.need_viewer(request, Scope.STAFF_READ)
        member, ways = await self._found(viewer, account)
        async with self._rooms.store.read() as connection:
            sites = await store.sites(connection, viewer)
        context: dict[str, Any] = {
            "member": member,
            "ways": ways,
            "signs_in_by": signs_in_by(ways),
            "look": STATES[member.state],
            "fresh": is_fresh(self._paper, viewer),
            "may_write": viewer.may(Scope.STAFF_WRITE),
            "about": ABOUT,
            "sites": sorted({*sites, *member.sites}),
            "is_self": member.id == viewer.account,
        }
        return self._paper.page(request, "person.html", viewer, status=status, **(context | given))

    async def _found(self, viewer: Viewer, account: str) -> tuple[Member, Ways]:
        """Somebody who works here; Refusal NOT_FOUND."""
        async with self._rooms.store.read() as connection:
            ways = await store.ways(connection, viewer, self._rooms.store.clock(), self._rests)
        for member in await self._staff.members(viewer):
            if member.id == account and account in ways:
                return member, ways[account]
        raise Refusal(Code.NOT_FOUND, phrase("Nobody of that id works here."))

    # --- what owners do ---------------------------------------------------------------------------------

    async def invite(
        self, request: Request, email: Text = "", role: Text = "", sites: Texts = None, other: Text = ""
    ) -> Response:
        """Ask somebody by e-mail to work here, or say why not and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.STAFF_WRITE)
        at = _named(role, sites, other)
        try:
            link = await self._staff.invite(viewer, email.strip(), _role(role), at)
        except Refusal as refusal:
            if refusal.code is Code.PROOF:
                raise
            word = Word(phrase("Nobody was invited."), refusal.why, "harm")
            typed = {"email": email[:300], "role": role, "sites": tuple(at)}
            return await self._page(request, STATUS[refusal.code], word=word, typed=typed)
        settings = self._rooms.settings
        if settings.mail_host or settings.outbox:
            return RedirectResponse("/people?did=invited", 303)
        return await self._page(request, link=link, to=email.strip())

    async def withdraw(self, request: Request, invitation: Text = "") -> Response:
        """Take an invitation back."""
        viewer = await self._paper.need_viewer(request, Scope.STAFF_WRITE)
        await self._staff.withdraw(viewer, invitation)
        return RedirectResponse("/people?did=withdrawn", 303)

    async def change(
        self, request: Request, account: str, role: Text = "", sites: Texts = None, other: Text = ""
    ) -> Response:
        """Give somebody another role or other sites."""
        viewer = await self._paper.need_viewer(request, Scope.STAFF_WRITE)
        try:
            await self._staff.change(viewer, account, _role(role), _named(role, sites, other))
        except Refusal as refusal:
            return await self._refused(request, account, refusal)
        return RedirectResponse("/people?did=changed", 303)

    async def act(self, request: Request, account: str, deed: Text = "") -> Response:
        """Let somebody in or not, end their sign-ins, take their lost factors away."""
        viewer = await self._paper.need_viewer(request, Scope.STAFF_WRITE)
        deeds = {
            "let-out": self._staff.disable,
            "let-in": self._staff.enable,
            "ended": self._staff.end_logins,
            "erased": self._staff.erase_factors,
        }
        try:
            if deed not in deeds:
                raise Refusal(Code.INVALID, phrase("There is no such thing to do. Nothing was changed."))
            await deeds[deed](viewer, account)
        except Refusal as refusal:
            return await self._refused(request, account, refusal)
        return RedirectResponse(f"/people?did={deed}", 303)

    async def _refused(self, request: Request, account: str, refusal: Refusal) -> Response:
        """Their page with a word on what cannot be; a proof that is missing is asked for."""
        if refusal.code in (Code.PROOF, Code.NOT_FOUND, Code.FORBIDDEN):
            raise refusal
        word = Word(phrase("Nothing was changed."), refusal.why, "harm")
        return await self._one(request, account, STATUS[refusal.code], word=word)

    async def back(self) -> Response:
        """From the address of a form back to the page that it is on."""
        return RedirectResponse("/people", 303)


def _answer(members: list[Member]) -> Said:
    """How many work here."""
    active = sum(one.state is AccountState.ACTIVE for one in members)
    return counted("1 person works here", "{count} people work here", active)


def _role(word: str) -> Role:
    """The role that a form names; Refusal INVALID."""
    for role in STAFF:
        if role.value == word:
            return role
    raise Refusal(Code.INVALID, phrase("Choose a role: what they may do."))


def _named(role: str, sites: list[str] | None, other: str) -> list[str]:
    """The sites of a site host, ticked or typed; none for other roles, whatever was ticked."""
    return [*(sites or ()), *other.split(",")] if role == Role.SITE_HOST.value else []


def router(paper: Paper) -> APIRouter:
    """``/people`` and what can be done there."""
    pages, routes = People(paper), routes_of(paper)
    routes.add_api_route("/people", pages.show, methods=["GET"])
    routes.add_api_route("/people/invite", pages.invite, methods=["POST"])
    routes.add_api_route("/people/invite", pages.back, methods=["GET"])
    routes.add_api_route("/people/withdraw", pages.withdraw, methods=["POST"])
    routes.add_api_route("/people/withdraw", pages.back, methods=["GET"])
    routes.add_api_route("/people/{account}", pages.one, methods=["GET"])
    routes.add_api_route("/people/{account}/role", pages.change, methods=["POST"])
    routes.add_api_route("/people/{account}/do", pages.act, methods=["POST"])
    return routes
