"""What the signed meter values of a session came to, once they were checked; kept in the journal as it was decided."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from wattkeeper.charging.meter import Finding
from wattkeeper.charging.phrase import Phrase, phrase


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record whose signature holds, so that it is known again where it is told another time."""

    page: str
    """Its pagination: ``T17``."""
    mark: str
    """A keyed mark of what was signed: the same for the same bytes, and it says nothing of them."""
    n: int
    """The journal entry that brought it."""


class Ruling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a session's energy is proven by its meter's signature, and what speaks against it."""

    is_verified: bool = False
    """Beginning and end are signed by the pinned meter, fit together and fit the session."""
    serial: str = ""
    """The meter whose key was pinned; empty: none was."""
    key: str = ""
    """The mark of the key that was pinned."""
    begin_wh: Decimal | None = None
    end_wh: Decimal | None = None
    """The signed registers at beginning and end, where they hold."""
    pages: tuple[str, ...] = ()
    """The records at beginning and end."""
    findings: tuple[Finding, ...] = ()
    seen: tuple[Seen, ...] = ()
    offered: tuple[str, ...] = ()
    """Public keys that came with the values, hexadecimal: for people to compare, never to check with."""


class Why(StrEnum):
    """Why something is not proven, or does not fit."""

    NO_KEY = "no_key"
    NOTHING = "nothing"
    FORM = "form"
    CURVE = "curve"
    NO_BEGIN = "no_begin"
    NO_END = "no_end"
    CLOCK = "clock"
    NO_ENERGY = "no_energy"
    TWO_BEGINS = "two_begins"
    TWO_ENDS = "two_ends"
    PAGES = "pages"
    TIMES = "times"
    FALLEN = "fallen"
    OTHER_METER = "other_meter"
    OFFERED_KEY = "offered_key"
    NAMES_OTHER = "names_other"


W = Why
WORDS: Mapping[Why, Phrase] = {
    W.NO_KEY: phrase("No key of its meter is pinned, so nothing could be checked."),
    W.NOTHING: phrase("The station told nothing that is signed."),
    W.FORM: phrase("They are in a form that cannot be checked here."),
    W.CURVE: phrase("They are signed in a way that cannot be checked here ({what})."),
    W.NO_BEGIN: phrase("The beginning is not signed."),
    W.NO_END: phrase("The end is not signed."),
    W.CLOCK: phrase("The clock of the meter was not set, so it is not proven when it signed."),
    W.NO_ENERGY: phrase("No energy register is signed at beginning and end."),
    W.TWO_BEGINS: phrase("Two different beginnings are signed."),
    W.TWO_ENDS: phrase("Two different ends are signed."),
    W.PAGES: phrase("The record of the end was made before that of the beginning ({what})."),
    W.TIMES: phrase("The end is signed for an earlier time than the beginning."),
    W.FALLEN: phrase("The register is lower at the end than at the beginning."),
    W.OTHER_METER: phrase("It is signed by meter {what}."),
    W.OFFERED_KEY: phrase("Its signature holds only under a key that the message itself brought."),
    W.NAMES_OTHER: phrase("It names the meter {what}."),
}


def told(why: Why, what: str = "") -> str:
    """A reason as it is kept among the figures of a finding."""
    return f"{why.value} {what}".strip()


def why(kept: str) -> str:
    """A kept reason in words; as it stands where it is none of ours."""
    code, _, what = kept.partition(" ")
    return WORDS[Why(code)].filled(what=what) if code in {*Why} else kept
