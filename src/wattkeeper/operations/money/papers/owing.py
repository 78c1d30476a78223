"""What of a document is still to be paid, and how the rest is: so that no invoice asks for money that is not owed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.payments.paying import Way
from wattkeeper.operations.money.payments.purses import way_for
from wattkeeper.settings import Settings
from wattkeeper.store.money import bill
from wattkeeper.store.money.bill import BillRow
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments import settlement

ELSEWHERE = frozenset({Way.FREE, Way.PREPAID, Way.INVOICE})
"""Ways by which a document is paid without anything being asked for on its own paper."""


@dataclass(frozen=True, slots=True)
class Owing:
    """How a document is paid, and what it still asks for."""

    open_minor: int
    """What is still to be paid on this document itself; of a credit note what is to be given back, below zero."""
    left_minor: int
    """What it comes to after the credit notes that came later."""
    way: Way | None = None
    """None: by transfer, for nobody is known who pays."""
    invoice: str | None = None
    """The monthly invoice on which it stands."""
    reduced_by: tuple[str, ...] = ()
    """The credit notes that came later."""


async def owing(connection: AsyncConnection, row: BillRow, settings: Settings) -> Owing:
    """What a document still asks for."""
    documents = (await bill.of_sessions(connection, [row.session])).get(row.session, [row])
    ways = await settlement.ways(connection, [one.number for one in documents])
    left, notes = set_against(documents)
    way, invoice = ways.get(row.number, (None, None))
    if way is None and row.person:
        way = await way_for(connection, row.person, row.group, settings)
    still = left[row.number]
    if way is Way.CARD:
        by_card = [one.number for one in documents if ways.get(one.number, (way, None))[0] is Way.CARD]
        paid = sum(one.kept_minor for one in await payments.of_session(connection, row.session))
        still = _unpaid({number: left[number] for number in by_card}, paid)[row.number]
    asked = 0 if way in ELSEWHERE else still
    return Owing(asked, left[row.number], way, invoice, notes.get(row.number, ()))


def set_against(documents: Sequence[BillRow]) -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    """What is left of each document once every credit note took from those before it, and which notes took from it."""
    left: dict[str, int] = {}
    notes: dict[str, tuple[str, ...]] = {}
    for one in documents:
        rest = one.gross_minor
        for number in left if rest < 0 else ():
            taken = min(left[number], -rest)
            if taken > 0:
                left[number] -= taken
                rest += taken
                notes[number] = (*notes.get(number, ()), one.number)
        left[one.number] = rest
    return left, notes


def _unpaid(left: Mapping[str, int], paid_minor: int) -> dict[str, int]:
    """What is left of documents once a payment went to the oldest first."""
    unpaid = {}
    for number, amount in left.items():
        taken = max(0, min(amount, paid_minor))
        unpaid[number], paid_minor = amount - taken, paid_minor - taken
    return unpaid
