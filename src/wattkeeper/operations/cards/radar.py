"""The clone radar before energy flows: one card at two places, and "is this you?". Decided with the fact, once.

What is judged later, when it no longer stops anybody, is in `operations.cards.watch`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from wattkeeper.charging.cards.radar import (
    ANSWER_WITHIN,
    ASKED_SPAN,
    LIVE,
    MOST_ASKED,
    REMEMBERED,
    Pattern,
    Reply,
    Settled,
    Sighting,
    StepUp,
    apart_km,
    is_out_of_reach,
    together,
)
from wattkeeper.charging.cards.token import Authorisation, Card, CardKind, Strength, Verdict
from wattkeeper.charging.facts import Alarmed, SessionEnded, SessionFact, SessionOpened, TokenPresented
from wattkeeper.charging.phrase import Phrase, Said, joined, phrase, plural
from wattkeeper.settings import Settings
from wattkeeper.store.cards import card as cards
from wattkeeper.store.cards import finding as findings
from wattkeeper.store.people import step_up
from wattkeeper.store.stations import order as orders

if TYPE_CHECKING:
    from wattkeeper.operations.desk import Desk

REMOTE = timedelta(minutes=2)
"""How long after we asked a station to start, a start there was our own and no tap."""
IN_USE = timedelta(minutes=15)
"""A session that was heard of within this long runs; one that fell silent may have ended untold."""
FAR = "CardFarApart"
TWICE = "CardInUseTwice"
ASKS = phrase("Its holder is asked on the phone whether this is them; after a yes the card can be tapped again.")

NO_ACCOUNT = phrase("Its holder has no account in which to be asked whether this is them. Support can help.")
ASKED_ENOUGH = phrase("Its holder was asked {times} times within the hour and did not say yes.")


@dataclass(slots=True)
class Judged:
    """What the radar makes of a verdict, and what is alarming about it."""

    verdict: Verdict
    alarms: list[Alarmed] = field(default_factory=list)


async def judge(
    desk: Desk, station: str, fact: SessionFact | TokenPresented, verdict: Verdict, settings: Settings
) -> Judged:
    """A verdict on an enrolled card as it stands once the radar has looked: accepted at most becomes not now."""
    card = desk.cards.get(fact.token or "")
    if isinstance(fact, TokenPresented) and fact.token is not None:
        desk.sightings.tap(fact.token, station)
    if card is None or card.kind is CardKind.APP or isinstance(fact, SessionEnded):
        return Judged(verdict)
    if verdict.status is Authorisation.CONCURRENT:
        return Judged(verdict, await _twice(desk, card, station))
    if not verdict.accepted or desk.runs(card.ref, station):
        return Judged(verdict)
    await desk.sightings.load(desk.cards)
    is_live = await _is_live(desk, card, station, fact)
    at = desk.unit.now if is_live else min(fact.at or desk.unit.now, desk.unit.now)
    judged = Judged(verdict)
    far = await _far(desk, card, station, at, fact)
    if far is not None:
        judged.alarms += await _found(desk, Pattern.FAR_APART, card, station, _far_words(far), FAR)
    if is_live:
        judged.verdict = await _asked(desk, card, station, far, settings) or verdict
    if judged.verdict.accepted:
        desk.sightings.note(card.ref, station, at)
    return judged


async def _is_live(desk: Desk, card: Card, station: str, fact: SessionFact | TokenPresented) -> bool:
    """Whether this happens now: told in time, or right after a tap that waited for our answer (a slow clock)."""
    if isinstance(fact, TokenPresented) or fact.at is None:
        return True
    if fact.offline:
        return False
    return fact.at >= desk.unit.now - LIVE or await desk.sightings.was_tapped(card.ref, station, desk.cards)


# --- two places -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Far:
    """Where a card was, that cannot be here now."""

    before: Sighting
    here: Sighting


async def _far(desk: Desk, card: Card, station: str, at: datetime, fact: SessionFact | TokenPresented) -> _Far | None:
    """The place at which a card was seen too far away for it to be here; None where there is none, or is a reason."""
    if all(seen.station == station for seen in desk.sightings.of(card.ref)):
        return None
    here = Sighting(await desk.sightings.location(station), at)
    apart = [one for one in await desk.sightings.elsewhere(card.ref, here.location) if is_out_of_reach(one, here)]
    if not apart or await _is_remote(desk, station, fact) or await _is_pardoned(desk, card):
        return None
    return _Far(max(apart, key=lambda one: one.at), here)


AT_ONCE = phrase("Tapped at {station}, and at the same time {km} km away at {other}.")
EARLIER = plural(
    "Tapped at {station}, and {count} minute earlier {km} km away at {other}.",
    "Tapped at {station}, and {count} minutes earlier {km} km away at {other}.",
)
LATER = plural(
    "Tapped at {station}, and {count} minute later {km} km away at {other}.",
    "Tapped at {station}, and {count} minutes later {km} km away at {other}.",
)


def _far_words(far: _Far) -> Phrase:
    """What was seen, without a number."""
    km = round(apart_km(far.before.location, far.here.location) or 0)
    where = {"station": far.here.location.station, "other": far.before.location.station, "km": km}
    minutes = round(abs(far.here.at - far.before.at) / timedelta(minutes=1))
    if minutes == 0:
        return AT_ONCE.filled(**where)
    return (EARLIER if far.before.at <= far.here.at else LATER).filled(count=minutes, **where)


async def _is_remote(desk: Desk, station: str, fact: SessionFact | TokenPresented) -> bool:
    """Whether we asked the station to start: then nobody tapped there. 1.6 does not tell it, so the orders do."""
    if not isinstance(fact, SessionOpened):
        return False
    return fact.remote_start is not None or await orders.started(desk.unit.connection, station, desk.unit.now - REMOTE)


async def _is_pardoned(desk: Desk, card: Card) -> bool:
    """Whether a person has looked at just this lately, and found it innocent."""
    return await findings.is_pardoned(desk.unit, Pattern.FAR_APART, card.ref, desk.unit.now - REMEMBERED)


# --- twice at once ----------------------------------------------------------------------------------------


async def _twice(desk: Desk, card: Card, station: str) -> list[Alarmed]:
    """A card that charges elsewhere already: a finding, unless it is the same place or the session fell silent."""
    heard = desk.unit.now - IN_USE
    running = [where for where, last_at in desk.running(card.ref) if where != station and last_at >= heard]
    here = await desk.sightings.location(station)
    apart = [where for where in running if not together(await desk.sightings.location(where), here)]
    if not apart:
        return []
    words = phrase("Tapped at {station} while a session runs on it at {other}.", station=station, other=apart[0])
    return await _found(desk, Pattern.IN_USE_TWICE, card, station, words, TWICE)


async def _found(desk: Desk, kind: Pattern, card: Card, station: str, words: Phrase, code: str) -> list[Alarmed]:
    """Make a card suspect, with a finding and an alarm; nothing new while that is open, or dismissed lately."""
    unit, since, innocent = desk.unit, desk.unit.now - REMEMBERED, (Settled.DISMISSED,)
    await unit.flush()
    if await findings.is_known(unit, kind, since, token=card.ref, where=station, settled=innocent):
        return []
    findings.keep(unit, kind, card.ref, station, words)
    desk.sightings.suspect(card.ref)
    return [Alarmed(code=code, summary=joined((phrase("A card may have been copied."), words)))]


# --- is this you? -----------------------------------------------------------------------------------------


async def _asked(desk: Desk, card: Card, station: str, far: _Far | None, settings: Settings) -> Verdict | None:
    """Why the card may not start now; None where it may."""
    mode = settings.radar_step_up
    is_asked = mode is not StepUp.NEVER and (
        far is not None
        or (mode is StepUp.NUMBER_ONLY and card.strength is Strength.NUMBER)
        or await desk.sightings.is_suspect(card.ref, desk.cards)
    )
    if is_asked:
        return await _question(desk, card, station)
    if far is not None:
        return _not_now(joined((_far_words(far), phrase("Support decides whether it was copied."))))
    return None


async def _question(desk: Desk, card: Card, station: str) -> Verdict | None:
    """None where the holder said yes just now; else why not, and a question to them where they can be asked."""
    unit = desk.unit
    await unit.flush()
    told = await step_up.current(unit, card.ref, station)
    if told is Reply.YES:
        return None
    if told is Reply.WAITING:
        return _not_now(ASKS)
    person = (await cards.owners(unit, [card.ref])).get(card.ref, "")
    if not person or not await step_up.can_be_asked(unit, person):
        return _not_now(NO_ACCOUNT)
    if await step_up.unanswered(unit, card.ref, unit.now - ASKED_SPAN) >= MOST_ASKED:
        return _not_now(ASKED_ENOUGH.filled(times=MOST_ASKED))
    step_up.keep(unit, person, card.ref, station, unit.now + ANSWER_WITHIN)
    return _not_now(ASKS)


def _not_now(why: Said) -> Verdict:
    return Verdict(Authorisation.NOT_NOW, why)
