"""Cards: the number only as pseudonym and sealed; a person without a name behind each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.token import Card, CardState, TokenRef
from wattkeeper.store.columns import from_micros, to_micros
from wattkeeper.store.tables import card, person
from wattkeeper.store.unit import Unit


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card as staff see it: never its number."""

    ref: TokenRef
    last2: str
    """The last two characters of its number; empty where that would say too much."""
    state: CardState
    expires_at: datetime | None
    group: str | None
    max_sessions: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SealedNumber:
    """A card's number, sealed under its person's key."""

    person: str
    sealed: bytes


C = card.c
COLUMNS = (C.ref, C.last2, C.state, C.expires_at, C.grouping, C.max_sessions, C.created_at)
NAMES = tuple(field.name for field in fields(CardRow))


async def one(connection: AsyncConnection, viewer: Viewer, ref: str) -> CardRow | None:
    """The card with this pseudonym."""
    viewer.need(Scope.CARDS_READ)
    row = (await connection.execute(select(*COLUMNS).where(C.ref == ref))).first()
    return None if row is None else _card(row)


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    *,
    state: CardState | None = None,
    group: str | None = None,
    last2: str | None = None,
    before: tuple[datetime, str] | None = None,
) -> list[CardRow]:
    """The newest ``limit`` cards enrolled before this instant and pseudonym; None does not restrict."""
    viewer.need(Scope.CARDS_READ)
    exactly = ((C.state, state), (C.grouping, group), (C.last2, last2))
    wanted = select(*COLUMNS).where(*(column == value for column, value in exactly if value is not None))
    if before is not None:
        wanted = wanted.where(tuple_(C.created_at, C.ref) < before)
    rows = await connection.execute(wanted.order_by(C.created_at.desc(), C.ref.desc()).limit(limit))
    return [_card(row) for row in rows]


async def owners(unit: Unit, refs: Sequence[str]) -> dict[str, str]:
    """Whose each of these cards is, by pseudonym; those not enrolled are left out."""
    rows = await unit.connection.execute(select(C.ref, C.person_id).where(C.ref.in_(refs)))
    return {ref: person_id for ref, person_id in rows}


async def number(connection: AsyncConnection, ref: str) -> SealedNumber | None:
    """The sealed number of a card: for the operation that opens it, never for showing."""
    row = (await connection.execute(select(C.person_id, C.sealed).where(C.ref == ref))).first()
    return None if row is None else SealedNumber(row.person_id, bytes(row.sealed))


def keep_person(unit: Unit, identifier: str, sealed: bytes | None) -> None:
    """Make a person at the unit's next flush; what is known of them sealed under their key."""
    unit.insert(person, (identifier, sealed, to_micros(unit.now)))


async def name_person(unit: Unit, identifier: str, sealed: bytes) -> None:
    """Give a person what is known of them, sealed under their key."""
    await unit.connection.execute(update(person).where(person.c.id == identifier).values(sealed=sealed))


def keep(unit: Unit, person_id: str, sealed: bytes, last2: str, one: Card) -> None:
    """Enrol a card at the unit's next flush."""
    expires = None if one.expires_at is None else to_micros(one.expires_at)
    rule = (one.state.value, expires, one.group, one.max_sessions)
    unit.insert(card, (one.ref, person_id, sealed, last2, *rule, to_micros(unit.now)))


async def change(unit: Unit, ref: str, rule: Mapping[str, object]) -> bool:
    """Change some of a card's state, expires_at, grouping and max_sessions; False where there is no such card."""
    if not rule:
        return await unit.connection.scalar(select(C.ref).where(C.ref == ref)) is not None
    changed = await unit.connection.execute(update(card).where(C.ref == ref).values(dict(rule)))
    return bool(changed.rowcount)


def _card(row: Sequence[Any]) -> CardRow:
    """A card of a row selected as COLUMNS."""
    values = dict(zip(NAMES, row, strict=True))
    values["state"] = CardState(values["state"])
    return CardRow(**values)


async def ruled(unit: Unit, refs: Collection[str]) -> list[Card]:
    """The enrolled cards among these pseudonyms, as the rule sees them."""
    which = "SELECT ref, state, expires_at, grouping, max_sessions FROM card WHERE ref IN {values}"
    return [_ruled(row) for row in await unit.select_in(which, [*refs])]


def _ruled(row: Any) -> Card:
    """The card of a row of raw values."""
    expires_at = None if row.expires_at is None else from_micros(row.expires_at)
    return Card(TokenRef(row.ref), CardState(row.state), expires_at, row.grouping, row.max_sessions)
