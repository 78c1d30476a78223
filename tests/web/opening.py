"""What pages show as figures, where each leads, and which sessions a list has: read as a browser would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import httpx

VOID = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})


@dataclass(slots=True)
class Figure:
    """A figure of a page."""

    where: str
    """Which table or list it stands in: the id of its section, else its label."""
    head: str
    """What it is of: the heading of its column, or its term."""
    row: str
    text: str = ""
    links: list[str] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing behind it."""
        return self.text in ("", "–", "0 min") or not re.sub(r"[^1-9]", "", self.text)


@dataclass(slots=True)
class _Open:
    tag: str
    given: dict[str, str]


class Reading(HTMLParser):
    """The figures of a page: cells of tables that are set as numbers, and the large ones of lists."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.figures: list[Figure] = []
        self._open: list[_Open] = []
        self._heads: list[str] = []
        self._term = self._row = ""
        self._now: Figure | None = None
        self._is_head = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append(_Open(tag, given))
        if tag == "table":
            self._heads = []
        if tag == "tr":
            self._row, self._place = "", -1
        if tag in ("td", "th"):
            self._place += 1
            self._is_head = self._within("thead")
            if self._is_head:
                self._heads.append("")
        if tag == "td" and "number" in given.get("class", "").split():
            self._now = Figure(self._where(), self._heads[self._place], self._row)
        if tag == "dt":
            self._term = ""
        if tag == "dd" and "figures" in self._parent("dl"):
            self._now = Figure(self._where(), self._term.strip(), "")
        if tag == "a" and self._now is not None and "href" in given:
            self._now.links.append(given["href"])

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if tag in ("td", "dd") and self._now is not None:
            self._now.text = " ".join(self._now.text.split())
            self.figures.append(self._now)
            self._now = None
        while self._open and tag not in VOID:
            if self._open.pop().tag == tag:
                break

    def handle_data(self, data: str) -> None:
        """A text; what is told to those who hear the page alone is none of the figure."""
        if any("unseen" in one.given.get("class", "").split() for one in self._open):
            return
        if self._now is not None:
            self._now.text += data
        elif self._within("thead"):
            if self._heads:
                self._heads[-1] = (self._heads[-1] + data).strip()
        elif self._within("dt"):
            self._term += data
        elif self._within("tr"):
            self._row = " ".join((self._row + data).split())

    def _within(self, tag: str) -> bool:
        return any(one.tag == tag for one in self._open)

    def _parent(self, tag: str) -> list[str]:
        return next((one.given.get("class", "").split() for one in reversed(self._open) if one.tag == tag), [])

    def _where(self) -> str:
        for one in reversed(self._open):
            if one.tag == "section":
                return one.given.get("id") or one.given.get("aria-labelledby", "").removesuffix("-head") or "?"
        return "dl" if self._within("dl") else "?"


def figures(page: httpx.Response) -> list[Figure]:
    """The figures of a page, in its order."""
    assert page.status_code in (200, 422), page.text
    reading = Reading()
    reading.feed(page.text.partition("<main")[2].partition("</main>")[0])
    return reading.figures


LISTS = "a list of what is behind figures: each line leads to its station or its session"
EXCUSED = {
    ("/insight/uptime", "open"): LISTS,
    ("/insight/uptime", "outages"): LISTS,
    ("/insight/uptime", "behind"): LISTS,
    ("/insight/forecast", "tried"): "how far off forecasts of past weeks were, not what sessions came to",
    ("/insight/terms", "?"): "entered by people, not measured",
    ("/insight/terms", "history"): "entered by people, not measured",
    ("/insight/releases", "budget"): "what may still be spent on releases",
    ("/insight/releases", "?"): "with noise; whoever saw the sessions behind it would take the noise out",
    ("/alerts", "over"): "each line leads to what it was measured from",
}
"""Where figures lead nowhere, by page and table, and why."""
BAND = ("/insight/forecast", "week", ("At least", "At most"))
"""How far off forecasts of past weeks were, around what is expected."""
ANSWERS = {
    "/insight": "its figures stand below, each with a way",
    "/insight/uptime": "its figures stand below, each with a way",
    "/insight/terms": "it counts sites",
    "/insight/releases": "it counts releases",
    "/alerts": "it counts the alerts below",
}
"""Answers of whole pages that lead nowhere themselves, and why."""


def unopened(page: httpx.Response, path: str) -> list[object]:
    """The figures, titles and pictures of a page that cannot be opened or taken along, and have no excuse."""
    found: list[object] = [
        one
        for one in figures(page)
        if not one.links
        and not one.is_nothing
        and (path, one.where) not in EXCUSED
        and not ((path, one.where) == BAND[:2] and one.head in BAND[2])
    ]
    answer = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    if answer and re.search(r"\d", answer.group(1)) and "<a " not in answer.group(1) and path not in ANSWERS:
        found.append(answer.group(1))
    for picture in re.findall(r'<section class="pictured".*?</section>', page.text, re.DOTALL):
        title = re.search(r"<h2[^>]*>(.*?)</h2>", picture, re.DOTALL)
        assert title is not None
        is_first = 'class="unseen"' in title.group(0)
        if re.search(r"\d", title.group(1)) and "<a " not in title.group(1) and not is_first:
            found.append(title.group(1))
        if '<svg class="drawn' in picture:
            found += [
                (title.group(1), need) for need in ('.csv"', '.svg"', '<table class="same"') if not has(picture, need)
            ]
    return found


def has(picture: str, need: str) -> bool:
    """Whether a picture has a part of its: a file of a kind, or its table."""
    return need in re.sub(r"\.(csv|svg)\?[^\"]*\"", r'.\1"', picture)


@dataclass(frozen=True, slots=True)
class ListedSessions:
    """A list of sessions: which, and how many the page says there are."""

    ids: frozenset[str]
    said: int


async def listed(client: httpx.AsyncClient, link: str) -> ListedSessions:
    """The sessions that a link leads to, on all pages of the list."""
    ids: set[str] = set()
    said, address = 0, link
    while address:
        page = await client.get(address)
        assert page.status_code == 200, (link, page.status_code)
        ids |= set(re.findall(r'href="/sessions/([0-9A-Z]{9})"', page.text))
        told = re.search(r'<b id="counted-all">(\d+) ', page.text)
        said = int(told.group(1)) if told else 0
        older = re.search(r'<p class="more"><a class="button" href="([^"]+)"', page.text)
        address = unescape(older.group(1)) if older else ""
    return ListedSessions(frozenset(ids), said)


async def lines(client: httpx.AsyncClient, link: str) -> list[str]:
    """The lines that a link within a page of reliability leads to, on all pages of that part."""
    part, found, address = link.partition("#")[2], [], link
    while address:
        page = await client.get(address.partition("#")[0])
        assert page.status_code == 200, (link, page.status_code)
        there = page.text.partition(f'<section id="{part}"')[2].partition("</section>")[0]
        assert there, (link, "leads nowhere")
        found += re.findall(r'<tr role="row"(?: class="outage")?>\s*(<td.*?)</tr>', there, re.DOTALL)
        older = re.search(r'<p class="more"><a class="button" href="([^"]+)"', there)
        address = unescape(older.group(1)) if older else ""
    return found


def asked(link: str) -> dict[str, str]:
    """What the address of a list asks for."""
    return dict(parse_qsl(link.partition("?")[2]))


def behind(some: list[Figure]) -> Iterator[tuple[Figure, str]]:
    """The figures that lead to lists of sessions, each with where."""
    for one in some:
        for link in one.links:
            if link.startswith("/sessions?"):
                yield one, link
