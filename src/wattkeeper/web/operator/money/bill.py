"""One bill: what it comes to and why, what else was issued for its session, and how the books have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.evidence import kwh
from wattkeeper.charging.money.billing import say
from wattkeeper.charging.money.discrepancy import OURS
from wattkeeper.charging.money.ledger import EntryKind
from wattkeeper.charging.money.numbered import DocumentKind, Explanation
from wattkeeper.charging.money.tariffs.assignment import why as why_tariff
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Money, Phrase, Said, phrase
from wattkeeper.operations.money.papers.explaining import ROUNDING
from wattkeeper.operations.money.papers.papers import may_make_out
from wattkeeper.operations.money.tariffs.prices import GRADES as EVIDENCE
from wattkeeper.store.money import bill as store
from wattkeeper.store.money import ledger, worklist
from wattkeeper.store.money.bill import BillRow, Sought
from wattkeeper.store.money.ledger import EntryRow
from wattkeeper.store.money.proposal import Deed, ProposalRow, Wish
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.stations import station as stations
from wattkeeper.web.api.money.papers import sent
from wattkeeper.web.operator.money import typed
from wattkeeper.web.operator.money.bills import DESK, KINDS
from wattkeeper.web.operator.money.desks import account, page, payer
from wattkeeper.web.operator.money.lines import rows
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.operator.people.names import Place, place_of
from wattkeeper.web.operator.said import money
from wattkeeper.web.problem import STATUS

MOST = 500
TITLES = {
    DocumentKind.BILL: phrase("Bill {number}"),
    DocumentKind.CORRECTION: phrase("Correction {number}"),
    DocumentKind.CREDIT_NOTE: phrase("Credit note {number}"),
}
ENTRIES: dict[EntryKind, Phrase] = {
    EntryKind.CHARGE: phrase("Charged"),
    EntryKind.CREDIT: phrase("Credit"),
    EntryKind.PAYMENT: phrase("Payment"),
    EntryKind.REFUND: phrase("Refund"),
    EntryKind.WRITE_OFF: phrase("Write-off"),
    EntryKind.PAYOUT: phrase("Payout"),
    EntryKind.SHARE: phrase("Share of the host"),
    EntryKind.TOP_UP: phrase("Top-up"),
}
BY_ITSELF = phrase("by itself")
DID = {
    "billed": Word(phrase("It is billed, and waits no more."), phrase("This is the bill.")),
    "corrected": Word(phrase("It is corrected."), phrase("No bill was changed: this one adds the difference.")),
    "agreed": Word(phrase("You agreed, and it is done."), phrase("This came of it.")),
}
EMPTY = dict.fromkeys((*typed.WISH, *typed.BUYER), "")


@dataclass(frozen=True, slots=True)
class Document:
    """Something that was issued for a session."""

    row: BillRow
    kind: Phrase
    gross: Money
    by: str


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry of the books: what it is, and each account with what it was given."""

    row: EntryRow
    kind: Phrase
    lines: list[tuple[str, Money]]


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything that is known of a bill."""

    row: BillRow
    why: Explanation
    documents: list[BillRow]
    entries: list[EntryRow]
    place: Place
    has_session: bool
    """Whether its session is still kept."""
    proposed: ProposalRow | None

    @property
    def billed_minor(self) -> int:
        """What all documents of the session come to."""
        return sum(one.gross_minor for one in self.documents)

    def money(self, minor: int) -> Money:
        """An amount in its currency."""
        return money(minor, self.row.currency, self.row.digits)


class OneBill:
    """``/money/bills/{number}``, and what can be done about it."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, number: str, did: str = "") -> Response:
        """The bill."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        return await self._page(request, viewer, number, word=DID.get(did))

    async def _whole(self, viewer: Viewer, number: str) -> Whole:
        """Everything that is known of a bill; Refusal NOT_FOUND."""
        row, why = await self._rooms.bills.explain(viewer, number)
        async with self._rooms.store.read() as connection:
            documents = (await store.find(connection, viewer, Sought(session=row.session), MOST))[::-1]
            entries = await ledger.of_ref(connection, viewer, number)
            station = await stations.seen(connection, viewer, row.station)
            known = await sessions.one(connection, viewer, row.session)
            proposed = await worklist.proposed_for(connection, viewer, row.session)
        place = place_of(station) if station else Place(row.station, row.station, "", None)
        return Whole(row, why, documents, entries, place, known is not None, proposed)

    async def _page(
        self, request: Request, viewer: Viewer, number: str, status: int = 200, opens: str = "", **given: Any
    ) -> Response:
        """The page; ``opens``: which of its forms is unfolded."""
        whole = await self._whole(viewer, number)
        row, why = whole.row, whole.why
        context: dict[str, Any] = {
            "whole": whole,
            "bill": row,
            "kind": KINDS[row.kind],
            "title": TITLES[row.kind].filled(number=number),
            "answer": whole.money(row.gross_minor),
            "energy": kwh(f"{why.usage.energy_wh:f}"),
            "lines": rows(why),
            "sums": [whole.money(minor) for minor in (row.net_minor, row.vat_minor, row.gross_minor)],
            "notes": [*_notes(whole)],
            "evidence": EVIDENCE[why.grade],
            "reasons": [say(one) for one in why.reasons],
            "why_tariff": why_tariff(why.rank, why.subject),
            "payer": payer(row.person, viewer),
            "documents": await self._documents(viewer, whole),
            "in_all": whole.money(whole.billed_minor),
            "booked": [_booked(whole, one, viewer) for one in whole.entries],
            "may_write": viewer.may(Scope.BILLS_WRITE) and whole.has_session and whole.proposed is None,
            "may_make_out": may_make_out(viewer, row.person),
            "typed": EMPTY | {"seen": typed.said(await self._rooms.bills.seen(viewer, row.session))},
            "opens": opens,
            "logged": await self._rooms.log.words("bill", number),
        }
        return page(self._paper, request, DESK, "bill.html", viewer, status=status, **(context | given))

    async def _documents(self, viewer: Viewer, whole: Whole) -> list[Document]:
        """Everything that was issued for the session, in order."""
        by = await self._rooms.names.said(viewer, (one.by for one in whole.documents))
        return [
            Document(one, KINDS[one.kind], whole.money(one.gross_minor), BY_ITSELF if one.by == OURS else by[one.by])
            for one in whole.documents
        ]

    # --- what can be done -------------------------------------------------------------------------------------

    async def correct(self, request: Request, number: str) -> Response:
        """Issue what corrects it, or propose that; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ, Scope.BILLS_WRITE)
        form = EMPTY | await form_of(request)
        row, _ = await self._rooms.bills.explain(viewer, number)
        try:
            wish = await wish_of(self._paper, viewer, row.session, Deed.CORRECT, form)
            done = await self._rooms.bills.do(viewer, row.session, wish, typed.seen(form["seen"]))
        except Refusal as refusal:
            word = Word(phrase("Nothing was corrected."), refusal.why, "harm")
            return await self._page(request, viewer, number, STATUS[refusal.code], "correct", word=word, typed=form)
        if done.number is None:
            return RedirectResponse(f"/money/waiting/{row.session}?did=proposed", 303)
        return RedirectResponse(f"{DESK}/{done.number}?did=corrected", 303)

    async def invoice(self, request: Request, number: str) -> Response:
        """It as an invoice made out to somebody; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        form = EMPTY | await form_of(request)
        await self._rooms.bills.explain(viewer, number)
        try:
            return sent(await self._rooms.papers.invoice(viewer, number, typed.buyer(form)))
        except Refusal as refusal:
            word = Word(phrase("No invoice was made."), refusal.why, "harm")
            return await self._page(request, viewer, number, STATUS[refusal.code], "invoice", word=word, typed=form)


async def wish_of(paper: Paper, viewer: Viewer, session: str, deed: Deed, form: Mapping[str, str]) -> Wish:
    """What a form asks for; Refusal INVALID where a number is none."""
    if deed is not Deed.CORRECT:
        return Wish(deed=deed, said=form["reason"])
    energy = typed.number(form["kwh"], phrase("Energy"))
    amount = typed.number(form["amount"], phrase("Amount with tax"))
    if energy is not None and amount is not None:
        raise Refusal(Code.INVALID, phrase("Say either the energy or the amount, and leave the other empty."))
    minor = None if amount is None else await paper.rooms.bills.minor_of(viewer, session, amount)
    return Wish(deed=deed, said=form["reason"], energy_wh=None if energy is None else energy * 1000, gross_minor=minor)


def _notes(whole: Whole) -> list[Said]:
    """How it was rounded, the tax by rate having its own column."""
    smallest = money(1, whole.row.currency, whole.row.digits)
    return [ROUNDING.filled(smallest=smallest)]


def _booked(whole: Whole, entry: EntryRow, viewer: Viewer) -> Booked:
    """An entry as the page tells it."""
    digits = whole.row.digits
    lines = [(account(one.account, viewer), money(one.amount_minor, one.currency, digits)) for one in entry.lines]
    return Booked(entry, ENTRIES[entry.kind], lines)


def router(paper: Paper) -> APIRouter:
    """``/money/bills/{number}``, and what can be done about it."""
    pages, routes = OneBill(paper), routes_of(paper)
    routes.add_api_route(DESK + "/{number}", pages.show, methods=["GET"])
    routes.add_api_route(DESK + "/{number}/correct", pages.correct, methods=["POST"])
    routes.add_api_route(DESK + "/{number}/invoice", pages.invoice, methods=["POST"])
    routes.add_api_route(DESK + "/{number}/correct", pages.show, methods=["GET"])
    routes.add_api_route(DESK + "/{number}/invoice", pages.show, methods=["GET"])
    return routes
