"""Money moved by hand, who pays how, what is asked for monthly, and what hosts of sites get."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.payments.paying import Way, Whose
from wattkeeper.charging.money.payments.share import ShareKind
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.payments.deeds import Statement
from wattkeeper.operations.money.payments.monthly import items_of, paid_words
from wattkeeper.store.money.payments import deed as deeds
from wattkeeper.store.money.payments import monthly, paying, share
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments.deed import DeedRow, DeedState, MoneyDeed
from wattkeeper.store.money.payments.monthly import InvoiceRow
from wattkeeper.web.api.money.payments import Currency, Minor, PaymentId, Person, Said
from wattkeeper.web.api.shapes import (
    Amount,
    Asked,
    BillsReader,
    BillsStaff,
    BillsWriter,
    Here,
    Line,
    Nothing,
    Paged,
    SessionId,
    Told,
    Words,
    cut,
    place_of,
)
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["payments"])
InvoiceId = Annotated[str, Path(pattern=r"^M[0-9]{4}-[0-9]{6}$")]
DeedId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


class PayWay(BaseModel):
    """How a driver or a group pays."""

    whose: Whose
    subject: str | None = Field(description="Which person or group; null: a person, and you may not know whom.")
    way: Way | None = Field(description="Null: as the others.")
    created_at: datetime
    by: Words


class PayWays(BaseModel):
    """How is paid: the installation's own way, and what was chosen for drivers and groups."""

    default: Way
    items: list[PayWay]


class NewPayWay(Asked):
    """How a driver or a group pays from now on."""

    whose: Whose
    subject: Person
    way: Way | None = Field(description="Null: as the others.")


class MonthlyInvoice(BaseModel):
    """An invoice for a month; amounts in minor units."""

    number: str
    month: str
    person: str | None = Field(description="Who pays, by the id; null where that is not yours to know.")
    currency: str
    digits: int
    net_minor: int
    vat_minor: int
    gross_minor: int
    paid_minor: int
    standing: Words
    issued_at: datetime
    due_on: str


class MonthlyInvoiceList(BaseModel):
    """Monthly invoices, the newest first."""

    items: list[MonthlyInvoice]
    next: str | None


class InvoiceItem(Told):
    """A document that stands on a monthly invoice."""

    number: str
    session: SessionId
    station: str
    site: str
    started_at: datetime
    net_minor: int
    vat_minor: int
    gross_minor: int


class InvoiceDetail(MonthlyInvoice):
    """A monthly invoice and what it consists of."""

    items: list[InvoiceItem]
    digest: str = Field(description="SHA-256 of its content, hexadecimal.")


class Deed(BaseModel):
    """Money moved by hand; minor units."""

    id: str
    deed: MoneyDeed
    state: DeedState = Field(description="`open`: it is much, so it waits for a second person to agree.")
    person: str | None
    site: str | None
    payment: str | None
    currency: str
    digits: int
    amount_minor: int
    said: str
    created_at: datetime
    created_by: Words
    settled_at: datetime | None
    settled_by: Words | None


class DeedList(BaseModel):
    """Money moved by hand, the newest first."""

    items: list[Deed]
    next: str | None


class DeedFilter(Paged):
    """Which."""

    deed: MoneyDeed | Nothing = None
    state: DeedState | Nothing = None


class WriteOff(Asked):
    """So much of what a person owes is given up."""

    person: Person
    amount_minor: Minor
    currency: Currency
    reason: Said


class Refund(Asked):
    """So much of a payment goes back."""

    amount_minor: Minor
    reason: Said


class Payout(Asked):
    """What the host of a site was paid."""

    site: Line
    currency: Currency
    amount_minor: Minor = Field(description="As the statement says; refused where more was billed since.")
    reference: Said


class SiteShare(Told):
    """What the host of a site gets of what is billed there."""

    site: str
    host: str
    kind: ShareKind | None = Field(description="Null: nothing any more.")
    value: Amount | None = Field(description="Percent of sales without tax, or minor units for a kWh.")
    created_at: datetime


class SiteShares(BaseModel):
    """The newest agreement of each site."""

    items: list[SiteShare]


class NewSiteShare(Asked):
    """What the host of a site gets from now on."""

    site: Line
    host: Line
    kind: ShareKind | None
    value: Annotated[Decimal, Field(ge=0, le=10_000, decimal_places=4)] | None


