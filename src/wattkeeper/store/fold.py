"""Sessions as folded: saved, and found by id, by transaction, by natural key, by place and by token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import select

from wattkeeper.charging.evidence import grade
from wattkeeper.charging.session import Session, SessionState
from wattkeeper.store.columns import to_micros, to_millionths
from wattkeeper.store.tables import session as table
from wattkeeper.store.unit import Unit

_ENCODER = msgspec.json.Encoder()
decode = msgspec.json.Decoder(Session).decode
"""A session of its ``fold`` column."""


def save(unit: Unit, session: Session, heard_at: datetime, n: int) -> None:
    """Set the session's row at the unit's next flush."""
    ended_at, energy, power = session.ended_at, session.energy_wh, session.track.power_w
    row = (
        session.id,
        session.station,
        session.evse,
        session.connector,
        session.key,
        session.ref,
        session.token,
        session.state.value,
        session.is_live,
        grade(session).value,
        to_micros(session.started_at),
        None if ended_at is None else to_micros(ended_at),
        None if energy is None else to_millionths(energy),
        to_millionths(power) if power is not None and session.is_live else None,
        to_micros(heard_at),
        n,
        _ENCODER.encode(session).decode(),
    )
    unit.upsert(table, (session.id,), row)


async def by_refs(unit: Unit, refs: Collection[str]) -> list[Session]:
    """Every session with one of these transaction ids, of whichever station."""
    rows = await unit.select_in("SELECT fold FROM session WHERE ref IN {values}", [*refs])
    return [decode(fold) for (fold,) in rows]


async def by_keys(unit: Unit, keys: Collection[str]) -> list[Session]:
    """Every session with one of these natural keys, of whichever station."""
    rows = await unit.select_in("SELECT fold FROM session WHERE key IN {values}", [*keys])
    return [decode(fold) for (fold,) in rows]


async def by_ids(unit: Unit, ids: Collection[str]) -> list[Session]:
    """The sessions with these ids."""
    rows = await unit.select_in("SELECT fold FROM session WHERE id IN {values}", [*ids])
    return [decode(fold) for (fold,) in rows]


async def live_at(unit: Unit, stations: Collection[str]) -> list[Session]:
    """The sessions that occupy an EVSE of these stations now."""
    rows = await unit.select_in("SELECT fold FROM session WHERE live AND station_id IN {values}", [*stations])
    return [decode(fold) for (fold,) in rows]


async def live_on(unit: Unit, tokens: Collection[str]) -> Counter[str]:
    """How many live sessions run on each of these tokens."""
    rows = await unit.select_in(
        "SELECT token, count(*) FROM session WHERE live AND token IN {values} GROUP BY token", [*tokens]
    )
    return Counter({token: count for token, count in rows})


async def unended(unit: Unit, station: str) -> list[Session]:
    """The station's newest sessions whose true end was never told, estimated ones included."""
    query = (
        select(table.c.fold)
        .where(table.c.station_id == station, table.c.state != SessionState.ENDED.value)
        .order_by(table.c.started_at.desc())
        .limit(50)
    )
    return [decode(fold) for (fold,) in await unit.connection.execute(query)]


async def covering(unit: Unit, station: str, evse: int, at: datetime) -> Session | None:
    """The ended session that ran at this EVSE at this instant, if any."""
    c = table.c
    query = select(c.fold).where(c.station_id == station, c.evse == evse, c.started_at <= at, c.ended_at >= at)
    fold = (await unit.connection.execute(query.order_by(c.started_at.desc()).limit(1))).scalar()
    return None if fold is None else decode(fold)
