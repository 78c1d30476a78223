"""The places under Insight, and how their pages are printed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Figure, Phrase, phrase, plural
from wattkeeper.operations.statistics.statistics import Statistics
from wattkeeper.web.operator.paper import Paper, Word

OVERVIEW, UPTIME, FORECAST = "/insight", "/insight/uptime", "/insight/forecast"
TERMS, RELEASES = "/insight/terms", "/insight/releases"
WEEK, HOURS, LOAD = "/insight/week", "/insight/hours", "/insight/load"
STAYS, CARBON = "/insight/stays", "/insight/carbon"
DESKS = (
    (OVERVIEW, phrase("Overview"), Scope.SESSIONS_READ),
    (WEEK, phrase("Peak times"), Scope.SESSIONS_READ),
    (HOURS, phrase("Time of day"), Scope.SESSIONS_READ),
    (LOAD, phrase("Load"), Scope.SESSIONS_READ),
    (STAYS, phrase("Stays"), Scope.SESSIONS_READ),
    (UPTIME, phrase("Reliability"), Scope.SESSIONS_READ),
    (FORECAST, phrase("Forecast"), Scope.SESSIONS_READ),
    (CARBON, phrase("Carbon"), Scope.SESSIONS_READ),
    (TERMS, phrase("Terms"), Scope.BILLS_READ),
    (RELEASES, phrase("Releases"), Scope.PRIVACY_READ),
)
"""The places under Insight: address, name, what one must be allowed for it, if only at own sites."""
DAYS, AT = ("span", "from", "to"), ("site",)
UNDERSTOOD: Mapping[str, tuple[str, ...]] = {
    OVERVIEW: (*DAYS, *AT, "station"),
    UPTIME: (*DAYS, *AT, "station"),
    FORECAST: AT,
    TERMS: AT,
    RELEASES: (),
}
"""What a place understands of what another is about, where that is not days and site."""


COUNTING = phrase("These figures are being counted")
SESSIONS = plural(
    "1 session is not in them yet.",
    "{number} sessions are not in them yet; open the page again in some minutes.",
)
ENTRIES = plural(
    "1 message of stations is not in them yet.",
    "{number} messages of stations are not in them yet; open the page again in some minutes.",
)
STATIONS = plural(
    "1 station is not in them yet.",
    "{number} stations are not in them yet; open the page again in some minutes.",
)
"""What is missing, by what is counted."""
AS_OF = phrase("As of {when}: all that was recorded until then is counted; what goes on, every quarter of an hour.")


class View(Protocol):
    """What a page is about: some days, a site, a station."""

    @property
    def view(self) -> Mapping[str, str]:
        """As an address has it; empty values stand for all."""


async def page(
    paper: Paper,
    request: Request,
    desk: str,
    template: str,
    viewer: Viewer,
    *,
    status: int = 200,
    as_of: datetime | None = None,
    **given: Any,
) -> HTMLResponse:
    """A page under Insight; ``desk``: the address of the place it belongs to. Others are of the same days and site.

    ``as_of``: until when what it shows is counted, where that is not now.
    """
    may = viewer.scopes | viewer.at_sites
    view: View | None = given.get("asked") or given.get("where")
    seen = {} if view is None else view.view
    desks = [(path, _about(path, seen), name) for path, name, scope in DESKS if scope in may]
    given["behind"] = await _behind(paper.rooms.statistics, desk)
    given["as_of"] = await _as_of(paper, desk, as_of)
    return paper.page(request, template, viewer, status=status, desks=desks, desk=desk, **given)


async def _behind(statistics: Statistics, desk: str) -> Word | None:
    """That what a place shows is being counted, where that takes a while; None: it is all there."""
    if desk in (TERMS, RELEASES):
        return None
    missing = await _missing(statistics, desk)
    return None if missing is None else Word(COUNTING, missing, "look")


async def _missing(statistics: Statistics, desk: str) -> Phrase | None:
    """How much of what a place shows is not counted yet; None: it is all there."""
    if desk != UPTIME:
        counts = [(await statistics.counting.behind(), SESSIONS)]
    else:
        known = statistics.reckoning
        counts = [(await known.behind(), ENTRIES), (await known.stations_behind(), STATIONS)]
    said = [words.filled(count=count, number=Figure(Decimal(count), 0)) for count, words in counts if count]
    return said[0] if said else None


async def partly(statistics: Statistics, desk: str) -> str:
    """What the name of a file of a place ends with where not all is counted yet."""
    return "" if await _missing(statistics, desk) is None else "-partial"


async def _as_of(paper: Paper, desk: str, at: datetime | None) -> Phrase | None:
    """Until when what a place shows is counted."""
    if desk in (TERMS, RELEASES):
        return None
    known = paper.rooms.statistics
    at = at or await (known.reckoning if desk == UPTIME else known.counting).as_of()
    return AS_OF.filled(when=paper.times.exact(at))


def _about(path: str, seen: Mapping[str, str]) -> str:
    """The address of a place, about as much of what is seen as it understands."""
    said = {name: seen[name] for name in UNDERSTOOD.get(path, (*DAYS, *AT)) if seen.get(name)}
    return path + (f"?{urlencode(said)}" if said else "")
