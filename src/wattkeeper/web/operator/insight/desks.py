"""The places under Insight, and how their pages are printed."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.web.operator.paper import Paper

OVERVIEW, UPTIME, FORECAST = "/insight", "/insight/uptime", "/insight/forecast"
TERMS, RELEASES = "/insight/terms", "/insight/releases"
WEEK, LOAD, STAYS = "/insight/week", "/insight/load", "/insight/stays"
DESKS = (
    (OVERVIEW, phrase("Overview"), Scope.SESSIONS_READ),
    (WEEK, phrase("Peak times"), Scope.SESSIONS_READ),
    (LOAD, phrase("Load"), Scope.SESSIONS_READ),
    (STAYS, phrase("Stays"), Scope.SESSIONS_READ),
    (UPTIME, phrase("Reliability"), Scope.SESSIONS_READ),
    (FORECAST, phrase("Forecast"), Scope.SESSIONS_READ),
    (TERMS, phrase("Terms"), Scope.BILLS_READ),
    (RELEASES, phrase("Releases"), Scope.PRIVACY_READ),
)
"""The places under Insight: address, name, what one must be allowed for it, if only at own sites."""


def page(
    paper: Paper, request: Request, desk: str, template: str, viewer: Viewer, *, status: int = 200, **given: Any
) -> HTMLResponse:
    """A page under Insight; ``desk``: the address of the place it belongs to."""
    may = viewer.scopes | viewer.at_sites
    desks = [(path, name) for path, name, scope in DESKS if scope in may]
    return paper.page(request, template, viewer, status=status, desks=desks, desk=desk, **given)
