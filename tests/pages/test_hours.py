"""Hours of the week, and nothing at all, are typed and read back in whichever language the page is read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wattkeeper.charging.cards.limits import Limits
from wattkeeper.charging.errors import Refusal
from wattkeeper.language import SPOKEN, chosen, tell
from wattkeeper.web.operator.cards.limits import in_words, limits_of, typed
from wattkeeper.web.operator.hours import read_hours, say_hours


@pytest.fixture(params=["en", "de"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    """The language spoken while a test runs."""
    token = SPOKEN.set(chosen(request.param))
    yield request.param
    SPOKEN.reset(token)


TEXTS = {
    "en": ("mon-fri 08:00-18:00, sat 09:00-12:00", "never", "none"),
    "de": ("mo-fr 08:00-18:00, sa 09:00-12:00", "nie", "keine"),
}


def test_what_was_typed_is_read_back_in_the_same_words(language: str) -> None:
    hours, never, none = TEXTS[language]
    assert say_hours(read_hours(hours)) == hours
    assert (read_hours(never), say_hours(())) == ((), never)
    form = {"sites": none, "plugs": "IEC_62196_T2", "hours": hours}
    assert {name: tell(text) for name, text in typed(limits_of(form)).items() if text} == form


def test_the_words_of_any_language_are_understood(language: str) -> None:
    for hours, never, none in TEXTS.values():
        assert read_hours(hours) == read_hours(TEXTS[language][0])
        assert read_hours(never.title()) == ()
        assert limits_of({"plugs": none}).plugs == frozenset()
    with pytest.raises(Refusal):
        read_hours("xy-fr 08:00-18:00")


def test_limits_read_as_a_sentence_of_the_language(language: str) -> None:
    limits = limits_of({"kwh": "1250,5", "hours": TEXTS[language][0], "sites": "Linz"})
    says = {
        "en": "Up to 1\N{NARROW NO-BREAK SPACE}250.50 kWh a month; only at Linz; only mon-fri 08:00-18:00, ",
        "de": "Bis 1.250,50 kWh im Monat; nur an Linz; nur mo-fr 08:00-18:00, ",
    }
    assert in_words(limits).startswith(says[language])
    assert in_words(Limits()) == ""
