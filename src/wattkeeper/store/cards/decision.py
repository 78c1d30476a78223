"""What was decided on tokens that were presented, and why: derived from the journal, found without a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.token import Authorisation, CardKind, TokenRef
from wattkeeper.charging.facts import SessionFact, TokenPresented
from wattkeeper.charging.person import Reach, Scope, Viewer
from wattkeeper.store import reach
from wattkeeper.store.columns import to_micros
from wattkeeper.store.entry import Entry
from wattkeeper.store.tables import card, decision, holding
from wattkeeper.store.unit import Unit

D = decision.c


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision: where a token was presented, what the station was told, and why."""

    n: int
    """The journal entry of the fact."""
    token: TokenRef
    station: str
    evse: int | None
    at: datetime
    """Our time."""
    status: Authorisation
    reason: str
    session: str | None
    """The session concerned, without dashes."""
    last2: str | None
    """The last two characters of the card; None where it is not enrolled."""
    is_app: bool
    """Whether it was made for a start from a phone."""


def keep(unit: Unit, entry: Entry) -> None:
    """Keep what was decided on an entry's token at the unit's next flush; nothing where it had none."""
    fact, decided = entry.fact, entry.decided
    if decided.verdict is None or not isinstance(fact, SessionFact | TokenPresented) or fact.token is None:
        return
    told = (decided.verdict, decided.reason or "", decided.session)
    unit.insert(decision, (entry.n, fact.token, entry.station, fact.evse, to_micros(entry.received_at), *told))


WHOLE = select(
    *(D.n, D.token, D.station_id, D.evse, D.at, D.status, D.reason, D.session_id, card.c.last2),
    card.c.kind,
).select_from(decision.outerjoin(card, card.c.ref == D.token))


async def of_card(
    connection: AsyncConnection, viewer: Viewer, ref: str, limit: int, before: int | None = None
) -> list[DecisionRow]:
    """The newest ``limit`` decisions on a card before this entry; its holder is told those of while they held it."""
    wanted = WHOLE.where(D.token == ref)
    if viewer.reach(Scope.CARDS_READ) is not Reach.ANYWHERE:
        wanted = wanted.where(reach.cards(viewer), _while_held(viewer.person))
    return await _newest(connection, wanted, limit, before)


async def at_station(
    connection: AsyncConnection, viewer: Viewer, station: str | None, limit: int, before: int | None = None
) -> list[DecisionRow]:
    """The newest ``limit`` decisions at a station, or anywhere, before this entry, on cards known or not."""
    viewer.need(Scope.CARDS_READ)
    wanted = WHOLE if station is None else WHOLE.where(D.station_id == station)
    return await _newest(connection, wanted, limit, before)


def _while_held(person: str) -> Any:
    """Decisions of while this person held the card."""
    spans = and_(holding.c.ref == D.token, holding.c.person_id == person, D.at >= holding.c.since)
    still = or_(holding.c.until.is_(None), D.at < holding.c.until)
    return exists(select(holding.c.id).where(spans, still).correlate(decision))


async def _newest(connection: AsyncConnection, wanted: Any, limit: int, before: int | None) -> list[DecisionRow]:
    if before is not None:
        wanted = wanted.where(D.n < before)
    rows = await connection.execute(wanted.order_by(D.n.desc()).limit(limit))
    return [_row(row) for row in rows]


def _row(row: Sequence[Any]) -> DecisionRow:
    n, token, station, evse, at, status, reason, session, last2, kind = row
    told = (Authorisation(status), reason, session, last2, kind == CardKind.APP.value)
    return DecisionRow(n, TokenRef(token), station, evse, at, *told)
