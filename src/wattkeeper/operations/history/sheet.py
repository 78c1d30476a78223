"""A sheet of an XLSX file (ISO/IEC 29500): its cells as text, read as a stream, nothing in it believed or run.

Only what is needed is unpacked, and no more than its bounds; document types and entities are refused, formulas give
the value that was saved with them, styles and links are not looked at.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.parsers import expat

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Said, phrase

MOST_UNPACKED = 256 * 1024 * 1024
"""Bytes of one part of the file, unpacked, at most."""
MOST_TEXTS = 2_000_000
MOST_PARTS = 10_000
LAST_COLUMN, MOST_COLUMNS = 16_384, 1_000
"""The last column there can be, and how many are read: what stands further out stands in the next one."""
LONGEST = 32_767
"""Characters of a cell, as Excel has it."""
CHUNK = 1 << 16
PARTS_TEXTS = "xl/sharedStrings.xml"
EPOCHS = {False: datetime(1899, 12, 30, tzinfo=UTC), True: datetime(1904, 1, 1, tzinfo=UTC)}
"""Day nought of dates, and of those that a Mac once wrote."""
BROKEN = phrase("This is no XLSX file that can be read: save it anew, or as CSV.")
HOSTILE = phrase("This XLSX file has something that no sheet needs (a document type): it is not read.")
TOO_LARGE = phrase("This XLSX file unpacks to more than any sheet needs: it is not read.")
Attributes = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its rows with their numbers, and from when its dates count."""

    rows: Iterator[tuple[int, list[str] | None]]
    epoch: datetime


def read(body: bytes, name: str = "") -> Sheet:
    """A sheet by its name, or the first; Refusal (INVALID) where the file is none."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except (zipfile.BadZipFile, OSError, ValueError):
        raise _refused(BROKEN) from None
    if len(archive.infolist()) > MOST_PARTS:
        raise _refused(TOO_LARGE)
    book = _book(archive)
    if name and name not in book.sheets:
        raise _refused(
            phrase(
                "There is no sheet {name}; there are: {names}.",
                name=name,
                names=", ".join(_named(one) for one in book.sheets)[:500],
            )
        )
    part = book.sheets[name] if name else next(iter(book.sheets.values()))
    return Sheet(_rows(archive, part, _texts(archive)), EPOCHS[book.is_1904])


def _named(sheet: str) -> str:
    """The name of a sheet as it may stand in a sentence."""
    return "".join(letter if letter.isprintable() else "?" for letter in sheet[:40])


# --- the parts ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Book:
    """Which sheets there are, and the part that each is."""

    sheets: dict[str, str]
    is_1904: bool = False


def _book(archive: zipfile.ZipFile) -> _Book:
    """The workbook."""
    targets: dict[str, str] = {}
    named: dict[str, str] = {}
    found = _Book({})

    def of_relations(tag: str, given: Attributes) -> None:
        if tag == "Relationship" and given.get("TargetMode") != "External":
            targets[given.get("Id", "")] = posixpath.normpath(posixpath.join("/xl", given.get("Target", ""))).lstrip(
                "/"
            )

    def of_book(tag: str, given: Attributes) -> None:
        if tag == "sheet":
            reference = next((value for key, value in given.items() if key.endswith(":id")), "")
            named[given.get("name", "")] = reference
        elif tag == "workbookPr":
            found.is_1904 = given.get("date1904") in ("1", "true")

    for part, told in (("xl/_rels/workbook.xml.rels", of_relations), ("xl/workbook.xml", of_book)):
        for _ in _parsed(archive, part, started=told):
            pass
    found.sheets = {name: targets[reference] for name, reference in named.items() if reference in targets}
    if not found.sheets:
        raise _refused(BROKEN)
    return found


def _texts(archive: zipfile.ZipFile) -> list[str]:
    """The texts that cells refer to by their numbers."""
    found = _Texts()
    if PARTS_TEXTS in archive.namelist():
        for _ in _parsed(archive, PARTS_TEXTS, found.started, found.said, found.ended):
            pass
    return found.done


class _Spelled:
    """A text that comes in pieces, of which no more is kept than tells that it is too long."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._room = LONGEST + 1

    def say(self, piece: str) -> None:
        """One piece more."""
        if self._room > 0:
            self._pieces.append(piece[: self._room])
            self._room -= len(piece)

    @property
    def whole(self) -> str:
        """All that was said."""
        return "".join(self._pieces)


