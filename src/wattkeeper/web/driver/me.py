"""Me: what is known of the person, who has access, what they should know, where they are signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.payments.paying import IN_WORDS as PAYS
from wattkeeper.charging.person import IN_WORDS, Viewer
from wattkeeper.charging.phrase import Phrase, counted, phrase
from wattkeeper.language import spoken
from wattkeeper.operations.people.accounts import Mine
from wattkeeper.store.cards import card as cards
from wattkeeper.web.driver.paper import HEADERS, Paper, Word, routes_of

MOST_NOTICES = 20
HOW = {
    "passkey": phrase("Passkey"),
    "password": phrase("Password"),
    "totp": phrase("Password and code app"),
    "recovery": phrase("Recovery code"),
    "mail": phrase("Link in an e-mail"),
    "oidc": phrase("Company sign-in"),
}
DID: Mapping[str, Word] = {
    "ended": Word(phrase("Ended."), phrase("It has no access to your account any more.")),
    "signed-out": Word(phrase("Signed out there."), phrase("It takes effect at once.")),
    "passkey": Word(phrase("Your passkey is made."), phrase("Use it the next time you sign in.")),
    "passkey-removed": Word(phrase("Removed."), phrase("That passkey opens your account no more.")),
    "password": Word(phrase("Your password is saved."), phrase("Every other sign-in has ended.")),
    "password-removed": Word(phrase("Your password is removed."), phrase("You sign in with a passkey from now on.")),
    "code-app": Word(phrase("Your code app is on."), phrase("We ask for its six digits after your password.")),
    "code-app-off": Word(phrase("Your code app is off."), ""),
    "proved": Word(phrase("Thank you."), phrase("Now try again what you wanted to do.")),
    "name": Word(phrase("Saved."), ""),
    "receipts-on": Word(phrase("Saved."), phrase("From now on each receipt comes to you as a letter.")),
    "receipts-off": Word(phrase("Saved."), phrase("Receipts stay here, under Sessions; no letters come.")),
}
"""What was done, said on the page that follows."""
NOTHING_AGREED = phrase("You agreed to nothing beyond charging")
LATE = phrase("It was too late for this answer")


DEVICES = {"": phrase("A browser"), "a program": phrase("A program")}
"""Where the browser said nothing that we know."""


def cards_of(count: int) -> Phrase:
    """So many cards."""
    return counted("{count} card", "{count} cards", count)


def sessions_of(count: int) -> Phrase:
    """So many sessions."""
    return counted("{count} session", "{count} sessions", count)


def passkeys_of(count: int) -> Phrase:
    """So many passkeys."""
    return counted("{count} passkey", "{count} passkeys", count) if count else phrase("None yet")


def agrees_to(count: int) -> Phrase:
    """To how much somebody agrees."""
    return counted("You agree to {count} thing", "You agree to {count} things", count) if count else NOTHING_AGREED


class Me:
    """``/app/me`` and its privacy, notices and sign-ins."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """All of it, privacy first."""
        viewer = await self._paper.need_viewer(request)
        mine = await self._rooms.people.accounts.mine(viewer)
        has = mine.factors
        apps, logins = await self._rooms.apps.let_in(viewer), await self._rooms.people.accounts.logins(viewer)
        return await self._page(
            request,
            "me.html",
            viewer,
            name=mine.name,
            email=mine.email,
            agrees=agrees_to(sum(one.agrees for one in await self._rooms.consents.mine(viewer, spoken()))),
            known=await self._known_in_short(viewer),
            access=counted("{count} app", "{count} apps", len(apps)) if apps else phrase("Nobody but you"),
            pays=PAYS[(await self._rooms.payments.wallets.mine(viewer)).way],
            notices=await self._rooms.notices.mine(viewer, MOST_NOTICES),
            passkeys=passkeys_of(has.passkeys),
            password=phrase("Set") if has.password else phrase("None"),
            receipts_by_mail=mine.receipts_by_mail,
            totp=phrase("On") if has.totp else phrase("Off"),
            recovery=phrase("{count} left", count=has.codes) if has.codes else phrase("None"),
            logins=counted("{count} device", "{count} devices", len(logins)),
        )

    async def _page(self, request: Request, template: str, viewer: Viewer, **given: Any) -> Response:
        """A page, with a word on what was just done."""
        word = DID.get(request.query_params.get("did", ""))
        return await self._paper.page(request, template, viewer, **{"word": word} | given)

    async def _figures(self, viewer: Viewer) -> tuple[int, int]:
        """How many cards and sessions there are of the viewer's."""
        async with self._rooms.store.read() as connection:
            held = len(await cards.find(connection, viewer, 100))
        return held, sum(month.sessions for month in await self._rooms.prices.months(viewer))

    async def _known_in_short(self, viewer: Viewer) -> str:
        held, sessions = await self._figures(viewer)
        count = {"cards": cards_of(held), "sessions": sessions_of(sessions)}
        return phrase("Your name and e-mail address, {cards}, {sessions}", **count)

    async def known(self, request: Request) -> Response:
        """What we know, and why."""
        viewer = await self._paper.need_viewer(request)
        mine = await self._rooms.people.accounts.mine(viewer)
        held, sessions = await self._figures(viewer)
        return await self._page(request, "known.html", viewer, name=mine.name, things=_things(mine, held, sessions))

    async def rename(self, request: Request, name: Annotated[str, Form()] = "") -> Response:
        """Call oneself something else."""
        viewer = await self._paper.need_viewer(request)
        await self._rooms.people.accounts.rename(viewer, name)
        return RedirectResponse("/app/me/known?did=name", 303)

    async def read(self, request: Request) -> Response:
        """All notices have been read."""
        viewer = await self._paper.need_viewer(request)
        for one in await self._rooms.notices.mine(viewer, MOST_NOTICES):
            if one.read_at is None:
                await self._rooms.notices.read(viewer, one.id)
        return RedirectResponse("/app/me", 303)

    async def receipts(self, request: Request, by_mail: Annotated[str, Form()] = "") -> Response:
        """Have each receipt sent as a letter, or no more."""
        viewer = await self._paper.need_viewer(request)
        await self._rooms.people.accounts.want_receipts(viewer, by_mail=by_mail == "yes")
        return RedirectResponse(f"/app/me?did=receipts-{'on' if by_mail == 'yes' else 'off'}", 303)

    async def access(self, request: Request) -> Response:
        """Who has access."""
        viewer = await self._paper.need_viewer(request)
        apps = [
            {
                "id": one.id,
                "name": one.name,
                "may": [IN_WORDS[scope] for scope in sorted(one.scopes)],
                "since": one.created_at,
                "used": one.used_at,
            }
            for one in await self._rooms.apps.let_in(viewer)
        ]
        return await self._page(request, "access.html", viewer, apps=apps)

    async def end_access(self, request: Request, id: str) -> Response:
        """End an app's access; one that has none any more is as ended."""
        viewer = await self._paper.need_viewer(request)
        await gone_already(self._rooms.apps.end(viewer, id))
        return RedirectResponse("/app/me/access?did=ended", 303)

    async def logins(self, request: Request) -> Response:
        """Where the viewer is signed in."""
        viewer = await self._paper.need_viewer(request)
        logins = [
            {
                "id": one.id,
                "device": DEVICES.get(one.device, one.device),
                "how": HOW.get(one.how, phrase("Signed in")),
                "since": one.created_at,
                "seen": one.seen_at,
                "is_this": one.current,
            }
            for one in await self._rooms.people.accounts.logins(viewer)
        ]
        return await self._page(request, "logins.html", viewer, logins=logins)

    async def end_login(self, request: Request, id: str) -> Response:
        """Sign out elsewhere."""
        viewer = await self._paper.need_viewer(request)
        await gone_already(self._rooms.people.accounts.end_login(viewer, id))
        return RedirectResponse("/app/me/logins?did=signed-out", 303)

    async def end_others(self, request: Request) -> Response:
        """Sign out everywhere else."""
        viewer = await self._paper.need_viewer(request)
        await self._rooms.people.accounts.end_other_logins(viewer)
        return RedirectResponse("/app/me/logins?did=signed-out", 303)

    async def questions(self, request: Request) -> Response:
        """What waits for an answer, for a page that is open already."""
        viewer = await self._paper.need_viewer(request)
        asked = await self._paper.questions(viewer)
        return HTMLResponse("".join(self._paper.part("parts.html", "question", one) for one in asked), headers=HEADERS)

    async def answer(self, request: Request, id: str, answer: Annotated[str, Form()] = "") -> Response:
        """Answer "is this you?"."""
        viewer = await self._paper.need_viewer(request)
        if answer not in ("yes", "no"):
            raise Refusal(Code.INVALID, phrase("The answer is yes or no. Nothing was changed."))
        try:
            await self._rooms.questions.answer(viewer, id, is_them=answer == "yes")
        except Refusal as refusal:
            if refusal.code is not Code.CONFLICT:
                raise
            return await self._paper.problem(request, 409, LATE, refusal.why, viewer)
        return RedirectResponse(f"/app/cards?did=answered-{answer}", 303)


