"""One station: its connectors, what it told of itself, its sessions, its newest words, and what it can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.orders import ChangeAvailability, Order, Reset, ResetKind, Trigger, Unlock
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Said, joined, phrase
from wattkeeper.store import journal
from wattkeeper.store.journal import Entry
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.sessions.session import SessionRow, Sought
from wattkeeper.store.stations import station as store
from wattkeeper.store.stations.order import OrderRow
from wattkeeper.store.stations.station import ConnectorRow, StationRow
from wattkeeper.web.by import named
from wattkeeper.web.operator import stream
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.operator.people.names import Row, path_of, place_of
from wattkeeper.web.operator.region import Region
from wattkeeper.web.operator.sessions import steps
from wattkeeper.web.operator.stations import orders, plates
from wattkeeper.web.operator.stations.stations import STATUSES
from wattkeeper.web.operator.stream import View, Watch
from wattkeeper.web.words import Step, StepKind, tell

PARTS = "station_parts.html"
MOST_SESSIONS, MOST_ENTRIES, MOST_ORDERS = 10, 120, 6
MESSAGES = ("StatusNotification", "MeterValues", "Heartbeat", "BootNotification", "FirmwareStatusNotification")
"""What a station can be asked to tell now (1.6 5.17, 2.0.1 MessageTriggerEnumType)."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """Everything the page shows, as of position ``n``."""

    n: int
    now: datetime
    viewer: Viewer
    station: StationRow
    connectors: list[ConnectorRow]
    sessions: list[SessionRow]
    orders: list[OrderRow]
    entries: list[Entry]


async def portrait(paper: Paper, connection: AsyncConnection, viewer: Viewer, name: str) -> Portrait:
    """A station as it stands; Refusal NOT_FOUND."""
    n = await journal.newest(connection)
    row = await store.seen(connection, viewer, name)
    if row is None:
        why: Said = phrase("No station is called “{words}”.", words=name[:60])
        if viewer.may(Scope.STATIONS_WRITE):
            why = joined((why, phrase("A new one is added under Stations, or admitted when it knocks.")))
        raise Refusal(Code.NOT_FOUND, why)
    said = await paper.rooms.names.said(viewer, [row.created_by])
    return Portrait(
        n,
        paper.rooms.store.clock(),
        viewer,
        replace(row, created_by=said[row.created_by]),
        await store.connectors(connection, viewer, name),
        await sessions.find(connection, viewer, Sought(station=name), MOST_SESSIONS),
        await orders.newest(paper, connection, viewer, MOST_ORDERS, name),
        await named(paper.rooms.names, viewer, await journal.of_station(connection, viewer, name, MOST_ENTRIES)),
    )


def regions(paper: Paper, seen: Portrait) -> list[Region]:
    """The parts of the page that can change."""
    now, row = seen.now, seen.station
    place = place_of(row)
    charged = {f"s-{one.id}": Row(one, place) for one in seen.sessions}
    listed = {key: paper.part("sessions_parts.html", "row", key, one, now, seen.viewer) for key, one in charged.items()}
    return [
        Region("about", {"about-all": paper.part(PARTS, "about", row, now)}, "div"),
        Region("facts", {"facts-all": paper.part(PARTS, "facts", row, now)}, "div"),
        _connectors(paper, seen),
        Region("sessions", listed or {"sessions-none": paper.part(PARTS, "no_sessions")}),
        orders.region(paper, seen.orders, now),
        _entries(paper, seen),
    ]


def _connectors(paper: Paper, seen: Portrait) -> Region:
    """A row for each connector."""
    if not seen.connectors:
        return Region("connectors", {"connectors-none": paper.part(PARTS, "no_connectors")})
    rows = {f"c-{one.evse}-{one.connector}": one for one in seen.connectors}
    asks = seen.viewer.may(Scope.ORDERS_WRITE)
    looks = {key: (one, STATUSES[one.status], seen.now, asks) for key, one in rows.items()}
    printed = {key: paper.part(PARTS, "connector_row", key, *about) for key, about in looks.items()}
    return Region("connectors", printed)


def _entries(paper: Paper, seen: Portrait) -> Region:
    """What it told lately, the newest first."""
    rows: dict[str, Markup] = {}
    keys = steps.Keys("e")
    for told in _told(seen.entries):
        key, mark = keys.of(told.step), steps.marked(told.step)
        own = "" if told.more else steps.words(told.step)
        rows[key] = paper.part(PARTS, "entry", key, told, mark, own, seen.now)
    return Region("entries", rows or {"entries-none": paper.part(PARTS, "no_entries")}, "ol")


@dataclass(frozen=True, slots=True)
class Told:
    """A step and the session it belongs to; ``more`` steps like it came just before."""

    step: Step
    session: str | None
    more: int = 0


def _told(entries: Sequence[Entry]) -> list[Told]:
    """The entries' steps, the newest first; readings that nothing else comes between count as one for each session."""
    told: list[Told] = []
    reading: dict[str | None, int] = {}
    for entry in entries:
        for step in reversed(tell(entry)):
            if step.kind is not StepKind.READINGS:
                reading = {}
            elif entry.session in reading:
                place = reading[entry.session]
                told[place] = replace(told[place], more=told[place].more + 1)
                continue
            else:
                reading[entry.session] = len(told)
            told.append(Told(step, entry.session))
    return told


