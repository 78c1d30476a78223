"""What an operator should hear of attacks: one line each in the log ``wattkeeper.security``; who listens keeps a row.

A line names the case and the account's or station's id; no name, address, password, code or token is ever in it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from wattkeeper.charging.errors import Code, Refusal

log = logging.getLogger("wattkeeper.security")


class Case(StrEnum):
    """What happened; these names stay as they are, so that they can be searched for."""

    PASSWORDS_GUESSED = "passwords_guessed"
    CODES_GUESSED = "codes_guessed"
    PASSKEY_COPIED = "passkey_copied"
    FOREIGN_FORM = "foreign_form"
    CODE_TWICE = "code_twice"
    REFRESH_TWICE = "refresh_twice"
    LETTERS_FLOOD = "letters_flood"
    PAYMENT_FORGED = "payment_forged"
    PAYMENT_REPLAYED = "payment_replayed"
    PAYMENT_DIFFERS = "payment_differs"
    GLASS_BROKEN = "glass_broken"
    WITNESS_REFUSED = "witness_refused"
    # at the stations' door
    KEY_MISSING = "key_missing"
    KEY_WRONG = "key_wrong"
    KEY_WEAK = "key_weak"
    TWIN = "duplicate_identity"
    PAGE_AS_STATION = "page_as_station"
    DIALECT_UNKNOWN = "dialect_unknown"
    DIALECT_CHANGED = "dialect_changed"
    TLS_FAILED = "tls_failed"
    CROWDED = "too_many_connections"
    NOT_HTTP = "not_http"
    INTRODUCTION_OVERSIZED = "introduction_oversized"
    INTRODUCTION_SLOW = "introduction_slow"
    SPOKE_EARLY = "spoke_early"
    FRAME_OVERSIZED = "frame_oversized"
    FRAME_BROKEN = "frame_broken"
    UNREADABLE = "unreadable_messages"
    STRAY_ANSWERS = "stray_answers"
    PINGS_FLOOD = "pings_flood"
    CALLS_FLOOD = "calls_flood"


OF_STATIONS = frozenset(
    {
        *(Case.KEY_MISSING, Case.KEY_WRONG, Case.KEY_WEAK, Case.TWIN, Case.PAGE_AS_STATION, Case.DIALECT_UNKNOWN),
        *(Case.DIALECT_CHANGED, Case.TLS_FAILED, Case.CROWDED, Case.NOT_HTTP, Case.INTRODUCTION_OVERSIZED),
        *(Case.INTRODUCTION_SLOW, Case.SPOKE_EARLY, Case.FRAME_OVERSIZED, Case.FRAME_BROKEN, Case.UNREADABLE),
        *(Case.STRAY_ANSWERS, Case.PINGS_FLOOD, Case.CALLS_FLOOD),
    }
)
"""Cases whose subject is a station; the others' is an account."""

Ear = Callable[[Case, str, str], None]
"""Hears of an event: the case, the id of an account or a station (or nothing), and the address it came from."""
_ears: list[Ear] = []


@contextmanager
def heard_by(ear: Ear) -> Iterator[None]:
    """Let this one hear of every event within; it must neither wait nor raise."""
    _ears.append(ear)
    try:
        yield
    finally:
        _ears.remove(ear)


def note(case: Case, subject: str = "", place: str = "") -> None:
    """Write one event down; ``subject`` is the id of the account or station, empty where nobody knows which.

    ``place`` is the address it came from: it is in no line, and in a row only as a keyed tag.
    """
    whose = "station" if case in OF_STATIONS else "account"
    log.warning("security event %s, %s %s", case, whose, subject or "-", extra={"event": str(case), whose: subject})
    again(case, subject, place)


def again(case: Case, subject: str = "", place: str = "") -> None:
    """The same once more: counted, not written into the log again."""
    for ear in _ears:
        ear(case, subject, place)


@contextmanager
def judged(case: Case, account: str, *, begins: bool, place: str = "") -> Iterator[None]:
    """Judge a guess within; where it is wrong and ``begins`` the wait, that is noted: once, not for each guess."""
    try:
        yield
    except Refusal as refusal:
        if begins and refusal.code is Code.UNAUTHENTICATED:
            note(case, account, place)
        raise
