"""The places under Security, and how their pages are printed."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.web.operator.paper import Paper

EVENTS, AUDIT = "/security", "/security/audit"
DESKS = ((EVENTS, phrase("Events")), (AUDIT, phrase("Audit")))
"""The places under Security: where each is, and what it is called."""


def page(
    paper: Paper, request: Request, desk: str, template: str, viewer: Viewer, *, status: int = 200, **given: Any
) -> HTMLResponse:
    """A page under Security; ``desk``: the address of the place it belongs to."""
    return paper.page(request, template, viewer, status=status, desks=DESKS, desk=desk, **given)
