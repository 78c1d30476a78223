"""Bills: found by number, session, station, site and day; the address bar is the filter."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.identifiers import parse, shown
from wattkeeper.charging.money.numbered import DocumentKind, number_of
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, counted, phrase
from wattkeeper.store import journal
from wattkeeper.store.money import bill_list as store
from wattkeeper.store.money.bill import BillRow
from wattkeeper.store.money.bill_list import Listed, SortedBy
from wattkeeper.web.operator import stream
from wattkeeper.web.operator.listing import Column, address_of, headings, page_of, sorting_of
from wattkeeper.web.operator.money.desks import page
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.operator.people.names import Place, Places, places
from wattkeeper.web.operator.region import Region
from wattkeeper.web.operator.said import money
from wattkeeper.web.operator.stream import View

DESK, PARTS = "/money/bills", "bills_parts.html"
PER_PAGE = 50
SORTED_WITHIN = timedelta(days=31)
"""Among how many days it is sorted by amounts and the like where no days are said."""
NUMBER = re.compile(r"(?:([0-9]{4})-)?([0-9]{1,7})")
KINDS = {
    DocumentKind.BILL: phrase("Bill"),
    DocumentKind.CORRECTION: phrase("Correction"),
    DocumentKind.CREDIT_NOTE: phrase("Credit note"),
}
KIND_NAMES = {kind.value: kind for kind in DocumentKind}
COLUMNS = (
    (phrase("Number"), None, ""),
    (phrase("Issued"), SortedBy.ISSUED, ""),
    (phrase("Kind"), None, ""),
    (phrase("Session"), None, "fold-1"),
    (phrase("Station"), SortedBy.STATION, ""),
    (phrase("Tariff"), None, "fold-1 fold-2"),
    ("kWh", SortedBy.ENERGY, "number"),
    (phrase("With tax"), SortedBy.AMOUNT, "number"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address bar asks for, as typed."""

    q: str = ""
    kind: str = ""
    site: str = ""
    since: str = ""
    until: str = ""
    station: str = ""
    tariff: str = ""
    sort: str = ""
    page: int = 1

    def address(self, **changes: object) -> str:
        """The address of this list, changed."""
        return address_of(DESK, self, changes)


def asked_of(request: Request) -> Asked:
    """What this address asks for; what makes no sense is not asked for."""
    given = {name: request.query_params.get(name, "").strip()[:200] for name in Asked.__slots__}
    return Asked(**given | {"page": page_of(given["page"])})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, how that reads, and why nothing can be found where that is clear before looking."""

    wanted: Listed
    reads: list[str]
    nothing: str = ""
    is_exact: bool = False
    """Whether a number or a session was said: one document that is found is what was meant."""


@dataclass(frozen=True, slots=True)
class Row:
    """A document and where it is of."""

    bill: BillRow
    place: Place
    kind: Phrase

    @property
    def gross(self) -> str:
        """What it adds, with tax."""
        return money(self.bill.gross_minor, self.bill.currency, self.bill.digits)


# --- searching ------------------------------------------------------------------------------------------------


def search(paper: Paper, asked: Asked, known: Places, now: datetime) -> Search:
    """Filters and words together."""
    by, upwards = _sorting(asked)
    since, until, reads = _days(paper, asked)
    wanted = Listed(
        kind=KIND_NAMES.get(asked.kind),
        station=asked.station or None,
        site=asked.site or None,
        tariff=asked.tariff or None,
        since=since,
        until=until,
        by=by,
        upwards=upwards,
    )
    if asked.station:
        reads.append(phrase("Station {station}", station=known[asked.station].name))
    if asked.tariff:
        reads.append(phrase("Tariff {tariff}", tariff=asked.tariff))
    said = _said(asked.q, wanted, known, reads)
    is_broad = said.wanted.session is None and not said.is_exact and since is None
    if by is not SortedBy.ISSUED and is_broad:
        told = phrase("Sorted among the last {days} days; say other days to sort those.", days=SORTED_WITHIN.days)
        return replace(said, wanted=replace(said.wanted, since=now - SORTED_WITHIN), reads=[*said.reads, told])
    return said


def _sorting(asked: Asked) -> tuple[SortedBy, bool]:
    return sorting_of(asked.sort, SortedBy, (SortedBy.ISSUED, False))


def _said(q: str, wanted: Listed, known: Places, reads: list[str]) -> Search:
    """The words that were typed: a number, a session's id, else what a station or its site is called."""
    if not q:
        return Search(wanted, reads)
    if found := NUMBER.fullmatch(q):
        year, place = found[1], int(found[2])
        exact = replace(wanted, number=number_of(year, place)) if year else replace(wanted, place=place)
        unknown = phrase("There is no bill {number}. Is its number right?", number=q)
        return Search(exact, reads, unknown, is_exact=True)
    if session := parse(q):
        unbilled = phrase("Nothing was billed for session {session}.", session=shown(session))
        read = phrase("Session {session}", session=shown(session))
        return Search(replace(wanted, session=session), [*reads, read], unbilled, is_exact=True)
    found_there = known.called(q.split())
    count = counted("Station {words}: {count} found", "Station {words}: {count} found", len(found_there), words=q)
    none = "" if found_there else phrase("No bill has this number, no session this id, and no station is called so.")
    return Search(replace(wanted, stations=found_there), [*reads, count], none)


