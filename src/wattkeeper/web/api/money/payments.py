"""Payments: what came in and went back, where the provider and we do not agree, and the comparison with them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.payments.payment import Differs, Matching, PaymentKind, PaymentState, StepState, Verb
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.privacy.looking import Part
from wattkeeper.operations.money.payments.reconciling import Reconciliation, as_csv, reconcile
from wattkeeper.operations.money.payments.wallet import LONGEST, MOST_MINOR
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments import step as steps
from wattkeeper.store.money.payments import told
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.store.money.payments.told import DifferenceRow
from wattkeeper.web.api.people.looking import Looker, look
from wattkeeper.web.api.shapes import (
    INTEGER,
    PRINTABLE,
    Asked,
    BillsReader,
    BillsStaff,
    BillsWriter,
    Here,
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
PaymentId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
DifferenceId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
Person = Annotated[str, StringConstraints(max_length=80, pattern=r"^[A-Za-z0-9:_-]*$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
InvoiceNumber = Annotated[str, StringConstraints(pattern=r"^M[0-9]{4}-[0-9]{6}$")]
Said = Annotated[str, StringConstraints(max_length=LONGEST, pattern=PRINTABLE)]
Minor = Annotated[int, Field(ge=1, le=MOST_MINOR), INTEGER]
CSV = "text/csv"
MOST_OF_SESSION = 100


class Payment(BaseModel):
    """A payment; amounts in minor units."""

    id: str
    kind: PaymentKind
    state: PaymentState
    provider: str = Field(description="`stripe`, or `bank` where people entered it.")
    person: str | None = Field(description="Who pays, by the id; null where that is not yours to know.")
    session: SessionId | None
    number: str | None = Field(description="The monthly invoice that it pays.")
    currency: str
    digits: int
    asked_minor: int
    captured_minor: int
    refunded_minor: int
    fault: str | None = Field(description="Why it was declined, as a code.")
    theirs: str | None = Field(description="What the provider calls it, or the bank's reference; for staff.")
    created_at: datetime
    changed_at: datetime


class PaymentList(BaseModel):
    """Payments, the newest first."""

    items: list[Payment]
    next: str | None


class Step(Told):
    """Something the provider was asked."""

    verb: Verb
    amount_minor: int
    state: StepState
    tries: int
    fault: str | None
    created_at: datetime
    settled_at: datetime | None


class PaymentDetail(Payment):
    """A payment, and what the provider was asked."""

    steps: list[Step]


class PaymentFilter(Paged):
    """Which payments."""

    state: PaymentState | Nothing = None
    person: Person | Nothing = Field(None, description="Only this person's.")


class Transfer(Asked):
    """Money that came to the bank."""

    person: Person = Field("", description="Who paid; not needed where an invoice is named.")
    amount_minor: Minor
    currency: Currency
    reference: Said = Field(description="The bank's: letters, digits, spaces, / - . alone; never entered twice.")
    number: InvoiceNumber | None = Field(None, description="The monthly invoice that it pays.")
    prepaid: bool = Field(False, description="Whether it tops up their balance.")


class Difference(BaseModel):
    """Where the provider and we do not agree; it changed nothing, and waits for a person."""

    id: str
    kind: Differs
    theirs: str = Field(description="About what, by the provider's id.")
    payment: str | None
    ours_minor: int | None
    ours_currency: str | None
    theirs_minor: int | None
    theirs_currency: str | None
    created_at: datetime
    state: Literal["open", "settled"]
    settled_at: datetime | None
    settled_by: Words | None
    said: str | None


class DifferenceList(BaseModel):
    """Differences, the newest first."""

    items: list[Difference]
    next: str | None


class DifferenceFilter(Paged):
    """Which differences."""

    state: Literal["open", "settled"] | Nothing = Field(None, description="Those that are open, unless said.")


class Settled(Asked):
    """How a difference was settled."""

    reason: Said


class Movement(Told):
    """One movement of money; minor units, out below zero."""

    at: datetime
    kind: str
    matching: Matching
    theirs: str
    payment: str
    currency: str
    ours_minor: int | None
    gross_minor: int | None
    fee_minor: int | None
    net_minor: int | None


class Sum(Told):
    """What payments and refunds add up to."""

    currency: str
    ours_minor: int
    gross_minor: int
    fee_minor: int
    net_minor: int


class Compared(BaseModel):
    """What the provider says, beside our books."""

    since: date
    until: date = Field(description="The first day after it.")
    wrong: int = Field(description="How many movements do not agree.")
    items: list[Movement]
    totals: list[Sum]


class Period(Asked):
    """Which days, in the installation's zone."""

    since: date
    until: date = Field(description="The first day after it.")
    format: Literal["json", "csv"] = "json"


@router.get("/payments")
async def find_payments(
    rooms: Here, viewer: BillsReader, wanted: Annotated[PaymentFilter, Query()], given: Looker
) -> PaymentList:
    """Payments, the newest first: all for staff, one's own for drivers; one person's to who says for what and why."""
    if wanted.person is not None and wanted.person != viewer.person:
        await look(rooms, viewer, given, wanted.person, Part.MONEY)
    before = place_of(wanted.cursor)
    async with rooms.store.read() as connection:
        rows = await payments.find(
            connection, viewer, wanted.limit + 1, state=wanted.state, person=wanted.person, before=before
        )
    kept, more = cut(rows, wanted.limit, lambda row: (row.created_at, row.id))
    return PaymentList(items=[Payment(**shown_payment(viewer, row)) for row in kept], next=more)


