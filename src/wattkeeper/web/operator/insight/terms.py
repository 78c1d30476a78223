"""Insight › Terms: what a site's energy costs, what its connection bears, the carbon of its grid, and who said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Said, phrase
from wattkeeper.charging.statistics.terms import Terms, Window, clock, terms_at
from wattkeeper.store.statistics import terms as kept
from wattkeeper.store.statistics.terms import Entered
from wattkeeper.web.operator.insight.desks import TERMS, page
from wattkeeper.web.operator.insight.place import Place, place_of
from wattkeeper.web.operator.insight.termed import Told, sites_of, told_of
from wattkeeper.web.operator.money import typed
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.problem import STATUS

WINDOWS = range(1, 5)
"""So many times of day the form has."""
PARTS = ("from", "to", "at")
FIELDS = (
    "since",
    "peak",
    "energy",
    "limit",
    "carbon",
    *(f"{part}{n}" for n in WINDOWS for part in PARTS),
)
NO_FAULTS: Mapping[str, Said] = {}
DID = {
    "entered": Word(phrase("The terms are entered. Findings and carbon follow them from now on.")),
    "carbon": Word(phrase("The carbon of the grid is entered, hour by hour.")),
}


@dataclass(frozen=True, slots=True)
class Line:
    """Terms as the history lists them."""

    entered: Entered
    by: Said | str
    holds: bool
    told: Told


class Pages:
    """``/insight/terms``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, did: str = "") -> Response:
        """Which sites have terms; or the terms of one, where it is asked for or there is no other."""
        viewer = await self._paper.need_viewer(request, Scope.SESSIONS_READ, Scope.BILLS_READ)
        return await self._page(request, viewer, DID.get(did))

    async def _page(
        self,
        request: Request,
        viewer: Viewer,
        word: Word | None,
        status: int = 200,
        form: Mapping[str, str] | None = None,
        faults: Mapping[str, Said] = NO_FAULTS,
    ) -> Response:
        place = await place_of(self._rooms, viewer, request)
        site = place.sites[0] if place.site is None and len(place.sites) == 1 else place.site
        place = Place(site, place.sites)
        context: dict[str, Any] = {
            "where": place,
            "all": None,
            "rows": [],
            "told": None,
            "typed": dict.fromkeys(FIELDS, ""),
        }
        today = self._paper.times.local(self._rooms.store.clock()).date()
        if site is None and place.sites:
            context["all"] = await sites_of(self._rooms, viewer, place.sites, today)
        if site is not None:
            async with self._rooms.store.read() as connection:
                history = await kept.history(connection, viewer, site)
                context["told"] = await kept.carbon_told(connection, viewer, site)
            context |= await self._history(viewer, history, today)
        context["typed"] |= form or {}
        about = {
            "may_write": viewer.may(Scope.TARIFFS_WRITE),
            "windows": WINDOWS,
            "faults": faults,
            "currency": self._rooms.settings.pay_currency,
        }
        return await page(
            self._paper, request, TERMS, "terms.html", viewer, status=status, word=word, **context | about
        )

    async def _history(self, viewer: Viewer, history: Sequence[Entered], today: date) -> dict[str, Any]:
        """The lines of the history, and what holds now as it would be typed."""
        by = await self._rooms.names.said(viewer, {one.created_by for one in history})
        now = terms_at(tuple(one.terms for one in reversed(history)), today)
        rows = [_line(one, by[one.created_by], one.terms is now) for one in history]
        return {"rows": rows, "typed": dict.fromkeys(FIELDS, "") | ({} if now is None else as_typed(now))}

    async def enter(self, request: Request) -> Response:
        """Enter terms; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.SESSIONS_READ, Scope.BILLS_READ, Scope.TARIFFS_WRITE)
        form = _packed(dict.fromkeys(FIELDS, "") | await form_of(request))
        place = await place_of(self._rooms, viewer, request)
        try:
            terms = read(form, self._rooms.settings.pay_currency)
            await self._rooms.statistics.terms.enter(viewer, place.site or "", terms)
        except Refusal as refusal:
            return await self._refused(request, viewer, refusal, form, str(refusal.details.get("field", "")))
        return RedirectResponse(_with(place.address(TERMS), "entered"), 303)

    async def enter_carbon(self, request: Request) -> Response:
        """Enter the carbon of the grid hour by hour; or say why not, and keep what was pasted."""
        viewer = await self._paper.need_viewer(request, Scope.SESSIONS_READ, Scope.BILLS_READ, Scope.TARIFFS_WRITE)
        form, place = await form_of(request), await place_of(self._rooms, viewer, request)
        try:
            await self._rooms.statistics.terms.enter_carbon(viewer, place.site or "", form.get("hours", ""))
        except Refusal as refusal:
            return await self._refused(request, viewer, refusal, {"hours": form.get("hours", "")}, "hours")
        return RedirectResponse(_with(place.address(TERMS), "carbon"), 303)

    async def _refused(
        self, request: Request, viewer: Viewer, refusal: Refusal, form: Mapping[str, str], field: str
    ) -> Response:
        """The page with what was typed, and why not at its field."""
        word = Word(phrase("Nothing was entered."), refusal.why, "harm")
        faults = {field: refusal.why}
        return await self._page(request, viewer, word, STATUS[refusal.code], form, faults)


def _with(address: str, did: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}did={did}"


# --- what is typed ------------------------------------------------------------------------------------------------


def read(form: Mapping[str, str], currency: str) -> Terms:
    """The terms that were typed; Refusal INVALID."""
    digits = digits_of(currency)

    def minor(field: str, name: Said) -> Decimal | None:
        amount = typed.number(form[field], name, field)
        return None if amount is None else amount.scaleb(digits)

    windows = []
    for n in WINDOWS:
        price = minor(f"at{n}", phrase("The price of a time of day"))
        times = form[f"from{n}"], form[f"to{n}"]
        if price is None and not any(times):
            continue
        if price is None or not all(times):
            lacking = next(f"{part}{n}" for part in PARTS if not form[f"{part}{n}"])
            raise Refusal(Code.INVALID, phrase("A time of day has a beginning, an end and a price."), field=lacking)
        windows.append(Window(_minute(form, f"from{n}"), _minute(form, f"to{n}") or 1440, price))
    limit_kw = typed.number(form["limit"], phrase("What the connection bears"), "limit")
    return Terms(
        since=_day(form["since"]),
        peak_minor_per_kw=minor("peak", phrase("The peak charge")),
        energy_minor_per_kwh=minor("energy", phrase("The price of energy")),
        windows=tuple(windows),
        limit_w=None if limit_kw is None else limit_kw.scaleb(3),
        carbon_g_per_kwh=_figures(form["carbon"]),
    )


def _packed(form: Mapping[str, str]) -> dict[str, str]:
    """What was typed, its times of day one after the other: those that were left empty come last."""
    rows = [[form[f"{part}{n}"] for part in PARTS] for n in WINDOWS]
    rows.sort(key=lambda row: not any(row))
    names = [f"{part}{n}" for n in WINDOWS for part in PARTS]
    return dict(form) | dict(zip(names, (text for row in rows for text in row), strict=True))


def as_typed(terms: Terms) -> dict[str, str]:
    """Terms as the form shows them; the day is left open, for others hold from another."""
    digits = digits_of(terms.currency)

    def major(minor: Decimal | None) -> str:
        return "" if minor is None else _plain(minor.scaleb(-digits))

    told = {
        "peak": major(terms.peak_minor_per_kw),
        "energy": major(terms.energy_minor_per_kwh),
        "limit": "" if terms.limit_w is None else _plain(terms.limit_w.scaleb(-3)),
        "carbon": " ".join(_plain(one) for one in terms.carbon_g_per_kwh),
    }
    for n, one in zip(WINDOWS, terms.windows, strict=False):
        told |= {f"from{n}": clock(one.since_min), f"to{n}": clock(one.until_min), f"at{n}": major(one.minor_per_kwh)}
    return told


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refusal(Code.INVALID, phrase("The day is such as 2026-01-01."), field="since") from None


def _minute(form: Mapping[str, str], field: str) -> int:
    try:
        at = time.fromisoformat(form[field])
    except ValueError:
        raise Refusal(Code.INVALID, phrase("A time is such as 22:00."), field=field) from None
    return at.hour * 60 + at.minute


def _figures(text: str) -> tuple[Decimal, ...]:
    """One figure, or more with spaces or semicolons between."""
    parts = text.replace(";", " ").split()[:25]
    told = [typed.number(one, phrase("The carbon of the grid"), "carbon") for one in parts]
    return tuple(one for one in told if one is not None)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


# --- the history --------------------------------------------------------------------------------------------------


def _line(one: Entered, by: Said | str, holds: bool) -> Line:
    """A line of the history."""
    return Line(one, by, holds, told_of(one.terms))


def router(paper: Paper) -> APIRouter:
    """``/insight/terms``."""
    pages, routes = Pages(paper), routes_of(paper)
    routes.add_api_route(TERMS, pages.show, methods=["GET"])
    routes.add_api_route(TERMS, pages.enter, methods=["POST"])
    routes.add_api_route(f"{TERMS}/carbon", pages.enter_carbon, methods=["POST"])
    return routes
