"""Keys as they are kept, always wrapped: those that all share, those of persons; what changed, and blind indexes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import bindparam, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.store.tables import blind_index, key_change, subject_key
from wattkeeper.store.unit import Unit

K, H, B = subject_key.c, key_change.c, blind_index.c
PERSONS, AFTER_PERSONS = "person:", "person;"
"""Between these in the order of their names are the keys of persons."""
OF_PERSONS = (K.subject >= PERSONS) & (K.subject < AFTER_PERSONS)
SHARED = or_(K.subject < PERSONS, K.subject >= AFTER_PERSONS)
OF_ONE = or_(OF_PERSONS, K.subject.startswith("telling:"), K.subject.startswith("invoices:"))
"""Keys that seal for one subject alone: a person, what others must be told of one, the invoices of a year."""
KEEP_INDEX = text("INSERT INTO blind_index (ref, name) VALUES (:ref, :name) ON CONFLICT (ref) DO NOTHING")
NEWEST_CHANGE = "SELECT max(n) FROM key_change"


class Step(StrEnum):
    """Where a rotation is."""

    BEGUN = "begun"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key, wrapped."""

    subject: str
    wrapped: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a rotation."""

    n: int
    at: datetime
    kind: str
    version: int
    step: Step
    told: Mapping[str, Any]


async def newest_change(connection: AsyncConnection) -> int:
    """The number of the newest change of keys; 0 where there was none."""
    return int((await connection.exec_driver_sql(NEWEST_CHANGE)).scalar() or 0)


async def shared(connection: AsyncConnection) -> dict[str, KeyRow]:
    """The keys that are no person's, by subject."""
    rows = await connection.execute(select(K.subject, K.wrapped, K.created_at).where(SHARED))
    return {row.subject: KeyRow(row.subject, bytes(row.wrapped), row.created_at) for row in rows}


async def is_empty(connection: AsyncConnection) -> bool:
    """Whether there is no key at all: a database that nobody used yet."""
    return (await connection.execute(select(K.subject).limit(1))).first() is None


async def keep(unit: Unit, subject: str, wrapped: bytes) -> None:
    """Keep a new key."""
    values = {"subject": subject, "wrapped": wrapped, "created_at": unit.now}
    await unit.connection.execute(insert(subject_key).values(values))


async def rewrap(unit: Unit, wrapped: Mapping[str, bytes]) -> None:
    """Keep the same keys, wrapped otherwise; they are as old as they were."""
    if wrapped:
        mine = update(subject_key).where(K.subject == bindparam("row_key")).values(wrapped=bindparam("anew"))
        await unit.connection.execute(mine, [{"row_key": one, "anew": wrapped[one]} for one in wrapped])


async def replace(unit: Unit, wrapped: Mapping[str, bytes], at: datetime) -> None:
    """Put fresh keys, made at this instant, in the place of others, which are gone."""
    if wrapped:
        mine = update(subject_key).where(K.subject == bindparam("row_key"))
        changed = mine.values(wrapped=bindparam("anew"), created_at=at)
        await unit.connection.execute(changed, [{"row_key": one, "anew": wrapped[one]} for one in wrapped])


async def destroy(unit: Unit, subjects: Collection[str]) -> None:
    """Destroy keys: what they sealed never opens again."""
    await unit.connection.execute(delete(subject_key).where(K.subject.in_([*subjects])))


async def wrapped_of(connection: AsyncConnection, subject: str) -> bytes | None:
    """A subject's wrapped key; None where there is none, or none any more."""
    found = await connection.scalar(select(K.wrapped).where(K.subject == subject))
    return None if found is None else bytes(found)


async def wrapped_otherwise(
    connection: AsyncConnection, mark: bytes, roots: Collection[str], most: int
) -> list[KeyRow]:
    """Keys that do not begin with this mark, but for those that the root wraps."""
    otherwise = func.substr(K.wrapped, 1, len(mark)) != mark
    wanted = select(K.subject, K.wrapped, K.created_at).where(otherwise, K.subject.not_in([*roots])).limit(most)
    rows = await connection.execute(wanted)
    return [KeyRow(row.subject, bytes(row.wrapped), row.created_at) for row in rows]


async def subjects_before(connection: AsyncConnection, before: datetime, most: int) -> list[KeyRow]:
    """Keys that seal for one subject alone and are older than this."""
    wanted = select(K.subject, K.wrapped, K.created_at).where(OF_ONE, K.created_at < before)
    rows = await connection.execute(wanted.order_by(K.subject).limit(most))
    return [KeyRow(row.subject, bytes(row.wrapped), row.created_at) for row in rows]


async def persons(connection: AsyncConnection, before: datetime | None = None) -> tuple[int, datetime | None]:
    """How many persons have a key, made before this where told, and when the oldest was made."""
    wanted = select(func.count(), func.min(K.created_at)).where(OF_PERSONS)
    row = (await connection.execute(wanted if before is None else wanted.where(K.created_at < before))).one()
    return row[0], row[1]


# --- what changed -------------------------------------------------------------------------------------


async def note(unit: Unit, kind: str, version: int, step: Step, told: Mapping[str, Any]) -> None:
    """Note a step of a rotation: whoever holds keys open takes up what changed, at their next unit or look."""
    n = await newest_change(unit.connection) + 1
    values = {"n": n, "at": unit.now, "kind": kind, "version": version, "step": step.value}
    await unit.connection.execute(insert(key_change).values(**values, told=orjson.dumps(told).decode()))


async def changes(connection: AsyncConnection) -> list[Change]:
    """Every step that was noted, in order."""
    rows = await connection.execute(select(key_change).order_by(H.n))
    return [Change(row.n, row.at, row.kind, row.version, Step(row.step), orjson.loads(row.told)) for row in rows]


async def newest_of(connection: AsyncConnection, kind: str) -> Change | None:
    """The newest step of a kind of key."""
    row = (await connection.execute(select(key_change).where(H.kind == kind).order_by(H.n.desc()).limit(1))).first()
    return None if row is None else Change(row.n, row.at, row.kind, row.version, Step(row.step), orjson.loads(row.told))


# --- blind indexes ------------------------------------------------------------------------------------


async def names_by_index(connection: AsyncConnection, head: str) -> dict[str, str]:
    """What each index that begins so leads to."""
    rows = await connection.execute(select(B.ref, B.name).where(B.ref.startswith(head)))
    return {row.ref: row.name for row in rows}


async def index(unit: Unit, led: Iterable[tuple[str, str]]) -> None:
    """Keep where indexes lead: (index, name); one that is kept already stays."""
    rows = [{"ref": ref, "name": name} for ref, name in led]
    if rows:
        await unit.connection.execute(KEEP_INDEX, rows)


async def drop_indexes(unit: Unit, head: str, but: str = "") -> None:
    """Forget the indexes that begin so, but for those that begin otherwise yet."""
    mine = B.ref.startswith(head)
    await unit.connection.execute(delete(blind_index).where(mine & ~B.ref.startswith(but) if but else mine))


async def forget_names(unit: Unit, names: Collection[str]) -> None:
    """Forget by which indexes these are found: of whoever is forgotten."""
    await unit.connection.execute(delete(blind_index).where(B.name.in_([*names])))
