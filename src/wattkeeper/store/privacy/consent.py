"""Consent as a ledger: what was said is added, never changed; the newest word of a person on a purpose counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.store.tables import consent, consent_text, deed
from wattkeeper.store.unit import Unit

C, T, D = consent.c, consent_text.c, deed.c


@dataclass(frozen=True, slots=True)
class TextRow:
    """A text that somebody answered, as it was read."""

    hash: str
    purpose: str
    version: int
    language: str
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of the ledger, with the text that was before the person."""

    n: int
    person: str
    purpose: str
    is_given: bool
    version: int
    at: datetime
    door: str
    text: TextRow


async def keep_text(unit: Unit, text: TextRow) -> None:
    """Keep a text once, as it is read."""
    known = await unit.connection.scalar(select(T.hash).where(T.hash == text.hash))
    if known is None:
        row = {name: getattr(text, name) for name in ("hash", "purpose", "version", "language", "title", "words")}
        await unit.connection.execute(insert(consent_text).values(**row, created_at=unit.now))


async def enter(unit: Unit, n: int, person: str, text: TextRow, door: str, *, is_given: bool) -> None:
    """Add what a person said to a text; ``n`` is its deed."""
    row = {"n": n, "person_id": person, "purpose": text.purpose, "is_given": is_given, "version": text.version}
    await unit.connection.execute(insert(consent).values(**row, hash=text.hash, at=unit.now, door=door))


async def newest(connection: AsyncConnection, person: str, purpose: str) -> tuple[bool, int]:
    """The last word of a person on a purpose: whether they agreed, and to which version; (False, 0) where none."""
    theirs = (C.person_id == person) & (C.purpose == purpose)
    asked = select(C.is_given, C.version).where(theirs).order_by(C.n.desc()).limit(1)
    row = (await connection.execute(asked)).first()
    return (bool(row.is_given), row.version) if row else (False, 0)


def agreeing(purpose: str, counts_from: int) -> Select[Any]:
    """Who agrees now, as a select of their ids: their last word is yes, to a text that counts."""
    last = select(func.max(C.n)).where(C.purpose == purpose).group_by(C.person_id)
    return select(C.person_id).where(C.n.in_(last), C.is_given, C.version >= counts_from)


async def history(connection: AsyncConnection, person: str, most: int = 1000) -> list[Said]:
    """Everything that a person said, the newest first."""
    return await _said(connection, _joined().where(C.person_id == person).order_by(C.n.desc()).limit(most))


async def ledger(connection: AsyncConnection, purpose: str | None, after: int, most: int = 1000) -> list[Said]:
    """The ledger in order, after this number."""
    asked = _joined().where(C.n > after)
    wanted = asked if purpose is None else asked.where(C.purpose == purpose)
    return await _said(connection, wanted.order_by(C.n).limit(most))


async def tallied(connection: AsyncConnection, purpose: str, counts_from: int) -> tuple[int, int]:
    """How many agree now, and how many ever answered."""
    agree = select(func.count()).select_from(agreeing(purpose, counts_from).subquery())
    asked = select(func.count(C.person_id.distinct())).where(C.purpose == purpose)
    return int(await connection.scalar(agree) or 0), int(await connection.scalar(asked) or 0)


async def unlike_deeds(connection: AsyncConnection) -> list[int]:
    """Entries of the ledger that say something else than their deeds do, or have none."""
    columns = (C.n, C.person_id, C.purpose, C.is_given, C.version, C.hash, C.door, D.kind, D.subject, D.body)
    rows = await connection.execute(select(*columns).outerjoin(deed, D.n == C.n).order_by(C.n))
    return [row.n for row in rows if not _is_said(row)]


def _is_said(row: Any) -> bool:
    """Whether a deed says what an entry does."""
    kind = DeedKind.CONSENT_GIVEN if row.is_given else DeedKind.CONSENT_WITHDRAWN
    if row.kind != kind.value or row.subject != row.person_id:
        return False
    told = {"purpose": row.purpose, "version": row.version, "text": row.hash, "door": row.door}
    return bool(orjson.loads(row.body) == told)


def _joined() -> Select[Any]:
    columns = (C.n, C.person_id, C.purpose, C.is_given, C.version, C.at, C.door, T.hash, T.language, T.title, T.words)
    return select(*columns).join(consent_text, T.hash == C.hash)


async def _said(connection: AsyncConnection, asked: Select[Any]) -> list[Said]:
    rows = await connection.execute(asked)
    return [
        Said(
            *(row.n, row.person_id, row.purpose, bool(row.is_given), row.version, row.at, row.door),
            TextRow(row.hash, row.purpose, row.version, row.language, row.title, row.words),
        )
        for row in rows
    ]
