"""One tariff: its week as a picture, its prices in words, its versions, and all of it as a file in OCPI's terms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.tariffs.assignment import STANDARD, standing
from wattkeeper.charging.money.tariffs.tariff import Tariff
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.tariffs.price_words import said
from wattkeeper.store.money.tariffs.ocpi import exported
from wattkeeper.store.money.tariffs.tariff import TariffRow, valid_at
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.operator.said import DAY_AND_YEAR, dated
from wattkeeper.web.operator.tariffs.listed import where
from wattkeeper.web.operator.tariffs.picture import SHORT, pictures, plain, span

WEEK = re.compile(r"[0-9]{4}-W[0-9]{2}").fullmatch
DID = {
    "saved": Word(
        phrase("The new version is saved."),
        phrase("Sessions that have begun keep the version that they began with."),
    ),
    "imported": Word(phrase("The tariff is imported."), phrase("It holds for whoever it is assigned to.")),
}
OVER, NOW, TO_COME = phrase("over"), phrase("holds now"), phrase("to come")


@dataclass(frozen=True, slots=True)
class Version:
    """A version as a line of the history."""

    row: TariffRow
    state: str
    by: str
    span: object
    """From what to what a kWh goes in it."""


@dataclass(frozen=True, slots=True)
class Weeks:
    """Which week a picture shows, and those beside it."""

    first: str
    before: str
    after: str
    is_dated: bool
    """Whether other weeks can look different."""


def weeks(tariff: Tariff, day: date) -> Weeks:
    """The week of a day, and those beside it."""
    first = day - timedelta(days=day.weekday())
    before, after = (_name(first + timedelta(days=7 * apart)) for apart in (-1, 1))
    when = (each.restrictions for each in tariff.elements)
    is_dated = bool(tariff.rates) or any(one.start_date or one.end_date for one in when)
    return Weeks(dated(first, DAY_AND_YEAR), before, after, is_dated)


def _name(day: date) -> str:
    """A week as addresses name it."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def day_of(tariff: Tariff, asked: str, at: datetime) -> date:
    """The day whose week is shown: of the week that was asked for, else of an instant."""
    if WEEK(asked) and 1971 <= int(asked[:4]) < 9990:
        try:
            return date.fromisocalendar(int(asked[:4]), int(asked[6:]), 1)
        except ValueError:
            pass
    return at.astimezone(tariff.zone).date()


class One:
    """``/tariffs/named/{tariff}`` and its file."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def _rows(self, viewer: Viewer, name: str) -> list[TariffRow]:
        """Its versions, the newest first; Refusal NOT_FOUND."""
        rows = [row for row in await self._rooms.prices.versions(viewer) if row.id == name]
        if not rows:
            raise Refusal(Code.NOT_FOUND, phrase("There is no tariff of this name."))
        return rows

    def _wanted(self, rows: Sequence[TariffRow], version: str) -> TariffRow:
        """The version that was asked for, else the one that holds, else the next that will; Refusal NOT_FOUND."""
        if version:
            found = next((row for row in rows if str(row.version) == version), None)
            if found is None:
                raise Refusal(Code.NOT_FOUND, phrase("This tariff has no such version."))
            return found
        now = self._rooms.store.clock()
        return valid_at(rows, now, rows[0].id) or min(rows, key=lambda row: (row.valid_from, -row.version))

    async def show(self, request: Request, tariff: str, version: str = "", week: str = "", did: str = "") -> Response:
        """The page."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_READ)
        rows, now = await self._rows(viewer, tariff), self._rooms.store.clock()
        row, valid = self._wanted(rows, version), valid_at(rows, now, tariff)
        day = day_of(row.tariff, week, max(now, row.valid_from))
        assigned = standing(await self._rooms.assignments.find(viewer), now).values()
        by = await self._rooms.names.said(viewer, (one.by for one in rows))
        given: dict[str, Any] = {
            "row": row,
            "is_valid": row is valid,
            "is_standard": tariff == STANDARD,
            "span": span(row.tariff, day),
            "pictures": pictures(row.tariff, day),
            "weeks": weeks(row.tariff, day),
            "said": said(row.tariff, max(now, row.valid_from)),
            "where": where(tariff, assigned),
            "shorts": SHORT,
            "percent": plain,
            "versions": [*_versions(rows, valid, by, now)],
            "may_write": viewer.may(Scope.TARIFFS_WRITE),
        }
        return self._paper.page(request, "tariff.html", viewer, word=DID.get(did), **given)

    async def file(self, request: Request, tariff: str, version: str = "") -> Response:
        """A version as OCPI has it, to be kept or handed on."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_READ)
        row = self._wanted(await self._rows(viewer, tariff), version)
        headers = {"Content-Disposition": f'attachment; filename="{row.id}-{row.version}.json"'}
        headers["Cache-Control"] = "no-store"
        text = exported(row.tariff, row.id, row.valid_from)
        return Response(text, 200, headers, "application/json")


def _versions(
    rows: Sequence[TariffRow], valid: TariffRow | None, by: dict[str, str], now: datetime
) -> Iterator[Version]:
    """The history, the newest first."""
    for row in rows:
        state = NOW if row is valid else TO_COME if row.valid_from > now else OVER
        day = max(now, row.valid_from).astimezone(row.tariff.zone).date()
        yield Version(row, state, by[row.by], span(row.tariff, day))


def router(paper: Paper) -> APIRouter:
    """``/tariffs/named/{tariff}`` and its file."""
    pages, routes = One(paper), routes_of(paper)
    routes.add_api_route("/tariffs/named/{tariff}", pages.show, methods=["GET"])
    routes.add_api_route("/tariffs/named/{tariff}/ocpi", pages.file, methods=["GET"])
    return routes
