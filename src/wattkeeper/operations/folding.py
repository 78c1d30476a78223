"""Fold a recorded entry into what is derived from the journal: sessions, readings, stations, connectors.

The same for an entry just recorded and for one that `rebuild` replays: everything that chance, time or other tables
had a say in stands in the entry.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from wattkeeper.charging.cards.token import Authorisation
from wattkeeper.charging.evidence import SUPERSEDED
from wattkeeper.charging.facts import (
    EstimateCause,
    MetersRead,
    SessionEnded,
    SessionEstimated,
    SessionFact,
    SessionOpened,
    SignaturesChecked,
)
from wattkeeper.charging.meter import gathered, merge
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.session import (
    Session,
    continues,
    contradicting,
    follow,
    measure,
    remeasure,
    tellings,
)
from wattkeeper.operations.desk import Desk, key_of
from wattkeeper.store.cards import decision as decisions
from wattkeeper.store.entry import Entry
from wattkeeper.store.metering import record as records
from wattkeeper.store.sessions import meter as readings
from wattkeeper.store.sessions.meter import Key


async def fold(desk: Desk, entry: Entry) -> SessionEstimated | None:
    """Fold the entry in; gives an estimate to record where the EVSE of its session now holds two sessions."""
    decisions.keep(desk.unit, entry)
    session_id = entry.decided.session
    if session_id is None:
        if isinstance(entry.fact, MetersRead):
            _keep_outside(desk, entry, entry.fact)
        return None
    before = _opened(entry) if entry.decided.opens else await desk.get(session_id)
    if before is None:
        return None
    session = await _measured(desk, _followed(before, entry), before, entry)
    desk.put(session, entry.received_at, entry.n)
    if isinstance(entry.fact, SignaturesChecked):
        records.keep(desk.unit, session, entry.fact.ruling, entry.received_at)
    if entry.decided.opens and isinstance(entry.fact, SessionOpened) and not session.imported:
        session = await _claimed(desk, session, entry)
    if session.is_live and (entry.decided.opens or not before.is_live or before.evse != session.evse):
        return await _crowded(desk, session)
    return None


def _opened(entry: Entry) -> Session:
    """A session as it is before its first fact."""
    fact, decided = entry.fact, entry.decided
    assert isinstance(fact, SessionFact) and decided.session is not None and fact.at is not None
    session = Session(
        id=decided.session,
        station=entry.station,
        key=key_of(fact),
        ref=None if fact.imported else decided.ref or fact.ref,
        first_at=fact.at,
        last_at=fact.at,
    )
    return replace(session, max_power_w=Decimal(decided.max_power_w)) if decided.max_power_w else session


def _followed(session: Session, entry: Entry) -> Session:
    """The session after the fact itself."""
    fact = entry.fact if entry.fact.at is not None else replace(entry.fact, at=entry.received_at)
    verdict = None
    if entry.decided.verdict is not None and not isinstance(fact, SessionEnded):
        verdict = Authorisation(entry.decided.verdict)
    followed = follow(session, fact, verdict)
    if entry.decided.ahead_s > followed.ahead_s:
        followed = replace(followed, ahead_s=entry.decided.ahead_s)
    return followed


async def _measured(desk: Desk, session: Session, before: Session, entry: Entry) -> Session:
    """The session with the fact's readings: added where they go on, else all folded anew."""
    told = tellings(entry.fact, before.ended)
    fresh = gathered(told) if len(told) > 1 else told
    if len(fresh) < len(told):
        session = contradicting(session, told)
    placed = [((entry.n, place), reading) for place, reading in enumerate(fresh)]
    if not continues(session, fresh):
        return await _refolded(desk, session, placed)
    for key, reading in placed:
        readings.put(desk.unit, key, session.station, session.id, None, reading)
    return measure(session, fresh)


async def _refolded(desk: Desk, session: Session, fresh: list[tuple[Key, Reading]]) -> Session:
    """The session with its readings folded anew, as late or repeated ones have come."""
    known = await desk.readings_of(session.id)
    session = contradicting(session, [reading for _, reading in (*known.values(), *fresh)])
    for came, told in fresh:
        key, reading = came, told
        if told.at in known:
            key, before = known[told.at]
            reading = merge(before, told)
        known[told.at] = key, reading
        readings.put(desk.unit, key, session.station, session.id, None, reading)
    return remeasure(session, [known[at][1] for at in sorted(known)])


def _keep_outside(desk: Desk, entry: Entry, fact: MetersRead) -> None:
    """Keep readings that belong to no session."""
    desk.outside.add(entry.station)
    for place, reading in enumerate(gathered(fact.readings)):
        readings.put(desk.unit, (entry.n, place), entry.station, readings.OUTSIDE, fact.evse, reading)


async def _claimed(desk: Desk, session: Session, entry: Entry) -> Session:
    """The session with the readings of its EVSE that came before its start was told."""
    if session.evse is None or session.station not in desk.outside:
        return session
    await desk.unit.flush()
    found, known_at = await readings.claim(desk.unit, session)
    if known_at is None:
        return session
    session = await _refolded(desk, session, found)
    desk.put(session, entry.received_at, entry.n, known_at)
    return session


MOST_NAMELESS = 8
"""How many sessions that named no EVSE may live at one station."""


async def _crowded(desk: Desk, session: Session) -> SessionEstimated | None:
    """One EVSE, two live sessions: the one that began earlier must have ended, though nobody told."""
    others = [s for s in await desk.live_at(session.station, session.evse) if s.id != session.id]
    if session.evse is None:
        nameless = sorted((s for s in others if s.evse is None), key=lambda s: (s.started_at, s.id))
        others = nameless[: max(0, len(nameless) + 1 - MOST_NAMELESS)]
    if not others:
        return None
    older, newer = sorted((session, others[0]), key=lambda s: (desk.began(s), s.started_at, s.id))
    at = min(max(older.last_at, older.started_at), max(newer.started_at, older.started_at))
    cause = EstimateCause.SUPERSEDED
    return SessionEstimated(at=at, session=older.id, cause=cause, reason=SUPERSEDED, by="wattkeeper")
