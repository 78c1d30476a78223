"""One card: whether it is good, what was decided when it was presented, its life, its rule, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Form
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.cards.token import Authorisation, CardState, Offline, Strength
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import retold
from wattkeeper.operations.cards import listing
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.store import journal
from wattkeeper.store.cards import card as store
from wattkeeper.store.cards import card_change, decision
from wattkeeper.store.cards import group as groups
from wattkeeper.store.cards.card import CardRow
from wattkeeper.store.cards.card_change import HOLDER, Change
from wattkeeper.store.cards.decision import DecisionRow
from wattkeeper.store.cards.group import GroupRow
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.sessions.session import SessionRow, Sought
from wattkeeper.web.operator import stream
from wattkeeper.web.operator.cards.limits import limits_of, typed
from wattkeeper.web.operator.hours import say_hours
from wattkeeper.web.operator.paper import Look, Paper, Word, form_of, routes_of
from wattkeeper.web.operator.people.names import Places, path_of, placed, places
from wattkeeper.web.operator.region import Region
from wattkeeper.web.operator.said import WHOLE_DAY, dated
from wattkeeper.web.operator.stream import View, Watch
from wattkeeper.web.problem import STATUS

PARTS = "card_parts.html"
MOST_DECISIONS, MOST_CHANGES, MOST_SESSIONS = 100, 100, 20
LOOKS = {
    CardState.ORDERED: Look(phrase("Ordered"), "half"),
    CardState.ACTIVE: Look(phrase("Active"), "done"),
    CardState.BLOCKED: Look(phrase("Blocked"), "none"),
    CardState.LOST: Look(phrase("Lost"), "harm", "harm"),
    CardState.REPLACED: Look(phrase("Replaced"), "none"),
    CardState.RETURNED: Look(phrase("Returned"), "none"),
}
TOLD = {
    Authorisation.ACCEPTED: Look(phrase("Accepted"), "done"),
    Authorisation.UNKNOWN: Look(phrase("Not known"), "none"),
    Authorisation.BLOCKED: Look(phrase("Blocked"), "none"),
    Authorisation.EXPIRED: Look(phrase("Expired"), "none"),
    Authorisation.CONCURRENT: Look(phrase("In use elsewhere"), "none"),
    Authorisation.NO_CREDIT: Look(phrase("Used up"), "none"),
    Authorisation.NOT_HERE: Look(phrase("Not here"), "none"),
    Authorisation.NOT_NOW: Look(phrase("Not now"), "none"),
    Authorisation.WRONG_PLUG: Look(phrase("Wrong plug"), "none"),
    Authorisation.INVALID: Look(phrase("Refused"), "none"),
}
DEEDS = ("block", "unblock", "lost", "return")


def look_of(card: CardRow, now: datetime) -> Look:
    """Whether a card is good for anything, and if not why."""
    if card.state is CardState.ACTIVE and card.expires_at is not None and card.expires_at <= now:
        return Look(phrase("Expired"), "none")
    return LOOKS[card.state]


def key_of(ref: str) -> str:
    """A card's pseudonym as part of an element's id."""
    return ref.replace(":", "-")


@dataclass(frozen=True, slots=True)
class Life:
    """Everything the page tells, as of position ``n``."""

    n: int
    now: datetime
    viewer: Viewer
    card: CardRow
    group: GroupRow | None
    decisions: Sequence[DecisionRow]
    changes: Sequence[Change]
    sessions: Sequence[SessionRow]
    places: Places
    new: CardRow | None
    """The card that took its place."""


async def told(paper: Paper, connection: AsyncConnection, viewer: Viewer, ref: str) -> Life:
    """A card's life; Refusal NOT_FOUND."""
    viewer.need(Scope.CARDS_READ)
    n = await journal.newest(connection)
    card = await store.one(connection, viewer, ref)
    if card is None:
        raise Refusal(
            Code.NOT_FOUND, phrase("There is no such card. It may have been typed wrong, or was never enrolled.")
        )
    may_sessions = viewer.may(Scope.SESSIONS_READ)
    return Life(
        n,
        paper.rooms.store.clock(),
        viewer,
        card,
        await groups.one(connection, viewer, card.group) if card.group else None,
        await decision.of_card(connection, viewer, ref, MOST_DECISIONS),
        await named(paper, viewer, await card_change.find(connection, viewer, ref, MOST_CHANGES)),
        await sessions.find(connection, viewer, Sought(token=ref), MOST_SESSIONS) if may_sessions else [],
        await places(connection, viewer) if viewer.may(Scope.STATIONS_READ) else Places([]),
        await store.one(connection, viewer, card.replaced_by) if card.replaced_by else None,
    )


