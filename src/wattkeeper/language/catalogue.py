"""The catalogue: a phrase's pattern in another language, and the phrase told in it with that language's figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from babel import Locale
from babel.dates import format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from wattkeeper.charging.phrase import Dated, Figure, Joined, Money, Phrase

HOME = Path(__file__).parent
Message = str | list[str] | tuple[str, ...]
"""A pattern, or one for one and one for many."""
DEFAULT = "en"
"""The language that phrases are written in."""
NAMES = {"en": "English", "de": "Deutsch"}
"""The languages that everything is told in, each called by its own name."""
LANGUAGES = tuple(NAMES)
AMOUNT = "#,##0.00"
"""Where the number stands in the way a language writes money (Unicode TR 35)."""
SPOKEN: ContextVar[str] = ContextVar("spoken", default=DEFAULT)
"""The language that whoever waits for the current answer reads."""


class Catalogue(Protocol):
    """Patterns in one language."""

    @property
    def locale(self) -> Locale:
        """How numbers and dates are written."""

    def pattern(self, said: Phrase) -> str:
        """The pattern for a phrase; its English where the catalogue has none."""


@dataclass(frozen=True, slots=True)
class English:
    """What phrases are written in."""

    locale: Locale = Locale("en")

    def pattern(self, said: Phrase) -> str:
        """As it is written."""
        return said.many if said.many and said.number != 1 else said.pattern


@dataclass(frozen=True, slots=True)
class Translated:
    """A language with a catalogue of its own (gettext PO)."""

    locale: Locale
    patterns: Mapping[str, tuple[str, ...]]
    """By English pattern: the forms for one and for many, or the only one."""

    def pattern(self, said: Phrase) -> str:
        """The form that the count asks for."""
        forms = self.patterns.get(said.pattern)
        if forms is None:
            return English().pattern(said)
        return forms[-1] if said.number != 1 else forms[0]


CATALOGUES: dict[str, Catalogue] = {DEFAULT: English()}
"""The catalogues by language, those that were spoken so far."""


def catalogue(language: str) -> Catalogue:
    """The catalogue of a language; English where there is none."""
    known = language if language in NAMES else DEFAULT
    if known not in CATALOGUES:
        CATALOGUES[known] = _read(known)
    return CATALOGUES[known]


def _read(language: str) -> Catalogue:
    """A catalogue from its files."""
    patterns: dict[str, tuple[str, ...]] = {}
    for path in sorted((HOME / language).glob("*.po")):
        patterns |= _patterns(path, language)
    return Translated(Locale(language), patterns)


def _patterns(path: Path, language: str) -> dict[str, tuple[str, ...]]:
    """What one file of a catalogue says (one for each room that speaks)."""
    with path.open("rb") as file:
        told = [message for message in read_po(file, locale=language) if message.id and not message.fuzzy]
    forms = {name_of(one.id): forms_of(one.string) for one in told}
    return {name: form for name, form in forms.items() if all(form)}


def name_of(message: Message) -> str:
    """What a message is known by: its pattern for one."""
    return message if isinstance(message, str) else message[0]


def forms_of(message: Message | None) -> tuple[str, ...]:
    """The forms of a message, for one and for many, or its only one; an empty one where there is none."""
    return (message or "",) if isinstance(message, str | None) else tuple(message)


def spoken() -> str:
    """The language that whoever waits for the current answer reads."""
    return SPOKEN.get()


def locale() -> Locale:
    """How whoever waits for the current answer writes numbers and dates."""
    return catalogue(SPOKEN.get()).locale


def chosen(*wanted: str | None) -> str:
    """The first of these that everything is told in (``de``, ``de-AT``), else English."""
    short = (one[:2].lower() for one in wanted if one)
    return next((one for one in short if one in NAMES), DEFAULT)


def tell(said: object) -> object:
    """A phrase in the language spoken now; anything else as it is. Markup among what fills it stays markup."""
    return tell_in(SPOKEN.get(), said)


def tell_in(language: str, said: object) -> object:
    """A phrase in a language; anything else as it is."""
    teller = TELLERS.get(type(said))
    return said if teller is None else teller(catalogue(language), language, said)


def means(text: str, said: Phrase) -> bool:
    """Whether what somebody typed is this word, in any language that we speak."""
    return text.strip().casefold() in {str(tell_in(language, said)).casefold() for language in LANGUAGES}


def _phrase(known: Catalogue, language: str, said: Phrase) -> str:
    """A phrase: its pattern, filled."""
    pattern = known.pattern(said)
    if not said.given:
        return pattern
    given = {name: tell_in(language, value) for name, value in said.given.items()}
    if any(hasattr(value, "__html__") for value in given.values()):
        return Markup(escape(pattern)).format(**given)
    return pattern.format(**given)


def _figure(known: Catalogue, language: str, said: Figure) -> str:
    """A number with the language's signs."""
    if language == DEFAULT:
        return str(said)
    text = _number(known, said.value, said.places)
    return f"{text} {said.unit}" if said.unit else text


def _money(known: Catalogue, language: str, said: Money) -> str:
    """An amount with the language's signs, the currency where the language puts it."""
    if language == DEFAULT:
        return str(said)
    shape: str = known.locale.currency_formats["standard"].pattern
    return shape.replace(AMOUNT, _number(known, said.amount, said.places)).replace("¤", said.sign)


def _dated(known: Catalogue, language: str, said: Dated) -> str:
    """A day or an instant with the language's names and order; the clock as it is."""
    if language == DEFAULT:
        return str(said)
    at = said.at if isinstance(said.at, datetime) else datetime.combine(said.at, time())
    return format_datetime(at, known.pattern(said.shape), locale=known.locale)


def _number(known: Catalogue, value: Decimal, places: int) -> str:
    """A number with so many places after the language's point."""
    return format_decimal(value, f"#,##0.{'0' * places}" if places else "#,##0", locale=known.locale)


def _joined(known: Catalogue, language: str, said: Joined) -> str:
    """Sentences one after the other."""
    told: list[Any] = [tell_in(language, part) for part in said.parts]
    between = Markup(escape(said.between)) if any(hasattr(part, "__html__") for part in told) else said.between
    return between.join(told)


TELLERS: Mapping[type, Callable[..., str]] = {
    Phrase: _phrase,
    Figure: _figure,
    Money: _money,
    Dated: _dated,
    Joined: _joined,
}
