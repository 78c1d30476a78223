"""Insight › Forecast: next week's load with its interval, how good it was on the past; or why it is not shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.person import Scope
from wattkeeper.charging.phrase import Figure, Phrase, Said, counted, joined, phrase
from wattkeeper.charging.statistics.forecast import LEAST_WEEKS, MARGIN, WITHIN, Baseline, Tried, Why
from wattkeeper.operations.statistics.forecasts import Told
from wattkeeper.web.operator.insight.asked import stem_of
from wattkeeper.web.operator.insight.desks import FORECAST, page, partly
from wattkeeper.web.operator.insight.pictures.forecast import DAY_OF_WEEK, Where, drawn, said_since
from wattkeeper.web.operator.insight.pictures.pictured import Picture, made_of
from wattkeeper.web.operator.insight.place import Place, place_of
from wattkeeper.web.operator.paper import Paper, routes_of
from wattkeeper.web.operator.said import dated

NAMES: Mapping[Baseline, Phrase] = {
    Baseline.LAST: phrase("As last week"),
    Baseline.WEEKLY: phrase("As the mean of the same hour of all weeks"),
    Baseline.MEAN: phrase("As the mean of all hours"),
    Baseline.MEDIAN: phrase("As the middle one of all hours"),
}


@dataclass(frozen=True, slots=True)
class Rival:
    """How far off something was, and by how much the forecast was less."""

    name: Phrase
    error: Figure
    less: Figure | None
    is_ours: bool = False


class Pages:
    """``/insight/forecast``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request) -> Response:
        """The next seven days of a site, or of all together."""
        viewer = await self._paper.need_viewer(request)
        viewer.reach(Scope.SESSIONS_READ)
        place, told = await self._told(request)
        tried = told.forecast.tried
        context: dict[str, Any] = {
            "where": place,
            "as_of": told.as_of,
            "answer": self._answer(told),
            "path": FORECAST,
            "pictures": self._pictures(told, place),
            "rivals": _rivals(tried) if tried.weeks else [],
            "weeks": tried.weeks,
            "within": Figure(Decimal(tried.within * 100), 0, "%"),
            "meant": Figure(Decimal(WITHIN * 100), 0, "%"),
            "said": tried.said,
            "off": Figure(Decimal(tried.week_off * 100), 0, "%"),
            "margin": Figure(Decimal(MARGIN * 100), 0, "%"),
        }
        return await page(self._paper, request, FORECAST, "forecast.html", viewer, **context)

    async def file(self, request: Request, picture: str, kind: str) -> Response:
        """The same as a table for machines, or as a picture."""
        viewer = await self._paper.need_viewer(request)
        viewer.reach(Scope.SESSIONS_READ)
        place, told = await self._told(request)
        zone = self._paper.times.zone
        about = joined((place.name or phrase("all sites together"), said_since(told.begins, zone)), ", ")
        stem = stem_of((place.key,), [told.begins[at].astimezone(zone).date() for at in (0, -1)])
        named = f"forecast-{stem}{await partly(self._rooms.statistics, FORECAST)}", picture
        return made_of(self._pictures(told, place, linked=False), about, named, kind)

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

    def _pictures(self, told: Told, place: Place, *, linked: bool = True) -> list[Picture]:
        """The week, where it is forecast."""
        if not told.forecast.hours:
            return []
        where = Where(place.site, self._paper.times.zone, self._paper.times.name, linked)
        return [drawn(told, where, self._answer(told)[0])]


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
    routes.add_api_route(FORECAST + "/{picture}.{kind}", pages.file, methods=["GET"])
    return routes
