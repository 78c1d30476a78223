"""What a fact means for us: which session it belongs to, whether the token may charge. Decided once, then recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.facts import (
    Alarmed,
    Fact,
    MetersRead,
    SessionEnded,
    SessionEstimated,
    SessionFact,
    SessionOpened,
    StatusChanged,
    TokenPresented,
)
from wattkeeper.charging.reading import UNDATED
from wattkeeper.charging.session import Session
from wattkeeper.charging.token import Verdict, may_charge
from wattkeeper.operations.desk import Desk, key_of, names_transaction
from wattkeeper.settings import Settings
from wattkeeper.store.entry import Decided


@dataclass(slots=True)
class Decision:
    """What was decided on one fact."""

    fact: Fact
    decided: Decided = Decided()
    verdict: Verdict | None = None
    alarms: list[Alarmed] = field(default_factory=list)


async def decide(desk: Desk, station: str, fact: Fact, settings: Settings) -> Decision:
    """Find or make the fact's session, judge its token, flag its clock."""
    if isinstance(fact, SessionFact):
        return await _session_fact(desk, station, fact, settings)
    if isinstance(fact, TokenPresented):
        verdict = _judge(desk, station, fact, None)
        return Decision(fact, Decided(verdict=verdict.status.value, reason=verdict.reason), verdict)
    if isinstance(fact, StatusChanged):
        live = await desk.live_at(station, fact.evse)
        return Decision(fact, Decided(session=live[0].id) if live else Decided())
    if isinstance(fact, SessionEstimated):
        return Decision(fact, Decided(session=fact.session))
    return Decision(fact)


async def _session_fact(desk: Desk, station: str, fact: SessionFact, settings: Settings) -> Decision:
    """A step of a session: whose, and whether it may."""
    fact = await _timed(desk, station, fact)
    session, opens, alarms = await _find(desk, station, fact)
    if session is None and not opens:
        return Decision(fact, alarms=alarms)
    fact = _placed(fact, session)
    made = session.id if session else await desk.new_id()
    number = None
    if isinstance(fact, SessionOpened) and fact.ref is None:
        number = session.ref if session else await desk.new_number()
    verdict = _judge(desk, station, fact, made) if fact.token else None
    limit = await _limit(desk, station, settings) if opens else None
    decided = Decided(
        session=made,
        opens=opens,
        ref=number,
        verdict=verdict.status.value if verdict else None,
        reason=verdict.reason if verdict else None,
        max_power_w=None if limit is None else str(limit),
        ahead_s=_ahead(fact, desk.unit.now, settings),
    )
    return Decision(fact, decided, verdict, alarms)


async def _timed(desk: Desk, station: str, fact: SessionFact) -> SessionFact:
    """The fact and its readings with a time: ours where the station told none, and flagged."""
    if fact.at is None:
        repeated = await _untimed_start(desk, station, fact) if isinstance(fact, SessionOpened) else None
        untold = () if isinstance(fact, MetersRead) and not fact.readings else (Deviation.NO_TIME,)
        fact = replace(fact, at=repeated or desk.unit.now, deviations=(*fact.deviations, *untold))
    if UNDATED in [reading.at for reading in fact.readings]:
        dated = (replace(r, at=fact.at) if r.at == UNDATED else r for r in fact.readings)
        fact = replace(fact, readings=tuple(dated))
    return fact


def _placed(fact: SessionFact, session: Session | None) -> SessionFact:
    """The fact, flagged where it is a reading of one connector that names the transaction of another."""
    if session is None or not isinstance(fact, MetersRead) or None in (fact.evse, session.evse):
        return fact
    astray = fact.evse not in (0, session.evse)
    return replace(fact, deviations=(*fact.deviations, Deviation.OTHER_CONNECTOR)) if astray else fact


async def _untimed_start(desk: Desk, station: str, fact: SessionOpened) -> datetime | None:
    """When the same start came that told no time either, if its session still lives: then this one repeats it."""
    live = await desk.live_at(station, fact.evse) if fact.evse else []
    began = [s.opened.at for s in live if s.opened and s.key == key_of(replace(fact, at=s.opened.at))]
    return began[0] if began else None


