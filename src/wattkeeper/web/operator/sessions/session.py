"""One session: its figures, its curve, its line of time, its evidence, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Form
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.evidence import WEIGHTS, Grade, Weight, findings, say
from wattkeeper.charging.identifiers import parse
from wattkeeper.charging.orders import StopCharging
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Money, Phrase, Said, counted, phrase
from wattkeeper.language import spoken
from wattkeeper.store import journal
from wattkeeper.store.money import hold as holds
from wattkeeper.store.money import worklist
from wattkeeper.store.sessions import reading
from wattkeeper.store.sessions import session as store
from wattkeeper.store.sessions.session import SessionRow
from wattkeeper.store.stations import station as stations
from wattkeeper.store.stations.order import OrderRow
from wattkeeper.web import timeline
from wattkeeper.web.api.money.papers import sent
from wattkeeper.web.operator import stream
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.operator.people.names import Place, lasted, look_of, place_of
from wattkeeper.web.operator.region import Region
from wattkeeper.web.operator.said import WHOLE_DAY, dated, kw, kwh
from wattkeeper.web.operator.sessions import steps
from wattkeeper.web.operator.sessions.curve import Curve, Point, curve, peak
from wattkeeper.web.operator.stations import orders
from wattkeeper.web.operator.stream import View, Watch
from wattkeeper.web.timeline import Line

PARTS = "session_parts.html"
MOST_READINGS = 50_000
MORE = phrase("There is more than can be shown here; the API has it all.")
WEIGHED = {
    Weight.NOTE: ("", phrase("A note.")),
    Weight.RECONSTRUCTED: ("look", phrase("Inferred.")),
    Weight.DISPUTED: ("harm", phrase("Disputed.")),
}
GRADED = {
    Grade.VERIFIED: phrase("Signed at the meter, and the signature holds."),
    Grade.MEASURED: phrase("Told completely and without contradiction by the station."),
    Grade.RECONSTRUCTED: phrase("Part of it had to be inferred; it waits for a person before it is billed."),
    Grade.DISPUTED: phrase("Something about it contradicts; it waits for a person before it is billed."),
}
GRADED_HISTORY = {
    Grade.RECONSTRUCTED: phrase("Another system's records say it, and nothing here bears it out."),
    Grade.DISPUTED: phrase("Another system's records say it, and something about them contradicts."),
}


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the page tells, as of position ``n``."""

    n: int
    now: datetime
    viewer: Viewer
    session: SessionRow
    place: Place
    curve: Curve
    line: Line
    orders: list[OrderRow]
    cost: Money | None = None
    """What it costs so far or in the end, for whoever may see bills; None: no price was set."""


async def told(paper: Paper, connection: AsyncConnection, viewer: Viewer, identifier: str) -> Story:
    """A session's story; Refusal NOT_FOUND."""
    n = await journal.newest(connection)
    row = await store.one(connection, viewer, identifier)
    if row is None:
        raise Refusal(
            Code.NOT_FOUND, phrase("There is no session with this id. Ask for it again; one character may be off.")
        )
    station = await stations.seen(connection, viewer, row.station)
    kept = await reading.of_session(connection, viewer, row.station, row.id, MOST_READINGS)
    line = await timeline.line(connection, viewer, row, names=paper.rooms.names)
    asked = await orders.newest(paper, connection, viewer, 20, row.station)
    place = place_of(station) if station else Place(row.station, row.station, "", None)
    made = curve(row.whole, [one.reading for one in kept])
    mine = [one for one in asked if _concerns(row, one)][:5]
    return Story(n, paper.rooms.store.clock(), viewer, row, place, made, line, mine)


def _concerns(session: SessionRow, asked: OrderRow) -> bool:
    """Whether an order was for this session."""
    if asked.kind != "StopCharging" or session.ref is None or asked.created_at < session.started_at:
        return False
    words = orjson.loads(asked.words) if asked.words else {}
    return not words or session.ref in {str(value) for value in words.values()}


