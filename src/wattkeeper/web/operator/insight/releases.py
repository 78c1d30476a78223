"""Insight › Releases: what left, what each spent and came to; and a page of each for whoever is handed its link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.insight.bar import WORDS, Measured
from wattkeeper.charging.insight.question import FORMS, USUAL, YEARLY, Kind, Measure, period
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Figure, Phrase, Said, counted, phrase
from wattkeeper.store.insight.release import Entry
from wattkeeper.web.operator.insight.desks import RELEASES, page
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.problem import STATUS

PUBLIC = "/release"
MOST_ROWS = 240
"""How many cells a page shows; the files have all."""
FILES = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
COMMAND_LINE = {"command line": phrase("the command line")}
STAYS: Mapping[str, str] = {
    "under 1 h": phrase("under 1 h"),
    "1 to 2 h": phrase("1 to 2 h"),
    "2 to 4 h": phrase("2 to 4 h"),
    "4 to 8 h": phrase("4 to 8 h"),
    "8 h and more": phrase("8 h and more"),
}
"""How long cars stayed, as files call it and as it is told."""
WHY = {
    "look": phrase(
        "The first look showed that these sites are too small: no cell would have enough drivers behind it."
    ),
    "cells": phrase("No cell had enough drivers behind it for sure."),
    "bar": phrase("It did not meet the bar: what was over it stands below."),
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure as the page tells it."""

    words: Phrase
    value: Figure
    within: Figure | None
    at_most: Figure
    is_met: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the ledger as the page tells it."""

    entry: Entry
    title: Phrase
    first: date
    last: date
    figures: list[Measurement]

    @property
    def spent(self) -> Figure:
        """Its epsilon."""
        return _plain(self.entry.epsilon)

    @property
    def why(self) -> Phrase | None:
        """Why nothing left; None where it did."""
        if self.entry.has_left:
            return None
        if not self.figures:
            return WHY["look"]
        return WHY["cells" if all(one.is_met for one in self.figures) else "bar"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A number that is shown."""

    site: str
    label: str
    value: Figure
    error: Figure
    drivers: int


def told(entry: Entry) -> Told:
    """A line of the ledger in words."""
    last = date.fromisoformat(entry.until) - timedelta(days=1)
    measured = [_measurement(one) for one in entry.figures]
    return Told(entry, FORMS[Kind(entry.kind)].title, date.fromisoformat(entry.first), last, measured)


def _measurement(one: Mapping[str, Any]) -> Measurement:
    sure = _percent(one["within"]) if Decimal(one["within"]) else None
    words = WORDS[Measured(one["what"])]
    return Measurement(words, _percent(one["value"]), sure, _percent(one["at_most"]), bool(one["met"]))


def _percent(share: str) -> Figure:
    """A share of one in percent."""
    return Figure(Decimal(share) * 100, 1, "%")


def _cells(entry: Entry) -> tuple[list[Cell], int, int]:
    """The cells that are shown, as many as a page has; how many there are of them, and in all."""
    content: dict[str, Any] = orjson.loads(entry.content)
    rows = [one for one in content["cells"] if one["value"] is not None]
    is_energy = content["unit"] == Measure.ENERGY.value

    def figure(value: int) -> Figure:
        return Figure(Decimal(value).scaleb(-3), 0, "kWh") if is_energy else Figure(Decimal(value), 0)

    shown = [
        Cell(
            one["site"],
            _label(entry.kind, one["cell"]),
            figure(one["value"]),
            figure(one["error"]),
            one["drivers_at_least"],
        )
        for one in rows[:MOST_ROWS]
    ]
    return shown, len(rows), len(content["cells"])


def _label(kind: str, cell: str) -> str:
    """A cell as people read it."""
    if Kind(kind) is Kind.STAYS:
        return STAYS.get(cell, cell)
    return f"{cell}:00" if Kind(kind) in (Kind.SITE_LOAD, Kind.ARRIVALS) else cell


