"""While energy flows: the ring, its figures and the stop; before that, what the station says to being asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.identifiers import parse
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Figure, joined, phrase
from wattkeeper.charging.session import SessionState
from wattkeeper.operations.money.tariffs.prices import Receipt
from wattkeeper.operations.starts import OPEN, StartState, StartView
from wattkeeper.store.sessions import session as sessions
from wattkeeper.web.driver import stream
from wattkeeper.web.driver.money import tags
from wattkeeper.web.driver.paper import Paper, routes_of
from wattkeeper.web.operator import said

SCALE_W = (4_000, 11_000, 22_000, 50_000, 150_000, 400_000)
"""A full ring, W, where the most a plug gives is not known: the first that what flows fits into."""
SILENT = timedelta(minutes=5)
"""After how long without a word the figures are said to be old."""
STOPS_WITHIN = timedelta(seconds=30)
"""How long a station may take to stop before the button is there again."""
TITLES = {
    SessionState.OPEN: phrase("Plugged in, not charging yet"),
    SessionState.CHARGING: phrase("Charging"),
    SessionState.SUSPENDED: phrase("Paused"),
    SessionState.ESTIMATED: phrase("Finished"),
    SessionState.ENDED: phrase("Finished"),
}


@dataclass(frozen=True, slots=True)
class Strip:
    """Something that charges, in a line that leads to it."""

    id: str
    state: str
    where: str
    flows: bool
    energy_wh: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """How it stands, as the page shows it."""

    id: str
    title: str
    where: str
    why: str = ""
    weight: str = ""
    flows: bool = False
    waits: bool = False
    share: int = 0
    """How much of the ring is filled, percent."""
    ring_words: str = ""
    energy_wh: Decimal | None = None
    power_words: str = ""
    cost: str = "–"
    since: datetime | None = None
    runs: bool = False
    clock: str = ""
    can_stop: bool = False
    stopping: bool = False
    again: str = ""
    receipt: str = ""
    session: str | None = None
    heard: Markup | str = ""
    heard_weight: str = ""
    next: str = ""
    """Where the page goes on, if it has become another."""

    @property
    def aloud(self) -> str:
        """What is read out when it changes: never every figure."""
        return joined((phrase("{title}.", title=self.title), self.why))


def where_of(name: str, evse: int | None) -> str:
    """The place and the plug."""
    return joined((name, phrase("Plug {evse}", evse=evse)), " · ") if evse else name


def strip_of(receipt: Receipt) -> Strip:
    """A session in a line."""
    flows = receipt.state is SessionState.CHARGING
    where = where_of(receipt.name, receipt.evse)
    return Strip(receipt.session, TITLES[receipt.state], where, flows, receipt.energy_wh)


def strip_of_start(start: StartView) -> Strip:
    """A start in a line."""
    return Strip(start.id, phrase("Starting"), where_of(start.name, start.evse), False, None)


def clock(span_s: int) -> str:
    """Hours, minutes and seconds: ``0:34:20``."""
    return f"{span_s // 3600}:{span_s // 60 % 60:02}:{span_s % 60:02}"


def of_start(start: StartView, again: str) -> At:
    """A start that has not become a session."""
    waits = start.state in OPEN
    titles = {
        StartState.ASKED: phrase("Asking the station …"),
        StartState.TAKEN: phrase("Starting …"),
        StartState.CHARGING: phrase("Charging begins …"),
        StartState.REFUSED: phrase("It was not started"),
        StartState.LATE: phrase("It was not started"),
        StartState.STOPPED: phrase("Called off"),
    }
    return At(
        id=start.id,
        title=titles[start.state],
        where=where_of(start.name, start.evse),
        why=start.words if not start.why else start.why,
        weight="" if waits or start.state is StartState.STOPPED else "look",
        waits=waits or start.state is StartState.CHARGING,
        ring_words=phrase("Waiting for the station") if waits else phrase("Nothing flows"),
        can_stop=waits,
        again="" if waits else again,
        next=f"/app/charging/{start.session}" if start.session else "",
    )


def of_session(receipt: Receipt, most_w: Decimal, heard_at: datetime, asked_at: datetime | None, now: datetime) -> At:
    """A session, live or over."""
    flows = receipt.live and receipt.state is SessionState.CHARGING
    power = receipt.power_w if flows else None
    stopping = receipt.live and asked_at is not None and now - asked_at < STOPS_WITHIN
    base = At(
        id=receipt.session,
        title=TITLES[receipt.state],
        where=where_of(receipt.name, receipt.evse),
        flows=flows and bool(power),
        share=_share(power, most_w),
        ring_words=phrase(
            "{power} kW flow, {energy} kWh so far", power=said.kw(power), energy=said.kwh(receipt.energy_wh)
        ),
        energy_wh=receipt.energy_wh,
        power_words=Figure((power or Decimal(0)) / 1000, 1, "kW"),
        cost=tags.owed(receipt),
        since=receipt.started_at,
        runs=receipt.live,
        clock=clock(receipt.duration_s),
        can_stop=receipt.live and not stopping,
        stopping=stopping,
        session=receipt.session,
    )
    return _live(base, receipt, heard_at, asked_at, now) if receipt.live else _over(base, receipt)


def _live(base: At, receipt: Receipt, heard_at: datetime, asked_at: datetime | None, now: datetime) -> At:
    """What is to be said beside the figures."""
    silent = now - heard_at > SILENT
    ago = said.ago(heard_at, now)
    heard = phrase("The station was last heard of {ago}. These figures are as old.", ago=ago) if silent else ""
    paused = phrase("The car draws nothing now. It may be full, or waiting.")
    why = paused if receipt.state is SessionState.SUSPENDED else ""
    if asked_at is not None and not base.stopping:
        why = phrase("The station has not stopped yet. Try again, or end it at the car or the station.")
    weight = "look" if asked_at is not None and not base.stopping else ""
    return replace(base, heard=heard, heard_weight="look" if silent else "", why=why, weight=weight)


def _over(base: At, receipt: Receipt) -> At:
    """What remains once it has ended."""
    words = phrase("Finished: {energy} kWh", energy=said.kwh(receipt.energy_wh))
    receipt_at = f"/app/sessions/{receipt.session}"
    return replace(base, ring_words=words, power_words=phrase("delivered"), receipt=receipt_at)


def _share(power_w: Decimal | None, most_w: Decimal) -> int:
    """How much of the ring what flows fills, percent."""
    if not power_w or power_w <= 0:
        return 0
    scale = most_w if most_w < SCALE_W[-1] else next((one for one in SCALE_W if power_w <= one), SCALE_W[-1])
    return max(2, min(100, int(100 * power_w / scale)))


def asked_in(request: Request, now: datetime) -> datetime | None:
    """When the station was asked to stop, as the address says; nothing that cannot be."""
    text = request.query_params.get("asked", "")
    if not (text.isascii() and text.isdigit() and len(text) == 10):
        return None
    at = datetime.fromtimestamp(int(text), now.tzinfo)
    return at if timedelta(0) <= now - at + timedelta(seconds=2) < timedelta(hours=1) else None


class Charging:
    """``/app/charging/{id}``: of a start, or of a session."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def _at(self, request: Request, viewer: Viewer, identifier: str) -> At:
        """How it stands; Refusal NOT_FOUND."""
        session = parse(identifier)
        if session is not None:
            return await self._session(request, viewer, session)
        start = await self._rooms.starts.view(viewer, identifier)
        return of_start(start, await self._again(viewer, start))

    async def _session(self, request: Request, viewer: Viewer, session: str) -> At:
        now = self._rooms.store.clock()
        receipt = await self._rooms.prices.receipt(viewer, session)
        async with self._rooms.store.read() as connection:
            row = await sessions.one(connection, viewer, session)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such session."))
        return of_session(receipt, row.whole.max_power_w, row.heard_at, asked_in(request, now), now)

    async def _again(self, viewer: Viewer, start: StartView) -> str:
        """Where the same can be tried again."""
        try:
            _, outlet = await self._rooms.places.outlet(viewer, None, start.station, start.evse)
        except Refusal:
            return "/app/"
        return f"/app/at/{outlet.code}" if outlet.code else "/app/"

    def _part(self, at: At) -> Markup:
        return self._paper.part("charging_parts.html", "now", at)

    async def show(self, request: Request, id: str) -> Response:
        """How it stands."""
        viewer = await self._paper.need_viewer(request)
        at = await self._at(request, viewer, id)
        if at.next:
            return RedirectResponse(at.next, 303)
        query = f"?{request.url.query}" if asked_in(request, self._rooms.store.clock()) else ""
        given: dict[str, Any] = {"at": at, "id": at.id, "query": query, "part": self._part(at)}
        return await self._paper.page(request, "charging.html", viewer, **given)

    async def now(self, request: Request, id: str) -> Response:
        """The part that changes."""
        return await stream.now(self._paper, request, self._looking(request, id))

    async def live(self, request: Request, id: str) -> Response:
        """The part that changes, whenever it does."""
        return await stream.answer(self._paper, request, self._looking(request, id))

    def _looking(self, request: Request, identifier: str) -> stream.Looking:
        async def look(viewer: Viewer) -> Markup:
            return self._part(await self._at(request, viewer, identifier))

        return look

    async def stop(self, request: Request, id: str) -> Response:
        """Ask the station to stop, or call the start off; what cannot be done is said on the same page."""
        viewer = await self._paper.need_viewer(request)
        session = parse(id)
        try:
            if session is None:
                await self._rooms.starts.stop(viewer, id)
            else:
                await self._rooms.starts.stop_session(viewer, session)
        except Refusal as refusal:
            if refusal.code not in (Code.OFFLINE, Code.CONFLICT):
                raise
            at = replace(await self._at(request, viewer, id), why=refusal.why, weight="look")
            given: dict[str, Any] = {"at": at, "id": at.id, "query": "", "part": self._part(at)}
            return await self._paper.page(request, "charging.html", viewer, status=409, **given)
        asked = int(self._rooms.store.clock().timestamp())
        return RedirectResponse(f"/app/charging/{session or id}?asked={asked}", 303)


def router(paper: Paper) -> APIRouter:
    """``/app/charging/{id}``, its stream, and the stop."""
    pages, routes = Charging(paper), routes_of(paper)
    routes.add_api_route("/app/charging/{id}", pages.show, methods=["GET"])
    routes.add_api_route("/app/charging/{id}/stop", pages.stop, methods=["POST"])
    routes.add_api_route("/app/charging/{id}/stop", pages.show, methods=["GET"])
    routes.add_api_route("/app/live/{id}/now", pages.now, methods=["GET"])
    routes.add_api_route("/app/live/{id}", pages.live, methods=["GET"])
    return routes
