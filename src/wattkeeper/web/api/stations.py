"""Stations and their connectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.station import ConnectorStatus, Version
from wattkeeper.store.stations import station as stations
from wattkeeper.store.stations.placement import ALWAYS
from wattkeeper.store.stations.station import StationRow
from wattkeeper.web.api.shapes import (
    INTEGER,
    Amount,
    Asked,
    Here,
    Identity,
    Instant,
    Limit,
    Line,
    Nothing,
    StationId,
    StationsReader,
    StationsWriter,
    Told,
    Truth,
    Words,
    fields_given,
)
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["stations"])
Power = Annotated[int, Field(ge=1, le=10_000_000), INTEGER]
Degrees = Annotated[Decimal, Field(ge=-180, le=180)]
Evse = Annotated[str, StringConstraints(pattern=r"^([1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$")]
Plug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,40}$")]
PLUGS = 'The plug of each EVSE (OCPI ConnectorType), such as `{"1": "IEC_62196_T2"}`.'
SINCE = "Since when it stands at the `site` given, or at its own; null: it always did; left out: from now on."
LISTED = "Whether drivers find it in the app."
POWER = "The most one of its EVSEs can deliver, W."
Key = Annotated[str, StringConstraints(min_length=16, max_length=40, pattern=r"^[\x20-\x7E]+$")]


class Station(Told):
    """A station: what people say of it, then what it told of itself."""

    id: str
    label: str
    site: str
    site_since: datetime | None = Field(description="Since when it stands at this site; null: always.")
    address: str
    latitude: Amount | None = Field(description="Degrees north.")
    longitude: Amount | None = Field(description="Degrees east.")
    plugs: dict[int, str] = Field(description=PLUGS)
    is_listed: bool = Field(description=LISTED)
    max_power_w: Amount | None
    created_at: datetime
    created_by: Words
    version: Version | None = Field(description="The dialect of its newest connection; null where it never connected.")
    online: bool
    online_since: datetime | None = Field(description="Since when it is, or is not, connected.")
    last_heard_at: datetime | None
    booted_at: datetime | None
    vendor: str | None
    model: str | None
    serial: str | None
    firmware: str | None


class StationList(BaseModel):
    """Stations by id."""

    items: list[Station]
    next: str | None


class NewStation(Asked):
    """A station to be let in."""

    id: Identity
    label: Line = ""
    site: Line = ""
    key: Key | None = Field(None, description="Its key; leave it out and one is made.")
    max_power_w: Power | None = Field(None, description=POWER)


class NewKey(Asked):
    """Another key."""

    key: Key | None = Field(None, description="Leave it out and one is made.")


class ShownKey(BaseModel):
    """A station's key, shown this once."""

    id: str
    key: str = Field(description="Type it into the station; it cannot be shown again.")


class Description(Asked):
    """What people say of a station; members that are absent stay as they are."""

    label: Line = ""
    site: Line = Field("", description="Where it stands; what happened before it came stays with the site before.")
    site_since: Instant | None = Field(None, description=SINCE)
    address: Line = Field("", description="Street and town, for drivers.")
    latitude: Annotated[Degrees, Field(ge=-90, le=90)] | None = Field(None, description="Degrees north.")
    longitude: Degrees | None = Field(None, description="Degrees east.")
    plugs: Annotated[dict[Evse, Plug], Field(max_length=64)] | None = Field(None, description=PLUGS)
    is_listed: Annotated[bool, Field(strict=True)] = Field(False, description=LISTED)
    max_power_w: Power | None = Field(None, description=POWER)


class Connector(Told):
    """A connector as it last showed itself."""

    evse: int = Field(description="0 is the station as a whole.")
    connector: int
    status: ConnectorStatus
    said: str = Field(description="The station's own word for the status.")
    error: str | None
    info: str | None
    since: datetime


class ConnectorList(BaseModel):
    """The connectors of a station."""

    items: list[Connector]


class StationFilter(Asked):
    """Which stations."""

    online: Truth | Nothing = None
    q: Line | Nothing = Field(None, description="Words in id, label or site.")
    limit: Limit = Field(50, description="How many at most.")
    cursor: Line | Nothing = Field(None, description="`next` of the page before.")


@router.get("/stations")
async def find_stations(rooms: Here, viewer: StationsReader, wanted: Annotated[StationFilter, Query()]) -> StationList:
    """Stations, by id."""
    limit, after = wanted.limit, wanted.cursor
    async with rooms.store.read() as connection:
        rows = await stations.find(connection, viewer, limit + 1, online=wanted.online, words=wanted.q, after=after)
    more = rows[limit - 1].id if len(rows) > limit else None
    return StationList(items=await _told(rooms, viewer, rows[:limit]), next=more)


@router.post("/stations", status_code=201)
async def admit_station(rooms: Here, viewer: StationsWriter, new: NewStation) -> ShownKey:
    """Let a station in; its key is shown this once."""
    power = None if new.max_power_w is None else Decimal(new.max_power_w)
    key = await rooms.admission.provision(
        new.id, viewer.name, label=new.label, site=new.site, key=new.key, max_power_w=power
    )
    return ShownKey(id=new.id, key=key)


@router.get("/stations/{station}")
async def show_station(rooms: Here, viewer: StationsReader, station: StationId) -> Station:
    """One station."""
    return (await _told(rooms, viewer, [await found(rooms, viewer, station)]))[0]


@router.patch("/stations/{station}")
async def describe_station(rooms: Here, viewer: StationsWriter, station: StationId, changes: Description) -> Station:
    """Change what people say of a station."""
    given = fields_given(changes)
    since = given.pop("site_since", ALWAYS) or ALWAYS if "site_since" in given else None
    if changes.max_power_w is not None:
        given["max_power_w"] = Decimal(changes.max_power_w)
    if changes.plugs is not None:
        given["plugs"] = {int(evse): plug for evse, plug in changes.plugs.items()}
    await rooms.admission.describe(station, viewer.name, given, since)
    return (await _told(rooms, viewer, [await found(rooms, viewer, station)]))[0]


@router.delete("/stations/{station}", status_code=204)
async def remove_station(rooms: Here, viewer: StationsWriter, station: StationId) -> None:
    """Remove a station: it is disconnected and may not come back. What it told stays."""
    await rooms.admission.remove(station, viewer.name)


@router.post("/stations/{station}/key")
async def change_key(rooms: Here, viewer: StationsWriter, station: StationId, new: NewKey | None = None) -> ShownKey:
    """Give a station another key, shown this once; the old one is dead at once."""
    key = await rooms.admission.rekey(station, viewer.name, new.key if new else None)
    return ShownKey(id=station, key=key)


@router.get("/stations/{station}/connectors")
async def show_connectors(rooms: Here, viewer: StationsReader, station: StationId) -> ConnectorList:
    """What the connectors of a station are doing."""
    await found(rooms, viewer, station)
    async with rooms.store.read() as connection:
        rows = await stations.connectors(connection, viewer, station)
    return ConnectorList(items=[Connector.model_validate(row) for row in rows])


async def _told(rooms: Rooms, viewer: Viewer, rows: Sequence[StationRow]) -> list[Station]:
    """Stations as the API tells them, with who admitted them."""
    said = await rooms.names.said(viewer, (row.created_by for row in rows))
    return [Station.model_validate(replace(row, created_by=said[row.created_by])) for row in rows]


async def found(rooms: Rooms, viewer: Viewer, station: str) -> StationRow:
    """The station; Refusal NOT_FOUND."""
    async with rooms.store.read() as connection:
        row = await stations.seen(connection, viewer, station)
    if row is None:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such station."))
    return row