@router.post("/payments", status_code=201)
async def enter_payment(rooms: Here, viewer: BillsWriter, new: Transfer) -> Payment:
    """Enter money that came to the bank: for a monthly invoice, for what is owed, or to top up a balance.

    What is much is `waiting` until a second person agrees (`/money-deeds`).
    """
    money = (new.amount_minor, new.currency)
    row = await rooms.payments.wallets.enter(
        viewer, new.person, money, new.reference, number=new.number, is_ahead=new.prepaid and new.number is None
    )
    return Payment(**shown_payment(viewer, row))


COMPARED: dict[int | str, dict[str, Any]] = {
    200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "The comparison."}
}


@router.get("/payments/reconciliation", response_model=Compared, responses=COMPARED)
async def reconcile_payments(
    rooms: Here, viewer: BillsStaff, wanted: Annotated[Period, Query()]
) -> Compared | Response:
    """Compare what the provider says moved in a period with our payments, movement by movement."""
    found = await reconcile(rooms.store, rooms.settings, rooms.payments.provider, viewer, wanted.since, wanted.until)
    if wanted.format == "csv":
        name = f'attachment; filename="reconciliation-{found.since}.csv"'
        return Response(as_csv(found), media_type=CSV, headers={"Content-Disposition": name})
    return _compared(found)


@router.get("/payments/{payment}")
async def show_payment(rooms: Here, viewer: BillsReader, payment: PaymentId) -> PaymentDetail:
    """One payment, and what the provider was asked."""
    async with rooms.store.read() as connection:
        row = await payments.one(connection, viewer, payment)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such payment."))
        asked = (await steps.of_payments(connection, [row.id]))[row.id]
    return PaymentDetail(**shown_payment(viewer, row), steps=[Step.model_validate(one) for one in asked])


@router.post("/payments/{payment}/again")
async def ask_payment_again(rooms: Here, viewer: BillsWriter, payment: PaymentId) -> PaymentList:
    """Charge the card again for the session of a payment that was declined; what its payments are now."""
    rows = await charged_again(rooms, viewer, payment)
    return PaymentList(items=[Payment(**shown_payment(viewer, one)) for one in rows], next=None)


async def charged_again(rooms: Rooms, viewer: Viewer, payment: str) -> list[PaymentRow]:
    """Charge the card again for the session of a payment; its payments, the newest first. Refusal NOT_FOUND."""
    async with rooms.store.read() as connection:
        row = await payments.one(connection, viewer, payment)
    if row is None or row.session is None:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such payment."))
    await rooms.payments.wallets.try_again(viewer, row.session)
    async with rooms.store.read() as connection:
        return await payments.find(connection, viewer, MOST_OF_SESSION, session=row.session)


@router.get("/payment-differences")
async def find_differences(
    rooms: Here, viewer: BillsStaff, wanted: Annotated[DifferenceFilter, Query()]
) -> DifferenceList:
    """Where the provider and we do not agree, the newest first."""
    before = place_of(wanted.cursor)
    async with rooms.store.read() as connection:
        rows = await told.differences(connection, viewer, wanted.limit + 1, state=wanted.state or "open", before=before)
    kept, more = cut(rows, wanted.limit, lambda row: (row.created_at, row.id))
    by = await rooms.names.said(viewer, (row.settled_by for row in kept if row.settled_by))
    return DifferenceList(items=[_difference(row, by) for row in kept], next=more)


@router.post("/payment-differences/{difference}/settle")
async def settle_difference(rooms: Here, viewer: BillsWriter, difference: DifferenceId, how: Settled) -> Difference:
    """Settle a difference, and say how."""
    row = await rooms.payments.wallets.settle_difference(viewer, difference, how.reason)
    return _difference(row, await rooms.names.said(viewer, [viewer.name]))


def shown_payment(viewer: Viewer, row: PaymentRow) -> dict[str, Any]:
    """A payment as the API tells it."""
    knows = viewer.may(Scope.PERSONS_READ) or row.person == viewer.person
    told_of = {name: getattr(row, name) for name in Payment.model_fields}
    theirs = row.theirs if viewer.may(Scope.BILLS_READ) else None
    return told_of | {"person": row.person if knows else None, "theirs": theirs}


def _difference(row: DifferenceRow, by: dict[str, str]) -> Difference:
    told_of = {name: getattr(row, name) for name in Difference.model_fields}
    return Difference(**told_of | {"settled_by": by[row.settled_by] if row.settled_by else None})


def _compared(found: Reconciliation) -> Compared:
    items = [Movement.model_validate(row) for row in found.rows]
    totals = [Sum.model_validate(one) for one in found.totals]
    return Compared(since=found.since, until=found.until, wrong=len(found.wrong), items=items, totals=totals)
