"""Charging sessions as folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Select, case, false, func, or_, select, tuple_, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.token import CardKind, TokenRef
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.person import Viewer
from wattkeeper.charging.session import Session, SessionState
from wattkeeper.charging.statistics.attempt import SOON
from wattkeeper.charging.statistics.share import LONGEST, QUARTER
from wattkeeper.store import reach
from wattkeeper.store.columns import from_millionths
from wattkeeper.store.stations import placement
from wattkeeper.store.tables import card, session, station_state, tallied


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as listed; `whole` is its fold."""

    id: str
    station: str
    evse: int | None
    connector: int | None
    ref: str | None
    """The transaction id in the station's words."""
    token: TokenRef | None
    last2: str | None
    """The last two characters of its card, where the card is enrolled."""
    state: SessionState
    live: bool
    grade: Grade
    started_at: datetime
    ended_at: datetime | None
    energy_wh: Decimal | None
    power_w: Decimal | None
    heard_at: datetime
    last_n: int
    whole: Session
    by_phone: bool = False
    """Whether it was started from a phone: its token is then no card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which sessions are looked for; None does not restrict."""

    station: str | None = None
    evse: int | None = None
    state: SessionState | None = None
    live: bool | None = None
    grade: Grade | None = None
    since: datetime | None = None
    """Started at this instant or later."""
    until: datetime | None = None
    """Started before this instant."""
    ref: str | None = None
    """The transaction id in the station's words."""
    token: str | None = None
    last2: str | None = None
    """The last two characters of an enrolled card."""


S, T = session.c, tallied.c
QUARTER_US = QUARTER // timedelta(microseconds=1)
NAMES = tuple(field.name for field in fields(SessionRow))
COLUMNS = (
    *(S.id, S.station_id, S.evse, S.connector, S.ref, S.token, card.c.last2, S.state, S.live, S.grade),
    *(S.started_at, S.ended_at, S.energy_wh, S.power_w, S.heard_at, S.last_n, S.fold),
    card.c.kind == CardKind.APP.value,
)
WITH_CARD = session.outerjoin(card, card.c.ref == S.token)


async def one(connection: AsyncConnection, viewer: Viewer, identifier: str) -> SessionRow | None:
    """The session with this id (without dashes), where the viewer may see it."""
    wanted = select(*COLUMNS).select_from(WITH_CARD).where(S.id == identifier, reach.sessions(viewer))
    row = (await connection.execute(wanted)).first()
    return None if row is None else _session(viewer, row)


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    sought: Sought,
    limit: int,
    before: tuple[datetime, str] | None = None,
) -> list[SessionRow]:
    """The newest ``limit`` sessions that are sought and began before this instant and id."""
    wanted = select(*COLUMNS).select_from(WITH_CARD).where(*_conditions(viewer, sought))
    if before is not None:
        wanted = wanted.where(tuple_(S.started_at, S.id) < before)
    rows = await connection.execute(wanted.order_by(S.started_at.desc(), S.id.desc()).limit(limit))
    return [_session(viewer, row) for row in rows]


async def of_person(connection: AsyncConnection, viewer: Viewer, person: str, limit: int) -> list[SessionRow]:
    """The newest sessions that ran on a person's cards while they held them, within the viewer's reach."""
    wanted = select(*COLUMNS).select_from(WITH_CARD).where(reach.sessions(viewer), reach.held(person))
    rows = await connection.execute(wanted.order_by(S.started_at.desc(), S.id.desc()).limit(limit))
    return [_session(viewer, row) for row in rows]


def _conditions(viewer: Viewer, sought: Sought) -> Sequence[ColumnElement[bool]]:
    """What the database is asked for: within the viewer's reach, and by card only for who may know it."""
    exactly: list[tuple[ColumnElement[Any], object]] = [
        *((S.station_id, sought.station), (S.evse, sought.evse), (S.state, sought.state), (S.live, sought.live)),
        *((S.grade, sought.grade), (S.ref, sought.ref), (S.token, sought.token), (card.c.last2, sought.last2)),
    ]
    conditions = [reach.sessions(viewer), *(column == value for column, value in exactly if value is not None)]
    if (sought.token or sought.last2) and not reach.may_know_card(viewer):
        conditions.append(false())
    if sought.since is not None:
        conditions.append(S.started_at >= sought.since)
    if sought.until is not None:
        conditions.append(S.started_at < sought.until)
    return conditions


def _session(viewer: Viewer, row: Sequence[Any]) -> SessionRow:
    """A session of a row selected as COLUMNS, without its card for who may not know it."""
    values = dict(zip(NAMES, row, strict=True))
    values["state"] = SessionState(values["state"])
    values["grade"] = Grade(values["grade"])
    values["whole"] = msgspec.json.decode(values["whole"], type=Session)
    values["by_phone"] = bool(values["by_phone"])
    if not reach.may_know_card(viewer):
        values |= {"token": None, "last2": None, "by_phone": False}
    return SessionRow(**values)


# --- as pages list them -----------------------------------------------------------------------------


class SortedBy(StrEnum):
    """What a list of sessions can be sorted by."""

    STARTED = "started"
    ENERGY = "energy"
    STATION = "station"


