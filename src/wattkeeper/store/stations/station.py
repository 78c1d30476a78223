"""Stations: who is admitted, by which key, and who knocks."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import case, delete, exists, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.identifiers import IMPORTED
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.station import ConnectorStatus, Version
from wattkeeper.store import deed, reach
from wattkeeper.store.columns import from_millionths
from wattkeeper.store.stations import placement
from wattkeeper.store.statistics import share
from wattkeeper.store.tables import connector, knock, session, station, station_state
from wattkeeper.store.unit import Unit

MOST_KNOCKS = 200
"""How many unknown stations the waiting room holds; whoever came once and longest ago makes room."""
MOST_KNOCKS_FROM_ONE = 50
"""How many of them from one address: nobody alone can crowd the others out."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves that a connection comes from a station, and how that station was last seen."""

    station: str
    salt: bytes
    key_hash: bytes
    version: Version | None
    """The dialect of its newest connection."""
    booted: bool
    """Whether it ever told us of a boot."""
    key_version: int = 1
    """Under which version of the pepper its key is kept."""


@dataclass(frozen=True, slots=True)
class Knock:
    """Tries of a station that nobody has admitted."""

    station: str
    address: str
    offered: str
    tries: int
    first_at: datetime
    last_at: datetime
    dismissed: bool = False


C = station.c
CREDENTIALS = """
SELECT asked.id, s.salt, s.key_hash, t.version, t.booted_at IS NOT NULL, s.key_version FROM {asked}
LEFT JOIN station AS s ON s.id = asked.id LEFT JOIN station_state AS t ON t.station_id = asked.id
"""
ON_SQLITE = text(CREDENTIALS.format(asked="(SELECT value AS id FROM json_each(:ids)) AS asked"))
ON_POSTGRES = text(CREDENTIALS.format(asked="unnest(CAST(:ids AS text[])) AS asked(id)"))


async def credentials(connection: AsyncConnection, ids: Collection[str]) -> dict[str, Credential | None]:
    """What these stations prove themselves with, None for those that do not exist.

    Each gives one row, whether it exists or not, so that the time of looking does not tell.
    """
    if connection.dialect.name == "sqlite":
        rows = await connection.execute(ON_SQLITE, {"ids": orjson.dumps([*ids]).decode()})
    else:
        rows = await connection.execute(ON_POSTGRES, {"ids": [*ids]})
    return {row[0]: _credential(*row) for row in rows}


def _credential(
    name: str, salt: bytes | None, key: bytes | None, version: str | None, booted: bool, pepper: int | None
) -> Credential | None:
    """The credential of its row."""
    spoken = Version(version) if version else None
    made = Credential(name, bytes(salt or b""), bytes(key or b""), spoken, bool(booted), pepper or 1)
    return made if salt is not None else None


async def has_others(connection: AsyncConnection, by: str) -> bool:
    """Whether there is a station that was admitted by another, or a session of none of theirs or of history."""
    theirs = select(C.id).where(C.created_by == by)
    stations = select(C.id).where(C.created_by != by)
    sessions = select(session.c.id).where(or_(session.c.station_id.not_in(theirs), session.c.key.like(f"{IMPORTED}%")))
    return bool(await connection.scalar(select(or_(exists(stations), exists(sessions)))))


async def keys(unit: Unit) -> list[tuple[str, bytes, bytes]]:
    """Every station with the salt and the HMAC of its key."""
    rows = await unit.connection.execute(select(C.id, C.salt, C.key_hash))
    return [(name, bytes(salt), bytes(key_hash)) for name, salt, key_hash in rows]


async def known(connection: AsyncConnection, ids: Collection[str]) -> set[str]:
    """Those of these stations that exist."""
    return set(await connection.scalars(select(C.id).where(C.id.in_(ids))))


