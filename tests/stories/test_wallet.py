"""How drivers pay: for nothing, once a month, from a balance, by a card they left with the provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.databases import Databases
from tests.pay.shapes import Shapes, shapes
from tests.stories.purse import Purse, paying
from tests.stories.till import ANNA, BERT
from tests.stories.world import NOON
from wattkeeper.assembly import provider_of
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.payments.paying import Way, Whose
from wattkeeper.charging.money.payments.share import ShareKind
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.audit import audit_ledger
from wattkeeper.operations.money.payments.deeds import MoneyDeeds
from wattkeeper.operations.money.payments.purses import asks_nowhere
from wattkeeper.operations.money.payments.wallet import Wallets
from wattkeeper.operations.money.payments.warning import Warnings
from wattkeeper.operations.money.payments.watch import Watch
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.people.letters.notices import Notices
from wattkeeper.store.money.payments import monthly, payment
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.store.stations import station as stations

OWN = frozenset({Scope.BILLS_READ, Scope.PAYMENTS_HOLD, Scope.ACCOUNT_READ})


@pytest.fixture
async def stripe() -> AsyncIterator[Shapes]:
    """A provider."""
    async with shapes() as made:
        yield made


@pytest.fixture
async def purse(databases: Databases, engine: str, tmp_path: Path, stripe: Shapes) -> AsyncIterator[Purse]:
    """A world with a price and a provider; how drivers pay is chosen in each story."""
    choices = {"pay_by": "invoice", "pay_choices": "card, prepaid", "public_url": "https://charge.example"}
    async with paying(databases, engine, tmp_path, stripe, **choices) as made:
        yield made


async def driver(purse: Purse) -> Viewer:
    """Whoever holds the card."""
    person = await purse.person()
    return Viewer(person, Role.DRIVER, own=OWN, account="d" * 17, person=person)


def wallets(purse: Purse) -> Wallets:
    """What drivers and staff do about paying."""
    door = purse.world.door
    purse.provider = purse.provider or provider_of(door.settings)
    return Wallets(door.store, door.bus, door.settings, purse.provider)


def deeds(purse: Purse) -> MoneyDeeds:
    """What people move by hand."""
    door = purse.world.door
    return MoneyDeeds(door.store, door.bus, door.settings)


async def refused(deed: Any) -> Code:
    """Why it was refused."""
    with pytest.raises(Refusal) as refusal:
        await deed
    return refusal.value.code


async def charged(purse: Purse, wh: int = 10_000) -> None:
    """An hour at CP1, just now: 10 kWh, which cost 6.00."""
    start = purse.world.clock.now
    async with purse.world.v16("CP1") as cp:
        tx = await cp.start(start, 1000)
        await cp.stop(tx, start + timedelta(hours=1), 1000 + wh)
    await purse.look(minutes=2)


async def corrected(purse: Purse, gross_minor: int) -> None:
    """The first session comes to another amount after all."""
    session = (await purse.world.sessions())[0].id
    await purse.till.deeds.do(ANNA, session, Wish(deed=Deed.CORRECT, said="As agreed.", gross_minor=gross_minor))
    await purse.look()


# --- for nothing ----------------------------------------------------------------------------------------------


async def test_free_bills_are_issued_and_covered_on_an_account_of_their_own(purse: Purse) -> None:
    await wallets(purse).choose_for(ANNA, Whose.DRIVER, await purse.person(), Way.FREE)
    await charged(purse)
    assert await purse.till.amounts() == [("bill", 600)]
    assert (await purse.till.balance("owed:"), await purse.till.balance("lost:covered")) == (0, 600)
    await corrected(purse, 400)
    assert (await purse.till.balance("owed:"), await purse.till.balance("lost:covered")) == (0, 400)


async def test_a_group_pays_as_chosen_and_its_driver_as_chosen_for_them(purse: Purse) -> None:
    await purse.world.enroll("04BB", group="crew")
    await wallets(purse).choose_for(ANNA, Whose.GROUP, "crew", Way.FREE)
    async with purse.world.v16("CP1") as cp:
        tx = await cp.start(0, 0, "04BB")
        await cp.stop(tx, 60, 10_000)
    await purse.look(minutes=2)
    assert await purse.till.balance("lost:covered") == 600
    async with purse.world.door.store.read() as connection:
        found = await connection.execute(text("SELECT way FROM settlement"))
        assert found.scalars().all() == ["free"]


# --- from a balance -------------------------------------------------------------------------------------------


async def test_a_balance_is_topped_up_used_and_nothing_begins_once_it_is_gone(purse: Purse, stripe: Shapes) -> None:
    me, mine = await driver(purse), wallets(purse)
    await mine.choose(me, Way.PREPAID)
    async with purse.world.v16("CP1") as cp:
        assert await cp.authorize() == "Blocked"
    for amount in (0, -5, 999, 50_001):
        assert await refused(mine.top_up(me, amount)) is Code.INVALID
    assert (await mine.top_up(me, 1000)).url == "https://pay.example/p"
    (row,) = await purse.payments()
    await purse.look()
    assert (row.state.value, (await purse.states())[0][0]) == ("waiting", "waiting")
    assert row.page is not None
    stripe.paid(row.page)
    await purse.look(minutes=3)
    assert await purse.states() == [("captured", 1000, 1000, 0)]
    assert (await mine.mine(me)).balances == (("EUR", 1000),)
    await charged(purse)
    assert (await mine.mine(me)).balances == (("EUR", 400),)
    assert await purse.till.balance("owed:") == 0
    await charged(purse)
    assert (await mine.mine(me)).balances == (("EUR", -200),)
    async with purse.world.v201("CP2") as cp2:
        assert await cp2.authorize() == "NoCredit"
    await corrected(purse, 100)
    assert (await mine.mine(me)).balances == (("EUR", 300),)
    async with purse.world.v201("CP2") as cp2:
        assert await cp2.authorize() == "Accepted"


async def test_whose_balance_runs_out_is_told_once_and_goes_on_charging(purse: Purse) -> None:
    me = await driver(purse)
    await wallets(purse).choose(me, Way.PREPAID)
    await wallets(purse).enter(ANNA, me.person, (300, "EUR"), "cash 1", is_ahead=True)
    door = purse.world.door
    mail = Mail(door.store, door.safe, door.settings)
    notices = Notices(door.store, door.safe, door.bus, mail)
    async with purse.world.v16("CP1") as cp:
        tx = await cp.start(0, 1000)
        await cp.read(tx, 10, wh=5000)
        assert await Warnings(door.store, door.settings, notices).look() == 0
        await cp.read(tx, 20, wh=7000)
        assert await Warnings(door.store, door.settings, notices).look() == 1
        assert await Warnings(door.store, door.settings, notices).look() == 0
        assert (await purse.world.the_session()).is_live
        await cp.stop(tx, 30, 8000)
    (told,) = await notices.mine(me, 10)
    assert "has used up your balance of €3.00" in told.text


async def test_what_was_prepaid_and_not_used_goes_back(purse: Purse, stripe: Shapes) -> None:
    me = await driver(purse)
    await wallets(purse).choose(me, Way.PREPAID)
    await wallets(purse).top_up(me, 1000)
    (row,) = await purse.payments()
    assert row.page is not None
    stripe.paid(row.page)
    await purse.look(minutes=3)
    await charged(purse)
    assert await refused(deeds(purse).refund(ANNA, row.id, 401, "She moves away.")) is Code.INVALID
    await deeds(purse).refund(ANNA, row.id, 400, "She moves away.")
    assert await refused(deeds(purse).refund(ANNA, row.id, 1, "Again.")) is Code.INVALID
    await purse.look()
    assert await purse.states() == [("captured", 1000, 1000, 400)]
    assert (await purse.till.balance("prepaid:"), await purse.till.balance("bank:stripe")) == (0, 600)


# --- by a card --------------------------------------------------------------------------------------------------


async def test_a_card_is_left_with_the_provider_and_charged(purse: Purse, stripe: Shapes) -> None:
    me, mine = await driver(purse), wallets(purse)
    assert await refused(mine.choose(me, Way.CARD)) is Code.CONFLICT
    await mine.leave_card(me)
    (row,) = await purse.payments()
    assert row.page is not None
    page = stripe.paid(row.page)
    assert (page["mode"], page["success_url"]) == ("setup", f"https://charge.example/app/me/pay/{row.id}")
    assert "card" not in stripe.things[page["customer"]]
    assert (await mine.returned(me, row.id)).state == "captured"
    means = (await mine.mine(me)).means
    assert means is not None
    assert (means.brand, means.last_four) == ("visa", "4242")
    await mine.choose(me, Way.CARD)
    await charged(purse)
    assert (await purse.states())[1] == ("captured", 600, 600, 0)
    await mine.forget_card(me)
    assert [one["customer"] for one in stripe.things.values() if one["object"] == "payment_method"] == [None]
    assert (await mine.mine(me)).means is None
    async with purse.world.v201("CP2") as cp2:
        assert await cp2.authorize() == "NoCredit"


@pytest.mark.parametrize("forgets", [False, True])
async def test_what_is_lost_on_the_way_back_is_done_once(purse: Purse, stripe: Shapes, forgets: bool) -> None:
    """Each deed is done over there and its answer lost; even where the provider has forgotten the keys."""
    customer = stripe.make("cus", "customer")["id"]
    await purse.keep_card(customer, stripe.make("pm", "payment_method")["id"])
    await wallets(purse).choose_for(ANNA, Whose.DRIVER, await purse.person(), Way.CARD)

    async def through_losses() -> None:
        for _ in range(6):
            stripe.lost = 1
            await purse.look(minutes=10)
            if forgets:
                stripe.keys.clear()
        stripe.lost = 0
        await purse.look(minutes=10)

    await charged(purse)
    await through_losses()
    assert await purse.till.balance("bank:stripe") == 600
    await corrected(purse, 480)
    await through_losses()
    assert await purse.till.balance("bank:stripe") == 480
    assert sum(one["amount"] for one in stripe.movements) == 480
    assert await purse.till.balance("owed:") == 0
    assert await purse.differences() == []


async def test_drivers_choose_only_what_they_may_and_only_for_themselves(purse: Purse) -> None:
    me, mine = await driver(purse), wallets(purse)
    for way in (Way.FREE, Way.INVOICE):
        assert await refused(mine.choose(me, way)) is Code.FORBIDDEN
    assert await refused(mine.choose_for(me, Whose.DRIVER, me.person, Way.FREE)) is Code.FORBIDDEN
    assert await refused(mine.enter(me, me.person, (100_000, "EUR"), "gift", is_ahead=True)) is Code.FORBIDDEN
    nobody = Viewer("x", Role.DRIVER, own=OWN, account="e" * 17, person="person:other")
    await mine.top_up(me, 1000)
    (row,) = await purse.payments()
    assert await refused(mine.returned(nobody, row.id)) is Code.NOT_FOUND
    for _ in range(9):
        await mine.top_up(me, 1000)
    assert await refused(mine.top_up(me, 1000)) is Code.BUSY


# --- once a month -------------------------------------------------------------------------------------------------


async def test_one_invoice_a_month_numbered_without_gaps_and_paid_by_transfer(purse: Purse) -> None:
    await charged(purse)
    await charged(purse, 5000)
    await corrected(purse, 480)
    await purse.look()
    assert await invoices(purse) == []
    await purse.look(days=31)
    (one,) = await invoices(purse)
    assert (one.number, one.month, one.gross_minor, one.net_minor) == ("M2026-000001", "2026-03", 780, 650)
    assert one.due_on == "2026-04-15"
    await purse.look(days=31)
    assert len(await invoices(purse)) == 1, "nothing was billed, so nothing is asked"
    mine = wallets(purse)
    await mine.enter(ANNA, "", (500, "EUR"), "RF18 1", number=one.number)
    assert await refused(mine.enter(ANNA, "", (500, "EUR"), "RF18 1", number=one.number)) is Code.CONFLICT
    assert await refused(mine.enter(ANNA, "", (500, "USD"), "RF18 2", number=one.number)) is Code.INVALID
    assert await refused(mine.enter(ANNA, "", (5, "EUR"), "RF18 3", number="M2026-000009")) is Code.NOT_FOUND
    assert await refused(mine.enter(ANNA, "person:none", (5, "EUR"), "RF18 4")) is Code.NOT_FOUND
    await mine.enter(ANNA, "", (280, "EUR"), "RF18 5", number=one.number)
    async with purse.world.door.store.read() as connection:
        assert await payment.paid_of(connection, [one.number]) == {one.number: 780}
    assert await purse.till.balance("owed:") == 0
    for deed in ("UPDATE monthly_invoice SET gross_minor = 1", "DELETE FROM monthly_invoice"):
        with pytest.raises(DBAPIError):
            async with purse.world.door.store.unit() as unit:
                await unit.connection.execute(text(deed))


async def test_the_audit_finds_what_payments_and_books_do_not_share(purse: Purse) -> None:
    await charged(purse)
    row = await wallets(purse).enter(ANNA, await purse.person(), (600, "EUR"), "RF18 1")
    door = purse.world.door
    for change, fault in (
        ("captured_minor = 601", f"Payment {row.id} took 601, the ledger entered 600 (minor units)."),
        ("refunded_minor = 5", f"Payment {row.id} gave back 5, the ledger entered 0 (minor units)."),
        ("id = 'gone'", f"Entry 2 of the ledger is for payment {row.id}, which does not exist."),
    ):
        async with door.store.unit() as unit:
            await unit.connection.execute(text(f"UPDATE payment SET {change}"))
        assert fault in (await audit_ledger(door.store, door.settings.zone)).faults
        async with door.store.unit() as unit:
            back = f"captured_minor = 600, refunded_minor = 0, id = '{row.id}'"
            await unit.connection.execute(text(f"UPDATE payment SET {back}"))


async def invoices(purse: Purse) -> list[Any]:
    """Every monthly invoice, the newest first."""
    async with purse.world.door.store.read() as connection:
        return await monthly.find(connection, VIEWER, 100)


# --- by hand ------------------------------------------------------------------------------------------------------


async def test_what_nobody_will_pay_is_given_up_with_a_reason_by_two_people_where_it_is_much(purse: Purse) -> None:
    await charged(purse)
    person = await purse.person()
    for amount in (0, -1, 601):
        assert await refused(deeds(purse).write_off(ANNA, person, amount, "EUR", "Gone.")) is Code.INVALID
    assert await refused(deeds(purse).write_off(ANNA, person, 100, "EUR", "  ")) is Code.INVALID
    assert await refused(deeds(purse).write_off(ANNA, person, 100, "USD", "Gone.")) is Code.INVALID
    row = await deeds(purse).write_off(ANNA, person, 600, "EUR", "Gone.")
    assert row.state == "done"
    assert (await purse.till.balance("owed:"), await purse.till.balance("lost:bad_debt")) == (0, 600)
    await charged(purse, 90_000)
    row = await deeds(purse).write_off(ANNA, person, 5400, "EUR", "Gone again.")
    assert row.state == "open"
    assert await refused(deeds(purse).agree(ANNA, row.id)) is Code.FORBIDDEN
    assert await refused(deeds(purse).agree(VIEWER, row.id)) is Code.FORBIDDEN
    assert await refused(deeds(purse).write_off(BERT, person, 5400, "EUR", "Mine too.")) is Code.CONFLICT
    await wallets(purse).enter(ANNA, person, (5000, "EUR"), "late payment")
    assert await refused(deeds(purse).agree(BERT, row.id)) is Code.CONFLICT
    assert (await deeds(purse).reject(BERT, row.id)).state == "rejected"
    assert await purse.till.balance("owed:") == 400


async def test_hosts_get_their_share_and_are_paid_with_a_statement(purse: Purse) -> None:
    async with purse.world.door.store.unit() as unit:
        await stations.describe(unit, "CP1", {"site": "Yard"})
    await deeds(purse).agree_share(ANNA, "Yard", "Hotel Post", ShareKind.PERCENT, Decimal("12.5"))
    await charged(purse)
    assert await purse.till.balance("host:Yard") == -63, "12.5 % of 5.00 without tax, half up"
    await corrected(purse, 480)
    assert await purse.till.balance("host:Yard") == -50
    purse.world.clock.skip(seconds=1)
    await deeds(purse).agree_share(ANNA, "Yard", "Hotel Post", ShareKind.PER_KWH, Decimal(2))
    await charged(purse)
    statement = await deeds(purse).statement(VIEWER, "Yard", "EUR")
    assert [(one.net_minor, one.share_minor) for one in statement.items] == [(500, 63), (-100, -13), (500, 20)]
    assert statement.total_minor == 70
    assert await refused(deeds(purse).pay_out(ANNA, "Yard", "EUR", "SEPA 1", 69)) is Code.CONFLICT
    row = await deeds(purse).pay_out(ANNA, "Yard", "EUR", "SEPA 1", 70)
    assert row.state == "done"
    assert (await purse.till.balance("host:"), await purse.till.balance("bank:")) == (0, -70)
    assert await refused(deeds(purse).pay_out(ANNA, "Yard", "EUR", "SEPA 2", 70)) is Code.CONFLICT
    assert (await deeds(purse).covered(VIEWER, row.id)).items == statement.items
    for kind, value in ((ShareKind.PERCENT, Decimal(101)), (None, Decimal(1)), (ShareKind.PERCENT, None)):
        assert await refused(deeds(purse).agree_share(ANNA, "Yard", "Hotel Post", kind, value)) is Code.INVALID
    assert row.created_at > NOON


# --- what cannot work -------------------------------------------------------------------------------------------


def changed(purse: Purse, **settings: Any) -> Wallets:
    """The same house after its settings were changed, without a provider."""
    door = purse.world.door
    return Wallets(door.store, door.bus, replace(door.settings, stripe_key_file="", **settings), None)


async def test_a_way_that_cannot_work_is_refused_with_what_to_set(purse: Purse) -> None:
    person = await purse.person()
    bare = changed(purse, seller_iban="")
    for way, words in ((Way.CARD, "WATTKEEPER_STRIPE_KEY_FILE"), (Way.PREPAID, "WATTKEEPER_SELLER_IBAN")):
        with pytest.raises(Refusal, match=words) as refusal:
            await bare.choose_for(ANNA, Whose.DRIVER, person, way)
        assert refusal.value.code is Code.CONFLICT
        assert way not in bare.choices
    assert (await changed(purse, seller_iban="AT61").choose_for(ANNA, Whose.DRIVER, person, Way.PREPAID)).way
    assert await refused(wallets(purse).choose_for(ANNA, Whose.GROUP, "nobody", Way.FREE)) is Code.NOT_FOUND
    share = (ANNA, "Nowhere", "Hotel Post", ShareKind.PERCENT, Decimal(10))
    assert await refused(deeds(purse).agree_share(*share)) is Code.NOT_FOUND


async def test_whose_way_is_not_served_any_more_is_not_locked_out_and_told(purse: Purse) -> None:
    me, mine = await driver(purse), wallets(purse)
    for way in (Way.PREPAID, Way.CARD):
        await mine.choose_for(ANNA, Whose.DRIVER, me.person, way)
        assert await mine.blocked(me)
        bare = changed(purse, seller_iban="")
        told = await bare.mine(me)
        assert (told.way, told.wanted, told.blocked) == (Way.INVOICE, way, "")
        assert await bare.blocked(me) == ""


async def test_a_driver_who_owes_and_pays_ahead_reads_one_figure(purse: Purse) -> None:
    me, mine = await driver(purse), wallets(purse)
    await charged(purse)
    await mine.choose(me, Way.PREPAID)
    told = await mine.mine(me)
    assert (told.left_minor, told.short_minor, told.owed) == (-600, 700, (("EUR", 600),))
    assert told.blocked == await mine.blocked(me)
    assert "(-€6.00): €6.00 is still to pay" in told.blocked
    await mine.enter(ANNA, me.person, (700, "EUR"), "RF18 77", is_ahead=True)
    told = await mine.mine(me)
    assert (told.left_minor, told.short_minor, told.blocked) == (100, 0, "")


async def test_bills_that_ask_for_transfers_to_nowhere_are_told_of(
    purse: Purse, caplog: pytest.LogCaptureFixture
) -> None:
    door = purse.world.door
    named = replace(door.settings, seller_iban="AT61 1904 3002 3457 3201")
    for billed in (False, True):
        async with door.store.read() as connection:
            assert await asks_nowhere(connection, door.settings) is billed
            assert not await asks_nowhere(connection, named)
        if not billed:
            await charged(purse)
    caplog.clear()
    Watch(door.store, door.bus, named, None)
    assert "WATTKEEPER_SELLER_IBAN" not in caplog.text
    Watch(door.store, door.bus, door.settings, None)
    assert "Bills ask for transfers, and no account is set: WATTKEEPER_SELLER_IBAN" in caplog.text
