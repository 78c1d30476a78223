"""What each session added to the totals, and which are to be counted again; the only writer of totals.

A session is counted again whenever more is told of it: what it added before is taken back in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import msgspec
from sqlalchemy import case, delete, func, insert, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.statistics.share import Part, Share, quarter_of
from wattkeeper.store.columns import to_micros, to_millionths
from wattkeeper.store.journal import reached
from wattkeeper.store.tables import (
    TOTALS,
    journal,
    load_quarter,
    session,
    stay_count,
    stay_day,
    tallied,
    tally_day,
    tally_hour,
    tally_month,
    untallied,
)
from wattkeeper.store.unit import Unit

SPANS = ("plugged_s", "charging_s", "idle_s", "energy_wh", "gross_minor", "sessions", "unknown_s", "unknown")
BY_CONNECTOR = (*SPANS, "ended", "empty", "stayed_s")
HOUR_QUARTERS, QUARTER_S = 4, 900
USUAL = 500
"""More sessions than that wait only while much is counted anew, or was imported."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a session added, and for which site."""

    site: str
    share: Share


# --- which are to be counted ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Touched:
    """A session of which something was told."""

    lives: bool
    since: datetime
    """When the first of it came, by our clock."""


async def touched(connection: AsyncConnection, after: int, limit: int) -> tuple[dict[str, Touched], int]:
    """The sessions that the ``limit`` journal entries after a number are about; and the number of the last of those."""
    n, s = journal.c.n, session.c
    upto = await connection.scalar(select(func.max(n)).where(n > after, n <= after + limit)) or after
    first = func.min(journal.c.received_at).label("since")
    which = select(s.id, s.live, first).join(journal, journal.c.session_id == s.id).where(n > after, n <= upto)
    rows = await connection.execute(which.group_by(s.id, s.live))
    return {row.id: Touched(bool(row.live), row.since) for row in rows}, upto


async def recount(unit: Unit, sessions: Mapping[str, datetime]) -> None:
    """Let sessions be counted again, which whoever counts them just now sees; since when what was told is missing."""
    dialect: Any = sqlite if unit.is_sqlite else postgresql
    wanted = dialect.insert(untallied)
    known, told = untallied.c.since, wanted.excluded.since
    changed = {"at": wanted.excluded.at, "since": case((known < told, known), else_=told)}
    asked = wanted.on_conflict_do_update(index_elements=["session_id"], set_=changed)
    rows = [{"session_id": one, "at": unit.now, "since": since} for one, since in sessions.items()]
    if rows:
        await unit.connection.execute(asked, rows)


async def recount_later(unit: Unit, sessions: Mapping[str, datetime]) -> None:
    """Let sessions be counted by themselves at an instant; one that waits already waits as it did."""
    dialect: Any = sqlite if unit.is_sqlite else postgresql
    rows = [{"session_id": one, "at": at} for one, at in sessions.items()]
    if rows:
        await unit.connection.execute(dialect.insert(untallied).on_conflict_do_nothing(), rows)


async def recount_station(unit: Unit, name: str, since: datetime) -> None:
    """Let sessions of a station be counted again: from an instant on it stands, or stood, at another site.

    By which of its two instants a session is of a site does not matter here: it is taken where either is late enough.
    """
    late = or_(session.c.started_at >= since, session.c.known_at >= since)
    its = select(session.c.id).where(session.c.station_id == name, late)
    found = list((await unit.connection.execute(its)).scalars())
    await recount(unit, dict.fromkeys(found, unit.now))


async def waiting(connection: AsyncConnection, now: datetime, limit: int) -> list[str]:
    """The sessions whose time has come, the newest first: where all is counted anew, what happens now is soon right."""
    u = untallied.c
    return list(
        (await connection.execute(select(u.session_id).where(u.at <= now).order_by(u.at.desc()).limit(limit))).scalars()
    )


async def behind(connection: AsyncConnection, now: datetime) -> int:
    """How many sessions wait whose time has come, where that is more than usually: then totals are partial; else 0."""
    waiting = int(await connection.scalar(select(func.count()).where(untallied.c.at <= now)) or 0)
    return waiting if waiting > USUAL else 0


async def as_of(connection: AsyncConnection, after: int, now: datetime) -> datetime:
    """Until when all that was recorded is in the totals; ``after``: the last journal entry that was followed."""
    missing: datetime | None = await connection.scalar(select(func.min(untallied.c.since)))
    return min(await reached(connection, after, now), missing or now)


