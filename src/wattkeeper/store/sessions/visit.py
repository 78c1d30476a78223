"""Sessions as visits of a card: what the clone radar looks at afterwards, and taps of cards that nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, func, literal_column, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.radar import Visit
from wattkeeper.charging.cards.token import Authorisation
from wattkeeper.store.cards.sighting import location_of
from wattkeeper.store.columns import to_micros
from wattkeeper.store.fold import HISTORY
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import card, decision, journal, session, station

HOUR_MICROS = 3_600_000_000


@dataclass(frozen=True, slots=True)
class CardVisit:
    """A session that ended, and the card it ran on."""

    session: str
    token: str
    station: str
    visit: Visit


S = session.c
COLUMNS = (S.id, S.token, S.station_id, S.started_at, S.energy_wh)
LOCATION = (placement.session_site().label("site"), *map(placement.session_found, ("latitude", "longitude")))
FROM = session.join(station, station.c.id == S.station_id)


async def ended(connection: AsyncConnection, after: int, upto: int) -> list[CardVisit]:
    """The visits of enrolled cards, with energy, whose end was told in these entries; no starts by phone or history."""
    numbers = (journal.c.n > after, journal.c.n <= upto, journal.c.kind == "SessionEnded")
    told = select(journal.c.session_id).where(*numbers, journal.c.session_id.is_not(None))
    query = select(*COLUMNS, *LOCATION).select_from(FROM.join(card, card.c.ref == S.token))
    done = (S.id.in_(told), ~HISTORY, S.ended_at.is_not(None), S.energy_wh > 0, card.c.kind != "app")
    rows = await connection.execute(query.where(*done).order_by(S.started_at))
    return [CardVisit(row.id, row.token, row.station_id, _visit(row)) for row in rows]


async def before(connection: AsyncConnection, one: CardVisit, limit: int) -> list[Visit]:
    """The newest visits of the same card that began before."""
    earlier = (S.token == one.token, S.started_at < one.visit.at, S.id != one.session)
    query = select(*COLUMNS, *LOCATION).select_from(FROM).where(*earlier).order_by(S.started_at.desc()).limit(limit)
    return [_visit(row) for row in await connection.execute(query)]


def _visit(row: Any) -> Visit:
    return Visit(row.started_at, location_of(row.station_id, row.site, row.latitude, row.longitude), row.energy_wh)


# --- unknown cards --------------------------------------------------------------------------------------

D = decision.c
UNKNOWN = D.status == Authorisation.UNKNOWN.value


async def met_strangers(connection: AsyncConnection, after: int, upto: int) -> Sequence[str]:
    """The stations at which unknown cards were tapped in these journal entries."""
    query = select(D.station_id).where(D.n > after, D.n <= upto, UNKNOWN).distinct()
    return (await connection.execute(query)).scalars().all()


async def strangers(connection: AsyncConnection, where: str, since: datetime) -> int:
    """How many different unknown cards were tapped at a station since an instant of ours."""
    first = await _first_since(connection, where, since)
    query = select(func.count(D.token.distinct())).where(D.station_id == where, D.n >= first, UNKNOWN)
    return int(await connection.scalar(query) or 0)


async def busiest_hours(connection: AsyncConnection, where: str, since: datetime, until: datetime) -> list[int]:
    """Of each day in between: how many different unknown cards were tapped at a station in its busiest hour."""
    first = await _first_since(connection, where, since)
    hour = type_coerce(D.at, BigInteger) // literal_column(str(HOUR_MICROS), BigInteger)
    there = (D.station_id == where, D.n >= first, D.at < until, UNKNOWN)
    rows = await connection.execute(select(hour, func.count(D.token.distinct())).where(*there).group_by(hour))
    counts = {int(hour): int(count) for hour, count in rows}
    days, last = (until - since) // timedelta(days=1), to_micros(until) // HOUR_MICROS
    return [max(counts.get(last - 24 * day - hour, 0) for hour in range(24)) for day in range(days)]


async def _first_since(connection: AsyncConnection, where: str, since: datetime) -> int:
    """The number of the first journal entry of a station since an instant; they grow with our time."""
    query = select(journal.c.n).where(journal.c.station_id == where, journal.c.received_at >= since)
    found = await connection.scalar(query.order_by(journal.c.received_at, journal.c.n).limit(1))
    return int(found) if found is not None else 2**62
