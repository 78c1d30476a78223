"""The operator's pages, by noun."""

from __future__ import annotations

from functools import lru_cache

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.web.operator import (
    account,
    card,
    cards,
    codes,
    door,
    findings,
    groups,
    joining,
    now,
    outbox,
    people,
    programs,
    session,
    sessions,
    station,
    stations,
)
from wattkeeper.web.operator.paper import Outside, Paper, outside
from wattkeeper.web.rooms import Rooms

NOUNS = (
    *(door, joining, outbox, now, sessions, session, stations, codes, station),
    *(card, cards, groups, findings, people, programs, account),
)


@lru_cache(maxsize=8)
def paper_of(rooms: Rooms) -> Paper:
    """The one set of templates of an installation."""
    return Paper(rooms)


def router(rooms: Rooms) -> APIRouter:
    """Every page; what is refused or not found comes as a page too (see `missing`)."""
    paper, routes = paper_of(rooms), APIRouter()
    for noun in NOUNS:
        routes.include_router(noun.router(paper))
    return routes


async def missing(rooms: Rooms, request: Request, status: int = 404) -> Response:
    """The page for what the framework itself refuses: unknown addresses and methods, bodies that cannot be read."""
    paper = paper_of(rooms)
    title, why = PROBLEMS.get(status, ("That did not work", "Go back and try again."))
    try:
        viewer = await paper.viewer(request)
    except Outside:
        return outside(paper, request)
    if viewer is not None:
        await paper.call(request, viewer)
    return paper.problem(request, status, title, why, viewer)


PROBLEMS = {
    400: ("That could not be read", "The form arrived damaged. Go back and send it again."),
    404: ("Nothing is here", "The address may be mistyped, or what was here is gone."),
    405: ("Nothing is here", "This address only takes a form. Go back to the page it is on."),
    413: ("That was too large", "Send it in smaller parts."),
    422: ("That could not be understood", "Go back, check what was typed, and send it again."),
    500: ("Something went wrong here", "It is recorded. Trying again may help."),
}
