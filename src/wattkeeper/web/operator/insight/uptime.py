"""Insight › Reliability: how much of the time ports could be used, what is out now, which starts failed and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Figure, Said, counted, joined, phrase
from wattkeeper.charging.statistics.attempt import Success
from wattkeeper.charging.statistics.span import Usual, midnight
from wattkeeper.charging.statistics.uptime import Exclusion, Uptime
from wattkeeper.operations.statistics import sheets
from wattkeeper.operations.statistics.reliability import Report
from wattkeeper.operations.statistics.use import Known
from wattkeeper.store.statistics.reliability import Which
from wattkeeper.web.operator.insight import outages
from wattkeeper.web.operator.insight.asked import WITHOUT, Asked, asked_of, said_asked, span_name
from wattkeeper.web.operator.insight.desks import UPTIME, page, partly
from wattkeeper.web.operator.insight.overview import Cell, Row, Table
from wattkeeper.web.operator.insight.pictures import uptime
from wattkeeper.web.operator.insight.pictures.pictured import Scene, file_of, taken
from wattkeeper.web.operator.listing import headings, number_of, page_of, sorting_of
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.operator.said import NOTHING, duration
from wattkeeper.web.operator.said import percent_up as percent
from wattkeeper.web.operator.sessions.sessions import NO_SITE
from wattkeeper.web.problem import STATUS

MOST_ROWS, MOST_OPEN = 25, 12
MOST_OUTAGES, MOST_BEHIND, MOST_IN_FILE = 25, 50, 100_000
ALSO = dict.fromkeys(("sort", "all", "reason", "page", "outages", "older", "port"), "")
"""What else the address says: what is listed, of which port alone, and how far back."""
NO_TYPING = {"key": "", "reason": "", "note": ""}


class By(StrEnum):
    """What the tables can be sorted by."""

    NAME = "name"
    NEVI = "nevi"
    FOUND = "found"
    OUT = "out"
    EXCLUDED = "excluded"
    OUTAGES = "outages"
    REPAIR = "repair"
    PLUG_INS = "plugs"


@dataclass(frozen=True, slots=True)
class Line:
    """A station or a port over the span."""

    name: Said | str
    at: Asked
    """Its station."""
    port: int
    """0: all of its ports."""
    site: str
    uptime: Uptime
    success: Success


KEYS: Mapping[By, Callable[[Line], Any]] = {
    By.NAME: lambda line: (line.site, line.name),
    By.NEVI: lambda line: line.uptime.nevi or Decimal(0),
    By.FOUND: lambda line: line.uptime.found or Decimal(0),
    By.OUT: lambda line: line.uptime.out_s,
    By.EXCLUDED: lambda line: line.uptime.excluded_s,
    By.OUTAGES: lambda line: line.uptime.outages,
    By.REPAIR: lambda line: line.uptime.mean_repair.total_seconds() if line.uptime.mean_repair else 0,
    By.PLUG_INS: lambda line: line.success.plug_in or Decimal(0),
}
COLUMNS: tuple[tuple[str, By, str], ...] = (
    (phrase("Up (NEVI)"), By.NEVI, "number"),
    (phrase("Nothing excluded"), By.FOUND, "number"),
    (phrase("Out"), By.OUT, "number"),
    (phrase("Not counted"), By.EXCLUDED, "number"),
    (phrase("Outages"), By.OUTAGES, "number"),
    (phrase("Time to repair"), By.REPAIR, "number"),
    (phrase("Plug-ins that charged"), By.PLUG_INS, "number"),
)


def spent(seconds: Decimal) -> str:
    """A time as people say it; nothing where there is none."""
    return duration(timedelta(seconds=int(seconds))) if seconds > 0 else NOTHING


def _cell(line: Line, by: By) -> tuple[str, str]:
    """A figure of a line, and where what is behind it is listed."""
    up, tried = line.uptime, line.success
    told: dict[By, tuple[str, Which]] = {
        By.NEVI: (percent(up.nevi), Which.ALL),
        By.FOUND: (percent(up.found), Which.ALL),
        By.OUT: (spent(up.out_s), Which.ALL),
        By.EXCLUDED: (spent(up.excluded_s), Which.EXCLUDED),
        By.OUTAGES: (Figure(Decimal(up.outages), 0), Which.BEGAN),
        By.REPAIR: (NOTHING if up.mean_repair is None else duration(up.mean_repair), Which.MENDED),
    }
    if by is By.PLUG_INS:
        return _of(tried), outages.to_attempts(line.at, "plug-ins", line.port) if tried.plug_ins else ""
    text, which = told[by]
    return text, "" if text == NOTHING else outages.to_outages(line.at, which, line.port)


def _of(tried: Success) -> str:
    """How many plug-ins charged, of how many."""
    if not tried.plug_ins:
        return NOTHING
    return phrase("{some} of {all}", some=tried.plug_ins_charged, all=tried.plug_ins)


class Pages:
    """``/insight/uptime``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """Uptime, what is out, and what failed."""
        viewer = await self._paper.need_viewer(request)
        viewer.reach(Scope.SESSIONS_READ)
        return await self._page(request, viewer)

    async def _asked(self, request: Request, viewer: Viewer) -> tuple[Asked, Refusal | None, Known]:
        """What the address asks for: of the last twelve months, or of this one where nothing is older."""
        today = self._paper.times.local(self._rooms.store.clock()).date()
        month = midnight(today.replace(day=1), self._paper.times.zone)
        known = await self._rooms.statistics.use.known(viewer)
        is_old = await self._rooms.statistics.reliability.is_known_before(viewer, month)
        asked, refusal = asked_of(request, today, ALSO, Usual.YEAR if is_old else Usual.MONTH)
        known.need(asked.part)
        return asked, refusal, known

    async def _page(
        self,
        request: Request,
        viewer: Viewer,
        word: Word | None = None,
        status: int = 200,
        typed: Mapping[str, str] = NO_TYPING,
    ) -> Response:
        """The page; ``typed``: what stands in the form about an outage that was refused."""
        asked, refusal, known = await self._asked(request, viewer)
        if refusal is not None:
            word = Word(phrase("These are the days that the page opens with instead."), refusal.why, "look")
            status = STATUS[refusal.code]
        reliability, now = self._rooms.statistics.reliability, self._rooms.store.clock()
        report = await reliability.report(viewer, asked.span, asked.part)
        today = self._paper.times.local(now).date()
        context: dict[str, Any] = {
            "asked": asked,
            "path": UPTIME,
            "sites": known.sites,
            "no_site": NO_SITE,
            "without": WITHOUT,
            "spans": [(one, span_name(one, today), asked.over(one, today)) for one in Usual],
            "about": said_asked(asked, known),
            "answer": _answer(report),
            "report": report,
            "figures": _figures(report, asked),
            "pictures": await uptime.drawn(self._scene(viewer, asked, known), report),
            "open": await self._told(viewer, known, report.open, now),
            "tables": _tables(report, asked),
            "failures": outages.failures(report.counts, asked),
            "exclusions": outages.EXCLUSIONS,
            "may_write": viewer.may(Scope.STATIONS_WRITE),
            "typed": typed,
            "word": word,
            **await self._listed(viewer, asked, known, now),
            **await self._behind(viewer, asked, known),
        }
        return await page(self._paper, request, UPTIME, "uptime.html", viewer, status=status, **context)

    async def _told(self, viewer: Viewer, known: Known, rows: Any, now: datetime) -> list[outages.Told]:
        notes = await self._rooms.statistics.reliability.notes(viewer, rows)
        names = await self._rooms.names.said(viewer, [row.created_by for row, _ in notes.values()])
        return outages.told(rows, known.stations, notes, names, now)

    async def _behind(self, viewer: Viewer, asked: Asked, known: Known) -> dict[str, Any]:
        """The attempts behind the figure that the address names."""
        rest = dict(asked.rest)
        what, page = outages.reason_of(rest.get("reason", "")), page_of(rest.get("page", ""))
        if what is None:
            return {"reason": None, "attempts": [], "before": ""}
        given = (asked.part, MOST_BEHIND + 1, (page - 1) * MOST_BEHIND, _port(asked))
        rows = await self._rooms.statistics.reliability.attempts(viewer, asked.span, what[1], *given)
        before = asked.address(UPTIME, page=str(page + 1)) + "#behind" if len(rows) > MOST_BEHIND else ""
        told = outages.behind(rows[:MOST_BEHIND], known.stations)
        return {"reason": what[0], "attempts": told, "before": before, "port": _port(asked)}

    async def _listed(self, viewer: Viewer, asked: Asked, known: Known, now: datetime) -> dict[str, Any]:
        """The outages, or those of them that are behind the figure that the address names."""
        rest = dict(asked.rest)
        kind, page = rest.get("outages", ""), page_of(rest.get("older", ""))
        which = Which(kind) if kind in set(Which) else Which.ALL
        given = (asked.part, MOST_OUTAGES + 1, (page - 1) * MOST_OUTAGES, _port(asked), which)
        rows = await self._rooms.statistics.reliability.outages(viewer, asked.span, *given)
        older = asked.address(UPTIME, older=str(page + 1)) + "#outages" if len(rows) > MOST_OUTAGES else ""
        told = await self._told(viewer, known, rows[:MOST_OUTAGES], now)
        is_some = bool(which or page > 1 or _port(asked))
        every = outages.to_outages(asked) if is_some else ""
        return {"outages": told, "older": older, "which": outages.WHICH[which], "every": every, "port": _port(asked)}

    async def file(self, request: Request, sheet: str, kind: str) -> Response:
        """Ports, outages or starts as CSV; or a picture as SVG and as CSV."""
        viewer = await self._paper.need_viewer(request)
        viewer.reach(Scope.SESSIONS_READ)
        asked, refusal, known = await self._asked(request, viewer)
        if refusal is not None:
            raise refusal
        reliability, zone = self._rooms.statistics.reliability, self._paper.times.zone
        if sheet not in ("ports", "outages", "starts") or kind != "csv":
            report = await reliability.report(viewer, asked.span, asked.part)
            scene = replace(self._scene(viewer, asked, known), linked=False)
            return await file_of(await uptime.drawn(scene, report), scene, (UPTIME, sheet), kind)
        name = f"{sheet}-{asked.stem}{await partly(self._rooms.statistics, UPTIME)}"
        if sheet == "outages":
            rows = await reliability.outages(viewer, asked.span, asked.part, MOST_IN_FILE + 1)
            name += f"-newest-{MOST_IN_FILE}" if len(rows) > MOST_IN_FILE else ""
            return taken(sheets.outages(rows[:MOST_IN_FILE], zone), name, "csv")
        report = await reliability.report(viewer, asked.span, asked.part)
        return taken(sheets.ports(report, zone) if sheet == "ports" else sheets.starts(report), name, "csv")

    def _scene(self, viewer: Viewer, asked: Asked, known: Known) -> Scene:
        """What the pictures are drawn of."""
        today = self._paper.times.local(self._rooms.store.clock()).date()
        return Scene(self._rooms, viewer, asked, known, today, self._paper.times.name)

    # --- what does not count ----------------------------------------------------------------------------

    async def exclude(self, request: Request) -> Response:
        """Say that an outage does not count; where that cannot be, the page as it was, with what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.STATIONS_WRITE)
        form = await form_of(request)
        typed = {name: form.get(name, "") for name in ("reason", "note")}
        place, number, since = (form.get(name, "") for name in ("station", "evse", "since"))
        try:
            evse = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0
            reason = _reason(typed["reason"])
            await self._rooms.statistics.reliability.exclude(
                viewer, place, evse, _instant(since), reason, typed["note"]
            )
        except Refusal as refusal:
            word = Word(phrase("This outage counts as before."), refusal.why, "harm")
            typed["key"] = f"{place}/{number}/{since}"
            return await self._page(request, viewer, word, STATUS[refusal.code], typed)
        return await self._back(request, viewer)

    async def count_again(self, request: Request) -> Response:
        """Let an outage count again."""
        viewer = await self._paper.need_viewer(request, Scope.STATIONS_WRITE)
        await self._rooms.statistics.reliability.count_again(viewer, (await form_of(request)).get("id", ""))
        return await self._back(request, viewer)

    async def _back(self, request: Request, viewer: Viewer) -> Response:
        asked, _, _ = await self._asked(request, viewer)
        return RedirectResponse(asked.address(UPTIME) + "#outages", 303)


# --- parts --------------------------------------------------------------------------------------------------------


def _port(asked: Asked) -> int | None:
    """The port whose outages and attempts alone are listed; None: all."""
    return number_of(dict(asked.rest).get("port", ""))


def _reason(typed: str) -> Exclusion:
    if typed not in set(Exclusion):
        raise Refusal(Code.INVALID, phrase("Choose why it does not count."))
    return Exclusion(typed)


def _instant(typed: str) -> datetime:
    """When an outage began, as the page's own form says it; Refusal NOT_FOUND."""
    try:
        at = datetime.fromisoformat(typed)
        if at.tzinfo is not None and 1970 < at.year < 9000:
            return at
    except ValueError:
        pass
    raise Refusal(Code.NOT_FOUND, phrase("This port had no outage that began then."))


