"""Cards, fobs and app tokens, and the one rule that says who may charge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

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


class CardState(StrEnum):
    """Where a card is in its life."""

    ACTIVE = "active"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Card:
    """A card as the rule sees it: never its number."""

    ref: TokenRef
    state: CardState = CardState.ACTIVE
    expires_at: datetime | None = None
    group: str | None = None
    max_sessions: int = 1
    """How many sessions may run on it at once."""


class Authorisation(StrEnum):
    """The outcome of asking whether a token may charge (OCPP 1.6 7.2, 2.0.1 AuthorizationStatusEnumType)."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    CONCURRENT = "concurrent"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision on a token, with its reason in words for support."""

    status: Authorisation
    reason: str
    expires_at: datetime | None = None

    @property
    def accepted(self) -> bool:
        """Whether energy may flow."""
        return self.status is Authorisation.ACCEPTED


def may_charge(card: Card | None, live_sessions: int, now: datetime) -> Verdict:
    """Decide for Authorize, StartTransaction and TransactionEvent alike; ``live_sessions`` excludes the asking one."""
    if card is None:
        return Verdict(Authorisation.UNKNOWN, "This card is not enrolled here.")
    if card.state is CardState.BLOCKED:
        return Verdict(Authorisation.BLOCKED, "This card is blocked.")
    if card.expires_at is not None and card.expires_at <= now:
        return Verdict(Authorisation.EXPIRED, "This card has expired.", card.expires_at)
    if live_sessions >= card.max_sessions:
        return Verdict(Authorisation.CONCURRENT, "This card already charges elsewhere.", card.expires_at)
    return Verdict(Authorisation.ACCEPTED, "This card is active.", card.expires_at)
