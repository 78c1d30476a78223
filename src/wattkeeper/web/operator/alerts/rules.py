"""``/alerts/rules``: the rules, and the webhooks that are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.alerts.rule import Kind, Where
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import Reach, Scope
from wattkeeper.charging.phrase import Said, counted, joined, phrase
from wattkeeper.operations.alerts.measuring import limited
from wattkeeper.operations.alerts.told import KINDS, MEASURED, reach_of, thresholds_of
from wattkeeper.operations.people.address import is_mail
from wattkeeper.settings import Settings
from wattkeeper.store.alerts import hook
from wattkeeper.store.alerts import rule as rules
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.web.operator.alerts.desks import RULES, page
from wattkeeper.web.operator.hours import say_hours
from wattkeeper.web.operator.paper import Look, Paper, Word, routes_of
from wattkeeper.web.operator.people.names import places
from wattkeeper.web.problem import STATUS

LIMITED = phrase("measured at {some} of {all} sites: where terms tell a limit")
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
    tells: Said
    """How many are told, and how many of them cannot be."""
    limited: Said | str = ""
    """Where it is measured, where that is not everywhere."""


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
            at = await limited(connection, self._paper.times.local(self._rooms.store.clock()).date())
        names = await self._rooms.names.of(viewer, {one for row in rows for one in row.accounts})
        labels = {row.rule.subject: known[row.rule.subject].name for row in rows}
        currency = self._rooms.settings.pay_currency
        settings = self._rooms.settings
        context: dict[str, Any] = {
            "answer": answer(rows),
            "rules": [listed(row, labels, currency, at, names) for row in rows],
            "hooks": hooks,
            "is_all": is_all,
            "may_write": viewer.may(Scope.STATIONS_WRITE),
            "kinds": [(kind.value, KINDS[kind], MEASURED[kind]) for kind in Kind],
            "no_mail": goes_nowhere(settings),
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


def goes_nowhere(settings: Settings) -> bool:
    """Whether letters go nowhere: no mail server is set, and it is no demo."""
    return not settings.mail_host and not settings.outbox


def listed(
    row: RuleRow, labels: dict[str, str], currency: str, at: tuple[int, int], names: Mapping[str, str]
) -> Listed:
    """A rule as a line of the list; ``at``: at how many sites terms tell a limit, of how many."""
    rule = row.rule
    quiet = say_hours(rule.quiet) if rule.quiet else ""
    words = (KINDS[rule.kind], reach_of(rule, labels), thresholds_of(rule, currency), quiet)
    is_limited = rule.kind is Kind.PEAK_NEAR_LIMIT and rule.limit_kw is None and rule.where is Where.EVERYWHERE
    limited = LIMITED.filled(some=at[0], all=at[1]) if is_limited and at[0] < at[1] else ""
    return Listed(row, *words, PAUSED if row.paused_at else ON, _tells(row, names), limited)


def _tells(row: RuleRow, names: Mapping[str, str]) -> Said:
    """How many a rule tells; of those whose names the viewer may know, how many have no address."""
    count = len(row.accounts) + len(row.hooks)
    if not count:
        return phrase("this page alone")
    told = counted("1 recipient", "{count} recipients", count)
    missing = sum(one in names and not is_mail(names[one]) for one in row.accounts)
    without = counted("1 without an e-mail address", "{count} without an e-mail address", missing) if missing else ""
    return joined((told, without), ", ")


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
