"""Starts from phones: what was asked, the order that carries it, and the session that it became."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.orders import OrderState, Outcome
from wattkeeper.charging.session import SessionState
from wattkeeper.store import reach
from wattkeeper.store.tables import card, orders, phone_start, session, station
from wattkeeper.store.tables import person as person_table
from wattkeeper.store.unit import Unit

P, O, S = phone_start.c, orders.c, session.c  # noqa: E741 - the columns of orders


LASTED = timedelta(hours=1)
"""No token of a start is good for as long."""


@dataclass(frozen=True, slots=True)
class StartRow:
    """A start as kept, with what became of its order and its session."""

    id: str
    person: str
    ref: str
    station: str
    evse: int
    state: str
    why: str | None
    created_at: datetime
    settled_at: datetime | None
    order_state: OrderState | None
    """None: no order was kept."""
    outcome: Outcome | None
    answered_at: datetime | None
    session: str | None
    """The session on its token, live or ended."""
    session_state: SessionState | None
    live: bool


NAMES = tuple(field.name for field in fields(StartRow))
COLUMNS = (
    *(P.id, P.person_id, P.ref, P.station_id, P.evse, P.state, P.why, P.created_at, P.settled_at),
    *(O.state, O.outcome, O.settled_at, S.id, S.state, S.live),
)
WHOLE = select(*COLUMNS).select_from(
    phone_start.outerjoin(orders, O.id == P.order_id).outerjoin(
        session, and_(S.token == P.ref, S.station_id == P.station_id, or_(S.evse == P.evse, S.evse.is_(None)))
    )
)
"""What another station or connector tells of its token is not the start's."""
IS_DOUBTED = S.grade == Grade.DISPUTED.value
LIVE_FIRST = (IS_DOUBTED, S.live.desc().nulls_last(), S.started_at.desc())
"""A session that was refused is the start's only where there is no other."""


async def one(connection: AsyncConnection, person: str, identifier: str) -> StartRow | None:
    """A person's own start."""
    return await _first(connection, (P.id == identifier) & (P.person_id == person))


async def kept(connection: AsyncConnection, identifier: str) -> StartRow | None:
    """The start with this id, whoever's it is: for making another, never for showing."""
    return await _first(connection, P.id == identifier)


async def newest(connection: AsyncConnection, person: str, limit: int) -> list[StartRow]:
    """A person's newest starts, the newest first."""
    mine = select(P.id).where(P.person_id == person).order_by(P.created_at.desc(), P.id.desc()).limit(limit)
    return await _some(connection, P.id.in_(mine))


async def here(connection: AsyncConnection, name: str, evse: int, since: datetime) -> list[StartRow]:
    """What was asked at an EVSE since an instant, the newest first."""
    return await _some(connection, (P.station_id == name) & (P.evse == evse) & (P.created_at >= since))


async def waiting(connection: AsyncConnection, person: str, since: datetime) -> list[StartRow]:
    """A person's starts since an instant that were asked or taken when they were last looked at."""
    return await _some(connection, (P.person_id == person) & P.state.in_(("asked", "taken")) & (P.created_at >= since))


async def lock(unit: Unit, name: str, whose: str) -> None:
    """Let nobody start at this station, nor this person elsewhere, until the unit ends (SQLite has one writer)."""
    await unit.connection.execute(select(station.c.id).where(station.c.id == name).with_for_update())
    mine = select(person_table.c.id).where(person_table.c.id == whose)
    await unit.connection.execute(mine.with_for_update(key_share=True))


async def live_of(connection: AsyncConnection, person: str) -> int:
    """How many sessions live that are the person's own; what a station tells though it was refused is not counted."""
    return len((await connection.execute(select(S.id).where(S.live, ~IS_DOUBTED, reach.held(person)))).all())


@dataclass(frozen=True, slots=True)
class AskedWith:
    """What became of the order that carried a token."""

    since: datetime
    """When the station answered; until then when it was asked."""
    outcome: Outcome | None


async def asked_with(unit: Unit, ref: str) -> AskedWith | None:
    """How the start stands that a token was made for."""
    wanted = select(P.created_at, O.settled_at, O.outcome).where(P.ref == ref)
    row = (await unit.connection.execute(wanted.outerjoin(orders, O.id == P.order_id))).first()
    if row is None:
        return None
    return AskedWith(row.settled_at or row.created_at, Outcome(row.outcome) if row.outcome else None)


@dataclass(frozen=True, slots=True)
class OwnSession:
    """What it takes to stop a session."""

    id: str
    station: str
    ref: str | None
    """The transaction id in the station's words."""
    live: bool


async def own_session(connection: AsyncConnection, person: str, identifier: str) -> OwnSession | None:
    """A person's own session."""
    wanted = select(S.id, S.station_id, S.ref, S.live).where(S.id == identifier, reach.held(person))
    row = (await connection.execute(wanted)).first()
    return None if row is None else OwnSession(*row)


async def keep(
    unit: Unit, identifier: str, person: str, account: str, ref: str, name: str, evse: int, state: str, why: str | None
) -> None:
    """Keep a start; one that is refused already has no order."""
    whose = {"id": identifier, "person_id": person, "account_id": account, "ref": ref}
    told = {"station_id": name, "evse": evse, "state": state, "why": why, "created_at": unit.now}
    ordered = {"order_id": None, "settled_at": unit.now} if why else {"order_id": identifier, "settled_at": None}
    await unit.connection.execute(insert(phone_start).values({**whose, **told, **ordered, "session_id": None}))


async def settle(unit: Unit, row: StartRow, state: str, why: str | None, is_settled: bool) -> None:
    """Note how a start stands now."""
    values = {"state": state, "why": why, "session_id": row.session}
    settled = {"settled_at": row.settled_at or unit.now} if is_settled else {}
    await unit.connection.execute(update(phone_start).where(P.id == row.id).values({**values, **settled}))


async def end_token(unit: Unit, ref: str) -> None:
    """Nothing starts any more on the token that was made for a start."""
    ended = update(card).where(card.c.ref == ref, card.c.kind == "app")
    await unit.connection.execute(ended.values(state="blocked", changed_at=unit.now))


async def end_earlier(unit: Unit, name: str, evse: int) -> None:
    """Nothing starts any more on the tokens of the starts that were at an EVSE before."""
    before = select(P.ref).where(P.station_id == name, P.evse == evse, P.created_at >= unit.now - LASTED)
    ended = update(card).where(card.c.ref.in_(before), card.c.kind == "app", card.c.state == "active")
    await unit.connection.execute(ended.values(state="blocked", changed_at=unit.now))


async def _first(connection: AsyncConnection, which: ColumnElement[bool]) -> StartRow | None:
    row = (await connection.execute(WHOLE.where(which).order_by(*LIVE_FIRST).limit(1))).first()
    return None if row is None else _row(row)


async def _some(connection: AsyncConnection, which: ColumnElement[bool]) -> list[StartRow]:
    """Starts, the newest first, each once."""
    rows = await connection.execute(WHOLE.where(which).order_by(P.created_at.desc(), P.id.desc(), *LIVE_FIRST))
    found: dict[str, StartRow] = {}
    for row in rows:
        found.setdefault(row[0], _row(row))
    return [*found.values()]


def _row(row: Sequence[Any]) -> StartRow:
    """A start of its row, selected as COLUMNS."""
    told = dict(zip(NAMES, row, strict=True))
    for name, kind in (("order_state", OrderState), ("outcome", Outcome), ("session_state", SessionState)):
        told[name] = kind(told[name]) if told[name] else None
    return StartRow(**told | {"live": bool(told["live"])})