async def named(paper: Paper, viewer: Viewer, rows: Sequence[Change]) -> list[Change]:
    """Changes in the language spoken, with who made them by name."""
    said = await paper.rooms.names.said(viewer, (row.by for row in rows)) | {HOLDER: phrase("its holder")}
    return [replace(row, by=said[row.by], what=retold(row.what)) for row in rows]


def regions(paper: Paper, life: Life) -> list[Region]:
    """The parts of the page that can change."""
    card, now = life.card, life.now
    look, rules = look_of(card, now), life.group.group if life.group else None
    hours = {"own": say_hours(card.limits.hours), "group": say_hours(rules.limits.hours if rules else None)}
    acts = [deed for deed in DEEDS if life.viewer.may(Scope.CARDS_WRITE) and _is_open(deed, card.state)]
    return [
        Region("about", {"about-all": paper.part(PARTS, "about", card, look, life.new, now)}, "div"),
        Region("acts", {"acts-all": paper.part(PARTS, "acts", card, acts)}, "div"),
        Region("rule", {"rule-all": paper.part(PARTS, "rule", card, rules, hours, now)}, "div"),
        _decisions(paper, life),
        changes(paper, life.changes),
        _sessions(paper, life),
    ]


def _is_open(deed: str, state: CardState) -> bool:
    """Whether a deed makes sense for a card in this state."""
    ended = (CardState.REPLACED, CardState.RETURNED)
    fitting = {
        "block": state in (CardState.ACTIVE, CardState.ORDERED),
        "unblock": state in (CardState.BLOCKED, CardState.LOST),
        "lost": state not in (CardState.LOST, *ended),
        "return": state is not CardState.RETURNED,
    }
    return fitting[deed]


def _decisions(paper: Paper, life: Life) -> Region:
    """What was decided, the newest first."""
    printed = {}
    for row in life.decisions:
        where = (life.places[row.station], path_of(row.station))
        told = replace(row, reason=retold(row.reason))
        printed[f"d-{row.n}"] = paper.part(PARTS, "decision", f"d-{row.n}", told, TOLD[row.status], *where, life.now)
    return Region("decisions", printed or {"decisions-none": paper.part(PARTS, "no_decisions")})


def changes(paper: Paper, some: Sequence[Change]) -> Region:
    """The life of a card or a group, the newest first, a heading for each day."""
    rows: dict[str, Markup] = {}
    day = None
    for one in some:
        there = paper.times.local(one.at)
        if there.date() != day:
            day, key = there.date(), f"l-{there:%Y%m%d}"
            rows[key] = paper.part("session_parts.html", "day", key, dated(there, WHOLE_DAY))
        rows[f"l-{one.id}"] = paper.part(PARTS, "change", f"l-{one.id}", one)
    return Region("changes", rows or {"changes-none": paper.part(PARTS, "no_changes")}, "ol")


def _sessions(paper: Paper, life: Life) -> Region:
    """Its newest sessions."""
    charged = {f"s-{row.session.id}": row for row in placed(life.sessions, life.places)}
    rows = {
        key: paper.part("sessions_parts.html", "row", key, row, life.now, life.viewer) for key, row in charged.items()
    }
    return Region("sessions", rows or {"sessions-none": paper.part(PARTS, "no_sessions")})


