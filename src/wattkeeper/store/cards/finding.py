"""Findings of the clone radar: what was seen, where, of which card; open until a person has settled it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.radar import Pattern, Said, Settled
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import card, finding, station
from wattkeeper.store.unit import Unit


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding as staff see it: the card by its last two characters."""

    id: str
    kind: Pattern
    token: str | None
    """The card's pseudonym; None where it is about a station."""
    last2: str | None
    station: str
    words: str
    state: Settled
    answer: Said
    """What the card's holder said."""
    created_at: datetime
    settled_at: datetime | None
    settled_by: str | None


F = finding.c
COLUMNS = (
    *(F.id, F.kind, F.token, card.c.last2, F.station_id, F.words),
    *(F.state, F.answer, F.created_at, F.settled_at, F.settled_by),
)
FROM = finding.outerjoin(card, card.c.ref == F.token)


def keep(unit: Unit, kind: Pattern, token: str | None, where: str, words: str) -> str:
    """Keep a new, open finding at the unit's next flush; its id."""
    identifier = secrets.token_hex(8)
    told = (identifier, kind.value, token, where, words, Settled.OPEN.value, Said.NOTHING.value)
    unit.insert(finding, (*told, to_micros(unit.now), None, None))
    return identifier


async def one(connection: AsyncConnection, viewer: Viewer, identifier: str) -> FindingRow | None:
    """The finding with this id."""
    viewer.need(Scope.FINDINGS_READ)
    row = (await connection.execute(select(*COLUMNS).select_from(FROM).where(F.id == identifier))).first()
    return None if row is None else _finding(row)


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    *,
    state: Settled | None = None,
    kind: Pattern | None = None,
    before: tuple[datetime, str] | None = None,
) -> list[FindingRow]:
    """The newest findings made before this instant and id; None does not restrict."""
    viewer.need(Scope.FINDINGS_READ)
    exactly = ((F.state, state), (F.kind, kind))
    wanted = select(*COLUMNS).select_from(FROM)
    wanted = wanted.where(*(column == value.value for column, value in exactly if value is not None))
    if before is not None:
        wanted = wanted.where(tuple_(F.created_at, F.id) < before)
    rows = await connection.execute(wanted.order_by(F.created_at.desc(), F.id.desc()).limit(limit))
    return [_finding(row) for row in rows]


async def settled(connection: AsyncConnection, viewer: Viewer, limit: int) -> list[FindingRow]:
    """The findings that were settled last."""
    viewer.need(Scope.FINDINGS_READ)
    wanted = select(*COLUMNS).select_from(FROM).where(F.state != Settled.OPEN.value)
    rows = await connection.execute(wanted.order_by(F.settled_at.desc(), F.id.desc()).limit(limit))
    return [_finding(row) for row in rows]


async def settle(unit: Unit, identifier: str, state: Settled, by: str) -> bool:
    """Settle an open finding; False where it is not open."""
    is_open = (F.id == identifier) & (F.state == Settled.OPEN.value)
    told = {"state": state.value, "settled_at": unit.now, "settled_by": by}
    return bool((await unit.connection.execute(update(finding).where(is_open).values(told))).rowcount)


async def hear(unit: Unit, token: str, said: Said, kinds: Collection[Pattern]) -> int:
    """Note on a card's open findings of these kinds what its holder said; how many there are."""
    which = _open_of(token, kinds)
    return int((await unit.connection.execute(update(finding).where(which).values(answer=said.value))).rowcount)


async def settle_all(unit: Unit, token: str, state: Settled, by: str, kinds: Collection[Pattern]) -> None:
    """Settle every open finding of these kinds about a card."""
    told = {"state": state.value, "settled_at": unit.now, "settled_by": by}
    await unit.connection.execute(update(finding).where(_open_of(token, kinds)).values(told))


async def suspects(unit: Unit, tokens: Collection[str], kinds: Collection[Pattern]) -> set[str]:
    """Those of these cards about which a finding of these kinds is open."""
    about = (F.token.in_([*tokens]), F.kind.in_([kind.value for kind in kinds]))
    rows = await unit.connection.execute(select(F.token).where(F.state == Settled.OPEN.value, *about).distinct())
    return {token for (token,) in rows}


async def is_known(
    unit: Unit,
    kind: Pattern,
    since: datetime,
    *,
    token: str | None,
    where: str,
    settled: Collection[Settled] = tuple(Settled),
) -> bool:
    """Whether such a finding about this card, or else this station, is open, or was made since then and so settled."""
    about = F.token == token if token is not None else F.station_id == where
    lately = and_(F.created_at >= since, F.state.in_([state.value for state in settled]))
    again = or_(F.state == Settled.OPEN.value, lately)
    return await unit.connection.scalar(select(F.id).where(F.kind == kind.value, about, again).limit(1)) is not None


async def is_pardoned(unit: Unit, kind: Pattern, token: str, since: datetime) -> bool:
    """Whether a person has dismissed such a finding about this card since then."""
    dismissed = (F.state == Settled.DISMISSED.value, F.settled_at >= since)
    which = select(F.id).where(F.kind == kind.value, F.token == token, *dismissed).limit(1)
    return await unit.connection.scalar(which) is not None


async def untold(connection: AsyncConnection, since: datetime, kinds: Collection[Pattern]) -> Sequence[Any]:
    """The open findings since then about held cards: id, kind, person_id, last2, station_id, its label, created_at."""
    columns = (F.id, F.kind, card.c.person_id, card.c.last2, F.station_id, station.c.label, F.created_at)
    which = (F.state == Settled.OPEN.value, F.created_at >= since, F.kind.in_([kind.value for kind in kinds]))
    held = finding.join(card, (card.c.ref == F.token) & (card.c.person_id != ""))
    query = select(*columns).select_from(held.outerjoin(station, station.c.id == F.station_id)).where(*which)
    return (await connection.execute(query.order_by(F.created_at))).all()


def _open_of(token: str, kinds: Collection[Pattern]) -> ColumnElement[bool]:
    return (F.token == token) & (F.state == Settled.OPEN.value) & F.kind.in_([kind.value for kind in kinds])


def _finding(row: Any) -> FindingRow:
    """A finding of a row selected as COLUMNS."""
    identifier, kind, token, last2, where, words, state, answer, *times = row
    told = (identifier, Pattern(kind), token, last2, where, words, Settled(state), Said(answer))
    return FindingRow(*told, *times)


async def holder(connection: AsyncConnection, token: str) -> str:
    """Who holds a card; empty where nobody is known."""
    return str(await connection.scalar(select(card.c.person_id).where(card.c.ref == token)) or "")