def _days(paper: Paper, asked: Asked) -> tuple[datetime | None, datetime | None, list[str]]:
    """From the beginning of one day to the end of another, and how that reads where it is odd."""
    first, last = _day(asked.since), _day(asked.until)
    since = None if first is None else datetime.combine(first, time(), paper.times.zone)
    until = None if last is None else datetime.combine(last + timedelta(days=1), time(), paper.times.zone)
    odd = since is not None and until is not None and until <= since
    return since, until, [phrase("The last day lies before the first.")] if odd else []


def _day(text: str) -> date | None:
    """A day of a date field that anybody can mean."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 < day.year < 9990 else None


# --- the list -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: the documents of a page, whether there are more, and the sites there are."""

    rows: list[Row]
    more: bool
    sites: list[str]


async def look(paper: Paper, connection: AsyncConnection, viewer: Viewer, asked: Asked) -> tuple[View, Search, Found]:
    """The list, what was searched, and what was found."""
    now, n = paper.rooms.store.clock(), await journal.newest(connection)
    known = await places(connection, viewer)
    sought = search(paper, asked, known, now)
    skip = (asked.page - 1) * PER_PAGE
    rows = await store.listed(connection, viewer, sought.wanted, PER_PAGE + 1, skip)
    kept = [Row(row, known[row.station], KINDS[row.kind]) for row in rows[:PER_PAGE]]
    keys = {f"b-{row.bill.number}": row for row in kept}
    printed = {key: paper.part(PARTS, "row", key, row, now) for key, row in keys.items()}
    region = Region("bills", printed or {"bills-none": paper.part(PARTS, "empty", *_nothing(asked, sought))})
    return View(n, [region]), sought, Found(kept, len(rows) > PER_PAGE, known.sites)


def _nothing(asked: Asked, sought: Search) -> tuple[str, str]:
    """Why nothing is listed."""
    if asked == Asked():
        how = phrase("A session bills itself once it has ended, where its evidence is good and a price was set.")
        return phrase("No bill yet."), how
    why = sought.nothing or phrase("No bill fits all of this; leave something out.")
    return phrase("Nothing found."), why


def columns(asked: Asked) -> list[Column]:
    """The headings, with the way to sort by each."""
    return headings(COLUMNS, _sorting(asked), asked.address)


class Bills:
    """``/money/bills`` and its stream."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    async def show(self, request: Request) -> Response:
        """The list; a number that was said leads straight to its bill."""
        viewer, asked = await self._paper.need_viewer(request, Scope.BILLS_READ), asked_of(request)
        async with self._paper.rooms.store.read() as connection:
            view, sought, found = await look(self._paper, connection, viewer, asked)
        if sought.is_exact and len(found.rows) == 1:
            return RedirectResponse(f"{DESK}/{found.rows[0].bill.number}", 303)
        address = asked.address().partition("?")[2]
        context: dict[str, Any] = {
            "asked": asked,
            "columns": columns(asked),
            "kinds": KINDS,
            "more": asked.address(page=asked.page + 1) if found.more else None,
            "regions": view.by_name,
            "sites": found.sites,
            "stream": f"/live/money/bills?after={view.position}&{address}" if asked.page == 1 else None,
            "understood": sought.reads,
        }
        return page(self._paper, request, DESK, "bills.html", viewer, **context)

    async def live(self, request: Request, after: str = "") -> Response:
        """The list's changes."""
        return await stream.listed(self._paper, request, look, replace(asked_of(request), page=1), after)


def router(paper: Paper) -> APIRouter:
    """``/money/bills`` and its stream."""
    pages, routes = Bills(paper), routes_of(paper)
    routes.add_api_route(DESK, pages.show, methods=["GET"])
    routes.add_api_route("/live/money/bills", pages.live, methods=["GET"])
    return routes
