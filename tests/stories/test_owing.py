"""What an invoice still asks for, by every way to pay, before and after it is settled, and once less is owed."""

from __future__ import annotations

import pytest

from tests.pay.shapes import Shapes
from tests.stories.purse import Purse
from tests.stories.test_wallet import charged, corrected, purse, stripe, wallets
from tests.stories.till import ANNA
from wattkeeper.charging.money.payments.paying import Way, Whose
from wattkeeper.operations.money.papers.owing import Owing, owing

__all__ = ["purse", "stripe"]


async def owings(purse: Purse) -> list[Owing]:
    """What each document asks for, in the order of their issue."""
    rows = await purse.till.bills()
    async with purse.world.door.store.read() as connection:
        return [await owing(connection, row, purse.world.door.settings) for row in rows]


@pytest.mark.parametrize("way", [Way.FREE, Way.PREPAID])
async def test_what_is_covered_or_prepaid_is_not_asked_for(purse: Purse, way: Way) -> None:
    await wallets(purse).enter(ANNA, await purse.person(), (1000, "EUR"), "cash 1", is_ahead=True)
    await wallets(purse).choose_for(ANNA, Whose.DRIVER, await purse.person(), way)
    await charged(purse)
    assert await owings(purse) == [Owing(0, 600, way)]
    await corrected(purse, 140)
    note = (await purse.till.bills())[1].number
    assert await owings(purse) == [Owing(0, 140, way, None, (note,)), Owing(0, 0, way)]
    await wallets(purse).choose_for(ANNA, Whose.DRIVER, await purse.person(), Way.INVOICE)
    assert [one.way for one in await owings(purse)] == [way, way], "later choices hold for later documents"


async def test_what_a_monthly_invoice_asks_for_is_asked_for_there_alone(purse: Purse) -> None:
    await charged(purse)
    await corrected(purse, 480)
    assert [(one.open_minor, one.way, one.invoice) for one in await owings(purse)] == [(0, Way.INVOICE, None)] * 2
    await purse.look(days=31)
    assert [one.invoice for one in await owings(purse)] == ["M2026-000001"] * 2


async def test_what_a_card_paid_is_not_asked_for_and_what_it_declined_is(purse: Purse, stripe: Shapes) -> None:
    customer = stripe.make("cus", "customer")["id"]
    await purse.keep_card(customer, stripe.make("pm", "payment_method")["id"])
    await wallets(purse).choose_for(ANNA, Whose.DRIVER, await purse.person(), Way.CARD)
    stripe.lost = 99
    await charged(purse)
    assert await owings(purse) == [Owing(600, 600, Way.CARD)]
    stripe.lost = 0
    await purse.look(minutes=30)
    assert await owings(purse) == [Owing(0, 600, Way.CARD)]
    await corrected(purse, 480)
    assert [one.open_minor for one in await owings(purse)] == [0, 0]
    await corrected(purse, 700)
    assert [one.open_minor for one in await owings(purse)] == [0, 0, 0]