def _answer(report: Report) -> tuple[Said, Said]:
    """How much of the time ports were up, and by which definitions."""
    if report.uptime.nevi is None:
        return phrase("Nothing is known of ports"), joined(())
    head = phrase("Ports were up {share} of the time", share=percent(report.uptime.nevi))
    by = phrase("By NEVI’s equation; {share} with nothing excluded.", share=percent(report.uptime.found))
    enough = counted(
        "{some} of 1 port was up for more than the 97 % that NEVI asks for.",
        "{some} of {count} ports were up for more than the 97 % that NEVI asks for.",
        len(report.ports),
        some=report.enough,
    )
    return head, joined((by, enough))


def _figures(report: Report, asked: Asked) -> list[tuple[Said, str, str]]:
    """What it comes to, and where what is behind each figure is listed."""
    up, tried = report.uptime, report.success
    told = [
        (phrase("Up (NEVI)"), percent(up.nevi), Which.ALL),
        (phrase("Nothing excluded"), percent(up.found), Which.ALL),
        (phrase("Mean time to repair"), NOTHING if up.mean_repair is None else duration(up.mean_repair), Which.MENDED),
        (phrase("Outages"), Figure(Decimal(up.outages), 0), Which.BEGAN),
    ]
    shares = [
        (phrase("Plug-ins that charged"), percent(tried.plug_in, 1), "plug-ins"),
        (phrase("Charge start success"), percent(tried.charge_start, 1), "attempts"),
        (phrase("Charge end success"), percent(tried.charge_end, 1), "started"),
        (phrase("Session success"), percent(tried.session, 1), "attempts"),
    ]
    found = [(name, value, outages.to_outages(asked, which)) for name, value, which in told]
    found += [(name, value, outages.to_attempts(asked, reason)) for name, value, reason in shares]
    return [(name, value, "" if value == NOTHING else href) for name, value, href in found]


