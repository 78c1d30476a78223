"""Every dialect, by version."""

from __future__ import annotations

from collections.abc import Mapping

from wattkeeper.charging.station import Version
from wattkeeper.ocpp.dialect import Dialect
from wattkeeper.ocpp.v16 import V16
from wattkeeper.ocpp.v201 import V201

DIALECTS: Mapping[Version, Dialect] = {Version.V16: V16(), Version.V201: V201()}
"""The dialects that stations may agree on with us."""
