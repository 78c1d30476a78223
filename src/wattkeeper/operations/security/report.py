"""The report of the security audit, to hand to an auditor: what stands, what was accepted and by whom, what went, what
was checked and what not. It names people by the ids of their accounts; the SHA-256 of the file is in the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from wattkeeper import __version__
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import counted, phrase
from wattkeeper.language import chosen, retold, spoken
from wattkeeper.operations.money.papers.paper import Teller, clock
from wattkeeper.operations.money.papers.printing import AUDIT, printed
from wattkeeper.operations.people.security import Case
from wattkeeper.operations.security.audit import SecurityAudit
from wattkeeper.operations.security.cases import TOLD
from wattkeeper.operations.security.told import CHECKS, RAN_BY, SEVERITIES, answer_of, do_of, owner_of, what_of
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.log import checkpoint
from wattkeeper.store.security import event
from wattkeeper.store.security import finding as findings
from wattkeeper.store.security.event import CaseSum
from wattkeeper.store.security.finding import AuditRow, FindingRow

BACK = timedelta(days=90)
MOST_GONE, MOST_RUNS = 200, 30
NOT_YET = phrase("Nothing was checked yet, so there is nothing to report. Run the audit first.")
NOTES = (
    phrase(
        "A finding stands for as long as each audit sees it. What was accepted is listed with the reason and its end."
    ),
    phrase("Accounts are named by their ids; whoever may see staff finds the names under People."),
    phrase("What was not checked says nothing: neither that it is well nor that it is not."),
    phrase(
        "The SHA-256 of this file is in the log of the installation, as a deed of the kind security.reported: whoever"
        " holds the file makes it with sha256sum, and compares."
    ),
)


@dataclass(frozen=True, slots=True)
class Printed:
    """A report, ready to be handed over."""

    name: str
    pdf: bytes
    sha256: str
    """Hexadecimal, as the log has it."""


@dataclass(frozen=True, slots=True)
class Content:
    """All that stands in it."""

    address: str
    zone: tzinfo
    now: datetime
    runs: Sequence[AuditRow]
    standing: Sequence[FindingRow]
    gone: Sequence[FindingRow]
    reasons: Mapping[str, str]
    events: Sequence[CaseSum]
    log: tuple[int, str]
    """How many entries the log has signed, and their root, hexadecimal; 0 where there is none yet."""


class AuditReport:
    """Prints the report, and writes its hash into the log."""

    def __init__(self, store: Store, settings: Settings, audit: SecurityAudit) -> None:
        self._store = store
        self._settings = settings
        self._audit = audit

    async def printed(self, viewer: Viewer, language: str = "") -> Printed:
        """The newest run as PDF (scope security:read); Refusal CONFLICT where there was none."""
        content = await self._content(viewer)
        words = told(content, chosen(language, spoken()))
        pdf = await printed(words, content.now, template=AUDIT)
        digest = hashlib.sha256(pdf).hexdigest()
        body = {"sha256": digest, "run_at": content.runs[0].at.isoformat(), "found": dict(content.runs[0].found)}
        async with self._store.unit() as unit:
            await deed.enter(unit, DeedKind.AUDIT_REPORTED, viewer.name, digest[:16], body)
        return Printed(f"security-audit-{content.now:%Y-%m-%d}.pdf", pdf, digest)

    async def _content(self, viewer: Viewer) -> Content:
        """Everything that is to stand in it."""
        viewer.need(Scope.SECURITY_READ)
        now = self._store.clock()
        async with self._store.read() as connection:
            runs = await findings.runs(connection, MOST_RUNS)
            standing = await findings.find(connection, viewer)
            gone = await findings.gone(connection, viewer, MOST_GONE)
            events = await event.sums(connection, viewer, event.Sought(now - BACK))
            newest = await checkpoint.newest(connection)
        if not runs:
            raise Refusal(Code.CONFLICT, NOT_YET)
        return Content(
            address=self._settings.address,
            zone=self._settings.zone,
            now=now,
            runs=runs,
            standing=standing,
            gone=[row for row in gone if row.gone_at and now - row.gone_at < BACK],
            reasons={row.id: self._audit.reason(row) for row in standing},
            events=events,
            log=(newest.size, newest.root.hex()) if newest is not None else (0, ""),
        )


def told(content: Content, language: str) -> dict[str, Any]:
    """The report in words, as its template wants them."""
    one = _Telling(content, language)
    parts = (one.open(), one.accepted(), one.checks(), one.settled(), one.tried(), one.history())
    return {
        "language": language,
        "title": one.tell(phrase("Security audit")),
        "answer": one.tell(answer_of(content.standing, content.now)),
        "seller": ["Wattkeeper", content.address],
        "buyer": [],
        "buyer_label": "",
        "facts": [[one.tell(name), one.tell(value)] for name, value in one.facts()],
        "parts": [one.part(*part) for part in parts],
        "why_label": one.tell(phrase("How to read it")),
        "why": [one.tell(note) for note in NOTES],
        "foot": ["Wattkeeper", content.address],
        "page": one.tell(phrase("Page")),
    }


def _short(root: str) -> str:
    """The begin of a root, enough to know it by."""
    return f"{root[:16]}…"


def _by(who: str | None) -> object:
    """Who it was: an id, or a word where it was nobody in particular."""
    return RAN_BY.get(who or "", who or "")


Part = tuple[object, Sequence[tuple[object, bool]], list[list[tuple[object, object]]], object]
"""A table: its title, its columns and whether each is wide, its rows of a line and what belongs to it, and if none."""


class _Telling(Teller):
    """Tells the parts of a report."""

    def __init__(self, content: Content, language: str) -> None:
        super().__init__(language)
        self._one = content

    def when(self, at: datetime | None) -> str:
        """A day and a time by the installation's clock; empty where there is none."""
        if at is None:
            return ""
        there = at.astimezone(self._one.zone)
        return f"{self.day(there.date())}, {there:%H:%M}"

    def part(
        self,
        title: object,
        columns: Sequence[tuple[object, bool]],
        rows: list[list[tuple[object, object]]],
        none: object,
    ) -> dict[str, Any]:
        """A table, in the language."""
        return {
            "title": self.tell(title),
            "columns": [self.tell(name) for name, _ in columns],
            "widths": ["wide" if is_wide else "" for _, is_wide in columns],
            "rows": [[[self.tell(what), self.tell(more)] for what, more in row] for row in rows],
            "none": self.tell(none),
        }

    def facts(self) -> Iterator[tuple[object, object]]:
        """What stands beneath the title."""
        run, (size, root) = self._one.runs[0], self._one.log
        yield phrase("Checked on"), self.when(run.at)
        yield phrase("Checked by"), RAN_BY.get(run.by, run.by)
        yield phrase("Printed on"), self.when(self._one.now)
        yield phrase("Time zone"), clock(self._one.zone, [run.at, self._one.now])
        yield phrase("Version"), f"Wattkeeper {__version__}"
        yield phrase("Looked at"), str(sum(one["looked"] for one in run.checks))
        if size:
            yield (
                phrase("The log then"),
                counted("1 entry, root {root}", "{count} entries, root {root}", size, root=_short(root)),
            )

    def open(self) -> Part:
        """What needs a person."""
        rows = sorted(self._one.standing, key=lambda row: list(SEVERITIES).index(row.severity))
        rows = [row for row in rows if not row.is_accepted(self._one.now)]
        columns = ((phrase("When"), False), (phrase("What"), True), (phrase("Whose"), False), (phrase("Since"), False))
        told_rows: list[list[tuple[object, object]]] = [
            [
                (SEVERITIES[row.severity], ""),
                (what_of(row), do_of(row)),
                (owner_of(row), ""),
                (self._day(row.first_at), ""),
            ]
            for row in rows
        ]
        return phrase("Needs a person"), columns, told_rows, phrase("Nothing.")

    def accepted(self) -> Part:
        """What was accepted."""
        rows = [row for row in self._one.standing if row.is_accepted(self._one.now)]
        columns = ((phrase("What"), True), (phrase("By"), False), (phrase("Until"), False))
        told_rows: list[list[tuple[object, object]]] = [
            [
                (what_of(row), self._one.reasons[row.id]),
                (_by(row.accepted_by), self.when(row.accepted_at)),
                (self._day(row.accepted_until), ""),
            ]
            for row in rows
        ]
        return phrase("Accepted for now"), columns, told_rows, phrase("Nothing.")

    def checks(self) -> Part:
        """What was checked and what not."""
        counts = [row.code.partition(".")[0] for row in self._one.standing]
        columns = ((phrase("What was checked"), True), (phrase("Looked at"), False), (phrase("Found"), False))
        told_rows: list[list[tuple[object, object]]] = [
            [
                (CHECKS.get(one["name"], one["name"]), retold(one["unchecked"])),
                (str(one["looked"]), ""),
                (str(counts.count(one["name"])), ""),
            ]
            for one in self._one.runs[0].checks
        ]
        return phrase("What was checked, and what not"), columns, told_rows, phrase("Nothing.")

    def settled(self) -> Part:
        """What went within the last months."""
        columns = ((phrase("What"), True), (phrase("Since"), False), (phrase("Until"), False))
        told_rows: list[list[tuple[object, object]]] = [
            [(what_of(row), SEVERITIES[row.severity]), (self._day(row.first_at), ""), (self._day(row.gone_at), "")]
            for row in self._one.gone
        ]
        return phrase("Settled within 90 days"), columns, told_rows, phrase("Nothing.")

    def tried(self) -> Part:
        """What was tried at the doors."""
        columns = ((phrase("What"), True), (phrase("How often"), False), (phrase("Last"), False))
        cases = {case.value: TOLD[case].what for case in Case}
        told_rows: list[list[tuple[object, object]]] = [
            [(cases.get(one.case, one.case), ""), (str(one.count), ""), (self._day(one.last_at), "")]
            for one in self._one.events
        ]
        return phrase("What was tried within 90 days"), columns, told_rows, phrase("Nothing.")

    def history(self) -> Part:
        """The last runs."""
        columns = ((phrase("Checked on"), True), *((SEVERITIES[one], False) for one in SEVERITIES))
        told_rows: list[list[tuple[object, object]]] = [
            [(self.when(run.at), _by(run.by)), *((str(run.found.get(one, 0)), "") for one in SEVERITIES)]
            for run in self._one.runs
        ]
        return phrase("The last audits, and how much each found"), columns, told_rows, phrase("Nothing.")

    def _day(self, at: datetime | None) -> str:
        """A day by the installation's clock; empty where there is none."""
        return "" if at is None else self.day(at.astimezone(self._one.zone).date())
