"""Much is moved by two people, however it is sliced; and money that nobody has seen is not entered by one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.pay.shapes import Shapes
from tests.stories.purse import Purse
from tests.stories.test_wallet import charged, deeds, driver, purse, refused, stripe, wallets
from tests.stories.till import ANNA, BERT
from wattkeeper.charging.errors import Code
from wattkeeper.charging.money.payments.share import ShareKind
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.money.payments import deed
from wattkeeper.store.money.payments.deed import DeedRow, DeedState

__all__ = ["purse", "stripe"]
PROGRAM = Viewer("a-program", Role.SERVICE, frozenset({Scope.BILLS_READ, Scope.BILLS_WRITE}))


async def test_write_offs_in_slices_take_a_second_person(purse: Purse) -> None:
    await charged(purse, 250_000)
    person, hands = await purse.person(), deeds(purse)
    assert (await hands.write_off(ANNA, person, 4000, "EUR", "One.")).state == "done"
    assert (await hands.write_off(ANNA, person, 1000, "EUR", "Two.")).state == "done"
    row = await hands.write_off(ANNA, person, 1, "EUR", "Three.")
    assert row.state == "open"
    assert (await hands.agree(BERT, row.id)).state == "done"
    row = await hands.write_off(ANNA, person, 1, "EUR", "Four.")
    assert (await hands.reject(ANNA, row.id)).state == "rejected"
    assert await refused(hands.write_off(PROGRAM, person, 5001, "EUR", "Much.")) is Code.FORBIDDEN
    assert (await hands.write_off(BERT, person, 5000, "EUR", "Mine.")).state == "done"
    purse.world.clock.skip(days=30)
    assert (await hands.write_off(ANNA, person, 900, "EUR", "Later.")).state == "done"
    assert await purse.till.balance("lost:") == 10_901


async def test_refunds_in_slices_take_a_second_person(purse: Purse) -> None:
    me, hands, mine = await driver(purse), deeds(purse), wallets(purse)
    first = await mine.enter(ANNA, me.person, (4000, "EUR"), "bank 1", is_ahead=True)
    second = await mine.enter(BERT, me.person, (4000, "EUR"), "bank 2", is_ahead=True)
    assert (await hands.refund(ANNA, first.id, 3000, "One.")).state == "done"
    assert (await hands.refund(ANNA, second.id, 2000, "Two.")).state == "done"
    row = await hands.refund(ANNA, second.id, 100, "Three.")
    assert row.state == "open"
    assert (await hands.refund(BERT, first.id, 1000, "Four.")).state == "done"
    await hands.agree(BERT, row.id)
    assert (await mine.mine(me)).balances == (("EUR", 1900),)


async def test_much_is_entered_by_two_people(purse: Purse) -> None:
    me, hands, mine = await driver(purse), deeds(purse), wallets(purse)
    row = await mine.enter(ANNA, me.person, (900_000_000, "EUR"), "invented", is_ahead=True)
    assert ((await mine.mine(me)).balances, row.state.value) == ((), "waiting")
    await purse.look(hours=3)
    assert await purse.states() == [("waiting", 900_000_000, 0, 0)]
    (wish,) = [one for one in await open_deeds(purse) if one.payment == row.id]
    assert await refused(hands.agree(ANNA, wish.id)) is Code.FORBIDDEN
    assert await refused(mine.enter(BERT, me.person, (1, "EUR"), "invented")) is Code.CONFLICT
    assert await refused(hands.refund(ANNA, row.id, 1, "Mine.")) is Code.INVALID
    await hands.reject(BERT, wish.id)
    assert (await purse.states(), await purse.till.balance("bank:")) == ([("cancelled", 900_000_000, 0, 0)], 0)
    assert await refused(hands.agree(BERT, wish.id)) is Code.CONFLICT
    row = await mine.enter(ANNA, me.person, (6000, "EUR"), "invented", is_ahead=True)
    (wish,) = await open_deeds(purse)
    await hands.agree(BERT, wish.id)
    assert await refused(hands.agree(BERT, wish.id)) is Code.CONFLICT
    assert (await mine.mine(me)).balances == (("EUR", 6000),)


async def test_what_is_entered_in_slices_takes_a_second_person(purse: Purse) -> None:
    me, mine = await driver(purse), wallets(purse)
    told = [await mine.enter(ANNA, me.person, (2500, "EUR"), f"bank {n}", is_ahead=True) for n in range(3)]
    assert [one.state.value for one in told] == ["captured", "captured", "waiting"]
    assert await refused(mine.enter(PROGRAM, me.person, (5001, "EUR"), "bank 9")) is Code.FORBIDDEN
    purse.world.clock.skip(days=30)
    assert (await mine.enter(ANNA, me.person, (5000, "EUR"), "bank 4")).state.value == "captured"


@pytest.mark.parametrize("value", ["100.01", "10000", "-1"])
async def test_no_host_gets_more_than_a_kwh_is_sold_for(purse: Purse, stripe: Shapes, value: str) -> None:
    for kind in ShareKind:
        share = deeds(purse).agree_share(ANNA, "Yard", "Anna herself", kind, Decimal(value))
        assert await refused(share) is Code.INVALID


async def open_deeds(purse: Purse) -> list[DeedRow]:
    """What waits for a second person."""
    async with purse.world.door.store.read() as connection:
        return await deed.find(connection, VIEWER, 100, state=DeedState.OPEN)
