"""What is paid or given back once is not paid or given back again, whoever asks meanwhile, and by whichever way."""

from __future__ import annotations

import pytest

from tests.pay.shapes import Shapes
from tests.stories.purse import Purse
from tests.stories.test_wallet import charged, deeds, driver, purse, refused, stripe, wallets
from tests.stories.till import ANNA
from wattkeeper.charging.errors import Code
from wattkeeper.charging.money.payments.paying import Way
from wattkeeper.charging.person import Viewer
from wattkeeper.store.money.proposal import Deed, Wish

__all__ = ["purse", "stripe"]


async def topped_up(purse: Purse, stripe: Shapes, me: Viewer, amount_minor: int) -> str:
    """The payment by which somebody paid ahead on the provider's page."""
    row = await wallets(purse).top_up(me, amount_minor)
    assert row.page is not None
    stripe.paid(row.page)
    await purse.look(minutes=3)
    return row.id


async def by_card(purse: Purse, stripe: Shapes) -> Viewer:
    """A driver who left a card and pays by it."""
    me, mine = await driver(purse), wallets(purse)
    row = await mine.leave_card(me)
    assert row.page is not None
    stripe.paid(row.page)
    await mine.returned(me, row.id)
    await mine.choose(me, Way.CARD)
    return me


async def test_two_payments_give_back_no_more_than_is_left_of_both(purse: Purse, stripe: Shapes) -> None:
    me = await driver(purse)
    await wallets(purse).choose(me, Way.PREPAID)
    first, second = [await topped_up(purse, stripe, me, 2000) for _ in range(2)]
    for _ in range(5):
        await charged(purse)
    await deeds(purse).refund(ANNA, first, 1000, "Moves away.")
    assert await refused(deeds(purse).refund(ANNA, second, 1000, "Moves away.")) is Code.INVALID
    assert await refused(deeds(purse).refund(ANNA, second, 1, "Moves away.")) is Code.INVALID
    await purse.look()
    assert (await wallets(purse).mine(me)).balances == (("EUR", 0),)
    assert await purse.till.balance("bank:stripe") == 3000


async def test_nothing_begins_on_a_balance_that_is_on_its_way_back(purse: Purse, stripe: Shapes) -> None:
    me = await driver(purse)
    await wallets(purse).choose(me, Way.PREPAID)
    row = await topped_up(purse, stripe, me, 2000)
    async with purse.world.v16("CP1") as cp:
        assert await cp.authorize() == "Accepted"
        await deeds(purse).refund(ANNA, row, 2000, "Moves away.")
        assert await cp.authorize() == "Blocked"


@pytest.mark.parametrize("is_noticed", [True, False], ids=["asked", "not-yet-asked"])
async def test_a_credit_goes_back_to_the_card_or_to_the_bank_and_not_to_both(
    purse: Purse, stripe: Shapes, is_noticed: bool
) -> None:
    me, mine = await driver(purse), wallets(purse)
    await charged(purse)
    transfer = await mine.enter(ANNA, me.person, (600, "EUR"), "bank 1")
    await by_card(purse, stripe)
    await charged(purse)
    stripe.lost = 50
    session = (await purse.world.sessions())[1].id
    await purse.till.deeds.do(ANNA, session, Wish(deed=Deed.CORRECT, said="Broken.", gross_minor=0))
    if is_noticed:
        await purse.look()
    assert await refused(deeds(purse).refund(ANNA, transfer.id, 600, "Overpaid.")) is Code.INVALID
    stripe.lost = 0
    for _ in range(2):
        await purse.look(hours=3)
    assert [one[3] for one in await purse.states() if one[2]] == [0, 600]
    assert ((await mine.mine(me)).owed, await purse.till.balance("bank:bank")) in (((), 600), ((("EUR", 0),), 600))


@pytest.mark.parametrize("how", ["bank", "given up"])
async def test_what_was_paid_or_given_up_meanwhile_is_not_charged_to_the_card(
    purse: Purse, stripe: Shapes, how: str
) -> None:
    stripe.declines = True
    me, mine = await by_card(purse, stripe), wallets(purse)
    await charged(purse)
    stripe.declines = False
    session = (await purse.world.the_session()).id
    if how == "bank":
        await mine.enter(ANNA, me.person, (400, "EUR"), "bank 1")
    else:
        await deeds(purse).write_off(ANNA, me.person, 400, "EUR", "Hardship.")
    assert await mine.try_again(me, session)
    assert not await mine.try_again(me, session), "the rest is on its way already"
    await purse.look()
    assert await purse.till.balance("owed:") == 0
    assert await purse.till.balance("bank:stripe") == 200
    assert not await mine.try_again(me, session)


async def test_what_the_card_is_about_to_pay_is_not_given_up(purse: Purse, stripe: Shapes) -> None:
    me = await by_card(purse, stripe)
    stripe.lost = 50
    await charged(purse)
    assert await refused(deeds(purse).write_off(ANNA, me.person, 600, "EUR", "Gone.")) is Code.INVALID
    stripe.lost = 0
    for _ in range(2):
        await purse.look(hours=3)
    assert (await purse.till.balance("owed:"), await purse.till.balance("bank:stripe")) == (0, 600)


@pytest.mark.parametrize(
    "text", ["RF18 anna@example.org", "für Anna", "a_b", "paid; twice", "RF18 \u0661", "x\ny", " "]
)
async def test_a_reference_has_no_room_for_an_address_or_a_sentence(purse: Purse, text: str) -> None:
    me = await driver(purse)
    assert await refused(wallets(purse).enter(ANNA, me.person, (600, "EUR"), text)) is Code.INVALID
    assert (await wallets(purse).enter(ANNA, me.person, (600, "EUR"), "RF18/2026-03.7 x")).theirs == "RF18/2026-03.7 x"
