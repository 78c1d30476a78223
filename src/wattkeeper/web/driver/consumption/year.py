"""A calendar year of a driver's own: on screen, and after a fresh proof as a paper and a table."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.numbered import Tax
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import Figure, phrase
from wattkeeper.charging.statistics.used import Currency
from wattkeeper.operations.statistics.yearly import OwnYear
from wattkeeper.web.api.money.papers import sent
from wattkeeper.web.driver.consumption import words
from wattkeeper.web.driver.consumption.pages import HERE, as_file
from wattkeeper.web.driver.paper import Paper, routes_of
from wattkeeper.web.operator import said

OF_YEAR = 12
YEAR = f"{HERE}/years/{{year}}"
NO_TAX = phrase("No tax")


@dataclass(frozen=True, slots=True)
class Rate:
    """What bears a rate of tax."""

    name: str
    net: str
    tax: str
    gross: str


class Pages:
    """``/app/consumption/years/{year}``, its paper and its table."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, year: str) -> Response:
        """A year, opening with its answer."""
        viewer = await self._paper.need_viewer(request)
        one = await self._rooms.statistics.years.of(viewer, year)
        told: dict[str, Any] = {
            "year": one,
            "cost": words.cost(one.sum),
            "price": words.price(one.sum) if one.sum.paid else "",
            "carbon": words.carbon(one.emitted),
            "apart": [*words.apart(one.sum)],
            "behind": words.where(f"{one.year}-12", OF_YEAR) if one.sum.sessions else "",
            "rows": [
                words.row(said.dated(month, words.MONTH), total, words.where(f"{month:%Y-%m}"))
                for month, total in one.months.items()
            ],
            "by_place": words.places(one.places, f"{one.year}-12", OF_YEAR),
            "rates": rates(one),
            "is_fresh": self._is_fresh(viewer),
        }
        return await self._paper.page(request, "year.html", viewer, **told)

    def _is_fresh(self, viewer: Viewer) -> bool:
        """Whether its files are handed out without asking once more."""
        try:
            viewer.need_fresh(self._rooms.store.clock())
        except Refusal:
            return False
        return True

    async def printed(self, request: Request, year: str) -> Response:
        """It as PDF."""
        viewer = await self._paper.need_viewer(request)
        return sent(await self._rooms.statements.yearly.printed(viewer, year))

    async def sheet(self, request: Request, year: str) -> Response:
        """It as CSV."""
        viewer = await self._paper.need_viewer(request)
        text = await self._rooms.statements.yearly.sheet(viewer, year)
        return as_file(f"charging-{year}.csv", "text/csv; charset=utf-8", text)


def rates(one: OwnYear) -> list[Rate]:
    """What bears which rate, by currency."""
    return [_rate(currency, tax) for currency, taxes in one.taxes.items() for tax in taxes]


def _rate(currency: Currency, tax: Tax) -> Rate:
    percent = tax.vat_percent
    name = NO_TAX if percent is None else Figure(percent, places_of(percent), "%")
    sums = (tax.net_minor, tax.vat_minor, tax.net_minor + tax.vat_minor)
    return Rate(name, *(words.money(minor, currency) for minor in sums))


def places_of(percent: Decimal) -> int:
    """How many places a rate needs."""
    return max(0, -int(percent.normalize().as_tuple().exponent))


def router(paper: Paper) -> APIRouter:
    """``/app/consumption/years/{year}``, its paper and its table."""
    pages, routes = Pages(paper), routes_of(paper)
    routes.add_api_route(YEAR, pages.show, methods=["GET"])
    routes.add_api_route(f"{YEAR}/paper", pages.printed, methods=["GET"])
    routes.add_api_route(f"{YEAR}/sheet", pages.sheet, methods=["GET"])
    return routes
