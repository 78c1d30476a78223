"""Money: what a month came to, by day, site, station, tariff and group; what is open; what there is to take along."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.money.ledger import Posting
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Money, Phrase, Said, counted, joined, phrase
from wattkeeper.operations.money import revenue as operation
from wattkeeper.operations.money.discrepancies import SessionsAudit
from wattkeeper.operations.money.papers.books import Book, Books
from wattkeeper.operations.money.papers.sheet import as_csv, as_parquet
from wattkeeper.operations.money.revenue import Overview
from wattkeeper.store.money import revenue as store
from wattkeeper.store.money.revenue import Facet, Revenue
from wattkeeper.web.operator.money import lost, months
from wattkeeper.web.operator.money.desks import page, payer
from wattkeeper.web.operator.money.months import Month
from wattkeeper.web.operator.money.picture import drawn
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.operator.people.names import Places, places
from wattkeeper.web.operator.said import kwh, money

DESK = "/money"
MOST_ROWS = 20
"""How many rows a table of the page has; the files have all."""
LOOKED_AT_ONCE = 500
"""Up to how many sessions of a month are looked through for what does not fit whenever the page is opened."""
SHEET = (Facet.DAY, Facet.SITE, Facet.STATION, Facet.TARIFF, Facet.GROUP)
TITLES = {
    Facet.SITE: phrase("By site"),
    Facet.STATION: phrase("By station"),
    Facet.TARIFF: phrase("By tariff"),
    Facet.GROUP: phrase("By group of customers"),
}
HEADS = {
    Facet.SITE: phrase("Site"),
    Facet.STATION: phrase("Station"),
    Facet.TARIFF: phrase("Tariff"),
    Facet.GROUP: phrase("Group"),
}
NONE = {Facet.SITE: phrase("without a site"), Facet.GROUP: phrase("without a group")}
FILES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True, slots=True)
class Share:
    """A line of a table: what was billed of one kind."""

    name: str
    href: str
    """Where its bills are; empty: they cannot be listed."""
    row: Revenue
    percent: int
    """Of the largest of the table."""

    @property
    def gross(self) -> Money:
        """With tax."""
        return money(self.row.gross_minor, self.row.currency, self.row.digits)

    @property
    def net(self) -> Money:
        """Without tax."""
        return money(self.row.net_minor, self.row.currency, self.row.digits)

    @property
    def average(self) -> Money | None:
        """For a kWh, with tax."""
        return average(self.row)


@dataclass(frozen=True, slots=True)
class Table:
    """Revenue told apart by one thing."""

    title: Phrase
    head: Phrase
    rows: list[Share]
    more: int
    """How many rows it has beside these."""


@dataclass(frozen=True, slots=True)
class Open:
    """What is open in one currency, as it is now."""

    owed: Said
    owing: Said


def average(row: Revenue) -> Money | None:
    """What a kWh came to, with tax; None where none was billed."""
    if row.energy_wh <= 0:
        return None
    major = Decimal(row.gross_minor).scaleb(-row.digits)
    return Money(divided(major.scaleb(3), row.energy_wh), row.currency, row.digits + 1)


class Revenues:
    """``/money`` and the files of it."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, month: str = "", currency: str = "") -> Response:
        """The month's answer, and what it is made of."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        now = months.running(self._rooms.store.clock(), self._paper.times.zone)
        chosen = months.asked(month, now)
        told = await operation.overview(self._rooms.store, viewer, self._paper.times.zone, chosen.period)
        async with self._rooms.store.read() as connection:
            known = await places(connection, viewer)
        main = _main(told.report.totals, currency)
        context: dict[str, Any] = {
            "month": chosen,
            "months": months.choices(told.first, now, chosen),
            "later": chosen.after if chosen.first < now.first else None,
            "main": main,
            "answer": _answer(main, chosen, now),
            "others": [one for one in told.report.totals if main and one.currency != main.currency],
            "average": None if main is None else average(main),
            "tables": [] if main is None else [_table(told, facet, main, chosen, known) for facet in operation.SHARES],
            "days": _days(told, main),
            "picture": None if main is None else drawn(chosen, _days(told, main), main.currency, main.digits),
            "energy": told.report.energy or [],
            "unmetered": _unmetered(told),
            "open": _open(told),
            "written_off": _written_off(told),
            "owed": _debts(told.owed, viewer),
            "owing": _debts(told.owing, viewer),
            "lost": await self._lost(viewer, told, chosen),
            "kinds": lost.NAMES,
        }
        return page(self._paper, request, DESK, "money.html", viewer, **context)

    async def _lost(self, viewer: Viewer, told: Overview, chosen: Month) -> SessionsAudit | None:
        """What does not fit together, where looking is quick; None where it is asked for on a page of its own."""
        count = None if told.report.energy is None else sum(one.sessions for one in told.report.energy)
        if count is None or count > LOOKED_AT_ONCE:
            return None
        return await lost.looked(self._paper, viewer, chosen)

    async def file(self, request: Request, kind: str, month: str = "") -> Response:
        """The month as a file for spreadsheets (CSV) or for tools (Parquet), by everything there is."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        if kind not in FILES:
            raise Refusal(Code.NOT_FOUND, phrase("There is the month as csv and as parquet, and as nothing else."))
        chosen = months.asked(month, months.running(self._rooms.store.clock(), self._paper.times.zone))
        async with self._rooms.store.read() as connection:
            rows = await store.report(connection, viewer, *chosen.period, SHEET)
        made = as_csv(SHEET, rows) if kind == "csv" else await asyncio.to_thread(as_parquet, SHEET, rows)
        name = f'attachment; filename="revenue-{chosen.key}.{kind}"'
        return Response(
            made, media_type=FILES[kind], headers={"Content-Disposition": name, "Cache-Control": "no-store"}
        )

    async def book(self, request: Request, book: str, month: str = "") -> Response:
        """The books of the month for accountants: every document, or every line of the ledger."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        if book not in set(Book):
            raise Refusal(Code.NOT_FOUND, phrase("There are the books of bills and of entries, and no others."))
        zone = self._paper.times.zone
        chosen = months.asked(month, months.running(self._rooms.store.clock(), zone))
        lines = Books(self._rooms.store, zone, *chosen.period).csv(viewer, Book(book))
        name = f'attachment; filename="{book}-{chosen.key}.csv"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        return StreamingResponse(lines, media_type=FILES["csv"], headers=headers)


# --- parts ----------------------------------------------------------------------------------------------------


def _main(totals: Sequence[Revenue], currency: str) -> Revenue | None:
    """The currency that the page is about: the one that is asked for, else the one with the most sessions."""
    asked = next((one for one in totals if one.currency == currency), None)
    return asked or max(totals, key=lambda one: one.sessions, default=None)


def _answer(main: Revenue | None, chosen: Month, now: Month) -> tuple[Said, Said]:
    """What the month came to."""
    if main is None:
        return phrase("Nothing was billed in {month}", month=chosen.name), joined(())
    so_far = phrase("{amount} in {month} so far") if chosen == now else phrase("{amount} in {month}")
    amount = money(main.gross_minor, main.currency, main.digits)
    mean = average(main)
    told = counted(
        "{energy} kWh in 1 session", "{energy} kWh in {count} sessions", main.sessions, energy=kwh(main.energy_wh)
    )
    each = "" if mean is None else phrase("{amount} for each kWh", amount=mean)
    return so_far.filled(amount=amount, month=chosen.name), joined((told, each), ", ")


def _days(told: Overview, main: Revenue | None) -> dict[date, Revenue]:
    """The days on which something was billed."""
    rows = [one for one in told.report.rows if main is not None and one.currency == main.currency]
    return {date.fromisoformat(one.of[0]): one for one in rows}


def _table(told: Overview, facet: Facet, main: Revenue, chosen: Month, known: Places) -> Table:
    """Revenue told apart by one thing, the most first."""
    rows = [one for one in told.by[facet] if one.currency == main.currency]
    rows.sort(key=lambda one: (-one.gross_minor, one.of))
    most = max([1, *(one.gross_minor for one in rows)])
    shares = [_share(facet, one, most, chosen, known) for one in rows[:MOST_ROWS]]
    return Table(TITLES[facet], HEADS[facet], shares, max(0, len(rows) - MOST_ROWS))


def _share(facet: Facet, row: Revenue, most: int, chosen: Month, known: Places) -> Share:
    """A line of a table, and where its bills are."""
    value = row.of[0]
    name = NONE.get(facet, value) if not value else known[value].name if facet is Facet.STATION else value
    asked = {facet.value: value, "since": chosen.first.isoformat(), "until": chosen.last.isoformat()}
    href = f"/money/bills?{urlencode(asked)}" if value and facet is not Facet.GROUP else ""
    return Share(name, href, row, max(0, 100 * row.gross_minor // most))


def _unmetered(told: Overview) -> str:
    """The first site whose grid meter was not entered, as an address asks for it; empty: there is none."""
    site = next((one.site for one in told.report.energy or [] if one.site and one.grid_wh is None), "")
    return urlencode({"site": site}) if site else ""


def _open(told: Overview) -> list[Open]:
    """What is open, by currency."""
    found = []
    for one in told.report.outstanding:
        digits = digits_of(one.currency)
        amount, back = (money(minor, one.currency, digits) for minor in (one.owed_minor, one.owing_minor))
        owed = counted("1 driver owes {amount}", "{count} drivers owe {amount}", one.debtors, amount=amount)
        owing = counted("We owe {amount} to 1 driver", "We owe {amount} to {count} drivers", one.creditors, amount=back)
        found.append(Open(owed if one.debtors else joined(()), owing if one.creditors else joined(())))
    return found


COVERED = phrase("{amount} was covered for drivers who pay nothing")
GIVEN_UP = phrase("{amount} was given up")


def _written_off(told: Overview) -> list[Phrase]:
    """What was written off until now, by account and currency."""
    found = []
    for one in told.report.written_off:
        words = COVERED if one.account == "lost:covered" else GIVEN_UP
        found.append(words.filled(amount=money(one.amount_minor, one.currency, digits_of(one.currency))))
    return found


def _debts(postings: Sequence[Posting], viewer: Viewer) -> list[tuple[str, Money]]:
    """Who owes how much, by the end of the id; nothing for who may not tell persons apart."""
    if not viewer.may(Scope.PERSONS_READ):
        return []
    told = [(payer(one.account.rpartition(":")[2], viewer), one) for one in postings]
    return [(who, money(abs(one.amount_minor), one.currency, digits_of(one.currency))) for who, one in told]


def router(paper: Paper) -> APIRouter:
    """``/money`` and the files of it."""
    pages, routes = Revenues(paper), routes_of(paper)
    routes.add_api_route(DESK, pages.show, methods=["GET"])
    routes.add_api_route(DESK + "/revenue.{kind}", pages.file, methods=["GET"])
    routes.add_api_route(DESK + "/books/{book}.csv", pages.book, methods=["GET"])
    return routes
