"""``/alerts``: what is on, whom it was told, and what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.alerts.standing import State
from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.charging.phrase import Phrase, Said, counted, joined, phrase
from wattkeeper.operations.alerts.told import ANSWERS, ENDS, STATES, Told, told_of
from wattkeeper.store import journal
from wattkeeper.store.alerts import alert, hook, sending
from wattkeeper.store.alerts import rule as rules
from wattkeeper.store.alerts.alert import AlertRow
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.store.alerts.sending import SendingRow, Sent, Word
from wattkeeper.web.operator import stream
from wattkeeper.web.operator.alerts.behind import behind
from wattkeeper.web.operator.alerts.desks import ALERTS, page
from wattkeeper.web.operator.paper import Look, Paper, routes_of
from wattkeeper.web.operator.paper import Word as Notice
from wattkeeper.web.operator.people.names import path_of, places
from wattkeeper.web.operator.region import Region
from wattkeeper.web.operator.stream import View, Watch

PARTS, LIVE = "alerts_parts.html", "/live/alerts"
MOST_OPEN, MOST_OVER = 200, 100
LOOKS = {
    State.RAISED: Look(STATES[State.RAISED], "look", "look"),
    State.ACKNOWLEDGED: Look(STATES[State.ACKNOWLEDGED], "half"),
    State.CLEARED: Look(STATES[State.CLEARED], "done"),
}
HARM = Look(STATES[State.RAISED], "harm", "harm")
DID = {"acknowledged": Notice(phrase("It is acknowledged."), phrase("The log keeps who saw to it."))}
WORDS = {Word.RAISED: phrase("raised"), Word.CLEARED: phrase("over")}
Text = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class Telling:
    """Whom one word was told, and what became of that."""

    who: str
    word: Phrase
    state: Sent
    tries: int
    at: datetime
    """When it was told, or is tried next."""
    answer: str


@dataclass(frozen=True, slots=True)
class Line:
    """An alert as the page tells it."""

    row: AlertRow
    told: Told
    rule: str
    look: Look
    path: str
    """The station's page; empty where it is about none."""
    behind: tuple[Phrase, str] | None
    """What its figure was measured from, and where that is listed."""
    by: str
    """Who acknowledged it."""
    ended: Phrase | None
    tellings: Sequence[Telling]

    @property
    def lasted(self) -> timedelta:
        """From raised to over."""
        return (self.row.cleared_at or self.row.raised_at) - self.row.raised_at


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page is made of, as of position ``n`` of the journal."""

    n: int
    lines: Sequence[Line]
    is_quiet: bool
    """Whether there is no rule."""
    lost: int
    """How much was told in vain for a week."""


class Alerts:
    """``/alerts`` and the one deed there."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, did: str = "") -> Response:
        """What is on, and what was."""
        viewer = await self._paper.need_viewer(request)
        viewer.reach(Scope.STATIONS_READ)
        view = await self._view(viewer)
        given: dict[str, Any] = {"word": DID.get(did), "stream": f"{LIVE}?after={view.position}"}
        return page(self._paper, request, ALERTS, "alerts.html", viewer, regions=view.by_name, **given)

    async def live(self, request: Request, after: str = "") -> Response:
        """The page's changes."""
        return await stream.answer(Watch(self._paper, request, self._view), after)

    async def _view(self, viewer: Viewer) -> View:
        """Everything the page shows."""
        now, paper, may_write = self._rooms.store.clock(), self._paper, viewer.may(Scope.STATIONS_WRITE)
        may_look = Scope.SESSIONS_READ in viewer.scopes | viewer.at_sites
        seen = await self._seen(viewer, now)
        lines = {one.row.id: one for one in seen.lines}
        is_on = {key: one for key, one in lines.items() if one.row.cleared_at is None}
        on = {key: paper.part(PARTS, "raised", one, now, may_write, may_look) for key, one in is_on.items()}
        over = {
            f"over-{key}": paper.part(PARTS, "was", one, now, may_look)
            for key, one in lines.items()
            if key not in is_on
        }
        told = [*is_on.values()]
        words = answer(told), lead(told, is_quiet=seen.is_quiet)
        regions = [
            Region("answer", {"answer-all": paper.part("now_parts.html", "answer", *words)}, "div"),
            Region("lost", {"lost-all": paper.part(PARTS, "lost_of", seen.lost)} if seen.lost else {}, "div"),
            Region("on", on or {"on-none": paper.part(PARTS, "nothing_on", seen.is_quiet)}, "ol"),
            Region("over", over or {"over-none": paper.part(PARTS, "nothing_over")}),
        ]
        return View(seen.n, regions)

    async def _seen(self, viewer: Viewer, now: datetime) -> Seen:
        """What is on and what was, in words."""
        is_all = viewer.reach(Scope.STATIONS_READ) is Reach.ANYWHERE
        async with self._rooms.store.read() as connection:
            n = await journal.newest(connection)
            rows = await alert.find(connection, viewer, MOST_OPEN, is_open=True)
            rows += await alert.find(connection, viewer, MOST_OVER, is_open=False)
            known = await places(connection, viewer)
            named = {row.id: row for row in await rules.find(connection, viewer, deleted=True)}
            told = await sending.of(connection, [row.id for row in rows]) if is_all else {}
            hooks = {one.id: one.name for one in await hook.find(connection, viewer)} if is_all else {}
            lost = await sending.given_up(connection, now - timedelta(days=7)) if is_all else 0
        by = {row.acknowledged_by or "" for row in rows} | {one.account for some in told.values() for one in some}
        names = await self._rooms.names.said(viewer, by - {""}) | hooks
        labels = {row.station: known[row.station].name for row in rows}
        lines = [self._line(row, named, labels, names, told.get(row.id, [])) for row in rows]
        return Seen(n, lines, all(row.deleted_at for row in named.values()), lost)

    def _line(
        self,
        row: AlertRow,
        named: Mapping[str, RuleRow],
        labels: Mapping[str, str],
        names: Mapping[str, str],
        told: Sequence[SendingRow],
    ) -> Line:
        look = HARM if row.is_harm and row.state is State.RAISED else LOOKS[row.state]
        rule = named[row.rule].name if row.rule in named else ""
        path = path_of(row.station) if row.station else ""
        by = names.get(row.acknowledged_by or "", row.acknowledged_by or "")
        tellings = [telling(one, names) for one in told if one.word in WORDS]
        its = behind(row, self._rooms.settings.zone)
        return Line(row, told_of(row, labels), rule, look, path, its, by, ENDS.get(row.ended), tellings)

    async def acknowledge(self, request: Request, id: Text = "", back: Text = "") -> Response:
        """Somebody sees to it."""
        viewer = await self._paper.need_viewer(request, Scope.STATIONS_WRITE)
        await self._rooms.alerts.episodes.acknowledge(viewer, id)
        return RedirectResponse("/" if back == "/" else f"{ALERTS}?did=acknowledged", 303)


