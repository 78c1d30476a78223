"""Insight › Overview: how sites, stations and connectors were used over some days; figures lead to their sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.exact import divided
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Figure, Money, Phrase, Said, counted, joined, phrase
from wattkeeper.charging.statistics.span import Usual
from wattkeeper.operations.statistics.use import Known, Line, Used
from wattkeeper.web.operator.insight import savings
from wattkeeper.web.operator.insight.asked import WITHOUT, Asked, asked_of, said_asked, span_name
from wattkeeper.web.operator.insight.desks import OVERVIEW, RELEASES, page
from wattkeeper.web.operator.listing import Column, headings, sorting_of
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.operator.said import NOTHING, duration_s, kwh, money
from wattkeeper.web.operator.sessions import NO_SITE
from wattkeeper.web.problem import STATUS

MOST_ROWS = 25
"""How many rows a table opens with; the rest is one click away, and in the files."""
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
    By.IDLE: lambda line: line.total.idle_s,
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
    name: str
    href: str = ""


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


def percent(share: Decimal | None) -> str:
    """A share of one in percent."""
    return NOTHING if share is None else Figure(share * 100, 1, "%")


def hours(spent_s: Decimal) -> Figure:
    """A time in hours."""
    return Figure(divided(spent_s, 3600), 1, "h")


def lasted(spent_s: Decimal | None) -> str:
    """A time as people say it."""
    return NOTHING if spent_s is None else duration_s(int(spent_s))


class Told:
    """Puts lines into words, with a way to the sessions behind each figure."""

    def __init__(self, asked: Asked, knows_money: bool, currency: str) -> None:
        self.asked = asked
        self.columns = [one for one in COLUMNS if knows_money or one[1] is not By.GROSS]
        self._currency, self._digits = currency, digits_of(currency)

    def billed(self, line: Line) -> Money:
        """What was billed."""
        return money(line.total.gross_minor, self._currency, self._digits)

    def cells(self, line: Line) -> list[Cell]:
        """The figures of a line."""
        return [Cell(value, name, href) for name, by, _ in self.columns for value, href in (self._cell(line, by),)]

    def _cell(self, line: Line, by: By) -> tuple[str, str]:
        total = line.total
        ran, began = self.behind(line, within="ran"), self.behind(line)
        told: dict[By, tuple[str, str]] = {
            By.ENERGY: (kwh(total.energy_wh), ran),
            By.SESSIONS: (Figure(Decimal(total.sessions), 0), began),
            By.PLUGGED: (percent(line.plugged), ran),
            By.CHARGING: (percent(line.charging), ran),
            By.IDLE: (hours(total.idle_s), ran),
            By.STAY: (lasted(line.stay_s), began),
            By.EMPTY: (Figure(Decimal(total.empty), 0), self.behind(line, energy="none") if total.empty else ""),
            By.GROSS: (self.billed(line), ran),
        }
        return told[by]

    def behind(self, line: Line, **also: str) -> str:
        """Where the sessions of a line are."""
        if not line.station:
            site = line.site or self.asked.site
            return self.asked.at(site, self.asked.station).sessions(**also)
        spot = {"evse": str(line.evse or ""), "connector": str(line.connector or "")}
        return self.asked.at(station=line.station).sessions(**spot, **also)


# --- the page -----------------------------------------------------------------------------------------------------


class Pages:
    """``/insight``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """The overview; whoever only lets out releases goes there."""
        viewer = await self._paper.need_viewer(request)
        if Scope.SESSIONS_READ not in viewer.scopes | viewer.at_sites and viewer.may(Scope.PRIVACY_READ):
            return RedirectResponse(RELEASES, 303)
        use, now = self._rooms.statistics.use, self._rooms.store.clock()
        asked, refusal = asked_of(request, self._paper.times.local(now).date(), {"sort": "", "all": ""})
        known = await use.known(viewer)
        used = await use.of(viewer, asked.span, asked.part, known)
        findings = [] if asked.station else await savings.found(self._rooms, viewer, asked.part.site)
        return self._page(request, viewer, asked, known, used, refusal, findings)

    def _page(
        self,
        request: Request,
        viewer: Viewer,
        asked: Asked,
        known: Known,
        used: Used,
        refusal: Refusal | None,
        findings: Sequence[savings.Told],
    ) -> Response:
        """The overview as a page."""
        told = Told(asked, used.knows_money, self._rooms.settings.pay_currency)
        today = self._paper.times.local(self._rooms.store.clock()).date()
        context: dict[str, Any] = {
            "asked": asked,
            "sites": known.sites,
            "no_site": NO_SITE,
            "without": WITHOUT,
            "spans": [(one, span_name(one, today), asked.over(one, today)) for one in Usual],
            "answer": _answer(told, used),
            "about": said_asked(asked, known),
            "figures": list(zip((name for name, _, _ in told.columns), told.cells(used.whole), strict=True)),
            "tables": _tables(told, used) if used.connectors else [],
            "word": _word(refusal),
            "findings": findings,
        }
        status = 200 if refusal is None else STATUS[refusal.code]
        return page(self._paper, request, OVERVIEW, "insight.html", viewer, status=status, **context)


def _word(refusal: Refusal | None) -> Word | None:
    """Why the page is not about what was asked."""
    if refusal is None:
        return None
    return Word(phrase("These are the last 28 days instead."), refusal.why, "look")


def _answer(told: Told, used: Used) -> tuple[Said, Said]:
    """What the span came to, and how much of the time that was."""
    whole = used.whole
    energy = kwh(whole.total.energy_wh)
    head = counted("{energy} kWh, 1 session", "{energy} kWh, {count} sessions", whole.total.sessions, energy=energy)
    if not whole.total.sessions and not whole.total.plugged_s:
        return phrase("No car was plugged in"), joined(())
    shares = phrase(
        "Plugged in {plugged} of the time, charging {charging}.",
        plugged=percent(whole.plugged),
        charging=percent(whole.charging),
    )
    billed = phrase("{amount} billed with tax.", amount=told.billed(whole)) if used.knows_money else ""
    return head, joined((shares, billed))


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
    shown = ordered if rest.get("all") == key else ordered[:MOST_ROWS]
    rows = [
        Row(*name(asked, line), int(divided(100 * line.total.energy_wh, most)) if most > 0 else 0, told.cells(line))
        for line in shown
    ]
    title, head = TITLES[key]
    heads = [(head, By.NAME, ""), *((column, by, css) for column, by, css in told.columns)]
    columns = headings(heads, (by, upwards), lambda **changes: _sorted(asked, key, **changes))
    is_open = key != "connectors" or len(lines) <= MOST_OPEN or rest.get("all") == key
    return Table(key, title, columns, rows, len(ordered) - len(shown), is_open)


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


def router(paper: Paper) -> APIRouter:
    """``/insight``."""
    pages, routes = Pages(paper), routes_of(paper)
    routes.add_api_route(OVERVIEW, pages.show, methods=["GET"])
    return routes
