"""Sessions with all that they are compared with: their prices and bills, and what the station says that they cost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.discrepancy import EARLIEST_YEAR, OURS, Cost, Examined, Priced
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.session import Session
from wattkeeper.store.fold import decode
from wattkeeper.store.money import bill, hold
from wattkeeper.store.money.bill import BillRow
from wattkeeper.store.money.hold import HoldRow, HoldState
from wattkeeper.store.money.tariffs import pin
from wattkeeper.store.money.tariffs.pin import PinRow
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import journal, session

S, J = session.c, journal.c
BATCH = 500
"""How many sessions are looked at together."""
EARLIEST = datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC)
DAY_MICROS = 86_400_000_000
MOST_DIGITS = 12
"""Digits of an amount that a station may tell; longer ones are no amounts."""


@dataclass(frozen=True, slots=True)
class Period:
    """Which sessions are looked at: those that count for an instant in it; None does not restrict."""

    since: datetime | None = None
    until: datetime | None = None
    site: str | None = None


def _counted() -> ColumnElement[Any]:
    """The instant that a session counts for: its start, or when we heard of it where its start cannot be true."""
    ahead = type_coerce(S.started_at, BigInteger) > type_coerce(S.known_at, BigInteger) + DAY_MICROS
    return case((or_(S.started_at < EARLIEST, ahead), S.known_at), else_=S.started_at)


def _at(query: Select[Any], site: str | None) -> Select[Any]:
    """Only what is at a site."""
    return query if site is None else query.where(placement.session_site() == site)


async def examined(connection: AsyncConnection, viewer: Viewer, period: Period) -> AsyncIterator[Examined]:
    """The sessions of a period, connector by connector in the order of their time (sessions:read, bills:read)."""
    for scope in (Scope.SESSIONS_READ, Scope.BILLS_READ):
        viewer.need(scope)
    counted = _counted()
    query = _at(select(S.fold, S.known_at, S.heard_at), period.site)
    if period.since is not None:
        query = query.where(or_(S.started_at >= period.since, S.started_at < EARLIEST), counted >= period.since)
    if period.until is not None:
        query = query.where(counted < period.until)
    query = query.order_by(S.station_id, S.evse, counted, S.started_at, S.id).execution_options(yield_per=BATCH)
    async for rows in (await connection.stream(query)).partitions(BATCH):
        for one in await _with_prices(connection, rows):
            yield one


async def before(connection: AsyncConnection, viewer: Viewer, period: Period) -> dict[tuple[str, int], Examined]:
    """The session before the period at each connector: the newest, or one that still ran when it began."""
    viewer.need(Scope.SESSIONS_READ)
    if period.since is None:
        return {}
    earlier = and_(S.started_at < period.since, S.started_at >= EARLIEST, S.evse.is_not(None))
    newest = select(S.station_id, S.evse, func.max(S.started_at).label("at")).where(earlier)
    last = newest.group_by(S.station_id, S.evse).subquery()
    same = and_(last.c.station_id == S.station_id, last.c.evse == S.evse)
    wanted = select(S.fold, S.known_at, S.heard_at).join(last, same)
    wanted = wanted.where(earlier, or_(last.c.at == S.started_at, S.ended_at > period.since))
    rows = (await connection.execute(_at(wanted, period.site).order_by(S.ended_at.nulls_first()))).all()
    found: dict[tuple[str, int], Examined] = {}
    for start in range(0, len(rows), BATCH):
        for one in await _with_prices(connection, rows[start : start + BATCH]):
            found[one.session.station, one.session.evse or 0] = one
    return found


# --- their prices ---------------------------------------------------------------------------------------------


async def _with_prices(connection: AsyncConnection, rows: Sequence[Any]) -> list[Examined]:
    """Sessions of their rows, with pins, documents, what waits, and what their stations told."""
    folds = [(decode(row.fold), row.known_at) for row in rows]
    ids = [whole.id for whole, _ in folds]
    documents, pins = await bill.of_sessions(connection, ids), await pin.of(connection, ids)
    holds = await hold.of_sessions(connection, ids)
    told = await told_costs(connection, [whole.id for whole, _ in folds if whole.key.startswith("tx:")])
    return [
        _one(whole, known_at, documents.get(whole.id, []), pins.get(whole.id), holds.get(whole.id, []), told)
        for whole, known_at in folds
    ]


def _one(
    whole: Session,
    known_at: datetime,
    documents: Sequence[BillRow],
    pinned: PinRow | None,
    holds: Sequence[HoldRow],
    told: Mapping[str, Cost],
) -> Examined:
    """A session with what is known of its price."""
    prices = {Priced(one.tariff, one.version, one.currency) for one in documents}
    waits = next((one for one in holds if one.state is HoldState.OPEN), None)
    if pinned is not None and pinned.tariff is not None and pinned.version is not None:
        told_by = {(one.tariff, one.version) for one in prices}
        if (pinned.tariff, pinned.version) not in told_by:
            prices.add(Priced(pinned.tariff, pinned.version))
    money = documents[-1] if documents else waits
    return Examined(
        session=whole,
        known_at=known_at,
        prices=frozenset(prices),
        currency=money.currency if money else "",
        digits=money.digits if money else 2,
        billed_minor=sum(one.gross_minor for one in documents) if documents else None,
        waiting_minor=waits.gross_minor if waits else None,
        by_person=bool(documents) and documents[-1].by != OURS,
        told=told.get(whole.id),
    )


# --- what stations say that they cost -------------------------------------------------------------------------


async def told_costs(connection: AsyncConnection, sessions: Sequence[str]) -> dict[str, Cost]:
    """What stations said at the end of these sessions that they cost (2.1 `costDetails`, or a `totalCost`)."""
    if not sessions:
        return {}
    told = and_(J.station_id == S.station_id, J.received_at.between(S.known_at, S.heard_at))
    ends = and_(J.session_id == S.id, J.kind == "SessionEnded", J.words.like('%"totalCost"%'))
    query = select(S.id, J.words).select_from(session.join(journal, told)).where(S.id.in_(sessions), ends)
    found: dict[str, Cost] = {}
    for identifier, words in await connection.execute(query.order_by(J.n)):
        cost = _cost(json.loads(words, parse_float=Decimal))
        if cost is not None:
            found[identifier] = cost
    return found


def _cost(told: object) -> Cost | None:
    """The first total cost among a station's words, wherever it stands."""
    members = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for name, value in members:
        found = _amount(value) if name == "totalCost" else _cost(value)
        if found is not None:
            return found
    return None


def _amount(told: object) -> Cost | None:
    """A total cost: a number, or with its currency and with or without tax (OCPP 2.1 TotalCostType)."""
    if isinstance(told, int | Decimal) and not isinstance(told, bool):
        return _exact(told, "")
    if not isinstance(told, dict):
        return None
    total, currency = told.get("total"), told.get("currency")
    if not isinstance(total, dict):
        return None
    return _exact(total.get("inclTax"), currency if isinstance(currency, str) else "")


def _exact(amount: object, currency: str) -> Cost | None:
    """An amount as it was written, where it is one."""
    try:
        exact = Decimal(str(amount))
    except InvalidOperation:
        return None
    sane = exact.is_finite() and abs(exact) < Decimal(10) ** MOST_DIGITS and len(currency) in (0, 3)
    return Cost(exact, currency.upper()) if sane else None
