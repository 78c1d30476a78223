"""Sessions: by month with energy and cost, each with its receipt and why it costs what it does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.identifiers import parse, shown
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Figure, joined, phrase
from wattkeeper.charging.session import SessionState
from wattkeeper.language import tell
from wattkeeper.operations.metering.proofs import Proof
from wattkeeper.operations.money.tariffs.prices import Month, Receipt
from wattkeeper.web.api.money.papers import sent
from wattkeeper.web.api.proofs import sent as signed_file
from wattkeeper.web.driver.charging import where_of
from wattkeeper.web.driver.money import tags
from wattkeeper.web.driver.money.amounts import written
from wattkeeper.web.driver.money.bills import Billing, Bills, Document, because
from wattkeeper.web.driver.paper import Look, Paper, Word, routes_of
from wattkeeper.web.operator import said

MONTH = re.compile(r"(20\d\d|19\d\d)-(0[1-9]|1[0-2])")
IN_FULL, DAY, OF_YEAR = phrase("EEEE, d MMMM y"), phrase("d MMM"), phrase("MMMM y")
"""How dates are written (Unicode TR 35 patterns)."""
MISHEARD = phrase("That is not the id of any session: a character was misread or mistyped. It looks like K7QM-4XRD-2.")
NOT_YOURS = phrase("None of your sessions has this id.")
HOLDS = phrase("We checked the signature: it holds.")
SO_FAR, COST, TOTAL = phrase("Cost so far"), phrase("Cost"), phrase("Total")
TO_PAY, AS_TOLD = phrase("To pay"), phrase("As the station told it")
UNBILLED = phrase("You pay nothing for it until a person has looked at it.")
PINNED = phrase(
    "The price is the one that held when you started: version {version} of the price list. A price that changes later"
    " changes nothing about this session."
)
COUNTED = phrase(
    "Energy is what the station’s meter counted between your start and your end. Time counts as charging while the"
    " meter rises, and as plugged in while it stands still; what no reading proves is never billed."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A month with its sums, and the months of yours beside it."""

    name: str
    energy_wh: Decimal
    cost: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Row:
    """A session in the list."""

    href: str
    where: str
    when: str
    energy_wh: Decimal | None
    cost: str
    look: Look | None


@dataclass(frozen=True, slots=True)
class Told:
    """A session with its receipt."""

    id: str
    where: str
    when: str
    live: bool
    energy_wh: Decimal | None
    cost: str
    cost_name: str
    total_name: str
    word: Word | None
    lines: Sequence[tags.Billed]
    tax: tags.Billed | None
    no_bill: str
    why: Sequence[str]
    facts: Sequence[tuple[str, str]]
    documents: Sequence[Document]
    """What was issued for it."""
    checked: Sequence[str]
    """Why a person looks at it."""
    writes_invoices: bool
    mail: str
    """Where to write, with the session named; empty where nowhere is told."""


def look_of(receipt: Receipt) -> Look | None:
    """What a list says of a session beside its figures."""
    if receipt.live:
        flows = receipt.state is SessionState.CHARGING
        return Look(phrase("Charging"), "on breathes", "flow") if flows else Look(phrase("Plugged in"), "half")
    if receipt.waits is not None:
        return Look(phrase("Being checked"), "look", "look")
    return Look(phrase("Waived"), "none") if receipt.is_waived else None


def costs_of(month: Month) -> str:
    """A month's costs, one currency after the other."""
    costs = [written(Decimal(minor).scaleb(-digits), currency, digits) for currency, minor, digits in month.costs]
    return joined(costs, " + ") or said.NOTHING


def named(month: str) -> str:
    """``2026-03`` as people say it."""
    year, number = month.split("-")
    return said.dated(date(int(year), int(number), 1), OF_YEAR)


