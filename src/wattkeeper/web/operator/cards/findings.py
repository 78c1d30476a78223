"""Findings of the clone radar: what was seen, where, of which card, and the one action that settles it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.cards import radar
from wattkeeper.charging.cards.radar import Pattern, Settled
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, Said, counted, joined, phrase
from wattkeeper.language import retold
from wattkeeper.operations.cards.radar import FAR, TWICE
from wattkeeper.store import journal
from wattkeeper.store.cards import finding as store
from wattkeeper.store.cards.finding import FindingRow
from wattkeeper.web.operator import stream
from wattkeeper.web.operator.need import Act, Need
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.operator.people.names import Places, path_of, places
from wattkeeper.web.operator.region import Region
from wattkeeper.web.operator.stream import View, Watch

PARTS = "findings_parts.html"
MOST_OPEN = 200
MOST_SETTLED = 50
TITLES: Mapping[Pattern, Phrase] = {
    Pattern.FAR_APART: phrase("Card ••{last2} was at two places too far apart"),
    Pattern.IN_USE_TWICE: phrase("Card ••{last2} was tapped at {place} while it charges elsewhere"),
    Pattern.MANY_UNKNOWN: phrase("Somebody may be guessing cards at {place}"),
    Pattern.UNLIKE_ITSELF: phrase("Card ••{last2} was used at {place} unlike ever before"),
    Pattern.DENIED: phrase("A tap of card ••{last2} at {place} was not its holder's"),
}
OF_A_CARD: Mapping[Pattern, Phrase] = {
    Pattern.FAR_APART: phrase("A card was at two places too far apart"),
    Pattern.IN_USE_TWICE: phrase("A card was tapped at {place} while it charges elsewhere"),
    Pattern.MANY_UNKNOWN: TITLES[Pattern.MANY_UNKNOWN],
    Pattern.UNLIKE_ITSELF: phrase("A card was used at {place} unlike ever before"),
    Pattern.DENIED: phrase("A tap of a card at {place} was not its holder's"),
}
"""The same where nothing is known of the card's number."""
SAID: Mapping[radar.Said, str] = {
    radar.Said.NOTHING: "",
    radar.Said.MINE: phrase("Asked on the phone, its holder said that it was them."),
    radar.Said.NOT_MINE: phrase("Asked on the phone, its holder said that it was not them."),
}
SETTLED: Mapping[Settled, Phrase] = {
    Settled.OPEN: phrase("Not settled"),
    Settled.CONFIRMED: phrase("Confirmed"),
    Settled.DISMISSED: phrase("Dismissed"),
}
HARM = frozenset({Pattern.FAR_APART, Pattern.DENIED})
TOLD_THERE = frozenset({FAR, TWICE})
"""Alarms that are findings as well: a person is asked once."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding as the page tells it."""

    row: FindingRow
    need: Need
    settled: str
    by: str
    """Who settled it, as far as the page may say."""


def title_of(row: FindingRow, known: Places) -> Phrase:
    """What happened, in a line."""
    titles = TITLES if row.last2 else OF_A_CARD
    return titles[row.kind].filled(last2=row.last2, place=known[row.station].name)


def acts_of(row: FindingRow, viewer: Viewer, back: str) -> tuple[Act, ...]:
    """What settles a finding, where the viewer may; else where to look."""
    may = viewer.may(Scope.FINDINGS_WRITE) and (row.token is None or viewer.may(Scope.CARDS_WRITE))
    if row.state is not Settled.OPEN or not may:
        return (Act(phrase("Look at the station"), path_of(row.station)),)
    what = {"finding": row.id, "back": back}
    settling = phrase("Settling …")
    confirm, busy, dismiss = phrase("Block the card"), phrase("Blocking …"), phrase("It was its holder")
    if row.token is None:
        confirm, busy, dismiss = phrase("It was guessing"), settling, phrase("It was innocent")
    return (
        Act(confirm, "/findings/confirm", what, post=True, busy=busy),
        Act(dismiss, "/findings/dismiss", what, post=True, busy=settling),
    )


