"""What people read or hear of a page: its texts, and the attributes that a browser or a script shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser

UNREAD_TAGS = frozenset({"script", "style", "kbd", "pre"})
"""Elements whose text is nobody's language; besides those that say so by ``translate="no"``."""
EMPTY_TAGS = frozenset({"meta", "link", "img", "input", "br", "hr", "rect", "path", "circle", "use", "line"})
READ = frozenset({"title", "alt", "aria-label", "aria-description", "placeholder", "label"})
UNREAD_DATA = frozenset(
    {"now", "words", "copy", "at", "kw", "kwh", "number", "weight", "zone", "key", "curve", "unit", "passkey", "next"}
)
"""The data that a script reads and does not show; all other ``data-`` attributes are words."""
LETTER = re.compile(r"[^\W\d_]")


class Reader(HTMLParser):
    """Reads a page aloud: `hear` is told every text and attribute that is read."""

    def __init__(self) -> None:
        super().__init__()
        self._silent: list[str] = []
        """The elements around, from the first whose text nobody reads."""

    def hear(self, where: str, text: str) -> None:
        """Take a text of the page, ``where`` is ``text``, or an attribute's."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read an element's attributes."""
        given = {name: value or "" for name, value in attrs}
        is_named = given.get("translate") == "no"
        for name, value in given.items():
            if _is_read(tag, name, given) and not (self._silent or is_named):
                self.hear(f"{tag} {name}", value)
        if tag not in EMPTY_TAGS and (self._silent or tag in UNREAD_TAGS or is_named):
            self._silent.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read an element without content."""
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY_TAGS:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if tag in self._silent:
            while self._silent and self._silent.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Read a text."""
        if not self._silent:
            self.hear("text", data)


def _is_read(tag: str, name: str, given: dict[str, str]) -> bool:
    """Whether people read an attribute."""
    if name == "content":
        return given.get("name") in ("description", "apple-mobile-web-app-title")
    if name == "value":
        return tag == "input" and given.get("type") in ("submit", "button", "reset")
    is_shown = name.startswith("data-") and name[5:] not in UNREAD_DATA and not given[name].startswith("/")
    return name in READ or is_shown
