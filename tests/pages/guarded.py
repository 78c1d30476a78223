"""Something for the pages about security and insight to show: attacks of every kind, releases, and what was refused."""

from __future__ import annotations

from wattkeeper.charging.insight.contribution import Counted
from wattkeeper.charging.insight.question import USUAL, Kind, period, question
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.insight.drawing import drawn_from
from wattkeeper.operations.insight.releases import entry_of, mark_of
from wattkeeper.operations.people.security import OF_STATIONS, Case
from wattkeeper.operations.security.checks.doors import NOT_OPEN
from wattkeeper.operations.security.finding import Finding, FindingCode, Severity
from wattkeeper.operations.security.told import CHECKS, ITSELF
from wattkeeper.store.insight import release as ledger
from wattkeeper.store.security import finding as findings
from wattkeeper.web.rooms import Rooms

FIGURES: dict[str, str | int] = {
    **{"days": 3, "count": 2, "mode": "644", "bits": 1024, "accounts": 1, "all": 9, "rows": 4, "minutes": 5},
    **{"role": "owner", "enough": "support", "version": "1.0", "advisories": "GHSA-1", "fixed": "2.0", "first": "1"},
}
"""Figures of every kind."""


async def attacked(rooms: Rooms, account: str = "", station: str = "CP1") -> None:
    """Let each case be tried: one from one place, the next from several."""
    for at, case in enumerate(Case):
        for place in range(1 + at % 3):
            rooms.security_events.heard(case, station if case in OF_STATIONS else account, f"203.0.113.{place}")
    await rooms.security_events.write()


async def audited(rooms: Rooms) -> list[str]:
    """Let the audit run, with something of every kind standing, accepted and gone; the ids of what stands."""
    found = [Finding(code, "CP1", list(Severity)[at % 3], FIGURES) for at, code in enumerate(FindingCode)]
    async with rooms.store.unit() as unit:
        for one in found:
            await findings.appear(unit, *one.key, one.severity.value, one.figures)
    async with rooms.store.read() as connection:
        rows = await findings.standing(connection)
    await rooms.security_audit.accept(VIEWER, rows[0].id, 30, "hot hot hot")
    async with rooms.store.unit() as unit:
        await findings.vanish(unit, [row.id for row in rows[1:4]])
        checks = [{"name": name, "looked": 7, "unchecked": str(NOT_OPEN)} for name in CHECKS]
        await findings.ran(unit, ITSELF, checks, {"high": 1})
    return [row.id for row in rows[4:]]


async def released(rooms: Rooms) -> list[str]:
    """Let something leave and something be refused, as if thousands had charged; the ids, what left first."""
    found = []
    for kind, amount in ((Kind.SITE_LOAD, 10**10), (Kind.STAYS, 10**6), (Kind.SITE_MONTHS, 0)):
        asked = question(kind, period("2025-01", "2025-02"), ["Linz"], USUAL[kind])
        cells = {(site, label): amount for site in asked.sites for label in asked.labels}
        counted = Counted(cells, dict.fromkeys(asked.sites, amount * len(asked.labels)))
        drawn = drawn_from(asked, counted)
        async with rooms.store.unit() as unit:
            entry = entry_of(unit, VIEWER, mark_of(asked), drawn)
            await ledger.enter(unit, entry)
        found.append(entry.id)
    return found
