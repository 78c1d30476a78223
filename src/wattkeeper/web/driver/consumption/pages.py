"""What a driver used and paid: a month, what came before it, and what it would have cost at other hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Said, joined, phrase
from wattkeeper.charging.statistics.elsewhen import HOURS, Elsewhen
from wattkeeper.charging.statistics.used import Currency, Sum, later
from wattkeeper.operations.money.papers.sheet import Cell, written
from wattkeeper.operations.statistics.consumption import MONTHS, Consumption
from wattkeeper.operations.statistics.otherwise import Otherwise
from wattkeeper.web.driver.consumption import words
from wattkeeper.web.driver.consumption.picture import Figure, Picture, drawn
from wattkeeper.web.driver.paper import Paper, routes_of
from wattkeeper.web.operator import said

HERE = "/app/consumption"
SHEETS = f"{HERE}/sheets/{{name}}"
MONTH_SLOT, HOUR_SLOT = 28, 15
"""How wide a month and an hour are in their pictures."""
NO_FILE = phrase("There is no such file.")
MOST_ENERGY = phrase("Most energy: {energy}, {month}")
NO_ENERGY = phrase("No energy in these months")
MOST_COST = phrase("Most to pay: {amount}, {month}")
CHEAPEST = phrase("Cheapest begun at {hour}: {amount}")
SAME_PRICE = phrase("The same price at every hour")
NO_TIMES = phrase("The prices that hold for you now do not depend on the time.")
SAVES = phrase(
    "The {energy} of this month come to {then} by today’s prices at the times at which you charged. Had every session "
    "begun at {cheap}, they would have come to {least}; at {dear}, to {most}."
)
NEWEST = phrase("Worked out for the newest {count} sessions of the month.")


@dataclass(frozen=True, slots=True)
class OtherHours:
    """What a month would have cost at other hours, in one currency."""

    title: str
    text: str
    picture: Picture | None
    rows: Sequence[tuple[str, str, str]]
    """Hour, what it comes to, and how much more or less than it was."""
    note: str
    currency: str


class Pages:
    """``/app/consumption`` and its files."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._statistics = paper.rooms.statistics

    async def show(self, request: Request, month: str = "") -> Response:
        """A month, opening with its answer."""
        viewer = await self._paper.need_viewer(request)
        one = await self._statistics.consumption.of(viewer, month)
        other = await self._statistics.other_times.of(viewer, one.month)
        told: dict[str, Any] = {
            "month": one,
            "month_key": f"{one.month:%Y-%m}",
            "month_name": said.dated(one.month, words.MONTH),
            "before": f"{later(one.month, -1):%Y-%m}" if one.first is not None and one.first < one.month else "",
            "after": f"{later(one.month, 1):%Y-%m}" if one.month < one.now else "",
            "cost": words.cost(one.sum),
            "price": words.price(one.sum) if one.sum.paid else "",
            "apart": [*words.apart(one.sum), *await self._so_far(viewer, one)],
            "against": [words.against(one, past) for past in one.past] if one.first is not None else [],
            "rows": words.months(one),
            "pictures": pictures(one),
            "behind": words.where(f"{one.month:%Y-%m}") if one.sum.sessions else "",
            "by_place": words.places(one.places, f"{one.month:%Y-%m}", MONTHS),
            "by_part": words.parts(one.parts, f"{one.month:%Y-%m}", MONTHS),
            "best_part": words.best_part(one.parts),
            "carbon": words.carbon(one.carbon),
            "years": one.years,
            "others": [] if other is None else other_hours(other),
        }
        return await self._paper.page(request, "consumption.html", viewer, **told)

    async def _so_far(self, viewer: Viewer, one: Consumption) -> list[Said]:
        """What the sessions of the month come to that are in no sum yet."""
        if not (one.sum.waiting or one.sum.running):
            return []
        costs: Counter[Currency] = Counter()
        for receipt in await self._paper.rooms.prices.history(viewer, f"{one.month:%Y-%m}"):
            if receipt.bill is not None and not receipt.documents and not receipt.is_waived and receipt.gross_minor:
                costs[Currency(receipt.bill.currency, receipt.bill.digits)] += receipt.gross_minor
        return [*words.so_far(costs)]

    async def file(self, request: Request, name: str, month: str = "") -> Response:
        """A table as CSV, or a picture as SVG."""
        viewer = await self._paper.need_viewer(request)
        one = await self._statistics.consumption.of(viewer, month)
        stem, _, kind = name.rpartition(".")
        if kind == "csv" and stem in TABLES:
            return as_file(f"{stem}-{one.month:%Y-%m}.csv", "text/csv; charset=utf-8", written(*TABLES[stem](one)))
        other = await self._statistics.other_times.of(viewer, one.month) if stem.startswith("hours") else None
        if kind == "csv" and other is not None:
            for money, each in other.by_currency.items():
                if stem == f"hours-{money.code}" and each.hours:
                    return as_file(name, "text/csv; charset=utf-8", written(*hours_table(money, each)))
        drawn_ = [*pictures(one), *(each.picture for each in (other_hours(other) if other else ()))]
        found = next((each for each in drawn_ if each is not None and each.name == stem), None)
        if kind != "svg" or found is None:
            raise Refusal(Code.NOT_FOUND, NO_FILE)
        return as_file(name, "image/svg+xml", str(self._paper.part("consumption_parts.html", "alone", found)))


