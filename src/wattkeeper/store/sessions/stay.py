"""What the journal has beside readings that decides what idle time is billed (`charging.stay` reads it)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.facts import (
    Booted,
    Disconnected,
    Fact,
    SessionEnded,
    SessionOpened,
    SessionUpdated,
    StatusChanged,
)
from wattkeeper.charging.session import Session
from wattkeeper.store.entry import entry_of
from wattkeeper.store.tables import journal
from wattkeeper.store.tables import session as sessions

J, S = journal.c, sessions.c
PAUSED = '%"suspended_evse"%'
FLOWED = '%"charging":"charging"%'
FLOWS = (SessionOpened, SessionUpdated, StatusChanged)
HISTORY = '%"imported":true%'
"""In the body of what another system's records say: it tells nothing of what went on here."""
AFTERWARDS = (StatusChanged, SessionOpened, Booted, Disconnected)
MOST = 500
"""How many entries after a session are looked at for the end of its stay."""


async def flow_told(connection: AsyncConnection, session: Session) -> list[Fact]:
    """What was told about the flow in a session; nothing where its station never said that it gives no power."""
    during = J.received_at.between(S.known_at, S.heard_at) & (J.session_id == session.id)
    wanted = _told(session, FLOWS).where(during)
    if (await connection.execute(wanted.where(J.body.like(PAUSED)).limit(1))).first() is None:
        return []
    says = or_(J.kind == StatusChanged.__name__, J.body.like('%"charging":%'))
    return _facts(await connection.execute(wanted.where(says).order_by(J.n)))


async def charged_to_the_end(connection: AsyncConnection, id: str) -> bool:
    """Whether it was told with a session's end that energy flowed until then."""
    during = J.received_at.between(S.known_at, S.heard_at) & (J.session_id == S.id)
    joined = select(J.n).join(sessions, (S.station_id == J.station_id) & during).where(S.id == id)
    ended = joined.where(J.kind == SessionEnded.__name__, J.body.like(FLOWED))
    return (await connection.execute(ended.limit(1))).first() is not None


async def paused(connection: AsyncConnection, ids: Collection[str]) -> set[str]:
    """In which of these sessions the station ever said that it gives no power."""
    during = J.received_at.between(S.known_at, S.heard_at) & (J.session_id == S.id)
    joined = select(S.id).join(journal, (S.station_id == J.station_id) & during).where(S.id.in_(ids))
    says = joined.where(J.kind.in_([kind.__name__ for kind in FLOWS]), J.body.like(PAUSED))
    return set((await connection.execute(says.distinct())).scalars())


async def afterwards_told(connection: AsyncConnection, session: Session) -> list[Fact]:
    """What was told of its connector and its station since a session was first heard of."""
    here = (J.received_at >= S.known_at) & J.body.not_like(HISTORY) & (J.evse.is_(None) | (J.evse == session.evse))
    return _facts(await connection.execute(_told(session, AFTERWARDS).where(here).order_by(J.n).limit(MOST)))


def _told(session: Session, kinds: tuple[type[Fact], ...]) -> Select[Any]:
    """Entries of a session's station of some kinds."""
    joined = select(journal).join(sessions, S.station_id == J.station_id).where(S.id == session.id)
    return joined.where(J.kind.in_([kind.__name__ for kind in kinds]))


def _facts(rows: Any) -> list[Fact]:
    """The facts of rows; one without a time of its own happened when it came."""
    entries = [entry_of(row) for row in rows]
    return [one.fact if one.fact.at is not None else replace(one.fact, at=one.received_at) for one in entries]
