"""What pages list, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.conftest import OpenDoor
from tests.doors import Door
from wattkeeper.charging.facts import (
    Alarmed,
    Connected,
    Disconnected,
    HeartBeaten,
    MetersRead,
    SessionEnded,
    SessionOpened,
    StatusChanged,
)
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.station import ConnectorStatus, Version
from wattkeeper.store import journal
from wattkeeper.store.sessions import session as sessions
from wattkeeper.store.sessions.session import Listed, SortedBy
from wattkeeper.store.stations import station as stations

START = datetime(2025, 11, 21, 8, tzinfo=UTC)
VIEWER = Viewer("operator", Role.OPERATOR, EVERYTHING)


@pytest.fixture
async def told(open_door: OpenDoor) -> Door:
    """A morning: CP1 delivers 5 kWh from 8 to 9 and charges again since 10, CP2 2 kWh since 8:30 and goes away."""
    door = await open_door()
    for name in ("CP1", "CP2"):
        await door.admit(name)
        await door.intake.record(name, Connected(at=START, version=Version.V16))
    await session(door, "CP1", 0, 60, 5000)
    await session(door, "CP2", 30, None, 2000)
    await session(door, "CP1", 120, None, 1000)
    await door.intake.record("CP2", Disconnected(at=at(125), reason="gone"))
    return door


def at(minutes: int) -> datetime:
    """So many minutes after eight."""
    return START + timedelta(minutes=minutes)


async def session(door: Door, station: str, begin: int, end: int | None, energy_wh: int) -> None:
    """A session from one minute to another, or one that runs still, with one reading of 7 kW."""
    opened = SessionOpened(at=at(begin), evse=1, connector=1, register_wh=Decimal(0))
    number = str((await door.intake.record(station, opened)).number)
    reading = Reading(at(begin + 5), energy_wh=Decimal(energy_wh), power_w=Decimal(7000))
    await door.intake.record(station, MetersRead(at=at(begin + 5), ref=number, evse=1, readings=(reading,)))
    if end is not None:
        await door.intake.record(station, SessionEnded(at=at(end), ref=number, register_wh=Decimal(energy_wh)))


async def energies(door: Door, wanted: Listed, limit: int = 10, skip: int = 0) -> list[int]:
    """The energies of the sessions listed, Wh."""
    async with door.store.read() as connection:
        rows = await sessions.listed(connection, VIEWER, wanted, limit, skip)
    return [int(row.energy_wh or 0) for row in rows]


async def test_sessions_are_sorted_by_what_was_asked_and_come_in_pages(told: Door) -> None:
    assert await energies(told, Listed()) == [1000, 2000, 5000]
    assert await energies(told, Listed(upwards=True)) == [5000, 2000, 1000]
    assert await energies(told, Listed(by=SortedBy.ENERGY)) == [5000, 2000, 1000]
    assert await energies(told, Listed(by=SortedBy.STATION, upwards=True)) == [1000, 5000, 2000]
    assert await energies(told, Listed(), limit=2, skip=1) == [2000, 5000]


async def test_sessions_are_found_by_when_they_ran_and_where(told: Door) -> None:
    assert await energies(told, Listed(windows=((at(-60), at(10)),))) == [5000]
    assert await energies(told, Listed(windows=((at(65), at(70)),))) == [2000]
    assert await energies(told, Listed(windows=((at(-60), at(10)), (at(119), at(130))))) == [1000, 2000, 5000]
    assert await energies(told, Listed(stations=("CP1",))) == [1000, 5000]
    assert await energies(told, Listed(stations=())) == []
    assert await energies(told, Listed(live=True, stations=("CP1", "CP2"))) == [1000, 2000]


async def test_what_flows_is_what_connected_stations_say(told: Door) -> None:
    async with told.store.read() as connection:
        flow = await sessions.flow(connection, VIEWER)
    assert (flow.live, flow.charging, flow.power_w) == (2, 1, Decimal(7000))


async def test_nothing_flows_where_nothing_is(open_door: OpenDoor) -> None:
    door = await open_door()
    async with door.store.read() as connection:
        flow = await sessions.flow(connection, VIEWER)
    assert (flow.live, flow.charging, flow.power_w) == (0, 0, Decimal(0))


async def test_a_stations_news_alarms_and_connectors(told: Door) -> None:
    async with told.store.read() as connection:
        before = await journal.newest(connection)
    await told.intake.record("CP2", HeartBeaten())
    await told.intake.record("CP1", StatusChanged(at=at(130), evse=1, status=ConnectorStatus.FAULTED))
    await told.intake.record("CP1", Alarmed(at=at(131), code="WrongKey", summary="Twenty wrong keys."))
    long_ago, soon = START - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)
    async with told.store.read() as connection:
        newest = await journal.of_station(connection, VIEWER, "CP1", 2)
        others = await journal.of_station(connection, VIEWER, "CP2", 50)
        alarms = await journal.alarms_after(connection, VIEWER, before, long_ago)
        later = await journal.alarms_after(connection, VIEWER, before, soon)
        connectors = await stations.connectors_of(connection, VIEWER, ["CP1", "CP2"])
        assert await journal.told_after(connection, VIEWER, before, "CP1")
        assert not await journal.told_after(connection, VIEWER, newest[0].n, "CP1")
    assert [entry.kind for entry in newest] == ["Alarmed", "StatusChanged"]
    assert others
    assert "HeartBeaten" not in [entry.kind for entry in others]
    assert [entry.station for entry in alarms] == ["CP1"]
    assert later == []
    assert [(one.station, one.evse, one.status) for one in connectors] == [("CP1", 1, ConnectorStatus.FAULTED)]
