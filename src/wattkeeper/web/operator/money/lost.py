"""What was lost on the way, or may have been: what does not fit together about the sessions of a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.money.discrepancy import NAMES, Discrepancy, Gravity, Kind
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Money, Said, counted, phrase
from wattkeeper.operations.money.discrepancies import SessionsAudit, audit_sessions
from wattkeeper.operations.money.revenue import instants
from wattkeeper.store.money.discrepancy import Period
from wattkeeper.web.operator.money import months
from wattkeeper.web.operator.money.desks import page
from wattkeeper.web.operator.money.months import Month
from wattkeeper.web.operator.paper import Look, Paper, routes_of
from wattkeeper.web.operator.people.names import Place, places
from wattkeeper.web.operator.said import money

__all__ = ["NAMES", "looked", "router"]

PATH, MOST = "/money/lost", 200
NONE_ENDED = phrase("No session ended in {month}.")
KINDS = {kind.value: kind for kind in Kind}
WEIGHED = {
    Gravity.NOTE: Look(phrase("Note"), "", ""),
    Gravity.DOUBT: Look(phrase("Doubt"), "look", "look"),
    Gravity.GRAVE: Look(phrase("Grave"), "harm", "harm"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """Something that does not fit together."""

    found: Discrepancy
    place: Place
    look: Look

    @property
    def amount(self) -> Money | None:
        """The money in question."""
        one = self.found
        return money(one.amount_minor, one.currency, one.digits) if one.amount_minor else None


async def looked(paper: Paper, viewer: Viewer, month: Month, only: Kind | None = None, most: int = 0) -> SessionsAudit:
    """What does not fit together about the sessions of a month (scopes sessions:read, bills:read)."""
    since, until = instants(month.period, paper.times.zone)
    return await audit_sessions(paper.rooms.store, viewer, Period(since, until), most, only)


class Lost:
    """``/money/lost``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    async def show(self, request: Request, month: str = "", kind: str = "") -> Response:
        """What was found: how much of each kind, and the first of it, or of one kind."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ, Scope.SESSIONS_READ)
        store, only = self._paper.rooms.store, KINDS.get(kind)
        now = months.running(store.clock(), self._paper.times.zone)
        chosen = months.asked(month, now)
        found = await looked(self._paper, viewer, chosen, only, MOST)
        async with store.read() as connection:
            known = await places(connection, viewer)
        context: dict[str, Any] = {
            "month": chosen,
            "later": chosen.after if chosen.first < now.first else None,
            "kind": only,
            "kinds": NAMES,
            "found": found,
            "rows": [Row(one, known[one.station], WEIGHED[one.gravity]) for one in found.found],
            "answer": _answer(found, chosen),
            "most": MOST,
        }
        return page(self._paper, request, "/money", "lost.html", viewer, **context)


def _answer(found: SessionsAudit, chosen: Month) -> tuple[Said, Said]:
    """How much was found, of how many sessions."""
    lead = counted("1 session was looked at.", "{count} sessions were looked at.", found.sessions)
    if not found.sessions:
        return phrase("Nothing to look at in {month}", month=chosen.name), NONE_ENDED.filled(month=chosen.name)
    if not found.count:
        return phrase("Everything fits in {month}", month=chosen.name), lead
    told = counted(
        "1 thing does not fit in {month}", "{count} things do not fit in {month}", found.count, month=chosen.name
    )
    return told, lead


def router(paper: Paper) -> APIRouter:
    """``/money/lost``."""
    pages, routes = Lost(paper), routes_of(paper)
    routes.add_api_route(PATH, pages.show, methods=["GET"])
    return routes
