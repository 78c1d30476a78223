"""The people's door as one application: the API, the pages, their assets, and what guards them all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, compile_path
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from wattkeeper import __version__
from wattkeeper.charging.errors import Refusal
from wattkeeper.operations.proxies import Proxies
from wattkeeper.web import problem
from wattkeeper.web.api import (
    audit,
    commands,
    events,
    insight,
    meters,
    orders,
    places,
    proofs,
    reference,
    sessions,
    starts,
    stations,
    waiting,
)
from wattkeeper.web.api import log as log_api
from wattkeeper.web.api.alerts import alerts, rules, webhooks
from wattkeeper.web.api.cards import cards, decisions, enrolments, findings, groups, local_list
from wattkeeper.web.api.money import (
    assignments,
    bills,
    books,
    grid,
    hands,
    holds,
    ledger,
    papers,
    revenue,
    tariffs,
    wallet,
)
from wattkeeper.web.api.money import payments as incoming
from wattkeeper.web.api.people import account, apps, consents, consumption, me, notices, persons, sign_in, staff, tokens
from wattkeeper.web.api.privacy import officer, own
from wattkeeper.web.api.statistics import carbon, daytime, forecast, uptime, use, when
from wattkeeper.web.api.statistics import findings as savings
from wattkeeper.web.api.statistics import terms as site_terms
from wattkeeper.web.doors import log, oauth, oidc, payments
from wattkeeper.web.driver import routes as driver
from wattkeeper.web.guards.body import BodyLimit
from wattkeeper.web.guards.entrance import PREFIX, Entrance, is_ours
from wattkeeper.web.guards.headers import Headers
from wattkeeper.web.guards.origin import Foreign, cookie_name
from wattkeeper.web.guards.proxied import Proxied
from wattkeeper.web.live import Streams
from wattkeeper.web.operator import routes
from wattkeeper.web.rooms import Rooms
from wattkeeper.web.tongue import Tongue

NOUNS = (
    *(stations, meters, local_list, waiting, sessions, proofs, places, starts),
    *(assignments, tariffs, bills, papers, holds, ledger),
    *(cards, decisions, groups),
    *(findings, notices, enrolments, orders, commands, events),
    *(staff, tokens, apps, sign_in, account, consents, consumption, persons, own, officer, me),
    *(incoming, hands, wallet),
    *(alerts, rules, webhooks),
    *(audit, revenue, books, grid, insight, log_api),
    *(use, when, daytime, savings, forecast, uptime, carbon, site_terms),
)
STATIC = Path(__file__).parent / "static"
LARGER = {f"{PREFIX}/cards/import": 64 * 1024 * 1024, f"{PREFIX}/statistics/terms/carbon/import": 4 * 1024 * 1024}
"""Bytes of a body, where more than usual is needed: a million cards, eleven years of hours."""
QUIET: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""Telemetry would record what was sent."""
ABOUT = """Errors are problem details (RFC 9457). Instants are RFC 3339, UTC. Amounts carry their unit in their name
(`energy_wh`) and are JSON numbers, exact to a millionth of the unit up to 9 GWh: read them as decimals where they are
billed. Lists end with `next`, the `cursor` of the page that follows, or null."""


SHAPES: tuple[type[BaseModel], ...] = (problem.Problem, problem.Fault, events.Recorded)
"""What is described although no endpoint returns it as such."""
HASHED = re.compile(r"-[0-9A-Z]{8}\.[a-z0-9]+$")


def _problem(words: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": words, "content": {problem.MEDIA_TYPE: {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: _problem("Nobody we know asks."),
    403: _problem("It needs a scope that the token does not have."),
    404: _problem("There is no such thing."),
    422: _problem("It does not make sense as written."),
    "default": _problem("Any other problem."),
}


