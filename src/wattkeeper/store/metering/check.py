"""Which sessions are to be checked for their signatures: a queue that a crash leaves as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.facts import SignaturesChecked
from wattkeeper.store.metering.key import concerned
from wattkeeper.store.money.billable import Billable
from wattkeeper.store.money.due import followed
from wattkeeper.store.tables import journal, session, unchecked
from wattkeeper.store.unit import Unit

NAME = "signatures"
"""Who follows the journal."""
S, U = session.c, unchecked.c


async def touched(connection: AsyncConnection, after: int, limit: int) -> tuple[list[str], int]:
    """The ended sessions that the ``limit`` journal entries after a number are about, and the number of the last."""
    n = journal.c.n
    upto = await connection.scalar(select(func.max(n)).where(n > after, n <= after + limit)) or after
    which = select(S.id).join(journal, journal.c.session_id == S.id)
    which = which.where(n > after, n <= upto, ~S.live, journal.c.kind != SignaturesChecked.__name__)
    return list((await connection.execute(which.distinct())).scalars()), upto


async def signs(connection: AsyncConnection, sessions: Iterable[Billable]) -> list[str]:
    """Those of these sessions that have signed values, or should have."""
    known = [one for one in sessions if not one.whole.imported]
    places = await concerned(connection, sorted({one.whole.station for one in known}))
    return [one.id for one in known if one.whole.track.signed or one.whole.signed or one.whole.station in places]


async def pending(connection: AsyncConnection, sessions: Mapping[str, Billable]) -> set[str]:
    """Those of these sessions about which a check of signatures may still find something: nobody may bill them now.

    Where no key was ever pinned and nothing required, a check finds nothing that matters to money.
    """
    places = await concerned(connection, sorted({one.whole.station for one in sessions.values()}))
    mine = [one for one in sessions.values() if one.whole.station in places]
    if not mine:
        return set()
    reached = (await followed(connection, NAME)).n
    queued = select(U.session_id).where(U.session_id.in_([one.id for one in mine]))
    return {*(one.id for one in mine if one.last_n > reached), *(await connection.execute(queued)).scalars()}


async def add(unit: Unit, sessions: Sequence[str], at: datetime | None = None) -> None:
    """Let sessions be checked from an instant on, or now; one that waits already waits anew."""
    dialect: Any = sqlite if unit.is_sqlite else postgresql
    rows = [{"session_id": one, "at": at or unit.now} for one in sessions]
    if rows:
        made = dialect.insert(unchecked)
        again = made.on_conflict_do_update(index_elements=[U.session_id], set_={"at": made.excluded.at})
        await unit.connection.execute(again, rows)


async def add_at(unit: Unit, station: str, evse: int, since: datetime) -> None:
    """Let all that ended at an EVSE, or at one not known, and was heard of from an instant on be checked again."""
    is_there = or_(S.evse.is_(None), S.evse.in_([0, evse]))
    its = (S.station_id == station, is_there, S.known_at >= since, ~S.live)
    queued = select(U.session_id)
    which = select(S.id, literal(unit.now, U.at.type)).where(*its, S.id.not_in(queued))
    await unit.connection.execute(insert(unchecked).from_select(["session_id", "at"], which))


async def waiting(connection: AsyncConnection, now: datetime, limit: int) -> dict[str, datetime]:
    """Some sessions whose time has come, the longest waiting first, and since when each waits."""
    wanted = select(U.session_id, U.at).where(U.at <= now).order_by(U.at, U.session_id).limit(limit)
    return {row.session_id: row.at for row in await connection.execute(wanted)}


async def done(unit: Unit, identifier: str, at: datetime) -> None:
    """A session was checked that waited since an instant; if it waits anew, it goes on waiting."""
    await unit.connection.execute(delete(unchecked).where(U.session_id == identifier, U.at == at))


async def put_off(unit: Unit, identifier: str, at: datetime) -> None:
    """Check a session later."""
    await unit.connection.execute(update(unchecked).where(U.session_id == identifier).values(at=at))