async def place(unit: Unit, name: str) -> tuple[str, str | None] | None:
    """Where a station stands and which plugs it has (JSON), for the rule on cards; None where there is no such one."""
    row = (await unit.connection.execute(select(C.site, C.plugs).where(C.id == name))).first()
    return None if row is None else (row.site, row.plugs)


async def max_powers(unit: Unit, ids: Collection[str]) -> dict[str, Decimal]:
    """What one EVSE of each of these stations can deliver at most, W, where it is known."""
    rows = await unit.select_in(
        "SELECT id, max_power_w FROM station WHERE max_power_w IS NOT NULL AND id IN {values}", [*ids]
    )
    return {name: from_millionths(power) for name, power in rows}


def new_mark() -> str:
    """What printed codes call a station: drawn, so that it tells nothing and cannot be guessed."""
    return base64.b32encode(secrets.token_bytes(5)).decode()


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A station's key as it is kept: its HMAC under a version of the pepper."""

    salt: bytes
    digest: bytes
    version: int


async def admit(
    unit: Unit, name: str, key: KeptKey, by: str, label: str, site: str, max_power_w: Decimal | None
) -> None:
    """Make a station, and take it out of the waiting room."""
    values = {"id": name, "label": label, "site": site, **_kept(key)}
    more = {"max_power_w": max_power_w, "created_at": unit.now, "created_by": by}
    unseen = {"address": "", "is_listed": False, "mark": new_mark()}
    await unit.connection.execute(insert(station).values({**values, **more, **unseen}))
    await unit.connection.execute(delete(knock).where(knock.c.station_id == name))
    await deed.enter(unit, DeedKind.STATION, by, name, {"what": "admitted", "site": site})
    await _put(unit, name, site)


def _kept(key: KeptKey) -> dict[str, Any]:
    return {"salt": key.salt, "key_hash": key.digest, "key_version": key.version}


async def change_key(unit: Unit, name: str, key: KeptKey, by: str = "") -> bool:
    """Give a station another key; False where there is no such station."""
    changed = await unit.connection.execute(update(station).where(C.id == name).values(**_kept(key)))
    if changed.rowcount:
        await deed.enter(unit, DeedKind.STATION, by, name, {"what": "another key"})
    return bool(changed.rowcount)


async def keep_anew(unit: Unit, name: str, was: bytes, key: KeptKey) -> None:
    """Keep the same key under a newer pepper, unless it was changed meanwhile."""
    mine = (C.id == name) & (C.key_hash == was)
    await unit.connection.execute(update(station).where(mine).values(**_kept(key)))


async def kept_before(connection: AsyncConnection, version: int) -> list[str]:
    """The stations whose keys are kept under an older version of the pepper."""
    return [*(await connection.scalars(select(C.id).where(C.key_version < version).order_by(C.id)))]


async def remove(unit: Unit, name: str, by: str = "") -> bool:
    """Forget that a station may connect (what it told stays in the journal); False where there is no such station."""
    gone = await unit.connection.execute(delete(station).where(C.id == name))
    if gone.rowcount:
        await deed.enter(unit, DeedKind.STATION, by, name, {"what": "removed"})
    return bool(gone.rowcount)


# --- the waiting room ---------------------------------------------------------------------------------


async def note_knocks(unit: Unit, tries: Sequence[Knock]) -> None:
    """Count these tries, then let the waiting room hold no more than it may."""
    admitted = await known(unit.connection, [one.station for one in tries])
    for one in tries:
        if one.station not in admitted:
            await _note_knock(unit, one)
    order = (case((knock.c.tries > 1, 0), else_=1), knock.c.last_at.desc())
    place = func.row_number().over(partition_by=knock.c.address, order_by=order)
    shared = select(knock.c.station_id, place.label("place")).subquery()
    fair = select(shared.c.station_id).where(shared.c.place <= MOST_KNOCKS_FROM_ONE)
    await unit.connection.execute(delete(knock).where(knock.c.station_id.not_in(fair)))
    newest = select(knock.c.station_id).order_by(*order)
    await unit.connection.execute(delete(knock).where(knock.c.station_id.not_in(newest.limit(MOST_KNOCKS))))


