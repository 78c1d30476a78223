"""``/alerts/rules/{rule}``: one rule, made, changed, paused, deleted and tried."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.alerts.rule import FORMS, PRICES, Kind, Where
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.operations.alerts.measuring import limited
from wattkeeper.operations.alerts.told import ANSWERS, KINDS, MEASURED
from wattkeeper.operations.people.address import is_mail
from wattkeeper.store.alerts import hook, sending
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.store.people import account
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.stations import station as stations
from wattkeeper.web.operator.alerts.desks import RULES, page
from wattkeeper.web.operator.alerts.rules import goes_nowhere
from wattkeeper.web.operator.alerts.typed import SITE, STATION, Typed, given, kind_of, typed_of, unit_of, usual, wish_of
from wattkeeper.web.operator.paper import Paper, Word, routes_of
from wattkeeper.web.operator.people.names import MOST_STATIONS
from wattkeeper.web.problem import STATUS

MOST_TRIES = 20
DEEDS = ("pause", "resume", "delete")
NO_DEED = phrase("A rule is paused, resumed, deleted or tried.")
DID = {
    "changed": Word(phrase("The rule is changed.")),
    "pause": Word(phrase("The rule is paused."), phrase("Its alerts are over.")),
    "resume": Word(phrase("The rule is on again.")),
    "tried": Word(phrase("A try is on its way."), phrase("What became of it stands below in a moment.")),
    "nobody": Word(phrase("Nobody was told."), phrase("This rule tells nobody but the page of alerts."), "look"),
}


class Rule:
    """One rule, or a new one."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms
        self._rules = paper.rooms.alerts.rules

    async def begin(self, request: Request, kind: str = "") -> Response:
        """The form of a new rule of a kind."""
        viewer = await self._paper.need_viewer(request, Scope.STATIONS_WRITE)
        return await self._page(request, viewer, usual(kind_of(kind), viewer.account))

    async def make(self, request: Request) -> Response:
        """Make a rule; or say why not and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.STATIONS_WRITE)
        typed = given(await request.form())
        try:
            await self._rules.make(viewer, wish_of(typed))
        except Refusal as refusal:
            return await self._refused(request, viewer, typed, refusal)
        return RedirectResponse(f"{RULES}?did=made", 303)

    async def show(self, request: Request, rule: str, did: str = "") -> Response:
        """A rule, for who may change it."""
        viewer = await self._paper.need_viewer(request, Scope.STATIONS_WRITE)
        row = await self._rules.get(viewer, rule)
        return await self._page(request, viewer, typed_of(row), row, word=DID.get(did))

    async def change(self, request: Request, rule: str) -> Response:
        """Change a rule; or say why not and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.STATIONS_WRITE)
        row, typed = await self._rules.get(viewer, rule), given(await request.form())
        try:
            await self._rules.change(viewer, rule, wish_of(typed))
        except Refusal as refusal:
            return await self._refused(request, viewer, typed, refusal, row)
        return RedirectResponse(f"{RULES}/{rule}?did=changed", 303)

    async def do(self, request: Request, rule: str, deed: str) -> Response:
        """Pause, resume, delete or try it."""
        viewer = await self._paper.need_viewer(request, Scope.STATIONS_WRITE)
        if deed == "test":
            count = await self._rules.test(viewer, rule)
            return RedirectResponse(f"{RULES}/{rule}?did={'tried' if count else 'nobody'}", 303)
        if deed not in DEEDS:
            raise Refusal(Code.NOT_FOUND, NO_DEED)
        await getattr(self._rules, deed)(viewer, rule)
        there = RULES if deed == "delete" else f"{RULES}/{rule}"
        return RedirectResponse(f"{there}?did={deed}", 303)

    async def _refused(
        self, request: Request, viewer: Viewer, typed: Typed, refusal: Refusal, row: RuleRow | None = None
    ) -> Response:
        if refusal.code not in (Code.INVALID, Code.CONFLICT) or typed.kind not in set(Kind):
            raise refusal
        word = Word(phrase("The rule was not saved."), refusal.why, "harm")
        faults = {str(refusal.details.get("field", "")): refusal.why}
        return await self._page(request, viewer, typed, row, status=STATUS[refusal.code], word=word, faults=faults)

    async def _page(
        self, request: Request, viewer: Viewer, typed: Typed, row: RuleRow | None = None, **more: Any
    ) -> Response:
        kind, currency = kind_of(typed.kind), self._rooms.settings.pay_currency
        context: dict[str, Any] = {
            "row": row,
            "typed": typed,
            "faults": {},
            "title": KINDS[kind],
            "measured": MEASURED[kind],
            "unit": unit_of(kind, currency),
            "is_peak": kind is Kind.PEAK_NEAR_LIMIT,
            "is_price": kind in PRICES,
            **await self._choices(viewer, kind, typed, row),
        }
        return page(self._paper, request, RULES, "alert_rule.html", viewer, **(context | more))

    async def _choices(self, viewer: Viewer, kind: Kind, typed: Typed, row: RuleRow | None) -> dict[str, Any]:
        """Where a rule can look, whom it can tell, and what became of the last tries."""
        async with self._rooms.store.read() as connection:
            known = await stations.find(connection, viewer, MOST_STATIONS)
            at = await limited(connection, self._paper.times.local(self._rooms.store.clock()).date())
            hooks = await hook.find(connection, viewer)
            staff = await account.staff(connection)
            tries = await sending.newest_tries(connection, MOST_TRIES) if row else []
        sites = sorted({one.site for one in known if one.site})
        reaches: list[tuple[str, Phrase | str]] = [(Where.EVERYWHERE.value, phrase("everything"))]
        if FORMS[kind].allows(Where.SITE):
            reaches += [(SITE + one, one) for one in sites]
        if FORMS[kind].allows(Where.STATION):
            reaches += [(STATION + one.id, one.label or one.id) for one in known]
        ids = [one.id for one in staff if one.state is AccountState.ACTIVE]
        names = await self._rooms.names.of(viewer, [*ids, *typed.accounts])
        whom = [one for one in dict.fromkeys([*ids, *typed.accounts]) if one in names]
        people = [(one, names[one], is_mail(names[one])) for one in whom]
        told = {one.id: one.name for one in hooks} | names
        mine = [one for one in tries if row is not None and one.rule == row.id]
        return {
            "reaches": reaches,
            "people": people,
            "no_mail": goes_nowhere(self._rooms.settings),
            "limited": at,
            "hooks": [(one.id, one.name, one.host) for one in hooks if one.ended_at is None or one.id in typed.hooks],
            "tries": [
                (told.get(one.account or one.hook, ""), one, ANSWERS.get(one.answer, one.answer)) for one in mine
            ],
        }


def router(paper: Paper) -> APIRouter:
    """``/alerts/rules/new`` and ``/alerts/rules/{rule}``."""
    pages, routes = Rule(paper), routes_of(paper)
    routes.add_api_route(f"{RULES}/new", pages.begin, methods=["GET"])
    routes.add_api_route(f"{RULES}/new", pages.make, methods=["POST"])
    routes.add_api_route(f"{RULES}/{{rule}}", pages.show, methods=["GET"])
    routes.add_api_route(f"{RULES}/{{rule}}", pages.change, methods=["POST"])
    routes.add_api_route(f"{RULES}/{{rule}}/{{deed}}", pages.do, methods=["POST"])
    return routes
