"""An installation in which things were paid: something of everything that the pages about payments can show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.pay.local import KEY, SECRET
from wattkeeper.charging.money.payments.paying import Way, Whose
from wattkeeper.charging.money.payments.payment import Differs, PaymentKind, PaymentState, StepState, Verb
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.operations.money.payments.monthly import content_of
from wattkeeper.store.money.payments import deed, monthly, paying, payment, step, told
from wattkeeper.store.money.payments.deed import MoneyDeed
from wattkeeper.store.money.payments.monthly import InvoiceRow, Item
from wattkeeper.store.money.payments.paying import Means
from wattkeeper.store.unit import Unit
from wattkeeper.web.rooms import Rooms

OWNER = Viewer("tests", Role.OWNER, EVERYTHING)
SESSION = "K7QM4XRDT"
NUMBER = "M2019-000001"
"""Of a year in which no month is billed beside it, whichever day it is today."""
YEAR = datetime.now(UTC).year
NUMBERS = (NUMBER, *(f"M{year}-000001" for year in (YEAR, YEAR + 1)))
"""The last two: the month before may be billed by itself, where today begins another."""
WORDS = (
    *(f"{number} ·" for number in NUMBERS),
    *(*NUMBERS, "pi_1", "pi_2", "RF18 0001", "RF18 0002", "Visa", "AT61 1904 3002 3457 3201"),
)
"""What things are called by a provider, a bank and a card."""


def provided(folder: Path, address: str) -> dict[str, Any]:
    """Settings with a provider, at which drivers may choose how they pay."""
    (folder / "stripe.key").write_text(KEY)
    (folder / "stripe.secret").write_text(SECRET)
    files = {"stripe_key_file": str(folder / "stripe.key"), "stripe_secret_file": str(folder / "stripe.secret")}
    return {
        **files,
        "stripe_address": address,
        "pay_choices": "card, prepaid",
        "seller_iban": "AT61 1904 3002 3457 3201",
    }


@dataclass(slots=True)
class Paid:
    """What was made."""

    waits: str
    """A top-up that waits for its driver."""
    declined: str
    difference: str
    proposed: str


async def paid(rooms: Rooms, person: str) -> Paid:
    """Make it, for this person."""
    await rooms.payments.wallets.enter(OWNER, person, (4000, "EUR"), "RF18 0001", is_ahead=True)
    await rooms.payments.wallets.choose_for(OWNER, Whose.DRIVER, person, Way.PREPAID)
    async with rooms.store.unit() as unit:
        paying.keep_means(unit, person, Means("stripe", "cus_1", "pm_1", "visa", "4242"))
        waits = await payment.make(unit, person, PaymentKind.TOP_UP, "stripe", (2000, "EUR", 2), person)
        waits = await payment.move(unit, waits, PaymentState.WAITING, page="cs_1", url="https://pay.example/p")
        await _taken(unit, person)
        declined = await payment.make(unit, person, PaymentKind.CHARGE, "stripe", (310, "EUR", 2), "x", session=SESSION)
        await payment.move(unit, declined, PaymentState.DECLINED, fault="insufficient_funds")
        for kind in Differs:
            await told.differ(unit, kind, f"pi_{kind.value}", waits.id, (2000, "EUR"), (2100, "EUR"))
        await _invoice(unit, person)
        money = (6000, "EUR", 2)
        proposed = await deed.keep(unit, MoneyDeed.PAYOUT, money, "SEPA 17", "somebody else", site="Linz")
        await deed.keep(unit, MoneyDeed.WRITE_OFF, money, "Moved away.", "somebody else", person=person)
        await deed.keep(unit, MoneyDeed.REFUND, money, "Paid twice.", "somebody else", person=person, payment=waits.id)
    async with rooms.store.read() as connection:
        differing = await told.differences(connection, OWNER, 10)
    return Paid(waits.id, declined.id, differing[0].id, proposed.id)


async def _taken(unit: Unit, person: str) -> None:
    """A payment by card, part of which was given back; and one that is reserved."""
    one = await payment.make(unit, person, PaymentKind.CHARGE, "stripe", (5000, "EUR", 2), "x", session="A7QM4XRDT")
    one = await payment.move(unit, one, PaymentState.AUTHORISED, theirs="pi_1")
    one = await payment.move(unit, one, PaymentState.CAPTURED, captured_minor=1437)
    await payment.change(unit, one, refunded_minor=137)
    done = await step.add(unit, one.id, Verb.CAPTURE, 1437)
    await step.settle(unit, done, StepState.DONE, "pi_1")
    other = await payment.make(unit, person, PaymentKind.CHARGE, "stripe", (5000, "EUR", 2), "x", session="B7QM4XRDT")
    await payment.move(unit, other, PaymentState.AUTHORISED, theirs="pi_2")


async def _invoice(unit: Unit, person: str) -> None:
    """A monthly invoice of two documents."""
    began = unit.now - timedelta(days=20)
    items = [
        Item(f"2026-00000{place}", f"{place}7QM4XRDT", "CP1", "Linz", began, 500 * place, 100 * place, 600 * place)
        for place in (1, 2)
    ]
    row = InvoiceRow(
        number=NUMBER,
        series="2019",
        place=1,
        person=person,
        month="2026-03",
        currency="EUR",
        digits=2,
        net_minor=1500,
        vat_minor=300,
        gross_minor=1800,
        issued_at=unit.now,
        due_on="2026-04-15",
        content=content_of(items),
        digest="0" * 64,
        by="wattkeeper",
    )
    await monthly.keep(unit, row)