async def _note_knock(unit: Unit, one: Knock) -> None:
    """Count the tries of one station."""
    seen = {"address": one.address, "offered": one.offered, "last_at": one.last_at}
    again = update(knock).where(knock.c.station_id == one.station).values(**seen, tries=knock.c.tries + one.tries)
    if not (await unit.connection.execute(again)).rowcount:
        first = {"station_id": one.station, "tries": one.tries, "first_at": one.first_at, "dismissed": False}
        await unit.connection.execute(insert(knock).values(**seen, **first))


async def knocks(connection: AsyncConnection, viewer: Viewer) -> list[Knock]:
    """Who waits to be admitted and was not turned away, the newest first; they are at no site yet."""
    viewer.need(Scope.STATIONS_READ)
    c = knock.c
    wanted = select(c.station_id, c.address, c.offered, c.tries, c.first_at, c.last_at).where(~c.dismissed)
    return [Knock(*row) for row in await connection.execute(wanted.order_by(c.last_at.desc(), c.station_id))]


async def dismiss(unit: Unit, name: str) -> bool:
    """Turn a waiting station away; False where none of that name waits."""
    changed = await unit.connection.execute(update(knock).where(knock.c.station_id == name).values(dismissed=True))
    return bool(changed.rowcount)


async def exists_here(connection: AsyncConnection, name: str) -> bool:
    """Whether there is such a station."""
    return bool(await connection.scalar(select(exists().where(C.id == name))))


# --- what people see ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StationRow:
    """A station as it is listed: what people say of it, then what it told of itself."""

    id: str
    label: str
    site: str
    max_power_w: Decimal | None
    created_at: datetime
    created_by: str
    version: Version | None
    online: bool
    online_since: datetime | None
    """Since when it is, or is not, connected."""
    last_heard_at: datetime | None
    booted_at: datetime | None
    vendor: str | None
    model: str | None
    serial: str | None
    firmware: str | None
    displays_messages: bool
    address: str
    latitude: Decimal | None
    longitude: Decimal | None
    plugs: Mapping[int, str]
    """OCPI ConnectorType by EVSE."""
    is_listed: bool
    """Whether drivers find it."""
    site_since: datetime | None
    """Since when it stands at its site; None: always."""


@dataclass(frozen=True, slots=True)
class ConnectorRow:
    """A connector as it last showed itself; evse 0 is the station as a whole."""

    station: str
    evse: int
    connector: int
    status: ConnectorStatus
    said: str
    """The station's own word for the status."""
    error: str | None
    info: str | None
    since: datetime


NAMES = tuple(field.name for field in fields(StationRow))
T = station_state.c
SEEN = select(
    *(C.id, C.label, C.site, C.max_power_w, C.created_at, C.created_by, T.version, T.online, T.online_since),
    *(T.last_heard_at, T.booted_at, T.vendor, T.model, T.serial, T.firmware, T.displays_messages),
    *(C.address, C.latitude, C.longitude, C.plugs, C.is_listed),
    placement.here_since(C.id).label("site_since"),
).select_from(station.outerjoin(station_state, T.station_id == C.id))


async def seen(connection: AsyncConnection, viewer: Viewer, name: str) -> StationRow | None:
    """The station of this id, where the viewer may see it."""
    row = (await connection.execute(SEEN.where(C.id == name, reach.stations(viewer)))).first()
    return None if row is None else _seen(row)


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    *,
    online: bool | None = None,
    words: str | None = None,
    after: str | None = None,
) -> list[StationRow]:
    """The first ``limit`` stations after this id, by id; ``words`` is looked for in id, label and site."""
    wanted = SEEN.where(reach.stations(viewer))
    if online is not None:
        wanted = wanted.where(func.coalesce(T.online, False) == online)
    if words:
        wanted = wanted.where(or_(*(column.icontains(words, autoescape=True) for column in (C.id, C.label, C.site))))
    if after is not None:
        wanted = wanted.where(C.id > after)
    return [_seen(row) for row in await connection.execute(wanted.order_by(C.id).limit(limit))]


