"""Who looked at whom, as the page of drivers lists it, and the emergencies that a second person reviews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wattkeeper.charging.person import STAFF, Role, Scope, Viewer
from wattkeeper.charging.phrase import joined, phrase
from wattkeeper.charging.privacy.looking import PARTS, PURPOSES
from wattkeeper.operations.privacy.looks import Seen
from wattkeeper.web.operator.need import Act, Need
from wattkeeper.web.rooms import Rooms

MOST = 50
HERE = "/persons"
PROGRAM = phrase("Program")


async def given(rooms: Rooms, viewer: Viewer) -> dict[str, Any]:
    """What the page of drivers shows of looks; nothing for who does not answer for privacy."""
    if not viewer.may(Scope.PRIVACY_READ):
        return {"looks": [], "waiting": [], "reads": False, "may_review": False, "me": viewer.name}
    looks = await rooms.looks.find(viewer, MOST)
    waiting = await rooms.looks.find(viewer, MOST, waiting=True)
    said = await rooms.names.said(viewer, {one.by for one in (*looks, *waiting)})
    return {
        "looks": [_told(one, said) for one in looks],
        "waiting": [_told(one, said) for one in waiting],
        "reads": True,
        "may_review": viewer.may(Scope.PRIVACY_WRITE),
        "me": viewer.name,
    }


def _told(one: Seen, said: Mapping[str, str]) -> dict[str, Any]:
    """A look as a line of the list."""
    who = one.by if one.role is Role.SERVICE else said.get(one.by, one.mark)
    seen = joined([PARTS[part] for part in one.parts], ", ") if one.parts else phrase("nothing yet")
    role = STAFF.get(one.role, PROGRAM)
    return {"look": one, "who": who, "role": role, "purpose": PURPOSES[one.purpose], "seen": seen}


async def needs(rooms: Rooms, viewer: Viewer, most: int) -> list[Need]:
    """Emergencies that wait for a review by this viewer, as things that need a person."""
    if not viewer.may(Scope.PRIVACY_WRITE):
        return []
    waiting = await rooms.looks.find(viewer, most, waiting=True)
    return [_need(one) for one in waiting if one.by != viewer.name]


def _need(one: Seen) -> Need:
    what = phrase("A driver's data was opened in an emergency")
    why = phrase("{mark} of support gave as the reason: {reason}", mark=one.mark, reason=one.reason)
    return Need(f"look-{one.id}", what, why, one.opened_at, (Act(phrase("Review it"), HERE),), "harm")
