"""Orders to stations: what was asked, by whom, and what became of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.orders import OrderState, Outcome, StartCharging
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.tables import orders
from wattkeeper.store.unit import Unit


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as kept; what it says and what was answered are sealed."""

    id: str
    station: str
    kind: str
    """The class of the order."""
    action: str | None
    """The standard's word, once it was sent."""
    sealed: bytes
    words: str | None
    """What was sent, JSON, tokens and keys masked."""
    state: OrderState
    outcome: Outcome | None
    summary: str | None
    answer: bytes | None
    by: str
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    expires_at: datetime


O = orders.c  # noqa: E741 - the columns of orders
COLUMNS = (
    *(O.id, O.station_id, O.kind, O.action, O.sealed, O.words, O.state, O.outcome, O.summary, O.answer),
    *(O.by, O.created_at, O.sent_at, O.settled_at, O.expires_at),
)
OPEN = (OrderState.QUEUED.value, OrderState.SENT.value)


async def queue(
    unit: Unit, identifier: str, station: str, kind: str, sealed: bytes, by: str, expires_at: datetime
) -> None:
    """Keep an order that waits to be sent."""
    values = {"id": identifier, "station_id": station, "kind": kind, "sealed": sealed, "by": by}
    times = {"state": OrderState.QUEUED.value, "created_at": unit.now, "expires_at": expires_at}
    await unit.connection.execute(insert(orders).values(values | times))


async def one(connection: AsyncConnection, identifier: str) -> OrderRow | None:
    """The order with this id."""
    row = (await connection.execute(select(*COLUMNS).where(O.id == identifier))).first()
    return None if row is None else _order(*row)


async def queued_for(connection: AsyncConnection, station: str, now: datetime) -> list[OrderRow]:
    """What waits to be sent to a station and still may be, the oldest first."""
    waiting = (O.station_id == station, O.state == OrderState.QUEUED.value, O.expires_at > now)
    rows = await connection.execute(select(*COLUMNS).where(*waiting).order_by(O.created_at, O.id))
    return [_order(*row) for row in rows]


async def still_open(connection: AsyncConnection, since: datetime | None = None) -> list[OrderRow]:
    """What was asked since then and is neither answered nor expired; ``since`` keeps old orders out of the search."""
    wanted = select(*COLUMNS).where(O.state.in_(OPEN))
    if since is not None:
        wanted = wanted.where(O.created_at >= since)
    return [_order(*row) for row in await connection.execute(wanted.order_by(O.created_at, O.id))]


async def send(unit: Unit, identifier: str, action: str, words: str) -> bool:
    """Note that an order goes out now; False where it no longer waits, and must not be sent."""
    waiting = (O.id == identifier) & (O.state == OrderState.QUEUED.value) & (O.expires_at > unit.now)
    values = {"state": OrderState.SENT.value, "action": action, "words": words, "sent_at": unit.now}
    return bool((await unit.connection.execute(update(orders).where(waiting).values(values))).rowcount)


async def settle(
    unit: Unit, identifier: str, state: OrderState, outcome: Outcome, summary: str, answer: bytes | None
) -> bool:
    """Note what became of an order; False where that was known already: the first word stands."""
    unsettled = (O.id == identifier) & O.state.in_(OPEN)
    told = {"state": state.value, "outcome": outcome.value, "summary": summary, "answer": answer}
    change = update(orders).where(unsettled).values(**told, settled_at=unit.now)
    return bool((await unit.connection.execute(change)).rowcount)


async def started(connection: AsyncConnection, station: str, since: datetime) -> bool:
    """Whether a station was asked since then to start a session."""
    asked = (O.station_id == station, O.kind == StartCharging.__name__, O.sent_at >= since)
    return await connection.scalar(select(O.id).where(*asked).limit(1)) is not None


async def forget_done(unit: Unit, station: str, kinds: Collection[str], before: datetime) -> None:
    """Forget what a station took of these kinds before an instant: what it shows by now is another."""
    done = (O.station_id == station) & (O.state == OrderState.ANSWERED.value) & O.kind.in_(kinds)
    taken = done & (O.outcome == Outcome.ACCEPTED.value) & (O.settled_at < before)
    await unit.connection.execute(delete(orders).where(taken))


async def declined(connection: AsyncConnection, station: str, kinds: Collection[str], since: datetime) -> bool:
    """Whether a station has left undone one of these orders that it was given since then."""
    given = (O.station_id == station, O.kind.in_(kinds), O.created_at >= since)
    undone = (O.outcome.is_not(None), O.outcome != Outcome.ACCEPTED.value)
    return await connection.scalar(select(O.id).where(*given, *undone).limit(1)) is not None


async def reseal(unit: Unit, identifier: str, sealed: bytes) -> None:
    """Keep this of what an order says, in place of what was kept."""
    await unit.connection.execute(update(orders).where(O.id == identifier).values(sealed=sealed))


async def any_of(connection: AsyncConnection, kinds: Collection[str]) -> bool:
    """Whether there is any order of these kinds."""
    return await connection.scalar(select(O.id).where(O.kind.in_(kinds)).limit(1)) is not None


async def of_kinds(connection: AsyncConnection, kinds: Collection[str]) -> list[OrderRow]:
    """Every order of these kinds: for the erasure of who is named in one."""
    return [_order(*row) for row in await connection.execute(select(*COLUMNS).where(O.kind.in_(kinds)))]


async def clear(unit: Unit, identifier: str, sealed: bytes) -> None:
    """Keep this of what an order says, and nothing of what was answered."""
    await unit.connection.execute(update(orders).where(O.id == identifier).values(sealed=sealed, answer=None))


async def newest(
    connection: AsyncConnection,
    viewer: Viewer,
    limit: int,
    station: str | None = None,
    before: tuple[datetime, str] | None = None,
) -> list[OrderRow]:
    """The newest orders, of one station or of all, that were asked before this instant and id."""
    viewer.need(Scope.ORDERS_READ)
    wanted = select(*COLUMNS)
    if station is not None:
        wanted = wanted.where(O.station_id == station)
    if before is not None:
        wanted = wanted.where(or_(O.created_at < before[0], (O.created_at == before[0]) & (O.id < before[1])))
    rows = await connection.execute(wanted.order_by(O.created_at.desc(), O.id.desc()).limit(limit))
    return [_order(*row) for row in rows]


def _order(*row: Any) -> OrderRow:
    """An order of its row, selected as COLUMNS."""
    identifier, station, kind, action, sealed, words, state, outcome, summary, answer, *rest = row
    sealed_answer = bytes(answer) if answer is not None else None
    told = (OrderState(state), Outcome(outcome) if outcome else None, summary, sealed_answer)
    return OrderRow(identifier, station, kind, action, bytes(sealed), words, *told, *rest)
