"""A prepaid balance pays for what runs already before it pays for more, and only in its own currency."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

from tests.stories.purse import Purse
from tests.stories.test_wallet import driver, purse, stripe, wallets
from tests.stories.till import ANNA, tariff
from wattkeeper.charging.money.payments.paying import Way

__all__ = ["purse", "stripe"]


async def ahead(purse: Purse, minor: int) -> None:
    """A driver who paid so much ahead."""
    me, mine = await driver(purse), wallets(purse)
    await mine.choose(me, Way.PREPAID)
    await mine.enter(ANNA, me.person, (minor, "EUR"), "bank 1", is_ahead=True)


async def test_what_runs_is_paid_before_more_begins(purse: Purse) -> None:
    await ahead(purse, 5000)
    at = purse.world.clock.now
    async with purse.world.v16("CP1") as one, purse.world.v16("CP2") as other:
        tx = await one.start(at, 0)
        await one.read(tx, at + timedelta(minutes=30), wh=90_000)
        assert await other.authorize() == "Blocked"
        assert await one.authorize() == "Accepted", "who ends what runs needs no balance"
        await one.stop(tx, at + timedelta(hours=1), 10_000)


async def test_of_many_at_once_one_begins_where_the_balance_covers_no_more(purse: Purse) -> None:
    await ahead(purse, 4900)
    at = purse.world.clock.now
    async with purse.world.v16("CP1") as one, purse.world.v201("CP2") as other:
        assert [await one.authorize(), await other.authorize()] == ["Accepted", "Accepted"]
        tx = await one.start(at, 0)
        assert await other.authorize() == "NoCredit"
        await one.stop(tx, at + timedelta(hours=1), 1000)
        await purse.look(hours=2)
        assert await other.authorize() == "Accepted"


async def test_a_balance_does_not_pay_in_another_currency(purse: Purse) -> None:
    await ahead(purse, 5000)
    async with purse.world.v16("CP1") as cp:
        assert await cp.authorize() == "Accepted"
        await purse.till.price(replace(tariff(), currency="CHF"), now=True)
        purse.world.clock.skip(minutes=1)
        assert await cp.authorize() == "Blocked"


async def test_eight_starts_at_once_are_one(purse: Purse) -> None:
    await ahead(purse, 4900)
    names = [f"P{n}" for n in range(8)]
    await purse.world.admit(*names)
    async with AsyncExitStack() as stack:
        many = [await stack.enter_async_context(purse.world.v16(name)) for name in names]
        at = purse.world.clock.now
        assert await asyncio.gather(*(one.authorize() for one in many)) == ["Accepted"] * 8
        await asyncio.gather(*(one.start(at, 0) for one in many))
        begun = [one.verdict.value for one in await purse.world.sessions()]
    assert sorted(begun).count("accepted") == 1, begun
