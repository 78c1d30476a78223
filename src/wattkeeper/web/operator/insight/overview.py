"""Insight › Overview: how sites, stations and connectors were used over some days; figures lead to their sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.person import Scope
from wattkeeper.charging.phrase import Figure, Money, Phrase, Said, counted, joined, phrase
from wattkeeper.charging.statistics.span import Span
from wattkeeper.operations.money.papers.sheet import Cell as Value
from wattkeeper.operations.statistics.use import Line, Used
from wattkeeper.store.statistics.total import Total
from wattkeeper.web.operator.insight import carbon, savings
from wattkeeper.web.operator.insight.asked import WITHOUT, Asked, said_asked
from wattkeeper.web.operator.insight.desks import OVERVIEW, RELEASES, page
from wattkeeper.web.operator.insight.pictures.drawing import NARROW_PX, WIDE_PX, Drawing, Mark, bars
from wattkeeper.web.operator.insight.pictures.pictured import (
    TO_COME,
    Desk,
    Picture,
    Scene,
    Sheet,
    Shown,
    chosen,
    to_come,
    word_of,
)
from wattkeeper.web.operator.insight.pictures.spans import is_by_month, named, said_span
from wattkeeper.web.operator.insight.unknown import hours, said_other_money, said_unknown
from wattkeeper.web.operator.listing import Column, headings, sorting_of
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.operator.said import NOTHING, duration_s, kwh, money
from wattkeeper.web.operator.sessions.sessions import NO_SITE
from wattkeeper.web.operator.within import RAN
from wattkeeper.web.problem import STATUS

MOST_ROWS = 10
"""How many rows a table opens with; the rest is one click away, and in the files."""
FILES_AT = "/all"
HEADS = (
    *("site", "station", "name", "evse", "connector", "energy_kwh", "sessions", "ended", "no_energy", "plugged_s"),
    *("charging_s", "idle_s", "stayed_s", "span_s", "unknown", "unknown_s"),
)
MOST_OPEN = 12
"""How many connectors are shown unasked."""


class By(StrEnum):
    """What the tables can be sorted by."""

    NAME = "name"
    ENERGY = "energy"
    SESSIONS = "sessions"
    PLUGGED = "plugged"
    CHARGING = "charging"
    IDLE = "idle"
    STAY = "stay"
    EMPTY = "empty"
    GROSS = "gross"


KEYS: Mapping[By, Callable[[Line], Any]] = {
    By.NAME: lambda line: (line.site, line.name, line.evse, line.connector),
    By.ENERGY: lambda line: line.total.energy_wh,
    By.SESSIONS: lambda line: line.total.sessions,
    By.PLUGGED: lambda line: line.plugged or 0,
    By.CHARGING: lambda line: line.charging or 0,
    By.IDLE: lambda line: line.idle_s or 0,
    By.STAY: lambda line: line.stay_s or 0,
    By.EMPTY: lambda line: line.total.empty,
    By.GROSS: lambda line: line.total.gross_minor,
}
COLUMNS: tuple[tuple[str, By, str], ...] = (
    ("kWh", By.ENERGY, "number"),
    (phrase("Sessions"), By.SESSIONS, "number"),
    (phrase("Plugged in"), By.PLUGGED, "number"),
    (phrase("Charging"), By.CHARGING, "number"),
    (phrase("Idle after full"), By.IDLE, "number"),
    (phrase("Average stay"), By.STAY, "number"),
    (phrase("No energy"), By.EMPTY, "number"),
    (phrase("Billed"), By.GROSS, "number"),
)
"""What is told of each site, station and connector."""


TITLES = {
    "sites": (phrase("By site"), phrase("Site")),
    "stations": (phrase("By station"), phrase("Station")),
    "connectors": (phrase("By connector"), phrase("Connector")),
}
Named = tuple[Said | str, str, str]
"""What a line is called, where there is more of it, and where it belongs to."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, and where the sessions behind it are; its column's name is told beside it on narrow screens."""

    value: str
    href: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table."""

    name: Said | str
    href: str
    under: str
    """Where it belongs to: the site of a station."""
    percent: int
    """Its energy, of the largest of the table."""
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """Sites, stations or connectors."""

    key: str
    title: Phrase
    columns: Sequence[Column]
    rows: Sequence[Row]
    more: int
    """How many rows it has beside these."""
    is_open: bool
    idle: int = 0
    """How many more without anything."""


def percent(share: Decimal | None) -> str:
    """A share of one in percent."""
    return NOTHING if share is None else Figure(share * 100, 1, "%")


def lasted(spent_s: Decimal | None) -> str:
    """A time as people say it."""
    return NOTHING if spent_s is None else duration_s(int(spent_s))


class Told:
    """Puts lines into words, with a way to the sessions behind each figure."""

    def __init__(self, asked: Asked, knows_money: bool, currency: tuple[str, int]) -> None:
        self.asked = asked
        self.columns = [one for one in COLUMNS if knows_money or one[1] is not By.GROSS]
        self._currency, self._digits = currency

    def billed(self, line: Line) -> Money:
        """What was billed."""
        return money(line.total.gross_minor, self._currency, self._digits)

    def cells(self, line: Line, table: str = "") -> list[Cell]:
        """The figures of a line of a table; of all together, where it is none."""
        return [Cell(*self._cell(line, by, table), name) for name, by, _ in self.columns]

    def _cell(self, line: Line, by: By, table: str) -> tuple[str, str]:
        total, at = line.total, self._at(line, table)
        ran, began = at(within=RAN), at()
        told: dict[By, tuple[str, str]] = {
            By.ENERGY: (kwh(total.energy_wh), ran),
            By.SESSIONS: (Figure(Decimal(total.sessions), 0), began),
            By.PLUGGED: (percent(line.plugged), ran),
            By.CHARGING: (percent(line.charging), ran),
            By.IDLE: (NOTHING if line.idle_s is None else hours(line.idle_s), ran),
            By.STAY: (lasted(line.stay_s), began),
            By.EMPTY: (Figure(Decimal(total.empty), 0), at(energy="none") if total.empty else ""),
            By.GROSS: (self.billed(line), ran),
        }
        return told[by]

    def _at(self, line: Line, table: str) -> Callable[..., str]:
        """Where the sessions of a line are."""
        if not table:
            return self.asked.sessions
        if table == "sites":
            return self.asked.at(line.site or NO_SITE, self.asked.station).sessions
        spot = {"evse": str(line.evse), "connector": str(line.connector)} if table == "connectors" else {}
        site = (line.site or NO_SITE) if line.moved else ""
        return partial(self.asked.at(site, line.station).sessions, **spot)


# --- the page -----------------------------------------------------------------------------------------------------


class Pages:
    """``/insight`` and its files."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._desk = Desk(paper, OVERVIEW, {"sort": "", "all": ""}, drawn, by_station=True)

    async def show(self, request: Request) -> Response:
        """The overview; whoever only lets out releases goes there."""
        viewer = await self._paper.need_viewer(request)
        if Scope.SESSIONS_READ not in viewer.scopes | viewer.at_sites and viewer.may(Scope.PRIVACY_READ):
            return RedirectResponse(RELEASES, 303)
        scene, refusal = await self._desk.scene(request)
        used, days, found, emitted = await asyncio.gather(used_of(scene), _days(scene), _found(scene), _emitted(scene))
        told = Told(scene.asked, used.knows_money, scene.currency)
        context: dict[str, Any] = {
            **chosen(scene.asked, scene.known, scene.today),
            "answer": _answer(told, used, scene.today),
            "about": said_asked(scene.asked, scene.known),
            "figures": list(zip((name for name, _, _ in told.columns), told.cells(used.whole), strict=True)),
            "days": to_come(scene, [days])[0],
            "tables": await asyncio.to_thread(_tables, told, used) if used.connectors else [],
            "findings": found,
            "carbon": emitted,
            "path": OVERVIEW + FILES_AT,
            "word": word_of(refusal),
        }
        status = 200 if refusal is None else STATUS[refusal.code]
        return await page(self._paper, request, OVERVIEW, "insight.html", viewer, status=status, **context)

    async def file(self, request: Request, picture: str, kind: str) -> Response:
        """The days as SVG or CSV; the connectors as CSV."""
        return await self._desk.file(request, picture, kind)


