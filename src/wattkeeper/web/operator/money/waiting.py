"""The work-list: what waits for a person, and what takes a second one; the address bar sorts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Money, Said, counted, joined, phrase
from wattkeeper.store import journal
from wattkeeper.store.money import worklist
from wattkeeper.store.money.hold import HoldRow
from wattkeeper.store.money.worklist import Held, SortedBy
from wattkeeper.web.operator import stream
from wattkeeper.web.operator.listing import Column, address_of, headings, page_of, sorting_of
from wattkeeper.web.operator.money.desks import page
from wattkeeper.web.operator.money.needs import of_proposal, why_of
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.operator.people.names import Place, places
from wattkeeper.web.operator.region import Region
from wattkeeper.web.operator.said import money
from wattkeeper.web.operator.stream import View, Watch

DESK, PARTS = "/money/waiting", "waiting_parts.html"
PER_PAGE = 100
MOST_PROPOSED = 100
COLUMNS = (
    (phrase("Session"), None, ""),
    (phrase("Waits since"), SortedBy.SINCE, ""),
    (phrase("Station"), SortedBy.STATION, ""),
    (phrase("Why"), None, ""),
    ("kWh", SortedBy.ENERGY, "number"),
    (phrase("As told"), SortedBy.AMOUNT, "number"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address bar asks for."""

    site: str = ""
    sort: str = ""
    page: int = 1

    def address(self, **changes: object) -> str:
        """The address of this list, changed."""
        return address_of(DESK, self, changes)

    @property
    def sorting(self) -> tuple[SortedBy, bool]:
        """Which column, and whether upwards: what waits longest comes first unless asked otherwise."""
        return sorting_of(self.sort, SortedBy, (SortedBy.SINCE, True))


def asked_of(request: Request) -> Asked:
    """What this address asks for; what makes no sense is not asked for."""
    query = request.query_params
    return Asked(query.get("site", "").strip()[:200], query.get("sort", "")[:20], page_of(query.get("page", "")))


@dataclass(frozen=True, slots=True)
class Row:
    """A held bill as a line of the list."""

    hold: HoldRow
    place: Place
    why: Said

    @property
    def gross(self) -> Money:
        """What it comes to as its station told it."""
        return money(self.hold.gross_minor, self.hold.currency, self.hold.digits)


@dataclass(frozen=True, slots=True)
class Seen:
    """The list, whether there is more, and the sites there are."""

    view: View
    more: bool
    sites: list[str]


async def look(paper: Paper, connection: AsyncConnection, viewer: Viewer, asked: Asked) -> Seen:
    """Everything the page shows."""
    now, n = paper.rooms.store.clock(), await journal.newest(connection)
    known = await places(connection, viewer)
    by, upwards = asked.sorting
    skip, site = (asked.page - 1) * PER_PAGE, asked.site or None
    found = await worklist.waiting(connection, viewer, PER_PAGE + 1, skip, by=by, upwards=upwards, site=site)
    proposals = await worklist.proposed(connection, viewer, MOST_PROPOSED)
    who = await paper.rooms.names.said(viewer, [row.created_by for row in proposals])
    rows = {f"w-{row.id}": Row(row, known[row.station], why_of(row)) for row in found[:PER_PAGE]}
    told = {f"p-{row.id}": of_proposal(row, who[row.created_by], viewer) for row in proposals}
    printed = {key: paper.part(PARTS, "row", key, row, now) for key, row in rows.items()}
    wanted = {key: paper.part("now_parts.html", "need", key, need, now) for key, need in told.items()}
    answer = answered(await worklist.held(connection, viewer), await worklist.proposed_count(connection, viewer))
    regions = [
        Region("answer", {"answer-all": paper.part("now_parts.html", "answer", *answer)}, "div"),
        Region("proposed", wanted or {"proposed-none": paper.part(PARTS, "nothing_proposed")}, "ol"),
        Region("waiting", printed or {"waiting-none": paper.part(PARTS, "nothing_waits", bool(asked.site))}),
    ]
    return Seen(View(n, regions), len(found) > PER_PAGE, await worklist.sites(connection, viewer))


def answered(held: list[Held], proposed: int) -> tuple[Said, Said]:
    """The page's answer: how much waits, and for how much money."""
    count = sum(one.count for one in held)
    second = counted("1 waits for a second person.", "{count} wait for a second person.", proposed)
    if not count:
        return phrase("No bill waits"), second if proposed else phrase(
            "What is doubtful appears here before it is billed."
        )
    amounts = joined([money(one.gross_minor, one.currency, one.digits) for one in held], ", ")
    told = joined((phrase("As told, they come to {amounts}.", amounts=amounts), second if proposed else ""))
    return counted("1 bill waits", "{count} bills wait", count), told


def columns(asked: Asked) -> list[Column]:
    """The headings, with the way to sort by each."""
    return headings(COLUMNS, asked.sorting, asked.address)


class Waiting:
    """``/money/waiting`` and its stream."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    async def _seen(self, viewer: Viewer, asked: Asked) -> Seen:
        async with self._paper.rooms.store.read() as connection:
            return await look(self._paper, connection, viewer, asked)

    async def show(self, request: Request) -> Response:
        """The list."""
        viewer, asked = await self._paper.need_viewer(request, Scope.BILLS_READ), asked_of(request)
        seen = await self._seen(viewer, asked)
        live = f"/live/money/waiting?after={seen.view.position}&{asked.address().partition('?')[2]}"
        more = asked.address(page=asked.page + 1) if seen.more else None
        given: dict[str, Any] = {
            "asked": asked,
            "columns": columns(asked),
            "more": more,
            "sites": seen.sites,
            "stream": live,
        }
        return page(self._paper, request, DESK, "waiting.html", viewer, regions=seen.view.by_name, **given)

    async def live(self, request: Request, after: str = "") -> Response:
        """The list's changes."""
        asked = asked_of(request)

        async def again(viewer: Viewer) -> View:
            return (await self._seen(viewer, asked)).view

        return await stream.answer(Watch(self._paper, request, again), after)


def router(paper: Paper) -> APIRouter:
    """``/money/waiting`` and its stream."""
    pages, routes = Waiting(paper), routes_of(paper)
    routes.add_api_route(DESK, pages.show, methods=["GET"])
    routes.add_api_route("/live/money/waiting", pages.live, methods=["GET"])
    return routes
