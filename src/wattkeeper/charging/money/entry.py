"""What a session used at each price, added up piece by piece, and rounded up to steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from wattkeeper.charging.metering.flow import Kind
from wattkeeper.charging.money.exact import ZERO, divided, seconds, stepped
from wattkeeper.charging.money.line import ORDER, LineKind, Part, unit_of
from wattkeeper.charging.money.pieces import Piece, pieces
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Tariff
from wattkeeper.charging.money.usage import Usage

K = LineKind
FLAT = frozenset({K.FLAT, K.RESERVATION_FLAT})
"""What is billed once, by the first price that holds."""
IDLE = frozenset({K.PARKING_TIME, K.BLOCKING_TIME})
STEPPED = (frozenset({K.RESERVATION_TIME}), frozenset({K.ENERGY}), frozenset({K.TIME}) | IDLE)
"""What is rounded up to a step once, by the price that held last (OCPI mod_cdrs, step_size)."""


@dataclass(slots=True)
class Entry:
    """A line while it is added up."""

    kind: LineKind
    element: int | None
    component: Component
    vat_percent: Decimal | None
    used: Decimal = ZERO
    extra: Decimal = ZERO
    """What the step adds."""
    parts: list[Part] = field(default_factory=list)

    def amounts(self, tariff: Tariff) -> tuple[Fraction, Fraction]:
        """Exact, without and with tax, in minor units."""
        price = Fraction(self.component.price) * 10**tariff.digits
        amount = divided(Fraction(self.used + self.extra) * price, unit_of(self.kind))
        factor = taxing(self.vat_percent)
        return (divided(amount, factor), amount) if tariff.tax_included else (amount, amount * factor)


def taxing(vat_percent: Decimal | None) -> Fraction:
    """What tax makes of an amount."""
    return divided(100 + Fraction(vat_percent or ZERO), 100)


def entries_of(usage: Usage, tariff: Tariff) -> list[Entry]:
    """What was used at each price, with steps."""
    found: dict[tuple[object, ...], Entry] = {}
    last: dict[frozenset[LineKind], Entry] = {}
    usage_is_empty, billed_once = usage.is_empty, set[LineKind]()
    for piece in pieces(usage, tariff):
        if usage_is_empty and piece.interval.kind is not Kind.RESERVED:
            continue
        for kind, dimension, used in _used(piece, tariff):
            rule = None if kind in billed_once else piece.rule(dimension)
            if rule is None:
                continue
            vat = tariff.vat_of(rule.component, piece.day)
            key = (kind, rule.element, rule.component, vat)
            entry = found.setdefault(key, Entry(kind, rule.element, rule.component, vat))
            _add(entry, piece, used)
            billed_once |= FLAT & {kind}
            last |= {group: entry for group in STEPPED if kind in group}
    for group, entry in last.items():
        _step(entry, [one for one in found.values() if one.kind in group])
    return sorted(found.values(), key=lambda one: ORDER[one.kind])


def _used(piece: Piece, tariff: Tariff) -> Iterator[tuple[LineKind, Dimension, Decimal]]:
    """What of each dimension a piece used: Wh, seconds, one session."""
    one, once = piece.interval, Decimal(1)
    lasting = seconds(one.span)
    if one.kind is Kind.RESERVED:
        yield K.RESERVATION_FLAT, Dimension.FLAT, once
        yield K.RESERVATION_TIME, Dimension.TIME, lasting
        return
    if one.kind is not Kind.BLOCKING:
        yield K.FLAT, Dimension.FLAT, once
    if one.energy_wh:
        yield K.ENERGY, Dimension.ENERGY, one.energy_wh
    if one.kind is Kind.CHARGING and lasting:
        yield K.TIME, Dimension.TIME, lasting
    if one.kind is Kind.PARKING and lasting:
        yield K.PARKING_TIME, Dimension.PARKING_TIME, lasting
    if one.kind is Kind.BLOCKING and tariff.bills_blocking:
        yield K.BLOCKING_TIME, Dimension.PARKING_TIME, lasting


def _add(entry: Entry, piece: Piece, used: Decimal) -> None:
    """Add a piece to its line: to its last stretch, where it goes on from there."""
    one = piece.interval
    entry.used += used
    is_flat = entry.kind in FLAT
    until, until_known = (one.since, one.since_known) if is_flat else (one.until, one.until_known)
    start = one.register_wh
    end = start if start is None or is_flat else start + one.energy_wh
    if entry.parts and entry.parts[-1].until == one.since and entry.parts[-1].until_wh == start:
        before = entry.parts.pop()
        entry.parts.append(
            Part(before.since, until, before.used + used, before.since_known, until_known, before.since_wh, end)
        )
    else:
        entry.parts.append(Part(one.since, until, used, one.since_known, until_known, start, end))


def _step(last: Entry, group: Iterable[Entry]) -> None:
    """Round up what was used, by the price that held last; of time, only the kind that came last.

    OCPI mod_cdrs, step_size: once for energy, once for charging and parking together, on the total of the session.
    """
    kinds = IDLE if last.kind in IDLE else {last.kind}
    total = sum((one.used for one in group if one.kind in kinds), ZERO)
    last.extra = stepped(total, last.component.step_size) - total
