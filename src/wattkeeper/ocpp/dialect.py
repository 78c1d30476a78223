"""The four verbs that every OCPP version implements, and the values they pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from wattkeeper.charging.answer import Answer
from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.facts import Fact
from wattkeeper.charging.orders import Order, Settlement
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.station import Version


class ErrorCode(StrEnum):
    """CALLERROR codes as we mean them; each version spells them (1.6-J 4.2.3: OccurenceConstraintViolation, one r)."""

    FORMAT_VIOLATION = "FormatViolation"
    RPC_FRAMEWORK = "RpcFrameworkError"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL = "InternalError"
    PROTOCOL = "ProtocolError"
    SECURITY = "SecurityError"
    OCCURRENCE = "OccurrenceConstraintViolation"
    PROPERTY = "PropertyConstraintViolation"
    TYPE = "TypeConstraintViolation"
    GENERIC = "GenericError"
    MESSAGE_TYPE = "MessageTypeNotSupported"


MISMATCH = phrase("Protocol mismatch: {action} is OCPP {other}, this link speaks OCPP {version}.")


class Unreadable(Exception):  # noqa: N818 - an answer to the station, not a fault of ours
    """A call that cannot be read at all: the CALLERROR to answer with."""

    def __init__(self, code: ErrorCode, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class Heard:
    """A call, understood: the fact, and the station's words for the record."""

    fact: Fact
    words: Mapping[str, object]
    """The payload with every token member masked and every free text taken out: safe to keep in the clear."""
    hidden: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What was taken out (path to value), except tokens: kept only sealed."""
    token: Presented | None = None
    """The token that was presented, in the clear: for the vault, never for keeping."""


class Dialect(Protocol):
    """One OCPP version. All verbs are pure; `read` raises `Unreadable`, the others never raise on valid input."""

    version: Version

    def read(self, action: str, payload: object) -> Heard:
        """Understand a call of the station's."""

    def reply(self, action: str, answer: Answer) -> dict[str, object]:
        """The CALLRESULT payload for a call that was recorded."""

    def write(self, order: Order) -> tuple[str, dict[str, object]]:
        """The action and payload of an order; raises `charging.errors.Refusal` where that cannot be said.

        INVALID where this version has no such command or the payload breaks its schema, NOT_FOUND where no central
        system has a command of that name.
        """

    def settle(self, order: Order, action: str, payload: Mapping[str, object]) -> Settlement:
        """What the station's CALLRESULT to an order means."""

    def redact(self, action: str, payload: Mapping[str, object]) -> dict[str, object]:
        """A command's payload with tokens, keys and free texts masked: safe to keep and show."""
