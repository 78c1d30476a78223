"""A calendar year on one paper and as a table: what a driver used, what they were billed for it, the tax by rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Figure, Money, Said, counted, phrase
from wattkeeper.charging.statistics.carbon import Emitted
from wattkeeper.charging.statistics.used import Currency, Paid, Sum, begins
from wattkeeper.language import chosen, spoken
from wattkeeper.operations.money.papers.monthly_paper import BY_RATE, RATE_COLUMNS, kwh, rate_row
from wattkeeper.operations.money.papers.paper import Party, Teller, clock
from wattkeeper.operations.money.papers.papers import Papers, Printed
from wattkeeper.operations.money.papers.printing import YEAR, printed
from wattkeeper.operations.money.papers.sheet import Cell, written
from wattkeeper.operations.statistics.yearly import OwnYear, OwnYears
from wattkeeper.store.engines import Store

EMPTY = phrase("Nothing was billed for this year, so there is nothing to state.")
SUMS = (phrase("Sessions"), phrase("Energy"), phrase("Without tax"), phrase("Tax"), phrase("With tax"))
EACH = phrase("Each kWh")
PURPOSE = phrase(
    "This states what was billed for sessions that began in this year, corrections and credit notes included; it is "
    "the sum of {count} documents. It is no invoice: each amount stands on a receipt, which anyone can work out again."
)
RUNS = phrase("The year is not over: this is how far it had come when it was made.")
CARBON = phrase(
    "The carbon dioxide is that of the grid in the hours in which energy flowed, as whoever runs the stations told it; "
    "it is known for {known} of {energy}."
)
HEADER = (
    *("what", "month", "place", "address", "tax_percent", "sessions", "energy_kwh", "currency", "net", "tax", "gross"),
    *("gross_per_kwh", "co2_kg", "co2_known_kwh"),
)
"""The columns of the table; ``what`` is total, month, place or tax."""


@dataclass(frozen=True, slots=True)
class YearPaper:
    """All that stands on it."""

    year: OwnYear
    seller: Party
    payer: str
    """What the person is called; empty where they told us no name."""


class Yearly:
    """Hands out a driver's own years, after a fresh proof."""

    def __init__(self, store: Store, years: OwnYears, papers: Papers) -> None:
        self._store = store
        self._years = years
        self._papers = papers

    async def printed(self, viewer: Viewer, year: str, language: str = "") -> Printed:
        """One's own year such as 2026 as PDF (scopes sessions:read and bills:read, one's own).

        Refusal PROOF, FORBIDDEN; INVALID where it is no year, NOT_FOUND where nothing was billed.
        """
        one = await self._of(viewer, year)
        paper = YearPaper(one, self._papers.seller, await self._papers.payer_of(viewer))
        words = told(paper, chosen(language, spoken()))
        return Printed(f"charging-{one.year}.pdf", await printed(words, one.made_at, template=YEAR))

    async def sheet(self, viewer: Viewer, year: str) -> str:
        """The same as CSV; refused likewise."""
        return as_csv(await self._of(viewer, year))

    async def _of(self, viewer: Viewer, year: str) -> OwnYear:
        one = await self._years.of(viewer, year)
        viewer.need_fresh(self._store.clock())
        if not one.documents:
            raise Refusal(Code.NOT_FOUND, EMPTY)
        return one


# --- on paper -----------------------------------------------------------------------------------------------------


def told(paper: YearPaper, language: str) -> dict[str, Any]:
    """A year in a language, as plain words: what the template prints."""
    teller = _Teller(paper.year, language)
    one = paper.year
    return {
        "language": language,
        "title": teller.tell(phrase("Charging in {year}", year=str(one.year))),
        "seller": teller.address(paper.seller),
        "buyer": [paper.payer] if paper.payer else [],
        "buyer_label": teller.tell(phrase("For")),
        "facts": [[teller.tell(name), teller.tell(value)] for name, value in teller.facts()],
        "columns": [teller.tell(name) for name in (phrase("Month"), *SUMS, EACH)],
        "rows": [row for month, total in one.months.items() for row in teller.rows(teller.month(month), "", total)],
        "totals": teller.rows(teller.tell(phrase("Total")), "", one.sum),
        "places_label": teller.tell(phrase("By place")),
        "place_columns": [teller.tell(name) for name in (phrase("Place"), *SUMS, EACH)],
        "places": [row for place, total in one.places.items() for row in teller.rows(place.name, place.address, total)],
        "rates_label": teller.tell(BY_RATE),
        "rate_columns": [teller.tell(name) for name in RATE_COLUMNS],
        "rates": [[teller.tell(cell) for cell in row] for row in teller.rates()],
        "why_label": teller.tell(phrase("What this is")),
        "why": [teller.tell(note) for note in teller.notes()],
        "foot": [*filter(None, [paper.seller.name]), *teller.vat_id(paper.seller)],
        "page": teller.tell(phrase("Page")),
    }


