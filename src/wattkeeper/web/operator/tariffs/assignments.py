"""Who gets which tariff: the order in which assignments decide, what is assigned, and how that is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.tariffs.assignment import ASSIGNABLE, STANDARD, Assignment, Rank, standing
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, Said, phrase
from wattkeeper.operations.money.tariffs.prices import PAST
from wattkeeper.web.operator.paper import Paper, Word, form_of, routes_of
from wattkeeper.web.operator.tariffs.whom import RANKS, card_of, instant, known, subjects
from wattkeeper.web.problem import STATUS

MOST_HISTORY = 200
FIELDS = ("rank", "subject", "tariff", "day", "time", "n")
HINTS: Mapping[Rank, Phrase] = {
    Rank.DRIVER: phrase("Wherever they charge, with any of their cards or from the phone."),
    Rank.GROUP: phrase("Every card of the group, wherever it is presented."),
    Rank.CONNECTOR: phrase("Everyone who charges at this connector."),
    Rank.STATION: phrase("Everyone who charges at any of its connectors."),
    Rank.SITE: phrase("Everyone who charges at any of its stations."),
    Rank.EVERYONE: phrase("Everyone, everywhere."),
    Rank.STANDARD: phrase("The tariff named standard holds by itself."),
}
DID = {
    "assigned": Word(phrase("It is assigned."), phrase("It holds for what starts from then on.")),
    "ended": Word(phrase("That has ended."), phrase("For what starts from now on the next in the order decides.")),
}
UNKNOWN_ROW = phrase("This assignment is not there any more. Look at the list again.")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is assigned to one thing: now, and what follows."""

    subject: Said
    now: Assignment | None
    coming: tuple[Assignment, ...] = ()

    @property
    def n(self) -> int:
        """The number of the assignment that a form about it names."""
        return (self.now or self.coming[0]).n


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the order, with what is assigned there."""

    rank: Rank
    name: Said
    hint: Said
    rows: tuple[Standing, ...]


def ladder(some: Iterable[Assignment], called: Mapping[tuple[Rank, str], Said], now: datetime) -> list[Step]:
    """The order, the nearest to the driver first, with what is assigned on each step."""
    listed = list(some)
    holding = standing(listed, now)
    steps = []
    for rank in ASSIGNABLE:
        keys = dict.fromkeys(sorted((one.rank, one.subject) for one in listed if one.rank is rank))
        rows = (_standing(key, called[key], holding, listed, now) for key in keys)
        kept = tuple(row for row in rows if row is not None)
        steps.append(Step(rank, RANKS[rank], HINTS[rank], kept))
    return steps


def _standing(
    key: tuple[Rank, str],
    called: Said,
    holding: Mapping[tuple[Rank, str], Assignment],
    listed: Iterable[Assignment],
    now: datetime,
) -> Standing | None:
    """What is assigned to one thing; None where nothing is nor will be."""
    one = holding.get(key)
    held = one if one is not None and one.tariff else None
    later = [each for each in listed if (each.rank, each.subject) == key and each.valid_from > now]
    coming = tuple(sorted(later, key=lambda each: (each.valid_from, each.n)))
    return Standing(called, held, coming) if held or coming else None


class Whom:
    """``/tariffs/assignments`` and what can be done there."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms

    async def show(self, request: Request, did: str = "", change: str = "") -> Response:
        """The page; with ``change`` the form is about one assignment."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_READ)
        rows = await self._rooms.assignments.find(viewer)
        typed = dict.fromkeys(FIELDS, "")
        one = next((row for row in rows if str(row.n) == change), None)
        if one is not None:
            typed |= {"n": str(one.n), "rank": one.rank.value, "tariff": one.tariff or ""}
        return await self._page(request, viewer, typed, word=DID.get(did))

    async def _page(
        self, request: Request, viewer: Viewer, typed: dict[str, str], status: int = 200, **given: Any
    ) -> Response:
        rows, now = await self._rooms.assignments.find(viewer), self._rooms.store.clock()
        called = await subjects(self._rooms, viewer, rows)
        versions = await self._rooms.prices.versions(viewer)
        history = rows[:MOST_HISTORY]
        one = next((row for row in rows if str(row.n) == typed["n"]), None)
        context: dict[str, Any] = {
            "steps": ladder(rows, called, now),
            "standard": any(row.id == STANDARD for row in versions),
            "last_hint": HINTS[Rank.STANDARD],
            "history": [(row, RANKS[row.rank], called[row.rank, row.subject]) for row in history],
            "by": await self._rooms.names.said(viewer, (row.by for row in history)),
            "tariffs": sorted({row.id for row in versions}),
            "known": await known(self._rooms, viewer),
            "ranks": [(rank.value, RANKS[rank]) for rank in ASSIGNABLE],
            "about": None if one is None else called[one.rank, one.subject],
            "typed": typed,
            "faults": {},
            "may_write": viewer.may(Scope.TARIFFS_WRITE),
        }
        page = context | given
        return self._paper.page(request, "tariff_assignments.html", viewer, status=status, **page)

    # --- to change --------------------------------------------------------------------------------------

    async def assign(self, request: Request) -> Response:
        """Assign a tariff; or say why not, and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_WRITE)
        typed = dict.fromkeys(FIELDS, "") | {k: v for k, v in (await form_of(request)).items() if k in FIELDS}
        at, faults = instant(typed["day"], typed["time"], self._paper.times.zone)
        status = 422
        if not faults:
            try:
                rank, of = await self._subject(viewer, typed)
                await self._rooms.assignments.assign(
                    viewer, rank, of, typed["tariff"] or None, at and at.astimezone(UTC)
                )
                return RedirectResponse("/tariffs/assignments?did=assigned", 303)
            except Refusal as refusal:
                if refusal.code not in (Code.INVALID, Code.NOT_FOUND):
                    raise
                faults, status = {_field(refusal, typed): refusal.why}, STATUS[refusal.code]
        word = Word(phrase("Nothing was assigned."), next(iter(faults.values())), "harm")
        return await self._page(request, viewer, typed, status, faults=faults, word=word)

    async def _subject(self, viewer: Viewer, typed: Mapping[str, str]) -> tuple[Rank, str]:
        """For whom or where: what another assignment is of, or what was typed; a driver by a card they hold."""
        if typed["n"]:
            row = await self._row(viewer, typed["n"])
            return row.rank, row.subject
        if typed["rank"] not in ASSIGNABLE:
            raise Refusal(Code.INVALID, phrase("Choose for whom or where it shall hold."), field="rank")
        rank = Rank(typed["rank"])
        if rank is Rank.DRIVER:
            return rank, (await card_of(self._rooms, viewer, typed["subject"])).person
        return rank, "" if rank is Rank.EVERYONE else typed["subject"]

    async def _row(self, viewer: Viewer, number: str) -> Assignment:
        """The assignment of a number; Refusal NOT_FOUND."""
        rows = await self._rooms.assignments.find(viewer)
        found = next((row for row in rows if str(row.n) == number), None)
        if found is None:
            raise Refusal(Code.NOT_FOUND, UNKNOWN_ROW, field="n")
        return found

    async def end(self, request: Request, n: Annotated[str, Form()] = "") -> Response:
        """Let nothing be assigned there from now on; what was to come stays to come."""
        viewer = await self._paper.need_viewer(request, Scope.TARIFFS_WRITE)
        row = await self._row(viewer, n)
        await self._rooms.assignments.assign(viewer, row.rank, row.subject, None)
        return RedirectResponse("/tariffs/assignments?did=ended", 303)


def _field(refusal: Refusal, typed: Mapping[str, str]) -> str:
    """Which field a refusal is about."""
    if refusal.why == PAST:
        return "day"
    return str(refusal.details.get("field", "subject"))


def router(paper: Paper) -> APIRouter:
    """``/tariffs/assignments`` and what can be done there."""
    pages, routes = Whom(paper), routes_of(paper)
    routes.add_api_route("/tariffs/assignments", pages.show, methods=["GET"])
    routes.add_api_route("/tariffs/assignments", pages.assign, methods=["POST"])
    routes.add_api_route("/tariffs/assignments/end", pages.end, methods=["POST"])
    return routes
