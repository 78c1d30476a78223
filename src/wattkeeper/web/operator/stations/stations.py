"""Stations: which are connected, what their connectors do; those that wait are admitted here, and shown their key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from fastapi import APIRouter, Form
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, counted, phrase
from wattkeeper.charging.station import ConnectorStatus
from wattkeeper.store import journal
from wattkeeper.store.stations import station as store
from wattkeeper.store.stations.station import ConnectorRow, StationRow
from wattkeeper.web.operator import stream
from wattkeeper.web.operator.paper import Look, Paper, Word, routes_of
from wattkeeper.web.operator.people.names import path_of
from wattkeeper.web.operator.region import Region
from wattkeeper.web.operator.stream import View, Watch
from wattkeeper.web.problem import STATUS

PARTS = "stations_parts.html"
MOST = 500
S = ConnectorStatus
STATUSES = {
    S.AVAILABLE: Look(phrase("Free")),
    S.OCCUPIED: Look(phrase("Plugged in"), "half"),
    S.PREPARING: Look(phrase("Preparing"), "half"),
    S.CHARGING: Look(phrase("Charging"), "on breathes", "flow"),
    S.SUSPENDED_EV: Look(phrase("Paused by the car"), "half"),
    S.SUSPENDED_EVSE: Look(phrase("Paused by the station"), "half"),
    S.FINISHING: Look(phrase("Finishing"), "half"),
    S.RESERVED: Look(phrase("Reserved"), "none"),
    S.UNAVAILABLE: Look(phrase("Out of service"), "none"),
    S.FAULTED: Look(phrase("Fault"), "harm", "harm"),
    S.UNKNOWN: Look(phrase("Unknown"), "none"),
}


def of_several(status: ConnectorStatus, count: int) -> Phrase:
    """A connector's status with how many are in it."""
    said = {
        S.AVAILABLE: counted("{count} free", "{count} free", count),
        S.OCCUPIED: counted("{count} plugged in", "{count} plugged in", count),
        S.PREPARING: counted("{count} preparing", "{count} preparing", count),
        S.CHARGING: counted("{count} charging", "{count} charging", count),
        S.SUSPENDED_EV: counted("{count} paused by the car", "{count} paused by the car", count),
        S.SUSPENDED_EVSE: counted("{count} paused by the station", "{count} paused by the station", count),
        S.FINISHING: counted("{count} finishing", "{count} finishing", count),
        S.RESERVED: counted("{count} reserved", "{count} reserved", count),
        S.UNAVAILABLE: counted("{count} out of service", "{count} out of service", count),
        S.FAULTED: counted("{count} fault", "{count} fault", count),
        S.UNKNOWN: counted("{count} unknown", "{count} unknown", count),
    }
    return said[status]


@dataclass(frozen=True, slots=True)
class Listed:
    """A station with what its connectors do, in few words."""

    station: StationRow
    does: list[Look]


def does(connectors: Sequence[ConnectorRow], online: bool) -> list[Look]:
    """How many connectors are in which status, the busiest first; of a station that is away, what it said last."""
    counts: dict[ConnectorStatus, int] = {}
    for one in connectors:
        if one.evse or one.status is S.FAULTED:
            counts[one.status] = counts.get(one.status, 0) + 1
    order = list(STATUSES)
    busy = sorted(counts, key=lambda s: (s is S.AVAILABLE, s is not S.FAULTED, order.index(s)))
    looks = [STATUSES[status] if online else Look("", "none", "quiet") for status in busy]
    return [replace(look, word=of_several(key, counts[key])) for key, look in zip(busy, looks, strict=True)]


async def look(paper: Paper, connection: AsyncConnection, viewer: Viewer, words: str, online: bool | None) -> View:
    """The list at one position of the journal."""
    now, n = paper.rooms.store.clock(), await journal.newest(connection)
    rows = await store.find(connection, viewer, MOST, words=words or None, online=online)
    connectors = await store.connectors_of(connection, viewer, [row.id for row in rows])
    listed = [Listed(row, does([c for c in connectors if c.station == row.id], row.online)) for row in rows]
    return View(
        n, [_answer(paper, rows, bool(words) or online is not None), _region(paper, viewer, listed, words, now)]
    )


def _answer(paper: Paper, rows: Sequence[StationRow], is_part: bool) -> Region:
    """How many there are, and how many of them are there."""
    count, online = len(rows), sum(row.online for row in rows)
    every = counted("1 station", "{count} stations", count) if rows else phrase("No station yet")
    text = counted("1 station found", "{count} stations found", count) if is_part else every
    lead = phrase("{online} connected, {away} not.", online=online, away=count - online) if rows else ""
    return Region("answer", {"answer-all": paper.part(PARTS, "answer", text, lead)}, "div")


def _region(paper: Paper, viewer: Viewer, listed: list[Listed], words: str, now: datetime) -> Region:
    """The rows, or why there are none."""
    if not listed:
        return Region(
            "stations", {"stations-none": paper.part(PARTS, "empty", words, viewer.may(Scope.STATIONS_WRITE))}
        )
    rows = {f"st-{one.station.id.encode().hex()}": one for one in listed}
    return Region("stations", {key: paper.part(PARTS, "row", key, one, now) for key, one in rows.items()})