SORTING: dict[SortedBy, ColumnElement[Any]] = {
    SortedBy.STARTED: S.started_at,
    SortedBy.ENERGY: S.energy_wh,
    SortedBy.STATION: S.station_id,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Sought):
    """Which sessions a page lists, and in which order."""

    stations: tuple[str, ...] | None = None
    """At any of these."""
    windows: tuple[tuple[datetime, datetime], ...] = ()
    """Running at some time between such instants."""
    began: tuple[tuple[datetime, datetime], ...] | None = None
    """Begun between such instants."""
    site: str | None = None
    """At stations of this site; empty: at those without one."""
    place: tuple[int, int | None] | None = None
    """At an EVSE, and at which connector of it; 0: the station told none, None: at any."""
    plugged: tuple[tuple[datetime, datetime], ...] | None = None
    """With a car plugged in at some time between such instants, as totals count it: also after their end."""
    stayed: tuple[int, int | None] | None = None
    """Ended, and the car stayed from so many whole quarter hours until under so many; None: and longer."""
    is_empty: bool = False
    is_failed: bool = False
    """Ended soon after their begin; with ``is_empty`` a start that failed."""
    """Ended without energy."""
    by: SortedBy = SortedBy.STARTED
    upwards: bool = False


async def listed(
    connection: AsyncConnection, viewer: Viewer, wanted: Listed, limit: int, skip: int = 0
) -> list[SessionRow]:
    """``limit`` sessions as a page lists them, from the ``skip``-th on; what has no such figure comes last."""
    column = SORTING[wanted.by]
    order = (column.asc() if wanted.upwards else column.desc()).nulls_last()
    query = _asked(select(*COLUMNS), viewer, wanted)
    rows = await connection.execute(query.order_by(order, S.started_at.desc(), S.id.desc()).limit(limit).offset(skip))
    return [_session(viewer, row) for row in rows]


async def how_many(connection: AsyncConnection, viewer: Viewer, wanted: Listed, most: int) -> int:
    """How many sessions a page lists, on all its pages together; one more than ``most`` stands for more."""
    some = _asked(select(S.id), viewer, wanted).limit(most + 1).subquery()
    return (await connection.scalar(select(func.count()).select_from(some))) or 0


def _asked(query: Select[Any], viewer: Viewer, wanted: Listed) -> Select[Any]:
    """A query of the sessions that a page lists."""
    by_share = wanted.plugged is not None or wanted.stayed is not None
    rows = WITH_CARD.outerjoin(tallied, T.session_id == S.id) if by_share else WITH_CARD
    return query.select_from(rows).where(*_conditions(viewer, wanted), *_listed(wanted))


def _listed(wanted: Listed) -> Iterator[ColumnElement[bool]]:
    """What a page's list is asked for beside."""
    if wanted.stations is not None:
        yield S.station_id.in_(wanted.stations)
    if wanted.windows:
        ran = [(S.started_at < end) & ((S.ended_at > start) | S.ended_at.is_(None)) for start, end in wanted.windows]
        yield or_(*ran)
    yield from _counted(wanted)
    if wanted.began is not None:
        yield or_(false(), *((S.started_at >= start) & (S.started_at < end) for start, end in wanted.began))
    if wanted.site is not None:
        yield placement.session_site() == wanted.site
    if wanted.place is not None:
        evse, connector = wanted.place
        yield func.coalesce(S.evse, 0) == evse
        if connector is not None:
            yield func.coalesce(S.connector, 0) == connector
    if wanted.is_empty:
        yield ~S.live & (func.coalesce(S.energy_wh, 0) <= 0)
    if wanted.is_failed:
        lasted = type_coerce(S.ended_at, BigInteger) - type_coerce(S.started_at, BigInteger)
        yield ~S.live & (func.coalesce(lasted, 0) <= SOON // timedelta(microseconds=1))


def _counted(wanted: Listed) -> Iterator[ColumnElement[bool]]:
    """Which sessions are meant by what they added to totals."""
    if wanted.plugged is not None:
        until, is_fresh = func.coalesce(T.until, S.ended_at), T.until.is_(None) & S.ended_at.is_(None)
        there = [
            (S.started_at < end) & ((S.started_at >= start) | (until > start) | is_fresh)
            for start, end in wanted.plugged
        ]
        yield or_(false(), *there)
        if wanted.plugged:  # what totals count of a session is no longer than this
            yield S.started_at >= min(start for start, _ in wanted.plugged) - LONGEST
    if wanted.stayed is not None:
        least, under = wanted.stayed
        lasted = type_coerce(T.until, BigInteger) - type_coerce(S.started_at, BigInteger)
        yield ~S.live & (lasted >= least * QUARTER_US)
        if under is not None:
            yield lasted < under * QUARTER_US


@dataclass(frozen=True, slots=True)
class Flow:
    """What flows now, over all sessions within reach."""

    live: int
    """How many sessions occupy an EVSE."""
    charging: int
    power_w: Decimal


async def flow(connection: AsyncConnection, viewer: Viewer) -> Flow:
    """How many cars are plugged in, how many of them charge, and with how much power together.

    What a station that is not connected had said last is not counted as flowing: nobody knows.
    """
    flows = (S.state == SessionState.CHARGING.value) & station_state.c.online
    charging, power = case((flows, 1), else_=0), case((flows, type_coerce(S.power_w, BigInteger)), else_=0)
    where = session.outerjoin(station_state, station_state.c.station_id == S.station_id)
    sums = select(func.count(), func.sum(charging), func.sum(power)).select_from(where)
    sums = sums.where(S.live, reach.sessions(viewer))
    live, flowing, millionths = (await connection.execute(sums)).one()
    return Flow(live, flowing or 0, from_millionths(int(millionths or 0)))
