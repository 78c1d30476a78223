"""The security audit: every check by its noun, what it found beside what was found before, and what a person accepts.

A finding is one row for as long as each audit sees it: it has a first and a last time, and it is gone when its check
ran and did not see it. A check that could not run changes nothing of what it found before.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from wattkeeper.bus import Bus
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations import watching
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.security import fitness
from wattkeeper.operations.security.checks import backups, doors, keys, people, privacy, programs, proof, stations
from wattkeeper.operations.security.events import TOPIC
from wattkeeper.operations.security.finding import FindingCode, Outcome, Severity
from wattkeeper.operations.security.packages import packages
from wattkeeper.operations.security.told import ITSELF
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.security import finding as findings
from wattkeeper.store.security.finding import AuditRow, FindingRow
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.security.audit")
EVERY = timedelta(days=1)
SOON_S, REST_S = 60.0, 900.0
LONGEST_ACCEPTED = timedelta(days=366)
SHORTEST_WHY, LONGEST_WHY = 10, 500
REASON = ("security_finding", "accepted_why")
FAILED = phrase("It failed; the log says why.")


@dataclass(frozen=True, slots=True)
class Audited:
    """One run: what each check came to, and every finding that stands."""

    run: AuditRow
    standing: Sequence[FindingRow]


class SecurityAudit:
    """Runs the checks, keeps what they find, and what is accepted of it."""

    def __init__(self, store: Store, safe: Safe, settings: Settings, bus: Bus) -> None:
        self._store = store
        self._safe = safe
        self._settings = settings
        self._bus = bus
        self._running = asyncio.Lock()

    def checks(self) -> Mapping[str, Callable[[], Awaitable[Outcome]]]:
        """Every check by its name, which stands before the dot in the codes of what it finds."""
        store, settings, now = self._store, self._settings, self._store.clock()
        return {
            "doors": lambda: doors.check(settings, now),
            "stations": lambda: stations.check(store, now),
            "keys": lambda: keys.check(store, settings, now),
            "people": lambda: people.check(store, now),
            "programs": lambda: programs.check(store, now),
            "privacy": lambda: privacy.check(store, now),
            "backups": lambda: backups.check(store, now),
            "log": lambda: proof.check(store, settings, now),
            "profile": lambda: fitness.check(settings, is_here=settings.host in doors.HERE),
            "packages": lambda: packages.check(store, settings, now),
        }

    async def run(self, by: str = ITSELF) -> Audited:
        """Run every check and keep what it found; one run at a time."""
        async with self._running:
            outcomes = {name: await _tried(name, check) for name, check in self.checks().items()}
            async with self._store.unit() as unit:
                await self._keep(unit, outcomes)
                standing = await findings.standing(unit.connection)
                told = [
                    {"name": name, "looked": one.looked, "unchecked": one.unchecked} for name, one in outcomes.items()
                ]
                sums = Counter(row.severity for row in standing)
                await findings.ran(unit, by, told, {one.value: sums[one.value] for one in Severity})
                (run,) = await findings.runs(unit.connection, 1)
        self._bus.announce(TOPIC)
        return Audited(run, standing)

    async def _keep(self, unit: Unit, outcomes: Mapping[str, Outcome]) -> None:
        """Write down what is new, what is still there and what is gone."""
        before = {(row.code, row.subject): row for row in await findings.standing(unit.connection)}
        found = {one.key: one for outcome in outcomes.values() for one in outcome.found}
        for key, one in found.items():
            row = before.get(key)
            if row is None:
                await findings.appear(unit, *key, one.severity.value, one.figures)
            else:
                graver = one.severity.rank < Severity(row.severity).rank
                await findings.seen(unit, row.id, one.severity.value, one.figures, graver=graver)
        blind = {code.value for outcome in outcomes.values() for code in outcome.skipped}
        over = [row.id for key, row in before.items() if key not in found and row.code not in blind]
        await findings.vanish(unit, over)

    async def last(self, viewer: Viewer) -> AuditRow | None:
        """The newest run; None where there was none yet (scope security:read)."""
        viewer.need(Scope.SECURITY_READ)
        async with self._store.read() as connection:
            return next(iter(await findings.runs(connection, 1)), None)

    # --- what people decide -----------------------------------------------------------------------------

    async def accept(self, viewer: Viewer, identifier: str, days: int, why: str) -> None:
        """Accept a finding for so many days (scope security:write); Refusal INVALID, NOT_FOUND."""
        viewer.need(Scope.SECURITY_WRITE)
        why = " ".join(why.split())
        if not SHORTEST_WHY <= len(why) <= LONGEST_WHY:
            least = phrase("Say why in {least} to {most} characters.", least=SHORTEST_WHY, most=LONGEST_WHY)
            raise Refusal(Code.INVALID, least)
        if not 0 < days <= LONGEST_ACCEPTED.days:
            raise Refusal(Code.INVALID, phrase("A finding can be accepted for a day to a year, not for ever."))
        async with self._store.unit() as unit:
            row = await findings.by_id(unit.connection, identifier)
            until = unit.now + timedelta(days=days)
            sealed = self._safe.seal(*REASON, why.encode())
            if row is None or not await findings.accept(unit, identifier, viewer.name, until, sealed):
                raise Refusal(Code.NOT_FOUND, NOT_THERE)
            body = {"code": row.code, "severity": row.severity, "until": until.isoformat(), "why_sha256": _digest(why)}
            await deed.enter(unit, DeedKind.FINDING_ACCEPTED, viewer.name, identifier, body)
        self._bus.announce(TOPIC)

    async def reconsider(self, viewer: Viewer, identifier: str) -> None:
        """Take an acceptance back (scope security:write); Refusal NOT_FOUND."""
        viewer.need(Scope.SECURITY_WRITE)
        async with self._store.unit() as unit:
            if not await findings.reconsider(unit, identifier):
                raise Refusal(Code.NOT_FOUND, NOT_THERE)
            await deed.enter(unit, DeedKind.FINDING_RECONSIDERED, viewer.name, identifier, {})
        self._bus.announce(TOPIC)

    def reason(self, row: FindingRow) -> str:
        """Why somebody accepted a finding, in their words; empty where nobody did."""
        return self._safe.unseal(*REASON, row.accepted_why).decode() if row.accepted_why else ""

    # --- by itself --------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Run once a day for as long as the installation runs, the first time soon after its start."""
        await asyncio.sleep(SOON_S)
        await watching.watch(self._bus, (), self.run_if_due, log, rest_s=REST_S)

    async def run_if_due(self) -> bool:
        """Run where a day has passed since the last time, whoever ran it."""
        async with self._store.read() as connection:
            last = next(iter(await findings.runs(connection, 1)), None)
        if last is not None and self._store.clock() - last.at < EVERY:
            return False
        done = await self.run()
        grave = sum(row.severity == Severity.HIGH.value for row in done.standing)
        log.info("the security audit found %d things, %d of them grave", len(done.standing), grave)
        return True


NOT_THERE = phrase("There is no such finding any more; the page shows those that stand.")


async def _tried(name: str, check: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """What came of a check; one that fails is no reason to leave the others out."""
    try:
        return await check()
    except Exception:
        log.exception("the check of %s failed", name)
        return Outcome(0, (), FAILED, frozenset(code for code in FindingCode if code.check == name))


def _digest(text: str) -> str:
    """What the log commits to instead of somebody's words."""
    return hashlib.sha256(text.encode()).hexdigest()
