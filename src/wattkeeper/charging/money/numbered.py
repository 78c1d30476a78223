"""Documents with a number: bills, corrections, credit notes. Each says what it adds; together they are what to pay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.metering.flow import Kind
from wattkeeper.charging.money.bill import Bill
from wattkeeper.charging.money.billing import Reason
from wattkeeper.charging.money.entry import taxing
from wattkeeper.charging.money.exact import MICRO, ZERO, divided, per_hour
from wattkeeper.charging.money.ledger import EntryKind
from wattkeeper.charging.money.rounding import floor
from wattkeeper.charging.money.rounding import whole as rounded
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.charging.money.tariffs.tariff import Tariff
from wattkeeper.charging.money.usage import Interval, Known, Usage


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


@dataclass(frozen=True, slots=True)
class Signed:
    """By which meter a session's energy is signed."""

    serial: str
    begin_wh: Decimal
    end_wh: Decimal
    """The signed registers, Wh."""
    pages: tuple[str, ...]
    """The records of the meter, by its own count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a document says what it says: all that is needed to work it out again, without us."""

    session: str
    """Without dashes."""
    station: str
    evse: int | None
    started_at: datetime
    ended_at: datetime
    grade: Grade
    reasons: tuple[Reason, ...]
    """What spoke against it and was accepted by a person."""
    tariff_id: str
    version: int
    rank: Rank
    """Why this tariff."""
    subject: str
    """And of which site, station, connector or group; never of which person."""
    tariff: Tariff
    usage: Usage
    """What is billed: as the station told it, unless a person corrected the energy."""
    bill: Bill
    """What the money function makes of it."""
    told_minor: int
    """What it comes to as the station told it, with tax."""
    told_wh: Decimal
    extra: tuple[Tax, ...] = ()
    """What a person added or took off, by rate."""
    before: tuple[Tax, ...] = ()
    """What was billed for this session so far."""
    before_wh: Decimal = ZERO
    reason: str | None = None
    """Why a person changed something, in their words."""
    signed: Signed | None = None
    """What the meter's signature proves of it; None where nothing."""

    @property
    def taxes(self) -> tuple[Tax, ...]:
        """What the session comes to, by rate."""
        return less((*taxes_of(self.bill), *self.extra), ())

    @property
    def adds(self) -> tuple[Tax, ...]:
        """What this document adds, by rate."""
        return less(self.taxes, self.before)

    @property
    def adds_wh(self) -> Decimal:
        """What this document adds in energy."""
        return self.usage.energy_wh - self.before_wh


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document before it has its number; amounts in minor units are what it adds, below zero what it gives back."""

    kind: DocumentKind
    why: Explanation
    site: str
    group: str
    """Of which group the card was; empty: none."""
    person: str
    """Who pays; empty: nobody is known."""
    by: str
    corrects: str | None = None

    @property
    def net_minor(self) -> int:
        """Without tax."""
        return sum(tax.net_minor for tax in self.why.adds)

    @property
    def vat_minor(self) -> int:
        """The tax."""
        return sum(tax.vat_minor for tax in self.why.adds)

    @property
    def gross_minor(self) -> int:
        """To pay."""
        return self.net_minor + self.vat_minor


def taxes_of(bill: Bill) -> tuple[Tax, ...]:
    """What a bill comes to, by rate."""
    return tuple(Tax(one.vat_percent, one.net_minor, one.vat_minor) for one in bill.taxes)


def gross_of(taxes: Iterable[Tax]) -> int:
    """What is to pay of all rates."""
    return sum(tax.net_minor + tax.vat_minor for tax in taxes)


def to_reach(taxes: Sequence[Tax], gross_minor: int, vat_percent: Decimal | None) -> tuple[Tax, ...]:
    """What brings the sum of some rates to an amount with tax: each rate keeps its share of the whole.

    Where nothing was to pay before, all of it bears the given rate.
    """
    told = gross_of(taxes)
    if not told:
        net = rounded(divided(Fraction(gross_minor), taxing(vat_percent)))
        return less([Tax(vat_percent, net, gross_minor - net)], taxes)
    shares = [Fraction(gross_of([tax]) * gross_minor, told) for tax in taxes]
    up = sorted(range(len(shares)), key=lambda index: floor(shares[index]) - shares[index])
    up = up[: gross_minor - sum(map(floor, shares))]
    grosses = [floor(share) + (index in up) for index, share in enumerate(shares)]
    aimed = [_of_gross(tax, gross, Fraction(gross_minor, told)) for tax, gross in zip(taxes, grosses, strict=True)]
    return less(aimed, taxes)


def _of_gross(tax: Tax, gross: int, factor: Fraction) -> Tax:
    """A rate's share of an amount with tax; what bore no tax bears none."""
    net = rounded(tax.net_minor * factor) if tax.vat_minor else gross
    net = min(net, gross) if gross >= 0 else max(net, gross)
    return Tax(tax.vat_percent, net, gross - net)


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