async def used_of(scene: Scene) -> Used:
    """How all that is asked for was used."""
    return await scene.rooms.statistics.use.of(scene.viewer, scene.asked.span, scene.asked.part, scene.known)


async def _found(scene: Scene) -> list[savings.Told]:
    """Findings about the site that is asked for, or about all; of one station there are none."""
    part = scene.asked.part
    return [] if part.station else await savings.found(scene.rooms, scene.viewer, part.site)


async def _emitted(scene: Scene) -> carbon.Told | None:
    """The carbon dioxide of what is asked for; of one station nobody knows."""
    return None if scene.asked.part.station else await carbon.told(scene.rooms, scene.viewer, scene.asked, scene.sites)


async def drawn(scene: Scene) -> list[Picture]:
    """What there is as a file: the days, and every connector."""
    used, empty = await used_of(scene), Drawing.empty()
    words = phrase("By connector"), phrase("Energy, sessions and shares of the time of each connector.")
    return [await _days(scene), Picture("connectors", *words, empty, empty, (), (), lambda: _sheet(scene, used))]


def _answer(told: Told, used: Used, today: date) -> tuple[Said, Said]:
    """What the span came to, and how much of the time that was."""
    whole = used.whole
    energy = kwh(whole.total.energy_wh)
    head = counted("{energy} kWh, 1 session", "{energy} kWh, {count} sessions", whole.total.sessions, energy=energy)
    if used.span.first > today:
        return TO_COME, joined(())
    if not whole.total.sessions and not whole.total.plugged_s:
        return phrase("No car was plugged in"), joined(())
    shares = phrase(
        "Plugged in {plugged} of the time, charging {charging}.",
        plugged=percent(whole.plugged),
        charging=percent(whole.charging),
    )
    if whole.charging is None:
        shares = phrase("Plugged in {plugged} of the time.", plugged=percent(whole.plugged))
    billed = phrase("{amount} billed with tax.", amount=told.billed(whole)) if used.knows_money else ""
    return head, joined((shares, said_unknown(whole.total), billed, said_other_money(used.other_money)))


