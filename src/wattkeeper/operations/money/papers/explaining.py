"""Why a bill says what it says, in words: its lines with quantity, price, stretches, and how those are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from decimal import Decimal

from wattkeeper.charging.evidence import kwh
from wattkeeper.charging.money.billing import say
from wattkeeper.charging.money.line import HOURLY, Line, LineKind, Part
from wattkeeper.charging.money.numbered import DocumentKind, Explanation, Tax, gross_of
from wattkeeper.charging.money.tariffs.assignment import why as why_tariff
from wattkeeper.charging.money.tariffs.tariff import Tariff
from wattkeeper.charging.money.usage import Known
from wattkeeper.charging.phrase import Figure, Money, Said, joined, phrase
from wattkeeper.operations.money.tariffs.prices import GRADES
from wattkeeper.store.money.bill import BillRow

K = LineKind
KINDS = {
    DocumentKind.BILL: phrase("Bill {number}"),
    DocumentKind.CORRECTION: phrase("Correction {number} of bill {corrects}: more to pay"),
    DocumentKind.CREDIT_NOTE: phrase("Credit note {number} for bill {corrects}: less to pay"),
}
WHAT = {
    K.RESERVATION_FLAT: phrase("For the reservation"),
    K.RESERVATION_TIME: phrase("Time reserved"),
    K.FLAT: phrase("For the session"),
    K.ENERGY: phrase("Energy"),
    K.TIME: phrase("Charging time"),
    K.PARKING_TIME: phrase("Plugged in without charging"),
    K.BLOCKING_TIME: phrase("Connector blocked after the session"),
    K.LEAST: phrase("Up to the least a session costs"),
    K.MOST: phrase("Down to the most a session costs"),
}
KNOWN = {
    Known.MEASURED: phrase("measured"),
    Known.INTERPOLATED: phrase("interpolated between two readings"),
    Known.ESTIMATED: phrase("estimated"),
}
ROUNDING = phrase(
    "The sums without and with tax are the exact sums, each rounded once to {smallest}, half up; lines are rounded so "
    "that they add up to them, and the tax is the difference."
)
RECOMPUTE = phrase(
    "Anyone can work it out again: `wattkeeper verify receipt` with its file. Its calculation has the SHA-256 {digest}."
)


@dataclass(frozen=True, slots=True)
class LineSaid:
    """A line in words."""

    what: Said
    how: Said
    """Quantity times unit price, the step, the tax."""
    net: Money
    vat: Money
    gross: Money
    spans: tuple[Said, ...] = ()
    """From when to when, how much, and how the meter is known at both ends."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A document in words."""

    title: Said
    facts: tuple[Said, ...]
    """Which session, by which tariff, on which evidence."""
    lines: tuple[LineSaid, ...]
    """What the session comes to, what a person added, and what was billed before."""
    net: Money
    vat: Money
    gross: Money
    """What this document adds."""
    notes: tuple[Said, ...]
    """Rounding, tax, and how to check it."""


def explained(
    row: BillRow, why: Explanation, zone: tzinfo, stamp: Callable[[datetime], str] | None = None
) -> Explained:
    """A document in words; instants by the clock of a zone, or as ``stamp`` writes them."""
    told = _Told(why, zone, stamp)
    return Explained(
        title=KINDS[row.kind].filled(number=row.number, corrects=row.corrects or ""),
        facts=tuple(told.facts()),
        lines=tuple(told.lines()),
        net=told.money(row.net_minor),
        vat=told.money(row.vat_minor),
        gross=told.money(row.gross_minor),
        notes=tuple(told.notes(row)),
    )


def changed(reason: str | None) -> Said:
    """That a person changed something, with their words where they left any."""
    return phrase("Changed by a person: {reason}", reason=reason) if reason else phrase("Changed by a person")


class Teller:
    """Tells the lines of a bill by a tariff in words; instants by the clock of a zone."""

    def __init__(self, tariff: Tariff, zone: tzinfo, stamp: Callable[[datetime], str] | None = None) -> None:
        self._tariff = tariff
        self._zone = zone
        self._stamp = stamp

    def money(self, minor: int) -> Money:
        """An amount of minor units."""
        digits = self._tariff.digits
        return Money(Decimal(minor).scaleb(-digits), self._tariff.currency, digits)

    def at(self, at: datetime) -> str:
        """An instant by the clock of the place."""
        if self._stamp is not None:
            return self._stamp(at)
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M:%S}"

    def line(self, line: Line) -> LineSaid:
        """A line."""
        amounts = (self.money(line.net_minor), self.money(line.vat_minor), self.money(line.gross_minor))
        spans = () if line.kind in (K.FLAT, K.RESERVATION_FLAT) else tuple(self._span(line, one) for one in line.parts)
        return LineSaid(WHAT[line.kind], joined(self._how(line), ", "), *amounts, spans)

    def _how(self, line: Line) -> Iterator[Said]:
        """Quantity times unit price, the step, the tax."""
        if line.kind not in (K.LEAST, K.MOST):
            quantity = _figure(line.quantity, "" if line.unit == "session" else line.unit)
            price = Money(line.unit_price, self._tariff.currency, _places(line.unit_price, self._tariff.digits))
            told = TAXED if self._tariff.tax_included else UNTAXED
            yield told.filled(quantity=quantity, price=price)
        if line.quantity != line.used:
            yield phrase("rounded up from {used} to steps of {step}", used=_figure(line.used), step=_step(line))
        if line.vat_percent is not None:
            yield phrase("{rate} tax", rate=_figure(line.vat_percent, "%"))

    def _span(self, line: Line, part: Part) -> Said:
        """A stretch of a line."""
        used = _figure(replace(line, used_base=part.used).used, line.unit)
        ends = (KNOWN[part.since_known], KNOWN[part.until_known])
        told = {"used": used, "since": self.at(part.since), "until": self.at(part.until)}
        if line.kind is not K.ENERGY or part.since_wh is None or part.until_wh is None:
            return SPAN.filled(**told, start=ends[0], end=ends[1])
        registers = {"low": _register(part.since_wh), "high": _register(part.until_wh)}
        return REGISTERS.filled(**told, **registers, start=ends[0], end=ends[1])


