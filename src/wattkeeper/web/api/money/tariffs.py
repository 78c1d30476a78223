"""Prices in OCPI terms, and what they come to: receipts, months and one's own history."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.money.bill import Bill as Priced
from wattkeeper.charging.money.line import Line as Item
from wattkeeper.charging.money.line import LineKind
from wattkeeper.charging.money.tariffs.assignment import STANDARD
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.session import SessionState
from wattkeeper.operations.money.tariffs.price_words import said
from wattkeeper.operations.money.tariffs.prices import PriceTag
from wattkeeper.operations.money.tariffs.prices import Receipt as Receipted
from wattkeeper.store.money.tariffs.ocpi import of_ocpi, to_ocpi
from wattkeeper.store.money.tariffs.tariff import TariffRow
from wattkeeper.web.api.money.terms import OcpiTariff
from wattkeeper.web.api.sessions import Spoken
from wattkeeper.web.api.shapes import (
    Amount,
    Asked,
    Driver,
    Here,
    Nothing,
    SessionId,
    SessionsReader,
    TariffsReader,
    TariffsWriter,
    Words,
    session_id_of,
)
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["prices"])
NAMED = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
TariffName = Annotated[str, StringConstraints(pattern=NAMED)]
TariffNamed = Annotated[str, Path(pattern=NAMED, description="Its name, such as `night`.")]


class TariffVersion(BaseModel):
    """A version of the tariff, as it was set."""

    id: str
    version: int
    valid_from: datetime
    by: Words
    currency: str
    tax_included: Literal["YES", "NO", "N/A"]
    x_time_zone: str = Field("UTC", description="Whose clock its restrictions mean.")
    x_bills_blocking: bool = False
    x_tax_rates: list[dict[str, str]] = []
    elements: list[dict[str, Any]] = Field(description="In OCPI terms; amounts are text, so that they stay exact.")
    min_price: dict[str, str] | None = None
    max_price: dict[str, str] | None = None
    words: list[Words] = Field(description="As drivers read it.")
    left_out: list[str] = Field([], description="What was told when it was set, and is not kept.")


class TariffVersions(BaseModel):
    """Every version of every tariff, by name, the newest first; empty: no price is set."""

    items: list[TariffVersion]


class PriceShown(BaseModel):
    """What charging costs, before it starts."""

    words: list[Words] = Field(description="As a driver pays it; says so where no price is set.")
    currency: str | None
    tariff: str | None = Field(description="Which tariff that is.")
    version: int | None
    is_free: bool


class BillLine(BaseModel):
    """Quantity times unit price; amounts in whole minor units (cents), so rounded that lines add up to the sum."""

    model_config = ConfigDict(title="BillLine")

    kind: LineKind
    quantity: Amount = Field(description="As billed: what was used, rounded up to the step.")
    used: Amount
    unit: str
    unit_price: str
    vat_percent: str | None = Field(description="Null: no VAT applies.")
    net_minor: int
    vat_minor: int
    gross_minor: int


class BillShown(BaseModel):
    """What a session costs; every total is the sum of its lines."""

    currency: str
    digits: int = Field(description="Digits of the minor unit after the point: 550 with 2 digits is 5.50.")
    lines: list[BillLine]
    net_minor: int
    vat_minor: int
    gross_minor: int


class Receipt(BaseModel):
    """A session with what it costs: so far, or in the end."""

    session: SessionId
    station: str
    name: str
    address: str
    evse: int | None
    state: SessionState
    live: bool = Field(description="While it lives, the amounts are what it has cost so far.")
    started_at: datetime
    ended_at: datetime | None
    duration_s: int
    charging_s: int = Field(description="In which energy flowed.")
    parking_s: int = Field(description="Plugged in without energy flowing.")
    energy_wh: Amount | None
    power_w: Amount | None
    soc_percent: Amount | None
    tariff_version: int | None
    bill: BillShown | None = Field(description="Null: no price was set when it started.")
    bills: list[str] = Field(description="The numbers of what was billed for it, in order.")
    gross_minor: int | None = Field(description="To pay: by what was billed, else by what it comes to; minor units.")
    is_waived: bool = Field(description="Whether somebody decided that it is not billed.")
    words: Words = Field(description="What there is to say of the amount; empty where nothing.")
    grade: Grade
    grade_words: Words


class Cost(BaseModel):
    """What is to pay, in minor units."""

    currency: str
    gross_minor: int
    digits: int


class MonthShown(BaseModel):
    """What one's sessions of a month came to."""

    month: str = Field(examples=["2026-03"])
    sessions: int
    energy_wh: Amount
    duration_s: int
    costs: list[Cost] = Field(description="Empty where nothing had a price.")


