"""Privacy of a driver: one page of sections, each with its own template; what it shows stands in `SECTIONS`.

A section is an include (``privacy_….html``) and whoever gives it what it needs, under the names that it uses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import STAFF, Viewer
from wattkeeper.charging.phrase import joined, phrase
from wattkeeper.charging.privacy.consent import Consented, Door
from wattkeeper.charging.privacy.looking import PARTS, PURPOSES
from wattkeeper.language import spoken
from wattkeeper.operations.privacy.looks import Seen
from wattkeeper.web.driver import rights
from wattkeeper.web.driver.paper import Paper, Word, routes_of

HERE = "/app/privacy"
PROGRAM = phrase("Program")
DID: Mapping[str, Word] = {
    "agreed": Word(phrase("You agreed."), phrase("You can take it back here at any time, by one tap.")),
    "corrected": Word(phrase("Corrected."), phrase("What it was before is kept for you to see.")),
    "objected": Word(phrase("Noted."), phrase("It holds from now on.")),
    "lifted": Word(phrase("Taken back."), phrase("It holds from now on.")),
    "asked": Word(phrase("Sent."), phrase("The answer comes within a month.")),
    "withdrawn": Word(phrase("Taken back."), phrase("From this moment on nothing is done with it any more.")),
}
"""What was done, said on the page that follows."""
DOORS = {Door.PAGE: phrase("on this page"), Door.API: phrase("by an app of yours")}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page."""

    template: str
    given: Callable[[Paper, Request, Viewer], Awaitable[dict[str, Any]]]
    """What its template is handed."""


async def consents_given(paper: Paper, request: Request, viewer: Viewer) -> dict[str, Any]:
    """What may be agreed to, and all that was said."""
    consents = paper.rooms.consents
    said = [
        {"said": one, "door": DOORS.get(Door(one.door), one.door), "mark": one.text.hash[:12]}
        for one in await consents.history(viewer)
    ]
    return {"choices": await consents.mine(viewer, spoken()), "consents": said}


async def looks_given(paper: Paper, request: Request, viewer: Viewer) -> dict[str, Any]:
    """Who looked at what is the viewer's."""
    return {"looks": [_look(one) for one in await paper.rooms.looks.mine(viewer)]}


def _look(one: Seen) -> dict[str, Any]:
    """A look in words; whoever looked is told apart, and not named."""
    seen = joined([PARTS[part] for part in one.parts], ", ") if one.parts else phrase("nothing")
    return {"look": one, "role": STAFF.get(one.role, PROGRAM), "purpose": PURPOSES[one.purpose], "seen": seen}


SECTIONS: tuple[Section, ...] = (
    Section("privacy_consents.html", consents_given),
    Section("privacy_looks.html", looks_given),
    Section("privacy_data.html", rights.data_given),
    Section("privacy_uses.html", rights.uses_given),
    Section("privacy_forget.html", rights.requests_given),
)
"""In the order in which they stand on the page."""


class Privacy:
    """``/app/privacy``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """All sections."""
        viewer = await self._paper.need_viewer(request)
        given: dict[str, Any] = {"sections": [one.template for one in SECTIONS]}
        for one in SECTIONS:
            given |= await one.given(self._paper, request, viewer)
        word = DID.get(request.query_params.get("did", ""))
        return await self._paper.page(request, "privacy.html", viewer, word=word, **given)

    async def consent(self, request: Request, purpose: str, agree: Annotated[str, Form()] = "") -> Response:
        """Agree, or take it back: either is one tap."""
        viewer = await self._paper.need_viewer(request)
        if purpose not in set(Consented):
            raise Refusal(Code.NOT_FOUND, phrase("There is nothing of that name to agree to."))
        if agree not in ("yes", "no"):
            raise Refusal(Code.INVALID, phrase("The answer is yes or no. Nothing was changed."))
        agrees = agree == "yes"
        await self._rooms.consents.say(viewer, Consented(purpose), spoken(), Door.PAGE, agrees=agrees)
        return RedirectResponse(f"{HERE}?did={'agreed' if agrees else 'withdrawn'}#consents", 303)


def router(paper: Paper) -> APIRouter:
    """``/app/privacy``."""
    pages, routes = Privacy(paper), routes_of(paper)
    routes.add_api_route(HERE, pages.show, methods=["GET"])
    routes.add_api_route(f"{HERE}/consents/{{purpose}}", pages.consent, methods=["POST"])
    return routes
