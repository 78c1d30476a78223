"""Cards: the number only as pseudonym and sealed; a person without a name behind each."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.limits import Limits
from wattkeeper.charging.cards.token import Card, CardKind, CardState, Group, Offline, Strength, TokenRef
from wattkeeper.charging.person import Viewer
from wattkeeper.store import reach
from wattkeeper.store.cards import limits
from wattkeeper.store.columns import from_micros, to_micros
from wattkeeper.store.tables import card, holding, person, subject_key
from wattkeeper.store.unit import Unit


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card as it is shown: never its number."""

    ref: TokenRef
    person: str
    """Who holds it, or held it last."""
    last2: str
    """The last two characters of its number; empty where that would say too much."""
    kind: CardKind
    state: CardState
    expires_at: datetime | None
    group: str | None
    max_sessions: int
    strength: Strength
    offline: Offline
    limits: Limits
    label: bytes | None
    """What its holder calls it, sealed under their key; only ever there for the holder."""
    replaced_by: TokenRef | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class SealedNumber:
    """A card's number, sealed under its person's key."""

    person: str
    sealed: bytes


C = card.c
COLUMNS = (
    *(C.ref, C.person_id, C.last2, C.kind, C.state, C.expires_at, C.grouping, C.max_sessions),
    *(C.strength, C.offline, C.limits, C.label, C.replaced_by, C.created_at, C.changed_at),
)
NAMES = tuple(field.name for field in fields(CardRow))
LISTED = C.kind != CardKind.APP.value


async def one(connection: AsyncConnection, viewer: Viewer, ref: str) -> CardRow | None:
    """The card with this pseudonym, where the viewer may see it."""
    row = (await connection.execute(select(*COLUMNS).where(C.ref == ref, LISTED, reach.cards(viewer)))).first()
    return None if row is None else _seen(_card(row), viewer)


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
    exactly = ((C.state, state), (C.grouping, group), (C.last2, last2))
    wanted = select(*COLUMNS).where(*(column == value for column, value in exactly if value is not None))
    wanted = wanted.where(LISTED, reach.cards(viewer))
    if before is not None:
        wanted = wanted.where(tuple_(C.created_at, C.ref) < before)
    rows = await connection.execute(wanted.order_by(C.created_at.desc(), C.ref.desc()).limit(limit))
    return [_seen(_card(row), viewer) for row in rows]


def _seen(row: CardRow, viewer: Viewer) -> CardRow:
    """A card as this viewer may see it: what its holder calls it is the holder's alone."""
    return row if row.person == viewer.person and viewer.person else replace(row, label=None)


async def kept(unit: Unit, ref: str) -> CardRow | None:
    """The card with this pseudonym, for the operations that change it."""
    row = (await unit.connection.execute(select(*COLUMNS).where(C.ref == ref))).first()
    return None if row is None else _card(row)


async def lasting(unit: Unit, refs: Collection[str]) -> dict[str, CardRow]:
    """Those of these cards that are enrolled, by pseudonym."""
    rows = await unit.connection.execute(select(*COLUMNS).where(C.ref.in_(refs)))
    return {row.ref: _card(row) for row in rows}


async def owners(unit: Unit, refs: Sequence[str]) -> dict[str, str]:
    """Whose each of these cards is, by pseudonym; those not enrolled are left out."""
    rows = await unit.connection.execute(select(C.ref, C.person_id).where(C.ref.in_(refs)))
    return {ref: person_id for ref, person_id in rows}


async def number(connection: AsyncConnection, ref: str) -> SealedNumber | None:
    """The sealed number of a card: for the operation that opens it, never for showing."""
    row = (await connection.execute(select(C.person_id, C.sealed).where(C.ref == ref))).first()
    return None if row is None else SealedNumber(row.person_id, bytes(row.sealed))


async def wrapped_key(connection: AsyncConnection, viewer: Viewer) -> bytes | None:
    """The viewer's own key, wrapped: it opens what they call their cards. None where there is none."""
    found = await connection.scalar(select(subject_key.c.wrapped).where(subject_key.c.subject == viewer.person))
    return None if found is None else bytes(found)


def keep_person(unit: Unit, identifier: str, sealed: bytes | None) -> None:
    """Make a person at the unit's next flush; what is known of them sealed under their key."""
    unit.insert(person, (identifier, sealed, to_micros(unit.now)))


async def name_person(unit: Unit, identifier: str, sealed: bytes) -> None:
    """Give a person what is known of them, sealed under their key."""
    await unit.connection.execute(update(person).where(person.c.id == identifier).values(sealed=sealed))


