"""How somebody pays: the ways that were chosen, and the card that the provider keeps for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.money.ledger import AccountKind, account, owed
from wattkeeper.charging.money.payments.paying import Way, Whose
from wattkeeper.charging.money.payments.payment import PaymentKind, StepState, Verb
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store import deed
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import ledger_balance, pay_way, payment, payment_means, payment_step
from wattkeeper.store.unit import Unit

W, M, B, P, T = pay_way.c, payment_means.c, ledger_balance.c, payment.c, payment_step.c


@dataclass(frozen=True, slots=True)
class Choice:
    """A way that was chosen for somebody, or for a group."""

    n: int
    whose: Whose
    subject: str
    way: Way | None
    """None: as the others."""
    created_at: datetime
    created_by: str


async def choose(unit: Unit, whose: Whose, subject: str, way: Way | None, by: str) -> Choice:
    """Keep another choice, which holds from now on."""
    n = int(await unit.connection.scalar(select(func.max(W.n))) or 0) + 1
    told = {"n": n, "kind": whose.value, "subject": subject, "way": way and way.value}
    await unit.connection.execute(insert(pay_way).values(told | {"created_at": unit.now, "created_by": by}))
    body = {"kind": whose.value, "way": way and way.value}
    await deed.enter(unit, DeedKind.PAY_WAY, by, subject, body)
    return Choice(n, whose, subject, way, unit.now, by)


async def chosen(connection: AsyncConnection, whose: Whose, subject: str) -> Way | None:
    """The way that was chosen last for a driver or a group: for deeds, never for showing."""
    if not subject:
        return None
    wanted = select(W.way).where(W.kind == whose.value, W.subject == subject).order_by(W.n.desc()).limit(1)
    way = await connection.scalar(wanted)
    return None if way is None else Way(way)


async def in_use(connection: AsyncConnection) -> set[Way]:
    """Every way that was ever chosen for anybody."""
    ways = (await connection.execute(select(W.way).where(W.way.is_not(None)).distinct())).scalars()
    return {Way(way) for way in ways}


async def choices(connection: AsyncConnection, viewer: Viewer) -> list[Choice]:
    """The choice that holds for each driver and group that has one, by kind and subject (scope bills:read)."""
    viewer.need(Scope.BILLS_READ)
    newest = select(func.max(W.n)).group_by(W.kind, W.subject)
    wanted = select(W.n, W.kind, W.subject, W.way, W.created_at, W.created_by).where(W.n.in_(newest))
    rows = await connection.execute(wanted.where(W.way.is_not(None)).order_by(W.kind, W.subject))
    return [Choice(n, Whose(kind), subject, Way(way), *rest) for n, kind, subject, way, *rest in rows]


@dataclass(frozen=True, slots=True)
class Means:
    """What a provider keeps for a person; of their card nobody here knows more."""

    provider: str
    customer: str
    method: str | None
    """None: no card."""
    brand: str | None
    last_four: str | None


async def means_of(connection: AsyncConnection, person: str) -> Means | None:
    """What the provider keeps for a person: for deeds, and for that person."""
    wanted = select(M.provider, M.customer, M.method, M.brand, M.last_four).where(M.person_id == person)
    row = (await connection.execute(wanted)).first()
    return None if row is None else Means(*row)


def keep_means(unit: Unit, person: str, means: Means) -> None:
    """Keep what the provider keeps for a person, instead of what it kept before."""
    row = (person, means.provider, means.customer, means.method, means.brand, means.last_four, to_micros(unit.now))
    unit.upsert(payment_means, (person,), row)


async def purses(connection: AsyncConnection, person: str, currency: str) -> tuple[int, int]:
    """What somebody has prepaid, and what they owe, in a currency; minor units."""
    names = (account(AccountKind.PREPAID, person), owed(person))
    wanted = select(B.account, B.amount_minor).where(tuple_(B.account, B.currency).in_([(n, currency) for n in names]))
    found: dict[str, int] = {name: amount for name, amount in await connection.execute(wanted)}
    return -found.get(names[0], 0), found.get(names[1], 0)


async def remaining(connection: AsyncConnection, person: str, currency: str) -> tuple[int, int]:
    """What somebody will have prepaid, and will owe, once all that is on its way back to them has arrived."""
    prepaid, owes = await purses(connection, person, currency)
    back = await _on_its_way(connection, person, currency, Verb.REFUND)
    ahead = back.pop(PaymentKind.TOP_UP.value, 0)
    return prepaid - ahead, owes + sum(back.values())


async def about_to_be_taken(connection: AsyncConnection, person: str, currency: str) -> int:
    """What the provider is still to take from somebody's card, minor units."""
    return sum((await _on_its_way(connection, person, currency, Verb.CAPTURE)).values())


async def _on_its_way(connection: AsyncConnection, person: str, currency: str, verb: Verb) -> dict[str, int]:
    """What the provider is still to do of one kind for somebody, by the kind of payment."""
    wanted = select(P.kind, func.sum(T.amount_minor)).join(payment_step, T.payment_id == P.id)
    wanted = wanted.where(P.person_id == person, P.currency == currency)
    wanted = wanted.where(T.verb == verb.value, T.state == StepState.OPEN.value).group_by(P.kind)
    return {kind: int(amount) for kind, amount in await connection.execute(wanted)}


async def prepaid_of(connection: AsyncConnection, person: str) -> list[tuple[str, int]]:
    """What somebody has prepaid, by currency, minor units: for deeds, and for that person."""
    wanted = select(B.currency, B.amount_minor).where(B.account == account(AccountKind.PREPAID, person))
    rows: Any = await connection.execute(wanted.order_by(B.currency))
    return [(currency, -amount) for currency, amount in rows]
