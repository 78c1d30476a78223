"""The way in through one's company: there, back, and connecting it with an account. Needs no script."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.company.oidc import CALLBACK, LASTS
from wattkeeper.settings import Settings
from wattkeeper.web.guards.origin import cookie_name, keep_cookie
from wattkeeper.web.operator.door import within
from wattkeeper.web.operator.paper import Paper, routes_of

LEAVE, CONNECT, DISCONNECT = "/login/company", "/login/company/connect", "/login/company/disconnect"


class CompanyDoor:
    """``/login/company`` and what lies behind it."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._company, self._settings = paper.rooms.company, paper.rooms.settings

    async def leave(self, request: Request, next: str = "/", connect: bool = False, again: bool = False) -> Response:
        """To the company's door; with ``connect`` to use it for one's own account from then on.

        A page of another site leads to our own door only: who signs in presses the button there.
        """
        if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return RedirectResponse(f"/login?next={quote(within(next), safe='')}", 303)
        account = ""
        if connect:
            viewer = await self._paper.need_viewer(request)
            viewer.need_fresh(self._paper.rooms.store.clock())
            account = viewer.account
        leaving = await self._company.leave(within(next), account, again=again)
        answer = RedirectResponse(leaving.address, 303, {"Cache-Control": "no-store"})
        _keep(answer, self._settings, leaving.cookie)
        return answer

    async def arrive(self, request: Request) -> Response:
        """Back from there: signed in, or asked whether to connect."""
        cookie = request.cookies.get(_cookie_name(self._settings), "")
        pairs = request.query_params.multi_items()
        given = dict(pairs)
        if len(given) < len(pairs):
            raise Refusal(
                Code.INVALID, phrase("The answer of the company's sign-in is not clear: something came twice.")
            )
        address = request.client.host if request.client else ""
        arrived = await self._company.arrive(cookie, given, address)
        if arrived.connect:
            viewer = await self._paper.need_viewer(request)
            told = {"held": self._company.hold(arrived), "next": arrived.next, "called": arrived.name}
            company = self._company.name
            answer: Response = self._paper.page(request, "connect.html", viewer, status=200, company=company, **told)
        else:
            before = request.cookies.get(cookie_name(self._settings))
            if before:
                await self._paper.rooms.access.sign_out(before)
            signed_in = await self._company.enter(arrived, request.headers.get("user-agent", "")[:200])
            answer = RedirectResponse(arrived.next, 303, {"Cache-Control": "no-store"})
            keep_cookie(answer, self._settings, signed_in)
        _drop(answer, self._settings)
        return answer

    async def connect(
        self, request: Request, held: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/"
    ) -> Response:
        """Sign in through the company from now on."""
        await self._company.connect(await self._paper.need_viewer(request), held)
        return RedirectResponse(within(next), 303)

    async def disconnect(self, request: Request, next: Annotated[str, Form()] = "/") -> Response:
        """Sign in through the company no more."""
        await self._company.disconnect(await self._paper.need_viewer(request))
        return RedirectResponse(within(next), 303)


def router(paper: Paper) -> APIRouter:
    """The company's door; where there is none, it says so."""
    door, routes = CompanyDoor(paper), routes_of(paper)
    routes.add_api_route(LEAVE, door.leave, methods=["GET"])
    routes.add_api_route(CALLBACK, door.arrive, methods=["GET"])
    routes.add_api_route(CONNECT, door.connect, methods=["POST"])
    routes.add_api_route(DISCONNECT, door.disconnect, methods=["POST"])
    return routes


def _cookie_name(settings: Settings) -> str:
    """What the browser brings back from the company; by https it is bound to this very host."""
    return "__Host-wattkeeper-company" if settings.is_secure else "wattkeeper-company"


def _keep(answer: Response, settings: Settings, value: str) -> None:
    """Hand the browser what it must bring back. Lax: it comes back from another site."""
    age, name = int(LASTS.total_seconds()), _cookie_name(settings)
    answer.set_cookie(name, value, max_age=age, path="/", secure=settings.is_secure, httponly=True, samesite="lax")


def _drop(answer: Response, settings: Settings) -> None:
    """It was brought back."""
    name, secure = _cookie_name(settings), settings.is_secure
    answer.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