def regions(paper: Paper, story: Story) -> list[Region]:
    """The parts of the page that can change."""
    row, now, viewer = story.session, story.now, story.viewer
    look = look_of(row, story.place)
    return [
        Region("about", {"about-all": paper.part(PARTS, "about", row, story.place, look, viewer)}, "div"),
        Region(
            "figures",
            {"figures-all": paper.part(PARTS, "figures", row, look, lasted(row, now), now, story.cost)},
            "div",
        ),
        Region("answer", {"answer-all": paper.part(PARTS, "answer", *_answer(paper, story))}, "div"),
        _readings(paper, story),
        _steps(paper, story),
        Region("grade", {"grade-all": paper.part(PARTS, "graded", row.grade, _graded(row))}, "div"),
        _findings(paper, row),
        Region("acts", {"acts-all": paper.part(PARTS, "acts", row, viewer)}, "div"),
        orders.region(paper, story.orders, now),
    ]


def _graded(row: SessionRow) -> Phrase:
    """Why its evidence is as good as it is."""
    return (GRADED | GRADED_HISTORY if row.whole.imported else GRADED)[row.grade]


def _answer(paper: Paper, story: Story) -> tuple[Said, Said | str, bool]:
    """The curve's title, which is its answer, where it comes from, and whether there is one."""
    made, times = story.curve, paper.times
    top = peak(made)
    if top is None:
        title = phrase("No power told yet") if story.session.live else phrase("No power was told")
    elif made.is_mean and not story.session.live:
        mean = phrase(
            "{energy} kWh, {power} kW on average", energy=kwh(made.points[-1].energy_wh), power=kw(top.power_w)
        )
        return phrase("Only begin and end are known"), mean, False
    else:
        title = phrase("Peak: {power} kW, {when}", power=kw(top.power_w), when=times.when(top.at, story.now))
    return title, _source(made) if made.count else "", True


def _source(made: Curve) -> Phrase:
    """Where a curve comes from: of how many readings, how many of them shown."""
    some = len(made.points) < made.count
    if made.is_derived:
        thinned = phrase("mean between registers, {count} readings, {shown} shown")
        told = counted("mean between registers, 1 reading", "mean between registers, {count} readings", made.count)
    else:
        thinned = phrase("from the station’s meter, {count} readings, {shown} shown")
        told = counted("from the station’s meter, 1 reading", "from the station’s meter, {count} readings", made.count)
    return thinned.filled(count=made.count, shown=len(made.points)) if some else told


def _readings(paper: Paper, story: Story) -> Region:
    """The table that the curve is drawn from."""
    points = {f"r-{int(p.at.timestamp() * 1000)}": p for p in story.curve.points}
    rows = {key: _reading(paper, spoken(), key, point) for key, point in points.items()}
    return Region("readings", rows or {"readings-none": paper.part(PARTS, "no_readings")})


@lru_cache(maxsize=20_000)
def _reading(paper: Paper, language: str, key: str, point: Point) -> Markup:
    """A row of that table in the language spoken; most of them are the same whenever the page is looked at again."""
    return paper.part(PARTS, "reading", key, point)


def _steps(paper: Paper, story: Story) -> Region:
    """The line of time, a heading for each day."""
    rows: dict[str, Markup] = {}
    keys, day = steps.Keys("t"), None
    for step in steps.without_repeats(story.line.steps):
        there = paper.times.local(step.happened_at)
        if there.date() != day:
            day, key = there.date(), f"t-{there:%Y%m%d}-{step.n}"
            rows[key] = paper.part(PARTS, "day", key, dated(there, WHOLE_DAY))
        key = keys.of(step)
        rows[key] = paper.part(PARTS, "step", key, step, steps.marked(step), steps.late(step), steps.words(step))
    if not story.line.is_whole:
        rows["t-more"] = paper.part(PARTS, "day", "t-more", MORE)
    return Region("steps", rows, "ol")


def _findings(paper: Paper, row: SessionRow) -> Region:
    """What was found, numbered as on the curve."""
    rows = {}
    for number, finding in enumerate(findings(row.whole), 1):
        mark, consequence = WEIGHED[WEIGHTS[finding.code]]
        key = f"f-{number}"
        rows[key] = paper.part(PARTS, "finding", key, number, finding.at, mark, say(finding), consequence)
    return Region("findings", rows or {"findings-none": paper.part(PARTS, "no_findings", row.live)}, "ol")


