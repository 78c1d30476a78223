"""What was said of ports, and when they could not be used: followed in the journal, reckoned from an instant on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.limits import counted_at
from wattkeeper.charging.facts import is_history
from wattkeeper.charging.session import Session
from wattkeeper.charging.statistics.attempt import Heard
from wattkeeper.charging.statistics.uptime import Cause, Outage, Standing, Word, outages
from wattkeeper.store.columns import to_micros
from wattkeeper.store.entry import Entry, entry_of
from wattkeeper.store.fold import decode
from wattkeeper.store.journal import reached
from wattkeeper.store.tables import RELIABILITY, follower, journal, outage, port, port_word, session, unreckoned
from wattkeeper.store.unit import Unit

SAYING = ("StatusChanged", "Connected", "Disconnected", "SessionOpened", "TokenPresented", "OrderSettled")
"""The facts that say something of ports, or that something was tried."""
ENDING = ("SessionEnded", "SessionEstimated")
TURNING = ("SessionOpened", *ENDING)
"""The facts by which a session begins or ends; of one that has ended every fact counts."""
MOST_CONNECTORS = 128
"""How many connectors of one station are kept; no station has so many, a hostile one might say so."""
P, W, OUT = port.c, port_word.c, outage.c


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the journal: what says something of ports, and the sessions that it began, ended or corrected."""

    entries: list[Entry]
    sessions: list[tuple[Session, Heard]]
    n: int
    """The number of its last entry."""


async def stretch(connection: AsyncConnection, after: int, limit: int) -> Stretch:
    """The ``limit`` entries after a number, as far as they are about reliability; history says nothing of it."""
    n = journal.c.n
    upto = int(await connection.scalar(select(func.max(n)).where(n > after, n <= after + limit)) or after)
    within = (n > after, n <= upto)
    wanted = select(journal).where(*within, journal.c.kind.in_(SAYING)).order_by(n)
    told = map(entry_of, await connection.execute(wanted))
    entries = [entry for entry in told if not is_history(entry.fact)]
    turned = or_(session.c.live.is_(False), journal.c.kind.in_(TURNING))
    which = select(journal.c.session_id).join(session, session.c.id == journal.c.session_id).where(*within, turned)
    folds = select(session.c.fold, session.c.known_at, session.c.heard_at).where(session.c.id.in_(which))
    found = [(decode(row.fold), Heard(row.known_at, row.heard_at)) for row in await connection.execute(folds)]
    return Stretch(entries, await _ended(connection, [one for one in found if not one[0].imported]), upto)


async def _ended(connection: AsyncConnection, found: list[tuple[Session, Heard]]) -> list[tuple[Session, Heard]]:
    """Sessions with our time of their end: looked up where that makes a difference."""
    far = {
        one.id: one.ended_at
        for one, heard in found
        if one.ended_at is not None and counted_at(one.ended_at, heard.ended) != one.ended_at
    }
    if not far:
        return found
    j = journal.c
    its = (j.station_id == session.c.station_id, j.received_at.between(session.c.known_at, session.c.heard_at))
    ends = (j.session_id == session.c.id, j.kind.in_(ENDING), func.coalesce(j.at, j.received_at) == session.c.ended_at)
    wanted = select(session.c.id, func.min(j.received_at)).join(journal, and_(*its, *ends))
    rows = await connection.execute(wanted.where(session.c.id.in_(far)).group_by(session.c.id))
    told: dict[str, datetime] = {name: at for name, at in rows}
    return [(one, heard._replace(ended=told.get(one.id, heard.ended))) for one, heard in found]


async def as_of(connection: AsyncConnection, after: int, now: datetime) -> datetime:
    """Until when all that was recorded is reckoned; ``after``: the last journal entry that was followed."""
    missing: datetime | None = await connection.scalar(select(func.min(unreckoned.c.since)))
    return min(await reached(connection, after, now), missing or now)


async def behind(connection: AsyncConnection) -> int:
    """How many stations are to be reckoned again."""
    return await connection.scalar(select(func.count()).select_from(unreckoned)) or 0


# --- what is said -------------------------------------------------------------------------------------------------


async def hear(unit: Unit, words: Mapping[str, Sequence[Word]]) -> None:
    """Keep what was said of the ports of stations, and let these be reckoned again from there on."""
    known: dict[str, dict[tuple[int, int], datetime]] = {station: {} for station in words}
    rows = await unit.connection.execute(select(port).where(P.station_id.in_(list(words))))
    for row in rows:
        known[row.station_id][row.evse, row.connector] = row.first_at
    for station, said in words.items():
        for word in said:
            _keep(unit, station, word, known[station])
    await again(unit, {station: min(word.at for word in said) for station, said in words.items()})


