"""Compares what the provider says moved on our account with what we have in the books, movement by movement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.payments.payment import Matching, StepState
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.papers.sheet import Cell, written
from wattkeeper.operations.money.payments.provider import Movement, Provider, Unreachable, Unwilling
from wattkeeper.operations.money.payments.wallet import NO_PROVIDER
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments import step as steps

MARGIN = timedelta(days=2)
"""So far beyond the period both sides are looked at: clocks differ, and what was heard late was done before."""
LONGEST_DAYS = 366
PAYMENTS, REFUNDS = frozenset({"charge", "payment"}), frozenset({"refund", "payment_refund"})
"""What Stripe calls movements that come of payments and of refunds."""


@dataclass(frozen=True, slots=True)
class Row:
    """One movement of money; minor units, what went out below zero."""

    at: datetime
    kind: str
    matching: Matching
    theirs: str
    """What the provider calls the payment or refund."""
    payment: str
    """What we call the payment; empty where it is none of ours."""
    currency: str
    ours_minor: int | None
    gross_minor: int | None
    fee_minor: int | None
    net_minor: int | None


@dataclass(frozen=True, slots=True)
class Total:
    """What a currency adds up to."""

    currency: str
    ours_minor: int
    gross_minor: int
    fee_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A period, compared."""

    since: date
    until: date
    rows: list[Row]

    @property
    def wrong(self) -> list[Row]:
        """What does not agree."""
        return [row for row in self.rows if row.matching not in (Matching.MATCHED, Matching.OTHER)]

    @property
    def totals(self) -> list[Total]:
        """What payments and refunds add up to, by currency."""
        found: dict[str, list[int]] = {}
        for row in self.rows:
            if row.matching is not Matching.OTHER:
                sums = found.setdefault(row.currency, [0, 0, 0, 0])
                for place, value in enumerate((row.ours_minor, row.gross_minor, row.fee_minor, row.net_minor)):
                    sums[place] += value or 0
        return [Total(currency, *sums) for currency, sums in sorted(found.items())]


@dataclass(frozen=True, slots=True)
class Ours:
    """A movement as our books have it."""

    at: datetime
    theirs: str
    payment: str
    currency: str
    amount_minor: int
    kind: str


async def reconcile(
    store: Store, settings: Settings, provider: Provider | None, viewer: Viewer, since: date, until: date
) -> Reconciliation:
    """Compare the days from one until before another (scope bills:read). Refusal INVALID, CONFLICT, BUSY."""
    viewer.need(Scope.BILLS_READ)
    if provider is None:
        raise Refusal(Code.CONFLICT, NO_PROVIDER)
    if not timedelta() < until - since <= timedelta(days=LONGEST_DAYS):
        raise Refusal(Code.INVALID, phrase("Name a period of at least a day and at most a year."))
    first, last = (datetime.combine(day, time(), settings.zone).astimezone(UTC) for day in (since, until))
    try:
        moved = await provider.movements(first - MARGIN, last + MARGIN)
    except (Unreachable, Unwilling) as why:
        raise Refusal(Code.BUSY, phrase("The provider cannot be asked just now. Try again in a few minutes.")) from why
    async with store.read() as connection:
        ours = await _ours(connection, provider.name, moved, first - MARGIN, last + MARGIN)
    rows = [*_theirs(moved, ours), *_left(moved, ours)]
    return Reconciliation(
        since, until, sorted((r for r in rows if first <= r.at < last), key=lambda r: (r.at, r.theirs))
    )


async def _ours(
    connection: AsyncConnection, provider: str, moved: Iterable[Movement], since: datetime, until: datetime
) -> dict[str, Ours]:
    """What we have: of the period, and whatever the provider names."""
    names = sorted({one.source for one in moved})
    taken = await payments.called(connection, provider, names)
    taken |= {row.theirs: row for row in await payments.between(connection, provider, since, until) if row.theirs}
    given = await steps.called(connection, names)
    given |= {one.theirs: one for one in await steps.refunds_between(connection, since, until) if one.theirs}
    found = {
        name: Ours(row.changed_at, name, row.id, row.currency, row.captured_minor, "charge")
        for name, row in taken.items()
        if row.captured_minor
    }
    whose = {one.payment for one in given.values()}
    known = await payments.by_ids(connection, sorted(whose))
    for name, one in given.items():
        if one.state is StepState.DONE and one.settled_at is not None:
            currency = known[one.payment].currency
            found[name] = Ours(one.settled_at, name, one.payment, currency, -one.amount_minor, "refund")
    return found


def _theirs(moved: Iterable[Movement], ours: dict[str, Ours]) -> list[Row]:
    """What the provider says moved, each with what we have."""
    rows = []
    for one in moved:
        mine = ours.get(one.source)
        told = (one.gross_minor, one.fee_minor, one.net_minor)
        if one.kind not in PAYMENTS | REFUNDS:
            rows.append(Row(one.at, one.kind, Matching.OTHER, one.source, "", one.currency, None, *told))
        elif mine is None:
            rows.append(Row(one.at, one.kind, Matching.THEIRS, one.source, "", one.currency, None, *told))
        else:
            same = (mine.amount_minor, mine.currency) == (one.gross_minor, one.currency)
            matching = Matching.MATCHED if same else Matching.DIFFERS
            amount = mine.amount_minor
            rows.append(Row(one.at, one.kind, matching, one.source, mine.payment, one.currency, amount, *told))
    return rows


def _left(moved: Iterable[Movement], ours: dict[str, Ours]) -> list[Row]:
    """What we have and the provider does not tell of."""
    named = {one.source for one in moved}
    left = [one for name, one in ours.items() if name not in named]
    nothing = (None, None, None)
    return [
        Row(one.at, one.kind, Matching.OURS, one.theirs, one.payment, one.currency, one.amount_minor, *nothing)
        for one in left
    ]


HEADER = ("at_utc", "kind", "matching", "theirs", "payment", "currency", "ours", "gross", "fee", "net")


def as_csv(told: Reconciliation) -> str:
    """A reconciliation as CSV like that of revenue: amounts in major units, exact."""
    rows: list[tuple[Cell, ...]] = []
    for row in told.rows:
        words = (f"{row.at:%Y-%m-%d %H:%M:%S}", row.kind, row.matching.value, row.theirs, row.payment, row.currency)
        amounts = (row.ours_minor, row.gross_minor, row.fee_minor, row.net_minor)
        digits = digits_of(row.currency)
        exact = ("" if one is None else Decimal(one).scaleb(-digits) for one in amounts)
        rows.append((*words, *exact))
    return written(HEADER, rows)