class Card:
    """``/cards/{ref}``, its stream, and what can be done with it."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def _life(self, viewer: Viewer, ref: str) -> Life:
        async with self._rooms.store.read() as connection:
            return await told(self._paper, connection, viewer, ref)

    async def show(self, request: Request, ref: str) -> Response:
        """The page."""
        return await self._page(request, await self._paper.need_viewer(request), ref)

    async def _page(
        self, request: Request, viewer: Viewer, ref: str, status: int = 200, word: Word | None = None
    ) -> Response:
        life = await self._life(viewer, ref)
        seen = View(life.n, regions(self._paper, life))
        given = {"card": life.card, "regions": seen.by_name, "typed": typed(life.card.limits), "word": word}
        live = f"/live/cards/{ref}?after={seen.position}"
        return self._paper.page(request, "card.html", viewer, status=status, stream=live, **given)

    async def live(self, request: Request, ref: str, after: str = "") -> Response:
        """The page's changes."""

        async def again(viewer: Viewer) -> View:
            life = await self._life(viewer, ref)
            return View(life.n, regions(self._paper, life))

        return await stream.answer(Watch(self._paper, request, again), after)

    async def do(self, request: Request, ref: str, deed: Annotated[str, Form()] = "") -> Response:
        """Block it, unblock it, report it lost, take it back."""
        viewer, cards = await self._paper.need_viewer(request), self._rooms.cards
        viewer.need(Scope.CARDS_WRITE)
        if deed not in DEEDS:
            raise Refusal(Code.INVALID, phrase("There is no such deed. Nothing was changed."))
        try:
            if deed == "return":
                await cards.set_state(ref, CardState.RETURNED, viewer)
            else:
                await {"block": cards.block, "unblock": cards.unblock, "lost": cards.report_lost}[deed](viewer, ref)
        except Refusal as refusal:
            return await self._refused(request, viewer, ref, refusal)
        return RedirectResponse(f"/cards/{ref}", 303)

    async def replace(self, request: Request, ref: str, number: Annotated[str, Form()] = "") -> Response:
        """Give its holder another card."""
        viewer = await self._paper.need_viewer(request)
        viewer.need(Scope.CARDS_WRITE)
        try:
            new = await self._rooms.cards.replace(viewer, ref, number)
        except Refusal as refusal:
            return await self._refused(request, viewer, ref, refusal)
        return RedirectResponse(f"/cards/{new}", 303)

    async def rule(self, request: Request, ref: str) -> Response:
        """Change what it may do."""
        viewer = await self._paper.need_viewer(request)
        viewer.need(Scope.CARDS_WRITE)
        try:
            await self._rooms.cards.change(ref, rule_of(await form_of(request)), viewer)
        except Refusal as refusal:
            return await self._refused(request, viewer, ref, refusal)
        return RedirectResponse(f"/cards/{ref}", 303)

    async def _refused(self, request: Request, viewer: Viewer, ref: str, refusal: Refusal) -> Response:
        """The page with why nothing was changed; a card that is not there has none."""
        if refusal.code is Code.NOT_FOUND:
            raise refusal
        word = Word(phrase("Nothing was changed."), refusal.why, "harm")
        return await self._page(request, viewer, ref, STATUS[refusal.code], word)


def rule_of(form: dict[str, str]) -> Rule:
    """The rule that a form asks for; Refusal INVALID says which field."""
    until = form.get("expires_at", "")
    rule: dict[str, Any] = {
        "expires_at": listing.cell("expires_at", until) if until else None,
        "group": listing.cell("group", form["group"]) if form.get("group") else None,
        "max_sessions": listing.cell("max_sessions", form.get("max_sessions", "")),
        "offline": listing.cell("offline", form.get("offline", Offline.REFUSE.value)),
        "strength": listing.cell("strength", form.get("strength", Strength.NUMBER.value)),
        "limits": limits_of(form),
    }
    return cast(Rule, rule)


def router(paper: Paper) -> APIRouter:
    """``/cards/{ref}``, its stream, and what can be done with it."""
    pages, routes = Card(paper), routes_of(paper)
    routes.add_api_route("/cards/{ref:card}", pages.show, methods=["GET"])
    routes.add_api_route("/live/cards/{ref:card}", pages.live, methods=["GET"])
    routes.add_api_route("/cards/{ref:card}/do", pages.do, methods=["POST"])
    routes.add_api_route("/cards/{ref:card}/rule", pages.rule, methods=["POST"])
    routes.add_api_route("/cards/{ref:card}/replace", pages.replace, methods=["POST"])
    return routes