class Months(BaseModel):
    """One's months, the newest first, in the installation's zone."""

    items: list[MonthShown]


Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]


class HistoryFilter(Asked):
    """Which sessions."""

    month: Month | Nothing = None


@router.get("/tariffs")
async def show_tariffs(rooms: Here, viewer: TariffsReader) -> TariffVersions:
    """Every version of the prices."""
    return TariffVersions(items=await _versions(rooms, viewer, await rooms.prices.versions(viewer)))


@router.get("/tariffs/{tariff}")
async def show_tariff(rooms: Here, viewer: TariffsReader, tariff: TariffNamed) -> TariffVersions:
    """Every version of one tariff, the newest first."""
    rows = [row for row in await rooms.prices.versions(viewer) if row.id == tariff]
    if not rows:
        raise Refusal(Code.NOT_FOUND, phrase("There is no tariff of this name."))
    return TariffVersions(items=await _versions(rooms, viewer, rows))


@router.put("/tariffs")
async def set_tariff(rooms: Here, viewer: TariffsWriter, new: OcpiTariff) -> TariffVersion:
    """Set the standard prices for sessions that start from now on, or later; what has started keeps its version."""
    return await _set(rooms, viewer, STANDARD, new)


@router.put("/tariffs/{tariff}")
async def set_named_tariff(rooms: Here, viewer: TariffsWriter, tariff: TariffNamed, new: OcpiTariff) -> TariffVersion:
    """Set the prices of another tariff; it holds where it is assigned (`/tariff-assignments`)."""
    return await _set(rooms, viewer, tariff, new)


async def _set(rooms: Rooms, viewer: Viewer, name: str, new: OcpiTariff) -> TariffVersion:
    tariff = of_ocpi(new.terms(), rooms.settings.zone)
    try:
        begins = new.begins(rooms.store.clock())
    except (ValueError, OverflowError):
        raise Refusal(Code.INVALID, phrase("start_date_time is no instant, such as 2026-03-01T00:00:00Z.")) from None
    row = await rooms.prices.set(viewer, tariff, begins, name)
    return (await _versions(rooms, viewer, [row]))[0].model_copy(update={"left_out": new.left_out})


@router.get("/sessions/{session}/receipt")
async def show_receipt(rooms: Here, viewer: SessionsReader, session: Spoken) -> Receipt:
    """What a session costs: so far, or in the end."""
    return receipt(await rooms.prices.receipt(viewer, session_id_of(session)))


@router.get("/months")
async def show_months(rooms: Here, viewer: Driver) -> Months:
    """One's own energy, cost and sessions by month."""
    told = await rooms.prices.months(viewer)
    return Months(items=[_month(one.month, one.sessions, one.energy_wh, one.duration_s, one.costs) for one in told])


CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "One line for each session.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.get("/history.csv", responses=CSV, response_class=Response, response_model=None)
async def show_history(rooms: Here, viewer: Driver, wanted: Annotated[HistoryFilter, Query()]) -> Response:
    """One's own sessions as a table for spreadsheets."""
    told = await rooms.prices.history(viewer, wanted.month)
    name = f"charging-{wanted.month}.csv" if wanted.month else "charging.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(table(told), media_type="text/csv; charset=utf-8", headers=headers)