class _Texts:
    """The texts of a file as they are read; how something is pronounced is left out."""

    def __init__(self) -> None:
        self._inside = dict.fromkeys(("t", "rPh"), 0)
        self._spelled = _Spelled()
        self.done: list[str] = []

    def started(self, tag: str, given: Attributes) -> None:
        """Something begins."""
        if tag in self._inside:
            self._inside[tag] += 1

    def said(self, text: str) -> None:
        """A piece of a text."""
        if self._inside["t"] and not self._inside["rPh"]:
            self._spelled.say(text)

    def ended(self, tag: str) -> None:
        """Something ends."""
        if tag in self._inside:
            self._inside[tag] -= 1
        elif tag == "si":
            self.done.append(self._spelled.whole)
            self._spelled = _Spelled()
            if len(self.done) > MOST_TEXTS:
                raise _refused(TOO_LARGE)


class _Cells:
    """The rows of a sheet as they are read."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts
        self._row: dict[int, str] = {}
        self._line = 0
        self._column, self._kind = 0, ""
        self._spelled = _Spelled()
        self._is_inside = False
        self.done: list[tuple[int, list[str] | None]] = []

    def started(self, tag: str, given: Attributes) -> None:
        """A row, a cell or its value begins."""
        if tag == "row":
            told = given.get("r", "")
            self._line = int(told) if told.isascii() and told.isdigit() and len(told) < 9 else self._line + 1
            self._row, self._column = {}, 0
        elif tag == "c":
            self._column = _column_of(given.get("r", "")) or self._column + 1
            self._kind, self._spelled = given.get("t", "n"), _Spelled()
            if self._column > LAST_COLUMN:
                raise _refused(BROKEN)
        elif tag in ("v", "t"):
            self._is_inside = True

    def said(self, text: str) -> None:
        """A piece of a value."""
        if self._is_inside:
            self._spelled.say(text)

    def ended(self, tag: str) -> None:
        """A value, a cell or a row is complete."""
        if tag in ("v", "t"):
            self._is_inside = False
        elif tag == "c":
            told = self._told()
            if told:
                self._row[min(self._column, MOST_COLUMNS + 1)] = told
        elif tag == "row":
            last = max(self._row, default=0)
            self.done.append((self._line, [self._row.get(place, "") for place in range(1, last + 1)]))

    def _told(self) -> str:
        """What the cell says, as text."""
        if self._kind != "s":
            return self._spelled.whole
        number = self._spelled.whole.strip()
        is_known = number.isascii() and number.isdigit() and len(number) < 9 and int(number) < len(self._texts)
        return self._texts[int(number)] if is_known else ""


def _column_of(reference: str) -> int:
    """The number of a cell's column, from 1; 0 where it is not told."""
    number = 0
    for letter in reference[:8]:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - 64
    return number


def _rows(archive: zipfile.ZipFile, part: str, texts: list[str]) -> Iterator[tuple[int, list[str] | None]]:
    """The rows of a sheet, as far as they are asked for."""
    cells = _Cells(texts)
    for _ in _parsed(archive, part, cells.started, cells.said, cells.ended):
        yield from cells.done
        cells.done.clear()


# --- XML, as a stream --------------------------------------------------------------------------------------------


def _parsed(
    archive: zipfile.ZipFile,
    part: str,
    started: Callable[[str, Attributes], None],
    said: Callable[[str], None] | None = None,
    ended: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Read a part piece by piece, telling what stands in it; tags come without their prefix."""
    reader = expat.ParserCreate()
    reader.StartDoctypeDeclHandler = reader.EntityDeclHandler = _hostile
    reader.StartElementHandler = lambda tag, given: started(tag.rpartition(":")[2], given)
    reader.CharacterDataHandler = said
    if ended is not None:
        told = ended
        reader.EndElementHandler = lambda tag: told(tag.rpartition(":")[2])
    try:
        if archive.getinfo(part).file_size > MOST_UNPACKED:
            raise _refused(TOO_LARGE)
        with archive.open(part) as file:
            while chunk := file.read(CHUNK):
                reader.Parse(chunk, False)
                yield
            reader.Parse(b"", True)
            yield
    except (KeyError, expat.ExpatError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError):
        raise _refused(BROKEN) from None


def _hostile(*_: object) -> None:
    raise _refused(HOSTILE)


def _refused(why: Said) -> Refusal:
    return Refusal(Code.INVALID, why)
