"""With what somebody would pay a session: asked before anything begins, and when a document is to be paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_CEILING

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.token import Authorisation
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.payments.paying import Purse, Way, Whose, cannot_pay, way_of
from wattkeeper.charging.money.payments.payment import PaymentState
from wattkeeper.charging.money.tariffs.assignment import Spot
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.charging.session import Session
from wattkeeper.operations.money.tariffs.choosing import choose, pinned
from wattkeeper.operations.money.tariffs.worth import bill_of
from wattkeeper.settings import Settings
from wattkeeper.store.money import billable
from wattkeeper.store.money.payments import paying, settlement
from wattkeeper.store.money.payments import payment as payments

ELSEWHERE = phrase("Prices here are in {there}, and your prepaid balance is in {own}: it cannot pay here.")
ONE = phrase(
    "What you charge elsewhere needs your prepaid balance ({count} running). Top it up, or end that first, then start"
    " again."
)


def way_named(text: str) -> Way:
    """The way of a name; Refusal (INVALID) where there is none."""
    try:
        return Way(text)
    except ValueError:
        raise Refusal(Code.INVALID, phrase("A way to pay is free, invoice, prepaid or card.")) from None


def default_way(settings: Settings) -> Way:
    """How is paid where nothing else was chosen."""
    return way_named(settings.pay_by)


async def ways_in_use(connection: AsyncConnection, settings: Settings) -> set[Way]:
    """Every way by which anybody may pay here."""
    return {default_way(settings), *await paying.in_use(connection)}


NO_CARDS = phrase("No bank cards are taken here. Set WATTKEEPER_STRIPE_KEY_FILE first.")
NO_TOP_UPS = phrase(
    "Nobody could top up a balance here. Set WATTKEEPER_STRIPE_KEY_FILE first, or WATTKEEPER_SELLER_IBAN for transfers."
)


def lacks(way: Way, settings: Settings) -> Phrase | None:
    """What to set before anybody can pay this way; None where they can."""
    if way is Way.CARD and not settings.stripe_key_file:
        return NO_CARDS
    if way is Way.PREPAID and not (settings.stripe_key_file or settings.seller_iban):
        return NO_TOP_UPS
    return None


NO_ACCOUNT = phrase("Bills ask for transfers, and no account is set: WATTKEEPER_SELLER_IBAN")


async def asks_nowhere(connection: AsyncConnection, settings: Settings) -> bool:
    """Whether invoices are to be paid by transfer and name no account."""
    return not settings.seller_iban and await settlement.is_any_invoiced(connection)


async def way_for(connection: AsyncConnection, person: str, group: str, settings: Settings) -> Way:
    """How somebody pays what was charged on a card of this group: once a month where their way cannot be served."""
    way = await way_wanted(connection, person, group, settings)
    return way if lacks(way, settings) is None else Way.INVOICE


async def way_wanted(connection: AsyncConnection, person: str, group: str, settings: Settings) -> Way:
    """The way that was chosen, whether it can be served or not."""
    own = await paying.chosen(connection, Whose.DRIVER, person)
    of_group = await paying.chosen(connection, Whose.GROUP, group)
    return way_of(own, of_group, default_way(settings))


async def purse_of(connection: AsyncConnection, person: str, group: str, settings: Settings) -> Purse:
    """What somebody could pay a session with."""
    way, currency = await way_for(connection, person, group, settings), settings.pay_currency
    purse = Purse(way, currency, digits_of(currency))
    if way is Way.PREPAID:
        prepaid, owed = await paying.remaining(connection, person, currency)
        taken, least = max(owed, 0), settings.prepaid_least_minor
        return replace(purse, balance_minor=prepaid - taken, owed_minor=taken, least_minor=least)
    if way is Way.CARD:
        means = await paying.means_of(connection, person)
        has_card = means is not None and means.method is not None
        return replace(purse, has_card=has_card, is_declined=await _owes_declined(connection, person))
    return purse


async def _owes_declined(connection: AsyncConnection, person: str) -> bool:
    """Whether the last payment by card was declined, and is still owed."""
    last = await payments.last_charge(connection, person)
    if last is None or last.state is not PaymentState.DECLINED:
        return False
    return (await paying.purses(connection, person, last.currency))[1] > 0


async def objection(
    connection: AsyncConnection, spot: Spot, now: datetime, settings: Settings, begun: Sequence[Session] = ()
) -> str:
    """Why nothing may begin here that this person would have to pay; empty where it may, or nobody is known to pay.

    ``begun``: what they began just now, which is not kept yet.
    """
    if not spot.person:
        return ""
    purse = await purse_of(connection, spot.person, spot.group, settings)
    if purse.way is not Way.PREPAID:
        return cannot_pay(purse)
    (choice,) = await choose(connection, [spot], now)
    if choice.row is not None and choice.row.tariff.currency != purse.currency:
        return ELSEWHERE.filled(there=choice.row.tariff.currency, own=purse.currency)
    count, cost = await _running(connection, spot, purse, begun)
    left = replace(purse, balance_minor=purse.balance_minor - cost)
    if why := cannot_pay(left):
        return why
    return ONE.filled(count=count) if count and left.balance_minor < count * settings.authorise_minor else ""


async def _running(connection: AsyncConnection, spot: Spot, purse: Purse, begun: Sequence[Session]) -> tuple[int, int]:
    """How many sessions somebody runs elsewhere, and what all of them cost so far, minor units rounded up."""
    found = await billable.of(connection, await billable.live_of(connection, spot.person))
    runs = {name: one for name, one in found.items() if _elsewhere(one.whole, spot)}
    choices, cost = await pinned(connection, runs), 0
    for name, one in runs.items():
        row = choices[name].row
        if row is not None and row.tariff.currency == purse.currency:
            gross = (await bill_of(connection, one.whole, one.last_n, row)).gross
            cost += int(gross.scaleb(purse.digits).to_integral_value(ROUND_CEILING))
    fresh = {one.id for one in begun if one.id not in found and _elsewhere(one, spot)}
    return len(runs) + len(fresh), cost


def _elsewhere(one: Session, spot: Spot) -> bool:
    """Whether a session was let begin, and is another than what begins here or ends here."""
    is_here = one.station == spot.station and (spot.evse is None or one.evse == spot.evse)
    return one.verdict is Authorisation.ACCEPTED and not is_here
