"""A language that nobody speaks: whatever was told stands between ⟦ and ⟧, so what bypassed the catalogue shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from babel import Locale

from tests.language.readable import Reader
from wattkeeper.charging.phrase import Phrase
from wattkeeper.language import catalogue
from wattkeeper.web.tongue import COOKIE

LANGUAGE = "xx"
SPEAKS = {COOKIE: LANGUAGE}
"""The cookie of somebody who chose it."""
UNITS = frozenset(["kWh", "Wh", "kW", "W", "km", "m", "h", "min", "s", "d", "A", "V", "kg", "g", "EUR"])
CODES = re.compile(
    r"\b[0-9a-f]{64}\b|https?://\S+|\b\d{4}-\d\d-\d\d [\d:]{8} \w+\b|\b[0-9A-Z]{4,5}(-[0-9A-Z]{1,5})+\b|••\w{2,4}"
)
"""Digests, addresses, ids and codes, what is left of a card's number, exact times: the same in every language."""
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


class Pages(Reader):
    """Reads a page as people do, and takes down what stands outside all brackets."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.outside = list[str]()
        self.copied = list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """What an element's attributes say, what it hands to the script, and what can be copied from it."""
        super().handle_starttag(tag, attrs)
        given = dict(attrs)
        self.copied += (given.get("data-copy") or "").split("\n")
        for text in _sentences(given.get("data-words") or "{}"):
            self.hear("data-words", text)

    def hear(self, where: str, text: str) -> None:
        """What stands there; brackets may open in one text and shut in another, but not in an attribute."""
        if where != "text":
            self.outside += _outside(text)
            return
        for part in re.split(r"([⟦⟧])", text):
            if part in ("⟦", "⟧"):
                self.depth += 1 if part == "⟦" else -1
            elif not self.depth and part.strip():
                self.outside.append(part.strip())


def _sentences(words: str) -> Iterator[str]:
    """Each of the words that a page hands to its script."""
    waiting = [json.loads(words)]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        else:
            waiting += one.values() if isinstance(one, dict) else one


def _outside(text: str) -> list[str]:
    """What stands outside all brackets of a text."""
    reader = Pages()
    reader.hear("text", text)
    return reader.outside


def untold(page: str, data: Iterable[str] = ()) -> list[str]:
    """What a page says that no catalogue was asked for, but for ``data``, and what can be copied: ids, keys."""
    reader = Pages()
    reader.feed(page)
    assert reader.depth == 0, "a bracket is open at the end"
    known = sorted({*data, *NAMES, *reader.copied} - {""}, key=len, reverse=True)
    return [one for one in reader.outside if _words(one, known)]


def _words(text: str, known: list[str]) -> set[str]:
    """The words of a text that are neither data nor units."""
    for name in known:
        text = text.replace(name, " ")
    return set(re.findall(r"[^\W\d_]+", CODES.sub(" ", text))) - UNITS


@dataclass(slots=True)
class Walk:
    """A browser without script that goes through pages in this language; what it found that is not marked."""

    client: httpx.AsyncClient
    data: tuple[str, ...]
    """What the people and things of the test are called."""
    been: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client.cookies.update(SPEAKS)

    async def to(self, *paths: str, status: int = 200) -> None:
        """Read these pages."""
        for path in paths:
            answer = await self.client.get(path)
            assert answer.status_code == status, (path, answer.status_code)
            self.been.append(path.partition("?")[0])
            self.read(path, answer)

    async def send(self, path: str, **form: str) -> httpx.Response:
        """Send a form, and read what is said to it."""
        answer = await self.client.post(path, data=form, follow_redirects=True)
        self.read(f"{path} {form}", answer)
        return answer

    def read(self, what: str, answer: httpx.Response) -> None:
        """Take down what no catalogue was asked for."""
        assert answer.headers["content-language"] == LANGUAGE
        self.faults += [f"{what}: {fault}" for fault in untold(answer.text, self.data)]
