"""Security events: what was tried, how often, since when, and what to do; the filters are the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Said, counted, joined, phrase
from wattkeeper.operations.people.security import OF_STATIONS, Case
from wattkeeper.operations.security.cases import TOLD, Told
from wattkeeper.operations.security.events import QUIET
from wattkeeper.store.security import event
from wattkeeper.store.security.event import CaseSum, EventRow
from wattkeeper.web.operator.listing import address_of
from wattkeeper.web.operator.paper import Look, Paper, routes_of
from wattkeeper.web.operator.people.names import Places, path_of, places
from wattkeeper.web.operator.security.desks import EVENTS, page

MOST = 200
DAYS = {"1": phrase("the last day"), "7": phrase("the last week"), "30": phrase("the last month"), "90": phrase("all")}
"""How far back, in days."""
CASES = {case.value: case for case in Case}
UNKNOWN = Told(phrase("Something that this version does not know"), "")
SEVERAL = phrase("several places")
LOOKS = {True: Look(phrase("Look at this"), "harm", "harm"), False: Look(phrase("Refused"), "done")}


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters."""

    days: str = ""
    case: str = ""
    subject: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An event as the page tells it."""

    row: EventRow
    told: Told
    who: str
    path: str
    """Where to look; empty: nowhere."""
    origin: str
    goes_on: bool


def told_of(case: str) -> Told:
    """A case in words, of any version."""
    return TOLD[CASES[case]] if case in CASES else UNKNOWN


def _who(row: EventRow, known: Places, names: dict[str, str]) -> tuple[str, str]:
    """At whom it was tried, and where to look."""
    if not row.subject:
        return phrase("nobody in particular"), ""
    if row.case in CASES and CASES[row.case] in OF_STATIONS:
        return known[row.subject].name, path_of(row.subject)
    return names.get(row.subject, row.subject), ""


def answer(sums: list[CaseSum], days: str) -> tuple[Said, Said]:
    """The page's answer: how many kinds of attacks, and which may have been more than a try."""
    kinds, count = len(sums), sum(one.events for one in sums)
    if not kinds:
        return phrase("Nothing was tried"), phrase("Looked at: {span}.", span=DAYS[days])
    harm = [told_of(one.case).what for one in sums if told_of(one.case).harms]
    times = counted("It was tried once", "It was tried {count} times", count)
    lead = joined(
        (
            times,
            counted("in one way; looked at: {span}.", "in {count} ways; looked at: {span}.", kinds, span=DAYS[days]),
        )
    )
    if harm:
        return counted("1 thing needs a look", "{count} things need a look", len(harm)), lead
    return phrase("All that was tried was refused"), lead


class Events:
    """``/security``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(
        self, request: Request, days: str = "", case: str = "", subject: str = "", origin: str = ""
    ) -> Response:
        """The newest events, and how often each case came up."""
        viewer = await self._paper.need_viewer(request, Scope.SECURITY_READ)
        asked = Asked(days if days in DAYS else "7", case if case in CASES else "", subject[:100], origin[:32])
        now = self._rooms.store.clock()
        sought = event.Sought(now - timedelta(days=int(asked.days)), asked.case, asked.subject, asked.origin)
        async with self._rooms.store.read() as connection:
            rows = await event.find(connection, viewer, sought, MOST)
            sums = await event.sums(connection, viewer, sought)
            known = await places(connection, viewer)
        lines = await self._lines(viewer, rows, known)
        context: dict[str, Any] = {
            "asked": asked,
            "address": partial(_address, asked),
            "answer": answer(sums, asked.days),
            "sums": sorted(((one, told_of(one.case)) for one in sums), key=lambda pair: not pair[1].harms),
            "lines": lines,
            "all_days": DAYS,
            "cases": {value: TOLD[one].what for value, one in CASES.items()},
            "most": MOST,
            "looks": LOOKS,
        }
        return page(self._paper, request, EVENTS, "security_events.html", viewer, **context)

    async def _lines(self, viewer: Viewer, rows: list[EventRow], known: Places) -> list[Line]:
        """Events in words, with the names that the viewer may know."""
        accounts = {row.subject for row in rows if row.case in CASES and CASES[row.case] not in OF_STATIONS}
        names = await self._rooms.names.said(viewer, accounts - {""})
        now = self._rooms.store.clock()
        lines = []
        for row in rows:
            told, (who, path) = told_of(row.case), _who(row, known, names)
            origin = SEVERAL if row.origin == event.SEVERAL else row.origin
            lines.append(Line(row, told, who, path, origin, now - row.last_at <= QUIET))
        return lines


def _address(asked: Asked, **changes: object) -> str:
    """The same list with other filters."""
    return address_of(EVENTS, asked, changes)


def router(paper: Paper) -> APIRouter:
    """``/security``."""
    pages, routes = Events(paper), routes_of(paper)
    routes.add_api_route(EVENTS, pages.show, methods=["GET"])
    return routes
