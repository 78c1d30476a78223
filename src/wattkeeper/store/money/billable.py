"""Sessions with all that billing asks of them beside their readings: where, on whose card, heard of since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.limits import counted_at
from wattkeeper.charging.cards.token import CardKind, CardState
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.facts import SessionOpened
from wattkeeper.charging.money.tariffs.assignment import Spot
from wattkeeper.charging.session import Session
from wattkeeper.store.fold import decode
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import card, holding, journal, phone_start, session

S, H = session.c, holding.c
JUDGED = '"verdict":'
"""In what was decided on an entry (`Decided`, JSON): that somebody presented a card, maybe after the plug."""


@dataclass(frozen=True, slots=True)
class Billable:
    """A session as billing sees it."""

    whole: Session
    grade: Grade
    known_at: datetime
    """Our time when it was first heard of."""
    heard_at: datetime
    """Our time when it was last heard of."""
    last_n: int
    """The newest journal entry folded in."""
    asked_at: datetime | None
    """When it was asked for on a phone, by our clock."""
    spot: Spot

    @property
    def id(self) -> str:
        """Its id, without dashes."""
        return self.whole.id

    @property
    def is_known(self) -> bool:
        """Whether it is known when it began and on whose card, or nothing more will be: many plug in, then tap."""
        return (self.whole.opened is not None and self.whole.token is not None) or not self.whole.is_live

    @property
    def begins_at(self) -> datetime:
        """The instant whose prices hold: when it was asked for here, else when it counts as begun."""
        return self.asked_at or counted_at(self.whole.started_at, self.known_at)


def _holder() -> Any:
    """Who held the card when the session began and when it was heard of; nobody where that is in doubt."""
    still = or_(H.until.is_(None), S.known_at < H.until)
    spans = and_(H.ref == S.token, S.started_at >= H.since, S.known_at >= H.since, still)
    return select(func.max(H.person_id)).where(spans).scalar_subquery()


def _common_group(person: Any) -> Any:
    """The group of the cards that somebody holds, where it is the same for all that have one: starts have no card."""
    c = card.alias("held_card").c
    only = case((func.min(c.grouping) == func.max(c.grouping), func.min(c.grouping)), else_=None)
    return select(only).where(c.person_id == person, c.state == CardState.ACTIVE.value).scalar_subquery()


GROUP = case((card.c.kind == CardKind.APP.value, _common_group(card.c.person_id)), else_=card.c.grouping)


async def group_of(connection: AsyncConnection, person: str) -> str:
    """The group whose tariff somebody gets who starts from a phone; empty: none, or not one alone."""
    return str(await connection.scalar(select(_common_group(person))) or "") if person else ""


COLUMNS = (
    *(S.id, S.station_id, S.evse, S.grade, S.known_at, S.heard_at, S.last_n, S.fold),
    *(GROUP.label("grouping"), phone_start.c.created_at, _holder().label("person")),
    placement.session_site().label("site"),
)
FROM = session.outerjoin(card, card.c.ref == S.token).outerjoin(phone_start, phone_start.c.ref == S.token)


async def of(connection: AsyncConnection, sessions: Sequence[str]) -> dict[str, Billable]:
    """These sessions, for working out what they cost; those left out that do not exist."""
    rows = await connection.execute(select(*COLUMNS).select_from(FROM).where(S.id.in_(sessions)))
    return {row.id: _billable(row) for row in rows}


async def live(connection: AsyncConnection) -> list[str]:
    """Every session that runs: for deeds, never for showing."""
    return list((await connection.execute(select(S.id).where(S.live))).scalars())


async def live_of(connection: AsyncConnection, person: str) -> list[str]:
    """Every session that runs on what a person holds: for deeds, never for showing."""
    held = select(H.ref).where(H.person_id == person, H.until.is_(None))
    return list((await connection.execute(select(S.id).where(S.live, S.token.in_(held)))).scalars())


async def newest(connection: AsyncConnection, sessions: Sequence[str]) -> dict[str, int]:
    """The newest journal entry folded into each of these sessions."""
    rows = await connection.execute(select(S.id, S.last_n).where(S.id.in_(sessions)))
    return {row.id: row.last_n for row in rows}


async def touched(connection: AsyncConnection, after: int, limit: int) -> tuple[list[str], int]:
    """What began, whose card was judged or what is over, of the sessions that ``limit`` journal entries are about.

    Those after a number; and the number of the last of them. What else goes on in a session is nobody's bill yet.
    """
    n = journal.c.n
    upto = await connection.scalar(select(func.max(n)).where(n > after, n <= after + limit)) or after
    begins = (journal.c.kind == SessionOpened.__name__) | journal.c.decided.contains(JUDGED)
    which = select(S.id).join(journal, journal.c.session_id == S.id).where(n > after, n <= upto, begins | ~S.live)
    return list((await connection.execute(which.distinct())).scalars()), upto


def _billable(row: Any) -> Billable:
    """A session of its row."""
    spot = Spot(
        person=row.person or "",
        group=row.grouping or "",
        station=row.station_id,
        evse=row.evse,
        site=row.site or "",
    )
    times = (row.known_at, row.heard_at, row.last_n, row.created_at)
    return Billable(decode(row.fold), Grade(row.grade), *times, spot)
