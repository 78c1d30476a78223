"""Accounts: who owes, who has a balance, what hosts of sites get; each leads to one account, and a card to its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.ledger import NOBODY, AccountKind, Posting
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Money, Phrase, Said, counted, joined, phrase
from wattkeeper.store.money import ledger
from wattkeeper.store.money.ledger import Outstanding
from wattkeeper.web.operator.money.desks import page, payer
from wattkeeper.web.operator.money.payments import hosts
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.operator.said import money
from wattkeeper.web.operator.tariffs import whom
from wattkeeper.web.problem import STATUS

DESK = "/money/accounts"
MOST = 200
"""How many accounts of a kind are listed, the largest; the books have all."""
PERSON = re.compile("[0-9a-f]{24}")
KINDS: Sequence[tuple[str, AccountKind, bool, Phrase, Phrase]] = (
    ("owe", AccountKind.OWED, False, phrase("Who owes"), phrase("Nobody owes anything.")),
    ("have", AccountKind.PREPAID, True, phrase("Who has a prepaid balance"), phrase("Nobody has a prepaid balance.")),
    ("back", AccountKind.OWED, True, phrase("To whom we owe"), phrase("We owe nobody anything.")),
    ("hosts", AccountKind.HOST, True, phrase("What hosts of sites get"), phrase("No host of a site is owed anything.")),
)


@dataclass(frozen=True, slots=True)
class Line:
    """An account with what it holds."""

    who: str
    href: str
    """Its own page; empty where that is not for the viewer."""
    amount: Money


@dataclass(frozen=True, slots=True)
class Table:
    """The accounts of a kind, the largest first, by currency."""

    key: str
    title: Phrase
    nothing: Phrase
    lines: list[Line]


def path_of(person: str) -> str:
    """Where the account of a person is."""
    return f"{DESK}/{person.removeprefix('person:')}"


def person_of(key: str) -> str:
    """Of whom an address tells."""
    return f"person:{key}" if PERSON.fullmatch(key) else key


class Accounts:
    """``/money/accounts``"""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """Every account that holds something."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        return await self._page(request, viewer)

    async def _page(self, request: Request, viewer: Viewer, word: Word | None = None, status: int = 200) -> Response:
        async with self._rooms.store.read() as connection:
            tables = [
                Table(
                    key,
                    title,
                    nothing,
                    _lines(await ledger.largest(connection, viewer, MOST, owing=back, kind=kind), viewer),
                )
                for key, kind, back, title, nothing in KINDS
            ]
            open_ = await ledger.outstanding(connection, viewer)
        given: dict[str, Any] = {
            "answer": _answer(open_),
            "tables": tables,
            "most": MOST,
            "may_find": viewer.may(Scope.PERSONS_READ) and viewer.may(Scope.CARDS_READ),
        }
        return page(self._paper, request, DESK, "accounts.html", viewer, status=status, word=word, **given)

    async def find(self, request: Request) -> Response:
        """The account of whoever holds a card; its number stands in no address and is not given back."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ, Scope.PERSONS_READ)
        try:
            card = await whom.card_of(self._rooms, viewer, (await form_of(request)).get("number", ""))
        except Refusal as refusal:
            word = Word(phrase("No account was found."), refusal.why, "look")
            return await self._page(request, viewer, word, STATUS[refusal.code])
        return RedirectResponse(path_of(card.person), 303)


def _lines(postings: Sequence[Posting], viewer: Viewer) -> list[Line]:
    """Accounts by currency, the largest first."""
    ordered = sorted(postings, key=lambda one: (one.currency, -abs(one.amount_minor), one.account))
    return [_line(one, viewer) for one in ordered]


def _line(one: Posting, viewer: Viewer) -> Line:
    """An account: its host's site by name, a person by the end of the id and only for who may tell persons apart."""
    kind, _, of = one.account.partition(":")
    amount = money(abs(one.amount_minor), one.currency, digits_of(one.currency))
    if kind == AccountKind.HOST:
        return Line(of, hosts.path_of(of, one.currency), amount)
    is_known = viewer.may(Scope.PERSONS_READ) and of != NOBODY
    return Line(payer(of, viewer), path_of(of) if is_known else "", amount)


def _answer(some: Sequence[Outstanding]) -> tuple[Said, Said]:
    """What is owed, and by how many."""
    owed = [one for one in some if one.debtors]
    if not owed:
        return phrase("Nobody owes anything"), phrase("Bills that are not paid at once appear here, by who owes them.")
    sums = joined([money(one.owed_minor, one.currency, digits_of(one.currency)) for one in owed], " + ")
    count = sum(one.debtors for one in owed)
    return phrase("{sums} owed", sums=sums), counted("By 1 account.", "By {count} accounts.", count)


def router(paper: Paper) -> APIRouter:
    """``/money/accounts``"""
    pages, routes = Accounts(paper), routes_of(paper)
    routes.add_api_route(DESK, pages.show, methods=["GET"])
    routes.add_api_route(DESK, pages.find, methods=["POST"])
    return routes
