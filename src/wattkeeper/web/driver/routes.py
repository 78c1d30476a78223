"""The app's pages, by noun."""

from __future__ import annotations

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from wattkeeper.web.driver import (
    cards,
    charge,
    charging,
    door,
    factors,
    me,
    notice,
    paper,
    privacy,
    rights,
    sessions,
    shell,
)
from wattkeeper.web.driver.consumption import behind, year
from wattkeeper.web.driver.consumption import pages as consumption
from wattkeeper.web.driver.money import bills, monthly, pay
from wattkeeper.web.driver.paper import HOME, Paper, Staff
from wattkeeper.web.rooms import Rooms

NOUNS = (
    *(shell, door, charge, charging, sessions, consumption, behind, year, bills, cards),
    *(me, privacy, rights, notice, monthly, pay, factors),
)


@lru_cache(maxsize=8)
def paper_of(rooms: Rooms) -> Paper:
    """The one set of templates of an installation."""
    return Paper(rooms)


def pages(rooms: Rooms) -> list[BaseRoute]:
    """Every page of the app."""
    printed = paper_of(rooms)
    return [Route("/app", _home), *(route for noun in NOUNS for route in noun.router(printed).routes)]


async def _home(request: Request) -> Response:
    return RedirectResponse(HOME, 308)


def is_ours(path: str) -> bool:
    """Whether a path belongs to the app."""
    return path.startswith(HOME)


async def missing(rooms: Rooms, request: Request, status: int = 404) -> Response:
    """The page for what the framework itself refuses: unknown addresses and methods, bodies that cannot be read."""
    printed = paper_of(rooms)
    try:
        viewer = await printed.viewer(request)
    except Staff:
        return await paper.staff(printed, request)
    return await paper.missing(printed, request, status, viewer)
