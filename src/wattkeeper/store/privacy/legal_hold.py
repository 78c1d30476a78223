"""Legal holds: what must not be deleted yet, and what of it stands at an instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store import reach
from wattkeeper.store.tables import legal_hold, session
from wattkeeper.store.unit import Unit

H = legal_hold.c


class HoldKind(StrEnum):
    """What is held."""

    PERSON = "person"
    """Everything about them, their sessions among it."""
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A legal hold as kept."""

    id: str
    kind: HoldKind
    subject: str
    sealed: bytes
    at: datetime
    by: str
    until: datetime
    ended_at: datetime | None
    ended_by: str | None


async def keep(
    unit: Unit, identifier: str, kind: HoldKind, subject: str, sealed: bytes, by: str, until: datetime
) -> None:
    """Hold something from now on."""
    row = {"id": identifier, "kind": kind.value, "subject": subject, "sealed": sealed, "by": by, "until": until}
    await unit.connection.execute(insert(legal_hold).values(**row, at=unit.now))


async def end(unit: Unit, identifier: str, by: str) -> HoldRow | None:
    """Lift a hold that stands; None where there is no such hold."""
    row = (await unit.connection.execute(_all().where(H.id == identifier, standing(unit.now)))).first()
    if row is None:
        return None
    change = update(legal_hold).where(H.id == identifier).values(ended_at=unit.now, ended_by=by)
    await unit.connection.execute(change)
    return _hold(row)


def standing(now: datetime) -> ColumnElement[bool]:
    """Which holds stand at an instant."""
    return and_(H.until > now, H.ended_at.is_(None))


def held(kind: HoldKind, now: datetime) -> Select[Any]:
    """What of this kind is held at an instant, as a select of ids."""
    return select(H.subject).where(H.kind == kind.value, standing(now))


async def about(connection: AsyncConnection, person: str, now: datetime) -> list[HoldRow]:
    """The holds that stand on a person, or on a session they held the card of."""
    theirs = select(session.c.id).where(reach.held(person))
    of_session = and_(H.kind == HoldKind.SESSION.value, H.subject.in_(theirs))
    of_person = and_(H.kind == HoldKind.PERSON.value, H.subject == person)
    rows = await connection.execute(_all().where(standing(now), or_(of_person, of_session)).order_by(H.at))
    return [_hold(row) for row in rows]


async def listed(connection: AsyncConnection, now: datetime | None, most: int = 1000) -> list[HoldRow]:
    """The holds that stand at an instant, the newest first; None: those that ended too."""
    asked = _all() if now is None else _all().where(standing(now))
    rows = await connection.execute(asked.order_by(H.at.desc()).limit(most))
    return [_hold(row) for row in rows]


async def is_session(connection: AsyncConnection, identifier: str) -> bool:
    """Whether there is such a session."""
    return await connection.scalar(select(session.c.id).where(session.c.id == identifier)) is not None


def _all() -> Select[Any]:
    return select(H.id, H.kind, H.subject, H.sealed, H.at, H.by, H.until, H.ended_at, H.ended_by)


def _hold(row: Any) -> HoldRow:
    kind, sealed = HoldKind(row.kind), bytes(row.sealed)
    return HoldRow(row.id, kind, row.subject, sealed, row.at, row.by, row.until, row.ended_at, row.ended_by)