def _tables(told: Told, used: Used) -> list[Table]:
    """The parts, the widest first; a single one says nothing that the whole does not."""
    made = [
        _table(told, "sites", used.sites, _site),
        _table(told, "stations", used.stations, _station),
        _table(told, "connectors", used.connectors, _connector),
    ]
    return [one for one in made if len(one.rows) > 1 or one.key == "connectors"]


def _table(told: Told, key: str, lines: Sequence[Line], name: Callable[[Asked, Line], Named]) -> Table:
    """A table in the order that is asked for."""
    asked = told.asked
    rest = dict(asked.rest)
    by, upwards = sorting_of(rest.get("sort", ""), By, (By.ENERGY, False))
    ordered = sorted(lines, key=KEYS[By.NAME])
    ordered.sort(key=KEYS[by], reverse=not upwards)
    most = max((line.total.energy_wh for line in lines), default=Decimal(0))
    is_all = rest.get("all") == key or len(ordered) <= MOST_ROWS
    busy = ordered if is_all else [line for line in ordered if _is_used(line)] or ordered
    shown = busy if is_all else busy[:MOST_ROWS]
    rows = [
        Row(
            *name(asked, line), int(divided(100 * line.total.energy_wh, most)) if most > 0 else 0, told.cells(line, key)
        )
        for line in shown
    ]
    title, head = TITLES[key]
    heads = [(head, By.NAME, ""), *((column, by, css) for column, by, css in told.columns)]
    columns = headings(heads, (by, upwards), lambda **changes: _sorted(asked, key, **changes))
    is_open = key != "connectors" or len(lines) <= MOST_OPEN or rest.get("all") == key
    return Table(key, title, columns, rows, len(busy) - len(shown), is_open, len(ordered) - len(busy))


def _is_used(line: Line) -> bool:
    """Whether there was anything."""
    return bool(line.total.sessions or line.total.plugged_s or line.total.energy_wh)


