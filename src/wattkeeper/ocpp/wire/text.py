"""Texts from the wire made safe to keep: no control or direction-changing characters, bounded, no card numbers."""

from __future__ import annotations

import re

from wattkeeper.charging.deviation import Deviation
from wattkeeper.ocpp.wire.notes import Notes

MASK = "•••"
"""What stands in the words in place of something that must not be read there."""

LONGEST = 255
"""How much of an over-long text is kept, characters."""

_HEX_RUN = re.compile(r"(?:[0-9A-Fa-f][ :._-]?){8}")
_MIXED_RUN = re.compile(r"[0-9A-Za-z]{8,}")
_WORD = re.compile(r"[A-Za-z][A-Za-z ._/-]{0,39}[0-9]{0,2}")


def clean(text: str, notes: Notes, longest: int = LONGEST) -> str:
    """The text without unprintable characters (Unicode categories C* and odd spaces), at most `longest` long."""
    if len(text) > longest:
        notes.add(Deviation.LONG_TEXT)
        text = text[:longest]
    if text.isascii() and text.isprintable():
        return text
    return _printable(text, notes)


def clean_token(text: str, notes: Notes, longest: int) -> str:
    """A card number by its allow-list (1.6 CiString20, 2.x identifierString): printable ASCII without outer spaces."""
    kept = "".join(c for c in text[: longest * 4] if " " <= c <= "~").strip()
    if kept != text.strip(" "):
        notes.add(Deviation.ODD_CHARACTERS)
    if len(kept) > longest:
        notes.add(Deviation.LONG_CARD)
    return kept[:longest]


def could_hold_card(text: str) -> bool:
    """Whether a card number could hide in a text: eight hex digits on end (separators aside), or mixed ones."""
    if len(text) < 8:
        return False
    if _HEX_RUN.search(text):
        return True
    return any(sum(c.isdigit() for c in run) >= 2 for run in _MIXED_RUN.findall(text))


def is_word(text: str) -> bool:
    """Whether a text can pass for a word of some standard: letters, a few separators, at most two digits at the end."""
    return _WORD.fullmatch(text) is not None and not could_hold_card(text)


def fold(text: str) -> str:
    """A word without case and punctuation, to compare by."""
    return text.strip().lower().translate(_PUNCTUATION)


_PUNCTUATION = str.maketrans("", "", " ._-")


def _printable(text: str, notes: Notes) -> str:
    kept = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in text)
    if kept != text:
        notes.add(Deviation.ODD_CHARACTERS)
    return kept
