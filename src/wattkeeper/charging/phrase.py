"""Sentences that can be told in another language: their English, and what they were made of.

A phrase is a ``str``, its English; whoever tells it to a person looks its pattern up in a catalogue and fills it anew
(`wattkeeper.language`). What is joined with ``+`` or put into an f-string is English for good: use `phrase`, `joined`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from string import Formatter

THIN = "\N{NARROW NO-BREAK SPACE}"
"""Sets thousands apart in English figures."""
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}
"""Currencies (ISO 4217) that are written with a sign of their own."""
FIELDS = {"EEEE": "%A", "MMMM": "%B", "MMM": "%b", "y": "%Y", "HH": "%H", "mm": "%M"}
"""What of a date is written how in English (Unicode TR 35, and C), as far as it is used here."""
FIELD = re.compile("|".join((*FIELDS, "d")))


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
        """The same phrase with its gaps filled; ``count`` chooses its form."""
        count = given.get("count", self.number)
        return Phrase(self.pattern, self.many, count if isinstance(count, int) else 1, {**self.given, **given})

    def read(self, text: str) -> Phrase | None:
        """The phrase that was kept as this text, its gaps filled with what stands there; None where it is another."""
        for pattern in filter(None, (self.pattern, self.many)):
            given = _given(pattern, text)
            if given is not None:
                count = str(given.get("count", 1))
                if count.isdecimal():
                    given |= {"count": int(count)} if "count" in given else {}
                    return Phrase(self.pattern, self.many, int(count), given)
        return None

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


class Dated(str):
    """A day, or an instant by a place's own clock, as English pages write it: ``Thursday 29 Oct 18:00``."""

    at: date
    """A datetime is told as its clock shows it."""
    shape: Phrase
    """How it is written, a pattern of Unicode TR 35; each language has its own."""

    def __new__(cls, at: date, shape: Phrase) -> Dated:
        """A day or an instant, and how it is written."""
        fields = {"d": str(at.day)} | {field: at.strftime(way) for field, way in FIELDS.items()}
        made = super().__new__(cls, FIELD.sub(lambda found: fields[found[0]], str(shape)))
        made.at, made.shape = at, shape
        return made

    def __reduce__(self) -> tuple[object, ...]:
        """Copies know it too."""
        return (Dated, (self.at, self.shape))


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


def _given(pattern: str, text: str) -> dict[str, object] | None:
    """What stands in a text where a pattern has its gaps, each as short as can be; None where the text is another."""
    parts = [(fixed, gap) for fixed, gap, _, _ in Formatter().parse(pattern)]
    gaps = [gap for _, gap in parts if gap is not None]
    begin, *between = [fixed for fixed, _ in parts]
    last = between.pop() if parts[-1][1] is None and between else ""
    if not gaps:
        return {} if text == begin else None
    if not text.startswith(begin) or not text.endswith(last):
        return None
    given: dict[str, object] = {}
    at, end = len(begin), len(text) - len(last)
    for gap, then in zip(gaps, (*between, None), strict=True):
        until = end if then is None else text.find(then, at + 1, end)
        if until <= at or given.setdefault(gap, text[at:until]) != text[at:until]:
            return None
        at = until + len(then or "")
    return given


def phrase(pattern: str, /, **given: object) -> Phrase:
    """A sentence; ``{name}`` in it is filled with ``name``. Its pattern is gathered into the catalogue."""
    return Phrase(pattern, given=given)


def counted(one: str, many: str, /, count: int, **given: object) -> Phrase:
    """A sentence about one or many, such as ``{count} car is charging``, ``{count} cars are charging``."""
    return Phrase(one, many, count, {"count": count, **given})


def plural(one: str, many: str, /) -> Phrase:
    """A sentence about one or many whose gaps are filled later: ``.filled(count=3)``."""
    return Phrase(one, many)


def figured(value: Decimal, unit: str = "") -> Figure:
    """A number with as many places as it needs."""
    exponent = value.normalize().as_tuple().exponent
    return Figure(value, max(0, -exponent) if isinstance(exponent, int) else 0, unit)


def joined(parts: Iterable[str], between: str = " ") -> Joined:
    """Sentences one after the other, empty ones left out."""
    return Joined(tuple(part for part in parts if part), between)


Said = Phrase | Joined | Figure | Money | Dated
"""What can be told in any language."""
