"""Legal holds: a person or a session of whom nothing may be deleted yet, as a court, an authority or a dispute asks.

Retention and erasure ask `holding` in the transaction in which they delete.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.identifiers import parse
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.safe import Safe
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.people import person as persons
from wattkeeper.store.privacy import legal_hold
from wattkeeper.store.privacy.legal_hold import HoldKind, HoldRow
from wattkeeper.store.unit import Unit

LONGEST = timedelta(days=3 * 366)
SHORTEST_REASON, LONGEST_REASON = 10, 500


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold, its reason opened."""

    id: str
    kind: HoldKind
    subject: str
    reason: str
    at: datetime
    by: str
    until: datetime
    ended_at: datetime | None
    ended_by: str | None


class LegalHolds:
    """Sets, lists and lifts legal holds."""

    def __init__(self, store: Store, safe: Safe) -> None:
        self._store = store
        self._safe = safe

    async def set(self, by: str, subject: str, reason: str, until: datetime) -> str:
        """Hold a person (``person:…``) or a session (its id) until an instant; its id. Refusal INVALID, NOT_FOUND."""
        why = reason.strip()
        if not SHORTEST_REASON <= len(why) <= LONGEST_REASON:
            told = {"least": SHORTEST_REASON, "most": LONGEST_REASON}
            raise Refusal(Code.INVALID, phrase("Say why in {least} to {most} characters.", **told))
        async with self._store.unit() as unit:
            if not unit.now < until <= unit.now + LONGEST:
                raise Refusal(Code.INVALID, phrase("A hold ends after now and within three years; set it anew then."))
            kind, which = await _known(unit, subject)
            identifier = secrets.token_hex(6)
            sealed = self._safe.seal("legal_hold", "sealed", why.encode())
            await legal_hold.keep(unit, identifier, kind, which, sealed, by, until)
            body = {"hold": identifier, "kind": kind.value, "until": until.isoformat()}
            await deed.enter(unit, DeedKind.HELD, by, which, body)
        return identifier

    async def end(self, by: str, identifier: str) -> None:
        """Lift a hold; Refusal NOT_FOUND where none of that id stands."""
        async with self._store.unit() as unit:
            ended = await legal_hold.end(unit, identifier, by)
            if ended is None:
                raise Refusal(Code.NOT_FOUND, phrase("No hold of that id stands."))
            await deed.enter(unit, DeedKind.HOLD_ENDED, by, ended.subject, {"hold": identifier})

    async def listed(self, *, ended_too: bool = False) -> list[Hold]:
        """The holds that stand, the newest first, or all there ever were."""
        async with self._store.read() as connection:
            rows = await legal_hold.listed(connection, None if ended_too else self._store.clock())
        return [self._opened(row) for row in rows]

    def _opened(self, row: HoldRow) -> Hold:
        reason = self._safe.unseal("legal_hold", "sealed", row.sealed).decode()
        return Hold(row.id, row.kind, row.subject, reason, row.at, row.by, row.until, row.ended_at, row.ended_by)


async def holding(unit: Unit, person: str) -> list[HoldRow]:
    """The holds that stand now on a person or on a session of theirs; empty: they may be forgotten."""
    return await legal_hold.about(unit.connection, person, unit.now)


async def _known(unit: Unit, subject: str) -> tuple[HoldKind, str]:
    """What is meant; Refusal NOT_FOUND."""
    if await persons.is_kept(unit.connection, subject):
        return HoldKind.PERSON, subject
    session = parse(subject)
    if session is not None and await legal_hold.is_session(unit.connection, session):
        return HoldKind.SESSION, session
    why = phrase("There is no such person or session. Name a session by its id, a person as person:…")
    raise Refusal(Code.NOT_FOUND, why)