def order_of(kind: str, message: str, evse: int, connector: int) -> Order:
    """The order that a form asks for; Refusal INVALID. ``evse`` 0 is the station as a whole."""
    place = evse or None
    if kind == "trigger" and message in MESSAGES:
        return Trigger(message=message, evse=place)
    if kind in ("reset-soft", "reset-hard"):
        return Reset(kind=ResetKind.HARD if kind == "reset-hard" else ResetKind.SOFT)
    if kind == "unlock" and evse > 0:
        return Unlock(evse=evse, connector=connector)
    if kind in ("enable", "disable"):
        return ChangeAvailability(operative=kind == "enable", evse=place, connector=connector if place else None)
    raise Refusal(Code.INVALID, phrase("There is no such order. Nothing was asked of the station."))


class Station:
    """``/stations/{id}``, its stream, and what it can be asked."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def _view(self, viewer: Viewer, name: str) -> tuple[Portrait, View]:
        async with self._rooms.store.read() as connection:
            seen = await portrait(self._paper, connection, viewer, name)
        return seen, View(seen.n, regions(self._paper, seen))

    async def show(self, request: Request, station: str) -> Response:
        """The page."""
        return await self.page(request, await self._paper.need_viewer(request), station)

    async def page(self, request: Request, viewer: Viewer, station: str, status: int = 200, **given: Any) -> Response:
        """The page, and what is to be said on it beside."""
        seen, view = await self._view(viewer, station)
        live = f"/live{path_of(station)}?after={view.position}"
        known = await plates.seen(self._rooms, viewer, seen.station.id)
        context = {"regions": view.by_name, "station": seen.station, "messages": MESSAGES, "now": seen.now}
        context |= {"meters": known, "grouped": plates.grouped, "typed": plates.Typed(), **given}
        return self._paper.page(request, "station.html", viewer, status=status, stream=live, **context)

    async def live(self, request: Request, station: str, after: str = "") -> Response:
        """The page's changes."""

        async def again(viewer: Viewer) -> View:
            return (await self._view(viewer, station))[1]

        return await stream.answer(Watch(self._paper, request, again, station), after)

    async def ask(
        self,
        request: Request,
        station: Annotated[str, Form()] = "",
        kind: Annotated[str, Form()] = "",
        message: Annotated[str, Form()] = "",
        evse: Annotated[int, Form(ge=0, le=1000)] = 0,
        connector: Annotated[int, Form(ge=0, le=1000)] = 1,
    ) -> Response:
        """Ask the station; what becomes of that shows on its page."""
        viewer = await self._paper.need_viewer(request)
        viewer.need(Scope.ORDERS_WRITE)
        await self._rooms.dispatch.order(station, order_of(kind, message, evse, connector), viewer.name)
        return RedirectResponse(f"{path_of(station)}#orders", 303)


def router(paper: Paper) -> APIRouter:
    """``/stations/{id}``, its stream, and what it can be asked; an id may hold slashes."""
    pages, routes = Station(paper), routes_of(paper)
    routes.add_api_route("/stations/order", pages.ask, methods=["POST"])
    routes.add_api_route("/stations/{station:path}", pages.show, methods=["GET"])
    routes.add_api_route("/live/stations/{station:path}", pages.live, methods=["GET"])
    return routes
