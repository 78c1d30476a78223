"""The security audit as a page: its answer, each finding with what settles it, what was accepted, what was checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, Said, phrase
from wattkeeper.language import retold
from wattkeeper.operations.people.names import ACCOUNT
from wattkeeper.operations.security.report import AuditReport
from wattkeeper.operations.security.told import CHECKS, RAN_BY, SEVERITIES, act_of, answer_of, do_of, owner_of, what_of
from wattkeeper.store.people import api_token
from wattkeeper.store.security import finding as findings
from wattkeeper.store.security.finding import AuditRow, FindingRow
from wattkeeper.web.operator.paper import Look, Paper, Word, routes_of
from wattkeeper.web.operator.security.desks import AUDIT, page
from wattkeeper.web.problem import STATUS

MOST_GONE = 50
Text = Annotated[str, Form()]
DAYS = {"30": phrase("30 days"), "90": phrase("90 days"), "180": phrase("half a year"), "365": phrase("a year")}
LOOKS = {
    "high": Look(SEVERITIES["high"], "harm", "harm"),
    "medium": Look(SEVERITIES["medium"], "look", "look"),
    "low": Look(SEVERITIES["low"], "half"),
}
DID = {
    "ran": Word(phrase("It was checked anew.")),
    "accepted": Word(phrase("It is accepted."), phrase("The log keeps who accepted it and until when.")),
    "reconsidered": Word(phrase("It is not accepted any more.")),
}
"""What was done, in words."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding as the page tells it."""

    row: FindingRow
    what: Phrase
    do: Phrase
    owner: Phrase
    path: str
    act: Phrase
    look: Look
    by: str = ""
    """Who accepted it."""
    why: str = ""
    """The reason they gave."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A check of the newest run."""

    name: Said
    looked: int
    unchecked: str
    found: int


class Audit:
    """``/security/audit`` and what can be done there."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._rooms, self._audit = paper.rooms, paper.rooms.security_audit

    async def show(self, request: Request, did: str = "") -> Response:
        """Everything that stands, was accepted, or went."""
        return await self._page(request, word=DID.get(did))

    async def _page(self, request: Request, status: int = 200, **given: Any) -> Response:
        viewer = await self._paper.need_viewer(request, Scope.SECURITY_READ)
        now = self._rooms.store.clock()
        async with self._rooms.store.read() as connection:
            standing = await findings.find(connection, viewer)
            gone = await findings.gone(connection, viewer, MOST_GONE)
            run = next(iter(await findings.runs(connection, 1)), None)
        labels = await self._labels(viewer, [*standing, *gone])
        shown = [self._shown(row, labels) for row in sorted(standing, key=_gravest)]
        context: dict[str, Any] = {
            "answer": answer_of(standing, now) if run else phrase("Nothing was checked yet"),
            "run": run,
            "run_by": RAN_BY.get(run.by) or labels.get(run.by, run.by) if run else "",
            "open": [one for one in shown if not one.row.is_accepted(now)],
            "accepted": [one for one in shown if one.row.is_accepted(now)],
            "gone": [self._shown(row, labels) for row in gone],
            "checks": _checks(run, standing) if run else [],
            "may_write": viewer.may(Scope.SECURITY_WRITE),
            "days": DAYS,
            "typed": {"id": "", "why": "", "days": "90"},
        }
        return page(self._paper, request, AUDIT, "security_audit.html", viewer, status=status, **(context | given))

    async def _labels(self, viewer: Viewer, rows: Sequence[FindingRow]) -> Mapping[str, str]:
        """What subjects and people are called, as far as the viewer may know it."""
        accounts = {row.subject for row in rows} | {row.accepted_by or "" for row in rows}
        async with self._rooms.store.read() as connection:
            last = next(iter(await findings.runs(connection, 1)), None)
            tokens = await api_token.tokens(connection) if viewer.may(Scope.TOKENS_READ) else []
        accounts |= {last.by} if last else set()
        names = await self._rooms.names.said(viewer, {one for one in accounts if ACCOUNT.fullmatch(one)})
        return {token.id: token.name for token in tokens} | names

    def _shown(self, row: FindingRow, labels: Mapping[str, str]) -> Shown:
        """A finding in words."""
        path, act = act_of(row)
        by = row.accepted_by or ""
        by = RAN_BY.get(by) or labels.get(by, by)
        words = (what_of(row, labels.get(row.subject, "")), do_of(row), owner_of(row))
        return Shown(row, *words, path, act, LOOKS.get(row.severity, LOOKS["low"]), by, self._audit.reason(row))

    # --- what owners do ---------------------------------------------------------------------------------

    async def run(self, request: Request) -> Response:
        """Check everything now."""
        viewer = await self._paper.need_viewer(request, Scope.SECURITY_WRITE)
        await self._audit.run(viewer.name)
        return RedirectResponse(f"{AUDIT}?did=ran", 303)

    async def report(self, request: Request) -> Response:
        """The report as PDF, for whoever may see the audit; its hash goes into the log."""
        viewer = await self._paper.need_viewer(request, Scope.SECURITY_READ)
        made = await AuditReport(self._rooms.store, self._rooms.settings, self._audit).printed(viewer)
        headers = {"Content-Disposition": f'attachment; filename="{made.name}"', "Cache-Control": "no-store"}
        return Response(made.pdf, media_type="application/pdf", headers=headers)

    async def accept(self, request: Request, id: Text = "", days: Text = "", why: Text = "") -> Response:
        """Accept a finding for a while, or say why not and keep what was typed."""
        viewer = await self._paper.need_viewer(request, Scope.SECURITY_WRITE)
        try:
            await self._audit.accept(viewer, id, int(days) if days in DAYS else 0, why)
        except Refusal as refusal:
            if refusal.code is Code.NOT_FOUND:
                raise
            word = Word(phrase("It was not accepted."), refusal.why, "harm")
            typed = {"id": id, "why": why[:500], "days": days}
            return await self._page(request, STATUS[refusal.code], word=word, typed=typed)
        return RedirectResponse(f"{AUDIT}?did=accepted", 303)

    async def reconsider(self, request: Request, id: Text = "") -> Response:
        """Take an acceptance back."""
        viewer = await self._paper.need_viewer(request, Scope.SECURITY_WRITE)
        await self._audit.reconsider(viewer, id)
        return RedirectResponse(f"{AUDIT}?did=reconsidered", 303)

    async def back(self) -> Response:
        """From the address of a form back to the page that it is on."""
        return RedirectResponse(AUDIT, 303)


def _gravest(row: FindingRow) -> tuple[int, Any]:
    """The gravest first, of those the oldest."""
    return list(LOOKS).index(row.severity) if row.severity in LOOKS else len(LOOKS), row.first_at


def _checks(run: AuditRow, standing: Sequence[FindingRow]) -> list[Checked]:
    """What was checked in the newest run, and what not."""
    return [
        Checked(
            CHECKS.get(one["name"], one["name"]),
            one["looked"],
            retold(one["unchecked"]),
            sum(row.code.partition(".")[0] == one["name"] for row in standing),
        )
        for one in run.checks
    ]


def router(paper: Paper) -> APIRouter:
    """``/security/audit`` and what can be done there."""
    pages, routes = Audit(paper), routes_of(paper)
    routes.add_api_route(AUDIT, pages.show, methods=["GET"])
    for deed in (pages.run, pages.report, pages.accept, pages.reconsider):
        routes.add_api_route(f"{AUDIT}/{deed.__name__}", deed, methods=["POST"])
        routes.add_api_route(f"{AUDIT}/{deed.__name__}", pages.back, methods=["GET"])
    return routes