def _sorted(asked: Asked, key: str, **changes: object) -> str:
    return asked.address(OVERVIEW, sort=str(changes["sort"])) + f"#{key}"


def _site(asked: Asked, line: Line) -> Named:
    """A site: what it is called, where there is more of it."""
    return line.site or WITHOUT, asked.at(line.site or NO_SITE).address(OVERVIEW), ""


def _station(asked: Asked, line: Line) -> Named:
    return line.name, asked.at(station=line.station).address(OVERVIEW), line.site


def _connector(asked: Asked, line: Line) -> Named:
    """A connector by its station and numbers."""
    if not line.evse:
        return phrase("{station}, connector not told", station=line.name), "", line.site
    number = str(line.evse) if line.connector <= 1 else f"{line.evse}.{line.connector}"
    return phrase("{station}, connector {number}", station=line.name, number=number), "", line.site


# --- the days -----------------------------------------------------------------------------------------------------


async def _days(scene: Scene) -> Picture:
    """Energy of each day, or of each month where there are many days."""
    span = scene.asked.span
    by_month = is_by_month(span)
    found = await scene.rooms.statistics.use.days(scene.viewer, span, scene.asked.part, by_month=by_month)
    marks = [_day(scene, span_, total) for span_, total in found]
    top = max(marks, key=lambda one: one.value, default=None)
    title: Said = phrase("No energy was delivered")
    if top is not None and top.value > 0:
        title = phrase("Most: {what}", what=top.told)
    note = phrase("Energy delivered by month, kWh.") if by_month else phrase("Energy delivered by day, kWh.")
    wide, narrow = (named([one for one, _ in found], most) for most in (14, 5))
    drawings = bars(marks, wide, "kWh", WIDE_PX, flows=True), bars(marks, narrow, "kWh", NARROW_PX, flows=True)
    head = phrase("Month") if by_month else phrase("Day")
    rows = [
        [
            Shown(said_span(one)),
            Shown(kwh(total.energy_wh), mark.href),
            Shown(Figure(Decimal(total.sessions), 0), scene.over(one).sessions() if total.sessions else ""),
        ]
        for (one, total), mark in zip(found, marks, strict=True)
    ]
    sheet = [(one.first.isoformat(), total.energy_wh.scaleb(-3), total.sessions) for one, total in found]
    made = Sheet(("month" if by_month else "day", "energy_kwh", "sessions"), sheet)
    heads, href = (head, "kWh", phrase("Sessions")), "" if top is None else top.href
    return Picture("days", title, note, *drawings, heads, rows, lambda: made, href=href)


def _day(scene: Scene, span: Span, total: Total) -> Mark:
    """A day or a month."""
    energy = phrase("{value} kWh", value=kwh(total.energy_wh))
    told = phrase("{value}, {when}", value=energy, when=said_span(span))
    href = scene.over(span).sessions(within=RAN) if scene.linked and total.energy_wh > 0 else ""
    return Mark(total.energy_wh.scaleb(-3), energy, told, href)


def _sheet(scene: Scene, used: Used) -> Sheet:
    """Every connector, exactly."""
    _, digits = scene.currency
    rows: list[list[Value]] = []
    for line in used.connectors:
        t = line.total
        row: list[Value] = [line.site, line.station, line.name, line.evse, line.connector, t.energy_wh.scaleb(-3)]
        row += [t.sessions, t.ended, t.empty, t.plugged_s, t.charging_s, t.idle_s, t.stayed_s, line.lasting_s]
        row += [t.unknown, t.unknown_s]
        rows.append([*row, Decimal(t.gross_minor).scaleb(-digits)] if used.knows_money else row)
    return Sheet((*HEADS, "billed") if used.knows_money else HEADS, rows)


def router(paper: Paper) -> APIRouter:
    """``/insight``."""
    pages, routes = Pages(paper), routes_of(paper)
    routes.add_api_route(OVERVIEW, pages.show, methods=["GET"])
    routes.add_api_route(OVERVIEW + FILES_AT + "/{picture}.{kind}", pages.file, methods=["GET"])
    return routes
