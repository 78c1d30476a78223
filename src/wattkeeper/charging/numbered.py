"""Documents with a number: bills, corrections, credit notes. Each says what it adds; together they are what to pay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.ledger import EntryKind


class DocumentKind(StrEnum):
    """What a document is."""

    BILL = "bill"
    """The first of a session."""
    CORRECTION = "correction"
    """More to pay."""
    CREDIT_NOTE = "credit_note"
    """Less to pay."""

    @property
    def entry(self) -> EntryKind:
        """What it is in the ledger."""
        return EntryKind.CREDIT if self is DocumentKind.CREDIT_NOTE else EntryKind.CHARGE


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax of one rate; None: none applies."""

    vat_percent: Decimal | None
    net_minor: int
    vat_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document before it has its number; amounts in minor units are what it adds, below zero what it gives back."""

    kind: DocumentKind
    session: str
    station: str
    site: str
    group: str
    """Of which group the card was; empty: none."""
    person: str
    """Who pays; empty: nobody is known."""
    tariff: str
    version: int
    currency: str
    digits: int
    taxes: tuple[Tax, ...]
    energy_wh: Decimal
    started_at: datetime
    ended_at: datetime
    grade: Grade
    by: str
    content: str
    """The whole explanation, canonical JSON."""
    corrects: str | None = None
    reason: str | None = None

    @property
    def net_minor(self) -> int:
        """Without tax."""
        return sum(tax.net_minor for tax in self.taxes)

    @property
    def vat_minor(self) -> int:
        """The tax."""
        return sum(tax.vat_minor for tax in self.taxes)

    @property
    def gross_minor(self) -> int:
        """To pay."""
        return self.net_minor + self.vat_minor


def number_of(series: str, place: int) -> str:
    """The number of a document: ``2026-000123``."""
    return f"{series}-{place:06}"


def less(taxes: Iterable[Tax], before: Iterable[Tax]) -> tuple[Tax, ...]:
    """What each rate's tax has become more, or less, than it was before."""
    sums: dict[Decimal | None, list[int]] = {}
    for sign, told in ((1, taxes), (-1, before)):
        for tax in told:
            known = sums.setdefault(tax.vat_percent, [0, 0])
            known[0] += sign * tax.net_minor
            known[1] += sign * tax.vat_minor
    rates = sorted(sums, key=lambda rate: -1 if rate is None else rate, reverse=True)
    return tuple(Tax(rate, *sums[rate]) for rate in rates if any(sums[rate]))
