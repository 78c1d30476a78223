"""A driver's monthly invoice made out to their company."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.papers.paper import Party
from wattkeeper.store.money.payments import monthly
from wattkeeper.web.api.money.papers import sent
from wattkeeper.web.driver.money.buyer import Typed
from wattkeeper.web.driver.paper import Paper, routes_of

PATH = "/app/me/pay/invoices/{number}/invoice"


class MonthlyInvoices:
    """``/app/me/pay/invoices/{number}/invoice``"""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def form(self, request: Request, number: str) -> Response:
        """To whom it is made out."""
        viewer = await self._need(request, number)
        return await self._form(request, viewer, number, Party("", country=self._rooms.settings.seller_country))

    async def invoice(self, request: Request, number: str, typed: Typed) -> Response:
        """The invoice; what cannot be is said beside what was typed."""
        viewer = await self._need(request, number)
        try:
            return sent(await self._rooms.papers.monthly(viewer, number, typed.printable()))
        except Refusal as refusal:
            if refusal.code is not Code.INVALID:
                raise
            return await self._form(request, viewer, number, typed.party, status=422, fault=refusal.why)

    async def _need(self, request: Request, number: str) -> Viewer:
        """Who asks, for an invoice of theirs; Refusal NOT_FOUND."""
        viewer = await self._paper.need_viewer(request)
        async with self._rooms.store.read() as connection:
            row = await monthly.one(connection, viewer, number)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such monthly invoice. Is its number right?"))
        if not self._rooms.papers.writes_invoices:
            raise Refusal(Code.NOT_FOUND, phrase("Invoices are not written here."))
        return viewer

    async def _form(self, request: Request, viewer: Viewer, number: str, buyer: Party, **given: Any) -> Response:
        """The form, with what was typed."""
        back = PATH.removesuffix("/invoice").format(number=number)
        about: dict[str, Any] = {"number": number, "typed": buyer, "fault": "", "action": PATH.format(number=number)}
        return await self._paper.page(request, "invoice.html", viewer, back=back, back_text=number, **about | given)


def router(paper: Paper) -> APIRouter:
    """``/app/me/pay/invoices/{number}/invoice``"""
    pages, routes = MonthlyInvoices(paper), routes_of(paper)
    routes.add_api_route(PATH, pages.form, methods=["GET"])
    routes.add_api_route(PATH, pages.invoice, methods=["POST"])
    return routes
