"""Cards, fobs and app tokens, and the one rule that says who may charge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from wattkeeper.charging.cards.limits import DAY_WORDS, NO_LIMITS, NO_SPOT, NO_USE, Limits, Spot, Use, has_plug
from wattkeeper.charging.phrase import Figure, Phrase, phrase

TokenRef = NewType("TokenRef", str)
"""The keyed pseudonym of a token, such as ``p1:6f0c…``: the only form that is stored, logged or shown."""


class TokenKind(StrEnum):
    """What was presented; the names of OCPP 2.0.1 IdTokenEnumType, in our case."""

    RFID = "rfid"
    EMAID = "emaid"
    CENTRAL = "central"
    KEYCODE = "keycode"
    LOCAL = "local"
    MAC_ADDRESS = "mac_address"
    NONE = "none"


class Presented:
    """A token in the clear; it lives only between the socket and the vault and never prints itself."""

    __slots__ = ("kind", "uid")

    def __init__(self, uid: str, kind: TokenKind = TokenKind.RFID) -> None:
        self.uid = uid
        self.kind = kind

    def __repr__(self) -> str:
        return f"Presented(kind={self.kind.value}, uid=…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Presented) and (other.uid, other.kind) == (self.uid, self.kind)

    def __hash__(self) -> int:
        return hash((self.uid, self.kind))


# --- a card and its life ------------------------------------------------------------------------------


class CardKind(StrEnum):
    """What it is made of."""

    CARD = "card"
    FOB = "fob"
    APP = "app"
    """Made for one start from a phone; never listed."""


class CardState(StrEnum):
    """Where a card is in its life; that it has expired follows from its end."""

    ORDERED = "ordered"
    """Made and not yet in its holder's hands: it waits to be activated."""
    ACTIVE = "active"
    BLOCKED = "blocked"
    LOST = "lost"
    REPLACED = "replaced"
    """Another card took its place."""
    RETURNED = "returned"
    """Nobody holds it any more."""


K = CardState
LIFE: Mapping[CardState, frozenset[CardState]] = {
    K.ORDERED: frozenset({K.ACTIVE, K.BLOCKED, K.LOST, K.REPLACED, K.RETURNED}),
    K.ACTIVE: frozenset({K.BLOCKED, K.LOST, K.REPLACED, K.RETURNED}),
    K.BLOCKED: frozenset({K.ACTIVE, K.LOST, K.REPLACED, K.RETURNED}),
    K.LOST: frozenset({K.ACTIVE, K.BLOCKED, K.REPLACED, K.RETURNED}),
    K.REPLACED: frozenset({K.RETURNED}),
    K.RETURNED: frozenset(),
}
"""The only steps of a card's life; from RETURNED it begins anew with another holder, by a deed of its own."""


class Strength(StrEnum):
    """How hard a token is to copy."""

    NUMBER = "number"
    """Its number is all there is to it: whoever has read it once can copy it."""
    SECURE = "secure"
    """It proves itself to the station with a key of its own."""
    ONLINE = "online"
    """We made it for one start and know where it must appear."""


class Offline(StrEnum):
    """What stations do with a card while they cannot ask."""

    ACCEPT = "accept"
    """It is on their own lists, and they may remember our answer as long as the card is good."""
    REFUSE = "refuse"
    """It is on no list, and our answer is good until `soon` only."""


