"""Monthly invoices: each with what is open of it, what stands on it, and the transfer that pays it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Money, Phrase, Said, counted, phrase
from wattkeeper.operations.money.payments.monthly import items_of, paid_words
from wattkeeper.store.money.payments import monthly
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments.monthly import InvoiceRow
from wattkeeper.web.api.shapes import cut
from wattkeeper.web.operator.money import typed
from wattkeeper.web.operator.money.desks import day_name, page, payer
from wattkeeper.web.operator.money.months import MONTH
from wattkeeper.web.operator.money.payments.accounts import path_of
from wattkeeper.web.operator.money.payments.payments import list_place
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.operator.said import dated, money
from wattkeeper.web.problem import STATUS

DESK, PER_PAGE = "/money/invoices", 50
EMPTY = {"amount": "", "reference": ""}
DID = {"entered": Word(phrase("The payment is entered."))}


@dataclass(frozen=True, slots=True)
class Row:
    """A monthly invoice, and what was paid of it."""

    invoice: InvoiceRow
    who: str
    href: str
    """The account of whoever pays; empty where that is not for the viewer."""
    standing: Phrase
    paid_minor: int

    def money(self, minor: int) -> Money:
        """An amount in its currency."""
        return money(minor, self.invoice.currency, self.invoice.digits)

    @property
    def gross(self) -> Money:
        """What it comes to, with tax."""
        return self.money(self.invoice.gross_minor)

    @property
    def open(self) -> Money:
        """What is still to be paid."""
        return self.money(self.open_minor)

    @property
    def open_minor(self) -> int:
        """The same in minor units; never below zero."""
        return max(0, self.invoice.gross_minor - self.paid_minor)

    @property
    def month(self) -> str:
        """The month that it is for, as people say it."""
        return dated(date.fromisoformat(f"{self.invoice.month}-01"), MONTH)

    @property
    def due(self) -> str:
        """Until when it is to be paid."""
        return day_name(date.fromisoformat(self.invoice.due_on))

    def is_late(self, today: date) -> bool:
        """Whether it should have been paid by now."""
        return self.open_minor > 0 and date.fromisoformat(self.invoice.due_on) < today


class Invoices:
    """``/money/invoices``, and each of them."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, before: str = "") -> Response:
        """The list, the newest first."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        place = list_place(before)
        beneath = None if place is None or not place[1].isdecimal() else (place[0], int(place[1][:9]))
        async with self._rooms.store.read() as connection:
            found = await monthly.find(connection, viewer, PER_PAGE + 1, before=beneath)
            paid = await payments.paid_of(connection, [row.number for row in found])
        kept, more = cut(found, PER_PAGE, lambda row: (row.issued_at, str(row.place)))
        rows = [_row(row, paid.get(row.number, 0), viewer) for row in kept]
        given: dict[str, Any] = {
            "answer": self._answer(rows),
            "rows": rows,
            "today": self._today(),
            "more": f"{DESK}?{urlencode({'before': more})}" if more else None,
        }
        return page(self._paper, request, DESK, "invoices.html", viewer, **given)

    def _today(self) -> date:
        return self._paper.times.local(self._rooms.store.clock()).date()

    def _answer(self, rows: list[Row]) -> tuple[Said, Said]:
        """How many of these are open, and how many are late."""
        open_ = [row for row in rows if row.open_minor]
        late = sum(row.is_late(self._today()) for row in open_)
        if not rows:
            return phrase("No monthly invoices"), phrase("They are issued once a month is over, for who pays so.")
        if not open_:
            return phrase("Every monthly invoice is paid"), phrase("Of those that are listed.")
        told = counted("1 monthly invoice is open", "{count} monthly invoices are open", len(open_))
        if not late:
            return told, phrase("None of them is late.")
        return told, counted("1 of them is late.", "{count} of them are late.", late)

    async def one(self, request: Request, number: str, did: str = "") -> Response:
        """One invoice, and what stands on it."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        return await self._page(request, viewer, number, DID.get(did))

    async def _page(
        self,
        request: Request,
        viewer: Viewer,
        number: str,
        word: Word | None,
        status: int = 200,
        form: Mapping[str, str] = EMPTY,
    ) -> Response:
        async with self._rooms.store.read() as connection:
            found = await monthly.one(connection, viewer, number)
            if found is None:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such monthly invoice. Is its number right?"))
            paid = await payments.paid_of(connection, [found.number])
        row = _row(found, paid.get(found.number, 0), viewer)
        given: dict[str, Any] = {
            "row": row,
            "items": [(one, row.money(one.gross_minor)) for one in items_of(found.content)],
            "sums": [row.money(minor) for minor in (found.net_minor, found.vat_minor, row.paid_minor)],
            "is_late": row.is_late(self._today()),
            "may_write": viewer.may(Scope.BILLS_WRITE),
            "typed": form,
        }
        return page(self._paper, request, DESK, "invoice.html", viewer, status=status, word=word, **given)

    async def enter(self, request: Request, number: str) -> Response:
        """Enter the transfer that pays it; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ, Scope.BILLS_WRITE)
        form = EMPTY | await form_of(request)
        async with self._rooms.store.read() as connection:
            found = await monthly.one(connection, viewer, number)
        try:
            currency = found.currency if found else self._rooms.settings.pay_currency
            minor = typed.minor(form["amount"], currency, phrase("The amount"))
            await self._rooms.payments.wallets.enter(viewer, "", (minor, ""), form["reference"], number=number)
        except Refusal as refusal:
            word = Word(phrase("Nothing was entered."), refusal.why, "harm")
            return await self._page(request, viewer, number, word, STATUS[refusal.code], form)
        return RedirectResponse(f"{DESK}/{number}?did=entered", 303)


def _row(row: InvoiceRow, paid_minor: int, viewer: Viewer) -> Row:
    """An invoice as a line of the list."""
    href = path_of(row.person) if viewer.may(Scope.PERSONS_READ) else ""
    return Row(row, payer(row.person, viewer), href, paid_words(row.gross_minor, paid_minor), paid_minor)


def router(paper: Paper) -> APIRouter:
    """``/money/invoices``, and each of them."""
    pages, routes = Invoices(paper), routes_of(paper)
    routes.add_api_route(DESK, pages.show, methods=["GET"])
    routes.add_api_route(DESK + "/{number}", pages.one, methods=["GET"])
    routes.add_api_route(DESK + "/{number}", pages.enter, methods=["POST"])
    return routes
