"""Consent (GDPR Article 7): what people are asked for beyond what they are served by, in plain words.

Nothing that charging, billing or safety needs is here: that rests on the contract or the law, and nobody is asked.
A text that says something else gets another version; what was agreed to before counts from `Text.counts_from` on only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wattkeeper.charging.phrase import Phrase, phrase


class Consented(StrEnum):
    """What a person may agree to; these names stay as they are, for the ledger holds them."""

    INSIGHT = "insight"
    """Their sessions count in anonymous statistics that leave the house."""
    NEWS = "news"
    """Letters about what is new here, which they did not ask for one by one."""


class Door(StrEnum):
    """Through which a person said so."""

    PAGE = "page"
    """The driver's pages."""
    API = "api"
    """An app of theirs, or the API."""


@dataclass(frozen=True, slots=True)
class Text:
    """What is asked, as it is read before somebody agrees."""

    version: int
    title: Phrase
    words: Phrase
    counts_from: int = 1
    """The oldest version that asks for no less than this one: who agreed to an older one is asked again."""


TEXTS: Mapping[Consented, Text] = {
    Consented.INSIGHT: Text(
        1,
        phrase("Count my sessions in anonymous statistics"),
        phrase(
            "How much is charged where and when helps to plan stations and the grid. If you agree, your sessions count "
            "in such totals when they are published. Only totals leave: of at least ten drivers, with at most four of "
            "your sessions a week in them, and with noise added so that nobody can find out whether you are among "
            "them. Nothing about you alone is handed on. If you do not agree, nothing changes for you."
        ),
    ),
    Consented.NEWS: Text(
        1,
        phrase("Write to me about what is new"),
        phrase(
            "If you agree, whoever runs these stations may write to your e-mail address about new stations, prices and "
            "offers. Letters that you need, such as about your account or a receipt that you asked for, come anyway. "
            "Your address is handed to nobody else for it."
        ),
    ),
}
"""The newest text of each; those before stand in the table of texts, in the languages they were read in."""


def counts(purpose: Consented, version: int) -> bool:
    """Whether agreement to this version of the text covers what is done now."""
    return version >= TEXTS[purpose].counts_from