def soon(now: datetime) -> datetime:
    """How long a station may remember an answer on a card that it is to refuse while it cannot ask: an hour or two.

    More than a station's clock is wrong, so that none takes the card for expired at once; and on the full hour, so
    that the same question gets the same answer.
    """
    return (now + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Group:
    """Cards that belong together: the same parent id, and what binds each of them."""

    name: str
    parent_id: str | None = None
    """Told to stations with an accepted card (1.6 parentIdTag, 2.x groupIdToken): the cards may stop each other."""
    is_master_pass: bool = False
    """Its cards stop any session at the station where they are presented, and start none (OCPP 2.0.1 C16)."""
    limits: Limits = NO_LIMITS


OWN, GROUP_S, COPIED = phrase("this card"), phrase("its group"), phrase("cards that can be copied")
YOURS, GROUP_OF_YOURS = phrase("your card"), phrase("your card’s group")
"""Whose a limit is, within a sentence: in German always in the genitive."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card as the rule sees it: never its number."""

    ref: TokenRef
    state: CardState = CardState.ACTIVE
    expires_at: datetime | None = None
    group: str | None = None
    max_sessions: int = 1
    """How many sessions may run on it at once."""
    kind: CardKind = CardKind.CARD
    strength: Strength = Strength.NUMBER
    offline: Offline = Offline.REFUSE
    limits: Limits = NO_LIMITS
    only_at: tuple[str, int] | None = None
    """The only station and EVSE it is good at (app)."""
    rules: Group | None = None
    """The group itself, where there is one of that name."""

    @property
    def is_master_pass(self) -> bool:
        """Whether it stops sessions and starts none."""
        return self.rules is not None and self.rules.is_master_pass

    @property
    def parent_id(self) -> str | None:
        """Its group's id for stations."""
        return self.rules.parent_id if self.rules else None

    def binding(self, house: Limits = NO_LIMITS) -> Iterator[tuple[Phrase, Limits]]:
        """What binds it, and whose limit that is; ``house``: what binds every card that is only a number."""
        yield OWN, self.limits
        if self.rules is not None:
            yield GROUP_S, self.rules.limits
        if self.strength is Strength.NUMBER:
            yield COPIED, house


# --- the rule -----------------------------------------------------------------------------------------


class Authorisation(StrEnum):
    """The outcome of asking whether a token may charge (OCPP 1.6 7.2, 2.0.1 AuthorizationStatusEnumType)."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    CONCURRENT = "concurrent"
    NO_CREDIT = "no_credit"
    """The month's energy or money is used up, or nothing is there to pay with."""
    NOT_HERE = "not_here"
    NOT_NOW = "not_now"
    WRONG_PLUG = "wrong_plug"
    INVALID = "invalid"
    """It is ours and good, but not for this."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision on a token, with its reason in words for support."""

    status: Authorisation
    reason: str
    expires_at: datetime | None = None
    """Until when a station may remember that it was accepted (1.6 expiryDate, 2.x cacheExpiryDateTime)."""
    parent_id: str | None = None
    """Its group's id, only ever with an accepted card."""

    @property
    def accepted(self) -> bool:
        """Whether energy may flow."""
        return self.status is Authorisation.ACCEPTED


class Purpose(StrEnum):
    """What a token was presented for."""

    TAP = "tap"
    """Nobody has said yet (Authorize): to start, or to end what runs."""
    START = "start"
    GO_ON = "go_on"
    """It was accepted for this session before."""
    END = "end"


@dataclass(frozen=True, slots=True)
class Asked:
    """The circumstances in which a token was presented."""

    now: datetime
    local: datetime
    """The same moment on the installation's own clock."""
    purpose: Purpose = Purpose.START
    running: int = 0
    """How many sessions run on it, beside the one that asks."""
    ends_one: bool = False
    """Whether a session runs at this station that it may end."""
    station: str = ""
    evse: int | None = None
    spot: Spot = NO_SPOT
    used: Use = NO_USE
    house: Limits = NO_LIMITS
    """What binds every card that is only a number."""
    spent: str = ""
    """Why nothing begins any more on a token that was made for one start; empty where it may."""
    broke: str = ""
    """Why whoever holds it cannot pay for what would begin; empty where they can."""


A = Authorisation
USELESS: Mapping[CardState, tuple[Authorisation, str]] = {
    K.ORDERED: (A.UNKNOWN, phrase("This card is not activated yet.")),
    K.BLOCKED: (A.BLOCKED, phrase("This card is blocked.")),
    K.LOST: (A.BLOCKED, phrase("This card was reported lost.")),
    K.REPLACED: (A.BLOCKED, phrase("This card was replaced by another.")),
    K.RETURNED: (A.UNKNOWN, phrase("This card was returned and belongs to nobody.")),
}
"""What is said of a card that is good for nothing; stations learn no more of it than they must."""


def may_charge(card: Card | None, asked: Asked) -> Verdict:
    """The one rule, for Authorize, StartTransaction, TransactionEvent and starts from a phone alike."""
    if card is None:
        return Verdict(A.UNKNOWN, phrase("This card is not enrolled here."))
    if card.state in USELESS:
        return Verdict(*USELESS[card.state])
    if asked.purpose is Purpose.GO_ON:
        return _yes(card, asked, phrase("This session was accepted on this card before."))
    if card.expires_at is not None and card.expires_at <= asked.now:
        return Verdict(A.EXPIRED, phrase("This card has expired."))
    if asked.purpose is Purpose.END:
        return _yes(card, asked, phrase("This card is good, and ends a session."))
    if card.is_master_pass:
        return _master_pass(card, asked)
    if asked.purpose is Purpose.TAP and asked.ends_one:
        return _yes(card, asked, phrase("A session runs here that this card may end."))
    return _may_start(card, asked)


def start_by_phone(held: Sequence[tuple[Card, Asked]]) -> str | None:
    """Why whoever holds these cards may not start here from a phone; None where one of them may, or limits none.

    The limits are those of their cards and groups: the phone is another way to charge, not a way around them. Cards
    that are good count; where none is, those that were, so that blocking a card frees nobody of its limits.
    """
    lasting = [pair for pair in held if pair[0].state not in (K.RETURNED, K.REPLACED) and not pair[0].is_master_pass]
    good = [(card, asked) for card, asked in lasting if _is_good(card, asked.now)]
    refused = [_bound(card, asked) for card, asked in good or lasting]
    return None if None in refused else next(iter(refused), None)


def _is_good(card: Card, now: datetime) -> bool:
    return card.state is K.ACTIVE and (card.expires_at is None or card.expires_at > now)


def _bound(card: Card, asked: Asked) -> str | None:
    """Why the limits of a card or its group refuse its holder; None where they do not."""
    group = NO_LIMITS if card.rules is None else card.rules.limits
    for whose, limits in ((YOURS, card.limits), (GROUP_OF_YOURS, group)):
        verdict = None if limits.nothing else _limited(whose, limits, asked)
        if verdict is not None:
            return verdict.reason
    return None


def _yes(card: Card, asked: Asked, reason: str) -> Verdict:
    """Accepted, for as long as a station may remember it."""
    until = card.expires_at
    if card.offline is Offline.REFUSE:
        until = soon(asked.now) if until is None else min(until, soon(asked.now))
    return Verdict(A.ACCEPTED, reason, until, card.parent_id)


def _master_pass(card: Card, asked: Asked) -> Verdict:
    """It may stop what runs at the station, and starts nothing (OCPP 2.0.1 C16)."""
    if asked.purpose is Purpose.TAP and asked.ends_one:
        return _yes(card, asked, phrase("This pass may stop what runs here."))
    if asked.purpose is Purpose.TAP:
        return Verdict(A.INVALID, phrase("This pass only stops sessions, and none runs here."))
    return Verdict(A.INVALID, phrase("This pass only stops sessions; it starts none."))


def _may_start(card: Card, asked: Asked) -> Verdict:
    """Whether a session may begin on a card that is good."""
    if card.only_at is not None and not _is_at(card.only_at, asked):
        return Verdict(A.NOT_HERE, phrase("This was made for a start from a phone at another connector."))
    if asked.spent:
        return Verdict(A.INVALID, asked.spent)
    for whose, limits in card.binding(asked.house):
        refused = None if limits.nothing else _limited(whose, limits, asked)
        if refused is not None:
            return refused
    if asked.broke:
        return Verdict(A.NO_CREDIT, asked.broke)
    if asked.running >= card.max_sessions:
        return Verdict(A.CONCURRENT, _concurrent(card.max_sessions))
    return _yes(card, asked, phrase("This card is active."))


def _is_at(only_at: tuple[str, int], asked: Asked) -> bool:
    """Whether it was presented where it is good; a tap names no EVSE."""
    station, evse = only_at
    return asked.station == station and asked.evse in (evse, None)


def _concurrent(most: int) -> Phrase:
    if most == 1:
        return phrase("This card already charges elsewhere.")
    return phrase("This card already charges elsewhere, {most} times at once, and may no more.", most=most)


def _limited(whose: Phrase, limits: Limits, asked: Asked) -> Verdict | None:
    """Why these limits refuse; None where they do not."""
    if limits.sites is not None and asked.spot.site not in limits.sites:
        return Verdict(A.NOT_HERE, phrase("The limits of {whose} allow other sites only.", whose=whose))
    if limits.hours is not None and not any(span.holds(asked.local) for span in limits.hours):
        why = phrase("The limits of {whose} allow other hours only; it is {day} {clock}.")
        day, clock = DAY_WORDS[asked.local.weekday()], f"{asked.local:%H:%M}"
        return Verdict(A.NOT_NOW, why.filled(whose=whose, day=day, clock=clock))
    if limits.plugs is not None and not has_plug(limits.plugs, asked.spot):
        known = any(asked.spot.plugs)
        return Verdict(A.WRONG_PLUG, (OTHER_PLUG if known else UNKNOWN_PLUG).filled(whose=whose))
    return _used_up(whose, limits, asked.used)


OTHER_PLUG = phrase("The limits of {whose} allow another kind of plug only.")
UNKNOWN_PLUG = phrase("The limits of {whose} name a kind of plug, and nobody told which is here.")
ENERGY_GONE = phrase("The energy that {whose} may have in a month is used up: {used_kwh} of {most_kwh} kWh.")
MONEY_GONE = phrase("The money that {whose} may cost in a month is used up: {used_money} of {most_money}.")


def _used_up(whose: Phrase, limits: Limits, used: Use) -> Verdict | None:
    """Why a month's limit refuses."""
    most = limits.energy_wh_month
    if most is not None and used.energy_wh >= most:
        told, all_of = Figure(used.energy_wh / 1000, 2), Figure(most / 1000, 2)
        return Verdict(A.NO_CREDIT, ENERGY_GONE.filled(whose=whose, used_kwh=told, most_kwh=all_of))
    if limits.money_month is not None and used.money >= limits.money_month:
        told, all_of = Figure(used.money, 2), Figure(limits.money_month, 2)
        return Verdict(A.NO_CREDIT, MONEY_GONE.filled(whose=whose, used_money=told, most_money=all_of))
    return None