def telling(one: SendingRow, names: Mapping[str, str]) -> Telling:
    """What became of telling one recipient."""
    key = one.account or one.hook
    at = one.sent_at or one.next_at
    return Telling(names.get(key, key), WORDS[one.word], one.state, one.tries, at, ANSWERS.get(one.answer, one.answer))


def answer(is_on: Sequence[Line]) -> Said:
    """The page's answer: how many alerts are on."""
    if not is_on:
        return phrase("No alert is on")
    return counted("1 alert is on", "{count} alerts are on", len(is_on))


def lead(is_on: Sequence[Line], *, is_quiet: bool) -> Said:
    """How many of them nobody has seen; or how an alert comes to be."""
    waits = sum(one.row.state is State.RAISED for one in is_on)
    if is_quiet:
        return phrase("There is no rule yet that would raise one.")
    if not is_on:
        return phrase("Everything that is measured is as it should be.")
    if not waits:
        return phrase("Somebody sees to each.")
    return joined((counted("1 waits for somebody.", "{count} wait for somebody.", waits),))


def router(paper: Paper) -> APIRouter:
    """``/alerts`` and what can be done there."""
    pages, routes = Alerts(paper), routes_of(paper)
    routes.add_api_route(ALERTS, pages.show, methods=["GET"])
    routes.add_api_route(LIVE, pages.live, methods=["GET"])
    routes.add_api_route(f"{ALERTS}/acknowledge", pages.acknowledge, methods=["POST"])
    return routes
