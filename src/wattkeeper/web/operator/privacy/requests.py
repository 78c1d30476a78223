"""What people asked about their data: overdue first, each with how it is proved, answered and done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, counted, phrase
from wattkeeper.charging.privacy.erasure import IN_WORDS
from wattkeeper.charging.privacy.looking import LookPurpose, Part
from wattkeeper.charging.privacy.rights import RIGHTS, USES, Proof, Right, Use
from wattkeeper.operations.privacy.looking import Given
from wattkeeper.operations.privacy.requests import DOORS, Asked
from wattkeeper.store.privacy.request import OPEN
from wattkeeper.web.operator.need import Act, Need
from wattkeeper.web.operator.paper import Look, Paper, routes_of
from wattkeeper.web.rooms import Rooms

HERE = "/requests"
PROOFS: Mapping[Proof, Phrase] = {
    Proof.ACCOUNT: phrase("signed in, freshly"),
    Proof.DOCUMENT: phrase("showed a document; no copy is kept"),
    Proof.KNOWN: phrase("answered from the address that we know"),
    Proof.NOTHING: phrase("nothing yet"),
}
BY: Mapping[str, Phrase] = {
    "app": phrase("in the app"),
    "letter": phrase("letter"),
    "mail": phrase("mail"),
    "in person": phrase("in person"),
}
STATES = {
    "late": Look(phrase("Overdue"), "harm", "harm"),
    "open": Look(phrase("Open"), "look", "look"),
    "answered": Look(phrase("Answered"), "done"),
    "refused": Look(phrase("Declined"), "done"),
}


def answer(asked: list[Asked]) -> tuple[Phrase | str, Phrase | str]:
    """The page's answer: how many wait, and how many are late."""
    waiting = [one for one in asked if one.row.state == OPEN]
    late = sum(one.is_late for one in waiting)
    if late:
        return counted("1 request is overdue", "{count} requests are overdue", late), phrase("The law gives a month.")
    if waiting:
        return counted("1 request waits", "{count} requests wait", len(waiting)), phrase("None is overdue.")
    return phrase("Nobody waits for an answer"), phrase("What people ask about their data stands here, with its day.")


async def needs(rooms: Rooms, viewer: Viewer) -> list[Need]:
    """What the page Now says of it: one thing to do where requests wait."""
    if not viewer.may(Scope.PRIVACY_READ):
        return []
    waiting, late = await rooms.rights.requests.tally(viewer)
    if not waiting:
        return []
    title = counted("1 person asks about their data", "{count} people ask about their data", waiting)
    why = counted("1 of them is overdue.", "{count} of them are overdue.", late) if late else phrase("None is overdue.")
    return [Need("privacy-requests", title, why, None, (Act(phrase("Answer"), HERE),))]


HANDED_OUT = phrase("Handed out, as this person asked.")


def handed_out(asked: str) -> Given:
    """What its person reads of an archive that was handed to them."""
    return Given(LookPurpose.RIGHTS, str(HANDED_OUT), asked)  # kept in English


