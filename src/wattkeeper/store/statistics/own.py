"""A driver's own sessions and bills, as their sums ask: found by what they held and by who pays, never by scanning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.numbered import Tax, less
from wattkeeper.store import reach
from wattkeeper.store.money.bill import contents
from wattkeeper.store.money.content import adds_of
from wattkeeper.store.money.due import followed
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import bill, due, hold, holding, session, station

S, B, H = session.c, bill.c, holding.c
FOLLOWER = "billing"
"""Who bills, among those who follow the journal."""
BATCH = 500
"""How many contents are read at once."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A session that ran on something the person held."""

    id: str
    name: str
    """The station's name for people; its id where it has none."""
    address: str
    began_at: datetime
    energy_wh: Decimal
    live: bool
    waits: bool
    """Whether it may still be billed, or corrected."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A document that the person pays."""

    number: str
    session: str
    name: str
    address: str
    began_at: datetime
    """When its session began."""
    currency: str
    digits: int
    net_minor: int
    vat_minor: int
    energy_wh: Decimal


def _mine(person: str) -> Sequence[ColumnElement[bool]]:
    """The sessions of a person: by their tokens first, which few others share; then as `reach.held` says."""
    return (S.token.in_(select(H.ref).where(H.person_id == person)), reach.held(person))


def _within(
    column: ColumnElement[Any], since: datetime | None, until: datetime | None
) -> Iterator[ColumnElement[bool]]:
    """That something lies in a span of time; None does not restrict."""
    if since is not None:
        yield column >= since
    if until is not None:
        yield column < until


async def ran(connection: AsyncConnection, person: str, since: datetime, until: datetime) -> list[Ran]:
    """The sessions of a person that began in a span of time, in no order."""
    if not person:
        return []
    seen = (await followed(connection, FOLLOWER)).n
    waits = (
        exists(select(due.c.session_id).where(due.c.session_id == S.id))
        | exists(select(hold.c.id).where(hold.c.session_id == S.id, hold.c.state == "open"))
        | (S.last_n > seen)
    )
    wanted = select(
        S.id,
        S.station_id,
        station.c.label,
        placement.session_found("address"),
        S.started_at,
        S.energy_wh,
        S.live,
        waits,
    ).select_from(session.outerjoin(station, station.c.id == S.station_id))
    rows = await connection.execute(wanted.where(*_mine(person), *_within(S.started_at, since, until)))
    return [
        Ran(name, label or where, address or "", began_at, max(wh or Decimal(0), Decimal(0)), live, bool(waits))
        for name, where, label, address, began_at, wh, live, waits in rows
    ]


BEGAN_AT: ColumnElement[Any] = func.coalesce(S.started_at, B.started_at, type_=B.started_at.type)
"""When a document's session began: as it is known now, or as it was when it was billed."""
WITH_SESSION = bill.outerjoin(session, S.id == B.session_id).outerjoin(station, station.c.id == B.station_id)


async def issued(connection: AsyncConnection, person: str, since: datetime, until: datetime) -> list[Issued]:
    """What a person was billed for sessions that began in a span of time, in the order of its issue."""
    if not person:
        return []
    wanted = select(
        *(B.number, B.session_id, B.station_id, station.c.label, placement.found_at("address", BEGAN_AT, B.station_id)),
        BEGAN_AT,
        *(B.currency, B.digits, B.net_minor, B.vat_minor, B.energy_wh),
    ).select_from(WITH_SESSION)
    spans = (B.person_id == person, *_within(BEGAN_AT, since, until))
    rows = await connection.execute(wanted.where(*spans).order_by(B.series, B.place))
    return [
        Issued(number, of, label or where, address or "", *rest) for number, of, where, label, address, *rest in rows
    ]


async def taxes(
    connection: AsyncConnection, person: str, since: datetime, until: datetime
) -> tuple[dict[tuple[str, int], list[Tax]], int]:
    """What a person's documents of a span of time add by rate of tax, by currency and its digits; and how many."""
    found: dict[tuple[str, int], list[Tax]] = {}
    documents = {one.number: (one.currency, one.digits) for one in await issued(connection, person, since, until)}
    numbers = list(documents)
    for place in range(0, len(numbers), BATCH):
        for number, text in (await contents(connection, numbers[place : place + BATCH])).items():
            money = documents[number]
            found[money] = [*less((*found.get(money, ()), *adds_of(text)), ())]
    return found, len(documents)


async def first(connection: AsyncConnection, person: str) -> datetime | None:
    """When the first session of a person began, or the first that they were billed for; None: there is none."""
    if not person:
        return None
    session_at = await connection.scalar(select(func.min(S.started_at)).where(*_mine(person)))
    bill_at = await connection.scalar(select(func.min(B.started_at)).where(B.person_id == person))
    return min((at for at in (session_at, bill_at) if at is not None), default=None)