async def take(unit: Unit, sessions: Sequence[str], until: datetime) -> None:
    """Let sessions wait for who counts them now; whoever marks one meanwhile is seen by it."""
    await unit.connection.execute(update(untallied).where(untallied.c.session_id.in_(sessions)).values(at=until))


async def still(connection: AsyncConnection, sessions: Sequence[str], until: datetime) -> list[str]:
    """Those of these sessions that nobody marked or took since they were taken."""
    u = untallied.c
    return list(await connection.scalars(select(u.session_id).where(u.session_id.in_(sessions), u.at == until)))


async def counted(connection: AsyncConnection, sessions: Sequence[str]) -> dict[str, Counted]:
    """What these sessions added; those left out that were not counted yet."""
    rows = await connection.execute(select(tallied).where(tallied.c.session_id.in_(sessions)))
    return {row.session_id: Counted(row.site, msgspec.json.decode(row.share, type=Share)) for row in rows}


# --- counting -----------------------------------------------------------------------------------------------------


async def count(
    unit: Unit, names: Sequence[str], shares: Mapping[str, Counted], zone: tzinfo, again: Mapping[str, datetime]
) -> None:
    """Count sessions, in place of what they added before; one without a share adds nothing any more.

    ``again``: those that are to be counted once more, and when.
    """
    for before in (await counted(unit.connection, names)).values():
        _add(unit, before, zone, -1)
    for name, now in shares.items():
        _add(unit, now, zone, 1)
        row = (name, now.site, to_micros(unit.now), to_micros(now.share.until), msgspec.json.encode(now.share).decode())
        unit.upsert(tallied, (name,), row)
    await unit.connection.execute(delete(untallied).where(untallied.c.session_id.in_(names)))
    gone = [name for name in names if name not in shares]
    if gone:
        await unit.connection.execute(delete(tallied).where(tallied.c.session_id.in_(gone)))
    await recount_later(unit, again)


async def put_off(unit: Unit, name: str, at: datetime) -> None:
    """Count a session later."""
    await unit.connection.execute(update(untallied).where(untallied.c.session_id == name).values(at=at))


async def begin_again(unit: Unit) -> None:
    """Drop all totals, and count every session there is."""
    for table in (*TOTALS, tallied, untallied):
        await unit.connection.execute(delete(table))
    began = session.c.started_at
    since = case((began < unit.now, began), else_=literal(unit.now, began.type))
    every = select(session.c.id, since, since)
    await unit.connection.execute(insert(untallied).from_select(["session_id", "at", "since"], every))


def _add(unit: Unit, one: Counted, zone: tzinfo, sign: int) -> None:
    """Add a share to all totals, or take it away."""
    for part in one.share.parts:
        _add_part(unit, one, part, zone, sign)
    if one.share.ended:
        began = one.share.started_at.astimezone(zone).date().isoformat()
        lasted = int(one.share.stayed_s) // QUARTER_S
        unit.add(stay_day, ("sessions",), (one.site, began, lasted, sign))
        unit.add(stay_count, ("sessions",), (one.site, began[:7], lasted, sign))


def _add_part(unit: Unit, one: Counted, part: Part, zone: tzinfo, sign: int) -> None:
    """Add what fell into a quarter hour."""
    share, began = one.share, int(part.quarter == quarter_of(one.share.started_at))
    of, day = (one.site, share.station, share.evse, share.connector), part.at.astimezone(zone).date().isoformat()
    exact = [to_millionths(amount) for amount in (part.plugged_s, part.charging_s, part.idle_s, part.energy_wh)]
    unknown = (exact[0], began) if share.is_unknown else (0, 0)
    spans = [sign * amount for amount in (*exact, part.gross_minor, began, *unknown)]
    spread_wh = sign * to_millionths(part.spread_wh)
    of_session = (began * share.ended, began * share.is_empty, began * to_millionths(share.stayed_s))
    own = (*spans, *(sign * amount for amount in of_session))
    hour = part.quarter - part.quarter % HOUR_QUARTERS
    unit.add(load_quarter, ("energy_wh", "spread_wh"), (one.site, to_micros(part.at), spans[3], spread_wh))
    unit.add(tally_hour, SPANS, (one.site, to_micros(Part(hour).at), *spans))
    unit.add(tally_day, BY_CONNECTOR, (*of, day, *own))
    unit.add(tally_month, BY_CONNECTOR, (*of, day[:7], *own))