def need_of(row: FindingRow, viewer: Viewer, known: Places, back: str = "/findings") -> Need:
    """A finding as something that needs a person."""
    why = joined((retold(row.words), SAID[row.answer]))
    weight = "harm" if row.kind in HARM else "look"
    return Need(f"finding-{row.id}", title_of(row, known), why, row.created_at, acts_of(row, viewer, back), weight)


async def needs(connection: AsyncConnection, viewer: Viewer, known: Places, limit: int) -> list[Need]:
    """The open findings, for the page Now; none for who may not read them."""
    if not viewer.may(Scope.FINDINGS_READ):
        return []
    rows = await store.find(connection, viewer, limit, state=Settled.OPEN)
    return [need_of(row, viewer, known, "/") for row in rows]


def answer(count: int) -> tuple[Said, Said]:
    """The page's answer."""
    lead = phrase("What the clone radar saw: cards at two places, guessing, cards unlike themselves.")
    if not count:
        return phrase("Nothing is suspicious"), lead
    return counted("1 finding needs a person", "{count} findings need a person", count), lead


class Findings:
    """``/findings``, its stream, and what settles a finding."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def _view(self, viewer: Viewer) -> View:
        """Everything the page shows."""
        now = self._rooms.store.clock()
        async with self._rooms.store.read() as connection:
            n, known = await journal.newest(connection), await places(connection, viewer)
            waiting = await store.find(connection, viewer, MOST_OPEN, state=Settled.OPEN)
            rest = await store.settled(connection, viewer, MOST_SETTLED)
        part = self._paper.part
        told = {f"f-{row.id}": need_of(row, viewer, known) for row in waiting}
        open_ones = {key: part("now_parts.html", "need", key, need, now) for key, need in told.items()}
        done: dict[str, Markup] = {}
        for row in rest:
            shown = Shown(row, need_of(row, viewer, known), SETTLED[row.state], _by(row, viewer))
            done[f"s-{row.id}"] = part(PARTS, "row", f"s-{row.id}", shown, now)
        regions = [
            Region("answer", {"answer-all": part(PARTS, "answer", *answer(len(waiting)))}, "div"),
            Region("open", open_ones or {"open-none": part(PARTS, "nothing_open")}, "ol"),
            Region("settled", done or {"settled-none": part(PARTS, "nothing_settled")}),
        ]
        return View(n, regions)

    async def show(self, request: Request) -> Response:
        """The page."""
        viewer = await self._paper.need_viewer(request)
        viewer.need(Scope.FINDINGS_READ)
        view = await self._view(viewer)
        live = f"/live/findings?after={view.position}"
        return self._paper.page(request, "findings.html", viewer, regions=view.by_name, stream=live)

    async def live(self, request: Request, after: str = "") -> Response:
        """The page's changes."""
        return await stream.answer(Watch(self._paper, request, self._view), after)

    async def confirm(
        self, request: Request, finding: Annotated[str, Form()] = "", back: Annotated[str, Form()] = ""
    ) -> Response:
        """It was a copy: the card is blocked."""
        viewer = await self._paper.need_viewer(request)
        await self._rooms.findings.confirm(viewer, finding)
        return RedirectResponse("/" if back == "/" else "/findings", 303)

    async def dismiss(
        self, request: Request, finding: Annotated[str, Form()] = "", back: Annotated[str, Form()] = ""
    ) -> Response:
        """There is an innocent reason."""
        viewer = await self._paper.need_viewer(request)
        await self._rooms.findings.dismiss(viewer, finding)
        return RedirectResponse("/" if back == "/" else "/findings", 303)


def _by(row: FindingRow, viewer: Viewer) -> str:
    """Who settled a finding: a driver is named by nobody here."""
    if row.answer is radar.Said.NOT_MINE:
        return phrase("its holder")
    return phrase("you") if row.settled_by == viewer.name else phrase("another")


def router(paper: Paper) -> APIRouter:
    """``/findings``, its stream, and what settles a finding."""
    pages, routes = Findings(paper), routes_of(paper)
    routes.add_api_route("/findings", pages.show, methods=["GET"])
    routes.add_api_route("/live/findings", pages.live, methods=["GET"])
    routes.add_api_route("/findings/confirm", pages.confirm, methods=["POST"])
    routes.add_api_route("/findings/dismiss", pages.dismiss, methods=["POST"])
    return routes
