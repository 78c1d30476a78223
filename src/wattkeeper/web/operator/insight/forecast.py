"""Insight › Forecast: next week's load with its interval, how good it was on the past; or why it is not shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope
from wattkeeper.charging.phrase import Figure, Phrase, Said, counted, phrase
from wattkeeper.charging.statistics.forecast import LEAST_WEEKS, MARGIN, WITHIN, Baseline, Tried, Why
from wattkeeper.operations.statistics.forecasts import Told
from wattkeeper.web.operator.insight.desks import FORECAST, page
from wattkeeper.web.operator.insight.place import Place, place_of
from wattkeeper.web.operator.insight.week_picture import WeekPicture, drawn
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.operator.said import dated

NAMES: Mapping[Baseline, Phrase] = {
    Baseline.LAST: phrase("As last week"),
    Baseline.WEEKLY: phrase("As the mean of the same hour of all weeks"),
    Baseline.MEAN: phrase("As the mean of all hours"),
    Baseline.MEDIAN: phrase("As the middle one of all hours"),
}
DAY_OF_WEEK = phrase("EEEE d MMM")
COLUMNS = ("at", "expected_kwh", "low_kwh", "high_kwh", "last_week_kwh")


@dataclass(frozen=True, slots=True)
class Rival:
    """How far off something was, and by how much the forecast was less."""

    name: Phrase
    error: Figure
    less: Figure | None
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """An hour of the table."""

    day: str
    clock: str
    expected: Figure
    low: Figure
    high: Figure
    last: Figure


class Pages:
    """``/insight/forecast``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """The next 168 hours of a site, or of all together."""
        viewer = await self._paper.need_viewer(request)
        viewer.reach(Scope.SESSIONS_READ)
        place, told = await self._told(request)
        tried = told.forecast.tried
        context: dict[str, Any] = {
            "where": place,
            "answer": self._answer(told),
            "picture": self._picture(told),
            "rows": self._rows(told),
            "rivals": _rivals(tried) if tried.weeks else [],
            "weeks": tried.weeks,
            "within": Figure(Decimal(tried.within * 100), 0, "%"),
            "meant": Figure(Decimal(WITHIN * 100), 0, "%"),
            "said": tried.said,
            "off": Figure(Decimal(tried.week_off * 100), 0, "%"),
            "margin": Figure(Decimal(MARGIN * 100), 0, "%"),
            "csv": place.address(f"{FORECAST}.csv"),
            "svg": place.address(f"{FORECAST}.svg"),
        }
        return await page(self._paper, request, FORECAST, "forecast.html", viewer, **context)

    async def file(self, request: Request, kind: str) -> Response:
        """The same as a table for machines, or as a picture."""
        viewer = await self._paper.need_viewer(request)
        viewer.reach(Scope.SESSIONS_READ)
        _, told = await self._told(request)
        picture = self._picture(told)
        if kind not in ("csv", "svg") or picture is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no forecast of this to take away."))
        title = self._answer(told)[0]
        body = (
            self._csv(told) if kind == "csv" else str(self._paper.part("forecast_parts.html", "file", picture, title))
        )
        media = "text/csv; charset=utf-8" if kind == "csv" else "image/svg+xml"
        headers = {
            "Content-Disposition": f'attachment; filename="forecast.{kind}"',
            "Cache-Control": "no-store",
        }
        return Response(body.encode(), media_type=media, headers=headers)

    async def _told(self, request: Request) -> tuple[Place, Told]:
        viewer = await self._paper.need_viewer(request)
        place = await place_of(self._rooms, viewer, request)
        return place, await self._rooms.statistics.forecasts.of(viewer, place.site)

    # --- words ------------------------------------------------------------------------------------------------

    def _answer(self, told: Told) -> tuple[Said, Said]:
        """What the page opens with."""
        made = told.forecast
        if made.week is None:
            return _refused(told)
        top = max(range(len(made.hours)), key=lambda at: made.hours[at].expected_wh)
        local = self._paper.times.local(told.begins[top])
        day, clock = dated(local.date(), DAY_OF_WEEK), f"{local:%H:%M}"
        when = phrase("{day} {clock}", day=day, clock=clock)
        head = phrase("Next week: about {energy}, most {when}", energy=_kwh(made.week.expected_wh), when=when)
        low, high = _kwh(made.week.low_wh), _kwh(made.week.high_wh)
        lead = phrase(
            "In four of five weeks it should lie between {low} and {high}. The busiest hour should come to {most}.",
            low=low,
            high=high,
            most=_kwh(made.hours[top].expected_wh),
        )
        return head, lead

    def _picture(self, told: Told) -> WeekPicture | None:
        if not told.forecast.hours:
            return None
        return drawn(told.forecast.hours, told.last_wh, told.begins, self._paper.times.zone)

    def _rows(self, told: Told) -> list[Row]:
        rows = []
        for at, hour, last in zip(told.begins, told.forecast.hours, told.last_wh, strict=False):
            local = self._paper.times.local(at)
            energies = [_kwh(wh) for wh in (hour.expected_wh, hour.low_wh, hour.high_wh, last)]
            rows.append(Row(dated(local.date(), DAY_OF_WEEK), f"{local:%H:%M}", *energies))
        return rows

    def _csv(self, told: Told) -> str:
        out = io.StringIO()
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(COLUMNS)
        for at, hour, last in zip(told.begins, told.forecast.hours, told.last_wh, strict=False):
            energies = [f"{wh / 1000:.3f}" for wh in (hour.expected_wh, hour.low_wh, hour.high_wh, last)]
            lines.writerow([at.astimezone(self._paper.times.zone).isoformat(), *energies])
        return out.getvalue()