# --- pictures -------------------------------------------------------------------------------------------------


def pictures(one: Consumption) -> list[Picture]:
    """Energy by month, and what was paid in each currency."""
    best = words.most(one.months)
    title = NO_ENERGY
    if best is not None:
        title = MOST_ENERGY.filled(energy=words.kwh(best[1].energy_wh), month=said.dated(best[0], words.MONTH))
    energy = [(total.energy_wh, said.kwh(total.energy_wh)) for total in one.months.values()]
    return [_by_month(one, "energy", title, energy), *(_paid(one, each) for each in currencies(one.months.values()))]


def currencies(totals: Iterable[Sum]) -> list[Currency]:
    """In what was paid."""
    return sorted({each for total in totals for each in total.paid})


def _paid(one: Consumption, currency: Currency) -> Picture:
    """What was paid by month."""
    amounts = {
        month: total.paid[currency].gross_minor if currency in total.paid else 0 for month, total in one.months.items()
    }
    best = max(amounts, key=lambda month: amounts[month])
    title = MOST_COST.filled(amount=words.money(amounts[best], currency), month=said.dated(best, words.MONTH))
    told = [(Decimal(minor), words.money(minor, currency)) for minor in amounts.values()]
    return _by_month(one, f"cost-{currency.code}", title, told)


def _by_month(one: Consumption, name: str, title: str, told: Sequence[tuple[Decimal, str]]) -> Picture:
    """A bar a month."""
    figures = [
        Figure(
            said.dated(month, words.LETTER),
            value,
            text,
            f"{month.year}" if place == 0 or month.month == 1 else "",
            is_chosen=month == one.month,
        )
        for place, (month, (value, text)) in enumerate(zip(one.months, told, strict=True))
    ]
    return drawn(name, title, figures, MONTH_SLOT)


# --- other hours ----------------------------------------------------------------------------------------------


def other_hours(other: Otherwise) -> list[OtherHours]:
    """What a month would have cost at other hours, by currency."""
    return [_other(currency, one, other.left_out) for currency, one in other.by_currency.items() if one.sessions]


