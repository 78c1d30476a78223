"""Gather every phrase from the sources into the catalogues: ``python -m wattkeeper.language.gather``.

Prints what has no translation yet and exits 1 where there is any. What is no longer said is taken out.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from wattkeeper.language.catalogue import DEFAULT, HOME, LANGUAGES, Message, forms_of, name_of

SOURCES = HOME.parent
ROOMS = ("charging", "ocpp", "operations", "gateway", "web/operator", "web/driver", "web")
"""Each has a file in each catalogue; a phrase said in several rooms stands in the first one's."""
KEYWORDS: dict[str, tuple[int, ...] | None] = {"phrase": None, "_": None, "counted": (1, 2), "plural": (1, 2)}
WAYS = {".py": "python", ".html": "jinja2.ext:babel_extract"}
"""How phrases are found in a file, by its ending."""


def said_in(path: Path) -> Iterator[Message]:
    """The patterns in one file, in their order."""
    for _line, message, _comments, _context in extract_from_file(WAYS[path.suffix], path, KEYWORDS):
        yield message


def files_of(room: str) -> list[Path]:
    """The sources of a room that speak, without those of the rooms before it."""
    earlier = [SOURCES / one for one in ROOMS[: ROOMS.index(room)]]
    found = [path for path in sorted((SOURCES / room).rglob("*")) if path.suffix in WAYS]
    return [path for path in found if not any(path.is_relative_to(one) for one in earlier)]


def gathered() -> dict[str, dict[Message, list[str]]]:
    """By room: each pattern, and the files that say it; every pattern once."""
    known: set[str] = set()
    rooms: dict[str, dict[Message, list[str]]] = {}
    for room in ROOMS:
        said: dict[Message, list[str]] = {}
        for path in files_of(room):
            for message in said_in(path):
                said.setdefault(message, []).append(str(path.relative_to(SOURCES)))
        rooms[room] = {one: where for one, where in said.items() if name_of(one) not in known}
        known |= {name_of(one) for one in said}
    return rooms


def file_of(language: str, room: str) -> Path:
    """Where a room's phrases stand in a language."""
    return HOME / language / f"{room.rpartition('/')[2]}.po"


def translations(language: str) -> dict[str, Message]:
    """What is translated so far, whichever file it stands in."""
    told: dict[str, Message] = {}
    for path in sorted((HOME / language).glob("*.po")):
        with path.open("rb") as file:
            read = [one for one in read_po(file, locale=language) if one.id]
        told |= {name_of(one.id): one.string or "" for one in read if all(forms_of(one.string))}
    return told


def written(language: str, said: dict[Message, list[str]], told: dict[str, Message]) -> bytes:
    """A room's file with what is translated already."""
    made = Catalog(locale=language, project="Wattkeeper", fuzzy=False)
    for message, where in said.items():
        places = [(one, 0) for one in dict.fromkeys(where)]
        string = told.get(name_of(message)) or None
        fits = isinstance(string, str) == isinstance(message, str)
        made.add(message, string if fits else None, locations=places)
    made.creation_date = made.revision_date = None  # type: ignore[assignment]
    out = io.BytesIO()
    write_po(out, made, width=120, omit_header=True, include_lineno=False)
    return out.getvalue()


def main() -> None:
    """Write the catalogues anew; say what waits for a translation."""
    missing = list[str]()
    for language in (one for one in LANGUAGES if one != DEFAULT):
        told = translations(language)
        for room, said in gathered().items():
            file_of(language, room).parent.mkdir(exist_ok=True)
            file_of(language, room).write_bytes(written(language, said, told))
            missing += [
                f"{language} {room}: {name_of(one)!r}" for one in said if not all(forms_of(told.get(name_of(one))))
            ]
    print("\n".join(missing) or "Everything is translated.")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
