"""Rectification (GDPR Art. 16): what was wrong about a person is put right, and what it was before is kept for them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import insert, select

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.accounts import person_name
from wattkeeper.operations.privacy.erasure.forgetting import NOBODY
from wattkeeper.operations.safe import Safe
from wattkeeper.store import deed
from wattkeeper.store.cards import card
from wattkeeper.store.engines import Store
from wattkeeper.store.people import person as persons
from wattkeeper.store.tables import rectification
from wattkeeper.store.unit import Unit

R = rectification.c
CORRECTED = ("name", "phone", "address")
"""What can be corrected here; an e-mail address is proved by a link (`people/accounts`)."""
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Correction:
    """What was, what is, when, and whether the person did it themselves."""

    what: str
    was: str
    now: str
    at: datetime
    by: str


class Rectifying:
    """Corrects what is kept about people."""

    def __init__(self, store: Store, safe: Safe) -> None:
        self._store = store
        self._safe = safe

    async def correct(self, viewer: Viewer, person: str, what: str, text: str) -> None:
        """Put one thing right: of oneself, or of anybody (scope privacy:write); empty takes it out.

        Refusal NOT_FOUND; INVALID where that cannot be corrected here or is no such thing.
        """
        if not (viewer.person and viewer.person == person):
            viewer.need(Scope.PRIVACY_WRITE)
        if what not in CORRECTED:
            raise Refusal(Code.INVALID, phrase("What can be corrected here is {what}.", what=", ".join(CORRECTED)))
        told = person_name(text) if what == "name" else " ".join(text.split())
        if len(told) > LONGEST or not told.isprintable():
            raise Refusal(Code.INVALID, phrase("That is {most} printable characters at most.", most=LONGEST))
        async with self._store.unit() as unit:
            known = await self._known(unit, person)
            was = str(known.get(what) or "")
            if was == told:
                return
            await self._keep(unit, viewer.name, person, known, (what, was, told))

    async def history(self, viewer: Viewer, person: str) -> list[Correction]:
        """What was corrected about a person, the newest first: one's own, or anybody's (scope privacy:read)."""
        if not (viewer.person and viewer.person == person):
            viewer.need(Scope.PRIVACY_READ)
        async with self._store.unit() as unit:
            rows = (await unit.connection.execute(select(rectification).where(R.person_id == person))).all()
            found = []
            for row in sorted(rows, key=lambda row: row.at, reverse=True):
                plain = await self._safe.unseal_for(unit, person, "rectification", "sealed", bytes(row.sealed))
                told = orjson.loads(plain)
                found.append(Correction(row.what, told["was"], told["now"], row.at, row.by))
            return found

    async def _known(self, unit: Unit, person: str) -> dict[str, Any]:
        """What is known of a person; Refusal NOT_FOUND where they are not here."""
        if not await persons.is_kept(unit.connection, person):
            raise Refusal(Code.NOT_FOUND, NOBODY)
        sealed = await persons.sealed(unit.connection, person)
        if sealed is None:
            return {}
        return dict(orjson.loads(await self._safe.unseal_for(unit, person, "person", "sealed", sealed)))

    async def _keep(
        self, unit: Unit, by: str, person: str, known: dict[str, Any], change: tuple[str, str, str]
    ) -> None:
        what, was, now = change
        sealed = await self._safe.seal_for(unit, person, "person", "sealed", orjson.dumps({**known, what: now}))
        await card.name_person(unit, person, sealed)
        told = orjson.dumps({"was": was, "now": now})
        row = {"id": secrets.token_hex(8), "person_id": person, "what": what, "by": by, "at": unit.now}
        row["sealed"] = await self._safe.seal_for(unit, person, "rectification", "sealed", told)
        await unit.connection.execute(insert(rectification).values(**row))
        await deed.enter(unit, DeedKind.CORRECTED, by, person, {"what": what})
