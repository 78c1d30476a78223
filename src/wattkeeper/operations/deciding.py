"""What a fact means for us: which session it belongs to, whether the token may charge. Decided once, then recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from wattkeeper.charging.cards.limits import NO_SPOT, NO_USE
from wattkeeper.charging.cards.token import Asked, Authorisation, Card, Purpose, Verdict, may_charge
from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.facts import (
    Alarmed,
    Fact,
    MetersRead,
    SessionEnded,
    SessionEstimated,
    SessionFact,
    SessionOpened,
    SignaturesChecked,
    StatusChanged,
    TokenPresented,
)
from wattkeeper.charging.phrase import joined, phrase
from wattkeeper.charging.reading import UNDATED
from wattkeeper.charging.session import Session
from wattkeeper.operations.cards import once, radar
from wattkeeper.operations.cards.bounds import house_limits
from wattkeeper.operations.desk import Desk, key_of, names_transaction
from wattkeeper.settings import Settings
from wattkeeper.store.entry import Decided

UNASKED = phrase("The station let it charge without asking, and told of it later.")
STOPS = "StopAuthorized"
"""The trigger of an event whose token ends a session (OCPP 2.0.1 TriggerReasonEnumType)."""


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
        verdict, alarms = await _judge(desk, station, fact, None, None, settings)
        return Decision(fact, Decided(verdict=verdict.status.value, reason=verdict.reason), verdict, alarms)
    if isinstance(fact, StatusChanged):
        live = await desk.live_at(station, fact.evse)
        return Decision(fact, Decided(session=live[0].id) if live else Decided())
    if isinstance(fact, SessionEstimated | SignaturesChecked):
        return Decision(fact, Decided(session=fact.session))
    return Decision(fact)


async def _session_fact(desk: Desk, station: str, fact: SessionFact, settings: Settings) -> Decision:
    """A step of a session: whose, and whether it may."""
    if fact.imported:
        return await _imported(desk, station, fact, settings)
    fact = await _timed(desk, station, fact)
    session, opens, alarms = await _find(desk, station, fact)
    if session is None and not opens:
        return Decision(fact, alarms=alarms)
    fact = _placed(fact, session)
    made = session.id if session else await desk.new_id()
    number = None
    if isinstance(fact, SessionOpened) and fact.ref is None:
        number = session.ref if session else await desk.new_number()
    verdict = None
    if fact.token:
        verdict, suspicions = await _judge(desk, station, fact, made, session, settings)
        alarms += suspicions
    limit = await _limit(desk, station, settings) if opens else None
    decided = Decided(
        session=made,
        opens=opens,
        ref=number,
        verdict=verdict.status.value if verdict else None,
        reason=_why(verdict, fact, desk.unit.now, settings) if verdict else None,
        max_power_w=None if limit is None else str(limit),
        ahead_s=_ahead(fact, desk.unit.now, settings),
    )
    return Decision(fact, decided, verdict, alarms)


async def _imported(desk: Desk, station: str, fact: SessionFact, settings: Settings) -> Decision:
    """A step of a session of long ago, as another system has it: its card is judged no more, and alarms nobody."""
    session, opens = desk.by_key(station, key_of(fact)), isinstance(fact, SessionOpened)
    if session is not None:
        return Decision(fact, Decided(session=session.id))
    if not opens:
        return Decision(fact)
    limit = await _limit(desk, station, settings)
    return Decision(fact, Decided(session=await desk.new_id(), opens=True, max_power_w=str(limit)))


def _why(verdict: Verdict, fact: SessionFact, now: datetime, settings: Settings) -> str:
    """Why it was decided so; of a start that is refused although it happened long ago, that too."""
    if verdict.accepted or not isinstance(fact, SessionOpened) or fact.at is None:
        return verdict.reason
    late = fact.offline or (now - fact.at).total_seconds() > settings.clock_skew_s
    return joined((verdict.reason, UNASKED)) if late else verdict.reason


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


async def _judge(
    desk: Desk,
    station: str,
    fact: SessionFact | TokenPresented,
    asking: str | None,
    session: Session | None,
    settings: Settings,
) -> tuple[Verdict, list[Alarmed]]:
    """Whether a token may charge, by the rule and then by the radar; and what is alarming about it."""
    card = desk.cards.get(fact.token or "")
    if card is None:
        asked = Asked(desk.unit.now, desk.unit.now)
    else:
        asked = await _asked(desk, station, fact, card, asking, session, settings)
    judged = await radar.judge(desk, station, fact, may_charge(card, asked), settings)
    return judged.verdict, judged.alarms


async def _asked(
    desk: Desk,
    station: str,
    fact: SessionFact | TokenPresented,
    card: Card,
    asking: str | None,
    session: Session | None,
    settings: Settings,
) -> Asked:
    """The circumstances in which a card of ours was presented; the store is asked only for what binds this card."""
    now, purpose = desk.unit.now, _purpose(fact, session)
    begins = purpose in (Purpose.TAP, Purpose.START)
    evse = (fact.evse or 0) if isinstance(fact, SessionFact) else None
    at = min(fact.at or now, now)
    return Asked(
        now=now,
        local=now.astimezone(settings.zone),
        purpose=purpose,
        running=desk.overlapping(card.ref, station, evse, at, asking) if begins else 0,
        ends_one=purpose is Purpose.TAP and await _ends_one(desk, station, card),
        station=station,
        evse=fact.evse,
        spot=await desk.bounds.spot(card, station, fact.evse) if begins else NO_SPOT,
        used=await desk.bounds.used(card, desk.cards.values(), settings) if begins else NO_USE,
        house=house_limits(settings.number_card_kwh_month),
        spent=await once.spent(desk, card, at, asking) if begins else "",
        broke=await desk.bounds.broke(card, station, fact.evse, desk.begun(card.ref), settings) if begins else "",
    )


def _purpose(fact: SessionFact | TokenPresented, session: Session | None) -> Purpose:
    """What a token was presented for."""
    if isinstance(fact, TokenPresented):
        return Purpose.TAP
    if isinstance(fact, SessionEnded) or fact.trigger == STOPS:
        return Purpose.END
    accepted = session is not None and session.token == fact.token and session.verdict is Authorisation.ACCEPTED
    return Purpose.GO_ON if accepted else Purpose.START


async def _ends_one(desk: Desk, station: str, card: Card) -> bool:
    """Whether a session lives at this station that this card may end: its own, its group's, any for a master pass."""
    if card.is_master_pass:
        return bool(await desk.live_at(station, None))
    if desk.runs(card.ref, station):
        return True
    if card.group is None or card.parent_id is None:
        return False
    live = await desk.live_at(station, None)
    return await desk.are_of_group([s.token for s in live if s.token], card.group)


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
    summary = phrase("{fact} named a transaction of another station; that session was not touched.")
    return Alarmed(code="ForeignTransaction", summary=summary.filled(fact=type(fact).__name__))


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
