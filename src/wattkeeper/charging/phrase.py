"""Sentences that can be told in another language: their English, and what they were made of.

A phrase is a ``str``, its English; whoever tells it to a person looks its pattern up in a catalogue and fills it anew
(`wattkeeper.language`). What is joined with ``+`` or put into an f-string is English for good: use `phrase`, `joined`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal

THIN = "\N{NARROW NO-BREAK SPACE}"
"""Sets thousands apart in English figures."""
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}
"""Currencies (ISO 4217) that are written with a sign of their own."""


class Phrase(str):
    """A sentence or a word in English that knows its pattern and what fills it."""

    pattern: str
    """What the catalogue is asked for: the sentence with its gaps, such as ``Ended {when}.``"""
    many: str
    """The pattern for any count but one; empty where nothing is counted."""
    number: int
    given: Mapping[str, object]
    """What fills the gaps; phrases and figures among it are told in the language of the whole."""

    def __new__(cls, pattern: str, many: str = "", count: int = 1, given: Mapping[str, object] | None = None) -> Phrase:
        """A phrase of its pattern and what fills it."""
        filled = pattern if count == 1 or not many else many
        made = super().__new__(cls, filled.format(**given) if given else filled)
        made.pattern, made.many, made.number, made.given = pattern, many, count, given or {}
        return made

    def filled(self, **given: object) -> Phrase:
        """The same phrase with its gaps filled."""
        return Phrase(self.pattern, self.many, self.number, {**self.given, **given})

    def __reduce__(self) -> tuple[object, ...]:
        """Copies know it too."""
        return (Phrase, (self.pattern, self.many, self.number, self.given))


class Figure(str):
    """A number as English pages write it, that other languages write with other signs."""

    value: Decimal
    places: int
    unit: str

    def __new__(cls, value: Decimal, places: int, unit: str = "") -> Figure:
        """A number with so many places after the point, and its unit if any."""
        rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
        text = f"{rounded:,f}".replace(",", THIN)
        made = super().__new__(cls, f"{text} {unit}" if unit else text)
        made.value, made.places, made.unit = rounded, places, unit
        return made

    def __reduce__(self) -> tuple[object, ...]:
        """Copies know it too."""
        return (Figure, (self.value, self.places, self.unit))


class Money(str):
    """An amount of money as English pages write it: ``€4.20``, ``CHF 4.20``; other languages put the sign elsewhere."""

    amount: Decimal
    """Major units, as rounded to be shown."""
    currency: str
    places: int

    def __new__(cls, amount: Decimal, currency: str, places: int) -> Money:
        """An amount of a currency (ISO 4217) with so many places after the point."""
        rounded = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN) + 0  # never "-0.00"
        before = SIGNS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
        made = super().__new__(cls, f"{'-' if rounded < 0 else ''}{before}{abs(rounded):,f}")
        made.amount, made.currency, made.places = rounded, currency, places
        return made

    @property
    def sign(self) -> str:
        """What the currency is written with."""
        return SIGNS.get(self.currency, self.currency)

    def __reduce__(self) -> tuple[object, ...]:
        """Copies know it too."""
        return (Money, (self.amount, self.currency, self.places))


class Joined(str):
    """Several sentences one after the other, each told in the language of the whole."""

    parts: tuple[str, ...]
    between: str

    def __new__(cls, parts: tuple[str, ...], between: str) -> Joined:
        """The parts, and what stands between two."""
        made = super().__new__(cls, between.join(parts))
        made.parts, made.between = parts, between
        return made

    def __reduce__(self) -> tuple[object, ...]:
        """Copies know it too."""
        return (Joined, (self.parts, self.between))


def phrase(pattern: str, /, **given: object) -> Phrase:
    """A sentence; ``{name}`` in it is filled with ``name``. Its pattern is gathered into the catalogue."""
    return Phrase(pattern, given=given)


def counted(one: str, many: str, /, count: int, **given: object) -> Phrase:
    """A sentence about one or many, such as ``{count} car is charging``, ``{count} cars are charging``."""
    return Phrase(one, many, count, {"count": count, **given})


def joined(parts: Iterable[str], between: str = " ") -> Joined:
    """Sentences one after the other, empty ones left out."""
    return Joined(tuple(part for part in parts if part), between)


Said = Phrase | Joined | Figure | Money
"""What can be told in any language."""
