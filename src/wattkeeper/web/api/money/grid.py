"""Grid meters of sites: what they showed, so that energy bought can be held against energy sold."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from wattkeeper.store.money.grid import GridReading as Read
from wattkeeper.web.api.shapes import (
    PRINTABLE,
    Amount,
    Asked,
    BillsStaff,
    BillsWriter,
    Here,
    Instant,
    Line,
    Nothing,
    Told,
    Words,
)

router = APIRouter(tags=["bills"])
Meter = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=PRINTABLE)]


class NewGridReading(Asked):
    """What a meter showed."""

    site: Annotated[Line, StringConstraints(min_length=1)]
    meter: Meter = Field(description="What it is called there, such as its number; a new meter has a new name.")
    at: Instant
    energy_wh: Decimal = Field(ge=0, le=10**15, max_digits=22, decimal_places=6, description="Its register, Wh.")


class NewGridReadings(Asked):
    """Readings to keep, all or none."""

    items: list[NewGridReading] = Field(min_length=1, max_length=5000)


class Entered(BaseModel):
    """How many readings were kept."""

    entered: int


class GridReading(Told):
    """What a site's grid meter showed."""

    site: str
    meter: str
    at: datetime
    energy_wh: Amount
    by: Words = Field(description="Who entered it.")


class GridReadings(BaseModel):
    """Readings of grid meters, the newest first."""

    items: list[GridReading]


class GridFilter(Asked):
    """Which readings."""

    site: Line | Nothing = None
    before: Instant | Nothing = Field(None, description="Read before this instant.")
    limit: int = Field(100, ge=1, le=1000)


@router.get("/grid-readings")
async def find_grid_readings(rooms: Here, viewer: BillsStaff, wanted: Annotated[GridFilter, Query()]) -> GridReadings:
    """What the grid meters of sites showed, the newest first."""
    rows = await rooms.grid_meters.find(viewer, wanted.limit, wanted.site, wanted.before)
    by = await rooms.names.said(viewer, (row.by for row in rows))
    return GridReadings(items=[_told(row, by[row.by]) for row in rows])


@router.post("/grid-readings", status_code=201)
async def enter_grid_readings(rooms: Here, viewer: BillsWriter, new: NewGridReadings) -> Entered:
    """Keep what grid meters showed, all or none; one of the same meter and instant replaces the one before."""
    given = [Read(one.site, one.meter, one.at, one.energy_wh) for one in new.items]
    return Entered(entered=await rooms.grid_meters.enter(viewer, given))


def _told(row: Read, by: str) -> GridReading:
    """A reading as the API tells it."""
    return GridReading(site=row.site, meter=row.meter, at=row.at, energy_wh=row.energy_wh, by=by)
