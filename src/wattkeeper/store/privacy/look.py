"""Looks: who of the staff had whose data open, for what, until when, and what they saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Role
from wattkeeper.charging.privacy.looking import LookPurpose, Part
from wattkeeper.store.tables import look
from wattkeeper.store.unit import Unit

K = look.c


@dataclass(frozen=True, slots=True)
class LookRow:
    """One opening of one person's data."""

    id: str
    person: str
    by: str
    role: Role
    purpose: LookPurpose
    sealed: bytes
    """Reason and case, JSON, under the person's key."""
    is_emergency: bool
    parts: tuple[Part, ...]
    opened_at: datetime
    until: datetime
    reviewed_at: datetime | None = None
    reviewed_by: str | None = None
    was_right: bool | None = None


async def keep(unit: Unit, row: LookRow) -> None:
    """Keep an opening."""
    same = ("id", "by", "sealed", "is_emergency", "opened_at", "until")
    told = {name: getattr(row, name) for name in same}
    words = {"person_id": row.person, "role": row.role.value, "purpose": row.purpose.value, "parts": ""}
    await unit.connection.execute(insert(look).values(**told, **words))


async def standing(connection: AsyncConnection, by: str, role: Role, person: str, now: datetime) -> LookRow | None:
    """The newest opening of this person to this account that has not closed; None where there is none.

    Whoever was given another role meanwhile opens anew: what a role allowed ends with it.
    """
    ours = _all().where(K.by == by, K.role == role.value, K.person_id == person, K.until > now)
    return await _one(connection, ours)


async def one(connection: AsyncConnection, identifier: str) -> LookRow | None:
    """An opening by its id; None where there is none."""
    return await _one(connection, _all().where(K.id == identifier))


async def saw(unit: Unit, row: LookRow, parts: tuple[Part, ...]) -> None:
    """Note what was seen, all of it."""
    await unit.connection.execute(update(look).where(K.id == row.id).values(parts=" ".join(parts)))


async def review(unit: Unit, identifier: str, by: str, *, was_right: bool) -> None:
    """Note that a second person reviewed an emergency, and what they found."""
    said = {"reviewed_at": unit.now, "reviewed_by": by, "was_right": was_right}
    await unit.connection.execute(update(look).where(K.id == identifier).values(**said))


async def count_since(connection: AsyncConnection, by: str, since: datetime, *, emergency: bool = False) -> int:
    """How often this account opened anybody since an instant, or broke the glass."""
    asked = select(func.count()).select_from(look).where(K.by == by, K.opened_at > since)
    wanted = asked.where(K.is_emergency) if emergency else asked
    return int(await connection.scalar(wanted) or 0)


async def of_person(
    connection: AsyncConnection, person: str, most: int, before: tuple[datetime, str] | None = None
) -> list[LookRow]:
    """Who looked at a person, the newest first."""
    return await _many(connection, K.person_id == person, most, before)


async def find(
    connection: AsyncConnection, most: int, before: tuple[datetime, str] | None = None, *, waiting: bool = False
) -> list[LookRow]:
    """All looks, the newest first; or the emergencies that wait for a second person."""
    wanted = K.is_emergency & K.reviewed_at.is_(None) if waiting else K.id != ""
    return await _many(connection, wanted, most, before)


async def _many(
    connection: AsyncConnection, wanted: ColumnElement[bool], most: int, before: tuple[datetime, str] | None
) -> list[LookRow]:
    asked = _all().where(wanted)
    if before is not None:
        asked = asked.where(tuple_(K.opened_at, K.id) < before)
    rows = await connection.execute(asked.order_by(K.opened_at.desc(), K.id.desc()).limit(most))
    return [_look(row) for row in rows]


async def _one(connection: AsyncConnection, asked: Select[Any]) -> LookRow | None:
    row = (await connection.execute(asked.order_by(K.opened_at.desc(), K.id.desc()).limit(1))).first()
    return None if row is None else _look(row)


def _all() -> Select[Any]:
    first = (K.id, K.person_id, K.by, K.role, K.purpose, K.sealed, K.is_emergency, K.parts, K.opened_at, K.until)
    return select(*first, K.reviewed_at, K.reviewed_by, K.was_right)


def _look(row: Any) -> LookRow:
    return LookRow(
        *(row.id, row.person_id, row.by, Role(row.role), LookPurpose(row.purpose), bytes(row.sealed)),
        *(bool(row.is_emergency), tuple(Part(one) for one in row.parts.split()), row.opened_at, row.until),
        *(row.reviewed_at, row.reviewed_by, row.was_right),
    )
