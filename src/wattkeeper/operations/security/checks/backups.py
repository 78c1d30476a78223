"""Backups: how old the newest is, and when one was last restored to see that it comes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.charging.deed import DeedKind
from wattkeeper.operations.security.finding import Finding, FindingCode, Outcome, Severity
from wattkeeper.store.engines import Store
from wattkeeper.store.security import ground

NIGHTLY, LATE = timedelta(days=2), timedelta(days=7)
TESTED_EVERY = timedelta(days=90)
YOUNG = timedelta(days=1)
"""As long as an installation is that young nobody misses its backup."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of the deeds."""

    begun_at: datetime
    """Since when the installation is."""
    made_at: datetime | None
    tested_at: datetime | None


def judge(seen: Seen, now: datetime) -> list[Finding]:
    """What is wrong with the backups."""
    age = now - seen.begun_at
    if seen.made_at is None:
        severity = Severity.HIGH if age > LATE else Severity.MEDIUM
        return [Finding(FindingCode.BACKUP_MISSING, "", severity)] if age > YOUNG else []
    found, since = [], now - seen.made_at
    if since > NIGHTLY:
        severity = Severity.HIGH if since > LATE else Severity.MEDIUM
        found.append(Finding(FindingCode.BACKUP_OLD, "", severity, {"days": since.days}))
    if seen.tested_at is None or now - seen.tested_at > TESTED_EVERY:
        days = (now - (seen.tested_at or seen.begun_at)).days
        found.append(Finding(FindingCode.RESTORE_UNTESTED, "", Severity.MEDIUM, {"count": days}))
    return found


async def check(store: Store, now: datetime) -> Outcome:
    """Read the deeds, judge."""
    async with store.read() as connection:
        begun = await ground.begun_at(connection)
        made = await ground.done_last(connection, DeedKind.BACKED_UP)
        tested = await ground.done_last(connection, DeedKind.RESTORE_TESTED)
    return Outcome((made is not None) + (tested is not None), tuple(judge(Seen(begun or now, made, tested), now)))
