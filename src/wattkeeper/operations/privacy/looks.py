"""Looks as they are read afterwards: by the person they were about, and by whoever answers for privacy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.privacy.looking import LookPurpose, Part
from wattkeeper.operations.privacy.looking import mark_of
from wattkeeper.operations.safe import Safe
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.privacy import look
from wattkeeper.store.privacy.look import LookRow
from wattkeeper.store.unit import Unit
from wattkeeper.vault.keys import KeyRefused

MOST = 200
LOST = phrase("lost with the person, who was forgotten")


@dataclass(frozen=True, slots=True)
class Seen:
    """A look with its reason opened."""

    id: str
    person: str
    by: str
    mark: str
    """How whoever looked is told apart without their name."""
    role: Role
    purpose: LookPurpose
    reason: str
    case: str
    is_emergency: bool
    parts: tuple[Part, ...]
    opened_at: datetime
    until: datetime
    reviewed_at: datetime | None
    was_right: bool | None


class Looks:
    """Who looked at whom, for what and why."""

    def __init__(self, store: Store, safe: Safe) -> None:
        self._store = store
        self._safe = safe

    async def mine(self, viewer: Viewer, most: int = MOST, before: tuple[datetime, str] | None = None) -> list[Seen]:
        """Who looked at the viewer, the newest first."""
        person = viewer.need_own(Scope.ACCOUNT_READ)
        async with self._store.unit() as unit:
            rows = await look.of_person(unit.connection, person, most, before)
            return [await self._seen(unit, row) for row in rows]

    async def find(
        self, viewer: Viewer, most: int = MOST, before: tuple[datetime, str] | None = None, *, waiting: bool = False
    ) -> list[Seen]:
        """All looks (scope privacy:read), the newest first; or the emergencies that wait for a second person."""
        viewer.need(Scope.PRIVACY_READ)
        if waiting and not await self._waits():
            return []
        async with self._store.unit() as unit:
            rows = await look.find(unit.connection, most, before, waiting=waiting)
            return [await self._seen(unit, row) for row in rows]

    async def review(self, viewer: Viewer, identifier: str, *, was_right: bool) -> None:
        """Say whether breaking the glass was right (scope privacy:write); never one's own.

        Refusal NOT_FOUND, CONFLICT where it was reviewed already, FORBIDDEN.
        """
        viewer.need(Scope.PRIVACY_WRITE)
        async with self._store.unit() as unit:
            row = await look.one(unit.connection, identifier)
            if row is None or not row.is_emergency:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such emergency."))
            if row.by == viewer.name:
                raise Refusal(Code.FORBIDDEN, phrase("Somebody else must review what you did."))
            if row.reviewed_at is not None:
                raise Refusal(Code.CONFLICT, phrase("It was reviewed already."))
            await look.review(unit, identifier, viewer.name, was_right=was_right)
            body = {"look": identifier, "was_right": was_right}
            await deed.enter(unit, DeedKind.LOOK_REVIEWED, viewer.name, row.person, body)

    async def _waits(self) -> bool:
        """Whether any emergency waits: asked often, so without holding up whoever writes."""
        async with self._store.read() as connection:
            return bool(await look.find(connection, 1, waiting=True))

    async def _seen(self, unit: Unit, row: LookRow) -> Seen:
        try:
            plain = await self._safe.unseal_for(unit, row.person, "look", "sealed", row.sealed)
            said: dict[str, str] = orjson.loads(plain)
        except KeyRefused:
            said = {"reason": LOST, "case": ""}
        return Seen(
            *(row.id, row.person, row.by, mark_of(row.by), row.role, row.purpose, said["reason"], said["case"]),
            *(row.is_emergency, row.parts, row.opened_at, row.until, row.reviewed_at, row.was_right),
        )
