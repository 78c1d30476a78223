"""The status words of connectors, of 1.6 (4.9, 7.7) and of 2.x (ConnectorStatusEnumType) alike."""

from __future__ import annotations

from collections.abc import Mapping

from wattkeeper.charging.station import ConnectorStatus
from wattkeeper.ocpp.wire.text import fold

_STATUSES: Mapping[str, ConnectorStatus] = {fold(status.value): status for status in ConnectorStatus}


def connector_status(word: str | None) -> ConnectorStatus:
    """The status that a word means in any version, whatever its case; UNKNOWN where no standard has it."""
    return _STATUSES.get(fold(word or ""), ConnectorStatus.UNKNOWN)
