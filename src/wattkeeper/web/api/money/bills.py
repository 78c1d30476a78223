"""Bills, corrections and credit notes: what was billed, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.identifiers import parse
from wattkeeper.charging.money.line import Line, LineKind, Part
from wattkeeper.charging.money.numbered import DocumentKind, Explanation, Tax
from wattkeeper.charging.money.usage import Known
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.papers.explaining import explained
from wattkeeper.operations.money.papers.proved import receipt_file
from wattkeeper.store.money import bill as bills
from wattkeeper.store.money.bill import BillRow, Sought
from wattkeeper.store.money.tariffs.ocpi import to_ocpi
from wattkeeper.store.money.tariffs.reckoning import text
from wattkeeper.web.api.shapes import (
    Amount,
    BillsReader,
    Here,
    Identity,
    Instant,
    Nothing,
    Paged,
    SessionId,
    Words,
    cursor_of,
    place_of,
)
from wattkeeper.web.api.shapes import Line as Text
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["bills"])
Number = Annotated[str, Path(max_length=32, description="Such as 2026-000123.")]
SaidSession = Annotated[str, StringConstraints(max_length=64)]
Minor = "Minor units of the currency (cents), below zero what it gives back."


class Bill(BaseModel):
    """A bill, correction or credit note; its amounts are what it adds to what the session costs."""

    number: str = Field(examples=["2026-000123"])
    kind: DocumentKind
    session: SessionId
    station: str
    site: str
    group: str
    person: str | None = Field(description="Who pays, by the id; null where that is not yours to know.")
    tariff: str
    tariff_version: int
    currency: str
    digits: int = Field(description="Digits of the minor unit after the point: 550 with 2 digits is 5.50.")
    net_minor: int = Field(description=Minor)
    vat_minor: int = Field(description=Minor)
    gross_minor: int = Field(description=Minor)
    energy_wh: Amount
    started_at: datetime
    ended_at: datetime
    issued_at: datetime
    grade: Grade
    corrects: str | None = Field(description="The number of the bill that it corrects.")
    reason: str | None = Field(description="Why it was corrected, in the words of who did it.")
    by: Words
    digest: str = Field(description="SHA-256 of its content (`/bills/{number}/content`), hexadecimal.")


class BillList(BaseModel):
    """Bills, corrections and credit notes, the newest first."""

    items: list[Bill]
    next: str | None


class TaxSum(BaseModel):
    """What is to pay at one rate of tax."""

    vat_percent: str | None = Field(description="Null: no VAT applies.")
    net_minor: int
    vat_minor: int


class Stretch(BaseModel):
    """A stretch of a line: from when to when, how much, and how the meter is known at both ends."""

    since: datetime
    until: datetime
    used: Amount = Field(description="Wh, seconds or sessions.")
    since_known: Known
    until_known: Known
    since_wh: Amount | None = Field(description="The register, as it counts.")
    until_wh: Amount | None


class ExplainedLine(BaseModel):
    """Quantity times unit price."""

    kind: LineKind
    quantity: Amount = Field(description="As billed: what was used, rounded up to the step.")
    used: Amount
    unit: str
    unit_price: str = Field(description="Major units, with tax where the tariff includes it.")
    vat_percent: str | None
    step_size: int
    net_minor: int
    vat_minor: int
    gross_minor: int
    exact_net: str = Field(description="Before rounding, major units.")
    exact_gross: str
    parts: list[Stretch]


class LineWords(BaseModel):
    """A line in words, in the language of whoever asks."""

    what: Words
    how: Words
    net: Words
    vat: Words
    gross: Words
    spans: list[Words]


class BillWords(BaseModel):
    """The whole bill in words, in the language of whoever asks."""

    title: Words
    facts: list[Words]
    lines: list[LineWords]
    net: Words
    vat: Words
    gross: Words
    notes: list[Words]


class BillExplained(BaseModel):
    """A bill, and why it says what it says."""

    bill: Bill
    lines: list[ExplainedLine] = Field(description="What the session comes to, by the one money function.")
    extra: list[TaxSum] = Field(description="What a person added or took off.")
    before: list[TaxSum] = Field(description="What was billed for this session before.")
    adds: list[TaxSum] = Field(description="What this document adds: the lines and the extra, without what was before.")
    told_minor: int = Field(description="What it comes to as the station told it, with tax.")
    told_wh: Amount
    tariff: dict[str, Any] = Field(description="The tariff in OCPI terms.")
    words: BillWords
    documents: list[Bill] = Field(description="Everything that was issued for this session, in order.")


class BillFilter(Paged):
    """Which bills."""

    kind: DocumentKind | Nothing = None
    session: SaidSession | Nothing = None
    station: Identity | Nothing = None
    site: Text | Nothing = None
    tariff: Text | Nothing = None
    since: Instant | Nothing = Field(None, description="Issued at this instant or later.")
    until: Instant | Nothing = Field(None, description="Issued before this instant.")


@router.get("/bills")
async def find_bills(rooms: Here, viewer: BillsReader, wanted: Annotated[BillFilter, Query()]) -> BillList:
    """What was billed, the newest first; a driver's own."""
    session = None if wanted.session is None else parse(wanted.session) or ""
    names = ("kind", "station", "site", "tariff", "since", "until")
    sought = Sought(session=session, **{name: getattr(wanted, name) for name in names})
    place = place_of(wanted.cursor)
    before = None if place is None else (place[0], _whole(place[1]))
    async with rooms.store.read() as connection:
        rows = await bills.find(connection, viewer, sought, wanted.limit + 1, before)
    kept = rows[: wanted.limit]
    more = cursor_of(kept[-1].issued_at, str(kept[-1].place)) if len(rows) > wanted.limit else None
    return BillList(items=await told(rooms, viewer, kept), next=more)