class StatementItem(Told):
    """What a host gets of one document."""

    number: str
    at: datetime
    energy_wh: Amount
    net_minor: int
    share_minor: int


class HostStatement(BaseModel):
    """What accrued to the host of a site, document by document; minor units."""

    site: str
    currency: str
    digits: int
    total_minor: int
    items: list[StatementItem]


class StatementFilter(Asked):
    """Whose."""

    site: Line
    currency: Currency = "EUR"


# --- who pays how -------------------------------------------------------------------------------------------


@router.get("/pay-ways")
async def find_pay_ways(rooms: Here, viewer: BillsStaff) -> PayWays:
    """How drivers and groups pay, where something was chosen for them."""
    async with rooms.store.read() as connection:
        rows = await paying.choices(connection, viewer)
    by = await rooms.names.said(viewer, (row.created_by for row in rows))
    items = [_way(viewer, row, by[row.created_by]) for row in rows]
    return PayWays(default=Way(rooms.settings.pay_by), items=items)


@router.post("/pay-ways", status_code=201)
async def choose_pay_way(rooms: Here, viewer: BillsWriter, new: NewPayWay) -> PayWay:
    """Let a driver or a group pay this way from now on."""
    row = await rooms.payments.wallets.choose_for(viewer, new.whose, new.subject, new.way)
    by = await rooms.names.said(viewer, [row.created_by])
    return _way(viewer, row, by[row.created_by])


def _way(viewer: Viewer, row: paying.Choice, by: str) -> PayWay:
    is_hidden = row.whose is Whose.DRIVER and not viewer.may(Scope.PERSONS_READ)
    subject = None if is_hidden else row.subject
    return PayWay(whose=row.whose, subject=subject, way=row.way, created_at=row.created_at, by=by)


# --- monthly ------------------------------------------------------------------------------------------------


@router.get("/monthly-invoices")
async def find_monthly_invoices(
    rooms: Here, viewer: BillsReader, wanted: Annotated[Paged, Query()]
) -> MonthlyInvoiceList:
    """Monthly invoices, the newest first: all for staff, one's own for drivers."""
    place = place_of(wanted.cursor)
    before = None if place is None else (place[0], int(place[1]) if place[1].isdigit() else 0)
    async with rooms.store.read() as connection:
        rows = await monthly.find(connection, viewer, wanted.limit + 1, before=before)
        paid = await payments.paid_of(connection, [row.number for row in rows])
    kept, more = cut(rows, wanted.limit, lambda row: (row.issued_at, str(row.place)))
    items = [MonthlyInvoice(**_invoice(viewer, row, paid.get(row.number, 0))) for row in kept]
    return MonthlyInvoiceList(items=items, next=more)


@router.get("/monthly-invoices/{invoice}")
async def show_monthly_invoice(rooms: Here, viewer: BillsReader, invoice: InvoiceId) -> InvoiceDetail:
    """A monthly invoice, document by document."""
    async with rooms.store.read() as connection:
        row = await monthly.one(connection, viewer, invoice)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such monthly invoice. Is its number right?"))
        paid = (await payments.paid_of(connection, [row.number])).get(row.number, 0)
    items = [InvoiceItem.model_validate(one) for one in items_of(row.content)]
    return InvoiceDetail(**_invoice(viewer, row, paid), items=items, digest=row.digest)


def _invoice(viewer: Viewer, row: InvoiceRow, paid_minor: int) -> dict[str, Any]:
    knows = viewer.may(Scope.PERSONS_READ) or row.person == viewer.person
    names = set(MonthlyInvoice.model_fields) - {"person", "paid_minor", "standing"}
    same = {name: getattr(row, name) for name in names}
    standing = paid_words(row.gross_minor, paid_minor)
    return same | {"person": row.person if knows else None, "paid_minor": paid_minor, "standing": standing}


# --- by hand ------------------------------------------------------------------------------------------------


@router.get("/money-deeds")
async def find_money_deeds(rooms: Here, viewer: BillsStaff, wanted: Annotated[DeedFilter, Query()]) -> DeedList:
    """Write-offs, refunds, payouts, and what was much to enter; the newest first."""
    given = {"deed": wanted.deed, "state": wanted.state, "before": place_of(wanted.cursor)}
    async with rooms.store.read() as connection:
        rows = await deeds.find(connection, viewer, wanted.limit + 1, **given)  # type: ignore[arg-type]
    kept, more = cut(rows, wanted.limit, lambda row: (row.created_at, row.id))
    return DeedList(items=await _deeds(rooms, viewer, kept), next=more)


