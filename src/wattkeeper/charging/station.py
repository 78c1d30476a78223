"""Stations, their EVSEs and connectors, and what each can be doing."""

from __future__ import annotations

from enum import StrEnum


class Version(StrEnum):
    """A dialect a station speaks; the value is the WebSocket subprotocol (OCPP-J 1.6 3.1.2, 2.0.1 part 4 3.1.2)."""

    V16 = "ocpp1.6"
    V201 = "ocpp2.0.1"


class ConnectorStatus(StrEnum):
    """What a connector is doing; 1.6 has all of them, 2.x only the first five words of its own."""

    AVAILABLE = "available"
    OCCUPIED = "occupied"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED_EV = "suspended_ev"
    SUSPENDED_EVSE = "suspended_evse"
    FINISHING = "finishing"
    UNKNOWN = "unknown"
    """A word that no standard has; the station's own word is kept beside it."""
