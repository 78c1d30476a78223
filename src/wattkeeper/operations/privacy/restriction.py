"""Restriction and objection (GDPR Art. 18, 21): data that are kept and not used; each job asks when it runs.

Whoever uses data beyond what a person is served by asks `excluded` or `is_excluded` in the transaction in which it
reads.
"""

from __future__ import annotations

import secrets

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.privacy.rights import Use
from wattkeeper.operations.safe import Safe
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.people import person as persons
from wattkeeper.store.privacy import restriction as kept
from wattkeeper.store.privacy.restriction import RestrictionRow
from wattkeeper.store.unit import Unit

LONGEST_WHY = 1000


class Restrictions:
    """Sets and lifts restrictions and objections."""

    def __init__(self, store: Store, safe: Safe) -> None:
        self._store = store
        self._safe = safe

    async def of(self, viewer: Viewer, person: str) -> list[RestrictionRow]:
        """What stands of a person's: one's own, or anybody's (scope privacy:read)."""
        if not (viewer.person and viewer.person == person):
            viewer.need(Scope.PRIVACY_READ)
        async with self._store.read() as connection:
            return await kept.standing(connection, person)

    async def set(self, viewer: Viewer, person: str, use: Use, why: str = "") -> None:
        """Keep a person's data and do not use them (for this); nothing where that is so. Refusal NOT_FOUND, INVALID.

        One's own, or anybody's (scope privacy:write).
        """
        self._need(viewer, person)
        if len(why) > LONGEST_WHY:
            raise Refusal(Code.INVALID, phrase("Say why in {most} characters at most.", most=LONGEST_WHY))
        async with self._store.unit() as unit:
            if not await persons.is_kept(unit.connection, person):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such person here. Were they forgotten already?"))
            if any(row.use is use for row in await kept.standing(unit.connection, person)):
                return
            sealed = await self._safe.seal_for(unit, person, "restriction", "sealed", why.encode()) if why else None
            await kept.keep(unit, secrets.token_hex(8), person, use, sealed, viewer.name)
            await deed.enter(unit, DeedKind.RESTRICTED, viewer.name, person, {"use": use.value})

    async def lift(self, viewer: Viewer, person: str, use: Use) -> None:
        """Use the data again; Refusal NOT_FOUND where nothing of the kind stands."""
        self._need(viewer, person)
        async with self._store.unit() as unit:
            if not await kept.end(unit, person, use, viewer.name):
                raise Refusal(Code.NOT_FOUND, phrase("Nothing of the kind stands."))
            await deed.enter(unit, DeedKind.UNRESTRICTED, viewer.name, person, {"use": use.value})

    def _need(self, viewer: Viewer, person: str) -> None:
        if not (viewer.person and viewer.person == person):
            viewer.need(Scope.PRIVACY_WRITE)


async def excluded(unit: Unit, use: Use) -> frozenset[str]:
    """The ids of all whose data may not be used for this now: to be asked in the transaction that uses the answer."""
    return await kept.excluded(unit.connection, use)


async def is_excluded(connection: AsyncConnection, person: str, use: Use) -> bool:
    """Whether this person's data may not be used for this now."""
    return any(row.use in (use, Use.ALL) for row in await kept.standing(connection, person))
