"""What pages are printed on: templates with the place's zone, figures and words, and how a request becomes a page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.person import IN_WORDS, STAFF, Role, Scope, Viewer
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.charging.session import SessionState
from wattkeeper.web import bundle, pages
from wattkeeper.web.guards.origin import cookie_name
from wattkeeper.web.operator import said
from wattkeeper.web.pages import here
from wattkeeper.web.problem import STATUS, TITLES
from wattkeeper.web.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Look:
    """A word and a mark: nothing is told by colour alone."""

    word: str
    mark: str = ""
    colour: str = ""


STATES = {
    SessionState.OPEN: Look(phrase("Plugged in")),
    SessionState.CHARGING: Look(phrase("Charging"), "on breathes", "flow"),
    SessionState.SUSPENDED: Look(phrase("Paused"), "half"),
    SessionState.ESTIMATED: Look(phrase("Ended, estimated"), "look"),
    SessionState.ENDED: Look(phrase("Ended"), "done"),
}
GRADES = {
    Grade.VERIFIED: Look(phrase("Verified")),
    Grade.MEASURED: Look(phrase("Measured")),
    Grade.RECONSTRUCTED: Look(phrase("Reconstructed"), "look", "look"),
    Grade.DISPUTED: Look(phrase("Disputed"), "harm", "harm"),
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word to the person: what happened, why and what to do. ``weight`` is empty, look or harm."""

    what: str
    why: str = ""
    weight: str = ""


PLACES = (
    ("/", phrase("Now"), Scope.STATIONS_READ),
    ("/alerts", phrase("Alerts"), Scope.STATIONS_READ),
    ("/sessions", phrase("Sessions"), Scope.SESSIONS_READ),
    ("/stations", phrase("Stations"), Scope.STATIONS_READ),
    ("/cards", phrase("Cards"), Scope.CARDS_READ),
    ("/tariffs", phrase("Tariffs"), Scope.TARIFFS_READ),
    ("/findings", phrase("Findings"), Scope.FINDINGS_READ),
    ("/money", phrase("Money"), Scope.BILLS_READ),
    ("/persons", phrase("Drivers"), Scope.PERSONS_READ),
    ("/persons", phrase("Drivers"), Scope.PERSONS_EMERGENCY),
    ("/requests", phrase("Requests"), Scope.PRIVACY_READ),
    ("/people", phrase("People"), Scope.STAFF_READ),
    ("/programs", phrase("Programs"), Scope.TOKENS_READ),
    ("/security", phrase("Security"), Scope.SECURITY_READ),
    ("/insight", phrase("Insight"), Scope.SESSIONS_READ),
)
"""Where one can go, and what one must be allowed for it, everywhere or at the own sites."""
ALL = {
    "/alerts": phrase("All alerts"),
    "/sessions": phrase("All sessions"),
    "/stations": phrase("All stations"),
    "/cards": phrase("All cards"),
    "/tariffs": phrase("All tariffs"),
    "/findings": phrase("All findings"),
    "/money": phrase("Money"),
    "/persons": phrase("Drivers"),
    "/requests": phrase("All requests"),
    "/people": phrase("All people"),
    "/programs": phrase("All programs"),
    "/security": phrase("Security"),
    "/insight": phrase("Insight"),
}
"""What the lists are called to whom a page sends back there."""


SHARED = ("/oauth/", "/login/company")
"""Pages that drivers come to as well."""


class Outside(Exception):  # noqa: N818 - an answer, not a fault
    """A driver opened a page of those who work here."""


def position(role: Role, sites: Collection[str]) -> Phrase:
    """What somebody is here, and of which sites."""
    at = ", ".join(sorted(sites))
    return phrase("{role} of {sites}", role=STAFF[role], sites=at) if at else STAFF[role]


def places_of(viewer: Viewer | None) -> list[tuple[str, str]]:
    """Address and name of the pages that a viewer may open."""
    may = viewer.scopes | viewer.at_sites if viewer else frozenset()
    return list(dict.fromkeys((path, name) for path, name, scope in PLACES if scope in may))


def home_of(viewer: Viewer) -> str:
    """Where a viewer begins: the first place they may open, else their own account."""
    return next((path for path, _ in places_of(viewer)), "/account")


