"""A payment: what it is for, the only steps of its life, and what a provider may be asked about it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class PaymentKind(StrEnum):
    """What a payment is for."""

    CHARGE = "charge"
    """A session, from the card on file."""
    TOP_UP = "top_up"
    """A prepaid balance."""
    TRANSFER = "transfer"
    """Money that came to the bank, entered by a person."""
    SETUP = "setup"
    """Nothing is paid: a card is left with the provider for later."""


class PaymentState(StrEnum):
    """Where a payment is in its life."""

    ASKED = "asked"
    """It is decided; the provider may or may not have heard of it."""
    WAITING = "waiting"
    """A page of the provider's waits for the person."""
    AUTHORISED = "authorised"
    """The amount is reserved, nothing is taken."""
    CAPTURED = "captured"
    """Money was taken, or a card was left."""
    CANCELLED = "cancelled"
    """Nothing was taken and nothing will be."""
    DECLINED = "declined"
    """The card or its bank refused."""

    @property
    def is_over(self) -> bool:
        """Whether nothing follows by itself."""
        return not MOVES[self]


S = PaymentState
MOVES: Mapping[PaymentState, frozenset[PaymentState]] = {
    S.ASKED: frozenset({S.WAITING, S.AUTHORISED, S.CAPTURED, S.CANCELLED, S.DECLINED}),
    S.WAITING: frozenset({S.AUTHORISED, S.CAPTURED, S.CANCELLED, S.DECLINED}),
    S.AUTHORISED: frozenset({S.CAPTURED, S.CANCELLED}),
    S.CAPTURED: frozenset(),
    S.CANCELLED: frozenset(),
    S.DECLINED: frozenset(),
}
"""The only steps of a payment's life. What was taken and given back stands beside the state."""


def may_become(now: PaymentState, then: PaymentState) -> bool:
    """Whether a payment may take this step."""
    return then in MOVES[now]


class Verb(StrEnum):
    """What a provider is asked."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    """Take what it really cost; the rest of what was reserved is free again."""
    CANCEL = "cancel"
    REFUND = "refund"
    LOOK = "look"
    """How does it stand?"""


class StepState(StrEnum):
    """What became of something the provider was to be asked."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"


class Differs(StrEnum):
    """How a provider and we do not agree."""

    AMOUNT = "amount"
    CURRENCY = "currency"
    UNKNOWN = "unknown"
    """They tell of a payment that is none of ours."""
    STATE = "state"
    """They tell of something that cannot follow on what we know."""
    DISPUTED = "disputed"
    """The card's holder disputes it with their bank."""
    UNDONE = "undone"
    """What we asked for was refused for good, so a person must see to it."""


class Matching(StrEnum):
    """What a reconciliation says of one movement of money."""

    MATCHED = "matched"
    OURS = "only_ours"
    THEIRS = "only_theirs"
    DIFFERS = "differs"
    OTHER = "no_payment"
    """A payout to our bank, a fee, whatever else moved over there."""
