"""Releases: the only way in which aggregates leave. One question is drawn once, spends once, and stays as it was.

Everything about a release is written in one transaction: the ledger with its budget, what leaves to the byte, the deed.
Whoever is killed before that has spent nothing and shown nothing; whoever is killed after it asks again and gets the
same bytes. Two who ask at the same time find, in that transaction, what the other has spent.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.insight import budget
from wattkeeper.charging.insight.contribution import Record
from wattkeeper.charging.insight.question import MOST_SITES, Kind, Period, Question, question
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.insight import advantage, checking, drawing, files
from wattkeeper.operations.insight.advantage import Shift
from wattkeeper.operations.insight.checking import Check
from wattkeeper.operations.insight.counting import who_counts
from wattkeeper.operations.insight.drawing import Candidate
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.insight import record, release
from wattkeeper.store.insight.release import Entry
from wattkeeper.store.unit import Unit

NAME = re.compile(r"[0-9a-f]{20}", re.ASCII)
"""What a release is called."""
TRIES = 3
"""How often a release is begun anew because somebody withdrew their consent while it was made."""


class Releases:
    """What left, and what may leave."""

    def __init__(self, store: Store, zone: tzinfo) -> None:
        self._store = store
        self._zone = zone

    async def ledger(self, viewer: Viewer) -> list[Entry]:
        """The ledger, the newest first (scope privacy:read)."""
        viewer.need(Scope.PRIVACY_READ)
        async with self._store.read() as connection:
            return await release.newest(connection)

    async def left(self, viewer: Viewer, year: int) -> Decimal:
        """What of a year's budget is left."""
        viewer.need(Scope.PRIVACY_READ)
        async with self._store.read() as connection:
            return budget.left(one.epsilon for one in await release.of_year(connection, year))

    async def get(self, viewer: Viewer, name: str) -> Entry:
        """One line of the ledger; Refusal NOT_FOUND."""
        viewer.need(Scope.PRIVACY_READ)
        return await self._named(name, or_refused=True)

    async def public(self, name: str) -> Entry:
        """What left under this name, for whoever was handed its link; Refusal NOT_FOUND where nothing did."""
        return await self._named(name, or_refused=False)

    async def _named(self, name: str, *, or_refused: bool) -> Entry:
        """A line of the ledger."""
        found = None
        if NAME.fullmatch(name):  # a NUL byte would be an error of PostgreSQL's
            async with self._store.read() as connection:
                found = await release.of_id(connection, name)
        if found is None or not (found.has_left or or_refused):
            raise Refusal(Code.NOT_FOUND, phrase("There is no such release."))
        return found

    async def check(self, viewer: Viewer, name: str) -> Check:
        """Whether a release is what the log says, and how it stands against the sessions themselves: for staff alone.

        It spends nothing and writes nothing, and what it tells must not leave: no noise covers it.
        """
        viewer.need(Scope.PRIVACY_WRITE)
        entry = await self._named(name, or_refused=False)
        async with self._store.read() as connection:
            deeds = await deed.about(connection, "", [DeedKind.RELEASED], 10_000)
        async with self._store.unit() as unit:
            drivers = await who_counts(unit)
        told = checking.question_of(entry.content)
        records = await self._records(told, drivers)
        is_logged = any(one.body.get("digest") == entry.digest for one in deeds)
        return await asyncio.to_thread(checking.check, entry, told, records, is_logged)

    async def asked(self, viewer: Viewer, kind: Kind, span: Period, sites: Sequence[str], epsilon: Decimal) -> Question:
        """A question about these sites, or about all where none is named; Refusal where it makes no sense."""
        viewer.need(Scope.PRIVACY_WRITE)
        async with self._store.read() as connection:
            there = await record.sites(connection)
        for site in sites:
            if site not in there:
                raise Refusal(Code.NOT_FOUND, phrase("There is no site “{site}”.", site=site[:80]))
        if not there:
            raise Refusal(Code.CONFLICT, phrase("No station has a site yet: name where they stand first."))
        if not sites and len(there) > MOST_SITES:
            raise Refusal(Code.INVALID, phrase("Name 1 to {most} sites.", most=MOST_SITES))
        if span.until > self._store.clock().astimezone(self._zone).date():
            why = phrase("The period is not over yet: what comes later would be missing for ever.")
            raise Refusal(Code.INVALID, why)
        return question(kind, span, sites or there, epsilon)

    async def make(self, viewer: Viewer, asked: Question) -> Entry:
        """What this question is answered: as before where it was asked, else drawn, measured and written down once.

        Refusal CONFLICT where the year's budget does not suffice, or where nobody has agreed to be counted. What does
        not meet the bar is a line of the ledger with `has_left` false: it has spent, and nothing of it is shown.
        """
        viewer.need(Scope.PRIVACY_WRITE)
        for _ in range(TRIES):
            made = await self._try(viewer, asked)
            if made is not None:
                return made
        raise Refusal(Code.CONFLICT, phrase("Consents change faster than a release is made; ask again later."))

    async def _try(self, viewer: Viewer, asked: Question) -> Entry | None:
        """Draw and write down; None where somebody who was counted withdrew meanwhile: the draw is thrown away."""
        mark = mark_of(asked)
        async with self._store.unit() as unit:
            before = await self._before(unit, asked, mark)
            if isinstance(before, Entry):
                return before
            drivers = await who_counts(unit)
        if not drivers:
            raise Refusal(
                Code.CONFLICT,
                phrase("No driver has agreed to be counted, so there is nothing to release. Nothing was spent."),
            )
        records = await self._records(asked, drivers)
        drawn = await asyncio.to_thread(drawing.candidate, asked, records, before)
        async with self._store.unit() as unit:
            now = await self._before(unit, asked, mark)
            if isinstance(now, Entry):
                return now
            if now != before or not {one.driver for one in records} <= await who_counts(unit):
                return None
            return await self._enter(unit, viewer, mark, drawn)

    async def _before(self, unit: Unit, asked: Question, mark: str) -> Entry | list[Shift]:
        """What was answered before; else how a driver moves what left about the year. Refusal without budget."""
        known = await release.of_mark(unit.connection, mark)
        if known is not None:
            return known
        earlier = await release.of_year(unit.connection, asked.period.year)
        budget.need(asked.period.year, [one.epsilon for one in earlier], asked.epsilon)
        return [shift for one in earlier for shift in one.shifts]

    async def _records(self, asked: Question, drivers: frozenset[str]) -> list[Record]:
        """The sessions that may count, driver by driver."""
        since, until = (self._instant(day) for day in (asked.period.first, asked.period.until))
        async with self._store.read() as connection:
            return await record.records(connection, since, until, self._zone, drivers)

    def _instant(self, day: date) -> datetime:
        """When a day begins by the installation's clock."""
        return datetime.combine(day, time(), self._zone).astimezone(UTC)

    async def _enter(self, unit: Unit, viewer: Viewer, mark: str, drawn: Candidate) -> Entry:
        """Write down what was drawn: what it spent, whether it leaves, and the deed."""
        entry = entry_of(unit, viewer, mark, drawn)
        await release.enter(unit, entry)
        body: dict[str, Any] = {"release": entry.id, "kind": entry.kind, "first": entry.first, "until": entry.until}
        body |= {"epsilon": f"{entry.epsilon:f}", "digest": entry.digest, "measured": _told(entry)}
        kind = DeedKind.RELEASED if entry.has_left else DeedKind.RELEASE_REFUSED
        await deed.enter(unit, kind, viewer.name, "", body)
        return entry


