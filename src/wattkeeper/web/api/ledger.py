"""The books: entries that add up to nothing, what accounts hold, and revenue by day, place, tariff and group."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.ledger import AccountKind, EntryKind, Posting, kind_of
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.money import ledger, revenue
from wattkeeper.store.money.revenue import Facet
from wattkeeper.web.api.shapes import PLAIN, Amount, Asked, BillsStaff, Here, Nothing, Words

router = APIRouter(tags=["bills"])
PERSONAL = frozenset({AccountKind.OWED, AccountKind.PREPAID})
"""Accounts that are a person's; whose is told only to who may know it."""
Account = Annotated[str, StringConstraints(max_length=80, pattern=r"^[a-z]+:[^\x00-\x1F\x7F]*$")]


class LedgerLine(BaseModel):
    """A line of an entry."""

    account: str = Field(description="A kind and whose it is, such as `vat:20`; `owed:…` where that is not told.")
    currency: str
    amount_minor: int = Field(description="Given to the account, or taken from it below zero; minor units.")


class LedgerEntry(BaseModel):
    """An entry; its lines add up to nothing in each currency."""

    n: int
    at: datetime
    kind: EntryKind
    ref: str = Field(description="The bill, or what the payment is called.")
    by: Words
    lines: list[LedgerLine]


class LedgerEntries(BaseModel):
    """Entries, the newest first."""

    items: list[LedgerEntry]
    next: int | None = Field(description="The `before` of the page that follows.")


class EntryFilter(Asked):
    """Which entries."""

    account: Account | Nothing = Field(None, description="Only those that move this account.")
    before: Annotated[int, Field(ge=1, le=2**53), PLAIN] | Nothing = Field(None, description="Before this number.")
    limit: Annotated[int, Field(ge=1, le=500), PLAIN] = 50


class Balances(BaseModel):
    """What accounts hold, by name."""

    items: list[LedgerLine]


class BalanceFilter(Asked):
    """Which accounts."""

    kind: AccountKind | Nothing = None


class RevenueRow(BaseModel):
    """What was billed of one kind, in one currency."""

    of: dict[Facet, str] = Field(description="By what it was told apart.")
    currency: str
    digits: int
    sessions: int
    corrections: int = Field(description="Corrections and credit notes.")
    energy_wh: Amount
    net_minor: int
    vat_minor: int
    gross_minor: int


class RevenueReport(BaseModel):
    """What was billed, by the day of issue in the installation's zone."""

    items: list[RevenueRow]


class RevenueFilter(Asked):
    """Which days, and told apart by what."""

    since: date = Field(description="From this day on.")
    until: date = Field(description="Up to the day before this one.")
    by: list[Facet] = Field([], max_length=len(Facet), description="Told apart by these.")


@router.get("/ledger")
async def find_entries(rooms: Here, viewer: BillsStaff, wanted: Annotated[EntryFilter, Query()]) -> LedgerEntries:
    """The entries of the ledger, the newest first."""
    if wanted.account is not None and wanted.account.partition(":")[0] in PERSONAL:
        viewer.need(Scope.PERSONS_READ)
    async with rooms.store.read() as connection:
        rows = await ledger.entries(connection, viewer, wanted.limit + 1, wanted.before, wanted.account)
    kept = rows[: wanted.limit]
    by = await rooms.names.said(viewer, (row.by for row in kept))
    items = [
        LedgerEntry(n=row.n, at=row.at, kind=row.kind, ref=row.ref, by=by[row.by], lines=_lines(viewer, row.lines))
        for row in kept
    ]
    return LedgerEntries(items=items, next=kept[-1].n if len(rows) > wanted.limit else None)


@router.get("/ledger/balances")
async def find_balances(rooms: Here, viewer: BillsStaff, wanted: Annotated[BalanceFilter, Query()]) -> Balances:
    """What accounts hold: who owes what, what was sold, what tax is due. At most a thousand."""
    async with rooms.store.read() as connection:
        return Balances(items=_lines(viewer, await ledger.balances(connection, viewer, wanted.kind)))


@router.get("/revenue")
async def report_revenue(rooms: Here, viewer: BillsStaff, wanted: Annotated[RevenueFilter, Query()]) -> RevenueReport:
    """What was billed from one day until before another, told apart by day, month, site, station, tariff or group."""
    by = list(dict.fromkeys(wanted.by))
    async with rooms.store.read() as connection:
        rows = await revenue.report(connection, viewer, wanted.since, wanted.until, by)
    names = ("currency", "digits", "sessions", "corrections", "energy_wh", "net_minor", "vat_minor", "gross_minor")
    return RevenueReport(
        items=[
            RevenueRow(of=dict(zip(by, row.of, strict=True)), **{name: getattr(row, name) for name in names})
            for row in rows
        ]
    )


def _lines(viewer: Viewer, lines: tuple[Posting, ...] | list[Posting]) -> list[LedgerLine]:
    """Lines, without whose they are for who may not know it."""
    return [
        LedgerLine(account=_account(viewer, one.account), currency=one.currency, amount_minor=one.amount_minor)
        for one in lines
    ]


def _account(viewer: Viewer, name: str) -> str:
    kind = kind_of(name)
    return f"{kind.value}:…" if kind in PERSONAL and not viewer.may(Scope.PERSONS_READ) else name
