"""A driver with a bank card charges: an amount is reserved, the real cost is taken, a correction is given back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.pay.local import ASKS, DECLINES, GOOD, KEY, SECRET, LocalStripe, localstripe
from tests.stories.purse import Purse, paying
from tests.stories.till import ANNA, BERT
from tests.stories.world import CARD, minute
from wattkeeper.operations.money.payments.stripe import Stripe
from wattkeeper.operations.money.payments.wallet import Wallets
from wattkeeper.store.money.proposal import Deed, Wish


@pytest.fixture
async def stripe() -> AsyncIterator[LocalStripe]:
    """A provider."""
    async with localstripe() as made:
        yield made


@pytest.fixture
async def purse(databases: Databases, engine: str, tmp_path: Path, stripe: LocalStripe) -> AsyncIterator[Purse]:
    """A world with a price and a provider, in which drivers pay by card."""
    async with paying(databases, engine, tmp_path, stripe) as made:
        yield made


async def test_the_amount_is_reserved_the_cost_taken_and_a_correction_given_back(
    purse: Purse, stripe: LocalStripe
) -> None:
    await purse.keep_card(*await stripe.card(GOOD))
    async with purse.world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await purse.look()
        assert await purse.states() == [("authorised", 5000, 0, 0)]
        (intent,) = await stripe.intents()
        assert (intent["status"], intent["amount"], intent["currency"]) == ("requires_capture", 5000, "eur")
        await cp.stop(tx, 60, 11_000)
    await purse.look(minutes=2)
    assert await purse.till.amounts() == [("bill", 600)]
    assert await purse.states() == [("captured", 5000, 600, 0)]
    assert await purse.till.balance("owed:") == 0
    assert await purse.till.balance("bank:stripe") == 600
    session = (await purse.world.the_session()).id
    wish = Wish(deed=Deed.CORRECT, said="The display showed 8 kWh.", gross_minor=480)
    await purse.till.deeds.do(ANNA, session, wish)
    await purse.look()
    assert await purse.states() == [("captured", 5000, 600, 120)]
    (intent,) = await stripe.intents()
    charge = intent["charges"]["data"][0]
    assert charge["amount"] - charge["amount_refunded"] == 480
    assert await purse.till.balance("bank:stripe") == 480
    assert await purse.till.balance("owed:") == 0
    await purse.look()
    assert await purse.states() == [("captured", 5000, 600, 120)]
    assert await purse.differences() == []
    await purse.till.check()


async def test_it_is_reserved_for_who_plugs_in_before_they_tap_too(purse: Purse, stripe: LocalStripe) -> None:
    await purse.keep_card(*await stripe.card(GOOD))
    async with purse.world.v201("CP1") as cp:
        await cp.event("Started", "TX", 0, 1, trigger="CablePluggedIn", wh=1000)
        await purse.look()
        assert await purse.states() == []
        await cp.event("Updated", "TX", 1, 2, card=CARD, trigger="Authorized", state="Charging", wh=1000)
        await purse.look()
        assert await purse.states() == [("authorised", 5000, 0, 0)]
        for place in (2, 3):
            await cp.event("Updated", "TX", place, place * 10, card=CARD, wh=1000 * place)
            await purse.look()
        assert await purse.states() == [("authorised", 5000, 0, 0)], "once"


async def charged(purse: Purse, wh: int = 10_000, card: str = CARD) -> None:
    """A session of 10 kWh, which costs 6.00."""
    start = minute(0) if purse.world.clock.now < minute(1) else purse.world.clock.now
    async with purse.world.v16("CP1") as cp:
        tx = await cp.start(start, 1000, card)
        await purse.look()
        await cp.stop(tx, start + timedelta(hours=1), 1000 + wh)
    await purse.look(minutes=2)


async def test_what_costs_more_than_was_reserved_is_taken_beside_it(purse: Purse, stripe: LocalStripe) -> None:
    await purse.keep_card(*await stripe.card(GOOD))
    await charged(purse, 100_000)
    assert await purse.states() == [("captured", 5000, 5000, 0), ("captured", 1000, 1000, 0)]
    assert (await purse.till.balance("owed:"), await purse.till.balance("bank:stripe")) == (0, 6000)
    session = (await purse.world.the_session()).id
    for gross in (5500, 300, 0):  # within the first, beyond it, all of it
        wish = Wish(deed=Deed.CORRECT, said="As agreed.", gross_minor=gross)
        await agreed(purse, session, wish)
        await purse.look()
        assert (await purse.till.balance("owed:"), await purse.till.balance("bank:stripe")) == (0, gross)
    assert [one[3] for one in await purse.states()] == [5000, 1000]
    assert await purse.differences() == []
    await purse.till.check()


async def agreed(purse: Purse, session: str, wish: Wish) -> None:
    """Do it, with a second person where that takes two."""
    done = await purse.till.deeds.do(ANNA, session, wish)
    if done.proposal is not None:
        await purse.till.deeds.agree(BERT, done.proposal.id)


async def test_what_is_corrected_upwards_is_taken_too(purse: Purse, stripe: LocalStripe) -> None:
    await purse.keep_card(*await stripe.card(GOOD))
    await charged(purse)
    session = (await purse.world.the_session()).id
    await agreed(purse, session, Wish(deed=Deed.CORRECT, said="As agreed.", gross_minor=700))
    await purse.look()
    assert await purse.states() == [("captured", 5000, 600, 0), ("captured", 100, 100, 0)]
    assert await purse.till.balance("owed:") == 0


async def test_what_costs_nothing_frees_what_was_reserved(purse: Purse, stripe: LocalStripe) -> None:
    await purse.keep_card(*await stripe.card(GOOD))
    await charged(purse, 0)
    assert await purse.till.amounts() == []
    assert await purse.states() == [("cancelled", 5000, 0, 0)]
    assert [one["status"] for one in await stripe.intents()] == ["canceled"]
    await purse.till.check()


async def test_what_waits_for_a_person_stays_reserved_and_is_freed_when_it_is_waived(
    purse: Purse, stripe: LocalStripe
) -> None:
    await purse.keep_card(*await stripe.card(GOOD))
    async with purse.world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(tx, 30, wh=11_000)
        await purse.look()
        await cp.stop(tx, 60, 10_500)
    await purse.look(minutes=2)
    assert await purse.till.waits() == ["register_rollback"]
    assert await purse.states() == [("authorised", 5000, 0, 0)]
    await purse.till.do(Deed.WAIVE, "A kind gesture.")
    await purse.look()
    assert await purse.states() == [("cancelled", 5000, 0, 0)]


@pytest.mark.parametrize(("number", "fault"), [(DECLINES, "card_declined"), (ASKS, "authentication_required")])
async def test_a_card_that_is_declined_leaves_a_debt_and_starts_nothing_more(
    purse: Purse, stripe: LocalStripe, number: str, fault: str
) -> None:
    await purse.keep_card(*await stripe.card(number))
    await charged(purse)
    rows = await purse.payments()
    assert [(one.state.value, one.asked_minor, one.fault) for one in rows] == [
        ("declined", 5000, fault),
        ("declined", 600, fault),
    ]
    assert await purse.till.balance("owed:") == 600
    await purse.look()
    assert len(await purse.payments()) == 2, "it is not asked again and again"
    async with purse.world.v16("CP1") as cp:
        answer = await cp.begin(purse.world.clock.now, 11_000)
        assert answer["idTagInfo"]["status"] != "Accepted"
    assert (await purse.world.sessions())[-1].verdict == "no_credit"
    await purse.keep_card(*await stripe.card(GOOD))
    session = (await purse.world.sessions())[0].id
    door = purse.world.door
    wallets = Wallets(door.store, door.bus, door.settings, purse.provider)
    assert await wallets.try_again(ANNA, session)
    assert (await purse.states())[-1] == ("captured", 600, 600, 0)
    assert not await wallets.try_again(ANNA, session)
    assert await purse.till.balance("owed:") == 0
    async with purse.world.v16("CP1") as cp:
        assert await cp.authorize() == "Accepted"


async def test_without_a_card_to_pay_with_nothing_begins(purse: Purse) -> None:
    async with purse.world.v16("CP1") as cp:
        assert await cp.authorize() == "Blocked"
    async with purse.world.v201("CP2") as cp2:
        assert await cp2.authorize() == "NoCredit"


async def test_a_provider_who_cannot_be_reached_is_asked_again(purse: Purse, stripe: LocalStripe) -> None:
    await purse.keep_card(*await stripe.card(GOOD))
    purse.provider = Stripe(KEY, SECRET, "http://127.0.0.1:1")
    await charged(purse)
    assert [one[0] for one in await purse.states()] == ["asked"]
    assert await purse.till.balance("owed:") == 600
    await purse.provider.close()
    purse.provider = None
    await purse.look(seconds=3)
    assert [one[0] for one in await purse.states()] == ["asked"], "not before its time"
    await purse.look(minutes=5)
    assert await purse.states() == [("captured", 5000, 600, 0)]
    await purse.till.check()
