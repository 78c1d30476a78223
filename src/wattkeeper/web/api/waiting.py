"""The waiting room: stations that knocked and that nobody has let in yet."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.store.stations import station as stations
from wattkeeper.web.api.shapes import Asked, Here, Line, StationId, StationsReader, StationsWriter, Told
from wattkeeper.web.api.stations import ShownKey
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["waiting room"])


class Waiting(Told):
    """A station that knocked."""

    station: str = Field(serialization_alias="id")
    address: str
    offered: str = Field(description="The dialects it offered.")
    tries: int
    first_at: datetime
    last_at: datetime


class WaitingRoom(BaseModel):
    """Who waits, the newest first; at most 200."""

    items: list[Waiting]


class Welcome(Asked):
    """What people say of a station that is let in."""

    label: Line = ""
    site: Line = ""


@router.get("/waiting-room")
async def show_waiting(rooms: Here, viewer: StationsReader) -> WaitingRoom:
    """Who waits to be let in."""
    await rooms.admission.write_knocks()
    async with rooms.store.read() as connection:
        knocks = await stations.knocks(connection, viewer)
    return WaitingRoom(items=[Waiting.model_validate(knock) for knock in knocks])


@router.post("/waiting-room/{station}/admit")
async def admit(rooms: Here, viewer: StationsWriter, station: StationId, welcome: Welcome | None = None) -> ShownKey:
    """Let a waiting station in; its key is shown this once."""
    await _need_waiting(rooms, viewer, station)
    said = welcome or Welcome()
    key = await rooms.admission.provision(station, viewer.name, label=said.label, site=said.site)
    return ShownKey(id=station, key=key)


@router.post("/waiting-room/{station}/dismiss", status_code=204)
async def dismiss(rooms: Here, viewer: StationsWriter, station: StationId) -> None:
    """Turn a waiting station away."""
    await rooms.admission.dismiss(station, viewer.name)


async def _need_waiting(rooms: Rooms, viewer: Viewer, station: str) -> None:
    """Refusal NOT_FOUND where no such station waits."""
    await rooms.admission.write_knocks()
    async with rooms.store.read() as connection:
        knocks = await stations.knocks(connection, viewer)
    if all(knock.station != station for knock in knocks):
        raise Refusal(Code.NOT_FOUND, phrase("No such station waits to be let in."))
