"""The operator's pages, by noun."""

from __future__ import annotations

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from wattkeeper.web.operator import door, language, now, outbox
from wattkeeper.web.operator.alerts import alerts, rule, rules
from wattkeeper.web.operator.cards import card, cards, findings, groups
from wattkeeper.web.operator.insight import forecast, overview, releases, terms, uptime
from wattkeeper.web.operator.insight.pictures import carbon, daytime, load, stays, week
from wattkeeper.web.operator.money import bill, bills, grid, held, lost, revenue, waiting
from wattkeeper.web.operator.money.payments import accounts, hosts, invoices, payer, payments, reconciliation
from wattkeeper.web.operator.paper import Outside, Paper, outside
from wattkeeper.web.operator.people import account, joining, people, persons, programs
from wattkeeper.web.operator.privacy import breaches, requests
from wattkeeper.web.operator.security import audit, events
from wattkeeper.web.operator.sessions import session, sessions
from wattkeeper.web.operator.stations import codes, meters, station, stations
from wattkeeper.web.operator.tariffs import assignments, editor, importing, tariff, tariffs, which
from wattkeeper.web.pages import ODD, PROBLEMS
from wattkeeper.web.rooms import Rooms

NOUNS = (
    *(requests, breaches),
    *(door, language, joining, outbox, now, sessions, session, stations, codes, meters, station),
    *(card, cards, groups, findings, persons, people, programs, account),
    *(revenue, lost, bills, bill, waiting, held, payments, reconciliation, accounts, payer, invoices, hosts, grid),
    *(tariffs, tariff, editor, assignments, which, importing),
    *(overview, week, daytime, load, stays, uptime, forecast, carbon, terms, releases),
    *(events, audit),
    *(alerts, rules, rule),
)


@lru_cache(maxsize=8)
def paper_of(rooms: Rooms) -> Paper:
    """The one set of templates of an installation."""
    return Paper(rooms)


def pages(rooms: Rooms) -> list[BaseRoute]:
    """Every page; what is refused or not found comes as a page too (see `missing`)."""
    paper = paper_of(rooms)
    return [route for noun in NOUNS for route in noun.router(paper).routes]


async def missing(rooms: Rooms, request: Request, status: int = 404) -> Response:
    """The page for what the framework itself refuses: unknown addresses and methods, bodies that cannot be read."""
    paper = paper_of(rooms)
    title, why = PROBLEMS.get(status, ODD)
    try:
        viewer = await paper.viewer(request)
    except Outside:
        return await outside(paper, request)
    if viewer is not None:
        await paper.call(request, viewer)
    return paper.problem(request, status, title, why, viewer)