def keep(
    unit: Unit,
    person_id: str,
    sealed: bytes,
    last2: str,
    one: Card,
    label: bytes | None = None,
    since: datetime | None = None,
) -> None:
    """Enrol a card at the unit's next flush, held from now on, or from a time before it was anybody's."""
    expires = None if one.expires_at is None else to_micros(one.expires_at)
    rule = (one.kind.value, one.state.value, expires, one.group, one.max_sessions, one.strength.value)
    bounds = (one.offline.value, limits.encode(one.limits), *(one.only_at or (None, None)))
    now = to_micros(unit.now)
    unit.insert(card, (one.ref, person_id, sealed, last2, *rule, *bounds, label, None, None, now, now))
    hold(unit, one.ref, person_id, since or unit.now - LAG)


async def change(unit: Unit, ref: str, values: Mapping[str, object]) -> None:
    """Change some columns of a card; stations' lists follow."""
    await unit.connection.execute(update(card).where(C.ref == ref).values({"changed_at": unit.now, **values}))


async def name(unit: Unit, ref: str, label: bytes | None) -> None:
    """Set what its holder calls a card, sealed under their key: nothing that concerns a station."""
    await unit.connection.execute(update(card).where(C.ref == ref).values(label=label))


def columns(rule: Mapping[str, Any]) -> dict[str, object]:
    """Members of `Card` as their columns have them."""
    told = {"grouping" if member == "group" else member: value for member, value in rule.items()}
    if "limits" in told:
        told["limits"] = limits.encode(told["limits"])
    return {column: getattr(value, "value", value) for column, value in told.items()}


# --- who holds it -------------------------------------------------------------------------------------


LAG = timedelta(minutes=5)
"""By how much a station's clock may lag: what begins with the tap that enrols a card belongs to its first holder."""


def hold(unit: Unit, ref: str, person_id: str, since: datetime | None = None) -> None:
    """Somebody holds a card from now on, at the unit's next flush; nobody else may hold it then."""
    unit.insert(holding, (f"h:{secrets.token_hex(12)}", ref, person_id, to_micros(since or unit.now), None))


async def let_go(unit: Unit, ref: str) -> None:
    """Nobody holds a card from now on; what ran on it before stays with who held it then."""
    held = (holding.c.ref == ref, holding.c.until.is_(None))
    await unit.connection.execute(update(holding).where(*held).values(until=unit.now))


def _card(row: Sequence[Any]) -> CardRow:
    """A card of a row selected as COLUMNS."""
    values = dict(zip(NAMES, row, strict=True))
    kinds = {"kind": CardKind, "state": CardState, "strength": Strength, "offline": Offline}
    values |= {name: kind(values[name]) for name, kind in kinds.items()}
    values["limits"] = limits.decode(values["limits"])
    values["label"] = None if values["label"] is None else bytes(values["label"])
    return CardRow(**values)


# --- as the rule sees it ------------------------------------------------------------------------------

RULED = """
SELECT c.ref, c.state, c.expires_at, c.grouping, c.max_sessions, c.kind, c.strength, c.offline, c.limits,
c.station_id, c.evse, g.name, g.parent_id, g.is_master_pass, g.limits AS group_limits
FROM card AS c LEFT JOIN card_group AS g ON g.name = c.grouping WHERE c.ref IN {values}
"""


async def held_by(unit: Unit, person_id: str) -> list[str]:
    """The cards that a person holds, the oldest first; never what was made for a start from a phone."""
    mine = select(C.ref).where(C.person_id == person_id, LISTED).order_by(C.created_at, C.ref)
    return list(await unit.connection.scalars(mine))


async def ruled(unit: Unit, refs: Collection[str]) -> list[Card]:
    """The enrolled cards among these pseudonyms, as the rule sees them."""
    return [_ruled(row) for row in await unit.select_in(RULED, [*refs])]


def _ruled(row: Any) -> Card:
    """The card of a row of raw values."""
    return Card(
        TokenRef(row.ref),
        CardState(row.state),
        None if row.expires_at is None else from_micros(row.expires_at),
        row.grouping,
        row.max_sessions,
        CardKind(row.kind),
        Strength(row.strength),
        Offline(row.offline),
        limits.decode(row.limits),
        None if row.station_id is None else (row.station_id, row.evse),
        None if row.name is None else _rules(row),
    )


def _rules(row: Any) -> Group:
    return Group(row.name, row.parent_id, bool(row.is_master_pass), limits.decode(row.group_limits))
