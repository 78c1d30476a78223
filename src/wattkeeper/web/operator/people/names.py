"""What people call the stations that a page mentions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.store.sessions.session import SessionRow
from wattkeeper.store.stations import station as stations
from wattkeeper.store.stations.station import StationRow
from wattkeeper.web.operator.paper import STATES, Look

MOST_STATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """A station as a line of a list names it."""

    id: str
    name: str
    """Its label, else its id."""
    site: str
    max_power_w: Decimal | None
    online: bool = False


def path_of(station: str) -> str:
    """The address of a station's page; an identity may hold anything that prints."""
    return f"/stations/{quote(station)}"


def place_of(row: StationRow) -> Place:
    """A station as a line of a list names it."""
    return Place(row.id, row.label or row.id, row.site, row.max_power_w, row.online)


class Places:
    """Stations by id; one that was removed goes by its id."""

    def __init__(self, rows: Sequence[StationRow]) -> None:
        self._known: Mapping[str, Place] = {row.id: place_of(row) for row in rows}

    def __getitem__(self, station: str) -> Place:
        return self._known.get(station) or Place(station, station, "", None)

    @property
    def sites(self) -> list[str]:
        """The sites that stations are at, by name."""
        return sorted({one.site for one in self._known.values() if one.site})

    def called(self, words: Sequence[str]) -> tuple[str, ...]:
        """The ids of the stations whose id, label or site has every one of these words."""
        texts = {one.id: f"{one.id} {one.name} {one.site}".casefold() for one in self._known.values()}
        return tuple(key for key, text in texts.items() if all(word.casefold() in text for word in words))


async def places(connection: AsyncConnection, viewer: Viewer) -> Places:
    """Every station's name."""
    return Places(await stations.find(connection, viewer, MOST_STATIONS))


@dataclass(frozen=True, slots=True)
class Row:
    """A session and where it is."""

    session: SessionRow
    place: Place

    @property
    def look(self) -> Look:
        """Its state; of a session whose station is away nobody knows whether it charges."""
        return look_of(self.session, self.place)

    def lasted(self, now: datetime) -> timedelta:
        """How long it lasted, or has lasted so far."""
        return lasted(self.session, now)


OUT_OF_CONTACT = Look(phrase("Out of contact"), "look", "look")


def lasted(session: SessionRow, now: datetime) -> timedelta:
    """How long it lasted, or has lasted so far: by the station's clock, and since its last word by ours."""
    if session.ended_at is not None:
        return session.ended_at - session.started_at
    return session.whole.last_at - session.started_at + max(now - session.heard_at, timedelta(0))


def look_of(session: SessionRow, place: Place) -> Look:
    """A session's state as it can be known."""
    return OUT_OF_CONTACT if session.live and not place.online else STATES[session.state]


def placed(rows: Sequence[SessionRow], known: Places) -> list[Row]:
    """Sessions with their places."""
    return [Row(row, known[row.station]) for row in rows]
