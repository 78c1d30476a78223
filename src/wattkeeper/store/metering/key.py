"""The pinned keys of meters and where values must be signed: kept for good, one after the other."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.person import Viewer
from wattkeeper.store import deed, reach
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import meter_key, meter_rule, offered_key
from wattkeeper.store.unit import Unit

K, R, F = meter_key.c, meter_rule.c, offered_key.c


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key that somebody pinned."""

    id: str
    station: str
    evse: int
    serial: str
    key: str
    """Hexadecimal."""
    curve: str
    mark: str
    since: datetime
    until: datetime | None
    created_at: datetime
    created_by: str
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """Whether values must be signed at an EVSE (0: at all that have no ruling of their own) from an instant on."""

    station: str
    evse: int
    is_required: bool
    since: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class OfferedRow:
    """A key that came with values."""

    evse: int
    key: str
    seen_at: datetime


KEYS: Select[Any] = select(
    *(K.id, K.station_id, K.evse, K.serial, K.key, K.curve, K.mark),
    *(K.since, K.until, K.created_at, K.created_by, K.ended_by),
)
RULES: Select[Any] = select(R.station_id, R.evse, R.is_required, R.since, R.created_by)


async def at_station(connection: AsyncConnection, viewer: Viewer, station: str) -> list[KeyRow]:
    """Every key that was ever pinned at a station, by EVSE, the newest first."""
    wanted = KEYS.where(K.station_id == station, reach.station_named(viewer, K.station_id))
    return [KeyRow(*row) for row in await connection.execute(wanted.order_by(K.evse, K.since.desc()))]


async def holding(connection: AsyncConnection, station: str, evse: int | None, at: datetime) -> list[KeyRow]:
    """The keys that may have signed what we heard of first at an instant, by our clock.

    That of the meter at the EVSE; where nobody said at which EVSE, those of all meters of the station.
    """
    held = (K.station_id == station, K.since <= at, or_(K.until.is_(None), K.until > at))
    wanted = KEYS.where(*held, *((K.evse == evse,) if evse else ())).order_by(K.evse, K.since.desc())
    return [KeyRow(*row) for row in await connection.execute(wanted)]


async def others(connection: AsyncConnection, station: str, serials: Collection[str], most: int) -> list[KeyRow]:
    """Keys pinned elsewhere at this station, or for meters of these serials: who else may have signed."""
    wanted = KEYS.where(or_(K.station_id == station, K.serial.in_([*serials]))).order_by(K.since.desc())
    return [KeyRow(*row) for row in await connection.execute(wanted.limit(most))]


async def newest(unit: Unit, station: str, evse: int) -> KeyRow | None:
    """The key pinned last at an EVSE, ended or not."""
    wanted = KEYS.where(K.station_id == station, K.evse == evse).order_by(K.since.desc()).limit(1)
    row = (await unit.connection.execute(wanted)).first()
    return None if row is None else KeyRow(*row)


async def pin(
    unit: Unit, station: str, evse: int, serial: str, key: tuple[str, str, str], since: datetime, by: str
) -> KeyRow:
    """Pin a key (hexadecimal, curve, mark) from an instant on."""
    told = (secrets.token_hex(8), station, evse, serial, *key, since, None, unit.now, by, None)
    names = [column.name for column in meter_key.columns]
    await unit.connection.execute(insert(meter_key).values(dict(zip(names, told, strict=True))))
    return KeyRow(*told)


async def end(unit: Unit, identifier: str, until: datetime, by: str) -> None:
    """End a key at an instant."""
    await unit.connection.execute(update(meter_key).where(K.id == identifier).values(until=until, ended_by=by))
    told = {"what": "ended", "until": to_micros(until)}
    await deed.enter(unit, DeedKind.METER_KEY, by, identifier, told)


async def rules(connection: AsyncConnection, viewer: Viewer, station: str) -> list[RuleRow]:
    """What was ruled at a station, the newest first."""
    wanted = RULES.where(R.station_id == station, reach.station_named(viewer, R.station_id)).order_by(R.n.desc())
    return [RuleRow(*row) for row in await connection.execute(wanted)]


async def is_required(connection: AsyncConnection, station: str, evse: int | None, at: datetime) -> bool:
    """Whether values must be signed for what we heard of first at an instant, by our clock.

    The ruling of the EVSE goes before the station's. Where nobody said at which EVSE, what is required somewhere is
    required, and so it is where any key is pinned: else leaving out the EVSE would get round them.
    """
    ruled = select(R.evse, R.is_required).where(R.station_id == station, R.since <= at).order_by(R.n)
    newest_of = {row.evse: row.is_required for row in await connection.execute(ruled)}
    if evse:
        return bool(newest_of.get(evse, newest_of.get(0, False)))
    return any(newest_of.values()) or bool(await holding(connection, station, None, at))


async def rule(unit: Unit, station: str, evse: int, required: bool, by: str) -> None:
    """Rule from now on."""
    n = int(await unit.connection.scalar(select(func.max(R.n))) or 0) + 1
    values = {"n": n, "station_id": station, "evse": evse, "is_required": required, "since": unit.now}
    await unit.connection.execute(insert(meter_rule).values(values | {"created_by": by}))


async def offered(connection: AsyncConnection, viewer: Viewer, station: str) -> list[OfferedRow]:
    """The keys that came with values of a station, the newest first."""
    wanted = select(F.evse, F.key, F.seen_at).where(F.station_id == station, reach.station_named(viewer, F.station_id))
    return [OfferedRow(*row) for row in await connection.execute(wanted.order_by(F.seen_at.desc()).limit(50))]


async def concerned(connection: AsyncConnection, stations: Sequence[str]) -> set[str]:
    """Those of these stations at which a key was pinned, or values are or were required to be signed."""
    found: set[Any] = set()
    for column in (K.station_id, R.station_id):
        found |= set((await connection.execute(select(column).where(column.in_(stations)).distinct())).scalars())
    return found
