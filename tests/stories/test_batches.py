"""However messages happen to be committed together, and whatever our own clock does: they come to the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import asdict

from tests.stories.world import FindingCode, World, found, minute
from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.facts import (
    ChargingState,
    Fact,
    MetersRead,
    SessionEnded,
    SessionOpened,
    SessionUpdated,
    StatusChanged,
)
from wattkeeper.charging.reading import Context, Reading
from wattkeeper.charging.station import ConnectorStatus

Told = tuple[str, Fact, Presented | None]


def read(at: float, wh: float, evse: int | None = 1, **more: Any) -> MetersRead:
    """A reading that names no transaction."""
    return MetersRead(at=minute(at), evse=evse, readings=(Reading(minute(at), energy_wh=Decimal(wh), **more),))


def opened(at: float, wh: float, evse: int = 1) -> SessionOpened:
    """A 1.6 start."""
    return SessionOpened(at=minute(at), evse=evse, connector=1, register_wh=Decimal(wh))


def event(kind: type[Any], seq: int, at: float, wh: float, evse: int | None = 1, **more: Any) -> Any:
    """A 2.0.1 event of the transaction T."""
    context = Context.END if kind is SessionEnded else Context.PERIODIC
    readings = (Reading(minute(at), context, energy_wh=Decimal(wh)),)
    return kind(at=minute(at), ref="T", seq=seq, evse=evse, connector=1, readings=readings, **more)


def story() -> list[Told]:
    """Claims, supersessions, late and repeated readings, nameless stops, pauses, an EVSE that comes late."""
    cards = [Presented(f"04AABBCC{number:04}") for number in range(9)]
    in_16: list[tuple[Fact, Presented | None]] = [
        (read(1, 1100), None),
        (read(0, 1000, context=Context.BEGIN), None),
        (opened(0, 1000), cards[0]),
        (StatusChanged(at=minute(2), evse=1, status=ConnectorStatus.CHARGING), None),
        (read(5, 1500), None),
        (read(3, 1300), None),
        (read(5, 1500), None),
        (StatusChanged(at=minute(6), evse=1, status=ConnectorStatus.SUSPENDED_EV), None),
        (opened(10, 2000), cards[1]),
        (read(11, 2100), None),
        (read(8, 1800), None),
        (StatusChanged(at=minute(12), evse=1, status=ConnectorStatus.CHARGING), None),
        (SessionEnded(at=minute(20), ref="-1", register_wh=Decimal(3000)), None),
        (SessionEnded(at=minute(20), ref="-1", register_wh=Decimal(3000)), None),
        (read(18, 2900), None),
        (read(21, 3000), None),
        (opened(-30, 10), cards[2]),
        (read(-20, 20), None),
        (opened(30, 5000, evse=2), cards[3]),
        (opened(31, 4000), cards[4]),
        (read(32, 5100, evse=2), None),
        (read(33, 99, evse=0), None),
        (opened(31, 4000), cards[4]),
    ]
    in_201: list[tuple[Fact, Presented | None]] = [
        (event(SessionUpdated, 2, 2, 1200, None, charging=ChargingState.SUSPENDED_EV), None),
        (event(SessionUpdated, 1, 1, 1100, None, charging=ChargingState.CHARGING), cards[5]),
        (event(SessionOpened, 0, 0, 1000), cards[6]),
        (opened(1, 70), cards[7]),
        (event(SessionUpdated, 3, 3, 1300), None),
        (event(SessionUpdated, 3, 3, 1300), None),
        (event(SessionEnded, 5, 5, 1500), None),
        (event(SessionUpdated, 4, 4, 1400), None),
        (event(SessionEnded, 5, 5, 1600), None),
        (event(SessionUpdated, 6, 6, 9999), None),
    ]
    told = [("CP1", *one) for one in in_16]
    for place, one in enumerate(in_201):
        told.insert(2 * place + 1, ("CP2", *one))
    return told


async def outcome(world: World, told: Sequence[Told], size: int) -> list[Any]:
    """Tell a story to a fresh Wattkeeper, so many at a time; its sessions and readings without drawn names."""
    world.clock.reach(60)
    for start in range(0, len(told), size):
        some = told[start : start + size]
        await asyncio.gather(*(world.door.intake.record(name, fact, token=token) for name, fact, token in some))
    sessions = await world.sessions()
    own = {"id", "ref", "key", "token"}
    bare = [{name: value for name, value in asdict(one).items() if name not in own} for one in sessions]
    found_in = [await world.readings(one) for one in sessions]
    outside = await world.readings(None)
    assert [reading["energy_wh"] for reading in outside] == [99]
    return sorted(zip(bare, found_in, strict=True), key=lambda pair: f"{pair[0]['first_at']} {pair[0]['station']}")


@pytest.mark.parametrize("size", [2, 3, 7, 50])
async def test_what_is_committed_together_does_not_matter(world: World, one_by_one: World, size: int) -> None:
    told = story()
    singly, together = await outcome(one_by_one, told, 1), await outcome(world, told, size)
    assert len(singly) == len(together) == 7
    for one, other in zip(singly, together, strict=True):
        assert one == other


async def test_our_own_clock_may_be_set_back_in_mid_session(world: World) -> None:
    """What was received in the hour that we live through twice is found all the same."""
    await world.enroll()
    world.clock.reach(120)
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(tx, 5, wh=1500)
        world.clock.skip(hours=-1)
        await cp.read(tx, 10, wh=1800)
        await cp.read(tx, 7, wh=1600)
        world.clock.skip(minutes=-30)
        await cp.stop(tx, 15, 2000)
        await cp.read(tx, 12, wh=1900)
    session = await world.the_session()
    assert await world.registers(session) == [(0, 1000), (5, 1500), (7, 1600), (10, 1800), (12, 1900), (15, 2000)]
    assert (session.energy_wh, found(session)) == (1000, {})
    row = await world.row(session)
    assert row.heard_at - row.known_at > timedelta(hours=1)


async def test_what_a_station_is_believed_to_deliver_is_a_setting(world: World) -> None:
    await world.enroll()
    await world.close()
    world.settings["default_max_power_w"] = 11_000
    await world.open()
    async with world.v16("CP1") as cp:
        await cp.stop(await cp.start(0, 50_000), 30, 61_000)
    session = await world.the_session()
    assert session.max_power_w == 11_000
    assert FindingCode.IMPLAUSIBLE_POWER in found(session)
