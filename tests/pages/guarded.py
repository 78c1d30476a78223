"""Something for the pages about security to show: attacks of every kind."""

from __future__ import annotations

from wattkeeper.operations.people.security import OF_STATIONS, Case
from wattkeeper.web.rooms import Rooms


async def attacked(rooms: Rooms, account: str = "", station: str = "CP1") -> None:
    """Let each case be tried: one from one place, the next from several."""
    for at, case in enumerate(Case):
        for place in range(1 + at % 3):
            rooms.security_events.heard(case, station if case in OF_STATIONS else account, f"203.0.113.{place}")
    await rooms.security_events.write()