def _keep(unit: Unit, station: str, word: Word, known: dict[tuple[int, int], datetime]) -> None:
    """Keep a word, unless it is of one connector too many."""
    key = (word.evse, word.connector)
    if key not in known and len(known) >= MOST_CONNECTORS:
        return
    if key not in known or word.at < known[key]:
        known[key] = word.at
        unit.upsert(port, (station, *key), (station, *key, to_micros(word.at)))
    unit.insert(port_word, (word.n, station, *key, to_micros(word.at), word.said, word.error))


async def again(unit: Unit, stations: Mapping[str, datetime]) -> None:
    """Let stations be reckoned again, each from an instant on; or from an earlier one that waits already."""
    dialect: Any = sqlite if unit.is_sqlite else postgresql
    wanted = dialect.insert(unreckoned)
    known = unreckoned.c.since
    sooner = case((wanted.excluded.since < known, wanted.excluded.since), else_=known)
    rows = [{"station_id": station, "since": since} for station, since in stations.items()]
    if rows:
        asked = wanted.on_conflict_do_update(index_elements=["station_id"], set_={"since": sooner})
        await unit.connection.execute(asked, rows)


async def waiting(connection: AsyncConnection, limit: int, after: str = "") -> list[str]:
    """The first stations after this id that are to be reckoned again."""
    u = unreckoned.c
    wanted = select(u.station_id).where(u.station_id > after).order_by(u.station_id).limit(limit)
    return list((await connection.execute(wanted)).scalars())


async def taken_on(unit: Unit, station: str) -> datetime | None:
    """From which instant on a station is to be reckoned, which this unit does; None where it is done already."""
    named = unreckoned.c.station_id == station
    since: datetime | None = await unit.connection.scalar(select(unreckoned.c.since).where(named))
    await unit.connection.execute(delete(unreckoned).where(named))
    return since


async def begin_again(unit: Unit, name: str) -> None:
    """Drop all that is reckoned, and let whoever follows the journal by this name do so from its beginning."""
    for table in RELIABILITY:
        await unit.connection.execute(delete(table))
    await unit.connection.execute(delete(follower).where(follower.c.name == name))


# --- outages ------------------------------------------------------------------------------------------------------


async def connectors(unit: Unit, station: str) -> list[tuple[int, int]]:
    """The connectors of a station that were told of, by EVSE; 0 and -1 as in the table."""
    wanted = select(P.evse, P.connector).where(P.station_id == station).order_by(P.evse, P.connector)
    return [(row.evse, row.connector) for row in await unit.connection.execute(wanted)]


async def words(unit: Unit, station: str, since: datetime, evse: int | None = None) -> list[Word]:
    """What was said of a station, or of one EVSE of it, for an instant and after."""
    wanted = select(W.at, W.n, W.evse, W.connector, W.said, W.error).where(W.station_id == station, W.at >= since)
    if evse is not None:
        wanted = wanted.where(W.evse == evse)
    return [Word(*row) for row in await unit.connection.execute(wanted)]


async def reckon_outages(unit: Unit, station: str, since: datetime, outlets: Iterable[tuple[int, int]]) -> None:
    """Write down anew which outages of a station there are from an instant on."""
    standing = Standing()
    for evse, connector in outlets:
        of = (W.station_id == station, W.evse == evse, W.connector == connector, W.at < since)
        last = select(W.at, W.n, W.evse, W.connector, W.said, W.error).where(*of).order_by(W.at.desc(), W.n.desc())
        row = (await unit.connection.execute(last.limit(1))).first()
        if row is not None:
            standing.hear(Word(*row))
    touching = (OUT.station_id == station, or_(OUT.until.is_(None), OUT.until >= since))
    for row in await unit.connection.execute(select(outage).where(*touching, OUT.since < since)):
        went_on = Outage(row.evse, row.since, None, Cause(row.cause), row.error, row.began, row.fault_at)
        standing.open[row.evse] = went_on
    found = list(outages(await words(unit, station, since), standing))
    await unit.connection.execute(delete(outage).where(*touching))
    for one in found:
        unit.insert(outage, _row(station, one))


def _row(station: str, one: Outage) -> tuple[Any, ...]:
    """The raw row of an outage."""
    until, fault = (None if at is None else to_micros(at) for at in (one.until, one.fault_at))
    began, told = to_micros(one.began), (one.cause.value, one.error)
    return (station, one.evse, to_micros(one.since), until, *told, began, fault, one.is_over)
