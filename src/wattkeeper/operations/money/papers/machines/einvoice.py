"""A bill as an invoice for machines.

Amounts are those of the bill to the cent. A first bill has its own lines; what changes one has a line for each rate,
with what it changes. A credit note says what is given back, above zero (type 381); a correction is 384.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from wattkeeper.charging.money.exact import divided, exactly
from wattkeeper.charging.money.line import Line, LineKind
from wattkeeper.charging.money.numbered import DocumentKind
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import tell_in
from wattkeeper.operations.money.papers.explaining import WHAT, changed
from wattkeeper.operations.money.papers.machines.cii import ONCE, Item, Machine, once, sign, written
from wattkeeper.operations.money.papers.paper import Paper, to_do

TYPES = {DocumentKind.BILL: "380", DocumentKind.CORRECTION: "384", DocumentKind.CREDIT_NOTE: "381"}
"""UNTDID 1001."""
UNITS = {"kWh": "KWH", "h": "HUR", "session": ONCE}
"""UN/ECE recommendation 20."""
NO_TAX = phrase("No tax applies.")
MICRO = Decimal("0.000001")


def einvoice(paper: Paper, language: str) -> bytes:
    """The XML of an invoice, valid by the schema; Refusal CONFLICT where none can say what the bill does."""
    row, owed = paper.row, paper.owed
    assert paper.buyer is not None
    return written(
        Machine(
            number=row.number,
            type_code=TYPES[row.kind],
            issued=row.issued_at.astimezone(paper.zone),
            seller=paper.seller,
            buyer=paper.buyer,
            since=row.started_at.astimezone(paper.zone),
            until=row.ended_at.astimezone(paper.zone),
            currency=row.currency,
            digits=row.digits,
            items=list(_items(paper, language)),
            taxes=paper.why.adds,
            exemption=paper.exemption or str(tell_in(language, NO_TAX)),
            terms=" ".join(str(tell_in(language, one)) for one in to_do(paper, language)),
            due=paper.due,
            open_minor=owed.open_minor,
            iban=paper.iban if owed.way is None else "",
            corrects=row.corrects,
        )
    )


def _items(paper: Paper, language: str) -> Iterator[Item]:
    """The lines: of a first bill its own, of a change one for each rate; so they add up to what it adds."""
    if paper.row.kind is DocumentKind.BILL:
        for line in paper.why.bill.lines:
            yield _item(line, paper, language)
        changes = paper.why.extra
    else:
        changes = paper.why.adds
    for tax in changes:
        what = str(tell_in(language, changed(paper.why.reason)))
        yield once(what, tax, paper.row.kind is DocumentKind.CREDIT_NOTE, paper.row.digits)


def _item(line: Line, paper: Paper, language: str) -> Item:
    """A line of the bill; a price is never below zero (BR-27), so the quantity is."""
    quantity = Decimal(1) if line.kind in (LineKind.LEAST, LineKind.MOST) else line.quantity.quantize(MICRO)
    with exactly():
        price = divided(abs(line.exact_net), quantity).quantize(MICRO) if quantity else Decimal(0)
    what = str(tell_in(language, WHAT[line.kind]))
    amount = Decimal(line.net_minor)
    return Item(what, quantity * sign(amount), UNITS[line.unit], price, line.net_minor, line.vat_percent)