class App(FastAPI):
    """The application; its description names the shape of every problem."""

    def build_middleware_stack(self) -> ASGIApp:
        """Everything inside the headers, so that an answer to a fault of ours has them too."""
        settings = self.state.rooms.settings
        return Proxied(Headers(Tongue(super().build_middleware_stack()), settings), Proxies(settings))

    def openapi(self) -> dict[str, Any]:
        """The API's description (OpenAPI 3.1)."""
        if self.openapi_schema is None:
            components = super().openapi()["components"]
            for shape in SHAPES:
                described = shape.model_json_schema(ref_template="#/components/schemas/{model}")
                described.pop("$defs", None)
                components["schemas"][shape.__name__] = described
            components["securitySchemes"]["sign-in"]["name"] = cookie_name(self.state.rooms.settings)
        return super().openapi()

    def methods(self, path: str) -> list[str]:
        """The methods that an address of the API knows."""
        known = self.openapi()["paths"]
        exactly = {path: known[path]} if path in known else known
        fitting = [methods for template, methods in exactly.items() if compile_path(template)[0].match(path)]
        return sorted({method.upper() for methods in fitting for method in methods})


def build(rooms: Rooms) -> App:
    """The application of one installation."""
    docs = rooms.settings.docs
    app = App(
        title="Wattkeeper",
        description=ABOUT,
        version=__version__,
        openapi_url=f"{PREFIX}/openapi.json" if docs else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=QUIET,
        routes=[*_api(), Mount("/static", Assets(directory=STATIC, check_dir=False)), *_pages(rooms)],
    )
    app.state.rooms = rooms
    app.state.streams = Streams()
    app.state.foreign = Foreign()
    app.state.pace = log.patient()
    _guard(app, rooms)
    if docs:
        app.add_api_route(f"{PREFIX}/docs", _reference, include_in_schema=False, response_class=HTMLResponse)
    return app


@cache
def _api() -> list[BaseRoute]:
    """Every noun of the API, each with the problems it may answer with; put together once in a process."""
    whole, api = APIRouter(), APIRouter(prefix=PREFIX, responses=PROBLEMS)
    for noun in NOUNS:
        api.include_router(noun.router)
    whole.include_router(api)
    return whole.routes


def _pages(rooms: Rooms) -> list[BaseRoute]:
    """Everybody's pages as they are: a router that includes another takes every one of its routes apart again."""
    paper = routes.paper_of(rooms)
    door = [*payments.router(rooms), *log.router(rooms)]
    return [*door, *oauth.router(paper).routes, *oidc.router(paper).routes, *driver.pages(rooms), *routes.pages(rooms)]


async def _reference(request: Request) -> HTMLResponse:
    """The API's description, for people."""
    return HTMLResponse(reference.page(request.app.openapi(), f"{PREFIX}/openapi.json"))


def _guard(app: App, rooms: Rooms) -> None:
    """What every request passes inside the headers: size, then who asks; and how refusals are told."""
    app.add_middleware(Entrance, rooms=rooms)
    app.add_middleware(BodyLimit, larger=LARGER)
    app.add_exception_handler(Refusal, problem.on_refusal)
    for kind in (RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _on_fault)


async def _on_fault(request: Request, error: Exception) -> Response:
    """Tell what the framework refuses, or a fault of ours: to programs as a problem, to people as a page."""
    app, path = request.app, request.scope["path"]
    status = STATUS.get(type(error), getattr(error, "status_code", 500))
    if not is_ours(path):
        missing = driver.missing if driver.is_ours(path) else routes.missing
        return await missing(app.state.rooms, request, status)
    if status == 405:
        error = HTTPException(405, headers={"Allow": ", ".join(app.methods(path))})
    return problem.of(error)


STATUS: Mapping[type[Exception], int] = {RequestValidationError: 422}


class Assets(StaticFiles):
    """The bundle of the pages: what has its hash in its name may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        response = await super().get_response(path, scope)
        lasting = "public, max-age=31536000, immutable" if HASHED.search(path) else "no-cache"
        response.headers.setdefault("Cache-Control", lasting)
        return response
