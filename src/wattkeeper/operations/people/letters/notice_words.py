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
    MONTHLY_INVOICE = "monthly_invoice"
    """Its words name ``number``, ``month``, ``amount`` and ``due``."""
    RUNNING_OUT = "running_out"
    """Its words name ``station`` and ``balance``."""
    PAYMENT_DECLINED = "payment_declined"
    """Its words name ``station`` and ``amount``."""
    GLASS_BROKEN = "glass_broken"
    """Its words name ``mark``, of whoever looked."""
    GLASS_REVIEW = "glass_review"
    """To owners and privacy officers; its words name ``mark``."""


@dataclass(frozen=True, slots=True)
class Said:
    """A notice in words."""

    title: str
    text: str


KNOWN = frozenset(kind.value for kind in NoticeKind)
GAPS = ("card", "station", "when", "number", "month", "amount", "due", "balance", "mark")
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
    NoticeKind.MONTHLY_INVOICE: (
        phrase("Your invoice for {month}"),
        phrase(
            "For {month} you are asked to pay {amount} until {due}, by bank transfer with the number {number}. What it "
            "is for stands under Me, where it says how you pay."
        ),
    ),
    NoticeKind.RUNNING_OUT: (
        phrase("Your prepaid balance is used up"),
        phrase(
            "What charges at {station} has used up your balance of {balance}. It goes on; what it costs beyond that is "
            "taken from your next top-up, and nothing new starts before."
        ),
    ),
    NoticeKind.PAYMENT_DECLINED: (
        phrase("Your bank card was declined"),
        phrase(
            "Your bank card was declined for {amount} at {station}. Leave another card under Me, where it says how you "
            "pay, then try again there. Until it is paid nothing new starts."
        ),
    ),
    NoticeKind.GLASS_BROKEN: (
        phrase("Your data was opened in an emergency"),
        phrase(
            "Somebody of support ({mark}), who may not see who you are otherwise, has just opened your data and gave "
            "an emergency as the reason. A second person reviews it. What they saw and why stands under Me, in your "
            "privacy."
        ),
    ),
    NoticeKind.GLASS_REVIEW: (
        phrase("A driver's data was opened in an emergency"),
        phrase(
            "Somebody of support ({mark}) opened a driver's data without the right to it, and gave an emergency as the "
            "reason. The driver was told. Review it on the page of drivers."
        ),
    ),
}


def said(kind: str, words: Mapping[str, str]) -> Said:
    """A notice in words; one of a kind that nobody knows any more says what it says."""
    if kind not in KNOWN:
        return Said(words.get("title", ""), words.get("text", ""))
    title, text = NOTICES[NoticeKind(kind)]
    given = {**dict.fromkeys(GAPS, ""), **words, "block": BLOCK}
    return Said(title.filled(**given), text.filled(**given))
