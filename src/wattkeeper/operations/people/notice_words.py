"""What our notices to drivers say, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wattkeeper.operations.people.letters import LANGUAGES


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
BLOCK = {
    "en": "If you did not tap it there, block the card under Cards: it takes two taps, and you keep your account.",
    "de": "Haben Sie sie dort nicht hingehalten, sperren Sie die Karte unter Karten: zweimal tippen, Ihr Konto bleibt.",
}
ENGLISH: Mapping[NoticeKind, tuple[str, str]] = {
    NoticeKind.FAR_APART: (
        "Your card was used at two places too far apart",
        "Card {card} was tapped at {station} at {when}, and at about that time at a place too far away to get from one"
        " to the other. It may have been copied. {block}",
    ),
    NoticeKind.IN_USE_TWICE: (
        "Your card was tapped while it charges elsewhere",
        "Card {card} was tapped at {station} at {when} while a session runs on it at another place. {block}",
    ),
    NoticeKind.UNLIKE_ITSELF: (
        "A session unlike your others",
        "Card {card} charged at {station} at {when}, unlike it ever did before. {block}",
    ),
    NoticeKind.QUESTION: (
        "Is this you?",
        "Card {card} was tapped at {station} at {when}. No energy flows before you say yes in the app; your answer"
        " counts for two minutes. If it is not you, say no: the card is blocked at once.",
    ),
}
GERMAN: Mapping[NoticeKind, tuple[str, str]] = {
    NoticeKind.FAR_APART: (
        "Ihre Karte war an zwei Orten, die zu weit auseinander liegen",
        "Karte {card} wurde um {when} an {station} hingehalten, und etwa zur selben Zeit an einem Ort, der zu weit"
        " entfernt ist. Vielleicht wurde sie kopiert. {block}",
    ),
    NoticeKind.IN_USE_TWICE: (
        "Ihre Karte wurde hingehalten, während sie anderswo lädt",
        "Karte {card} wurde um {when} an {station} hingehalten, während an einem anderen Ort ein Ladevorgang mit ihr"
        " läuft. {block}",
    ),
    NoticeKind.UNLIKE_ITSELF: (
        "Ein Ladevorgang, der nicht zu den anderen passt",
        "Mit Karte {card} wurde um {when} an {station} geladen, anders als je zuvor. {block}",
    ),
    NoticeKind.QUESTION: (
        "Sind Sie das?",
        "Karte {card} wurde um {when} an {station} hingehalten. Es fließt keine Energie, bevor Sie in der App Ja sagen;"
        " Ihre Antwort zählt zwei Minuten lang. Sind Sie es nicht, sagen Sie Nein: Die Karte wird sofort gesperrt.",
    ),
}


def said(kind: str, language: str, words: Mapping[str, str]) -> Said:
    """A notice in words; one of a kind that nobody knows any more says what it says."""
    spoken = language if language in LANGUAGES else "en"
    if kind not in KNOWN:
        return Said(words.get("title", ""), words.get("text", ""))
    title, text = (GERMAN if spoken == "de" else ENGLISH)[NoticeKind(kind)]
    known = {"card": "", "station": "", "when": "", **words}
    return Said(title, text.format(**known, block=BLOCK[spoken]))
