"""Breaches of personal data (GDPR Art. 33, 34): who is affected in one query, a clock of 72 hours, report, notices."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.privacy.rights import REPORT_WITHIN
from wattkeeper.operations.people.letters.notices import Notices
from wattkeeper.operations.privacy.breach.notification import notification
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.privacy import breach
from wattkeeper.store.privacy.breach import BreachRow
from wattkeeper.store.tables import metadata
from wattkeeper.vault.keys import KeyRefused

SHORTEST, LONGEST = 10, 5000
TOGETHER = 100
NO_BREACH = phrase("There is no such breach, or it is closed.")


@dataclass(frozen=True, slots=True)
class Happened:
    """What is known of a breach when it is entered."""

    what: str
    known_at: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    tables: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    is_risk: bool = False


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach, its words opened."""

    row: BreachRow
    what: str
    done: str
    affected: int
    told: int
    unreached: int
    """Those whom no notice and no letter of ours reaches: they have no account."""
    left: timedelta
    """Until the authority must be told; below zero where that is over."""

    @property
    def is_late(self) -> bool:
        """Whether the authority should have been told by now."""
        return self.row.reported_at is None and self.row.closed_at is None and self.left < timedelta(0)


class Breaches:
    """Enters breaches and sees them through."""

    def __init__(self, store: Store, safe: Safe, settings: Settings, notices: Notices) -> None:
        self._store = store
        self._safe = safe
        self._settings = settings
        self._notices = notices

    async def open(self, viewer: Viewer, told: Happened) -> str:
        """Enter a breach (scope privacy:write): its id; who is affected is worked out at once. Refusal INVALID."""
        viewer.need(Scope.PRIVACY_WRITE)
        _need_words(told.what)
        wrong = [name for name in told.tables if name not in metadata.tables]
        if wrong:
            raise Refusal(Code.INVALID, phrase("There is no table {table}.", table=repr(wrong[0][:60])))
        identifier = secrets.token_hex(6)
        async with self._store.unit() as unit:
            stranger = await breach.unknown_station(unit, told.stations)
            if stranger:
                raise Refusal(Code.INVALID, phrase("There is no station {station}.", station=repr(stranger[:60])))
            known_at = told.known_at or unit.now
            if known_at > unit.now or (told.since and told.until and told.since >= told.until):
                raise Refusal(
                    Code.INVALID, phrase("The times do not fit: it was known before now, and ended after it began.")
                )
            sealed = self._safe.seal("breach", "sealed", orjson.dumps({"what": told.what.strip(), "done": ""}))
            row: dict[str, Any] = {"id": identifier, "known_at": known_at, "since": told.since, "until": told.until}
            row |= {"sealed": sealed, "is_risk": told.is_risk, "opened_by": viewer.name}
            await breach.keep(unit, row, told.tables, told.stations)
            kept = await breach.one(unit.connection, identifier)
            assert kept is not None
            affected = await breach.affect(unit, kept)
            body = {"known_at": known_at.isoformat(), "affected": affected, "risk": told.is_risk}
            await deed.enter(unit, DeedKind.BREACH_OPENED, viewer.name, identifier, body)
        return identifier

    async def listed(self, viewer: Viewer) -> list[Breach]:
        """All breaches, open ones first (scope privacy:read)."""
        viewer.need(Scope.PRIVACY_READ)
        async with self._store.read() as connection:
            rows = await breach.listed(connection)
        return [await self._opened(row) for row in rows]

    async def one(self, viewer: Viewer, identifier: str) -> Breach:
        """One breach (scope privacy:read); Refusal NOT_FOUND."""
        viewer.need(Scope.PRIVACY_READ)
        async with self._store.read() as connection:
            row = await breach.one(connection, identifier)
        if row is None:
            raise Refusal(Code.NOT_FOUND, NO_BREACH)
        return await self._opened(row)

    async def report(self, viewer: Viewer, identifier: str) -> str:
        """What Art. 33(3) asks the authority to be told, as plain text (scope privacy:read); Refusal NOT_FOUND."""
        told = await self.one(viewer, identifier)
        return notification(told, self._settings.seller_name)

    async def reported(self, viewer: Viewer, identifier: str) -> None:
        """The authority was told (scope privacy:write); Refusal NOT_FOUND."""
        viewer.need(Scope.PRIVACY_WRITE)
        async with self._store.unit() as unit:
            if not await breach.change(unit, identifier, reported_at=unit.now):
                raise Refusal(Code.NOT_FOUND, NO_BREACH)
            await deed.enter(unit, DeedKind.BREACH_REPORTED, viewer.name, identifier, {})

    async def tell(self, viewer: Viewer, identifier: str, title: str, words: str) -> int:
        """Tell everybody affected who was not told yet, in plain words (Art. 34; scope privacy:write); how many."""
        viewer.need(Scope.PRIVACY_WRITE)
        if viewer.account:
            viewer.need_fresh(self._store.clock())
        _need_words(words)
        if not title.strip() or len(title) > 200:
            raise Refusal(Code.INVALID, phrase("Give it a title of up to 200 characters."))
        await self.one(viewer, identifier)
        count = 0
        while True:
            async with self._store.unit() as unit:
                some = await breach.untold(unit.connection, identifier, TOGETHER)
                for person in some:
                    count += await self._tell_one(
                        unit, person, identifier, {"title": title.strip(), "text": words.strip()}
                    )
                await breach.told(unit, identifier, some)
                if not some:
                    await deed.enter(unit, DeedKind.BREACH_TOLD, viewer.name, identifier, {"told": count})
                    return count

    async def _tell_one(self, unit: Any, person: str, identifier: str, words: dict[str, str]) -> int:
        try:
            await self._notices.tell(unit, person, "breach", words, key=f"breach:{identifier}:{person}"[:64])
        except KeyRefused:  # forgotten meanwhile
            return 0
        return 1

    async def close(self, viewer: Viewer, identifier: str, done: str) -> None:
        """It is over; what was done (privacy:write). Refusal NOT_FOUND; CONFLICT where people must be told first."""
        viewer.need(Scope.PRIVACY_WRITE)
        _need_words(done)
        told = await self.one(viewer, identifier)
        if told.row.is_risk and told.told + told.unreached < told.affected:
            raise Refusal(
                Code.CONFLICT, phrase("It is a high risk for people: tell those who are affected first (Art. 34).")
            )
        sealed = self._safe.seal("breach", "sealed", orjson.dumps({"what": told.what, "done": done.strip()}))
        async with self._store.unit() as unit:
            values = {"sealed": sealed, "closed_at": unit.now, "closed_by": viewer.name}
            if not await breach.change(unit, identifier, **values):
                raise Refusal(Code.NOT_FOUND, NO_BREACH)
            await deed.enter(unit, DeedKind.BREACH_CLOSED, viewer.name, identifier, {"affected": told.affected})

    async def _opened(self, row: BreachRow) -> Breach:
        words = orjson.loads(self._safe.unseal("breach", "sealed", row.sealed))
        async with self._store.read() as connection:
            affected = await breach.count(connection, row.id)
            told = await breach.count(connection, row.id, told=True)
            unreached = await breach.unreached(connection, row.id)
        left = row.known_at + REPORT_WITHIN - self._store.clock()
        return Breach(row, words["what"], words["done"], affected, told, unreached, left)


def _need_words(text: str) -> None:
    """Refusal INVALID where something is not said."""
    if not SHORTEST <= len(text.strip()) <= LONGEST:
        raise Refusal(Code.INVALID, phrase("Say it in {least} to {most} characters.", least=SHORTEST, most=LONGEST))