def wanted(request: Request) -> tuple[str, bool | None]:
    """What the address bar asks for."""
    query = request.query_params
    return query.get("q", "").strip()[:100], {"yes": True, "no": False}.get(query.get("online", ""))


@dataclass(frozen=True, slots=True)
class Typed:
    """The form for a new station as typed."""

    station: str = ""
    label: str = ""
    site: str = ""
    kw: str = ""

    def max_power_w(self) -> Decimal | None:
        """The most power, W; Refusal INVALID."""
        try:
            return Decimal(self.kw.replace(",", ".")) * 1000 if self.kw.strip() else None
        except InvalidOperation:
            raise Refusal(Code.INVALID, phrase("The most power is a number of kW, such as 22.")) from None


class Stations:
    """``/stations``, its stream, and the deeds by which stations come and go."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def _view(self, request: Request, viewer: Viewer) -> View:
        async with self._rooms.store.read() as connection:
            return await look(self._paper, connection, viewer, *wanted(request))

    async def show(self, request: Request) -> Response:
        """The list."""
        return await self._page(request, await self._paper.need_viewer(request))

    async def _page(self, request: Request, viewer: Viewer, status: int = 200, **given: Any) -> Response:
        view = await self._view(request, viewer)
        words, online = wanted(request)
        context = {"regions": view.by_name, "words": words, "online": online, "typed": Typed(), **given}
        live = f"/live/stations?after={view.position}&{request.url.query}"
        return self._paper.page(request, "stations.html", viewer, status=status, stream=live, **context)

    async def live(self, request: Request, after: str = "") -> Response:
        """The list's changes."""

        async def again(viewer: Viewer) -> View:
            return await self._view(request, viewer)

        return await stream.answer(Watch(self._paper, request, again), after)

    async def admit(
        self,
        request: Request,
        station: Annotated[str, Form()] = "",
        label: Annotated[str, Form()] = "",
        site: Annotated[str, Form()] = "",
        kw: Annotated[str, Form()] = "",
    ) -> Response:
        """Let a station in and show its key, this once; where that cannot be, the form as it was typed."""
        viewer, typed = await self._paper.need_viewer(request), Typed(station.strip(), label.strip(), site.strip(), kw)
        viewer.need(Scope.STATIONS_WRITE)
        try:
            power = typed.max_power_w()
            names = {"label": typed.label, "site": typed.site}
            key = await self._rooms.admission.provision(typed.station, viewer.name, **names, max_power_w=power)
        except Refusal as refusal:
            word = Word(phrase("This station was not added."), refusal.why, "harm")
            return await self._page(request, viewer, STATUS[refusal.code], word=word, typed=typed)
        return self.key(request, viewer, typed.station, key)

    def key(self, request: Request, viewer: Viewer, station: str, key: str) -> Response:
        """The page that shows a key, once."""
        settings = self._rooms.settings
        scheme = "wss" if settings.tls_certificate else "ws"
        place = f"{scheme}://{request.url.hostname}:{settings.ocpp_port}/ocpp" if settings.ocpp_port else None
        given: dict[str, Any] = {"station": station, "key": key, "address": place, "path": path_of(station)}
        return self._paper.page(request, "key.html", viewer, **given)

    async def rekey(self, request: Request, station: Annotated[str, Form()] = "") -> Response:
        """Give a station another key and show it, this once."""
        viewer = await self._paper.need_viewer(request)
        viewer.need(Scope.STATIONS_WRITE)
        return self.key(request, viewer, station, await self._rooms.admission.rekey(station, viewer.name))

    async def dismiss(self, request: Request, station: Annotated[str, Form()] = "") -> Response:
        """Turn away a station that knocks."""
        viewer = await self._paper.need_viewer(request)
        viewer.need(Scope.STATIONS_WRITE)
        await self._rooms.admission.dismiss(station, viewer.name)
        return RedirectResponse("/", 303)

    async def remove(
        self, request: Request, station: Annotated[str, Form()] = "", again: Annotated[str, Form()] = ""
    ) -> Response:
        """Forget a station, once its name was typed again; what it told stays."""
        viewer = await self._paper.need_viewer(request)
        viewer.need(Scope.STATIONS_WRITE)
        if again.strip() != station:
            raise Refusal(
                Code.INVALID,
                phrase("To remove the station, type its id exactly: {station}. Nothing was changed.", station=station),
            )
        await self._rooms.admission.remove(station, viewer.name)
        return RedirectResponse("/stations", 303)


def router(paper: Paper) -> APIRouter:
    """``/stations``, its stream, and the deeds by which stations come and go."""
    pages, routes = Stations(paper), routes_of(paper)
    routes.add_api_route("/stations", pages.show, methods=["GET"])
    routes.add_api_route("/live/stations", pages.live, methods=["GET"])
    routes.add_api_route("/stations/admit", pages.admit, methods=["POST"])
    routes.add_api_route("/stations/dismiss", pages.dismiss, methods=["POST"])
    routes.add_api_route("/stations/rekey", pages.rekey, methods=["POST"])
    routes.add_api_route("/stations/remove", pages.remove, methods=["POST"])
    return routes
