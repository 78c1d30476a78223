"""Questions to holders of cards: is this you?"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.radar import Reply
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import account, card, station, step_up
from wattkeeper.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Question:
    """One question, as it stands."""

    id: str
    person: str
    """Who is asked."""
    token: str
    last2: str
    """The last two characters of the card."""
    label: bytes | None
    """What its holder calls the card, sealed under their key."""
    station: str
    name: str
    """The station's name for people."""
    address: str
    reply: Reply
    created_at: datetime
    expires_at: datetime
    """Until when an answer counts; of a yes, until when it lets charge."""


S = step_up.c
COLUMNS = (
    *(S.id, S.person_id, S.token, card.c.last2, card.c.label, S.station_id),
    *(station.c.label, station.c.address, S.answer, S.created_at, S.expires_at),
)
FROM = step_up.outerjoin(card, card.c.ref == S.token).outerjoin(station, station.c.id == S.station_id)


def keep(unit: Unit, person: str, token: str, where: str, expires_at: datetime) -> str:
    """Keep a question at the unit's next flush; its id."""
    identifier = secrets.token_hex(12)
    told = (identifier, person, token, where, Reply.WAITING.value)
    unit.insert(step_up, (*told, to_micros(unit.now), to_micros(expires_at)))
    return identifier


async def current(unit: Unit, token: str, where: str) -> Reply | None:
    """What the newest question about a card at a station says now; None where none counts any more."""
    newest = (S.token == token, S.station_id == where, S.expires_at > unit.now)
    told = await unit.connection.scalar(select(S.answer).where(*newest).order_by(S.created_at.desc()).limit(1))
    return None if told is None else Reply(told)


async def unanswered(unit: Unit, token: str, since: datetime) -> int:
    """How many questions about a card since then nobody has answered with yes."""
    asked = (S.token == token, S.created_at >= since, S.answer != Reply.YES.value)
    return int(await unit.connection.scalar(select(func.count()).select_from(step_up).where(*asked)) or 0)


async def answer(unit: Unit, identifier: str, person: str, reply: Reply, until: datetime) -> bool:
    """Answer a question of this person that still waits; ``until``: how long a yes lets charge. False: too late."""
    waits = (S.id == identifier, S.person_id == person, S.answer == Reply.WAITING.value, S.expires_at > unit.now)
    values = {"answer": reply.value, "expires_at": until}
    return bool((await unit.connection.execute(update(step_up).where(*waits).values(values))).rowcount)


async def one(connection: AsyncConnection, identifier: str, person: str) -> Question | None:
    """A question of this person."""
    query = select(*COLUMNS).select_from(FROM).where(S.id == identifier, S.person_id == person)
    row = (await connection.execute(query)).first()
    return None if row is None else _question(row)


async def newest(connection: AsyncConnection, person: str, limit: int, now: datetime) -> list[Question]:
    """The newest questions of a person that still wait."""
    waits = (S.person_id == person, S.answer == Reply.WAITING.value, S.expires_at > now)
    query = select(*COLUMNS).select_from(FROM).where(*waits)
    rows = await connection.execute(query.order_by(S.created_at.desc(), S.id).limit(limit))
    return [_question(row) for row in rows]


async def untold(connection: AsyncConnection, since: datetime) -> Sequence[Any]:
    """The questions since then: id, kind, person_id, last2, station_id, its label, created_at."""
    columns = (S.id, literal("question").label("kind"), S.person_id, card.c.last2, S.station_id, station.c.label)
    query = select(*columns, S.created_at).select_from(FROM).where(S.created_at >= since)
    return (await connection.execute(query.order_by(S.created_at))).all()


async def can_be_asked(unit: Unit, person: str) -> bool:
    """Whether a person has an account to be asked through."""
    theirs = (account.c.person_id == person, or_(account.c.state == "active", account.c.state == "unverified"))
    return await unit.connection.scalar(select(account.c.id).where(*theirs).limit(1)) is not None


async def overdue(connection: AsyncConnection, since: datetime, now: datetime) -> bool:
    """Whether a question asked since an instant still waits though its time is up."""
    waits = (S.created_at >= since, S.answer == Reply.WAITING.value, S.expires_at <= now)
    return await connection.scalar(select(S.id).where(*waits).limit(1)) is not None


async def expire(unit: Unit, since: datetime) -> None:
    """What was asked since an instant, still waits and whose time is up is late."""
    waits = (S.created_at >= since, S.answer == Reply.WAITING.value, S.expires_at <= unit.now)
    await unit.connection.execute(update(step_up).where(*waits).values(answer=Reply.LATE.value))


def _question(row: Any) -> Question:
    """A question of a row selected as COLUMNS."""
    identifier, person, token, last2, label, where, name, address, told, *times = row
    sealed = None if label is None else bytes(label)
    about = (identifier, person, token, last2 or "", sealed, where, name or where, address or "")
    return Question(*about, Reply(told), *times)