async def _limit(desk: Desk, station: str, settings: Settings) -> Decimal:
    """The most that an EVSE of this station is believed to deliver, W."""
    known = await desk.limit(station)
    return Decimal(settings.default_max_power_w) if known is None else known


def _ahead(fact: SessionFact, now: datetime, settings: Settings) -> int:
    """By how many seconds the station's clock runs ahead, where that is more than allowed."""
    latest = max(at for at in (fact.at, *(reading.at for reading in fact.readings)) if at is not None)
    seconds = (latest - now).total_seconds()
    return int(seconds) if seconds > settings.clock_skew_s else 0


def _judge(desk: Desk, station: str, fact: SessionFact | TokenPresented, asking: str | None) -> Verdict:
    """Whether a token may charge; one rule for Authorize, StartTransaction and TransactionEvent."""
    now, token = desk.unit.now, fact.token or ""
    evse = (fact.evse or 0) if isinstance(fact, SessionFact) else None
    ends = isinstance(fact, SessionEnded)
    running = 0 if ends else desk.overlapping(token, station, evse, min(fact.at or now, now), asking)
    return may_charge(desk.cards.get(token), running, now)


async def _find(desk: Desk, station: str, fact: SessionFact) -> tuple[Session | None, bool, list[Alarmed]]:
    """The session of a fact; or None and whether one is to be made for it; and what is alarming about it."""
    if names_transaction(fact):
        return await _find_named(desk, station, fact)
    if isinstance(fact, SessionOpened):
        known = desk.by_key(station, key_of(fact))
        return known, known is None, []
    if isinstance(fact, SessionEnded):
        ended = await _find_nameless_end(desk, station, fact)
        return ended, ended is None, []
    return await _find_by_place(desk, station, fact), False, []


async def _find_named(desk: Desk, station: str, fact: SessionFact) -> tuple[Session | None, bool, list[Alarmed]]:
    """By the transaction id; only the station that owns a session can touch it, another gets one of its own."""
    assert fact.ref is not None
    session = desk.by_ref(station, fact.ref)
    if session is not None:
        return session, False, []
    alarms = [_foreign(fact)] if desk.foreign(station, fact.ref) and not isinstance(fact, SessionOpened) else []
    if isinstance(fact, MetersRead):
        ours = desk.given_elsewhere(station, fact.ref)
        return None if ours else await _find_by_place(desk, station, fact), False, alarms
    return None, True, alarms


def _foreign(fact: SessionFact) -> Alarmed:
    """An alarm: transaction ids of 1.6 are ours and one of a kind; in 2.x two stations may come to use the same."""
    summary = f"{type(fact).__name__} named a transaction of another station; that session was not touched."
    return Alarmed(code="ForeignTransaction", summary=summary)


async def _find_by_place(desk: Desk, station: str, fact: SessionFact) -> Session | None:
    """By EVSE and time, where a reading names no transaction of ours; never the main meter's."""
    at = fact.readings[0].at if fact.readings else fact.at
    if not fact.evse or at is None:
        return None
    live = [s for s in await desk.live_at(station, fact.evse) if s.started_at <= at]
    return live[0] if live else await desk.covering(station, fact.evse, at)


async def _find_nameless_end(desk: Desk, station: str, fact: SessionEnded) -> Session | None:
    """The one session that a stop without a transaction can mean; None where none or several fit."""
    orphan = desk.by_key(station, key_of(fact))
    if orphan is not None:
        return orphan
    assert fact.at is not None
    candidates = await desk.ending(station, fact.at)
    ended = [s for s in candidates if s.ended is not None and s.ended.register_wh == fact.register_wh]
    fitting = [
        s for s in candidates if s.ended is None and (fact.token is None or s.token is None or s.token == fact.token)
    ]
    live = [s for s in fitting if s.is_live]
    for found in (ended, live, fitting):
        if found:
            return found[0] if len(found) == 1 else None
    return None
