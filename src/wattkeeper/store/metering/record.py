"""Signed records that were seen, and the words that carried them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.facts import MetersRead
from wattkeeper.charging.metering.ruling import Ruling
from wattkeeper.charging.session import Session
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import journal, offered_key, session, signed_record, subject_key
from wattkeeper.store.unit import Unit

S, J = signed_record.c, journal.c
MOST_ENTRIES = 4_000
"""How many entries of one session are looked through."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry of a session of which something was sealed."""

    n: int
    words: str
    sealed: bytes
    sealed_for: str
    """Whose key seals it."""
    wrapped: bytes | None
    """That key, wrapped; None where it was destroyed."""


def keep(unit: Unit, its: Session, ruling: Ruling, received_at: datetime) -> None:
    """Keep what a ruling saw at the unit's next flush."""
    for one in ruling.seen:
        unit.upsert(signed_record, (its.id, one.mark), (its.id, one.mark, ruling.key, one.page, one.n))
    for key in ruling.offered:
        place = (its.station, its.evse or 0, key)
        unit.upsert(offered_key, place, (*place, to_micros(received_at)))


async def sealed_of(connection: AsyncConnection, identifier: str) -> list[Sealed]:
    """The entries of a session of which something is sealed and opens, and readings of its EVSE that named none."""
    told = J.received_at.between(session.c.known_at, session.c.heard_at)
    during = J.at.between(session.c.started_at, session.c.ended_at)
    claimed = and_(J.session_id.is_(None), J.kind == MetersRead.__name__, J.evse == session.c.evse, during)
    wanted = select(J.n, J.words, J.sealed, J.sealed_for, subject_key.c.wrapped)
    wanted = wanted.join(session, and_(session.c.station_id == J.station_id, told))
    wanted = wanted.outerjoin(subject_key, subject_key.c.subject == J.sealed_for)
    wanted = wanted.where(session.c.id == identifier, J.sealed.is_not(None), or_(J.session_id == identifier, claimed))
    rows = await connection.execute(wanted.order_by(J.n).limit(MOST_ENTRIES))
    return [Sealed(row.n, row.words, bytes(row.sealed), row.sealed_for, row.wrapped) for row in rows]


async def told_before(
    connection: AsyncConnection, identifier: str, key: str, marks: Collection[str], pages: Collection[str]
) -> list[tuple[str, str, str, int]]:
    """Where records of a key, or with these pages of it, stand beside a session: session, mark, page, entry."""
    same = or_(S.mark.in_([*marks]), and_(S.key == key, S.page.in_([*pages])))
    wanted = select(S.session_id, S.mark, S.page, S.n).where(S.key == key, same, S.session_id != identifier)
    return [(row.session_id, row.mark, row.page, row.n) for row in await connection.execute(wanted.order_by(S.n))]