class Requests:
    """``/requests``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rights = paper.rooms.rights

    async def show(self, request: Request) -> Response:
        """The list, and a form for what came by letter."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_READ)
        asked = await self._rights.requests.listed(viewer)
        lines = [(one, RIGHTS[one.row.right], STATES["late" if one.is_late else one.row.state]) for one in asked]
        given: dict[str, Any] = {
            "answer": answer(asked),
            "lines": lines,
            "rights": RIGHTS,
            "doors": {one: BY[one] for one in DOORS[1:]},
        }
        given |= {"by": BY, "proofs": PROOFS, "may_write": viewer.may(Scope.PRIVACY_WRITE)}
        return self._paper.page(request, "requests.html", viewer, **given)

    async def take(
        self,
        request: Request,
        right: Annotated[str, Form()] = "",
        door: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
        words: Annotated[str, Form()] = "",
        day: Annotated[str, Form()] = "",
    ) -> Response:
        """Note what came by letter."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_WRITE)
        if right not in set(Right):
            raise Refusal(Code.INVALID, phrase("There is nothing of that name to ask for."))
        person = await self._rights.forgetting.found(viewer, who) if who.strip() else ""
        made = await self._rights.requests.enter(viewer, person, Right(right), door, words, self._came(day))
        return RedirectResponse(f"{HERE}/{made}", 303)

    async def one(self, request: Request, identifier: str) -> Response:
        """One request, and what can be done about it."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_READ)
        asked = await self._rights.requests.one(viewer, identifier)
        row = asked.row
        plan = told = None
        if row.person and row.right is Right.ERASURE:
            told = await self._rights.forgetting.told(viewer, row.person)
            plan = None if told else await self._plan(viewer, row.person)
        given: dict[str, Any] = {
            "asked": asked,
            "right": RIGHTS[row.right],
            "state": STATES["late" if asked.is_late else row.state],
        }
        given |= {"by": BY, "proofs": PROOFS, "plan": plan, "told": told, "may_write": viewer.may(Scope.PRIVACY_WRITE)}
        given |= {"obstacles": [IN_WORDS[one] for one in plan.obstacles] if plan else [], "is_open": row.state == OPEN}
        return self._paper.page(request, "request.html", viewer, uses=USES, **given)

    async def prove(
        self, request: Request, identifier: str, proof: Annotated[str, Form()] = "", who: Annotated[str, Form()] = ""
    ) -> Response:
        """How they proved who they are."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_WRITE)
        if proof not in set(Proof):
            raise Refusal(Code.INVALID, phrase("Say how they proved who they are."))
        person = await self._rights.forgetting.found(viewer, who) if who.strip() else ""
        await self._rights.requests.prove(viewer, identifier, Proof(proof), person)
        return RedirectResponse(f"{HERE}/{identifier}", 303)

    async def extend(self, request: Request, identifier: str, why: Annotated[str, Form()] = "") -> Response:
        """Two months more."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_WRITE)
        await self._rights.requests.extend(viewer, identifier, why)
        return RedirectResponse(f"{HERE}/{identifier}", 303)

    async def answer(
        self,
        request: Request,
        identifier: str,
        words: Annotated[str, Form()] = "",
        refused: Annotated[str, Form()] = "",
    ) -> Response:
        """What was done, or why not."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_WRITE)
        await self._rights.requests.answer(viewer, identifier, words, refused=refused == "yes")
        return RedirectResponse(f"{HERE}/{identifier}", 303)

    async def do(self, request: Request, identifier: str, deed: Annotated[str, Form()] = "") -> Response:
        """Do what is asked, for somebody who proved who they are: hand out, restrict, forget."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_WRITE)
        row = (await self._rights.requests.one(viewer, identifier)).row
        if row.state != OPEN or not row.person or row.proof is Proof.NOTHING:
            raise Refusal(Code.CONFLICT, phrase("First note who asks, and how they proved it."))
        if deed == "archive":
            pieces = await self._rights.archives.of(viewer, row.person)
            await self._paper.rooms.looking.open_once(viewer, row.person, handed_out(row.id))
            await self._paper.rooms.looking.need(viewer, row.person, Part.ARCHIVE)
            headers = {"Content-Disposition": 'attachment; filename="data.zip"', "Cache-Control": "no-store"}
            return StreamingResponse(pieces, media_type="application/zip", headers=headers)
        if deed in set(Use):
            await self._rights.restrictions.set(viewer, row.person, Use(deed))
        elif deed in ("forget", "forget-despite"):
            await self._rights.forgetting.forget(viewer, row.person, despite=deed == "forget-despite")
        else:
            raise Refusal(Code.INVALID, phrase("There is nothing of that name to do."))
        return RedirectResponse(f"{HERE}/{identifier}", 303)

    async def _plan(self, viewer: Viewer, person: str) -> Any:
        try:
            return await self._rights.forgetting.plan(viewer, person)
        except Refusal:
            return None

    def _came(self, day: str) -> datetime | None:
        """The begin of a day that was typed, or nothing."""
        if not day.strip():
            return None
        try:
            at = datetime.fromisoformat(day.strip())
        except ValueError:
            raise Refusal(Code.INVALID, phrase("A day is such as 2026-03-01.")) from None
        return at.replace(tzinfo=at.tzinfo or self._paper.rooms.settings.zone) + timedelta(0)


def router(paper: Paper) -> APIRouter:
    """``/requests`` and each of them."""
    pages, routes = Requests(paper), routes_of(paper)
    routes.add_api_route(HERE, pages.show, methods=["GET"])
    routes.add_api_route(HERE, pages.take, methods=["POST"])
    routes.add_api_route(f"{HERE}/{{identifier}}", pages.one, methods=["GET"])
    for name, deed in (
        ("proof", pages.prove),
        ("extension", pages.extend),
        ("answer", pages.answer),
        ("deed", pages.do),
    ):
        routes.add_api_route(f"{HERE}/{{identifier}}/{name}", deed, methods=["POST"])
    return routes