def _other(currency: Currency, one: Elsewhen, left_out: int) -> OtherHours:
    """In one currency."""
    if not one.differs:
        return OtherHours(SAME_PRICE, NO_TIMES, None, (), "", currency.code)
    at = {hour: words.money(minor, currency) for hour, minor in zip(HOURS, one.hours, strict=True)}
    text = SAVES.filled(
        energy=words.kwh(one.energy_wh),
        then=words.money(one.then_minor, currency),
        cheap=clock(one.cheapest),
        least=at[one.cheapest],
        dear=clock(one.dearest),
        most=at[one.dearest],
    )
    title = CHEAPEST.filled(hour=clock(one.cheapest), amount=at[one.cheapest])
    figures = [
        Figure(f"{hour}" if hour % 6 == 0 else "", Decimal(minor), at[hour], is_chosen=hour == one.cheapest)
        for hour, minor in zip(HOURS, one.hours, strict=True)
    ]
    rows = [(clock(hour), at[hour], _more(one.hours[hour] - one.then_minor, currency)) for hour in HOURS]
    note = NEWEST.filled(count=one.sessions) if left_out else ""
    return OtherHours(
        title, text, drawn(f"hours-{currency.code}", title, figures, HOUR_SLOT), rows, note, currency.code
    )


def clock(hour: int) -> str:
    """An hour as clocks show it."""
    return f"{hour}:00"


def _more(minor: int, currency: Currency) -> str:
    """How much more or less, with its sign."""
    amount = words.money(abs(minor), currency)
    return joined(("+" if minor > 0 else "\N{MINUS SIGN}", amount), "\N{NARROW NO-BREAK SPACE}") if minor else "0"


# --- files ----------------------------------------------------------------------------------------------------

Table = tuple[Sequence[str], list[Sequence[Cell]]]
FIGURES = ("sessions", "energy_kwh", "currency", "net", "tax", "gross", "not_billed_yet", "not_billed_yet_kwh")


def _cells(total: Sum, *name: Cell) -> list[Sequence[Cell]]:
    """A row for each currency; energy and sessions of what cost nothing stand in a row without one."""
    counts: tuple[Cell, ...] = (total.waiting, total.waiting_wh.scaleb(-3))
    if not total.paid:
        return [(*name, total.sessions, total.energy_wh.scaleb(-3), "", "", "", "", *counts)]
    rows: list[Sequence[Cell]] = []
    for place, (currency, paid) in enumerate(total.paid.items()):
        head: tuple[Cell, ...] = (total.sessions, total.energy_wh.scaleb(-3)) if not place else ("", "")
        sums = (paid.net_minor, paid.vat_minor, paid.gross_minor)
        amounts = (Decimal(minor).scaleb(-currency.digits) for minor in sums)
        rows.append((*name, *head, currency.code, *amounts, *(counts if not place else ("", ""))))
    return rows


def months_table(one: Consumption) -> Table:
    """The months."""
    rows = [cells for month, total in one.months.items() for cells in _cells(total, f"{month:%Y-%m}")]
    return ("month", *FIGURES), rows


def places_table(one: Consumption) -> Table:
    """The places."""
    rows = [cells for place, total in one.places.items() for cells in _cells(total, place.name, place.address)]
    return ("place", "address", *FIGURES), rows


def parts_table(one: Consumption) -> Table:
    """The quarters of the day, by the hour at which each begins."""
    return ("from_hour", *FIGURES), [cells for part, total in one.parts.items() for cells in _cells(total, part)]


TABLES: dict[str, Callable[[Consumption], Table]] = {
    "months": months_table,
    "places": places_table,
    "parts": parts_table,
}
"""The tables there are, by the names of their files."""


def hours_table(currency: Currency, one: Elsewhen) -> Table:
    """What a month would have cost, by the hour at which every session had begun."""
    rows = [(hour, currency.code, Decimal(minor).scaleb(-currency.digits)) for hour, minor in enumerate(one.hours)]
    return ("hour", "currency", "gross"), [*rows]


def as_file(name: str, media_type: str, text: str) -> Response:
    """A file that nobody on the way keeps."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, media_type=media_type, headers=headers)


def router(paper: Paper) -> APIRouter:
    """``/app/consumption`` and its files."""
    pages, routes = Pages(paper), routes_of(paper)
    routes.add_api_route(HERE, pages.show, methods=["GET"])
    routes.add_api_route(SHEETS, pages.file, methods=["GET"])
    return routes
