"""Payments: what needs a person about them, each payment with its state, and money that came to the bank, entered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.payments.paying import why_declined
from wattkeeper.charging.money.payments.payment import Differs, PaymentKind, PaymentState
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Money, Phrase, Said, counted, joined, phrase
from wattkeeper.store.money.payments import deed as deeds
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments import told
from wattkeeper.store.money.payments.deed import DeedRow, DeedState, MoneyDeed
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.store.money.payments.told import DifferenceRow
from wattkeeper.web.api.shapes import cut, place_of
from wattkeeper.web.operator.money import typed
from wattkeeper.web.operator.money.desks import page, payer
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.operator.said import money
from wattkeeper.web.problem import STATUS

DESK = "/money/payments"
PER_PAGE = 50
MOST_OPEN = 50
EMPTY = {"amount": "", "reference": "", "number": ""}
DID = {
    "entered": Word(phrase("The payment is entered.")),
    "proposed": Word(phrase("It is much, so it waits for a second person."), phrase("It is entered once they agree.")),
    "settled": Word(phrase("It is settled.")),
    "asked": Word(phrase("The card was charged again."), phrase("The newest payment says what came of it.")),
    "agreed": Word(phrase("You agreed, and it is done.")),
    "rejected": Word(phrase("The proposal is turned down.")),
}
STATES: Mapping[PaymentState, tuple[Phrase, str]] = {
    PaymentState.ASKED: (phrase("asked"), ""),
    PaymentState.WAITING: (phrase("waits for the driver"), ""),
    PaymentState.AUTHORISED: (phrase("reserved"), ""),
    PaymentState.CAPTURED: (phrase("paid"), ""),
    PaymentState.CANCELLED: (phrase("not taken"), ""),
    PaymentState.DECLINED: (phrase("declined"), "look"),
}
KINDS: Mapping[PaymentKind, Phrase] = {
    PaymentKind.CHARGE: phrase("Session, by card"),
    PaymentKind.TOP_UP: phrase("Top-up"),
    PaymentKind.TRANSFER: phrase("Bank transfer"),
    PaymentKind.SETUP: phrase("Card left"),
}
DIFFER: Mapping[Differs, Phrase] = {
    Differs.AMOUNT: phrase("The provider says another amount"),
    Differs.CURRENCY: phrase("The provider says another currency"),
    Differs.UNKNOWN: phrase("The provider tells of money that nobody here asked for"),
    Differs.STATE: phrase("The provider says what cannot follow on what we know"),
    Differs.DISPUTED: phrase("A driver disputes a payment with their bank"),
    Differs.UNDONE: phrase("The provider will not do what was asked"),
}
DEEDS: Mapping[MoneyDeed, Phrase] = {
    MoneyDeed.WRITE_OFF: phrase("Give up {amount}"),
    MoneyDeed.REFUND: phrase("Give back {amount}"),
    MoneyDeed.PAYOUT: phrase("Pay out {amount} to the host of {site}"),
    MoneyDeed.ENTER: phrase("Enter {amount} that came to the bank"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A payment as a line of the list."""

    payment: PaymentRow
    what: Phrase
    state: Phrase
    weight: str
    who: str
    amount: Money
    back: str
    session: str
    why: str
    """Why it was declined; empty: it was not."""
    may_ask: bool


@dataclass(frozen=True, slots=True)
class Open:
    """A difference that waits."""

    id: str
    what: Phrase
    why: Said
    at: Any


@dataclass(frozen=True, slots=True)
class Proposed:
    """What takes a second person."""

    id: str
    what: Phrase
    why: Said
    at: Any
    is_own: bool


