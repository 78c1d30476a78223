"""The meters of a station: their public keys, and whether their values must be signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.charging.person import Viewer
from wattkeeper.store.metering.key import KeyRow, RuleRow
from wattkeeper.web.api.shapes import (
    INTEGER,
    PRINTABLE,
    Asked,
    Here,
    Instant,
    StationId,
    StationsReader,
    StationsWriter,
    Told,
    Words,
)
from wattkeeper.web.api.stations import found
from wattkeeper.web.rooms import Rooms

router = APIRouter(tags=["stations"])
Evse = Annotated[int, Field(ge=1, le=255), INTEGER]
AnyEvse = Annotated[int, Field(ge=0, le=255), INTEGER]
Serial = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE)]
KeyText = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
MARK = "Its fingerprint: the first 16 hexadecimal digits of its SHA-256."


class MeterKey(BaseModel):
    """A key that somebody pinned, with the paper that came with the meter in hand."""

    id: str
    evse: int
    serial: str = Field(description="Of the meter, as its records name it.")
    key: str = Field(description="The public key, hexadecimal.")
    curve: str
    mark: str = Field(description=MARK)
    since: datetime = Field(description="For sessions that began from then on.")
    until: datetime | None = Field(description="And before this; null: still.")
    created_at: datetime
    created_by: Words


class Requirement(BaseModel):
    """Whether values must be signed."""

    evse: int = Field(description="0: at every EVSE that has no ruling of its own.")
    is_required: bool
    since: datetime = Field(description="For sessions that began from then on.")
    created_by: Words


class OfferedKey(Told):
    """A key that came with a station's values. It proves nothing: compare it with the paper of the meter."""

    evse: int
    key: str
    seen_at: datetime


class Meters(BaseModel):
    """What is known of the meters of a station."""

    keys: list[MeterKey] = Field(description="By EVSE, the newest first.")
    requirements: list[Requirement] = Field(description="The newest first; of an EVSE the first counts.")
    offered: list[OfferedKey]


class NewMeterKey(Asked):
    """A key to be pinned; it ends the one before."""

    evse: Evse
    serial: Serial
    key: KeyText = Field(description="As it is printed: hexadecimal or base64.")
    since: Instant | None = Field(None, description="For sessions that began from then on; now where it is left out.")


class NewRequirement(Asked):
    """Whether values must be signed, for sessions that begin from now on."""

    evse: AnyEvse = Field(0, description="0: at every EVSE that has no ruling of its own.")
    is_required: Annotated[bool, Field(strict=True)]


@router.get("/stations/{station}/meters")
async def show_meters(rooms: Here, viewer: StationsReader, station: StationId) -> Meters:
    """The meters of a station: keys that were pinned, where signatures are required, keys that were offered."""
    await found(rooms, viewer, station)
    keys = await _keys(rooms, viewer, await rooms.meters.keys(viewer, station))
    ruled = await _ruled(rooms, viewer, await rooms.meters.rules(viewer, station))
    offered = [OfferedKey.model_validate(one) for one in await rooms.meters.offered(viewer, station)]
    return Meters(keys=keys, requirements=ruled, offered=offered)


@router.post("/stations/{station}/meters/keys", status_code=201)
async def pin_meter_key(rooms: Here, viewer: StationsWriter, station: StationId, new: NewMeterKey) -> MeterKey:
    """Pin the public key of the meter at an EVSE; sessions there that began since then are checked with it."""
    made = await rooms.meters.pin(viewer, station, new.evse, new.serial, new.key, new.since)
    return (await _keys(rooms, viewer, [made]))[0]


@router.delete("/stations/{station}/meters/keys/{meter_key}", status_code=204)
async def end_meter_key(rooms: Here, viewer: StationsWriter, station: StationId, meter_key: KeyId) -> None:
    """End a key from now on; it stays for the sessions before."""
    await rooms.meters.end(viewer, station, meter_key)


@router.post("/stations/{station}/meters/requirements", status_code=201)
async def require_signatures(
    rooms: Here, viewer: StationsWriter, station: StationId, new: NewRequirement
) -> Requirement:
    """Rule whether values must be signed: a session without waits for a person before it is billed."""
    await rooms.meters.require(viewer, station, new.evse, new.is_required)
    newest = next(one for one in await rooms.meters.rules(viewer, station) if one.evse == new.evse)
    return (await _ruled(rooms, viewer, [newest]))[0]


async def _keys(rooms: Rooms, viewer: Viewer, rows: Sequence[KeyRow]) -> list[MeterKey]:
    """Keys as the API tells them, with who pinned them."""
    said = await rooms.names.said(viewer, (row.created_by for row in rows))
    return [
        MeterKey(
            id=row.id,
            evse=row.evse,
            serial=row.serial,
            key=row.key,
            curve=row.curve,
            mark=row.mark,
            since=row.since,
            until=row.until,
            created_at=row.created_at,
            created_by=said[row.created_by],
        )
        for row in rows
    ]


async def _ruled(rooms: Rooms, viewer: Viewer, rows: Sequence[RuleRow]) -> list[Requirement]:
    """Rulings as the API tells them, with who made them."""
    said = await rooms.names.said(viewer, (row.created_by for row in rows))
    return [
        Requirement(evse=row.evse, is_required=row.is_required, since=row.since, created_by=said[row.created_by])
        for row in rows
    ]
