"""How a driver pays: the way, the balance, the card that the provider keeps; for the driver alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from wattkeeper.charging.money.payments.paying import Way
from wattkeeper.operations.money.payments.wallet import MOST_MINOR
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.web.api.money.payments import Payment, PaymentId, charged_again, shown_payment
from wattkeeper.web.api.shapes import INTEGER, Asked, Here, Payer

router = APIRouter(tags=["wallet"])


class Balance(BaseModel):
    """An amount; minor units."""

    currency: str
    amount_minor: int


class BankCard(BaseModel):
    """The card that the provider keeps; nobody here knows its number."""

    brand: str | None
    last_four: str | None


class Wallet(BaseModel):
    """How you pay."""

    way: Way
    choices: list[Way] = Field(description="The ways that you may choose yourself.")
    prepaid: list[Balance]
    owed: list[Balance]
    card: BankCard | None
    takes_cards: bool


class Chosen(Asked):
    """The way to pay from now on."""

    way: Way


class TopUp(Asked):
    """How much more prepaid balance, minor units of the installation's currency."""

    amount_minor: Annotated[int, Field(ge=1, le=MOST_MINOR), INTEGER]


class Elsewhere(BaseModel):
    """A page of the provider's, on which this is done."""

    payment: str
    url: str


@router.get("/wallet")
async def show_wallet(rooms: Here, viewer: Payer) -> Wallet:
    """How you pay, what is prepaid, what you owe."""
    told = await rooms.payments.wallets.mine(viewer)
    card = None if told.means is None else BankCard(brand=told.means.brand, last_four=told.means.last_four)
    prepaid, owed = (
        [Balance(currency=currency, amount_minor=amount) for currency, amount in some]
        for some in (told.balances, told.owed)
    )
    choices = list(told.choices)
    return Wallet(way=told.way, choices=choices, prepaid=prepaid, owed=owed, card=card, takes_cards=told.has_provider)


@router.post("/wallet/way")
async def choose_way(rooms: Here, viewer: Payer, chosen: Chosen) -> Wallet:
    """Pay this way from now on."""
    await rooms.payments.wallets.choose(viewer, chosen.way)
    return await show_wallet(rooms, viewer)


@router.post("/wallet/top-ups", status_code=201)
async def top_up(rooms: Here, viewer: Payer, wish: TopUp) -> Elsewhere:
    """Top up your balance: on the page that this gives."""
    return _elsewhere(await rooms.payments.wallets.top_up(viewer, wish.amount_minor))


@router.post("/wallet/card", status_code=201)
async def leave_card(rooms: Here, viewer: Payer) -> Elsewhere:
    """Leave a bank card with the provider: on the page that this gives."""
    return _elsewhere(await rooms.payments.wallets.leave_card(viewer))


def _elsewhere(row: PaymentRow) -> Elsewhere:
    return Elsewhere(payment=row.id, url=row.url or "")


@router.delete("/wallet/card", status_code=204)
async def forget_card(rooms: Here, viewer: Payer) -> None:
    """Let no bank card be charged any more."""
    await rooms.payments.wallets.forget_card(viewer)


@router.post("/wallet/payments/{payment}/again")
async def pay_again(rooms: Here, viewer: Payer, payment: PaymentId) -> Payment:
    """Charge your card again for a session whose payment was declined; the newest payment for it."""
    return Payment(**shown_payment(viewer, (await charged_again(rooms, viewer, payment))[0]))
