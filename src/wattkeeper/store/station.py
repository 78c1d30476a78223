"""Stations: who is admitted, what each told of itself, and who knocks."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from wattkeeper.store.columns import from_millionths
from wattkeeper.store.unit import Unit


async def max_powers(unit: Unit, ids: Collection[str]) -> dict[str, Decimal]:
    """What one EVSE of each of these stations can deliver at most, W, where it is known."""
    rows = await unit.select_in(
        "SELECT id, max_power_w FROM station WHERE max_power_w IS NOT NULL AND id IN {values}", [*ids]
    )
    return {station: from_millionths(power) for station, power in rows}