class Payments:
    """``/money/payments``"""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, did: str = "") -> Response:
        """The list, and what needs a person."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        return await self._page(request, viewer, DID.get(did))

    async def _page(
        self, request: Request, viewer: Viewer, word: Word | None, status: int = 200, form: Mapping[str, str] = EMPTY
    ) -> Response:
        state = _state_of(request.query_params.get("state", ""))
        before = list_place(request.query_params.get("before", ""))
        async with self._rooms.store.read() as connection:
            found = await payments.find(connection, viewer, PER_PAGE + 1, state=state, before=before)
            differing = await told.differences(connection, viewer, MOST_OPEN)
            wanted = await deeds.find(connection, viewer, MOST_OPEN, state=DeedState.OPEN)
        kept, more = cut(found, PER_PAGE, lambda row: (row.created_at, row.id))
        by = await self._rooms.names.said(viewer, [row.created_by for row in wanted])
        query = {"before": more} | ({"state": state.value} if state else {})
        given: dict[str, Any] = {
            "answer": _answer(len(differing), len(wanted)),
            "rows": [row_of(row, viewer) for row in kept],
            "more": f"{DESK}?{urlencode(query)}" if more else None,
            "states": {one.value: words for one, (words, _) in STATES.items()},
            "state": "" if state is None else state.value,
            "differing": [_open(row) for row in differing],
            "wanted": [proposed_of(row, by[row.created_by], viewer) for row in wanted],
            "may_write": viewer.may(Scope.BILLS_WRITE),
            "has_provider": self._rooms.payments.provider is not None,
            "currency": self._rooms.settings.pay_currency,
            "typed": form,
        }
        return page(self._paper, request, DESK, "payments.html", viewer, status=status, word=word, **given)

    # --- what is done -----------------------------------------------------------------------------------------

    async def enter(self, request: Request) -> Response:
        """Enter money that came to the bank for a monthly invoice; or say why not, and keep what was typed."""
        viewer, form = await self._writer(request), EMPTY | await form_of(request)
        try:
            minor = typed.minor(form["amount"], self._rooms.settings.pay_currency, phrase("The amount"))
            number = form["number"].upper()
            row = await self._rooms.payments.wallets.enter(viewer, "", (minor, ""), form["reference"], number=number)
        except Refusal as refusal:
            word = Word(phrase("Nothing was entered."), refusal.why, "harm")
            return await self._page(request, viewer, word, STATUS[refusal.code], form)
        did = "entered" if row.state is PaymentState.CAPTURED else "proposed"
        return RedirectResponse(f"{DESK}?did={did}", 303)

    async def again(self, request: Request, payment: str) -> Response:
        """Charge a card again for what was declined."""
        viewer = await self._writer(request)
        async with self._rooms.store.read() as connection:
            row = await payments.one(connection, viewer, payment)
        if row is None or row.session is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such payment."))
        await self._rooms.payments.wallets.try_again(viewer, row.session)
        return RedirectResponse(f"{DESK}?did=asked", 303)

    async def settle(self, request: Request, difference: str) -> Response:
        """Settle a difference, and say how."""
        viewer, form = await self._writer(request), await form_of(request)
        return await self._done(
            request,
            viewer,
            "settled",
            self._rooms.payments.wallets.settle_difference(viewer, difference, form.get("reason", "")),
        )

    async def agree(self, request: Request, deed: str) -> Response:
        """Do what somebody else proposed."""
        viewer = await self._writer(request)
        return await self._done(request, viewer, "agreed", self._rooms.payments.deeds.agree(viewer, deed))

    async def reject(self, request: Request, deed: str) -> Response:
        """Turn a proposal down."""
        viewer = await self._writer(request)
        return await self._done(request, viewer, "rejected", self._rooms.payments.deeds.reject(viewer, deed))

    async def _done(self, request: Request, viewer: Viewer, did: str, deed: Any) -> Response:
        """Do it, and say so; or say why not."""
        try:
            await deed
        except Refusal as refusal:
            if refusal.code is Code.NOT_FOUND:
                raise
            word = Word(phrase("Nothing was done."), refusal.why, "harm")
            return await self._page(request, viewer, word, STATUS[refusal.code])
        return RedirectResponse(f"{DESK}?did={did}", 303)

    async def _writer(self, request: Request) -> Viewer:
        return await self._paper.need_viewer(request, Scope.BILLS_READ, Scope.BILLS_WRITE)


def _state_of(text: str) -> PaymentState | None:
    return PaymentState(text) if text in set(PaymentState) else None


def list_place(text: str) -> Any:
    """The place in the list where a page begins; what makes no sense is the beginning."""
    at, _, key = text.partition(".")
    return place_of(text) if at.lstrip("-").isdecimal() and len(at) < 19 and len(key) <= 60 else None


def _answer(differing: int, wanted: int) -> tuple[Said, Said]:
    """The page's answer: whether something about payments needs a person."""
    lead: Said = phrase("Where the provider and we do not agree, it appears here.")
    if differing:
        lead = phrase("Nothing was changed by what differs. Look, settle it there or here, and say how.")
    if wanted:
        lead = counted("1 waits for a second person.", "{count} wait for a second person.", wanted)
    if not differing:
        return phrase("Payments agree"), lead
    return counted("1 payment differs", "{count} payments differ", differing), lead


