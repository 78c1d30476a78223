"""`wattkeeper audit ledger`: everything that must hold of bills and books, checked over all of them.

The database refuses most of what is looked for here; this finds what was done to it by hand, and faults of ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.engines import Store
from wattkeeper.store.money import check, ledger, revenue
from wattkeeper.store.money.payments import check_payments
from wattkeeper.store.retention import tax_end

MOST_TOLD = 50
"""How many faults of one kind are told."""
Progress = Callable[[int, int], None]
"""Told how many bills of how many are checked."""


@dataclass(slots=True)
class Audit:
    """What was looked at, and what is wrong, in words."""

    bills: int = 0
    entries: int = 0
    lines: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


async def audit_ledger(store: Store, zone: tzinfo, progress: Progress = lambda done, total: None) -> Audit:
    """Check every bill and every entry at one snapshot; gives what was found."""
    since = tax_end(store.clock())
    async with store.read() as connection:
        found = Audit(*await check.counts(connection))
        async for fault in _faults(connection, zone, since, found.bills, progress):
            found.faults.append(fault)
    return found


async def _faults(
    connection: AsyncConnection, zone: tzinfo, since: datetime, bills: int, progress: Progress
) -> AsyncIterator[str]:
    """Everything that is wrong: with the entries, their sums, the numbers of bills, each bill, and the revenue."""
    for look in (check.gaps, check.unbalanced, check.stray_lines, check.wrong_balances, check.out_of_order):
        for fault in await look(connection, MOST_TOLD):
            yield fault
    about_payments = (check_payments.unlike_their_payments, check_payments.wrong_invoices)
    for compare in (check.missing_numbers, check.unlike_their_entries, *about_payments):
        for fault in await compare(connection, MOST_TOLD, since):
            yield fault
    sums = check.Sums(zone)
    async for fault in check.wrong_bills(connection, sums, lambda done: progress(done, bills)):
        yield fault
    for fault in await sums.wrong(connection, MOST_TOLD, since):
        yield fault


async def sum_up(store: Store, zone: tzinfo) -> None:
    """Work out anew what is derived from bills and books: balances and revenue, in one transaction."""
    async with store.unit() as unit:
        await ledger.sum_up(unit)
        await revenue.sum_up(unit, zone)
