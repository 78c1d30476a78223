"""Hosts of sites: what each gets of what is billed there, what accrued, and the payout with its statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.ledger import AccountKind
from wattkeeper.charging.money.payments.share import Share, ShareKind
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Figure, Money, Phrase, Said, counted, joined, phrase
from wattkeeper.store.money import ledger
from wattkeeper.store.money.payments import share
from wattkeeper.store.money.payments.deed import DeedState
from wattkeeper.web.operator.money import typed
from wattkeeper.web.operator.money.desks import page
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.operator.said import money
from wattkeeper.web.problem import STATUS

DESK, STATEMENT = "/money/hosts", "/money/hosts/statement"
EMPTY = {"site": "", "host": "", "kind": "", "value": "", "reference": "", "total": "", "currency": ""}
KINDS = {
    ShareKind.PERCENT: phrase("percent of sales without tax"),
    ShareKind.PER_KWH: phrase("smallest coins for a kWh, such as cents"),
}
DID = {
    "agreed": Word(phrase("It holds for what is billed from now on.")),
    "paid": Word(phrase("The payout is entered.")),
    "proposed": Word(phrase("It is proposed."), phrase("It is much, so a second person must agree.")),
}
OF_SALES, EACH, NONE = phrase("{part} of sales"), phrase("{amount} for each kWh"), phrase("nothing any more")


@dataclass(frozen=True, slots=True)
class Row:
    """A site with a host."""

    share: Share
    words: Said


@dataclass(frozen=True, slots=True)
class Owed:
    """What accrued at a site in one currency."""

    site: str
    href: str
    amount: Money


class Hosts:
    """``/money/hosts``, and the statement of each."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, did: str = "") -> Response:
        """Every agreement, and what is owed."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        return await self._page(request, viewer, DID.get(did))

    async def _page(
        self, request: Request, viewer: Viewer, word: Word | None, status: int = 200, form: Mapping[str, str] = EMPTY
    ) -> Response:
        async with self._rooms.store.read() as connection:
            agreed = await share.agreements(connection, viewer)
            held = await ledger.largest(connection, viewer, 200, owing=True, kind=AccountKind.HOST)
        owed = [_owed(one.account.partition(":")[2], one.currency, -one.amount_minor) for one in held]
        ours = self._rooms.settings.pay_currency
        sites = counted("1 site has a host.", "{count} sites have a host.", len(agreed))
        given: dict[str, Any] = {
            "answer": _answer(owed),
            "lead": sites if agreed else phrase("Agree what the host of a site gets, and it accrues with each bill."),
            "rows": [Row(one, _words(one, ours)) for one in agreed],
            "owed": sorted(owed, key=lambda one: (one.amount.currency, -one.amount.amount, one.site)),
            "kinds": {kind.value: words for kind, words in KINDS.items()},
            "may_write": viewer.may(Scope.BILLS_WRITE),
            "typed": form,
        }
        return page(self._paper, request, DESK, "hosts.html", viewer, status=status, word=word, **given)

    async def agree(self, request: Request) -> Response:
        """Let the host of a site get this from now on; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ, Scope.BILLS_WRITE)
        form = EMPTY | await form_of(request)
        try:
            kind = ShareKind(form["kind"]) if form["kind"] in set(ShareKind) else None
            value = typed.number(form["value"], phrase("The share")) if kind else None
            await self._rooms.payments.deeds.agree_share(viewer, form["site"], form["host"], kind, value)
        except Refusal as refusal:
            word = Word(phrase("Nothing was agreed."), refusal.why, "harm")
            return await self._page(request, viewer, word, STATUS[refusal.code], form)
        return RedirectResponse(f"{DESK}?did=agreed", 303)

    async def statement(self, request: Request, site: str = "", currency: str = "", did: str = "") -> Response:
        """What accrued to the host of a site and was not paid yet, document by document."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ)
        return await self._statement(request, viewer, site, currency, DID.get(did))

    async def _statement(
        self,
        request: Request,
        viewer: Viewer,
        site: str,
        currency: str,
        word: Word | None,
        status: int = 200,
        form: Mapping[str, str] = EMPTY,
    ) -> Response:
        currency = _currency(currency or self._rooms.settings.pay_currency)
        told = await self._rooms.payments.deeds.statement(viewer, site, currency)
        given: dict[str, Any] = {
            "told": told,
            "total": money(told.total_minor, currency, told.digits),
            "items": [(one, money(one.share_minor, currency, told.digits)) for one in told.items],
            "may_write": viewer.may(Scope.BILLS_WRITE) and told.total_minor > 0,
            "typed": form,
        }
        return page(self._paper, request, DESK, "host.html", viewer, status=status, word=word, **given)

    async def pay(self, request: Request) -> Response:
        """Enter that the host was paid what the statement says; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.BILLS_READ, Scope.BILLS_WRITE)
        form = EMPTY | await form_of(request)
        site, currency = form["site"], _currency(form["currency"])
        total = int(form["total"]) if form["total"].isascii() and form["total"][:12].isdecimal() else -1
        try:
            row = await self._rooms.payments.deeds.pay_out(viewer, site, currency, form["reference"], total)
        except Refusal as refusal:
            word = Word(phrase("No payout was entered."), refusal.why, "harm")
            return await self._statement(request, viewer, site, currency, word, STATUS[refusal.code], form)
        did = "paid" if row.state is DeedState.DONE else "proposed"
        return RedirectResponse(f"{path_of(site, currency)}&did={did}", 303)


def _answer(owed: list[Owed]) -> Said:
    """What hosts are owed in all, by currency."""
    sums: dict[str, int] = {}
    for one in owed:
        minor = one.amount.amount.scaleb(digits_of(one.amount.currency))
        sums[one.amount.currency] = sums.get(one.amount.currency, 0) + int(minor)
    if not sums:
        return phrase("No host is owed anything")
    told = [money(minor, one, digits_of(one)) for one, minor in sorted(sums.items())]
    return phrase("{sums} owed to hosts", sums=joined(told, " + "))


def _currency(text: str) -> str:
    """A currency's three letters; Refusal INVALID."""
    if not (len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()):
        raise Refusal(Code.INVALID, phrase("Choose one of the currencies."))
    return text


def path_of(site: str, currency: str) -> str:
    """Where the statement of a site in a currency is."""
    return f"{STATEMENT}?{urlencode({'site': site, 'currency': currency})}"


def _owed(site: str, currency: str, minor: int) -> Owed:
    return Owed(site, path_of(site, currency), money(minor, currency, digits_of(currency)))


def _words(one: Share, currency: str) -> Phrase:
    """What a host gets."""
    if one.kind is None or one.value is None:
        return NONE
    if one.kind is ShareKind.PERCENT:
        return OF_SALES.filled(part=Figure(one.value, _places(one.value), "%"))
    digits = digits_of(currency)
    return EACH.filled(amount=Money(one.value.scaleb(-digits), currency, digits + _places(one.value)))


def _places(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))


def router(paper: Paper) -> APIRouter:
    """``/money/hosts``, and the statement of each."""
    pages, routes = Hosts(paper), routes_of(paper)
    routes.add_api_route(DESK, pages.show, methods=["GET"])
    routes.add_api_route(DESK, pages.agree, methods=["POST"])
    routes.add_api_route(STATEMENT, pages.statement, methods=["GET"])
    routes.add_api_route(STATEMENT, pages.pay, methods=["POST"])
    return routes