@router.post("/write-offs", status_code=201)
async def write_off(rooms: Here, viewer: BillsWriter, new: WriteOff) -> Deed:
    """Give up so much of what a person owes; much takes a second person to agree."""
    row = await rooms.payments.deeds.write_off(viewer, new.person, new.amount_minor, new.currency, new.reason)
    return (await _deeds(rooms, viewer, [row]))[0]


@router.post("/payments/{payment}/refund", status_code=201)
async def refund_payment(rooms: Here, viewer: BillsWriter, payment: PaymentId, new: Refund) -> Deed:
    """Give back so much of a payment that was not needed; much takes a second person to agree."""
    row = await rooms.payments.deeds.refund(viewer, payment, new.amount_minor, new.reason)
    return (await _deeds(rooms, viewer, [row]))[0]


@router.post("/money-deeds/{deed}/agree")
async def agree_to_money_deed(rooms: Here, viewer: BillsWriter, deed: DeedId) -> Deed:
    """Do what somebody else proposed; only a person who is signed in can, and not who proposed it."""
    return (await _deeds(rooms, viewer, [await rooms.payments.deeds.agree(viewer, deed)]))[0]


@router.post("/money-deeds/{deed}/reject")
async def reject_money_deed(rooms: Here, viewer: BillsWriter, deed: DeedId) -> Deed:
    """Turn down what was proposed."""
    return (await _deeds(rooms, viewer, [await rooms.payments.deeds.reject(viewer, deed)]))[0]


async def _deeds(rooms: Rooms, viewer: Viewer, rows: list[DeedRow]) -> list[Deed]:
    by = await rooms.names.said(viewer, (one for row in rows for one in (row.created_by, row.settled_by) if one))
    knows = viewer.may(Scope.PERSONS_READ)
    names = set(Deed.model_fields) - {"person", "created_by", "settled_by"}
    return [
        Deed(
            **{name: getattr(row, name) for name in names},
            person=row.person if knows else None,
            created_by=by[row.created_by],
            settled_by=by[row.settled_by] if row.settled_by else None,
        )
        for row in rows
    ]


# --- hosts --------------------------------------------------------------------------------------------------


@router.get("/site-shares")
async def find_site_shares(rooms: Here, viewer: BillsStaff) -> SiteShares:
    """What the hosts of sites get."""
    async with rooms.store.read() as connection:
        rows = await share.agreements(connection, viewer)
    return SiteShares(items=[SiteShare.model_validate(row) for row in rows])


@router.post("/site-shares", status_code=201)
async def agree_site_share(rooms: Here, viewer: BillsWriter, new: NewSiteShare) -> SiteShare:
    """Let the host of a site get this of what is billed there from now on."""
    row = await rooms.payments.deeds.agree_share(viewer, new.site, new.host, new.kind, new.value)
    return SiteShare.model_validate(row)


@router.get("/site-shares/statement")
async def host_statement(rooms: Here, viewer: BillsStaff, of: Annotated[StatementFilter, Query()]) -> HostStatement:
    """What accrued to the host of a site and was not paid yet."""
    return _statement(await rooms.payments.deeds.statement(viewer, of.site, of.currency))


@router.post("/payouts", status_code=201)
async def pay_out(rooms: Here, viewer: BillsWriter, new: Payout) -> Deed:
    """Enter that the host of a site was paid what accrued; much takes a second person to agree."""
    row = await rooms.payments.deeds.pay_out(viewer, new.site, new.currency, new.reference, new.amount_minor)
    return (await _deeds(rooms, viewer, [row]))[0]


@router.get("/payouts/{deed}")
async def show_payout(rooms: Here, viewer: BillsStaff, deed: DeedId) -> HostStatement:
    """What a payout covers, document by document."""
    return _statement(await rooms.payments.deeds.covered(viewer, deed))


def _statement(told: Statement) -> HostStatement:
    items = [StatementItem.model_validate(one) for one in told.items]
    same = {name: getattr(told, name) for name in ("site", "currency", "digits", "total_minor")}
    return HostStatement(**same, items=items)
