"""The provider's door, as localstripe knocks at it: its own events, signed by it, over a real connection."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import OpenDoor
from tests.doors import until
from tests.pay.local import localstripe
from tests.stories.purse import connected
from tests.web.conftest import house_of, served
from wattkeeper.charging.money.ledger import AccountKind
from wattkeeper.charging.money.payments.payment import PaymentKind, PaymentState
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.money import ledger
from wattkeeper.store.money.payments import payment
from wattkeeper.store.tables import payment_event


async def test_what_localstripe_tells_is_believed_and_entered_once(open_door: OpenDoor, tmp_path: Path) -> None:
    async with localstripe() as stripe:
        house = await house_of(await open_door(**connected(tmp_path, stripe.address)))
        store = house.rooms.store
        async with store.unit() as unit:
            made = await payment.make(unit, "person:1", PaymentKind.TOP_UP, "stripe", (2000, "EUR", 2), "person:1")
            row = await payment.change(unit, made, page="cs_1")
        async with served(house.app) as address:
            await stripe.webhook(f"{address}/payments/stripe")
            customer, method = await stripe.card()
            wish = {"amount": "2000", "currency": "eur", "customer": customer, "payment_method": method}
            await stripe.ask("POST", "payment_intents", **wish, confirm="true", **{"metadata[wattkeeper]": row.id})

            async def paid() -> bool:
                async with store.read() as connection:
                    now = await payment.by_id(connection, row.id)
                return now is not None and now.state is PaymentState.CAPTURED

            await until(paid, "the webhook")
        async with store.read() as connection:
            (bank,) = await ledger.balances(connection, VIEWER, AccountKind.BANK)
            (prepaid,) = await ledger.balances(connection, VIEWER, AccountKind.PREPAID)
        assert (bank.amount_minor, prepaid.amount_minor) == (2000, -2000)
        told = {one.kind: one.outcome for one in await house.door.rows(payment_event)}
        assert told["payment_intent.succeeded"] == "done"