class _Told(Teller):
    """An explanation on its way into words."""

    def __init__(self, why: Explanation, zone: tzinfo, stamp: Callable[[datetime], str] | None = None) -> None:
        super().__init__(why.tariff, zone, stamp)
        self._why = why

    def facts(self) -> Iterator[Said]:
        """Which session it was, by which tariff, on which evidence."""
        why = self._why
        energy = kwh(f"{why.usage.energy_wh:f}")
        station = why.station if why.evse is None else f"{why.station} · {why.evse}"
        yield phrase(
            "{energy} at {station} from {since} to {until}.",
            energy=energy,
            station=station,
            since=self.at(why.started_at),
            until=self.at(why.ended_at),
        )
        tariff = phrase("By the tariff {tariff}, version {version}.", tariff=why.tariff_id, version=str(why.version))
        yield joined((tariff, why_tariff(why.rank, why.subject)))
        yield GRADES[why.grade]
        if why.signed is not None:
            yield METERED.filled(
                serial=why.signed.serial,
                low=_register(why.signed.begin_wh),
                high=_register(why.signed.end_wh),
                records=joined(why.signed.pages, ", "),
            )
        yield from (say(reason) for reason in why.reasons)
        if why.reason is not None and not why.extra:
            yield changed(why.reason)

    def lines(self) -> Iterator[LineSaid]:
        """Every line, what a person added, and what was billed before."""
        why = self._why
        yield from (self.line(line) for line in why.bill.lines)
        if why.extra:
            yield self._sum(changed(why.reason), why.extra)
        if why.before:
            less = [Tax(one.vat_percent, -one.net_minor, -one.vat_minor) for one in why.before]
            yield self._sum(phrase("Billed before"), less)

    def _sum(self, what: Said, taxes: Iterable[Tax]) -> LineSaid:
        """Sums by rate as one line."""
        told = list(taxes)
        net, vat = sum(one.net_minor for one in told), sum(one.vat_minor for one in told)
        return LineSaid(what, joined(()), self.money(net), self.money(vat), self.money(gross_of(told)))

    def notes(self, row: BillRow) -> Iterator[Said]:
        """Tax by rate, rounding, and how to check it."""
        for tax in self._why.adds:
            if tax.vat_percent is not None:
                rate = _figure(tax.vat_percent, "%")
                net, vat = self.money(tax.net_minor), self.money(tax.vat_minor)
                yield phrase("{rate} tax on {net}: {vat}.", rate=rate, net=net, vat=vat)
        smallest = Money(Decimal(1).scaleb(-row.digits), row.currency, row.digits)
        yield ROUNDING.filled(smallest=smallest)
        yield RECOMPUTE.filled(digest=row.digest)


METERED = phrase("The meter {serial} signed {low} at the beginning and {high} at the end (records {records}).")
TAXED = phrase("{quantity} at {price} with tax")
UNTAXED = phrase("{quantity} at {price} without tax")
SPAN = phrase("{used} from {since} ({start}) to {until} ({end})")
REGISTERS = phrase("{used} from {since} ({low}, {start}) to {until} ({high}, {end})")


def _places(value: Decimal, fewest: int = 0, most: int = 6) -> int:
    """How many places a number needs."""
    return min(most, max(fewest, -int(value.normalize().as_tuple().exponent)))


def _figure(value: Decimal, unit: str = "") -> Figure:
    """A number with as many places as it needs, six at most."""
    return Figure(value, _places(value), unit)


def _register(wh: Decimal) -> Figure:
    """A register, to the watt-hour or finer."""
    return Figure(wh.scaleb(-3), max(3, _places(wh.scaleb(-3))), "kWh")


def _step(line: Line) -> Figure:
    """The step of a line."""
    return Figure(Decimal(line.step_size), 0, "s" if line.kind in HOURLY else "Wh")