@router.get("/bills/{number}")
async def explain_bill(rooms: Here, viewer: BillsReader, number: Number) -> BillExplained:
    """One bill, and why it says what it says; a driver's own."""
    row, why = await rooms.bills.explain(viewer, number)
    async with rooms.store.read() as connection:
        others = await bills.find(connection, viewer, Sought(session=row.session), 500)
    shown_ = await told(rooms, viewer, [row, *reversed(others)])
    return _explained(shown_[0], shown_[1:], row, why, rooms)


CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Usage, tariff and lines as canonical JSON, byte for byte as its digest was made of it.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.get("/bills/{number}/content", responses=CONTENT, response_class=Response, response_model=None)
async def bill_content(rooms: Here, viewer: BillsReader, number: Number) -> Response:
    """All that is needed to work a bill out again, for anyone to keep and to check; a driver's own."""
    async with rooms.store.read() as connection:
        content = await bills.content(connection, viewer, number)
    if content is None:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such bill. Is its number right?"))
    headers = {"Content-Disposition": f'attachment; filename="{number}.json"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/json", headers=headers)


RECEIPT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Its `content`, and the `proof` that it is in the log; null while no checkpoint covers it.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.get("/bills/{number}/receipt", responses=RECEIPT, response_class=Response, response_model=None)
async def bill_receipt(rooms: Here, viewer: BillsReader, number: Number) -> Response:
    """A bill to keep: all that it is worked out from, and the proof that it is in the log; a driver's own."""
    file = await receipt_file(rooms.store, rooms.log, viewer, number)
    headers = {"Content-Disposition": f'attachment; filename="{number}-receipt.json"', "Cache-Control": "no-store"}
    return Response(file, media_type="application/json", headers=headers)


async def told(rooms: Rooms, viewer: Viewer, rows: list[BillRow]) -> list[Bill]:
    """Bills as the API tells them: who pays only to who may know it."""
    by = await rooms.names.said(viewer, (row.by for row in rows))
    return [_bill(row, viewer, by[row.by]) for row in rows]


def _bill(row: BillRow, viewer: Viewer, by: str) -> Bill:
    knows = viewer.may(Scope.PERSONS_READ) or row.person == viewer.person
    same = {name: getattr(row, name) for name in Bill.model_fields if hasattr(row, name)}
    return Bill(**same | {"person": row.person if knows else None, "tariff_version": row.version, "by": by})


def _explained(one: Bill, documents: list[Bill], row: BillRow, why: Explanation, rooms: Rooms) -> BillExplained:
    words = explained(row, why, rooms.settings.zone)
    heads = {name: getattr(words, name) for name in ("title", "net", "vat", "gross")}
    lines = [
        LineWords(**{name: getattr(line, name) for name in ("what", "how", "net", "vat", "gross")}, spans=[*line.spans])
        for line in words.lines
    ]
    return BillExplained(
        bill=one,
        lines=[_line(line) for line in why.bill.lines],
        extra=[_tax(tax) for tax in why.extra],
        before=[_tax(tax) for tax in why.before],
        adds=[_tax(tax) for tax in why.adds],
        told_minor=why.told_minor,
        told_wh=why.told_wh,
        tariff=to_ocpi(why.tariff),
        words=BillWords(**heads, facts=[*words.facts], lines=lines, notes=[*words.notes]),
        documents=documents,
    )


def _line(line: Line) -> ExplainedLine:
    names = ("kind", "quantity", "used", "unit", "step_size", "net_minor", "vat_minor", "gross_minor")
    return ExplainedLine(
        **{name: getattr(line, name) for name in names},
        unit_price=text(line.unit_price),
        exact_net=text(line.exact_net),
        exact_gross=text(line.exact_gross),
        vat_percent=None if line.vat_percent is None else text(line.vat_percent),
        parts=[_stretch(part) for part in line.parts],
    )


def _stretch(part: Part) -> Stretch:
    return Stretch(**{name: getattr(part, name) for name in Stretch.model_fields})


def _tax(tax: Tax) -> TaxSum:
    percent = None if tax.vat_percent is None else text(tax.vat_percent)
    return TaxSum(vat_percent=percent, net_minor=tax.net_minor, vat_minor=tax.vat_minor)


def _whole(key: str) -> int:
    """The place in a cursor."""
    return int(key) if key.isdecimal() else 0
