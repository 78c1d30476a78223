"""Where money is looked after: the places under Money, and how amounts and payers are shown there."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from wattkeeper.charging.money.ledger import NOBODY, AccountKind, kind_of
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Figure, Phrase, phrase
from wattkeeper.web.operator.paper import Paper
from wattkeeper.web.operator.said import DAY_AND_YEAR, Times, dated

DESKS = (
    (phrase("Revenue"), "/money", Scope.BILLS_READ),
    (phrase("Bills"), "/money/bills", Scope.BILLS_READ),
    (phrase("Waiting"), "/money/waiting", Scope.BILLS_READ),
    (phrase("Payments"), "/money/payments", Scope.BILLS_READ),
    (phrase("Accounts"), "/money/accounts", Scope.BILLS_READ),
    (phrase("Monthly invoices"), "/money/invoices", Scope.BILLS_READ),
    (phrase("Hosts"), "/money/hosts", Scope.BILLS_READ),
    (phrase("Grid meters"), "/money/grid", Scope.BILLS_READ),
)
"""The places under Money: what each is called, where it is, and what one must be allowed for it."""
ACCOUNTS: dict[AccountKind, Phrase] = {
    AccountKind.OWED: phrase("Owed: {of}"),
    AccountKind.SALES: phrase("Sales: {of}"),
    AccountKind.VAT: phrase("Tax: {of}"),
    AccountKind.BANK: phrase("Bank: {of}"),
    AccountKind.PREPAID: phrase("Prepaid: {of}"),
    AccountKind.HOST: phrase("Host: {of}"),
    AccountKind.LOST: phrase("Written off: {of}"),
}
A_DRIVER, NOBODY_KNOWN, NOTHING = phrase("a driver"), phrase("nobody known"), "–"
PERSONAL = (AccountKind.OWED, AccountKind.PREPAID)


def page(
    paper: Paper, request: Request, desk: str, template: str, viewer: Viewer, *, status: int = 200, **given: Any
) -> HTMLResponse:
    """A page under Money, with the places beside it; ``desk``: the address of the place it belongs to."""
    given = {"on": partial(on, paper.times), "day_name": day_name} | given
    desks = [(path, name) for name, path, scope in DESKS if viewer.may(scope)]
    return paper.page(request, template, viewer, status=status, desks=desks, desk=desk, **given)


def on(times: Times, at: datetime) -> Markup:
    """An instant with its whole date: papers and books do not say "yesterday"."""
    there = times.local(at)
    day, clock = dated(there.date(), DAY_AND_YEAR), f"{there:%H:%M}"
    return times.time(at, phrase("{day} {clock}", day=day, clock=clock))


def day_name(day: date) -> str:
    """A day with its year: ``3 Mar 2026``."""
    return dated(day, DAY_AND_YEAR)


def payer(person: str, viewer: Viewer) -> str:
    """Whoever pays: the end of the id for who may know persons, so that two can be told apart and none is named."""
    if not person or person == NOBODY:
        return NOBODY_KNOWN
    return f"••{person[-4:]}" if viewer.may(Scope.PERSONS_READ) else A_DRIVER


def account(name: str, viewer: Viewer) -> str:
    """An account of the books in words."""
    kind, of = kind_of(name), name.partition(":")[2]
    if kind in PERSONAL:
        return ACCOUNTS[kind].filled(of=payer(of, viewer))
    if kind is AccountKind.VAT and of != "none":
        return ACCOUNTS[kind].filled(of=Figure(Decimal(of), len(of.partition(".")[2]), "%"))
    return ACCOUNTS[kind].filled(of=NOTHING if of in (NOBODY, "none") else of)
