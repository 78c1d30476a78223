"""What was billed for a session and why, what a person still looks at, and an invoice made out to a company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.meter import FindingCode
from wattkeeper.charging.money.billing import Reason, ReasonCode
from wattkeeper.charging.money.numbered import DocumentKind, Explanation
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.operations.money.papers.explaining import Explained, explained
from wattkeeper.operations.money.papers.paper import Party
from wattkeeper.store.money.bill import BillRow
from wattkeeper.web.api.money.papers import sent
from wattkeeper.web.driver.money import tags
from wattkeeper.web.driver.money.amounts import written
from wattkeeper.web.driver.money.buyer import Typed
from wattkeeper.web.driver.paper import Paper, routes_of
from wattkeeper.web.operator import said

F, R = FindingCode, ReasonCode
DAY = phrase("d MMMM y")
"""How dates are written (Unicode TR 35 pattern)."""
TITLES = {
    DocumentKind.BILL: phrase("Bill"),
    DocumentKind.CORRECTION: phrase("Correction: more to pay"),
    DocumentKind.CREDIT_NOTE: phrase("Credit note: less to pay"),
}
CLOCK = phrase("The station’s clock was not right.")
WENT_BACK = phrase("The meter seems to have gone back.")
FIRST_READING = phrase("The first meter reading does not look right.")
NOT_TOGETHER = phrase("The meter and the power that the station told do not fit together.")
TOLD_MORE = phrase("The station told more after it was billed.")
SIGNATURE = phrase("The meter’s signature does not hold.")
SOMETHING = phrase("Something about it does not fit together.")
CHECKED: Mapping[str, Phrase] = {
    F.START_MISSING: phrase("The station did not tell when it began."),
    F.END_ESTIMATED: phrase("The station did not tell when it ended."),
    F.END_CONFLICT: phrase("The station told two different ends."),
    F.UNAUTHORISED: phrase("The station let the car charge before we had agreed to it."),
    F.OTHER_TOKEN_AT_END: phrase("It began with one card and ended with another."),
    F.CLOCK_REVERSED: CLOCK,
    F.CLOCK_AHEAD: CLOCK,
    F.MESSAGES_MISSING: phrase("Part of what the station told has not arrived yet."),
    F.TOLD_OFFLINE: phrase("The station had no connection and told of it later."),
    F.STATION_DEVIATES: phrase("The station told something in an unusual way."),
    F.READINGS_AFTER_END: phrase("The meter was read after the end, too."),
    F.READINGS_CONTRADICT: phrase("The station told two meter readings for one moment."),
    F.NO_REGISTER: phrase("The station told no meter reading."),
    F.FROM_INTERVALS: phrase("The energy had to be added up from parts."),
    F.BASELINE_LATE: phrase("The meter was first read a while after the start."),
    F.END_UNREAD: phrase("The meter was not read at the end."),
    F.REGISTER_ROLLBACK: WENT_BACK,
    F.REGISTER_RESET: WENT_BACK,
    F.REGISTER_RETURNED: WENT_BACK,
    F.ZERO_BASELINE: FIRST_READING,
    F.LIFETIME_REGISTER: FIRST_READING,
    F.IMPLAUSIBLE_POWER: phrase("The meter counted more than this plug can deliver."),
    F.REGISTER_SCALE: NOT_TOGETHER,
    F.POWER_MISMATCH: NOT_TOGETHER,
    F.GAP: phrase("The station told nothing for a while, and time counts in this price."),
    F.SIGNATURE_MISSING: phrase("The meter should have signed what it counted, and a signature is missing."),
    F.SIGNATURE_INVALID: SIGNATURE,
    F.SIGNATURE_FOREIGN: SIGNATURE,
    F.SIGNATURE_REPLAYED: SIGNATURE,
    F.SIGNED_FOR_ANOTHER: SIGNATURE,
    F.SIGNED_OUT_OF_ORDER: SIGNATURE,
    F.SIGNED_OUT_OF_TIME: SIGNATURE,
    F.SIGNED_FAULT: SIGNATURE,
    F.SIGNED_OTHERWISE: phrase("What the meter signed and what the station told are not the same."),
    F.SIGNED_UNCHECKED: phrase("The meter’s signature could not be checked yet."),
    F.IMPORTED: phrase("It was taken over from another system, which metered it; nobody is billed for it here."),
    F.EXPORTED: phrase("Energy flowed back from the car."),
    R.TOLD_LATE: phrase("The station told of it only days later."),
    R.NOBODY_TO_BILL: phrase("It is not clear yet whose session it is."),
    R.COSTS_WITHOUT_ENERGY: phrase("It would cost something, though no energy flowed."),
    R.CHANGED_AFTER_BILLING: TOLD_MORE,
    R.DOUBTED_AFTER_BILLING: TOLD_MORE,
    R.CHANGED_AFTER_WAIVING: phrase("The station told more after it was waived."),
}
"""Why a person looks at a session first, as its driver is told: what the station did, never what they did."""


def because(reasons: Sequence[Reason]) -> list[Phrase]:
    """Why a person looks at a session, each reason once."""
    return list(dict.fromkeys(CHECKED.get(one.code, SOMETHING) for one in reasons))


@dataclass(frozen=True, slots=True)
class Document:
    """Something that was issued for a session."""

    number: str
    title: Phrase
    day: str
    amount: str
    reason: str
    """Why a person changed it, in their words; empty: nobody did."""
    why: Explained


def document(row: BillRow, why: Explanation, times: said.Times) -> Document:
    """A document as its driver sees it."""
    amount = written(Decimal(row.gross_minor).scaleb(-row.digits), row.currency, row.digits)
    day = said.dated(times.local(row.issued_at), DAY)
    return Document(row.number, TITLES[row.kind], day, amount, why.reason or "", explained(row, why, times.zone))


@dataclass(frozen=True, slots=True)
class Billing:
    """Everything that was issued for a session, and what it comes to together."""

    documents: Sequence[Document]
    lines: Sequence[tags.Billed]
    tax: tags.Billed | None


NONE = Billing((), (), None)


class Bills:
    """Tells what was billed, and prints invoices."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def of(self, viewer: Viewer, session: str) -> Billing:
        """What was billed for a session, as far as the viewer may see it."""
        rows = await self._rooms.papers.of_session(viewer, session)
        found = [await self._rooms.bills.explain(viewer, row.number) for row in rows]
        if not found:
            return NONE
        documents = [document(row, why, self._paper.times) for row, why in found]
        (row, why), vat = found[-1], sum(row.vat_minor for row in rows)
        lines = tags.lines_of(why.bill)
        if why.extra:
            added = sum(one.net_minor + one.vat_minor for one in why.extra)
            amount = written(Decimal(added).scaleb(-row.digits), row.currency, row.digits)
            lines.append(tags.Billed(phrase("Changed by a person"), why.reason or "", amount))
        rates = {one.vat_percent for one in why.taxes if one.vat_percent is not None}
        return Billing(documents, lines, tags.taxed(vat, rates, row.currency, row.digits))

    async def form(self, request: Request, number: str) -> Response:
        """To whom the invoice is made out."""
        viewer = await self._paper.need_viewer(request)
        row, _ = await self._rooms.bills.explain(viewer, number)
        if not self._rooms.papers.writes_invoices:
            raise Refusal(Code.NOT_FOUND, phrase("Invoices are not written here."))
        return await self._form(request, viewer, row, Party("", country=self._rooms.settings.seller_country))

    async def invoice(self, request: Request, number: str, typed: Typed) -> Response:
        """The invoice; what cannot be is said beside what was typed."""
        viewer = await self._paper.need_viewer(request)
        row, _ = await self._rooms.bills.explain(viewer, number)
        try:
            return sent(await self._rooms.papers.invoice(viewer, number, typed.printable()))
        except Refusal as refusal:
            if refusal.code is not Code.INVALID:
                raise
            return await self._form(request, viewer, row, typed.party, status=422, fault=refusal.why)

    async def _form(self, request: Request, viewer: Viewer, row: BillRow, buyer: Party, **given: Any) -> Response:
        """The form, with what was typed."""
        about: dict[str, Any] = {
            "number": row.number,
            "action": f"/app/bills/{row.number}/invoice",
            "back": f"/app/sessions/{row.session}",
            "back_text": phrase("Session {id}", id=shown(row.session)),
            "typed": buyer,
            "fault": "",
        }
        return await self._paper.page(request, "invoice.html", viewer, **about | given)


def router(paper: Paper) -> APIRouter:
    """``/app/bills/{number}/invoice``."""
    pages, routes = Bills(paper), routes_of(paper)
    routes.add_api_route("/app/bills/{number}/invoice", pages.form, methods=["GET"])
    routes.add_api_route("/app/bills/{number}/invoice", pages.invoice, methods=["POST"])
    return routes
