"""What the security audit found for today, on the page Now, told as one: its page tells each with what settles it."""

from __future__ import annotations

from datetime import datetime

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import counted, phrase
from wattkeeper.operations.security.finding import Severity
from wattkeeper.operations.security.told import what_of
from wattkeeper.store.security import finding as findings
from wattkeeper.web.operator.need import Act, Need
from wattkeeper.web.operator.security.desks import AUDIT
from wattkeeper.web.rooms import Rooms


async def needs(rooms: Rooms, viewer: Viewer, now: datetime) -> list[Need]:
    """What the audit found for today and nobody accepted, as one; none for who may not settle it."""
    if not viewer.may(Scope.SECURITY_WRITE):
        return []
    async with rooms.store.read() as connection:
        standing = await findings.find(connection, viewer)
    grave = [row for row in standing if row.severity == Severity.HIGH.value and not row.is_accepted(now)]
    if not grave:
        return []
    names = await rooms.names.said(viewer, {row.subject for row in grave[:1]})
    title = counted(
        "The security audit found 1 thing for today", "The security audit found {count} things for today", len(grave)
    )
    why = what_of(grave[0], names.get(grave[0].subject, ""))
    return [Need("security-audit", title, phrase("{what}.", what=why), grave[0].first_at, (_ACT,), "harm")]


_ACT = Act(phrase("Look at the audit"), AUDIT)