def _tables(report: Report, asked: Asked) -> list[Table]:
    """Stations, then ports; one that moved stands at each of its sites, and leads to what happened there."""
    moved = {name for name, count in Counter(one.station for one in report.stations).items() if count > 1}

    def at(station: str, site: str) -> Asked:
        return asked.at((site or NO_SITE) if station in moved else "", station)

    stations = [
        Line(one.label or one.station, at(one.station, one.site), 0, one.site, one.uptime, one.success)
        for one in report.stations
    ]
    ports = [
        Line(
            phrase("{station}, port {number}", station=one.port.label or one.port.station, number=one.port.evse),
            *(at(one.port.station, one.port.site), one.port.evse, one.port.site, one.uptime, one.success),
        )
        for one in report.ports
    ]
    named = (
        ("stations", (phrase("By station"), phrase("Station")), stations),
        ("ports", (phrase("By port"), phrase("Port")), ports),
    )
    return [_table(key, *titles, lines, asked) for key, titles, lines in named if lines]


def _table(key: str, title: Any, head: str, lines: list[Line], asked: Asked) -> Table:
    """A table in the order that is asked for, the least up first."""
    rest = dict(asked.rest)
    by, upwards = sorting_of(rest.get("sort", ""), By, (By.NEVI, True))
    ordered = sorted(lines, key=KEYS[By.NAME])
    ordered.sort(key=KEYS[by], reverse=not upwards)
    most = max(line.uptime.out_s for line in lines)
    shown = ordered if rest.get("all") == key else ordered[:MOST_ROWS]
    rows = []
    for line in shown:
        out = int(100 * line.uptime.out_s / most) if most > 0 else 0
        cells = [Cell(*_cell(line, one), name) for name, one, _ in COLUMNS]
        rows.append(Row(line.name, line.at.address(UPTIME), line.site, out, cells))
    columns = headings(
        [(head, By.NAME, ""), *COLUMNS],
        (by, upwards),
        lambda **changes: asked.address(UPTIME, sort=str(changes["sort"])) + f"#{key}",
    )
    is_open = key != "ports" or len(lines) <= MOST_OPEN or rest.get("all") == key
    return Table(key, title, columns, rows, len(ordered) - len(shown), is_open)


def router(paper: Paper) -> APIRouter:
    """``/insight/uptime``, its files, and the deeds about what does not count."""
    pages, routes = Pages(paper), routes_of(paper)
    routes.add_api_route(UPTIME, pages.show, methods=["GET"])
    routes.add_api_route(UPTIME + "/{sheet}.{kind}", pages.file, methods=["GET"])
    routes.add_api_route(UPTIME + "/exclude", pages.exclude, methods=["POST"])
    routes.add_api_route(UPTIME + "/count", pages.count_again, methods=["POST"])
    return routes
