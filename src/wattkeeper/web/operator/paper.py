"""What pages are printed on: templates with the place's zone, figures and words, and how a request becomes a page."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.session import SessionState
from wattkeeper.web import bundle
from wattkeeper.web.operator import said
from wattkeeper.web.origin import cookie_name, need_same_origin
from wattkeeper.web.problem import STATUS, TITLES
from wattkeeper.web.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Look:
    """A word and a mark: nothing is told by colour alone."""

    word: str
    mark: str = ""
    colour: str = ""


STATES = {
    SessionState.OPEN: Look("Plugged in"),
    SessionState.CHARGING: Look("Charging", "on breathes", "flow"),
    SessionState.SUSPENDED: Look("Paused", "half"),
    SessionState.ESTIMATED: Look("Ended, estimated", "look"),
    SessionState.ENDED: Look("Ended", "done"),
}
GRADES = {
    Grade.VERIFIED: Look("Verified"),
    Grade.MEASURED: Look("Measured"),
    Grade.RECONSTRUCTED: Look("Reconstructed", "look", "look"),
    Grade.DISPUTED: Look("Disputed", "harm", "harm"),
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word to the person: what happened, why and what to do. ``weight`` is empty, look or harm."""

    what: str
    why: str = ""
    weight: str = ""


class Paper:
    """Prints the operator's pages of one installation."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.times = said.Times(said.zone_of(rooms.settings.time_zone), rooms.settings.time_zone)
        here = Path(__file__).parent / "templates"
        loader, strict = FileSystemLoader(here), StrictUndefined
        self._printer = Environment(
            loader=loader,
            autoescape=True,
            auto_reload=False,
            undefined=strict,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._printer.globals.update(
            asset=bundle.address,
            duration=said.duration,
            figure_of_duration=said.figure_of_duration,
            grades=GRADES,
            kw=said.kw,
            kwh=said.kwh,
            shown=shown,
            times=self.times,
        )

    def part(self, template: str, macro: str, *given: object) -> Markup:
        """One macro of a template, printed."""
        return Markup(str(getattr(self._printer.get_template(template).module, macro)(*given)).strip())

    def page(
        self, request: Request, template: str, viewer: Viewer | None, *, status: int = 200, **given: Any
    ) -> HTMLResponse:
        """A whole page; never kept by a cache, for it shows what only its viewer may see."""
        place = "/" + request.url.path.split("/")[1]
        context = {"place": place, "viewer": viewer, "now": self.rooms.store.clock(), "stream": None, "word": None}
        text = self._printer.get_template(template).render(context | given)
        return HTMLResponse(text, status, {"Cache-Control": "no-store"})

    def problem(self, request: Request, status: int, what: str, why: str, viewer: Viewer | None = None) -> HTMLResponse:
        """A page that says what went wrong and where to go from there."""
        back, name = ("/", "Now") if viewer is None or request.url.path.count("/") < 2 else _above(request.url.path)
        told = {"what": what, "why": why, "back": back, "back_to": name}
        return self.page(request, "problem.html", viewer, status=status, **told)

    async def viewer(self, request: Request) -> Viewer | None:
        """Who looks, by the browser's cookie."""
        cookie = request.cookies.get(cookie_name(self.rooms.settings), "")
        return await self.rooms.access.viewer_by_cookie(cookie) if cookie else None

    async def need_viewer(self, request: Request) -> Viewer:
        """Who looks; Refusal UNAUTHENTICATED sends them to the door."""
        viewer = await self.viewer(request)
        if viewer is None:
            raise Refusal(Code.UNAUTHENTICATED, "Sign in to see this.")
        return viewer


def _above(path: str) -> tuple[str, str]:
    """The list that a path's page is listed on."""
    noun = path.split("/")[1]
    return f"/{noun}", f"All {noun}"


def routes_of(paper: Paper) -> APIRouter:
    """An empty router whose forms must come from our own pages and whose refusals become pages."""

    class PageRoute(APIRoute):
        """A page."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """The page's deed with its refusals put into words."""
            answer = super().get_route_handler()

            async def to_page(request: Request) -> Response:
                try:
                    need_same_origin(request, paper.rooms.settings)
                    return await answer(request)
                except Refusal as refusal:
                    return await _refused(paper, request, refusal)

            return to_page

    return APIRouter(route_class=PageRoute, include_in_schema=False, default_response_class=HTMLResponse)


async def _refused(paper: Paper, request: Request, refusal: Refusal) -> Response:
    """The door for who is not signed in, else a page that says why."""
    if refusal.code is Code.UNAUTHENTICATED:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        is_worth = wanted != "/" and request.method == "GET"
        return RedirectResponse(f"/login?next={quote(wanted)}" if is_worth else "/login", 303)
    viewer = await paper.viewer(request)
    return paper.problem(request, STATUS[refusal.code], TITLES[refusal.code], refusal.why, viewer)
