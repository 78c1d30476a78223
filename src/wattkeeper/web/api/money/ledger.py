"""The books: entries that add up to nothing, and what accounts hold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.money.ledger import AccountKind, EntryKind, Posting, kind_of
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.privacy.looking import Part
from wattkeeper.store.money import ledger
from wattkeeper.web.api.people.looking import Looker, look
from wattkeeper.web.api.shapes import PLAIN, Asked, BillsStaff, Here, Nothing, Words

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


@router.get("/ledger")
async def find_entries(
    rooms: Here, viewer: BillsStaff, wanted: Annotated[EntryFilter, Query()], given: Looker
) -> LedgerEntries:
    """The entries of the ledger, the newest first. A person's own are shown to who says for what and why."""
    kind, _, person = (wanted.account or "").partition(":")
    if kind in PERSONAL:
        await look(rooms, viewer, given, person, Part.MONEY)
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


def _lines(viewer: Viewer, lines: tuple[Posting, ...] | list[Posting]) -> list[LedgerLine]:
    """Lines, without whose they are for who may not know it."""
    return [
        LedgerLine(account=_account(viewer, one.account), currency=one.currency, amount_minor=one.amount_minor)
        for one in lines
    ]


def _account(viewer: Viewer, name: str) -> str:
    kind = kind_of(name)
    return f"{kind.value}:…" if kind in PERSONAL and not viewer.may(Scope.PERSONS_READ) else name
