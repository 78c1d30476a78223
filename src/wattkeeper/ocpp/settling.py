"""What a station's answer to a command means (1.6 chapter 6; 2.0.1 the status members of the responses)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from wattkeeper.charging.orders import Decline, Outcome, Settlement
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.station import Version
from wattkeeper.ocpp.schemas import shape
from wattkeeper.ocpp.wire.members import LONGEST_SUMMARY
from wattkeeper.ocpp.wire.notes import Notes
from wattkeeper.ocpp.wire.shape import Kind, Shape
from wattkeeper.ocpp.wire.text import MASK, clean, could_hold_card, fold

_DONE: Final = frozenset({"accepted", "unlocked", "scheduled", "rebootrequired", "acceptedcanceled"})
"""The words by which a station says that it did, or will do, what was asked."""

_DECLINES: Final[Mapping[str, Decline]] = {
    "versionmismatch": Decline.MISMATCH,
    "notsupported": Decline.UNSUPPORTED,
    "notimplemented": Decline.UNSUPPORTED,
}
"""What decides on the next step, of status words and of CALLERROR codes."""

_LONGEST_VALUE: Final = 10_000
_SHORTEST_CARD: Final = 6


def settled(version: Version, action: str, payload: Mapping[str, object], tokens: Iterable[str]) -> Settlement:
    """The outcome and the answer in the station's words; card numbers that we sent are masked where it repeats them."""
    finder = _finder(tokens)
    words = _safe(payload, finder)
    assert isinstance(words, dict)
    said = _statuses(shape(version, action, "response"), payload)
    if said is None:
        return Settlement(Outcome.ACCEPTED, words, "Answered")
    if not said:
        return Settlement(Outcome.REJECTED, words, phrase("The answer had no status."))
    done = all(fold(status) in _DONE for status in said)
    summary = _line(str(_safe(", ".join(dict.fromkeys(said)), finder)), phrase("The answer's status is no word."))
    declines = [_DECLINES[fold(status)] for status in said if fold(status) in _DECLINES]
    decline = declines[0] if declines else None
    return Settlement(Outcome.ACCEPTED if done else Outcome.REJECTED, words, summary, decline)


def refused(code: str, description: str, details: object, tokens: Iterable[str]) -> Settlement:
    """The outcome of a command that the station answered with CALLERROR."""
    words = _safe({"code": code, "description": description, "details": details or {}}, _finder(tokens))
    assert isinstance(words, dict)
    named = _line(str(words["code"]), "CALLERROR") or "CALLERROR"
    summary = ": ".join(part for part in (named, str(words["description"])) if part)
    return Settlement(Outcome.ERROR, words, _line(summary, named), _DECLINES.get(fold(code)))


def _line(text: str, otherwise: str) -> str:
    """A line that is kept in the clear; something else where a card number or a key could hide in it."""
    return otherwise if could_hold_card(text) else text[:LONGEST_SUMMARY]


def _statuses(expected: Shape, payload: Mapping[str, object]) -> list[str] | None:
    """The status words of an answer, its own or those of its results; None where the standard gives it none."""
    own = expected.members.get("status")
    if own is not None and own.kind is Kind.WORD:
        return _texts([payload.get("status")])
    for name, member in expected.members.items():
        if member.kind is Kind.ARRAY and member.item is not None:
            found = [word for word in member.item.members if word in {"status", "attributeStatus"}]
            if found:
                results = payload.get(name)
                entries = results if isinstance(results, list) else []
                return _texts([entry.get(found[0]) for entry in entries if isinstance(entry, Mapping)])
    return None


def _texts(values: list[object]) -> list[str]:
    return [value for value in values if isinstance(value, str) and value]


def _finder(tokens: Iterable[str]) -> re.Pattern[str] | None:
    """What finds our card numbers in a text, whatever their case; shorter ones would be found in any word."""
    found = sorted({token for token in tokens if len(token) >= _SHORTEST_CARD}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, found)), re.IGNORECASE) if found else None


def _safe(value: object, tokens: re.Pattern[str] | None) -> object:
    """Any JSON value with its texts printable and free of the card numbers we sent; as deep as frames may be."""
    if isinstance(value, str):
        text = clean(value, Notes(), _LONGEST_VALUE)
        return text if tokens is None else tokens.sub(MASK, text)
    if isinstance(value, Mapping):
        return {str(_safe(str(name), tokens)): _safe(inner, tokens) for name, inner in value.items()}
    if isinstance(value, list):
        return [_safe(inner, tokens) for inner in value]
    return value