class Paper:
    """Prints the operator's pages of one installation."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.times = said.Times(rooms.settings.zone, rooms.settings.time_zone)
        self._printer = pages.printer(
            Path(__file__).parent / "templates",
            amount=said.amount,
            ago_patterns=said.ago_patterns,
            asset=bundle.address,
            duration=said.duration,
            figure_of_duration=said.figure_of_duration,
            grades=GRADES,
            kw=said.kw,
            kwh=said.kwh,
            in_words=IN_WORDS,
            money=said.money,
            position=position,
            roles=STAFF,
            shown=shown,
            times=self.times,
        )

    def part(self, template: str, macro: str, *given: object) -> Markup:
        """One macro of a template, printed."""
        return pages.part(self._printer, template, macro, *given)

    def page(
        self, request: Request, template: str, viewer: Viewer | None, *, status: int = 200, **given: Any
    ) -> HTMLResponse:
        """A whole page; never kept by a cache, for it shows what only its viewer may see."""
        place = "/" + request.url.path.split("/")[1]
        context: dict[str, Any] = {
            "place": place,
            "viewer": viewer,
            "here": here(request),
            "now": self.rooms.store.clock(),
            "stream": None,
            "word": None,
        }
        context |= {"places": places_of(viewer), "called": getattr(request.state, "called", "")}
        text = self._printer.get_template(template).render(context | given)
        return HTMLResponse(text, status, {"Cache-Control": "no-store"})

    def problem(self, request: Request, status: int, what: str, why: str, viewer: Viewer | None = None) -> HTMLResponse:
        """A page that says what went wrong and where to go from there."""
        back, name = _way_on(viewer, request.url.path)
        told = {"what": what, "why": why, "back": back, "back_to": name}
        return self.page(request, "problem.html", viewer, status=status, **told)

    async def viewer(self, request: Request) -> Viewer | None:
        """Who looks, by the browser's cookie; raises Outside where they are a driver."""
        cookie = request.cookies.get(cookie_name(self.rooms.settings), "")
        viewer = await self.rooms.access.viewer_by_cookie(cookie) if cookie else None
        if viewer is not None and not viewer.role.is_staff and not request.url.path.startswith(SHARED):
            raise Outside
        return viewer

    async def need_viewer(self, request: Request, *scopes: Scope) -> Viewer:
        """Who looks, and what they are called; Refusal UNAUTHENTICATED sends them to the door, FORBIDDEN says no."""
        viewer = await self.viewer(request)
        if viewer is None:
            raise Refusal(Code.UNAUTHENTICATED, phrase("Sign in to see this."))
        await self.call(request, viewer)
        for scope in scopes:
            viewer.need(scope)
        return viewer

    async def call(self, request: Request, viewer: Viewer) -> None:
        """Find out what the viewer is called, for the page's head."""
        names = await self.rooms.names.of(viewer, [viewer.account])
        request.state.called = names.get(viewer.account, viewer.name)


def _way_on(viewer: Viewer | None, path: str) -> tuple[str, str]:
    """Where to go from a page that says no: the list that its path is listed on, else where the viewer begins."""
    places = dict(places_of(viewer))
    noun = f"/{path.split('/')[1]}"
    if path.count("/") > 1 and noun in places:
        return noun, ALL.get(noun, places[noun])
    if viewer is None:
        return "/login", phrase("Sign in")
    home = home_of(viewer)
    return home, places.get(home, phrase("Your account"))


def routes_of(paper: Paper) -> APIRouter:
    """An empty router for pages of those who work here."""
    return pages.routes_of(paper.rooms.settings, partial(_refused, paper), Outside, partial(outside, paper))


async def _refused(paper: Paper, request: Request, refusal: Refusal) -> Response:
    """The door for who is not signed in, else a page that says why."""
    if refusal.code is Code.UNAUTHENTICATED:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        is_worth = wanted != "/" and request.method == "GET"
        return RedirectResponse(f"/login?next={quote(wanted)}" if is_worth else "/login", 303)
    viewer = await paper.viewer(request)
    if viewer is not None:
        await paper.call(request, viewer)
    if refusal.code is Code.PROOF and viewer is not None:
        back = here(request) if request.method == "GET" else _page_before(request)
        return RedirectResponse(f"/account/proof?next={quote(back)}", 303)
    if refusal.code is Code.PURPOSE and viewer is not None:
        back = here(request) if request.method == "GET" else ""
        return RedirectResponse(f"{look_path(str(refusal.details['person']))}?next={quote(back)}", 303)
    if refusal.code is Code.FORBIDDEN and viewer is not None:
        return paper.problem(request, 403, phrase("This is not for you"), _forbidden(viewer, refusal), viewer)
    return paper.problem(request, STATUS[refusal.code], TITLES[refusal.code], refusal.why, viewer)


def look_path(person: str) -> str:
    """Where somebody says for what and why they look at a person."""
    return f"/persons/{person.removeprefix('person:')}/look"


async def form_of(request: Request) -> dict[str, str]:
    """What a form says, by field, without spaces around it."""
    return {name: value.strip() for name, value in (await request.form()).items() if isinstance(value, str)}


def _page_before(request: Request) -> str:
    """The page of ours that a form was sent from, by its noun; else Now."""
    noun = f"/{request.url.path.split('/')[1]}"
    return noun if noun in {path for path, _, _ in PLACES} | {"/account"} else "/"


def _forbidden(viewer: Viewer, refusal: Refusal) -> str:
    """Why somebody who is signed in may not see or do this."""
    if not viewer.scopes and not viewer.at_sites:
        return phrase("Add a passkey or a code app to your account first: until then it opens nothing else.")
    if "scope" in refusal.details:
        why = phrase("You are signed in as {role}, and this role may not see or do this. An owner can change that.")
        return why.filled(role=STAFF[viewer.role])
    return refusal.why


async def outside(paper: Paper, request: Request) -> Response:
    """Drivers have pages of their own: there they are sent, and told so where they sent a form."""
    if request.method == "GET" and request.url.path == "/":
        return RedirectResponse("/app/", 303)
    why = phrase("You are signed in as a driver, and these pages are for those who work here. Yours are in the app.")
    what = phrase("This is not for drivers")
    return paper.page(request, "outside.html", None, status=403, what=what, why=why)
