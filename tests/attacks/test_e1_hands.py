"""E1: a card that changed hands, and stations whose clocks are wrong: nobody sees where another person charged."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from tests.web.conftest import House
from tests.web.phones import signed_in, viewer
from tests.web.told import CARD, Teller, now
from wattkeeper.charging.cards.token import CardKind, CardState
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.tables import holding

ONCE = pytest.mark.parametrize("engine", ["sqlite"])


async def enrolled(house: House, name: str) -> str:
    """A card that a driver has held for three days; its pseudonym."""
    who = await viewer(house, name)
    async with house.rooms.store.unit() as unit:
        ref = await house.rooms.cards.enroll_for(unit, who.person, CARD, CardKind.CARD, None, {}, "test")
        await unit.connection.execute(update(holding).values(since=unit.now - timedelta(days=3)))
    return ref


async def handed_over(house: House, ref: str, name: str) -> None:
    """The card comes back to the house, and somebody else gets it."""
    await house.rooms.cards.set_state(ref, CardState.RETURNED, VIEWER)
    who = await viewer(house, name)
    async with house.rooms.store.unit() as unit:
        await house.rooms.cards.give(unit, ref, who.person, None, "test")


async def seen(phone: httpx.AsyncClient) -> int:
    """How many sessions a driver finds, the same in every list."""
    sessions = (await phone.get("/api/v1/sessions")).json()["items"]
    table = (await phone.get("/api/v1/history.csv")).text.strip().splitlines()[1:]
    months = (await phone.get("/api/v1/months")).json()["items"]
    assert len(sessions) == len(table) == sum(month["sessions"] for month in months)
    return len(sessions)


async def charge(teller: Teller, kwh: int = 5) -> None:
    """A session of an hour."""
    await teller.start(CARD)
    await teller.read(30, 1000 + 500 * kwh)
    await teller.stop(60, 1000 + 1000 * kwh)


@pytest.mark.parametrize("hours", [-30, -3, 0, 3, 24 * 3650])
async def test_e1_a_wrong_clock_shows_no_holder_what_another_charged(house: House, hours: int) -> None:
    """What was told before a card changed hands is not the next holder's, what was told after is not the former's."""
    async with (
        house.door.plugged() as plugged,
        await signed_in(house, "dora") as dora,
        await signed_in(house, "emil") as emil,
    ):
        await plugged.boot()
        ref = await enrolled(house, "dora")
        await charge(Teller(plugged, now() + timedelta(hours=hours)))
        before = await seen(dora)
        assert before == 1
        await handed_over(house, ref, "emil")
        assert await seen(emil) == 0
        await charge(Teller(plugged, now() + timedelta(hours=hours, minutes=1)))
        assert await seen(dora) == before
        assert await seen(emil) <= 1


@ONCE
async def test_e1_with_a_right_clock_each_sees_their_own(house: House) -> None:
    async with (
        house.door.plugged() as plugged,
        await signed_in(house, "dora") as dora,
        await signed_in(house, "emil") as emil,
    ):
        await plugged.boot()
        ref = await enrolled(house, "dora")
        await charge(Teller(plugged, now() + timedelta(seconds=1)))
        await handed_over(house, ref, "emil")
        await charge(Teller(plugged, now() + timedelta(seconds=2)))
        assert (await seen(dora), await seen(emil)) == (1, 1)