class Session:
    """``/sessions/{id}``, its stream, and what can be done about it."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def _story(self, viewer: Viewer, identifier: str) -> Story:
        async with self._rooms.store.read() as connection:
            story = await told(self._paper, connection, viewer, identifier)
        return replace(story, cost=await self._cost(viewer, identifier))

    async def _cost(self, viewer: Viewer, identifier: str) -> Money | None:
        """What a session costs by its documents, else as it comes to: by the function that bills it."""
        if not any(Scope.BILLS_READ in scopes for scopes in (viewer.scopes, viewer.at_sites)):
            return None
        receipt = await self._rooms.prices.receipt(viewer, identifier)
        if receipt.gross_minor is None or receipt.bill is None:
            return None
        return Money(
            Decimal(receipt.gross_minor).scaleb(-receipt.bill.digits), receipt.bill.currency, receipt.bill.digits
        )

    async def show(self, request: Request, said: str) -> Response:
        """The story; an id as it is spoken leads to the one address of its page."""
        viewer, identifier = await self._paper.need_viewer(request), identifier_of(said)
        if identifier != said:
            return RedirectResponse(f"/sessions/{identifier}", 303)
        story = await self._story(viewer, identifier)
        seen = view(self._paper, story)
        papers = await self._rooms.papers.of_session(viewer, identifier)
        given: dict[str, Any] = {"session": story.session, "regions": seen.by_name, "papers": papers}
        given["waits"] = await self._waits(viewer, identifier)
        live = f"/live/sessions/{identifier}?after={seen.position}&at={quote(story.session.station, safe='')}"
        return self._paper.page(request, "session.html", viewer, stream=live, **given)

    async def _waits(self, viewer: Viewer, identifier: str) -> bool:
        """Whether something about its bill waits for a person, as far as the viewer may know."""
        if not viewer.may(Scope.BILLS_READ):
            return False
        async with self._rooms.store.read() as connection:
            held = await holds.find(connection, viewer, 1, session=identifier)
            return bool(held or await worklist.proposed_for(connection, viewer, identifier))

    async def printed(self, request: Request, number: str) -> Response:
        """A bill as PDF."""
        viewer = await self._paper.need_viewer(request)
        return sent(await self._rooms.papers.receipt(viewer, number))

    async def live(self, request: Request, said: str, after: str = "", at: str | None = None) -> Response:
        """The story's changes; only words of its station, ``at``, can change it."""
        identifier = identifier_of(said)

        async def again(viewer: Viewer) -> View:
            return view(self._paper, await self._story(viewer, identifier))

        return await stream.answer(Watch(self._paper, request, again, at), after)

    async def stop(self, request: Request, said: str) -> Response:
        """Ask the station to stop it; what becomes of that shows on the page."""
        viewer, identifier = await self._paper.need_viewer(request), identifier_of(said)
        viewer.need(Scope.ORDERS_WRITE)
        row = (await self._story(viewer, identifier)).session
        if not row.live or row.ref is None:
            raise Refusal(Code.CONFLICT, phrase("This session has ended already."))
        await self._rooms.dispatch.order(row.station, StopCharging(ref=row.ref), viewer.name)
        return RedirectResponse(f"/sessions/{identifier}#orders", 303)

    async def close(self, request: Request, said: str, reason: Annotated[str, Form()] = "") -> Response:
        """Close a stale session, with a reason."""
        viewer, identifier = await self._paper.need_viewer(request), identifier_of(said)
        viewer.need(Scope.SESSIONS_WRITE)
        if not reason.strip():
            raise Refusal(Code.INVALID, phrase("Say why: the reason is kept with the session."))
        await self._rooms.intake.close_session(identifier, reason.strip()[:200], viewer.name)
        return RedirectResponse(f"/sessions/{identifier}", 303)


def view(paper: Paper, story: Story) -> View:
    """The story's parts at its position."""
    return View(story.n, regions(paper, story))


def identifier_of(said: str) -> str:
    """The session id that an address names; Refusal NOT_FOUND where it is none."""
    identifier = parse(said)
    if identifier is None:
        why = phrase("{said} is not the id of any session: a character is wrong. Ask for it again.", said=said[:40])
        raise Refusal(Code.NOT_FOUND, why)
    return identifier


def router(paper: Paper) -> APIRouter:
    """``/sessions/{id}``, its stream, and what can be done about it."""
    pages, routes = Session(paper), routes_of(paper)
    routes.add_api_route("/sessions/{said}", pages.show, methods=["GET"])
    routes.add_api_route("/bills/{number}/paper", pages.printed, methods=["GET"])
    routes.add_api_route("/live/sessions/{said}", pages.live, methods=["GET"])
    routes.add_api_route("/sessions/{said}/stop", pages.stop, methods=["POST"])
    routes.add_api_route("/sessions/{said}/close", pages.close, methods=["POST"])
    return routes
