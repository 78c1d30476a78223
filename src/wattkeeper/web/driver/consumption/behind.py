"""The sessions behind a figure of what a driver used and paid, with the same sums above them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.phrase import Said, joined, phrase
from wattkeeper.charging.statistics.used import Use, later, summed
from wattkeeper.operations.statistics.consumption import MONTHS, QUARTER, Behind, read_month
from wattkeeper.web.driver.consumption import words
from wattkeeper.web.driver.paper import Paper, routes_of
from wattkeeper.web.operator import said

LONGEST = 200
IN_FULL = phrase("EEEE d MMMM y")


@dataclass(frozen=True, slots=True)
class Row:
    """A session of the list."""

    where: str
    when: Said
    energy: str
    cost: str
    href: str
    """Its page; empty where its documents alone are left."""


class Pages:
    """``/app/consumption/sessions``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    async def show(
        self, request: Request, month: str = "", months: str = "", address: str = "", station: str = "", part: str = ""
    ) -> Response:
        """The sessions that make up a sum; what makes no sense of what narrows them does not."""
        viewer = await self._paper.need_viewer(request)
        now = self._paper.times.local(self._paper.rooms.store.clock())
        places = (address[:LONGEST] or None, station[:LONGEST] or None)
        asked = Behind(month or f"{now:%Y-%m}", _months(months), *places, _part(part))
        uses = await self._paper.rooms.statistics.consumption.behind(viewer, asked)
        total = summed(uses)
        told: dict[str, Any] = {
            "title": self._title(asked),
            "energy_wh": total.energy_wh,
            "count": words.sessions(total.sessions),
            "cost": words.cost(total),
            "rows": [self._row(one) for one in uses],
            "back": f"/app/consumption?{urlencode({'month': asked.month})}",
        }
        return await self._paper.page(request, "consumption_sessions.html", viewer, **told)

    def _title(self, asked: Behind) -> Said:
        """Of what."""
        last = read_month(asked.month)
        month = said.dated(last, words.MONTH)
        span: Said | str = month
        if asked.months > 1:
            first = said.dated(later(last, 1 - asked.months), words.MONTH)
            span = phrase("{first} to {last}", first=first, last=month)
        part = words.PARTS[asked.part] if asked.part is not None else ""
        return joined(filter(None, (asked.station, asked.address, part, span)), ", ")

    def _row(self, one: Use) -> Row:
        """A session with what it came to, as it is in the sum."""
        there = self._paper.times.local(one.began_at)
        clock = f"{there:%H:%M}"
        when = phrase("{day} {clock}", day=said.dated(there.date(), IN_FULL), clock=clock)
        href = f"/app/sessions/{one.session}" if one.is_held else ""
        return Row(one.place.name, when, words.kwh(one.energy_wh), words.cost(summed([one])), href)


def _months(typed: str) -> int:
    """How many months; one where that makes no sense."""
    return min(max(1, int(typed)), MONTHS) if typed.isascii() and typed.isdigit() and len(typed) < 3 else 1


def _part(typed: str) -> int | None:
    """A quarter of the day; none where that makes no sense."""
    return int(typed) if typed in {str(one) for one in range(0, 24, QUARTER)} else None


def router(paper: Paper) -> APIRouter:
    """``/app/consumption/sessions``."""
    pages, routes = Pages(paper), routes_of(paper)
    routes.add_api_route(words.SESSIONS, pages.show, methods=["GET"])
    return routes