class Sessions:
    """``/app/sessions`` and each of them."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms
        self._times = paper.times
        self._bills = Bills(paper)

    async def show(self, request: Request, month: str = "", q: str = "") -> Response:
        """A month; an id that was typed leads straight to its session."""
        viewer = await self._paper.need_viewer(request)
        fault = ""
        if q.strip():
            found = parse(q)
            if found is not None and await self._is_mine(viewer, found):
                return RedirectResponse(f"/app/sessions/{found}", 303)
            fault = MISHEARD if found is None else NOT_YOURS
        return await self._page(request, viewer, month, asked=q.strip()[:64], fault=fault)

    async def _is_mine(self, viewer: Viewer, session: str) -> bool:
        try:
            await self._rooms.prices.receipt(viewer, session)
        except Refusal as refusal:
            if refusal.code is not Code.NOT_FOUND:
                raise
            return False
        return True

    async def _page(self, request: Request, viewer: Viewer, month: str, **given: Any) -> Response:
        """The month that was asked for, else this one, or the newest there is."""
        months = await self._rooms.prices.months(viewer)
        current = f"{self._times.local(self._rooms.store.clock()):%Y-%m}"
        wanted = month if MONTH.fullmatch(month) else (months[0].month if months else current)
        history = await self._rooms.prices.history(viewer, wanted)
        rows = [self._row(one) for one in history]
        statement = f"/app/statements/{wanted}" if any(one.documents for one in history) else ""
        status = 404 if given.get("fault") else 200
        context = {"month": self._month(months, wanted), "sessions": rows, "statement": statement, **given}
        return await self._paper.page(request, "sessions.html", viewer, status=status, **context)

    def _month(self, months: Sequence[Month], wanted: str) -> Shown:
        """The sums, and the nearest months that have sessions."""
        found = next((one for one in months if one.month == wanted), None)
        before = max((one.month for one in months if one.month < wanted), default="")
        after = min((one.month for one in months if one.month > wanted), default="")
        energy = found.energy_wh if found else Decimal(0)
        return Shown(named(wanted), energy, costs_of(found) if found else said.NOTHING, before, after)

    def _row(self, receipt: Receipt) -> Row:
        when = self._times.when(receipt.started_at, self._rooms.store.clock())
        span = said.duration(timedelta(seconds=receipt.duration_s))
        shown_when, cost = joined((_plain(when), span), ", "), tags.owed(receipt)
        href = f"/app/sessions/{receipt.session}"
        return Row(href, receipt.name, shown_when, receipt.energy_wh, cost, look_of(receipt))

    async def one(self, request: Request, id: str) -> Response:
        """A session with its receipt; an id as it is said is forgiven its dashes."""
        viewer = await self._paper.need_viewer(request)
        session = parse(id)
        if session is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such session."))
        receipt = await self._rooms.prices.receipt(viewer, session)
        billing = await self._bills.of(viewer, session)
        told: dict[str, Any] = {
            "one": self._told(receipt, billing),
            "signed": _signed(await self._rooms.proofs.of(viewer, session)),
            "logged": {one.number: await self._rooms.log.words("bill", one.number) for one in billing.documents},
        }
        return await self._paper.page(request, "session.html", viewer, **told)

    async def signed(self, request: Request, id: str) -> Response:
        """What the meter of a session signed, as the transparency software reads it."""
        viewer = await self._paper.need_viewer(request)
        session = parse(id)
        if session is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such session."))
        return signed_file(session, await self._rooms.proofs.file(viewer, session))

    async def printed(self, request: Request, number: str) -> Response:
        """A bill of theirs as PDF."""
        viewer = await self._paper.need_viewer(request)
        return sent(await self._rooms.papers.receipt(viewer, number))

    async def statement(self, request: Request, month: str) -> Response:
        """What was billed in a month, as PDF."""
        viewer = await self._paper.need_viewer(request)
        return sent(await self._rooms.statements.printed(viewer, month))

    def _told(self, receipt: Receipt, billing: Billing) -> Told:
        as_told = receipt.waits is not None and not receipt.documents
        return Told(
            id=receipt.session,
            where=receipt.name,
            when=self._span(receipt),
            live=receipt.live,
            energy_wh=receipt.energy_wh,
            cost=tags.owed(receipt),
            cost_name=AS_TOLD if as_told else SO_FAR if receipt.live else TO_PAY if receipt.documents else COST,
            total_name=AS_TOLD if as_told else TO_PAY if receipt.documents else TOTAL,
            word=_word(receipt),
            lines=[] if receipt.is_waived else billing.lines or tags.lines_of(receipt.bill),
            tax=billing.tax if billing.documents else tags.tax_of(receipt.bill),
            no_bill=receipt.words or phrase("Nothing is to be paid."),
            why=[*_why(receipt)],
            facts=[*self._facts(receipt)],
            documents=billing.documents,
            checked=because(receipt.waits or ()),
            writes_invoices=self._rooms.papers.writes_invoices,
            mail=self._mail(receipt),
        )

    def _span(self, receipt: Receipt) -> str:
        """Day and times."""
        start, end = self._times.local(receipt.started_at), receipt.ended_at and self._times.local(receipt.ended_at)
        day, began = said.dated(start, IN_FULL), f"{start:%H:%M}"
        if receipt.live or end is None:
            return phrase("{day}, since {began}", day=day, began=began)
        ended = f"{end:%H:%M}"
        span = phrase("{day}, {began} to {ended}", day=day, began=began, ended=ended)
        return span if end.date() == start.date() else joined((span, said.dated(end, DAY)), ", ")

    def _facts(self, receipt: Receipt) -> list[tuple[str, str]]:
        """What else is known of it."""
        spans = (
            (phrase("Plugged in"), receipt.duration_s),
            (phrase("Charging time"), receipt.charging_s),
            (phrase("Not charging"), receipt.parking_s),
        )
        facts: list[tuple[str, str]] = [(phrase("Where"), where_of(receipt.address or receipt.name, receipt.evse))]
        facts += [(name, said.duration(timedelta(seconds=span))) for name, span in spans if span]
        if receipt.soc_percent is not None:
            facts.append((phrase("Battery, as the car told"), f"{round(receipt.soc_percent)} %"))
        return [*facts, (phrase("Evidence"), receipt.grade_words)]

    def _mail(self, receipt: Receipt) -> str:
        """A letter to support with the session already named."""
        to = self._rooms.settings.support_mail
        session = phrase("Session {id}", id=shown(receipt.session))
        about = joined((session, receipt.name, self._span(receipt)), ", ")
        body = joined((about, phrase("What went wrong: ")), "\n\n")
        told = f"subject={quote(str(tell(session)))}&body={quote(str(tell(body)))}"
        return f"mailto:{quote(to, safe='@')}?{told}" if to else ""


def _signed(proof: Proof) -> str:
    """What is signed of a session; empty where nothing is."""
    if not proof.records:
        return ""
    ruling = proof.ruling
    if ruling.is_verified and ruling.begin_wh is not None and ruling.end_wh is not None:
        low, high = (Figure(wh.scaleb(-3), 3, "kWh") for wh in (ruling.begin_wh, ruling.end_wh))
        told = phrase("Meter {serial} signed {low} at the beginning and {high} at the end.")
        return joined((told.filled(serial=ruling.serial, low=low, high=high), HOLDS))
    return phrase("The meter {serial} signed its values.", serial=proof.records[0].serial)


def _plain(text: object) -> str:
    """The text of a time element."""
    return re.sub(r"<[^>]*>", "", str(text))


def _word(receipt: Receipt) -> Word | None:
    """What has to be said above the receipt."""
    if receipt.waits is not None:
        billed = phrase("What was billed stands until then.") if receipt.documents else UNBILLED
        return Word(phrase("We are checking this session."), billed)
    if receipt.is_waived:
        return Word(phrase("Waived."), phrase("Nothing is to be paid for this session."))
    if receipt.live or receipt.documents or receipt.bill is None:
        return None
    return Word(phrase("Not billed yet."), phrase("The bill follows in a few minutes: the station may tell more."))


def _why(receipt: Receipt) -> list[str]:
    """Why it costs this."""
    if receipt.is_waived:
        return []
    if receipt.bill is None:
        return [receipt.words or phrase("No price was set when this session began, so nothing is to be paid.")]
    return [PINNED.filled(version=receipt.version), COUNTED, *([receipt.words] if receipt.words else [])]


def router(paper: Paper) -> APIRouter:
    """``/app/sessions`` and each of them."""
    pages, routes = Sessions(paper), routes_of(paper)
    routes.add_api_route("/app/sessions", pages.show, methods=["GET"])
    routes.add_api_route("/app/sessions/{id}", pages.one, methods=["GET"])
    routes.add_api_route("/app/sessions/{id}/signed", pages.signed, methods=["GET"])
    routes.add_api_route("/app/bills/{number}/paper", pages.printed, methods=["GET"])
    routes.add_api_route("/app/statements/{month}", pages.statement, methods=["GET"])
    return routes
