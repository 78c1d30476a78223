"""What the page of a station shows of its meters: keys as pinned, and what its messages offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wattkeeper.charging.person import Viewer
from wattkeeper.store.metering.key import KeyRow, OfferedRow, RuleRow
from wattkeeper.web.rooms import Rooms

GROUP = 8
"""In how many characters at a time a key is printed, so that it can be compared."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A key that came with values, and whether it is the one that is pinned."""

    row: OfferedRow
    is_pinned: bool

    @property
    def groups(self) -> str:
        """Its digits in groups."""
        return grouped(self.row.key)


@dataclass(frozen=True, slots=True)
class MetersSeen:
    """What the page of a station shows of its meters."""

    keys: Sequence[KeyRow]
    """Those that hold."""
    before: Sequence[KeyRow]
    """Those that have ended."""
    rules: Sequence[RuleRow]
    """What counts now, by EVSE."""
    offered: Sequence[Offered]


def grouped(key: str) -> str:
    """A key in groups of digits."""
    return " ".join(key[at : at + GROUP] for at in range(0, len(key), GROUP))


async def seen(rooms: Rooms, viewer: Viewer, station: str) -> MetersSeen:
    """The meters of a station."""
    keys = await rooms.meters.keys(viewer, station)
    said = await rooms.names.said(viewer, (one.created_by for one in keys))
    keys = [replace(one, created_by=said[one.created_by]) for one in keys]
    newest: dict[int, RuleRow] = {}
    for rule in await rooms.meters.rules(viewer, station):
        newest.setdefault(rule.evse, rule)
    pinned = {(one.evse, one.key) for one in keys if one.until is None}
    offered = [Offered(one, (one.evse, one.key) in pinned) for one in await rooms.meters.offered(viewer, station)]
    held = [one for one in keys if one.until is None]
    ended = [one for one in keys if one.until is not None]
    return MetersSeen(held, ended, [newest[evse] for evse in sorted(newest)], offered)


@dataclass(frozen=True, slots=True)
class Typed:
    """The form for a key as typed."""

    evse: str = "1"
    serial: str = ""
    key: str = ""