def condensed(usage: Usage, tariff: Tariff | None) -> Usage:
    """The same usage in as few stretches as it has changes of kind, where that is the same money by a tariff.

    Only where no price depends on when, or on how fast or how far something was used.
    """
    whens = () if tariff is None else tuple(element.restrictions for element in tariff.elements)
    dated = tariff is not None and bool(tariff.rates) and any(one.tax_rate for one in tariff.components)
    if dated or any(one.is_clocked or one.is_measured for one in whens):
        return usage
    kept: list[Interval] = []
    for one in usage.intervals:
        if kept and _goes_on(kept[-1], one):
            kept[-1] = _joined(kept[-1], one)
        else:
            kept.append(one)
    return replace(usage, intervals=tuple(kept))


def _goes_on(before: Interval, one: Interval) -> bool:
    """Whether a stretch goes on where another of its kind ended."""
    end = None if before.register_wh is None else before.register_wh + before.energy_wh
    return (before.kind, before.until, end) == (one.kind, one.since, one.register_wh)


def _joined(before: Interval, one: Interval) -> Interval:
    """Two stretches as one."""
    energy_wh, span = before.energy_wh + one.energy_wh, one.until - before.since
    power_w = per_hour(energy_wh, span) if span else None
    told = replace(before, until=one.until, until_known=one.until_known, energy_wh=energy_wh, power_w=power_w)
    return replace(told, current_a=before.current_a if before.current_a == one.current_a else None)


def scaled(usage: Usage, energy_wh: Decimal, since: datetime, until: datetime) -> Usage:
    """A usage whose energy is another, as a person says: each stretch has its share, and its ends are estimated.

    Where there is no stretch in which it could have come, all of it came evenly from the session's start to its end.
    """
    told, left, kept = usage.energy_wh, energy_wh, list[Interval]()
    known = usage.intervals if energy_wh == told else _with_stretch(usage.intervals, since, until)
    bearers = [one for one in known if one.energy_wh] or [one for one in known if one.kind not in OUTSIDE][:1]
    for one in known:
        share = ZERO
        if one in bearers:
            is_last = one is bearers[-1]
            share = left if is_last or not told else divided(one.energy_wh * energy_wh, told).quantize(MICRO)
            left -= share
        power_w = per_hour(share, one.span) if one.span else None
        estimate = replace(one, energy_wh=share, power_w=power_w, register_wh=None)
        kept.append(replace(estimate, since_known=Known.ESTIMATED, until_known=Known.ESTIMATED))
    return replace(usage, intervals=tuple(kept))


def _with_stretch(known: Sequence[Interval], since: datetime, until: datetime) -> Sequence[Interval]:
    """Stretches, with one of charging among them where all lie before or after the session."""
    if any(one.kind not in OUTSIDE for one in known):
        return known
    made = Interval(kind=Kind.CHARGING, since=since, until=max(since, until))
    before = [one for one in known if one.kind is Kind.RESERVED]
    return (*before, made, *(one for one in known if one.kind is not Kind.RESERVED))


OUTSIDE = frozenset({Kind.RESERVED, Kind.BLOCKING})
"""Kinds in which a car is not yet, or no longer, on power."""