class Pages:
    """``/insight/releases`` for those who work here, ``/release`` for everybody."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """What left, and what may be asked."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_READ)
        return await self._page(request, viewer, {})

    async def _page(
        self, request: Request, viewer: Viewer, form: Mapping[str, str], word: Word | None = None, status: int = 200
    ) -> Response:
        entries = await self._rooms.releases.ledger(viewer)
        year = self._rooms.store.clock().astimezone(self._paper.times.zone).year
        years = sorted({one.year for one in entries} | {year, year - 1}, reverse=True)
        left = [(one, _plain(await self._rooms.releases.left(viewer, one))) for one in years]
        given: dict[str, Any] = {
            "answer": _answer(entries),
            "releases": [told(one) for one in entries],
            "left": left,
            "yearly": _plain(YEARLY),
            "kinds": [(kind.value, FORMS[kind].title, _plain(USUAL[kind])) for kind in Kind],
            "typed": {"kind": Kind.SITE_LOAD.value, "first": "", "last": "", "epsilon": "", **form},
            "may_write": viewer.may(Scope.PRIVACY_WRITE),
        }
        return await page(self._paper, request, RELEASES, "releases.html", viewer, status=status, word=word, **given)

    async def make(self, request: Request) -> Response:
        """Draw a release about all sites, or show what was answered before; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_READ, Scope.PRIVACY_WRITE)
        form = await form_of(request)
        try:
            kind = _kind(form.get("kind", ""))
            span = period(form.get("first", ""), form.get("last", ""))
            asked = await self._rooms.releases.asked(viewer, kind, span, [], _epsilon(form.get("epsilon", ""), kind))
            entry = await self._rooms.releases.make(viewer, asked)
        except Refusal as refusal:
            word = Word(phrase("Nothing left, and nothing was spent."), refusal.why, "harm")
            return await self._page(request, viewer, form, word, STATUS[refusal.code])
        return RedirectResponse(f"{RELEASES}/{entry.id}", 303)

    async def one(self, request: Request, release: str) -> Response:
        """One line of the ledger, with what was measured."""
        viewer = await self._paper.need_viewer(request, Scope.PRIVACY_READ)
        entry = await self._rooms.releases.get(viewer, release)
        by = (await self._rooms.names.said(viewer, [entry.made_by])).get(entry.made_by, entry.made_by)
        who = COMMAND_LINE.get(entry.made_by) or by
        return await page(self._paper, request, RELEASES, "released.html", viewer, who=who, **self._about(entry))

    async def public(self, request: Request, release: str) -> Response:
        """What left, for whoever was handed the link; nobody need be signed in."""
        entry = await self._rooms.releases.public(release)
        return self._paper.page(request, "release.html", None, **self._about(entry))

    def _about(self, entry: Entry) -> dict[str, Any]:
        cells, shown, there = _cells(entry) if entry.has_left else ([], 0, 0)
        given = {"told": told(entry), "cells": cells, "shown_cells": shown, "all_cells": there, "most": MOST_ROWS}
        return given | {"link": f"{PUBLIC}/{entry.id}"}

    async def file(self, request: Request, release: str, kind: str) -> Response:
        """What left, to the byte."""
        if kind not in FILES:
            raise Refusal(Code.NOT_FOUND, phrase("There is a release as json and as csv, and as nothing else."))
        entry = await self._rooms.releases.public(release)
        headers = {
            "Content-Disposition": f'attachment; filename="release-{entry.id}.{kind}"',
            "Cache-Control": "public, max-age=31536000, immutable",
        }
        made = entry.content if kind == "json" else entry.sheet
        return Response(made.encode(), media_type=FILES[kind], headers=headers)


def _answer(entries: list[Entry]) -> Said:
    """What the page opens with."""
    count = sum(one.has_left for one in entries)
    if not count:
        return phrase("Nothing left the house yet")
    return counted("1 release left the house", "{count} releases left the house", count)


def _kind(said: str) -> Kind:
    """What is to be counted; Refusal INVALID."""
    if said not in set(Kind):
        raise Refusal(Code.INVALID, phrase("Say what to count."))
    return Kind(said)


def _epsilon(said: str, kind: Kind) -> Decimal:
    """What to spend; the usual where nothing is said. Refusal INVALID."""
    if not said:
        return USUAL[kind]
    try:
        return Decimal(said.replace(",", "."))
    except ArithmeticError:
        raise Refusal(Code.INVALID, phrase("Epsilon is a number, such as 0.5.")) from None


def _plain(epsilon: Decimal) -> Figure:
    """An epsilon as people write it: with as many digits as it needs."""
    exponent = epsilon.normalize().as_tuple().exponent
    return Figure(epsilon, max(0, -exponent) if isinstance(exponent, int) else 0)


def router(paper: Paper) -> APIRouter:
    """``/insight/releases`` and ``/release``."""
    pages, routes = Pages(paper), routes_of(paper)
    routes.add_api_route(RELEASES, pages.show, methods=["GET"])
    routes.add_api_route(RELEASES, pages.make, methods=["POST"])
    routes.add_api_route(RELEASES + "/{release}", pages.one, methods=["GET"])
    routes.add_api_route(PUBLIC + "/{release}.{kind}", pages.file, methods=["GET"])
    routes.add_api_route(PUBLIC + "/{release}", pages.public, methods=["GET"])
    return routes
