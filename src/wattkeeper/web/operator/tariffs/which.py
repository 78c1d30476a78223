"""Which tariff would somebody get at a place at an instant, and why: every one that could hold, and what decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.tariffs.assignment import Rank, why
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Said, joined, phrase
from wattkeeper.operations.money.tariffs.assigning import Asked
from wattkeeper.operations.money.tariffs.choosing import Choice
from wattkeeper.operations.money.tariffs.price_words import said
from wattkeeper.operations.money.tariffs.prices import NO_PRICE
from wattkeeper.store.cards import card as cards
from wattkeeper.store.money.tariffs.tariff import TariffRow
from wattkeeper.web.operator.paper import Paper, form_of, routes_of
from wattkeeper.web.operator.tariffs.whom import RANKS, card_of, instant, known, masked_of

FIELDS = ("station", "evse", "card", "group", "day", "time")
WINS = phrase("It holds: nothing nearer to the driver does.")
LOSES = phrase("It would hold, but this comes first: {rank}.")
TOO_EARLY = phrase("Passed over: none of its versions holds by then.")
NOTHING = phrase("Nothing is assigned.")
NOT_ASKED = phrase("Not asked: neither a card nor a group was named.")
NO_CONNECTOR = phrase("Not asked: no connector was named.")
NO_STATION = phrase("There is no such station.")
NO_EVSE = phrase("A connector is a whole number, such as 1.")


@dataclass(frozen=True, slots=True)
class Weighed:
    """A step of the order: what is assigned there, and why it wins or loses."""

    name: Said
    tariff: str
    version: int | None
    assigned: Said
    """To what, in words."""
    verdict: Said
    wins: bool


def weighed(choice: Choice, typed: dict[str, str]) -> Iterator[Weighed]:
    """Every step of the order, the nearest to the driver first."""
    told = {one.rank: (one.tariff, one.subject, row) for one, row in choice.others}
    if choice.row is not None:
        told[choice.rank] = (choice.row.id, choice.subject, choice.row)
    for rank in Rank:
        if rank not in told:
            yield Weighed(RANKS[rank], "", None, joined(()), _absent(rank, typed), False)
            continue
        tariff, subject, row = told[rank]
        wins = choice.row is not None and rank is choice.rank
        verdict = WINS if wins else LOSES.filled(rank=RANKS[choice.rank]) if row else TOO_EARLY
        assigned = why(rank, subject)
        yield Weighed(RANKS[rank], tariff, None if row is None else row.version, assigned, verdict, wins)


def _absent(rank: Rank, typed: dict[str, str]) -> Said:
    """Why nothing stands on a step."""
    if rank in (Rank.DRIVER, Rank.GROUP) and not (typed["card"] or (typed["group"] and rank is Rank.GROUP)):
        return NOT_ASKED
    return NO_CONNECTOR if rank is Rank.CONNECTOR and not typed["evse"] else NOTHING


class Which:
    """``/tariffs/which``."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(
        self,
        request: Request,
        station: str = "",
        evse: str = "",
        card: str = "",
        group: str = "",
        day: str = "",
        time: str = "",
    ) -> Response:
        """The question, and its answer where it is complete."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_READ)
        given = (station, evse, card, group, day, time)
        typed = {name: value.strip()[:100] for name, value in zip(FIELDS, given, strict=True)}
        return await self._page(request, viewer, typed)

    async def ask(self, request: Request) -> Response:
        """The question with a card's number, which must not stand in an address: it goes on with its pseudonym."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_READ)
        form = await form_of(request)
        typed = {name: form.get(name, "")[:100] for name in FIELDS}
        if form.get("number"):
            try:
                typed["card"] = (await card_of(self._rooms, viewer, form["number"])).ref
            except Refusal as refusal:
                if refusal.code is not Code.NOT_FOUND:
                    raise
                return await self._page(request, viewer, typed | {"card": ""}, {"number": refusal.why})
        asked = {name: value for name, value in typed.items() if value}
        return RedirectResponse(f"/tariffs/which?{urlencode(asked)}", 303)

    async def _page(
        self, request: Request, viewer: Viewer, typed: dict[str, str], faults: dict[str, Said] | None = None
    ) -> Response:
        found = dict(faults or {})
        choice = await self._choice(viewer, typed, found) if typed["station"] and not found else None
        row = None if choice is None else choice.row
        context: dict[str, Any] = {
            "typed": typed,
            "faults": found,
            "masked": await self._masked(viewer, typed["card"]),
            "known": await known(self._rooms, viewer),
            "choice": choice,
            "why_words": None if choice is None else choice.why,
            "said": () if choice is None else self._said(choice, row),
            "steps": () if choice is None else tuple(weighed(choice, typed)),
        }
        return self._paper.page(request, "tariff_which.html", viewer, status=422 if found else 200, **context)

    def _said(self, choice: Choice, row: TariffRow | None) -> tuple[str, ...]:
        return (NO_PRICE,) if row is None else said(row.tariff, choice.at)

    async def _choice(self, viewer: Viewer, typed: dict[str, str], faults: dict[str, Said]) -> Choice | None:
        """The answer; None where the question is wrong, with what is wrong."""
        at, wrong = instant(typed["day"], typed["time"], self._paper.times.zone)
        faults.update(wrong)
        evse = typed["evse"]
        if evse and not (evse.isascii() and evse.isdecimal() and 0 < int(evse[:10]) < 2**31):
            faults["evse"] = NO_EVSE
        if faults:
            return None
        asked = Asked(
            station=typed["station"],
            evse=int(evse) if evse else None,
            card=typed["card"] or None,
            group=typed["group"] or None,
            at=at and at.astimezone(UTC),
        )
        try:
            return await self._rooms.assignments.which(viewer, asked)
        except Refusal as refusal:
            if refusal.code is not Code.NOT_FOUND:
                raise
            faults["station"] = NO_STATION
            return None

    async def _masked(self, viewer: Viewer, ref: str) -> str:
        """What is left of the number of the card that was asked for."""
        if not ref or not viewer.may(Scope.CARDS_READ):
            return ""
        async with self._rooms.store.read() as connection:
            row = await cards.one(connection, viewer, ref)
        return "" if row is None else masked_of(row.last2) or "••••"


def router(paper: Paper) -> APIRouter:
    """``/tariffs/which``."""
    pages, routes = Which(paper), routes_of(paper)
    routes.add_api_route("/tariffs/which", pages.show, methods=["GET"])
    routes.add_api_route("/tariffs/which", pages.ask, methods=["POST"])
    return routes
