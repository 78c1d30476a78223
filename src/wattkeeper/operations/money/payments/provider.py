"""The seam to whoever takes payments for us: what they are asked, what they answer, what they tell by themselves.

No card number passes through it: people leave their card on a page of the provider's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from wattkeeper.charging.money.payments.payment import PaymentState
from wattkeeper.store.money.payments.paying import Means


class Unreachable(Exception):  # noqa: N818 - it says what is wrong
    """The provider could not be asked, or could not answer: to be asked again, by the same key. Holds a code."""


class Unwilling(Exception):  # noqa: N818 - it says what is wrong
    """The provider says that what was asked makes no sense: asking again is no use. Holds a code."""


class Forged(Exception):  # noqa: N818 - it says what is wrong
    """What claims to be from the provider is not signed by them, or not now. Holds why, in a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a payment stands, as the provider says; amounts in minor units."""

    theirs: str | None
    """What they call it."""
    state: PaymentState
    """ASKED: they are still at it."""
    amount_minor: int
    """Reserved, or to be paid."""
    currency: str
    taken_minor: int | None = None
    """What they took; None: they do not say."""
    fault: str | None = None
    """Why they declined, as a code."""
    means: Means | None = None
    """The card that was left there."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was given back, as the provider says."""

    theirs: str
    amount_minor: int
    currency: str
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of theirs on which a person pays, or leaves a card."""

    theirs: str
    url: str
    customer: str
    """What the person is called there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be paid."""

    payment: str
    """Our name for it, which they repeat when they tell of it."""
    amount_minor: int
    currency: str
    means: Means | None
    title: str = ""
    """What their page says it is for."""
    back: str = ""
    """Where their page sends the person afterwards."""


class Heard(StrEnum):
    """What an event is about."""

    PAYMENT = "payment"
    PAGE = "page"
    REFUND = "refund"
    DISPUTE = "dispute"
    OTHER = "other"
    """Nothing that concerns us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something the provider tells by itself, signed by them."""

    id: str
    kind: str
    """In their words."""
    about: Heard
    at: datetime
    theirs: str = ""
    """The payment it is about, or the page, or the refund."""
    payment: str | None = None
    """Our name for it, where they repeat it."""
    standing: Standing | None = None
    given: Given | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of money on the account that the provider keeps for us; minor units, out below zero."""

    theirs: str
    kind: str
    """charge, refund, payout, fee or whatever else they call it."""
    source: str
    """The payment or refund it came of, by their id."""
    currency: str
    gross_minor: int
    fee_minor: int
    net_minor: int
    at: datetime


class Provider(Protocol):
    """Who takes payments for us. Each verb raises `Unreachable` or `Unwilling`; ``key`` makes asking twice one deed."""

    name: str

    async def page(self, wish: Wish, key: str) -> Page:
        """A page on which a person pays an amount, or leaves a card where it is 0."""

    async def authorise(self, wish: Wish, key: str) -> Standing:
        """Reserve an amount on the card that they keep."""

    async def capture(self, theirs: str, amount_minor: int, key: str) -> Standing:
        """Take so much of what is reserved, once, and free the rest."""

    async def cancel(self, theirs: str, key: str) -> Standing:
        """Free what is reserved."""

    async def refund(self, theirs: str, amount_minor: int, key: str, *, again: bool) -> Given:
        """Give so much back; ``again``: it may have been asked before, even long ago."""

    async def forget(self, means: Means) -> None:
        """Keep a card no longer."""

    async def look(self, theirs: str | None, page: str | None) -> Standing:
        """How a payment stands, by its name or its page there."""

    async def movements(self, since: datetime, until: datetime) -> list[Movement]:
        """What moved on the account they keep for us, in order."""

    async def close(self) -> None:
        """Hang up."""

    def told(self, body: bytes, signature: str) -> Event:
        """What they tell by themselves; raises `Forged`."""
