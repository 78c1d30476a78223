"""What a car does between two readings: the one definition of charging, and of idle.

A car *charges* between two registers of which the later is higher. It is *idle* (OCPI: parking) between two that are
equal, though the station offered power and no power was measured at the later: plugged in, and not asking for energy
(OCPI 2.3.0 mod_cdrs, CdrDimensionType, PARKING_TIME). After the transaction it *blocks* the connector until that is
available again. All other time is nobody's to bill: the register fell, or the station had no power to give.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.reading import Reading

ZERO = Decimal(0)
STANDBY_W = Decimal(100)
"""Less than this is what cables and electronics draw, no car: a car that charges takes 6 A or more (IEC 61851-1)."""


class Kind(StrEnum):
    """What a stretch of time is."""

    RESERVED = "reserved"
    """From when an EVSE was reserved until charging began there, or the reservation ran out."""
    CHARGING = "charging"
    PARKING = "parking"
    """Idle: plugged in within the transaction, and not asking for energy."""
    BLOCKING = "blocking"
    """After the transaction, until the connector was available again."""
    OTHER = "other"
    """Time that is not billed; energy told for it is."""


IDLE = frozenset({Kind.PARKING, Kind.BLOCKING})


def between(before_wh: Decimal, reading: Reading, power_w: Decimal | None) -> Kind:
    """What the car did between a register and the next reading that told one; ``power_w`` is that reading's power."""
    assert reading.energy_wh is not None
    if reading.energy_wh > before_wh:
        return Kind.CHARGING
    if reading.energy_wh < before_wh or ZERO in (reading.offered_w, reading.offered_a):
        return Kind.OTHER
    return Kind.PARKING if power_w is None or power_w < STANDBY_W else Kind.CHARGING
