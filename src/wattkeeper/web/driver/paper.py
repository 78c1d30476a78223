"""What the app's pages are printed on: templates with the place's zone, figures and money, and who is looking."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.person import Role, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.cards.questions import Asked
from wattkeeper.store.people import step_up
from wattkeeper.web import bundle, pages
from wattkeeper.web.driver.money import amounts as money
from wattkeeper.web.guards.origin import cookie_name
from wattkeeper.web.operator import said
from wattkeeper.web.operator.paper import Look, Word
from wattkeeper.web.pages import ODD, PROBLEMS, here
from wattkeeper.web.problem import STATUS, TITLES
from wattkeeper.web.rooms import Rooms

HOME = "/app/"
SIGN_IN = "/app/sign-in"
ABILITIES = "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()"
"""The app may ask for the camera (to read a station's code) and for the place (to list what is near)."""
HEADERS = {"Cache-Control": "no-store", "Permissions-Policy": ABILITIES}
"""What every page carries: nobody keeps it, for it shows what only its viewer may see."""
PLACES = (
    (HOME, phrase("Charge")),
    ("/app/sessions", phrase("Sessions")),
    ("/app/cards", phrase("Cards")),
    ("/app/me", phrase("Me")),
)


class Staff(Exception):  # noqa: N818 - an answer, not a fault
    """Somebody who works here opened the drivers' app."""


class Paper:
    """Prints the app's pages of one installation."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.times = said.Times(rooms.settings.zone, rooms.settings.time_zone)
        self.printer = pages.printer(
            Path(__file__).parent / "templates",
            ago_patterns=said.ago_patterns,
            asset=bundle.address,
            duration=said.duration,
            kw=said.kw,
            kwh=said.kwh,
            money=money.written,
            shown=shown,
            times=self.times,
            places=PLACES,
        )

    def part(self, template: str, macro: str, *given: object) -> Markup:
        """One macro of a template, printed."""
        return pages.part(self.printer, template, macro, *given)

    async def page(
        self, request: Request, template: str, viewer: Viewer | None, *, status: int = 200, **given: Any
    ) -> HTMLResponse:
        """A whole page, with whatever waits for an answer of its viewer on top."""
        above = await self._above(viewer)
        context = {"place": _place(request.url.path), "viewer": viewer, "now": self.rooms.store.clock(), "word": None}
        context["here"] = here(request)
        text = self.printer.get_template(template).render(context | above | given)
        return HTMLResponse(text, status, HEADERS)

    async def _above(self, viewer: Viewer | None) -> dict[str, Any]:
        """What stands on every page of a driver: questions that wait, and whether there are unread notices."""
        if viewer is None:
            return {"questions": (), "unread": 0}
        return {"questions": await self.questions(viewer), "unread": await self.rooms.notices.unread(viewer)}

    async def questions(self, viewer: Viewer) -> list[Asked]:
        """The questions that wait for this viewer's answer; where there are none, one look into the store says so."""
        async with self.rooms.store.read() as connection:
            found = await step_up.newest(connection, viewer.person, 1, self.rooms.store.clock())
        return await self.rooms.questions.waiting(viewer) if found else []

    async def problem(
        self, request: Request, status: int, what: str, why: str, viewer: Viewer | None = None, **given: Any
    ) -> HTMLResponse:
        """A page that says what went wrong, and the way on from there."""
        back, name = _above_of(request.url.path)
        told = {"what": what, "why": why, "back": back, "back_to": name} | given
        return await self.page(request, "problem.html", viewer, status=status, **told)

    async def viewer(self, request: Request) -> Viewer | None:
        """Who looks, by the browser's cookie; raises Staff where they are no driver."""
        cookie = request.cookies.get(cookie_name(self.rooms.settings), "")
        viewer = await self.rooms.access.viewer_by_cookie(cookie) if cookie else None
        if viewer is not None and viewer.role is not Role.DRIVER:
            raise Staff
        return viewer

    async def need_viewer(self, request: Request) -> Viewer:
        """Which driver looks; Refusal UNAUTHENTICATED sends them to the door."""
        viewer = await self.viewer(request)
        if viewer is None:
            raise Refusal(Code.UNAUTHENTICATED, phrase("Sign in to see this."))
        return viewer


def _place(path: str) -> str:
    """Which of the four places a path belongs to."""
    nouns = {name: f"/app/{name}" for name in ("sessions", "cards", "me")} | {
        "bills": "/app/sessions",
        "consumption": "/app/sessions",
        "privacy": "/app/me",
    }
    return nouns.get(path.removeprefix(HOME).split("/")[0], HOME)


def _above_of(path: str) -> tuple[str, str]:
    """The place a page is listed on."""
    place = _place(path)
    return place, dict(PLACES)[place]


def within(wanted: str) -> str:
    """Where to go after signing in: a path of the app or the consent page, never another site."""
    ours = wanted.startswith((HOME, "/oauth/")) and "\\" not in wanted and "//" not in wanted.partition("?")[0]
    return wanted if ours and wanted.isprintable() else HOME


def routes_of(paper: Paper) -> APIRouter:
    """An empty router for pages of the app."""
    return pages.routes_of(paper.rooms.settings, partial(refused, paper), Staff, partial(staff, paper))


async def refused(paper: Paper, request: Request, refusal: Refusal) -> Response:
    """The door for who is not signed in, the proof for who must show themselves once more, else a page with why."""
    if refusal.code is Code.UNAUTHENTICATED:
        wanted = here(request) if request.method == "GET" else HOME
        return RedirectResponse(SIGN_IN if wanted == HOME else f"{SIGN_IN}?next={quote(wanted)}", 303)
    viewer = await paper.viewer(request)
    if refusal.code is Code.PROOF and viewer is not None:
        back = here(request) if request.method == "GET" else "/".join(request.url.path.split("/")[:4])
        return RedirectResponse(f"/app/me/proof?next={quote(back)}", 303)
    if refusal.code is Code.NOT_FOUND:
        return await missing(paper, request, 404, viewer)
    return await paper.problem(request, STATUS[refusal.code], TITLES[refusal.code], refusal.why, viewer)


async def staff(paper: Paper, request: Request) -> Response:
    """Whoever works here is told where they are."""
    what = phrase("This is the drivers’ app")
    why = phrase("You are signed in as somebody who works here, and this app is for drivers.")
    told = {"what": what, "why": why, "back": "/", "back_to": phrase("The operator’s pages"), "is_staff": True}
    return await paper.page(request, "problem.html", None, status=403, **told)


async def missing(paper: Paper, request: Request, status: int, viewer: Viewer | None) -> Response:
    """The page for what is not there, or not the viewer's: one and the same."""
    what, why = PROBLEMS.get(status, ODD)
    return await paper.problem(request, status, what, why, viewer)


__all__ = ["HEADERS", "HOME", "Look", "Paper", "Word", "here", "routes_of", "within"]