def _refused(told: Told) -> tuple[Said, Said]:
    """Why there is no forecast."""
    made, tried = told.forecast, told.forecast.tried
    if made.why is Why.NOTHING:
        return phrase("No forecast: there was no energy yet"), phrase(
            "It appears here after eight weeks with sessions."
        )
    if made.why is Why.FEW:
        known = counted("1 whole week is known", "{count} whole weeks are known", made.known)
        lead = phrase("{known}; it needs {least} to be held against the past.", known=known, least=LEAST_WEEKS)
        return phrase("No forecast yet"), lead
    best = tried.baselines_wh[tried.best]
    lead = phrase(
        "Over {weeks} past weeks an hour was off by {error} with the forecast and by {theirs} with this: {baseline}. "
        "What is not better by at least {margin} is not shown.",
        weeks=tried.weeks,
        error=_kwh(tried.error_wh),
        theirs=_kwh(best),
        baseline=NAMES[tried.best],
        margin=Figure(Decimal(MARGIN * 100), 0, "%"),
    )
    return phrase("No forecast: something simpler is as good"), lead


def _rivals(tried: Tried) -> list[Rival]:
    """The forecast and what it is held against, the best first."""
    ours = Rival(phrase("The forecast"), _kwh(tried.error_wh), None, is_ours=True)
    rest = sorted(tried.baselines_wh.items(), key=lambda one: one[1])
    return [ours, *(Rival(NAMES[one], _kwh(wh), _less(tried.error_wh, wh)) for one, wh in rest)]


def _less(ours: float, theirs: float) -> Figure | None:
    """By how much an error is smaller than another, of that."""
    return Figure(Decimal((theirs - ours) / theirs * 100), 1, "%") if theirs > 0 else None


def _kwh(wh: float) -> Figure:
    return Figure(Decimal(wh) / 1000, 2, "kWh")


def router(paper: Paper) -> APIRouter:
    """``/insight/forecast``."""
    pages, routes = Pages(paper), routes_of(paper)
    routes.add_api_route(FORECAST, pages.show, methods=["GET"])
    routes.add_api_route(FORECAST + ".{kind}", pages.file, methods=["GET"])
    return routes
