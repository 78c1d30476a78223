"""Privacy: looks that broke the glass, what is kept too long, and columns of which nobody says why they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.operations.security.finding import Finding, FindingCode, Outcome, Severity
from wattkeeper.store.engines import Store
from wattkeeper.store.privacy import request
from wattkeeper.store.security import ground

SOON = timedelta(days=7)
REVIEW = timedelta(days=1)
"""Within this time a second person is to review a look that broke the glass."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read."""

    due: Sequence[tuple[str, datetime]]
    """Requests that nobody has answered, and until when each must be."""
    unreviewed: Sequence[tuple[str, datetime]]
    overdue: Sequence[tuple[str, int, int]]
    unexplained: Sequence[str]


def judge(seen: Seen, now: datetime) -> list[Finding]:
    """What is wrong with how personal data is kept and looked at."""
    found = []
    for asked, at in seen.due:
        if at < now:
            found.append(Finding(FindingCode.REQUEST_OVERDUE, asked, Severity.HIGH, {"count": _days(now - at)}))
        elif at - now < SOON:
            found.append(Finding(FindingCode.REQUEST_WAITS, asked, Severity.MEDIUM, {"count": _days(at - now)}))
    for look, at in seen.unreviewed:
        severity = Severity.HIGH if now - at > 7 * REVIEW else Severity.MEDIUM
        found.append(Finding(FindingCode.GLASS_UNREVIEWED, look, severity, {"count": _days(now - at)}))
    for table, rows, days in seen.overdue:
        told = {"rows": rows, "count": days}
        found.append(Finding(FindingCode.RETENTION_OVERDUE, table, Severity.HIGH, told))
    found += [Finding(FindingCode.COLUMN_UNEXPLAINED, one, Severity.MEDIUM) for one in seen.unexplained]
    return found


def _days(span: timedelta) -> int:
    """Whole days, and one where it is less: nobody reads of 0 days."""
    return max(span.days, 1)


async def check(store: Store, now: datetime) -> Outcome:
    """Read, judge."""
    async with store.read() as connection:
        waiting = await request.listed(connection, open_only=True)
        unreviewed = await ground.unreviewed(connection, now - REVIEW)
        overdue = await ground.overdue(connection, now)
        columns, unexplained = await ground.unexplained(connection)
    return Outcome(
        columns + len(waiting),
        tuple(judge(Seen([(one.id, one.due_at) for one in waiting], unreviewed, overdue, unexplained), now)),
    )
