"""Sentences that were kept as English text, told anew: the phrases that they were when they were kept.

What is kept stays English, so that it says the same for ever (docs/decisions/0018-languages.md).
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache, lru_cache

from babel.messages.pofile import read_po

from wattkeeper.charging.phrase import SIGNS, THIN, Figure, Money, Phrase, joined
from wattkeeper.language.catalogue import DEFAULT, HOME, forms_of, spoken

KEEPERS = frozenset({"charging", "ocpp", "operations", "gateway"})
"""The rooms whose sentences are kept; pages keep none."""
WORDS = frozenset({"day", "duration", "how", "reason", "seen", "what", "when", "whose"})
"""Gaps of what is kept that hold words of ours; others hold names and numbers, which are never told anew."""
FIGURES = ("_kwh", "_money")
"""How gaps end that hold a number with a point."""
FEWEST = 4
"""How many letters of its own a pattern needs to be recognised by."""
LONGEST, MOST = 1000, 6
"""What has more characters or sentences is left as it is: others had a word in it."""
END = re.compile(r"[.?](?= [A-Z0-9])")
"""Where a sentence may end and another begin."""
NUMBER = re.compile(rf"[0-9{THIN}]+\.([0-9]+)")
CURRENCIES = {sign: name for name, sign in SIGNS.items()}
MONEY = re.compile(r"(-?)([€$£]|[A-Z]{3}(?=\N{NO-BREAK SPACE}))\N{NO-BREAK SPACE}?([0-9,]+(?:\.([0-9]+))?)")
"""An amount as English writes it."""


def retold(text: str) -> str:
    """What was kept as English text, as the phrases that it was; itself where no catalogue has them."""
    if type(text) is not str or spoken() == DEFAULT:
        return text
    if not text.endswith((".", "?")) or len(text) > LONGEST or text.count(". ") >= MOST:
        return text
    return _sentences(text)


@lru_cache(maxsize=4096)
def _sentences(text: str) -> str:
    """A text of one or several sentences; of what is not known in one piece, the sentences that are."""
    told = _told(text)
    if told is not None:
        return told[0] if len(told) == 1 else joined(told)
    ends = [one.end() for one in END.finditer(text)]
    if not ends:
        return text
    pieces = [text[begin:end] for begin, end in zip((0, *(end + 1 for end in ends)), (*ends, None), strict=True)]
    again = [_known(piece) or piece for piece in pieces]
    return joined(again)


def _told(text: str) -> tuple[Phrase, ...] | None:
    """The phrases that a text is one after the other, as many as there can be; None where it is not all ours."""
    exactly = _words().get(text)
    if exactly is not None:
        return (exactly,)
    for end in (one.end() for one in END.finditer(text)):
        first = _known(text[:end])
        rest = None if first is None else _told(text[end + 1 :])
        if first is not None and rest is not None:
            return (first, *rest)
    whole = _known(text)
    return None if whole is None else (whole,)


def _known(text: str) -> Phrase | None:
    """The phrase that a whole text is."""
    for one in (*_candidates(text[0]), *_candidates("{")):
        read = one.read(text)
        if read is not None:
            return read.filled(**{name: _filling(name, value) for name, value in read.given.items()})
    return None


def _filling(name: str, value: object) -> object:
    """What fills a gap: our words told anew, numbers as figures, names as they are."""
    if not isinstance(value, str):
        return value
    if name in WORDS:
        words = [_words().get(word) for word in value.split(", ")]
        return joined(filter(None, words), ", ") if all(words) else _sentences(value)
    money = MONEY.fullmatch(value)
    if money is not None:
        sign, currency, digits, places = money.groups()
        amount = Decimal(sign + digits.replace(",", ""))
        return Money(amount, CURRENCIES.get(currency, currency), len(places or ""))
    number = NUMBER.fullmatch(value) if name.endswith(FIGURES) else None
    return Figure(Decimal(value.replace(THIN, "")), len(number[1])) if number else value


@cache
def _candidates(first: str) -> tuple[Phrase, ...]:
    """The patterns of sentences that begin with a character, those with most of their own first."""
    sentences = (one for one in all_patterns() if one.pattern[0] == first and one.pattern[-1] in ".?")
    told = [one for one in sentences if "{" not in one.pattern or sum(map(str.isalpha, _own(one))) >= FEWEST]
    return tuple(sorted(told, key=lambda one: len(_own(one)), reverse=True))


@cache
def _words() -> dict[str, Phrase]:
    """Phrases without gaps, by what they say."""
    return {one.pattern: one for one in all_patterns() if "{" not in one.pattern}


def _own(one: Phrase) -> str:
    """What a pattern has outside of its gaps."""
    return re.sub(r"\{\w+\}", "", one.pattern)


@cache
def all_patterns() -> tuple[Phrase, ...]:
    """Everything that these rooms say, its gaps not filled."""
    found = dict[str, Phrase]()
    for path in (path for path in sorted(HOME.glob("*/*.po")) if path.stem in KEEPERS):
        with path.open("rb") as file:
            said = [forms_of(one.id) for one in read_po(file, locale=path.parent.name) if one.id]
        found |= {forms[0]: Phrase(forms[0], "".join(forms[1:])) for forms in said}
    return tuple(found.values())
