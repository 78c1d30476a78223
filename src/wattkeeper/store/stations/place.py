"""Stations as drivers find them: where they stand and how their EVSEs do, never who uses them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.station import ConnectorStatus
from wattkeeper.store import reach
from wattkeeper.store.stations.station import new_mark, plugs_of
from wattkeeper.store.tables import connector, session, station, station_state
from wattkeeper.store.unit import Unit

C = station.c


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A station as drivers find it."""

    id: str
    label: str
    address: str
    latitude: Decimal | None
    longitude: Decimal | None
    max_power_w: Decimal | None
    plugs: Mapping[int, str]
    """OCPI ConnectorType by EVSE."""
    mark: str | None
    """What its printed codes call it."""
    site: str
    online: bool
    statuses: Mapping[int, Collection[ConnectorStatus]] = field(default_factory=dict)
    """What the connectors of each EVSE do; 0 is the station as a whole."""
    occupied: Collection[int] = ()
    """EVSEs at which a session lives."""

    @property
    def evses(self) -> list[int]:
        """The EVSEs that it told of, or that people said it has."""
        return sorted({*self.plugs, *self.statuses} - {0})


BARE = tuple(one.name for one in fields(PlaceRow))[:10]
PLACES = select(
    *(C.id, C.label, C.address, C.latitude, C.longitude, C.max_power_w, C.plugs, C.mark, C.site),
    func.coalesce(station_state.c.online, False),
).select_from(station.outerjoin(station_state, station_state.c.station_id == C.id))


async def located(connection: AsyncConnection) -> list[tuple[str, Decimal, Decimal]]:
    """Where the listed stations stand: id, degrees north, degrees east."""
    wanted = select(C.id, C.latitude, C.longitude).where(C.is_listed, C.latitude.is_not(None), C.longitude.is_not(None))
    return [(row.id, row.latitude, row.longitude) for row in await connection.execute(wanted)]


async def found(connection: AsyncConnection, words: str, limit: int) -> list[PlaceRow]:
    """Listed stations whose name, address or id has these words, by name."""
    wanted = PLACES.where(C.is_listed)
    for word in words.split()[:8]:
        wanted = wanted.where(or_(*(c.icontains(word, autoescape=True) for c in (C.label, C.address, C.id))))
    return await _whole(connection, (await connection.execute(wanted.order_by(C.label, C.id).limit(limit))).all())


async def listed(connection: AsyncConnection, ids: Collection[str]) -> list[PlaceRow]:
    """Those of these stations that are listed."""
    return await _whole(connection, (await connection.execute(PLACES.where(C.is_listed, C.id.in_(ids)))).all())


async def named(connection: AsyncConnection, ids: Collection[str]) -> dict[str, PlaceRow]:
    """These stations by id, listed or not: for whoever has to do with them already."""
    rows = await _whole(connection, (await connection.execute(PLACES.where(C.id.in_(ids)))).all())
    return {row.id: row for row in rows}


async def marked(connection: AsyncConnection, mark: str) -> PlaceRow | None:
    """The station, listed or not, that printed codes call this."""
    rows = await _whole(connection, (await connection.execute(PLACES.where(C.mark == mark))).all())
    return rows[0] if rows else None


async def for_staff(connection: AsyncConnection, viewer: Viewer, name: str) -> PlaceRow | None:
    """A station, listed or not, where the viewer may see it."""
    wanted = PLACES.where(C.id == name, reach.stations(viewer))
    rows = await _whole(connection, (await connection.execute(wanted)).all())
    return rows[0] if rows else None


async def remark(unit: Unit, name: str) -> bool:
    """Let codes call a station otherwise from now on; False where there is no such station."""
    changed = await unit.connection.execute(update(station).where(C.id == name).values(mark=new_mark()))
    return bool(changed.rowcount)


async def mark_all(unit: Unit) -> None:
    """Mark the stations that have no mark: those of the first release."""
    for name in (await unit.connection.scalars(select(C.id).where(C.mark.is_(None)))).all():
        await remark(unit, name)


async def _whole(connection: AsyncConnection, rows: Sequence[Any]) -> list[PlaceRow]:
    """Places of their rows, with how their EVSEs do."""
    names = [row.id for row in rows]
    k, s = connector.c, session.c
    statuses: dict[str, dict[int, list[ConnectorStatus]]] = {name: {} for name in names}
    for name, evse, status in await connection.execute(
        select(k.station_id, k.evse, k.status).where(k.station_id.in_(names))
    ):
        statuses[name].setdefault(evse, []).append(ConnectorStatus(status))
    occupied: dict[str, set[int]] = {name: set() for name in names}
    for name, evse in await connection.execute(
        select(s.station_id, s.evse).where(s.live, s.evse.is_not(None), s.station_id.in_(names))
    ):
        occupied[name].add(evse)
    return [_place(row, statuses[row.id], occupied[row.id]) for row in rows]


def _place(row: Any, statuses: Mapping[int, Collection[ConnectorStatus]], occupied: Collection[int]) -> PlaceRow:
    """A place of its row, selected as PLACES."""
    told = dict(zip(BARE, row, strict=True))
    told["plugs"] = plugs_of(told["plugs"])
    told["online"] = bool(told["online"])
    return PlaceRow(**told, statuses=statuses, occupied=occupied)
