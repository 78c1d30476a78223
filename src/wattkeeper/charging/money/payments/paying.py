"""How somebody pays: for nothing, once a month, from a balance, or by a card that the provider keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from wattkeeper.charging.phrase import Money, Phrase, phrase


class Way(StrEnum):
    """A way to pay."""

    FREE = "free"
    """Bills are issued, and whoever runs the stations covers them."""
    INVOICE = "invoice"
    """One invoice a month, paid by bank transfer."""
    PREPAID = "prepaid"
    """From a balance that was topped up before."""
    CARD = "card"
    """From a bank card that the provider keeps: an amount is reserved at the start, the real cost is taken."""


IN_WORDS: Mapping[Way, Phrase] = {
    Way.FREE: phrase("Covered for you"),
    Way.INVOICE: phrase("Monthly invoice"),
    Way.PREPAID: phrase("Prepaid balance"),
    Way.CARD: phrase("Bank card"),
}
"""Each way as people read it."""


class Whose(StrEnum):
    """For whom a way was chosen; the nearer to the driver goes before."""

    DRIVER = "driver"
    GROUP = "group"


def way_of(driver: Way | None, group: Way | None, default: Way) -> Way:
    """The way that holds: the driver's own, else that of the group of their card, else the installation's."""
    return driver or group or default


@dataclass(frozen=True, slots=True)
class Purse:
    """What somebody could pay a session with."""

    way: Way
    currency: str
    digits: int
    balance_minor: int = 0
    """Prepaid, less what is owed already; minor units."""
    owed_minor: int = 0
    """What of it is owed already, and was taken off."""
    least_minor: int = 0
    """Below this balance nothing begins."""
    has_card: bool = False
    is_declined: bool = False
    """Whether the last payment by card was declined and is still owed."""


EMPTY = phrase("The prepaid balance is used up ({balance}). Top it up, then start again.")
OWING = phrase(
    "Nothing is left to charge with ({balance}): {owed} is still to pay. Pay that or top up, then start again."
)
NO_CARD = phrase("No bank card is left to pay with. Add one where it says how you pay, then start again.")
DECLINED = phrase(
    "The bank card was declined last time, and that session is not paid. Settle it where it says how you pay, then"
    " start again."
)


FAULTS: Mapping[str, Phrase] = {
    "card_declined": phrase("the bank refused"),
    "insufficient_funds": phrase("the bank refused: not enough money"),
    "expired_card": phrase("the card has expired"),
    "authentication_required": phrase("the bank wants its holder to agree"),
    "no_card": phrase("no card is left"),
    "too_late": phrase("the provider could not be reached in time"),
}
"""Why a payment was declined, by the codes that matter; of any other it is said that the provider refused."""
REFUSED = phrase("the provider refused")


def why_declined(fault: str | None) -> str:
    """Why a payment was declined, in words; empty where it was not."""
    return FAULTS.get(fault, REFUSED) if fault else ""


def cannot_pay(purse: Purse) -> str:
    """Why nothing may begin that would have to be paid from this; empty where it may."""
    if purse.way is Way.PREPAID and (purse.balance_minor <= 0 or purse.balance_minor < purse.least_minor):
        balance, owed = (
            Money(Decimal(minor).scaleb(-purse.digits), purse.currency, purse.digits)
            for minor in (purse.balance_minor, purse.owed_minor)
        )
        return OWING.filled(balance=balance, owed=owed) if purse.owed_minor else EMPTY.filled(balance=balance)
    if purse.way is Way.CARD and purse.is_declined:
        return DECLINED
    if purse.way is Way.CARD and not purse.has_card:
        return NO_CARD
    return ""
