"""Now: what needs a person, each with the one action that settles it; beside it what is plugged in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

from fastapi import APIRouter
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.evidence import Grade, findings, say
from wattkeeper.charging.facts import Alarmed
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.charging.phrase import Said, counted, joined, phrase
from wattkeeper.language import retold
from wattkeeper.store import journal
from wattkeeper.store.journal import Entry
from wattkeeper.store.money import worklist
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.sessions.session import Flow, SessionRow, Sought
from wattkeeper.store.stations import station as stations
from wattkeeper.store.stations.station import Knock, StationRow
from wattkeeper.web.operator import stream
from wattkeeper.web.operator.alerts import needs as alerts_raised
from wattkeeper.web.operator.cards import findings as suspicious
from wattkeeper.web.operator.money import needs as about_money
from wattkeeper.web.operator.money.needs import Waits
from wattkeeper.web.operator.need import Act, Need
from wattkeeper.web.operator.paper import Paper, home_of, routes_of
from wattkeeper.web.operator.people import looks
from wattkeeper.web.operator.people.names import MOST_STATIONS, Places, Row, path_of, placed
from wattkeeper.web.operator.privacy import requests as privacy_requests
from wattkeeper.web.operator.region import Region
from wattkeeper.web.operator.said import kw
from wattkeeper.web.operator.security import needs as security
from wattkeeper.web.operator.stream import View, Watch

PARTS = "now_parts.html"
MOST_ROWS = 100
MOST_NEEDS = 50
DISPUTED_FOR = timedelta(days=7)
ALARMED_FOR = timedelta(hours=24)
SILENT = timedelta(minutes=15)
"""How long a connected station may say nothing before a person should look; never less than three heartbeats."""


@dataclass(frozen=True, slots=True)
class Glance:
    """Everything the page shows, as of position ``n``."""

    n: int
    now: datetime
    needs: list[Need]
    plugged: list[Row]
    flow: Flow
    waits: Waits | None
    """Of bills; None for who may not see any."""
    decides: bool
    """Whether it is the viewer who says what is billed."""


class Alarms:
    """The alarms of the last day, read once and then only what is new."""

    def __init__(self) -> None:
        self._n = 0
        self._known: list[Entry] = []

    async def recent(self, connection: AsyncConnection, viewer: Viewer, n: int, now: datetime) -> list[Entry]:
        """The alarms since a day ago, up to entry ``n``; what was read for one viewer is never shown to another."""
        since = now - ALARMED_FOR
        if viewer.reach(Scope.STATIONS_READ) is not Reach.ANYWHERE:
            return await journal.alarms_after(connection, viewer, 0, since)
        if n > self._n:
            known = {one.n for one in self._known}
            fresh = await journal.alarms_after(connection, viewer, self._n, since)
            self._known += [one for one in fresh if one.n not in known]
            self._n = max(self._n, n)
        self._known = [one for one in self._known if one.received_at >= since]
        return self._known


# --- what needs a person ------------------------------------------------------------------------------


def waiting(knocks: Sequence[Knock]) -> list[Need]:
    """Stations that knock and nobody has admitted."""
    needs = []
    for knock in knocks:
        what = {"station": knock.station}
        admit = Act(phrase("Admit"), "/stations/admit", what, post=True, busy=phrase("Admitting …"))
        dismiss = Act(phrase("Turn away"), "/stations/dismiss", what, post=True)
        why = phrase(
            "A station of this name knocked {tries} from {address}. Admit it only if you know it.",
            tries=counted("once", "{count} times", knock.tries),
            address=knock.address,
        )
        title = phrase("{station} waits to be let in", station=knock.station)
        needs.append(Need(f"knock-{knock.station}", title, why, knock.last_at, (admit, dismiss)))
    return needs


def silent(known: Sequence[StationRow], live: Sequence[SessionRow], now: datetime, heartbeat_s: int) -> list[Need]:
    """Stations that are away, or say nothing, while cars are plugged in."""
    open_at = {row.station for row in live}
    patience = max(SILENT, timedelta(seconds=3 * heartbeat_s))
    needs = []
    for one in known:
        is_quiet = one.online and one.last_heard_at is not None and now - one.last_heard_at > patience
        if one.id not in open_at or (one.online and not is_quiet):
            continue
        name, since = one.label or one.id, one.last_heard_at if is_quiet else one.online_since
        mute = phrase("{station} is connected but silent")
        what = mute if is_quiet else phrase("{station} is not connected")
        why = phrase(
            "A car is plugged in there. If the station does not come back, the session is closed by an estimate."
        )
        act = Act(phrase("Look at the station"), path_of(one.id))
        needs.append(Need(f"silent-{one.id}", what.filled(station=name), why, since, (act,)))
    return needs


def away(known: Sequence[StationRow], live: Sequence[SessionRow], now: datetime) -> list[Need]:
    """Stations that have been away for a while, told as one: nobody charges there."""
    open_at = {row.station for row in live}
    gone = [one for one in known if one.version and not one.online and one.id not in open_at]
    gone = [one for one in gone if one.online_since and now - one.online_since > SILENT]
    if not gone:
        return []
    names = ", ".join(one.label or one.id for one in gone[:5])
    all_named = phrase("{stations}. Nobody is plugged in there.")
    why = all_named if len(gone) <= 5 else phrase("{stations} and others. Nobody is plugged in there.")
    what = counted("1 station is not connected", "{count} stations are not connected", len(gone))
    act = Act(counted("Look at it", "Look at them", len(gone)), "/stations?online=no")
    return [Need("away", what, why.filled(stations=names), None, (act,))]


def disputed(rows: Sequence[SessionRow], known: Places) -> list[Need]:
    """Sessions whose figures contradict each other."""
    needs = []
    for row in rows:
        found = findings(row.whole)
        what = phrase("{session} at {station} is disputed", session=shown(row.id), station=known[row.station].name)
        act = Act(phrase("Look at the session"), f"/sessions/{row.id}")
        needs.append(Need(f"disputed-{row.id}", what, say(found[0]) if found else "", row.heard_at, (act,), "harm"))
    return needs


def alarmed(alarms: Sequence[Entry], known: Places) -> list[Need]:
    """The newest alarm of each kind at each station."""
    newest: dict[tuple[str, str], Need] = {}
    for entry in alarms:
        fact = entry.fact
        assert isinstance(fact, Alarmed)
        if fact.code in suspicious.TOLD_THERE:
            continue
        key = f"alarm-{entry.station}-{fact.code}"
        act = Act(phrase("Look at the station"), path_of(entry.station))
        what = phrase("Alarm at {station}", station=known[entry.station].name)
        newest.pop((entry.station, fact.code), None)
        newest[entry.station, fact.code] = Need(key, what, retold(fact.summary), entry.received_at, (act,), "harm")
    return list(newest.values())[::-1]


# --- the page -------------------------------------------------------------------------------------------


async def glance(paper: Paper, alarms: Alarms, connection: AsyncConnection, viewer: Viewer) -> Glance:
    """Look at everything at one position of the journal."""
    now = paper.rooms.store.clock()
    n = await journal.newest(connection)
    rows = await stations.find(connection, viewer, MOST_STATIONS)
    live = await sessions.find(connection, viewer, Sought(live=True), MOST_ROWS)
    sought = Sought(grade=Grade.DISPUTED, since=now - DISPUTED_FOR)
    contradict = await sessions.find(connection, viewer, sought, MOST_NEEDS)
    known = Places(rows)
    waits = await about_money.waits(paper, connection, viewer, known)
    if waits is not None:  # a person is asked once: what is doubtful of these is held, or somebody has decided
        asked = await worklist.looked_at(connection, viewer, [one.id for one in contradict])
        contradict = [one for one in contradict if one.id not in asked]
    needs = [
        *waiting(await stations.knocks(connection, viewer) if viewer.may(Scope.STATIONS_WRITE) else []),
        *await alerts_raised.needs(connection, viewer, known, MOST_NEEDS),
        *await suspicious.needs(connection, viewer, known, MOST_NEEDS),
        *alarmed(await alarms.recent(connection, viewer, n, now), known),
        *silent(rows, live, now, paper.rooms.settings.heartbeat_s),
        *away(rows, live, now),
        *disputed(contradict, known),
        *await looks.needs(paper.rooms, viewer, MOST_NEEDS),
        *await privacy_requests.needs(paper.rooms, viewer),
        *await security.needs(paper.rooms, viewer, now),
        *await about_money.no_account(paper, connection, viewer),
    ]
    flow, decides = await sessions.flow(connection, viewer), viewer.may(Scope.BILLS_WRITE)
    return Glance(n, now, needs[:MOST_NEEDS], placed(live, known), flow, waits, decides)


def regions(paper: Paper, seen: Glance) -> list[Region]:
    """The parts of the page, all of which can change."""
    needs = {f"need-{crc32(need.key.encode()):x}": need for need in seen.needs}
    rows = {f"c-{row.session.id}": row for row in seen.plugged}
    told = {key: paper.part(PARTS, "need", key, need, seen.now) for key, need in needs.items()}
    plugged = {key: paper.part(PARTS, "charging", key, row, seen.now) for key, row in rows.items()}
    return [
        Region("answer", {"answer-all": paper.part(PARTS, "answer", *_answer(seen))}, "div"),
        Region("needs", told or {"needs-none": paper.part(PARTS, "nothing_needed")}, "ol"),
        Region("charging", plugged or {"charging-none": paper.part(PARTS, "nothing_plugged")}),
        *_held(paper, seen),
    ]


def _held(paper: Paper, seen: Glance) -> list[Region]:
    """How much waits of bills, and the oldest of it; nothing for who may not see any."""
    if seen.waits is None:
        return []
    rows: dict[str, Markup] = {}
    if seen.waits.count:
        text = about_money.in_sum(seen.waits.held, seen.waits.proposed)
        rows["held-sum"] = paper.part("waiting_parts.html", "held_sum", text)
    for need in seen.waits.oldest:
        rows[need.key] = paper.part(PARTS, "need", need.key, need, seen.now)
    return [Region("held", rows or {"held-none": paper.part("waiting_parts.html", "nothing_held")}, "ol")]


def _answer(seen: Glance) -> tuple[Said, Said]:
    """The page's answer: what flows, and whether anybody is needed."""
    flow, count = seen.flow, len(seen.needs) + (seen.waits.count if seen.waits and seen.decides else 0)
    cars = counted(
        "1 car is charging, {power} kW", "{count} cars are charging, {power} kW", flow.charging, power=kw(flow.power_w)
    )
    more = flow.live - flow.charging
    plugged = counted("{count} more plugged in.", "{count} more plugged in.", more)
    needs = counted("1 thing needs a person.", "{count} things need a person.", count)
    lead = joined((plugged if more else "", needs if count else phrase("Nothing needs a person.")))
    return cars if flow.charging else phrase("No car is charging"), lead


class Now:
    """``/`` and its stream."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._alarms = Alarms()

    async def _view(self, viewer: Viewer) -> View:
        async with self._paper.rooms.store.read() as connection:
            seen = await glance(self._paper, self._alarms, connection, viewer)
        return View(seen.n, regions(self._paper, seen))

    async def show(self, request: Request) -> Response:
        """The page."""
        viewer = await self._paper.need_viewer(request)
        if home_of(viewer) != "/":
            return RedirectResponse(home_of(viewer), 303)
        view = await self._view(viewer)
        live = f"/live/now?after={view.position}"
        return self._paper.page(request, "now.html", viewer, regions=view.by_name, stream=live)

    async def live(self, request: Request, after: str = "") -> Response:
        """The page's changes."""
        return await stream.answer(Watch(self._paper, request, self._view), after)


def router(paper: Paper) -> APIRouter:
    """``/`` and its stream."""
    pages, routes = Now(paper), routes_of(paper)
    routes.add_api_route("/", pages.show, methods=["GET"])
    routes.add_api_route("/live/now", pages.live, methods=["GET"])
    return routes
