"""Where cards were last accepted, station by station: what the clone radar compares a tap with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from wattkeeper.charging.cards.radar import Location, Point
from wattkeeper.store.columns import from_micros, to_micros
from wattkeeper.store.tables import sighting, station
from wattkeeper.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Seen:
    """A card was accepted at a station, by the station's time."""

    station: str
    at: datetime


async def since(unit: Unit, tokens: Collection[str], at: datetime) -> dict[str, list[Seen]]:
    """Where each of these cards was last accepted, at stations where that was after an instant."""
    which = "SELECT token, station_id, at FROM sighting WHERE token IN {tokens} AND at > CAST({since} AS BIGINT)"
    found: dict[str, list[Seen]] = {}
    for token, where, micros in await unit.select_lists(which, tokens=[*tokens], since=[str(to_micros(at))]):
        found.setdefault(token, []).append(Seen(where, from_micros(micros)))
    return found


def keep(unit: Unit, token: str, where: str, at: datetime) -> None:
    """Note at the unit's next flush that a card was accepted at a station; it replaces what was noted there."""
    unit.upsert(sighting, (token, where), (token, where, to_micros(at)))


async def tapped(unit: Unit, tokens: Collection[str], at: datetime) -> set[tuple[str, str]]:
    """Which of these cards were held to a reader since then, accepted or not, and at which station."""
    which = "SELECT DISTINCT d.token, d.station_id FROM decision AS d JOIN journal AS j ON j.n = d.n"
    which += " WHERE j.kind = 'TokenPresented' AND d.token IN {tokens} AND d.at >= CAST({since} AS BIGINT)"
    rows = await unit.select_lists(which, tokens=[*tokens], since=[str(to_micros(at))])
    return {(token, where) for token, where in rows}


async def locations(unit: Unit, stations: Collection[str]) -> dict[str, Location]:
    """Where stations stand; those that were removed are left out."""
    columns = (station.c.id, station.c.site, station.c.latitude, station.c.longitude)
    rows = await unit.connection.execute(select(*columns).where(station.c.id.in_([*stations])))
    return {row.id: location_of(row.id, row.site, row.latitude, row.longitude) for row in rows}


def location_of(identity: str, site: str | None, latitude: Any, longitude: Any) -> Location:
    """Where a station stands, by its columns."""
    known = latitude is not None and longitude is not None
    return Location(identity, site or "", Point(latitude, longitude) if known else None)
