"""Where cards were last accepted, station by station: what the clone radar compares a tap with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from wattkeeper.charging.radar import Location, Point
from wattkeeper.store.columns import from_micros, to_micros
from wattkeeper.store.tables import decision, journal, sighting, station
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


async def tapped(unit: Unit, token: str, where: str, since: datetime) -> bool:
    """Whether a card was held to a station's reader since then, accepted or not: that is never told late."""
    await unit.flush()
    taps = decision.join(journal, (journal.c.n == decision.c.n) & (journal.c.kind == "TokenPresented"))
    here = (decision.c.token == token, decision.c.station_id == where, decision.c.at >= since)
    return await unit.connection.scalar(select(decision.c.n).select_from(taps).where(*here).limit(1)) is not None


async def locations(unit: Unit, stations: Collection[str]) -> dict[str, Location]:
    """Where stations stand; those that were removed are left out."""
    columns = (station.c.id, station.c.site, station.c.latitude, station.c.longitude)
    rows = await unit.connection.execute(select(*columns).where(station.c.id.in_([*stations])))
    return {row.id: location_of(row.id, row.site, row.latitude, row.longitude) for row in rows}


def location_of(identity: str, site: str | None, latitude: Any, longitude: Any) -> Location:
    """Where a station stands, by its columns."""
    known = latitude is not None and longitude is not None
    return Location(identity, site or "", Point(latitude, longitude) if known else None)