async def connectors(connection: AsyncConnection, viewer: Viewer, name: str, limit: int = 500) -> list[ConnectorRow]:
    """The connectors of a station, by EVSE and number."""
    c = connector.c
    wanted = select(c.station_id, c.evse, c.connector, c.status, c.said, c.error, c.info, c.since)
    wanted = wanted.where(c.station_id == name, reach.station_named(viewer, c.station_id))
    wanted = wanted.order_by(c.evse, c.connector).limit(limit)
    return [ConnectorRow(*row[:3], ConnectorStatus(row[3]), *row[4:]) for row in await connection.execute(wanted)]


async def describe(
    unit: Unit, name: str, changes: Mapping[str, object], site_since: datetime | None = None, by: str = ""
) -> bool:
    """Change what people say of a station; False where there is no such station.

    ``site_since``: since when it stands at the site that is told, or at its own (`placement.put`); None: from now on.
    """
    values = dict(changes)
    if site_since is not None and "site" not in values:
        values["site"] = await unit.connection.scalar(select(C.site).where(C.id == name))
    if not values:
        return await exists_here(unit.connection, name)
    if isinstance(changes.get("plugs"), Mapping):
        values["plugs"] = plugs_text(changes["plugs"])  # type: ignore[arg-type]
    was = await placement.spot(unit, name)
    changed = await unit.connection.execute(update(station).where(C.id == name).values(values))
    if (
        changed.rowcount
        and isinstance(site := values.get("site"), str)
        and await _put(unit, name, site, site_since, was)
    ):
        told = {"what": "moved", "site": site, "since": None if site_since is None else site_since.isoformat()}
        await deed.enter(unit, DeedKind.STATION, by, name, told)
    return bool(changed.rowcount)


async def _put(
    unit: Unit, name: str, site: str, since: datetime | None = None, left: placement.Spot | None = None
) -> bool:
    """Let a station stand at a site, and its sessions be counted for where they ran; whether that is news."""
    changed = await placement.put(unit, name, site, since, left)
    if changed is not None:
        await share.recount_station(unit, name, changed)
    return changed is not None


def _seen(row: Sequence[Any]) -> StationRow:
    """A station of a row selected as SEEN; one that never connected has told nothing."""
    values = dict(zip(NAMES, row, strict=True))
    values["version"] = Version(values["version"]) if values["version"] else None
    values["online"], values["displays_messages"] = bool(values["online"]), bool(values["displays_messages"])
    values["site_since"] = None if values["site_since"] == placement.ALWAYS else values["site_since"]
    return StationRow(**values | {"plugs": plugs_of(values["plugs"])})


def plugs_of(text: str | None) -> dict[int, str]:
    """The plugs of a station's EVSEs, as the column has them."""
    return {int(evse): plug for evse, plug in orjson.loads(text or "{}").items()}


def plugs_text(plugs: Mapping[int, str]) -> str | None:
    """The plugs of a station's EVSEs, as the column keeps them."""
    return orjson.dumps({str(evse): plug for evse, plug in sorted(plugs.items())}).decode() if plugs else None


async def connectors_of(connection: AsyncConnection, viewer: Viewer, names: Collection[str]) -> list[ConnectorRow]:
    """The connectors of these stations, by station, EVSE and number."""
    c = connector.c
    wanted = select(c.station_id, c.evse, c.connector, c.status, c.said, c.error, c.info, c.since)
    wanted = wanted.where(c.station_id.in_(names), reach.station_named(viewer, c.station_id))
    wanted = wanted.order_by(c.station_id, c.evse, c.connector)
    return [ConnectorRow(*row[:3], ConnectorStatus(row[3]), *row[4:]) for row in await connection.execute(wanted)]
