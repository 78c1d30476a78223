"""What our notices to drivers say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wattkeeper.charging.phrase import Phrase, phrase


class NoticeKind(StrEnum):
    """What a notice is about; its words name ``card``, ``station`` and ``when``."""

    FAR_APART = "far_apart"
    IN_USE_TWICE = "in_use_twice"
    UNLIKE_ITSELF = "unlike_itself"
    QUESTION = "question"
    """Is this you? An answer counts for two minutes."""


@dataclass(frozen=True, slots=True)
class Said:
    """A notice in words."""

    title: str
    text: str


KNOWN = frozenset(kind.value for kind in NoticeKind)
BLOCK = phrase("If you did not tap it there, block the card under Cards: it takes two taps, and you keep your account.")
NOTICES: Mapping[NoticeKind, tuple[Phrase, Phrase]] = {
    NoticeKind.FAR_APART: (
        phrase("Your card was used at two places too far apart"),
        phrase(
            "Card {card} was tapped at {station} at {when}, and at about that time at a place too far away to get "
            "from one to the other. It may have been copied. {block}"
        ),
    ),
    NoticeKind.IN_USE_TWICE: (
        phrase("Your card was tapped while it charges elsewhere"),
        phrase("Card {card} was tapped at {station} at {when} while a session runs on it at another place. {block}"),
    ),
    NoticeKind.UNLIKE_ITSELF: (
        phrase("A session unlike your others"),
        phrase("Card {card} charged at {station} at {when}, unlike it ever did before. {block}"),
    ),
    NoticeKind.QUESTION: (
        phrase("Is this you?"),
        phrase(
            "Card {card} was tapped at {station} at {when}. No energy flows before you say yes in the app; your answer "
            "counts for two minutes. If it is not you, say no: the card is blocked at once."
        ),
    ),
}


def said(kind: str, words: Mapping[str, str]) -> Said:
    """A notice in words; one of a kind that nobody knows any more says what it says."""
    if kind not in KNOWN:
        return Said(words.get("title", ""), words.get("text", ""))
    title, text = NOTICES[NoticeKind(kind)]
    return Said(title, text.filled(**{"card": "", "station": "", "when": "", **words, "block": BLOCK}))