def row_of(row: PaymentRow, viewer: Viewer) -> Row:
    """A payment as a line of a list."""
    words, weight = STATES[row.state]
    if row.provider == payments.BANK and row.state is PaymentState.WAITING:
        words = phrase("waits for a second person")
    amount = row.captured_minor or row.asked_minor
    return Row(
        payment=row,
        what=KINDS[row.kind],
        state=words,
        weight=weight,
        who=payer(row.person, viewer),
        amount=money(amount, row.currency, row.digits),
        back=money(row.refunded_minor, row.currency, row.digits) if row.refunded_minor else "",
        why=why_declined(row.fault),
        session="" if row.session is None else shown(row.session),
        may_ask=row.state is PaymentState.DECLINED and row.session is not None and viewer.may(Scope.BILLS_WRITE),
    )


REASON, REFERENCE = phrase("Reason: {said}"), phrase("Reference: {said}")
OURS, THEIRS = phrase("We have {amount}."), phrase("They say {amount}.")
CALLED = phrase("There it is called {name}.")


def _open(row: DifferenceRow) -> Open:
    parts: list[Said] = []
    for words, minor, currency in (
        (OURS, row.ours_minor, row.ours_currency),
        (THEIRS, row.theirs_minor, row.theirs_currency),
    ):
        if minor is not None and currency:
            parts.append(words.filled(amount=money(minor, currency, digits_of(currency))))
    return Open(row.id, DIFFER[row.kind], joined([*parts, CALLED.filled(name=row.theirs)]), row.created_at)


def proposed_of(row: DeedRow, by: str, viewer: Viewer) -> Proposed:
    """A deed that waits for a second person."""
    amount = money(row.amount_minor, row.currency, row.digits)
    site = {"site": row.site or "–"} if row.deed is MoneyDeed.PAYOUT else {}
    said = REFERENCE if row.deed in (MoneyDeed.ENTER, MoneyDeed.PAYOUT) else REASON
    why = joined((said.filled(said=row.said), phrase("Proposed by {who}.", who=by)), " · ")
    return Proposed(
        row.id, DEEDS[row.deed].filled(amount=amount, **site), why, row.created_at, row.created_by == viewer.name
    )


def router(paper: Paper) -> APIRouter:
    """``/money/payments``"""
    pages, routes = Payments(paper), routes_of(paper)
    routes.add_api_route(DESK, pages.show, methods=["GET"])
    routes.add_api_route(DESK, pages.enter, methods=["POST"])
    routes.add_api_route(DESK + "/{payment}/again", pages.again, methods=["POST"])
    routes.add_api_route("/money/differences/{difference}/settle", pages.settle, methods=["POST"])
    routes.add_api_route("/money/deeds/{deed}/agree", pages.agree, methods=["POST"])
    routes.add_api_route("/money/deeds/{deed}/reject", pages.reject, methods=["POST"])
    return routes