class _Teller(Teller):
    """Tells the parts of a year."""

    def __init__(self, one: OwnYear, language: str) -> None:
        super().__init__(language)
        self._one = one

    def facts(self) -> Iterator[tuple[Said, str]]:
        """What stands beneath the title."""
        one = self._one
        first, last = date(one.year, 1, 1), date(one.year, 12, 31)
        yield phrase("From"), self.day(first)
        yield phrase("To"), self.day(last)
        yield phrase("Time zone"), clock(one.zone, [begins(month, one.zone) for month in one.months])
        yield phrase("Sessions"), f"{one.sum.sessions}"
        for currency, paid in one.sum.paid.items():
            price = average(paid, currency)
            if price is not None:
                yield phrase("Average for each kWh"), price
        if one.emitted.known_wh > 0:
            yield phrase("Carbon dioxide"), kilograms(one.emitted)
        yield phrase("Made on"), self.day(one.made_at.astimezone(one.zone).date())

    def rows(self, name: str, more: str, total: Sum) -> list[Any]:
        """A sum as lines: one for each currency; energy and sessions stand in the first."""
        head = [f"{total.sessions}", self.tell(kwh(total.energy_wh))]
        if not total.paid:
            return [[[name, more], *head, "–", "–", "–", "–"]] if total.sessions else []
        return [
            [
                [name, more] if not place else ["", ""],
                *(head if not place else ["", ""]),
                *(self.tell(cell) for cell in amounts(paid, currency)),
                self.tell(average(paid, currency) or "–"),
            ]
            for place, (currency, paid) in enumerate(total.paid.items())
        ]

    def rates(self) -> Iterator[tuple[object, ...]]:
        """What bears which rate of tax, by currency."""
        for currency, taxes in self._one.taxes.items():
            yield from (rate_row(tax, lambda minor, of=currency: money(minor, of)) for tax in taxes)

    def notes(self) -> Iterator[Said]:
        """What it is, and what is not in it."""
        one = self._one
        yield PURPOSE.filled(count=one.documents)
        if one.is_running:
            yield RUNS
        if one.sum.free_wh > 0:
            yield phrase("Nothing was to be paid for {energy} of it.", energy=kwh(one.sum.free_wh))
        if one.sum.waiting:
            yield counted(
                "{count} session of this year was not billed yet and is not in it.",
                "{count} sessions of this year were not billed yet and are not in it.",
                one.sum.waiting,
            )
        if one.emitted.known_wh > 0:
            yield CARBON.filled(known=kwh(one.emitted.known_wh), energy=kwh(one.emitted.energy_wh))


def money(minor: int, currency: Currency) -> Money:
    """An amount of minor units."""
    return Money(Decimal(minor).scaleb(-currency.digits), currency.code, currency.digits)


def amounts(paid: Paid, currency: Currency) -> tuple[Money, Money, Money]:
    """Without tax, the tax, and both."""
    return money(paid.net_minor, currency), money(paid.vat_minor, currency), money(paid.gross_minor, currency)


def average(paid: Paid, currency: Currency) -> Money | None:
    """What a kWh came to, to a hundredth of the minor unit; None where no energy was billed."""
    price = paid.price(currency.digits)
    return None if price is None else Money(price, currency.code, currency.digits + 2)


def kilograms(one: Emitted) -> Figure:
    """Carbon dioxide as far as it is known."""
    return Figure(one.grams.scaleb(-3), 1, "kg")


# --- as a table ---------------------------------------------------------------------------------------------------


def as_csv(one: OwnYear) -> str:
    """A year as CSV (RFC 4180) with a byte order mark: exact amounts in major units, energy in kWh."""
    return written(HEADER, _lines(one))


def _lines(one: OwnYear) -> Iterator[Sequence[Cell]]:
    """The year, its months, its places, and its tax by rate."""
    yield from _cells(("total", "", "", ""), one.sum, one.emitted)
    for month, total in one.months.items():
        yield from _cells(("month", f"{month:%Y-%m}", "", ""), total, one.carbon.get(month))
    for place, total in one.places.items():
        yield from _cells(("place", "", place.name, place.address), total, None)
    for currency, taxes in one.taxes.items():
        for tax in taxes:
            net, vat = (Decimal(minor).scaleb(-currency.digits) for minor in (tax.net_minor, tax.vat_minor))
            rate: Cell = "" if tax.vat_percent is None else tax.vat_percent
            yield ("tax", "", "", "", rate, "", "", currency.code, net, vat, net + vat, "", "", "")


def _cells(name: tuple[Cell, ...], total: Sum, carbon: Emitted | None) -> Iterator[Sequence[Cell]]:
    """A sum as rows: one for each currency; sessions, energy and carbon dioxide stand in the first."""
    head: tuple[Cell, ...] = (total.sessions, total.energy_wh.scaleb(-3))
    known = carbon is not None and carbon.known_wh > 0
    tail: tuple[Cell, ...] = (carbon.grams.scaleb(-3), carbon.known_wh.scaleb(-3)) if carbon and known else ("", "")
    if not total.paid:
        if total.sessions:
            yield (*name, "", *head, "", "", "", "", "", *tail)
        return
    for place, (currency, paid) in enumerate(total.paid.items()):
        sums = (paid.net_minor, paid.vat_minor, paid.gross_minor)
        scaled = (Decimal(minor).scaleb(-currency.digits) for minor in sums)
        price = average(paid, currency)
        each: Cell = "" if price is None else price.amount
        first = not place
        yield (*name, "", *(head if first else ("", "")), currency.code, *scaled, each, *(tail if first else ("", "")))
