"""A language that nobody speaks: whatever was told stands between ⟦ and ⟧, so what bypassed the catalogue shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
from babel import Locale

from wattkeeper.charging.phrase import Phrase
from wattkeeper.language import catalogue
from wattkeeper.web.tongue import COOKIE

LANGUAGE = "xx"
SPEAKS = {COOKIE: LANGUAGE}
"""The cookie of somebody who chose it."""
UNREAD = frozenset({"script", "style"})
READ = frozenset({"aria-label", "aria-description", "alt", "title", "placeholder", "content"})
"""Attributes that people read or hear."""
SCRIPTS = re.compile(r"data-(busy|lost|rest|other|refused|asking|aloud|copied|selected|words)")
"""Attributes that a page's script shows."""
UNITS = frozenset(["kWh", "Wh", "kW", "W", "km", "m", "h", "min", "s", "d", "A", "V", "EUR"])
CODES = re.compile(r"\b\d{4}-\d\d-\d\d [\d:]{8} \w+\b|\b[0-9A-Z]{4,5}(-[0-9A-Z]{1,5})+\b|••\w\w")
"""Ids and codes, what is left of a card's number, exact times: the same in every language."""
NAMES = frozenset({"Wattkeeper", "English", "Deutsch", "Xx"})


@dataclass(frozen=True, slots=True)
class Pseudo:
    """English within brackets; dates and figures as in English."""

    locale: Locale = Locale("en")

    def pattern(self, said: Phrase) -> str:
        """The English pattern, marked as told."""
        return f"⟦{catalogue.English().pattern(said)}⟧"


def speak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be one of the languages that are spoken, while a test runs."""
    monkeypatch.setitem(catalogue.NAMES, LANGUAGE, "Xx")
    monkeypatch.setitem(catalogue.CATALOGUES, LANGUAGE, Pseudo())


class Reader(HTMLParser):
    """Reads a page as people do, and takes down what stands outside all brackets."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = self.unread = 0
        self.outside = list[str]()
        self.copied = list[str]()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """What an element's attributes say."""
        given = {name: value or "" for name, value in attributes}
        self.unread += tag in UNREAD
        names = READ - {"content"} if given.get("name") != "description" else READ
        for name, value in given.items():
            if name == "data-copy":
                self.copied += value.split("\n")
            elif name in names or SCRIPTS.fullmatch(name):
                self.outside += [one for text in _sentences(name, value) for one in _outside(text)]

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        self.unread -= tag in UNREAD

    def handle_data(self, text: str) -> None:
        """What stands there; brackets may open in one element and shut in another."""
        if self.unread:
            return
        for part in re.split(r"([⟦⟧])", text):
            if part in ("⟦", "⟧"):
                self.depth += 1 if part == "⟦" else -1
            elif not self.depth and part.strip():
                self.outside.append(part.strip())


def _sentences(name: str, value: str) -> Iterator[str]:
    """What an attribute says: itself, or each of the words that it hands to the script."""
    if name != "data-words":
        yield value
        return
    waiting = [json.loads(value)]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        else:
            waiting += one.values() if isinstance(one, dict) else one


def _outside(text: str) -> list[str]:
    """What stands outside all brackets of a text."""
    reader = Reader()
    reader.handle_data(text)
    return reader.outside


def untold(page: str, data: Iterable[str] = ()) -> list[str]:
    """What a page says that no catalogue was asked for, but for ``data``, and what can be copied: ids, keys."""
    reader = Reader()
    reader.feed(page)
    assert reader.depth == 0, "a bracket is open at the end"
    known = sorted({*data, *NAMES, *reader.copied} - {""}, key=len, reverse=True)
    return [one for one in reader.outside if _words(one, known)]


def _words(text: str, known: list[str]) -> set[str]:
    """The words of a text that are neither data nor units."""
    for name in known:
        text = text.replace(name, " ")
    return set(re.findall(r"[^\W\d_]+", CODES.sub(" ", text))) - UNITS
