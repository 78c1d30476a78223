"""What was kept in English is told anew: our sentences in the reader's language, names and typed words as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from wattkeeper.charging.phrase import Phrase
from wattkeeper.language import SPOKEN, retold, tell
from wattkeeper.language.kept import all_patterns

AGAIN = (
    ("This card is blocked.", "Diese Karte ist gesperrt."),
    (
        "This card is blocked. The station let it charge without asking, and told of it later.",
        "Diese Karte ist gesperrt. Die Station ließ sie laden, ohne zu fragen, und meldete es später.",
    ),
    (
        "The limits of cards that can be copied allow other hours only; it is Monday 18:05.",
        "Die Limits kopierbarer Karten erlauben nur andere Zeiten; es ist Montag, 18:05 Uhr.",
    ),
    (
        "The energy that its group may have in a month is used up: 5.00 of 5.00 kWh.",
        "Die Energie ihrer Gruppe für diesen Monat ist aufgebraucht: 5,00 von 5,00 kWh.",
    ),
    (
        "Tapped at CP1, and 7 minutes earlier 412 km away at Free. Support decides whether it was copied.",
        "Hingehalten an CP1 und 7 Minuten vorher 412 km entfernt an Free."
        " Ob sie kopiert wurde, entscheidet der Support.",
    ),
    (
        "Session K7QM-4XRD-T ran at an unusual time of the week, with far more energy than ever, by its 31 sessions"
        " before.",
        "Der Ladevorgang K7QM-4XRD-T lief zu ungewöhnlicher Zeit in der Woche, mit weit mehr Energie als je zuvor,"
        " verglichen mit den 31 Ladevorgängen davor.",
    ),
    ("Nothing was heard of it for 4 h.", "4 h lang war nichts von ihm zu hören."),
    ("Group: People.", "Gruppe: People."),
)
AS_THEY_ARE = (
    "Accepted",
    "Free",
    "The customer called and asked for it.",
    "Blocked by hand. Customer called.",
    "",
    ". . . . . . . .",
    "A. " * 300 + "B.",
    "{0} {price}.",
)


@pytest.fixture(autouse=True)
def _in_german() -> Iterator[None]:
    token = SPOKEN.set("de")
    yield
    SPOKEN.reset(token)


@pytest.mark.parametrize(("kept", "german"), AGAIN)
def test_what_was_kept_is_told_anew(kept: str, german: str) -> None:
    assert tell(retold(kept)) == german
    assert retold(kept) == kept, "it is the same sentence"


@pytest.mark.parametrize("text", AS_THEY_ARE)
def test_what_is_not_ours_stays_as_it_is(text: str) -> None:
    assert tell(retold(text)) == text


def test_in_english_nothing_is_looked_up() -> None:
    SPOKEN.set("en")
    assert type(retold("This card is blocked.")) is str


def test_every_sentence_is_known_again() -> None:
    sentences = [one for one in all_patterns() if re.match(r"[A-Z].{8,}\.$", one.pattern) and tell(one) != one]
    assert len(sentences) > 300
    for one in sentences:
        kept = filled(one)
        assert tell(retold(str(kept))) == tell(kept), one.pattern


def filled(one: Phrase) -> Phrase:
    """A phrase with a number in each gap."""
    gaps = re.findall(r"\{(\w+)\}", one.pattern + one.many)
    return one.filled(**{gap: 12 + place for place, gap in enumerate(dict.fromkeys(gaps))})
