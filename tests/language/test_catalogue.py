"""Everything that is said has its German, with the same gaps; and a phrase is told whole in one language."""

from __future__ import annotations

import pickle
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_datetime
from markupsafe import Markup

from wattkeeper.charging.phrase import Dated, Figure, Money, Phrase, counted, joined, phrase
from wattkeeper.language import DEFAULT, LANGUAGES, chosen, gather, tell_in
from wattkeeper.language.catalogue import forms_of, name_of

GAPS = re.compile(r"\{(\w+)[^}]*\}")
OTHERS = [one for one in LANGUAGES if one != DEFAULT]


@pytest.mark.parametrize("language", OTHERS)
def test_every_phrase_has_a_translation_with_the_same_gaps(language: str) -> None:
    told = gather.translations(language)
    said = [message for room in gather.gathered().values() for message in room]
    assert len(said) > 100
    missing = [name_of(one) for one in said if not all(forms_of(told.get(name_of(one))))]
    assert missing == []
    for message in said:
        expected = set(GAPS.findall(" ".join(forms_of(message))))
        for form in forms_of(told[name_of(message)]):
            assert set(GAPS.findall(form)) <= expected, form
        assert set(GAPS.findall(" ".join(forms_of(told[name_of(message)])))) == expected, message


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogues_are_as_gathered(language: str) -> None:
    told = gather.translations(language)
    for room, said in gather.gathered().items():
        assert gather.file_of(language, room).read_bytes() == gather.written(language, said, told), (
            f"run: python -m wattkeeper.language.gather ({room})"
        )


def test_a_phrase_is_told_whole_in_one_language() -> None:
    inner = phrase("just now")
    said = joined((phrase("{day} {clock}", day=phrase("yesterday"), clock="18:05"), inner))
    assert said == "yesterday 18:05 just now"
    assert tell_in("de", said) == "gestern 18:05 gerade eben"
    assert tell_in("fr", said) == said
    assert pickle.loads(pickle.dumps(inner)).pattern == inner.pattern


def test_figures_are_written_as_the_language_writes_them() -> None:
    energy = Figure(Decimal("12345.678"), 2, "kWh")
    assert energy == "12\N{NARROW NO-BREAK SPACE}345.68 kWh"
    assert tell_in("de", energy) == "12.345,68 kWh"
    assert Figure(Decimal("0.005"), 2) == "0.00"


SHAPES = (phrase("MMMM y"), phrase("d MMM y"), phrase("EEEE d MMM HH:mm"))
"""How dates are written that phrases hold."""


@pytest.mark.parametrize("shape", SHAPES)
def test_days_of_all_months_are_written_in_english_as_babel_writes_them(shape: Phrase) -> None:
    for at in (datetime(2026, 1, 1, 7, 5) + timedelta(days=n, minutes=n) for n in range(366)):
        said = Dated(at, shape)
        assert said == format_datetime(at, str(shape), locale="en") == tell_in("en", said)
        assert tell_in("de", said) == format_datetime(at, str(tell_in("de", shape)), locale="de")


def test_an_instant_is_told_by_its_own_clock() -> None:
    at = datetime(2026, 10, 29, 18, tzinfo=ZoneInfo("Europe/Vienna"))
    said = phrase("since {day}", day=Dated(at, SHAPES[2]))
    assert said == "since Thursday 29 Oct 18:00"
    assert tell_in("de", said.given["day"]) == "Donnerstag, 29. Okt., 18:00"
    assert tell_in("de", Dated(date(2026, 3, 1), SHAPES[0])) == "März 2026"
    assert pickle.loads(pickle.dumps(said)).given["day"].at == at


AMOUNTS = (
    ("4.2", "EUR", 2, "€4.20", "4,20 €"),
    ("-1234.5", "EUR", 2, "-€1,234.50", "-1.234,50 €"),
    ("0.4567", "USD", 4, "$0.4567", "0,4567 $"),
    ("4.2", "CHF", 2, "CHF 4.20", "4,20 CHF"),
    ("1200", "JPY", 0, "JPY 1,200", "1.200 JPY"),
)


@pytest.mark.parametrize(("amount", "currency", "places", "english", "german"), AMOUNTS)
def test_money_is_written_as_the_language_writes_it(
    amount: str, currency: str, places: int, english: str, german: str
) -> None:
    money = pickle.loads(pickle.dumps(Money(Decimal(amount), currency, places)))
    assert [money, tell_in("en", money)] == [english.replace(" ", "\N{NO-BREAK SPACE}")] * 2
    assert tell_in("de", phrase("{cost}", cost=money)) == german.replace(" ", "\N{NO-BREAK SPACE}")


def test_counts_choose_their_form() -> None:
    cars = [counted("{count} car", "{count} cars", count) for count in (0, 1, 2)]
    assert cars == ["0 cars", "1 car", "2 cars"]


def test_what_fills_a_phrase_is_escaped_unless_it_is_markup() -> None:
    said = phrase("{day} {clock}", day="<b>", clock=Markup("<time>18:05</time>"))
    assert tell_in("de", said) == Markup("&lt;b&gt; <time>18:05</time>")


@pytest.mark.parametrize(
    ("wanted", "language"), [("de-AT", "de"), ("DE", "de"), ("fr", "en"), ("", "en"), (None, "en"), ("en-GB", "en")]
)
def test_the_first_language_that_we_speak_is_chosen(wanted: str | None, language: str) -> None:
    assert chosen(wanted) == language