KEPT = (
    (phrase("Your e-mail address"), phrase("To sign in, and to reach you. You gave it when you signed up.")),
    (phrase("Your cards"), phrase("To let you charge. Their numbers are sealed; staff see two characters.")),
    (phrase("Your sessions"), phrase("When, where, how much energy and what it cost: to bill you rightly.")),
    (phrase("How you sign in"), phrase("What could open your account cannot be read by us.")),
    (phrase("Where you sign in"), phrase("So that you see when somebody else does. Kept for 30 days.")),
)
"""What is kept of a person, and why."""
WAYS_IN = (phrase("Passkeys, password, code app"), phrase("Browser and system"))


async def gone_already(deed: Any) -> None:
    """Wait for the deed; what is gone already was done by the tap before."""
    try:
        await deed
    except Refusal as refusal:
        if refusal.code is not Code.NOT_FOUND:
            raise


def _things(mine: Mine, held: int, sessions: int) -> list[dict[str, str]]:
    """What is kept of the person, and why."""
    values = (mine.email, cards_of(held), sessions_of(sessions), *WAYS_IN)
    return [{"what": what, "value": value, "why": why} for (what, why), value in zip(KEPT, values, strict=True)]


def router(paper: Paper) -> APIRouter:
    """``/app/me`` and its privacy, notices and sign-ins."""
    pages, routes = Me(paper), routes_of(paper)
    routes.add_api_route("/app/me", pages.show, methods=["GET"])
    routes.add_api_route("/app/me/known", pages.known, methods=["GET"])
    routes.add_api_route("/app/me/known", pages.rename, methods=["POST"])
    routes.add_api_route("/app/me/notices", pages.read, methods=["POST"])
    routes.add_api_route("/app/me/notices", pages.show, methods=["GET"])
    routes.add_api_route("/app/me/receipts", pages.receipts, methods=["POST"])
    routes.add_api_route("/app/me/access", pages.access, methods=["GET"])
    routes.add_api_route("/app/me/access/{id}/end", pages.end_access, methods=["POST"])
    routes.add_api_route("/app/me/logins", pages.logins, methods=["GET"])
    routes.add_api_route("/app/me/logins/end", pages.end_others, methods=["POST"])
    routes.add_api_route("/app/me/logins/{id}/end", pages.end_login, methods=["POST"])
    routes.add_api_route("/app/questions", pages.questions, methods=["GET"])
    routes.add_api_route("/app/questions/{id}", pages.answer, methods=["POST"])
    return routes