COLUMNS = (
    *("session", "started_at", "ended_at", "station", "address", "evse", "energy_kwh", "duration_min"),
    *("net", "vat", "gross", "currency", "evidence"),
)


def table(told: list[Receipted]) -> str:
    """Receipts as CSV (RFC 4180)."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(COLUMNS)
    lines.writerows(_row(one) for one in told)
    return text.getvalue()


def _row(one: Receipted) -> list[object]:
    """A receipt as a line of the table."""
    kwh = "" if one.energy_wh is None else f"{one.energy_wh.scaleb(-3):.3f}"
    ended = one.ended_at.isoformat() if one.ended_at else ""
    place = (_plain(one.name), _plain(one.address), "" if one.evse is None else one.evse)
    bill = one.bill
    cost: tuple[object, ...] = ("", "", "", "")
    if bill is not None:
        told = one.documents or (() if one.is_waived else (bill,))
        sums = (sum(getattr(each, f"{name}_minor") for each in told) for name in ("net", "vat", "gross"))
        cost = (*(f"{Decimal(amount).scaleb(-bill.digits):f}" for amount in sums), bill.currency)
    head = (shown(one.session), one.started_at.isoformat(), ended)
    return [*head, *place, kwh, (one.duration_s + 30) // 60, *cost, one.grade.value]


def _plain(text: str) -> str:
    """Text that a spreadsheet takes for nothing but text."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


OTHERWISE = ("tariff_version", "bill", "bills")
"""Members of a receipt that are told in another way than they are kept."""


def receipt(told: Receipted) -> Receipt:
    """A receipt as the API tells it."""
    same = {name: getattr(told, name) for name in Receipt.model_fields if name not in OTHERWISE}
    numbers = [one.number for one in told.documents]
    bill = None if told.bill is None else bill_shown(told.bill)
    return Receipt(**same, tariff_version=told.version, bill=bill, bills=numbers)


def price_shown(tag: PriceTag) -> PriceShown:
    """A price as the API tells it."""
    tariff = tag.tariff
    return PriceShown(
        words=list(tag.words),
        currency=tariff.currency if tariff else None,
        tariff=tag.name or None,
        version=tag.version,
        is_free=tariff is None or tariff.is_free,
    )


def bill_shown(bill: Priced) -> BillShown:
    """What a session costs, as the API tells it."""
    sums = {name: getattr(bill, name) for name in ("currency", "digits", "net_minor", "vat_minor", "gross_minor")}
    return BillShown(**sums, lines=[_line(line) for line in bill.lines])


def _line(line: Item) -> BillLine:
    return BillLine(
        kind=line.kind,
        quantity=line.quantity,
        used=line.used,
        unit=line.unit,
        unit_price=f"{line.unit_price:f}",
        vat_percent=None if line.vat_percent is None else f"{line.vat_percent:f}",
        net_minor=line.net_minor,
        vat_minor=line.vat_minor,
        gross_minor=line.gross_minor,
    )


def _month(month: str, sessions: int, energy_wh: Decimal, duration_s: int, costs: Any) -> MonthShown:
    told = [Cost(currency=currency, gross_minor=amount, digits=digits) for currency, amount, digits in costs]
    return MonthShown(month=month, sessions=sessions, energy_wh=energy_wh, duration_s=duration_s, costs=told)


async def _versions(rooms: Rooms, viewer: Viewer, rows: Sequence[TariffRow]) -> list[TariffVersion]:
    """Versions as the API tells them, with who set them."""
    by = await rooms.names.said(viewer, (row.by for row in rows))
    return [_version(row, by[row.by]) for row in rows]


def _version(row: TariffRow, by: str) -> TariffVersion:
    told: dict[str, Any] = {"id": row.id, "version": row.version, "valid_from": row.valid_from, "by": by}
    return TariffVersion(**told, **to_ocpi(row.tariff), words=list(said(row.tariff, row.valid_from)))
