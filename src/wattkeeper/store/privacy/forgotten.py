"""Who was forgotten, and who must be told of it until they have answered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.privacy.erasure import Recipient, What
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import forgotten, person, subject_key, telling
from wattkeeper.store.unit import Unit

F, T = forgotten.c, telling.c
WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class ForgottenRow:
    """Somebody who was forgotten."""

    subject: str
    at: datetime
    deed: int
    certificate: str


@dataclass(frozen=True, slots=True)
class TellingRow:
    """Somebody who must be told, and how far that is."""

    id: str
    subject: str
    kind: Recipient
    name: str
    what: What
    sealed: bytes | None
    state: str
    said: str | None
    tries: int
    created_at: datetime
    next_at: datetime
    settled_at: datetime | None


def keep(unit: Unit, subject: str, deed: int, certificate: str) -> None:
    """Note at the next flush that somebody was forgotten."""
    unit.upsert(forgotten, (subject,), (subject, to_micros(unit.now), deed, certificate))


async def one(connection: AsyncConnection, subject: str) -> ForgottenRow | None:
    """Whoever was forgotten under this id."""
    row = (await connection.execute(select(forgotten).where(F.subject == subject))).first()
    return None if row is None else ForgottenRow(row.subject, row.at, row.deed, row.certificate)


async def subjects(connection: AsyncConnection) -> list[ForgottenRow]:
    """Everybody who was forgotten, in order."""
    rows = await connection.execute(select(forgotten).order_by(F.at, F.subject))
    return [ForgottenRow(row.subject, row.at, row.deed, row.certificate) for row in rows]


async def count(connection: AsyncConnection) -> int:
    """How many were forgotten."""
    return int(await connection.scalar(select(func.count()).select_from(forgotten)) or 0)


async def back(unit: Unit, subjects: Collection[str]) -> list[str]:
    """Who of these is here all the same, with a key or a row of their own."""
    keys = "SELECT subject FROM subject_key WHERE subject IN {values} UNION SELECT id FROM person WHERE id IN {again}"
    return [row[0] for row in await unit.select_lists(keys, values=[*subjects], again=[*subjects])]


# --- who must be told ---------------------------------------------------------------------------------


def tell(unit: Unit, rows: Iterable[tuple[str, str, Recipient, str, What, bytes | None]]) -> None:
    """Somebody must be told, from the next flush on: id, subject, kind, name, what, sealed."""
    now = to_micros(unit.now)
    for identifier, subject, kind, name, what, sealed in rows:
        told = (identifier, subject, kind.value, name, what.value, sealed, WAITING, None, 0, now, now, None)
        unit.insert(telling, told)


async def waiting(
    connection: AsyncConnection, kind: Recipient, now: datetime, names: Sequence[str] | None, most: int
) -> list[TellingRow]:
    """Who must be told next, the oldest first; of these names only."""
    wanted = select(telling).where(T.state == WAITING, T.kind == kind.value, T.next_at <= now)
    if names is not None:
        wanted = wanted.where(T.name.in_(names))
    return [_row(row) for row in await connection.execute(wanted.order_by(T.next_at, T.id).limit(most))]


async def overdue(connection: AsyncConnection, before: datetime, most: int) -> list[TellingRow]:
    """Who was to be told since before an instant and never answered."""
    wanted = select(telling).where(T.state == WAITING, T.created_at < before).limit(most)
    return [_row(row) for row in await connection.execute(wanted)]


async def of(connection: AsyncConnection, subject: str) -> list[TellingRow]:
    """Who must be told, or was, about somebody."""
    rows = await connection.execute(select(telling).where(T.subject == subject).order_by(T.kind, T.name, T.what))
    return [_row(row) for row in rows]


async def listed(connection: AsyncConnection, state: str | None, most: int = 500) -> list[TellingRow]:
    """Who must be told, or was; the oldest first."""
    wanted = select(telling).order_by(T.created_at, T.id).limit(most)
    return [_row(row) for row in await connection.execute(wanted if state is None else wanted.where(T.state == state))]


async def settle(unit: Unit, ids: Collection[str], state: str, said: str) -> None:
    """Note that these were told; what they know somebody by is destroyed."""
    told = {"state": state, "said": said[:200], "settled_at": unit.now, "sealed": None, "tries": T.tries + 1}
    await unit.connection.execute(update(telling).where(T.id.in_(ids), T.state == WAITING).values(**told))


async def put_off(unit: Unit, ids: Collection[str], next_at: datetime, said: str) -> None:
    """Note that these could not be told, and when that is tried again."""
    told = {"tries": T.tries + 1, "next_at": next_at, "said": said[:200]}
    await unit.connection.execute(update(telling).where(T.id.in_(ids), T.state == WAITING).values(**told))


async def is_open(unit: Unit, subject: str) -> bool:
    """Whether anybody must still be told about somebody."""
    wanted = select(T.id).where(T.subject == subject, T.state == WAITING, T.sealed.is_not(None)).limit(1)
    return await unit.connection.scalar(wanted) is not None


async def drop_key(unit: Unit, subject: str) -> None:
    """Destroy a key."""
    await unit.connection.execute(delete(subject_key).where(subject_key.c.subject == subject))


async def make_person(unit: Unit, subject: str) -> None:
    """A person's bare row, for an older copy that has their key and not them."""
    await unit.connection.execute(insert(person).values(id=subject, sealed=None, created_at=unit.now))


def _row(row: Any) -> TellingRow:
    sealed = None if row.sealed is None else bytes(row.sealed)
    told = (row.id, row.subject, Recipient(row.kind), row.name, What(row.what), sealed, row.state, row.said)
    return TellingRow(*told, row.tries, row.created_at, row.next_at, row.settled_at)
