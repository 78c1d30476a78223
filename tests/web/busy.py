"""A site that is busier every week: what forecasts, findings and carbon are told of, recorded as stations tell it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.reading import Reading
from wattkeeper.operations.intake import Intake
from wattkeeper.web.rooms import Rooms

HOUR = timedelta(hours=1)
GROWS = Decimal("1.06")
SITE = "Harbour"


async def busy(
    rooms: Rooms, intake: Intake, station: str, now: datetime, weeks: int = 12
) -> list[tuple[datetime, Decimal]]:
    """Weeks of sessions before now, each busier than the one before: two a working day, on Tuesdays one more.

    Each charges for three hours and then stands for two. Gives when each began, and its Wh.
    """
    clock, monday, chance = rooms.store.clock, _monday(now), random.Random(7)
    told, usual_wh = [], Decimal(20_000)
    try:
        for week in range(weeks, 0, -1):
            for day in range(5):
                for evse, begin in enumerate((8, 13, *([17] if day == 1 else [])), 1):
                    at = monday - week * timedelta(days=7) + timedelta(days=day, hours=begin)
                    energy_wh = (usual_wh * chance.randint(60, 140) / 100).quantize(Decimal(1))
                    await _told(rooms, intake, (station, evse), at, energy_wh)
                    told.append((at, energy_wh))
            usual_wh *= GROWS
    finally:
        rooms.store.clock = clock
    await rooms.statistics.counting.look()
    return told


def _monday(now: datetime) -> datetime:
    """The beginning of the week in which now is, UTC."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


async def _told(rooms: Rooms, intake: Intake, of: tuple[str, int], at: datetime, energy_wh: Decimal) -> None:
    """A session as its station tells it: two thirds of its energy in the first hour."""
    station, evse = of
    begun: dict[str, Any] = {"ref": f"B{at:%y%m%d%H}", "evse": evse}
    rooms.store.clock = lambda: at
    await intake.record(station, SessionOpened(at=at, seq=0, token=None, register_wh=Decimal(0), **begun))
    full, end = at + 3 * HOUR, at + 5 * HOUR
    readings = (
        Reading(at + HOUR, energy_wh=energy_wh * 2 // 3),
        Reading(full, energy_wh=energy_wh),
        Reading(full + timedelta(minutes=1), energy_wh=energy_wh, power_w=Decimal(0)),
        Reading(end, energy_wh=energy_wh, power_w=Decimal(0)),
    )
    rooms.store.clock = lambda: end
    await intake.record(station, SessionEnded(at=end, seq=1, register_wh=energy_wh, readings=readings, **begun))