def mark_of(asked: Question) -> str:
    """What a question is known by: SHA-256 of its text."""
    return hashlib.sha256(asked.text.encode()).hexdigest()


def _told(entry: Entry) -> dict[str, str]:
    """The measured figures, for the log."""
    return {one["what"]: one["value"] for one in entry.figures}


def entry_of(unit: Unit, viewer: Viewer, mark: str, drawn: Candidate) -> Entry:
    """What was drawn as a line of the ledger."""
    asked, made, shown = drawn.asked, drawn.made, drawn.release
    moved = advantage.shifts(made, asked.form.share)
    if shown is None:  # the first look alone was drawn
        spent, moved = made.look.epsilon, moved[:2]
    else:
        spent = asked.epsilon
    leaves = shown if drawn.may_leave else None
    content = "" if leaves is None else files.as_json(drawn, leaves)
    sheet = "" if leaves is None else files.as_csv(drawn, leaves)
    digest = hashlib.sha256(content.encode()).hexdigest() if content else ""
    return Entry(
        id=digest[:20] or mark[:20],
        mark=mark,
        kind=asked.kind.value,
        year=asked.period.year,
        first=asked.period.first.isoformat(),
        until=asked.period.until.isoformat(),
        epsilon=spent,
        has_left=leaves is not None,
        shifts=moved,
        figures=files.figures(drawn.figures),
        content=content,
        sheet=sheet,
        digest=digest,
        made_at=unit.now,
        made_by=viewer.name,
    )
