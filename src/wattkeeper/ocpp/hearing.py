"""How a call of a station's becomes a fact: the fast path for plain messages, the careful one for all others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.facts import Fact
from wattkeeper.charging.phrase import phrase
from wattkeeper.ocpp.dialect import ErrorCode, Heard, Unreadable
from wattkeeper.ocpp.schemas import Validator
from wattkeeper.ocpp.wire.mending import mend, mend_member
from wattkeeper.ocpp.wire.notes import Members, Notes
from wattkeeper.ocpp.wire.shape import Shape

Reader = Callable[[Members, Notes], Fact]
"""From the members of a payload to the fact; notes what it finds odd and raises only `Unreadable`."""

TokenReader = Callable[[Members, Notes], Presented | None]


@dataclass(frozen=True, slots=True)
class Action:
    """What a dialect knows of one action that stations send."""

    read: Reader
    energy: bool = False
    """Whether it carries energy or money: then it is recorded whatever its shape."""
    plain: bool = False
    """Whether it may come without anything to take out, so that the fast path is worth trying."""
    token: TokenReader | None = None
    tokened: str | None = None
    """The member that holds the token; all else may still be plain."""
    spare: frozenset[str] = frozenset()
    """Required members that may be missing all the same."""


def hear(action: Action, shape: Shape, plain: Validator | None, payload: object) -> Heard:
    """Understand a call; raises `Unreadable` where nothing can be read from it."""
    notes = Notes()
    if plain is not None and isinstance(payload, dict):
        if action.tokened in payload:
            if (heard := _tokened(action, shape, plain, payload)) is not None:
                return heard
        elif action.tokened not in shape.required and plain.is_valid(payload):
            return Heard(_flagged(action.read(payload, notes), notes), payload)
    members, words = mend(shape, payload, notes)
    if not action.energy:
        _insist(action, notes)
    fact = action.read(members, notes)
    token = action.token(members, notes) if action.token else None
    return Heard(_flagged(fact, notes), words, notes.hidden, token)


def _tokened(action: Action, shape: Shape, plain: Validator, payload: dict[str, object]) -> Heard | None:
    """A call that is plain but for its token; None where more is odd about it."""
    name = action.tokened or ""
    rest = {member: value for member, value in payload.items() if member != name}
    if not plain.is_valid(rest) or action.token is None:
        return None
    notes = Notes()
    read, kept = mend_member(shape, name, payload[name], notes)
    if name not in read:
        return None
    fact = action.read({**rest, **read}, notes)
    token = action.token(read, notes)
    words = {member: kept.get(member, value) for member, value in payload.items()}
    return Heard(_flagged(fact, notes), words, notes.hidden, token)


def flagged(fact: Fact, codes: tuple[str, ...]) -> Fact:
    """The fact with deviations that were noticed before it was read."""
    return msgspec.structs.replace(fact, deviations=(*codes, *fact.deviations)) if codes else fact


def _flagged(fact: Fact, notes: Notes) -> Fact:
    return msgspec.structs.replace(fact, deviations=notes.codes(fact.deviations)) if notes.deviations else fact


def _insist(action: Action, notes: Notes) -> None:
    """Refuse a message of no energy that lacks what it is about (codes: OCPP-J 1.6 4.2.3, 2.0.1 part 4 4.3)."""
    if notes.wrong:
        wrong = [name for name in notes.wrong if name in notes.missing and name not in action.spare]
        if wrong:
            raise Unreadable(ErrorCode.TYPE, phrase("The member {member} has the wrong type.", member=wrong[0]))
    missing = [name for name in notes.missing if name not in action.spare]
    if missing:
        raise Unreadable(ErrorCode.OCCURRENCE, phrase("The member {member} is missing.", member=missing[0]))
