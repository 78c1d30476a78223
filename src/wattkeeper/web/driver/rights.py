"""What a driver may ask of their data: take it along, have it corrected, have it not used, be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Phrase, counted, phrase
from wattkeeper.charging.privacy.erasure import IN_WORDS, SERIOUS, Recipient, What
from wattkeeper.charging.privacy.rights import RIGHTS, Right, Use
from wattkeeper.language import spoken, tell_in
from wattkeeper.operations.privacy.rectifying import CORRECTED
from wattkeeper.web.driver.paper import HEADERS, Paper, routes_of
from wattkeeper.web.guards.origin import cookie_name

HERE = "/app/privacy"
NAMES: Mapping[str, Phrase] = {
    "name": phrase("Your name"),
    "phone": phrase("Your telephone number"),
    "address": phrase("Your address"),
}
SWITCHES: Mapping[Use, tuple[Phrase, Phrase]] = {
    Use.INSIGHT: (
        phrase("Do not use my sessions for statistics"),
        phrase("They count in no total, whatever you agreed to before."),
    ),
    Use.MARKETING: (
        phrase("Send me no news"),
        phrase("Letters about your account, your cards and your bills still come."),
    ),
    Use.PROFILING: (
        phrase("Do not compare my sessions with each other"),
        phrase("We then notice later when somebody charges with a copy of your card."),
    ),
    Use.ALL: (
        phrase("Keep my data and use them for nothing else"),
        phrase("You can still charge and pay; everything else rests until you take it back."),
    ),
}
"""What somebody may object to, and what follows."""
TOLD: Mapping[What, Phrase] = {
    What.LIST: phrase("its own list of cards"),
    What.CACHE: phrase("the cards that it remembers"),
    What.CUSTOMER: phrase("what it keeps about the holder of a card"),
    What.MEANS: phrase("your bank card"),
}
SURE = phrase("forget me")
"""What is typed to be forgotten."""
UNSURE = phrase("Type the two words exactly as they stand there. Nothing was done.")
STATES: Mapping[str, Phrase] = {
    "open": phrase("We are at it"),
    "answered": phrase("Answered"),
    "refused": phrase("Declined"),
}


@dataclass(frozen=True, slots=True)
class Switch:
    """One use that may be objected to."""

    use: Use
    title: Phrase
    text: Phrase
    stands: bool


async def data_given(paper: Paper, request: Request, viewer: Viewer) -> dict[str, Any]:
    """What can be corrected, and what was."""
    done = await paper.rooms.rights.rectifying.history(viewer, viewer.person)
    corrected = [(NAMES.get(one.what, one.what), one) for one in done[:20]]
    return {"corrections": corrected, "corrected": {name: NAMES[name] for name in CORRECTED}}


async def uses_given(paper: Paper, request: Request, viewer: Viewer) -> dict[str, Any]:
    """What somebody objected to."""
    stands = {row.use for row in await paper.rooms.rights.restrictions.of(viewer, viewer.person)}
    return {"uses": [Switch(use, *words, use in stands) for use, words in SWITCHES.items()]}


async def requests_given(paper: Paper, request: Request, viewer: Viewer) -> dict[str, Any]:
    """What somebody asked, and what became of it."""
    asked = await paper.rooms.rights.requests.mine(viewer)
    return {"requests": [(RIGHTS[one.right], STATES[one.state], one) for one in asked], "rights": RIGHTS}


class Rights:
    """Under ``/app/privacy``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rights = paper.rooms.rights

    # --- taken along ----------------------------------------------------------------------------------

    async def make_archive(self, request: Request) -> Response:
        """A link that is good once."""
        viewer = await self._paper.need_viewer(request)
        return RedirectResponse(f"{HERE}/archive?code={await self._rights.archives.ticket(viewer)}", 303)

    async def archive(self, request: Request, code: str = "") -> Response:
        """The archive itself, by such a link; without one, back to where it is made."""
        viewer = await self._paper.need_viewer(request)
        if not code:
            return RedirectResponse(f"{HERE}#data", 303)
        pieces = await self._rights.archives.by_ticket(viewer, code[:100])
        name = {"Content-Disposition": 'attachment; filename="my-charging-data.zip"'}
        return StreamingResponse(pieces, media_type="application/zip", headers=HEADERS | name)

    # --- corrected, not used --------------------------------------------------------------------------

    async def correct(
        self, request: Request, what: Annotated[str, Form()] = "", text: Annotated[str, Form()] = ""
    ) -> Response:
        """Put one thing right."""
        viewer = await self._paper.need_viewer(request)
        await self._rights.rectifying.correct(viewer, viewer.person, what, text[:1000])
        return RedirectResponse(f"{HERE}?did=corrected#data", 303)

    async def use(self, request: Request, use: str, may: Annotated[str, Form()] = "") -> Response:
        """Object to a use, or take that back."""
        viewer = await self._paper.need_viewer(request)
        if use not in set(Use) or may not in ("yes", "no"):
            raise Refusal(Code.INVALID, phrase("The answer is yes or no. Nothing was changed."))
        restrictions = self._rights.restrictions
        if may == "no":
            await restrictions.set(viewer, viewer.person, Use(use))
        else:
            await restrictions.lift(viewer, viewer.person, Use(use))
        return RedirectResponse(f"{HERE}?did={'objected' if may == 'no' else 'lifted'}#uses", 303)

    async def ask(
        self, request: Request, right: Annotated[str, Form()] = "", words: Annotated[str, Form()] = ""
    ) -> Response:
        """Ask what no button does."""
        viewer = await self._paper.need_viewer(request)
        if right not in set(Right):
            raise Refusal(Code.INVALID, phrase("There is nothing of that name to ask for."))
        await self._rights.requests.ask(viewer, Right(right), words)
        return RedirectResponse(f"{HERE}?did=asked#requests", 303)

    # --- forgotten ------------------------------------------------------------------------------------

    async def plan(self, request: Request) -> Response:
        """What would be done, and what stands in the way."""
        return await self._plan(request, await self._paper.need_viewer(request))

    async def forget(self, request: Request, sure: Annotated[str, Form()] = "") -> Response:
        """Do it; the page that follows belongs to nobody any more."""
        viewer = await self._paper.need_viewer(request)
        viewer.need_fresh(self._paper.rooms.store.clock())
        words = {" ".join(str(one).casefold().split()) for one in (SURE, _said(SURE))}
        if " ".join(sure.casefold().split()) not in words:
            return await self._plan(request, viewer, UNSURE)
        certificate = await self._rights.forgetting.forget(viewer, viewer.person)
        page = await self._paper.page(request, "forgotten.html", None, certificate=certificate)
        page.delete_cookie(cookie_name(self._paper.rooms.settings))
        page.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
        return page

    async def _plan(self, request: Request, viewer: Viewer, wrong: str = "") -> Response:
        plan = await self._rights.forgetting.plan(viewer, viewer.person)
        stations = sorted({one.name for one in plan.told if one.kind is Recipient.STATION})
        given = {
            "plan": plan,
            "sessions": counted("{count} session", "{count} sessions", plan.sessions),
            "documents": counted("{count} bill or invoice", "{count} bills and invoices", plan.documents),
            "stations": stations,
            "pays": any(one.kind is Recipient.PROVIDER for one in plan.told),
            "obstacles": [(one in SERIOUS, IN_WORDS[one]) for one in plan.obstacles],
            "blocked": plan.blocked_for(staff=False),
            "sure": SURE,
            "wrong": wrong,
        }
        return await self._paper.page(request, "forget.html", viewer, status=422 if wrong else 200, **given)


def _said(words: Phrase) -> str:
    """Words in the language of the page."""
    return str(tell_in(spoken(), words))


def router(paper: Paper) -> APIRouter:
    """What lies under ``/app/privacy``."""
    pages, routes = Rights(paper), routes_of(paper)
    routes.add_api_route(f"{HERE}/archive", pages.archive, methods=["GET"])
    routes.add_api_route(f"{HERE}/archive", pages.make_archive, methods=["POST"])
    routes.add_api_route(f"{HERE}/corrections", pages.correct, methods=["POST"])
    routes.add_api_route(f"{HERE}/uses/{{use}}", pages.use, methods=["POST"])
    routes.add_api_route(f"{HERE}/requests", pages.ask, methods=["POST"])
    routes.add_api_route(f"{HERE}/forget", pages.plan, methods=["GET"])
    routes.add_api_route(f"{HERE}/forget", pages.forget, methods=["POST"])
    return routes
