"""The queue of letters: sealed until they are sent, wiped once they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.tables import mail
from wattkeeper.store.unit import Unit

KEPT = timedelta(days=30)


class MailState(StrEnum):
    """Where a letter is."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class MailRow:
    """A letter as kept; sealed for its person, or for the installation where nobody is known yet."""

    id: str
    person: str
    kind: str
    sealed: bytes
    state: MailState
    tries: int
    created_at: datetime


M = mail.c
MAIL = (M.id, M.person_id, M.kind, M.sealed, M.state, M.tries, M.created_at)


async def keep(unit: Unit, identifier: str, person: str, kind: str, sealed: bytes) -> None:
    """Queue a letter."""
    values = {"id": identifier, "person_id": person, "kind": kind, "sealed": sealed, "state": MailState.QUEUED.value}
    times = {"created_at": unit.now, "next_at": unit.now, "tries": 0}
    await unit.connection.execute(insert(mail).values(values | times))


async def due(connection: AsyncConnection, now: datetime, limit: int) -> list[MailRow]:
    """Letters whose time has come, the longest waiting first."""
    wanted = select(*MAIL).where(M.state == MailState.QUEUED.value, M.next_at <= now)
    return [_mail(*row) for row in await connection.execute(wanted.order_by(M.next_at, M.id).limit(limit))]


async def oldest(connection: AsyncConnection) -> datetime | None:
    """When the oldest letter that waits to be sent was written; None where none waits."""
    found: datetime | None = await connection.scalar(
        select(func.min(M.created_at, type_=M.created_at.type)).where(M.state == MailState.QUEUED.value)
    )
    return found


async def take(unit: Unit, identifier: str, tries: int, until: datetime) -> bool:
    """Take a letter to send it; False where another sender has it. Left unsent, it is due again at ``until``."""
    which = (M.id == identifier) & (M.state == MailState.QUEUED.value) & (M.tries == tries)
    changed = await unit.connection.execute(update(mail).where(which).values(tries=tries + 1, next_at=until))
    return bool(changed.rowcount)


async def sent(unit: Unit, identifier: str, *, wipe: bool) -> None:
    """A letter was handed over; what it said is wiped, for it may hold a link that opens."""
    values = {"state": MailState.SENT.value, "sent_at": unit.now, "why": None} | ({"sealed": b""} if wipe else {})
    await unit.connection.execute(update(mail).where(M.id == identifier).values(values))


async def put_off(unit: Unit, identifier: str, until: datetime, why: str) -> None:
    """Try a letter again later."""
    await unit.connection.execute(update(mail).where(M.id == identifier).values(next_at=until, why=why))


async def give_up(unit: Unit, identifier: str, why: str) -> None:
    """Never try a letter again."""
    values = {"state": MailState.FAILED.value, "why": why, "sealed": b""}
    await unit.connection.execute(update(mail).where(M.id == identifier).values(values))


async def remove(unit: Unit, identifier: str) -> None:
    """Forget a letter that nobody needs."""
    await unit.connection.execute(delete(mail).where(M.id == identifier))


async def tidy(unit: Unit) -> None:
    """Forget letters after 30 days."""
    await unit.connection.execute(delete(mail).where(M.created_at <= unit.now - KEPT))


async def newest(connection: AsyncConnection, limit: int) -> list[MailRow]:
    """Letters that were sent and not wiped, the newest first: the outbox of a demo."""
    there = or_(M.state == MailState.SENT.value, M.state == MailState.QUEUED.value)
    wanted = select(*MAIL).where(there, M.sealed != b"").order_by(M.created_at.desc(), M.id).limit(limit)
    return [_mail(*row) for row in await connection.execute(wanted)]


def _mail(
    identifier: str, person: str, kind: str, sealed: bytes, state: str, tries: int, created_at: datetime
) -> MailRow:
    return MailRow(identifier, person, kind, bytes(sealed), MailState(state), tries, created_at)
