"""``/alerts/rules``: the rules, and the webhooks that are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.alerts.rule import Kind
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import Reach, Scope
from wattkeeper.charging.phrase import Said, counted, phrase
from wattkeeper.operations.alerts.told import KINDS, MEASURED, reach_of, thresholds_of
from wattkeeper.store.alerts import hook
from wattkeeper.store.alerts import rule as rules
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.web.operator.alerts.desks import RULES, page
from wattkeeper.web.operator.hours import say_hours
from wattkeeper.web.operator.paper import Look, Paper, Word, routes_of
from wattkeeper.web.operator.people.names import places
from wattkeeper.web.problem import STATUS

HOOKS = "/alerts/webhooks"
Text = Annotated[str, Form()]
ON, PAUSED = Look(phrase("On"), "done"), Look(phrase("Paused"), "half")
DID = {
    "made": Word(phrase("The rule is made."), phrase("It is measured from now on.")),
    "changed": Word(phrase("The rule is changed.")),
    "pause": Word(phrase("The rule is paused."), phrase("Its alerts are over.")),
    "resume": Word(phrase("The rule is on again.")),
    "delete": Word(phrase("The rule is deleted."), phrase("Its alerts are over, and stay on record.")),
    "removed": Word(phrase("The webhook is taken away."), phrase("Nothing is sent there any more.")),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A rule as a line of the list."""

    row: RuleRow
    kind: str
    reach: str
    thresholds: Said
    quiet: str
    look: Look

    @property
    def tells(self) -> Said:
        """How many are told."""
        count = len(self.row.accounts) + len(self.row.hooks)
        return counted("1 recipient", "{count} recipients", count) if count else phrase("this page alone")


class Rules:
    """``/alerts/rules`` and the webhooks there."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms = paper.rooms
        self._hooks = paper.rooms.alerts.hooks

    async def show(self, request: Request, did: str = "") -> Response:
        """The rules that the viewer may know, by name."""
        return await self._page(request, word=DID.get(did))

    async def _page(self, request: Request, status: int = 200, **given: Any) -> Response:
        viewer = await self._paper.need_viewer(request)
        is_all = viewer.reach(Scope.STATIONS_READ) is Reach.ANYWHERE
        async with self._rooms.store.read() as connection:
            rows = await rules.find(connection, viewer)
            hooks = await hook.find(connection, viewer) if is_all else []
            known = await places(connection, viewer)
        labels = {row.rule.subject: known[row.rule.subject].name for row in rows}
        currency = self._rooms.settings.pay_currency
        settings = self._rooms.settings
        context: dict[str, Any] = {
            "answer": answer(rows),
            "rules": [listed(row, labels, currency) for row in rows],
            "hooks": hooks,
            "is_all": is_all,
            "may_write": viewer.may(Scope.STATIONS_WRITE),
            "kinds": [(kind.value, KINDS[kind], MEASURED[kind]) for kind in Kind],
            "no_mail": not settings.mail_host and not settings.outbox,
            "made": None,
            "secret": "",
            "typed": {"name": "", "address": ""},
        }
        return page(self._paper, request, RULES, "alert_rules.html", viewer, status=status, **(context | given))

    async def make_hook(self, request: Request, name: Text = "", address: Text = "") -> Response:
        """Make a webhook and show its secret, this once; or say why not and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.STATIONS_WRITE)
        try:
            row, secret = await self._hooks.make(viewer, name, address)
        except Refusal as refusal:
            word = Word(phrase("No webhook was made."), refusal.why, "harm")
            typed = {"name": name[:200], "address": address[:600]}
            return await self._page(request, STATUS[refusal.code], word=word, typed=typed)
        return await self._page(request, made=row, secret=secret)

    async def remove_hook(self, request: Request, id: Text = "") -> Response:
        """Take a webhook away."""
        viewer = await self._paper.need_viewer(request, Scope.STATIONS_WRITE)
        await self._hooks.remove(viewer, id)
        return RedirectResponse(f"{RULES}?did=removed", 303)

    async def back(self) -> Response:
        """From the address of a form back to the page that it is on."""
        return RedirectResponse(RULES, 303)


def listed(row: RuleRow, labels: dict[str, str], currency: str) -> Listed:
    """A rule as a line of the list."""
    rule = row.rule
    quiet = say_hours(rule.quiet) if rule.quiet else ""
    words = (KINDS[rule.kind], reach_of(rule, labels), thresholds_of(rule, currency), quiet)
    return Listed(row, *words, PAUSED if row.paused_at else ON)


def answer(rows: Sequence[RuleRow]) -> Said:
    """The page's answer: how many rules are measured."""
    count = sum(row.is_on for row in rows)
    if not rows:
        return phrase("There is no rule yet")
    return counted("1 rule is on", "{count} rules are on", count)


def router(paper: Paper) -> APIRouter:
    """``/alerts/rules`` and ``/alerts/webhooks``."""
    pages, routes = Rules(paper), routes_of(paper)
    routes.add_api_route(RULES, pages.show, methods=["GET"])
    routes.add_api_route(HOOKS, pages.make_hook, methods=["POST"])
    routes.add_api_route(HOOKS, pages.back, methods=["GET"])
    routes.add_api_route(f"{HOOKS}/remove", pages.remove_hook, methods=["POST"])
    return routes
