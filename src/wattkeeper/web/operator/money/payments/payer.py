"""One account: what was billed and paid, how its holder pays, and money moved by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.payments.paying import IN_WORDS, Way, Whose
from wattkeeper.charging.money.payments.payment import PaymentKind, PaymentState
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Money, Phrase, Said, joined, phrase
from wattkeeper.charging.privacy.looking import Part
from wattkeeper.operations.money.payments.monthly import paid_words
from wattkeeper.operations.money.payments.purses import way_for, way_named
from wattkeeper.store.money import bill as bills
from wattkeeper.store.money import billable, ledger
from wattkeeper.store.money.bill import BillRow, Sought
from wattkeeper.store.money.payments import deed, monthly, paying
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments.deed import DeedRow, DeedState
from wattkeeper.store.money.payments.monthly import InvoiceRow
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.store.money.tariffs import subject
from wattkeeper.store.people import person as persons
from wattkeeper.web.operator.money import typed
from wattkeeper.web.operator.money.bills import KINDS
from wattkeeper.web.operator.money.desks import day_name, page, payer
from wattkeeper.web.operator.money.payments import payments as desk
from wattkeeper.web.operator.money.payments.accounts import DESK, path_of, person_of
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.operator.said import money
from wattkeeper.web.operator.tariffs.whom import masked_of
from wattkeeper.web.problem import STATUS

MOST = 20
"""How many of each kind of paper are listed, the newest."""
EMPTY = {"amount": "", "reference": "", "reason": "", "currency": "", "for": "", "payment": "", "way": ""}
MAY = (Scope.BILLS_READ, Scope.PERSONS_READ)
DID = {
    "entered": Word(phrase("The payment is entered.")),
    "chosen": Word(phrase("It holds from now on.")),
    "done": Word(phrase("It is done.")),
    "proposed": Word(phrase("It is proposed."), phrase("It is much, so a second person must agree.")),
}
REFUSED: Mapping[str, Phrase] = {
    "transfer": phrase("Nothing was entered."),
    "way": phrase("Nothing was changed."),
    "write-off": phrase("Nothing was given up."),
    "refund": phrase("Nothing was given back."),
}
WAYS: Mapping[Way, Phrase] = {**IN_WORDS, Way.FREE: phrase("nothing: it is covered")}
"""Each way as those who work here read it."""
NO_FORM = phrase("Money is entered, given up or given back, and nothing else.")


@dataclass(frozen=True, slots=True)
class Known:
    """Everything of an account; amounts in minor units by currency."""

    person: str
    owes: list[tuple[str, int]]
    prepaid: list[tuple[str, int]]
    way: Way
    own: Way | None
    """What was chosen for them alone."""
    means: paying.Means | None
    cards: list[str]
    bills: list[BillRow]
    invoices: list[InvoiceRow]
    paid: Mapping[str, int]
    payments: list[PaymentRow]
    waiting: list[DeedRow]
    is_kept: bool
    """Whether they were not forgotten."""

    @property
    def is_empty(self) -> bool:
        """Whether there is no such account."""
        return not (self.is_kept or self.owes or self.prepaid or self.bills or self.payments)


class Account:
    """``/money/accounts/{key}``, and money moved by hand."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, key: str, did: str = "") -> Response:
        """The account."""
        viewer = await self._paper.need_viewer(request, *MAY)
        await self._rooms.looking.need(viewer, person_of(key), Part.CARDS, Part.MONEY)
        return await self._page(request, viewer, person_of(key), word=DID.get(did))

    async def _known(self, connection: AsyncConnection, viewer: Viewer, person: str) -> Known:
        """Everything of an account; Refusal NOT_FOUND."""
        group = await billable.group_of(connection, person)
        invoices = await monthly.find(connection, viewer, MOST, person=person)
        known = Known(
            person,
            [(one.currency, one.amount_minor) for one in await ledger.owing(connection, viewer, person)],
            await paying.prepaid_of(connection, person),
            await way_for(connection, person, group, self._rooms.settings),
            await paying.chosen(connection, Whose.DRIVER, person),
            await paying.means_of(connection, person),
            await _cards(connection, viewer, person),
            await bills.find(connection, viewer, Sought(person=person), MOST),
            invoices,
            await payments.paid_of(connection, [one.number for one in invoices]),
            await payments.find(connection, viewer, MOST, person=person),
            await deed.find(connection, viewer, MOST, person=person, state=DeedState.OPEN),
            await persons.is_kept(connection, person),
        )
        if known.is_empty:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such account."))
        return known

    async def _page(
        self, request: Request, viewer: Viewer, person: str, status: int = 200, opens: str = "", **given: Any
    ) -> Response:
        """The page; ``opens``: which of its forms is unfolded."""
        async with self._rooms.store.read() as connection:
            known = await self._known(connection, viewer, person)
        by = await self._rooms.names.said(viewer, [one.created_by for one in known.waiting])
        ours = self._rooms.settings.pay_currency
        context: dict[str, Any] = {
            "known": known,
            "at": path_of(person),
            "who": payer(person, viewer),
            "answer": _answer(known),
            "sums": _sums(known),
            "way": WAYS[known.way],
            "ways": {one.value: WAYS[one] for one in Way if one is not Way.CARD or self._rooms.payments.provider},
            "bills": [(one, KINDS[one.kind], money(one.gross_minor, one.currency, one.digits)) for one in known.bills],
            "invoices": [_invoice(one, known.paid.get(one.number, 0)) for one in known.invoices],
            "payments": [desk.row_of(one, viewer) for one in known.payments],
            "waiting": [desk.proposed_of(one, by[one.created_by], viewer) for one in known.waiting],
            "refundable": _refundable(known),
            "owes": any(minor > 0 for _, minor in known.owes),
            "currencies": [ours, *sorted({one for one, _ in (*known.owes, *known.prepaid)} - {ours})],
            "may_write": viewer.may(Scope.BILLS_WRITE) and known.is_kept,
            "opens": opens,
            "typed": EMPTY | {"way": known.own.value if known.own else ""},
            "most": MOST,
        }
        return page(self._paper, request, DESK, "payer.html", viewer, status=status, **(context | given))

    # --- what can be done -------------------------------------------------------------------------------------

    async def do(self, request: Request, key: str, what: str) -> Response:
        """Do what a form asks for, or propose that; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request, *MAY, Scope.BILLS_WRITE)
        person, form = person_of(key), EMPTY | await form_of(request)
        deeds = {"transfer": self._enter, "way": self._choose, "write-off": self._give_up, "refund": self._give_back}
        if what not in deeds:
            raise Refusal(Code.NOT_FOUND, NO_FORM)
        await self._rooms.looking.need(viewer, person, Part.CARDS, Part.MONEY)
        try:
            did = await deeds[what](viewer, person, form)
        except Refusal as refusal:
            word = Word(REFUSED[what], refusal.why, "harm")
            return await self._page(request, viewer, person, STATUS[refusal.code], what, word=word, typed=form)
        return RedirectResponse(f"{path_of(person)}?did={did}", 303)

    async def _enter(self, viewer: Viewer, person: str, form: Mapping[str, str]) -> str:
        """Money that came to the bank: for what is owed, or ahead."""
        row = await self._rooms.payments.wallets.enter(
            viewer, person, self._money(form), form["reference"], is_ahead=form["for"] == "ahead"
        )
        return "entered" if row.state is PaymentState.CAPTURED else "proposed"

    async def _choose(self, viewer: Viewer, person: str, form: Mapping[str, str]) -> str:
        """How they pay from now on."""
        way = way_named(form["way"]) if form["way"] else None
        if way is Way.CARD and self._rooms.payments.provider is None:
            raise Refusal(Code.CONFLICT, phrase("No cards are taken here."))
        await self._rooms.payments.wallets.choose_for(viewer, Whose.DRIVER, person, way)
        return "chosen"

    async def _give_up(self, viewer: Viewer, person: str, form: Mapping[str, str]) -> str:
        """Some of what they owe."""
        minor, currency = self._money(form)
        return _did(await self._rooms.payments.deeds.write_off(viewer, person, minor, currency, form["reason"]))

    async def _give_back(self, viewer: Viewer, person: str, form: Mapping[str, str]) -> str:
        """Some of what they paid."""
        async with self._rooms.store.read() as connection:
            row = await payments.one(connection, viewer, form["payment"])
        if row is None or row.person != person:
            raise Refusal(Code.INVALID, phrase("Choose one of the payments of this account."))
        minor = typed.minor(form["amount"], row.currency, phrase("The amount"))
        return _did(await self._rooms.payments.deeds.refund(viewer, row.id, minor, form["reason"]))

    def _money(self, form: Mapping[str, str]) -> tuple[int, str]:
        """What was typed, in minor units, and its currency."""
        currency = form["currency"] or self._rooms.settings.pay_currency
        if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
            raise Refusal(Code.INVALID, phrase("Choose one of the currencies."))
        return typed.minor(form["amount"], currency, phrase("The amount")), currency


def _did(row: DeedRow) -> str:
    """What became of a deed."""
    return "done" if row.state is DeedState.DONE else "proposed"


async def _cards(connection: AsyncConnection, viewer: Viewer, person: str) -> list[str]:
    """What is left of the numbers of the cards that somebody holds."""
    if not viewer.may(Scope.CARDS_READ):
        return []
    held = await subject.cards_of(connection, viewer, [person])
    return [masked for one in held.get(person, []) if (masked := masked_of(one))]


def _answer(known: Known) -> Said:
    """What is owed, or that nothing is."""
    owed = [money(minor, one, digits_of(one)) for one, minor in known.owes if minor > 0]
    if owed:
        return phrase("{sums} owed", sums=joined(owed, " + "))
    ahead = [money(minor, one, digits_of(one)) for one, minor in known.prepaid if minor > 0]
    return phrase("{sums} prepaid", sums=joined(ahead, " + ")) if ahead else phrase("Nothing is owed")


OWES, OWED, AHEAD = phrase("Owes"), phrase("We owe them"), phrase("Prepaid")


def _sums(known: Known) -> list[tuple[Phrase, Money]]:
    """What the books hold for them."""
    rows = [(OWES if minor > 0 else OWED, one, abs(minor)) for one, minor in known.owes if minor]
    rows += [(AHEAD, one, minor) for one, minor in known.prepaid if minor]
    return [(words, money(minor, one, digits_of(one))) for words, one, minor in rows]


def _invoice(row: InvoiceRow, paid_minor: int) -> tuple[InvoiceRow, Money, Phrase, str]:
    """A monthly invoice, its sum, how it stands and until when it is to be paid."""
    words, due = paid_words(row.gross_minor, paid_minor), day_name(date.fromisoformat(row.due_on))
    return row, money(row.gross_minor, row.currency, row.digits), words, due


def _refundable(known: Known) -> list[tuple[str, Said]]:
    """The payments of which something may go back."""
    kinds = (PaymentKind.TRANSFER, PaymentKind.TOP_UP)
    return [
        (one.id, joined((desk.KINDS[one.kind], money(one.kept_minor, one.currency, one.digits), one.theirs or "")))
        for one in known.payments
        if one.kind in kinds and one.state is PaymentState.CAPTURED and one.kept_minor > 0
    ]


def router(paper: Paper) -> APIRouter:
    """``/money/accounts/{key}``, and money moved by hand."""
    pages, routes = Account(paper), routes_of(paper)
    routes.add_api_route(DESK + "/{key}", pages.show, methods=["GET"])
    routes.add_api_route(DESK + "/{key}/{what}", pages.do, methods=["POST"])
    routes.add_api_route(DESK + "/{key}/{what}", pages.show, methods=["GET"])
    return routes
