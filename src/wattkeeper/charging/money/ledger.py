"""Double entry: whatever is owed, paid, given back or written off is one entry whose lines add up to nothing.

Amounts are whole minor units. What an account has received is above zero, what it has given below: a charge gives to
what a person owes and takes from sales and from the tax that we owe. An account is a kind and whom or what it is of,
such as ``owed:person:1f…`` or ``vat:20``; a person stands in it by the id alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class EntryKind(StrEnum):
    """What an entry is for."""

    CHARGE = "charge"
    """A bill or a correction: somebody owes more."""
    CREDIT = "credit"
    """A credit note: somebody owes less."""
    PAYMENT = "payment"
    REFUND = "refund"
    WRITE_OFF = "write_off"
    PAYOUT = "payout"
    """To the host of a site."""
    SHARE = "share"
    """What the host of a site gets of what was sold there."""
    TOP_UP = "top_up"
    """Paid before anything was owed."""


class AccountKind(StrEnum):
    """What an account is; the text before its first colon."""

    OWED = "owed"
    """By a person, for what was charged."""
    SALES = "sales"
    """Of a site, without tax."""
    VAT = "vat"
    """Owed to the tax office, by rate."""
    BANK = "bank"
    """What came in and went out, by way of payment."""
    PREPAID = "prepaid"
    """Of a person: paid, and not yet used."""
    HOST = "host"
    """What the host of a site is owed."""
    LOST = "lost"
    """Written off."""


NOBODY = "nobody"
"""Of whom an account is where nobody is known."""


def account(kind: AccountKind, of: str = "") -> str:
    """The name of an account."""
    return f"{kind.value}:{of or NOBODY}"


def kind_of(name: str) -> AccountKind:
    """What an account is; raises ValueError where its name is none."""
    return AccountKind(name.partition(":")[0])


def owed(person: str) -> str:
    """What a person owes; an empty id where nobody knows whom to bill."""
    return account(AccountKind.OWED, person)


def vat(percent: Decimal | None) -> str:
    """The tax of a rate that we owe."""
    return account(AccountKind.VAT, "none" if percent is None else f"{percent.normalize():f}")


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry."""

    account: str
    currency: str
    amount_minor: int


class Unbalanced(AssertionError):  # noqa: N818 - it says what the lines are
    """Lines that do not add up to nothing: a fault of ours, never to be written."""


def balanced(lines: Iterable[Posting]) -> tuple[Posting, ...]:
    """The lines that move something; raises `Unbalanced` where they do not add up to nothing in each currency."""
    kept = tuple(line for line in lines if line.amount_minor)
    sums: Counter[str] = Counter()
    for line in kept:
        sums[line.currency] += line.amount_minor
    if any(sums.values()):
        raise Unbalanced(f"The lines of an entry add up to {dict(sums)}, not to nothing.")
    return kept


def charge(
    person: str, site: str, currency: str, net_minor: int, taxes: Iterable[tuple[Decimal | None, int]]
) -> tuple[Posting, ...]:
    """A person owes what was sold at a site, and its tax by rate; amounts below zero give back."""
    vats = [(percent, amount) for percent, amount in taxes if amount]
    gross_minor = net_minor + sum(amount for _, amount in vats)
    lines = [(owed(person), gross_minor), (account(AccountKind.SALES, site), -net_minor)]
    lines += [(vat(percent), -amount) for percent, amount in vats]
    return balanced(Posting(name, currency, amount) for name, amount in lines)


def moved(source: str, target: str, currency: str, amount_minor: int) -> tuple[Posting, ...]:
    """An amount taken from one account and given to another: a payment goes from `owed` to the bank's account."""
    return balanced((Posting(target, currency, amount_minor), Posting(source, currency, -amount_minor)))
