"""The places under Alerts, and how their pages are printed."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.web.operator.paper import Paper

ALERTS, RULES = "/alerts", "/alerts/rules"
DESKS = ((ALERTS, phrase("Alerts")), (RULES, phrase("Rules")))
"""Address and name; whoever may see stations may see both."""


def page(
    paper: Paper, request: Request, desk: str, template: str, viewer: Viewer, *, status: int = 200, **given: Any
) -> HTMLResponse:
    """A page under Alerts; ``desk``: the address of the place it belongs to."""
    return paper.page(request, template, viewer, status=status, desks=DESKS, desk=desk, **given)
