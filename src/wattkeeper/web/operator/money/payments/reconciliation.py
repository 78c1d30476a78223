"""The comparison with the payment provider, a month at a time: what does not agree first, then the sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.payments.payment import Matching
from wattkeeper.charging.person import Scope
from wattkeeper.charging.phrase import Phrase, Said, counted, phrase
from wattkeeper.operations.money import revenue
from wattkeeper.operations.money.payments.reconciling import Reconciliation, Row, reconcile
from wattkeeper.web.operator.money.desks import page
from wattkeeper.web.operator.money.payments.payments import DESK
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.operator.said import dated, money
from wattkeeper.web.problem import STATUS

PATH = "/money/reconciliation"
MONTH = phrase("MMMM y")
HOW: Mapping[Matching, Phrase] = {
    Matching.MATCHED: phrase("agrees"),
    Matching.OURS: phrase("only here"),
    Matching.THEIRS: phrase("only there"),
    Matching.DIFFERS: phrase("amounts differ"),
    Matching.OTHER: phrase("no payment"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One movement, in words."""

    row: Row
    how: Phrase
    amounts: tuple[str, ...]
    """Ours, theirs, their fee, and what that leaves."""


class Comparing:
    """``/money/reconciliation``"""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, month: str = "") -> Response:
        """A month, compared; or why it cannot be."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        zone = self._rooms.settings.zone
        running = revenue.running_month(self._rooms.store.clock(), zone)
        word, status, found = None, 200, None
        try:
            period = revenue.month(month or running)
        except Refusal:
            period = revenue.month(running)
        try:
            rooms = self._rooms
            found = await reconcile(rooms.store, rooms.settings, rooms.payments.provider, viewer, *period)
        except Refusal as refusal:
            word, status = Word(phrase("It cannot be compared."), refusal.why, "look"), STATUS[refusal.code]
        given: dict[str, Any] = {
            "named": dated(period[0], MONTH),
            "earlier": f"{period[0] - timedelta(days=1):%Y-%m}",
            "later": f"{period[1]:%Y-%m}" if f"{period[1]:%Y-%m}" <= running else None,
            "answer": _answer(found, period[0]),
            "wrong": [] if found is None else [_line(row) for row in found.wrong],
            "totals": [] if found is None else [_total(one) for one in found.totals],
            "count": 0 if found is None else len(found.rows) - len(found.wrong),
            "sheet": f"/api/v1/payments/reconciliation?since={period[0]}&until={period[1]}&format=csv",
            "is_known": found is not None,
        }
        return page(self._paper, request, DESK, "reconciliation.html", viewer, status=status, word=word, **given)


def _answer(found: Reconciliation | None, first: date) -> tuple[Said, Said]:
    """The page's answer."""
    month = dated(first, MONTH)
    if found is None:
        return phrase("Not compared"), phrase(
            "What the provider says moved in {month} stands here beside our books.", month=month
        )
    if not found.rows:
        return phrase("Nothing moved in {month}", month=month), phrase("What the provider takes appears here.")
    if found.wrong:
        count = len(found.wrong)
        told = counted("1 movement does not agree", "{count} movements do not agree", count)
        return told, phrase("What does not agree stands below. Everything else in {month} agrees.", month=month)
    return phrase("{month} agrees", month=month), phrase("The provider and our books say the same of every movement.")


def _line(row: Row) -> Line:
    digits = digits_of(row.currency)
    minors = (row.ours_minor, row.gross_minor, row.fee_minor, row.net_minor)
    return Line(
        row, HOW[row.matching], tuple("–" if one is None else money(one, row.currency, digits) for one in minors)
    )


def _total(one: Any) -> tuple[str, tuple[str, ...]]:
    digits = digits_of(one.currency)
    minors = (one.ours_minor, one.gross_minor, one.fee_minor, one.net_minor)
    return one.currency, tuple(money(each, one.currency, digits) for each in minors)


def router(paper: Paper) -> APIRouter:
    """``/money/reconciliation``"""
    pages, routes = Comparing(paper), routes_of(paper)
    routes.add_api_route(PATH, pages.show, methods=["GET"])
    return routes
