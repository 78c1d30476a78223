"""A list of cards as a CSV file, as spreadsheets and other systems write them: rows in, wishes and reasons out.

No reason ever repeats what stood in a cell: it may be a card's number.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from wattkeeper.charging.cards.token import CardKind, CardState, Offline, Presented, Strength
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Figure, Said, phrase
from wattkeeper.operations.cards.rule import Rule
from wattkeeper.vault.pseudonym import canonical

MOST_LINES = 1_000_000
MOST_SESSIONS = 1000
BROKEN = phrase("A quotation mark is not closed here; this and what follows was not read.")
COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("number", "uid", "id_tag", "idtag", "id_token", "idtoken"), "number"),
    **dict.fromkeys(("name", "holder"), "name"),
    **dict.fromkeys(("group", "parent_id_tag", "parentidtag"), "group"),
    **dict.fromkeys(("expires", "expires_at", "expiry_date", "expirydate"), "expires_at"),
    **dict.fromkeys(("max_sessions", "maxsessions"), "max_sessions"),
    **dict.fromkeys(("state", "status"), "state"),
    **{"kind": "kind", "strength": "strength", "offline": "offline"},
}
"""The column names that are understood, in lower case, and what each means."""

NUMBER = re.compile(r"[A-Za-z0-9*\-_=+|@.]{1,36}")
"""OCPP 2.0.1 identifierString (part 2, 2.1.3), at most the 36 characters of an idToken."""
_DISPLAY = re.compile(r"[\s:]+")
_EXPONENT = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{2})\.([0-9]{2})\.([0-9]{4})")


class _Reader(Protocol):
    """What `csv.reader` gives."""

    line_num: int

    def __next__(self) -> list[str]:
        """The cells of the next row."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A card as a row wishes it."""

    line: int
    card: Presented
    name: str | None
    rule: Rule


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: its line in the file, from 1, and why."""

    line: int
    why: str


class _Bad(Exception):  # noqa: N818 - a reason, not a fault
    """Why a cell cannot be taken."""

    def __init__(self, why: Said) -> None:
        super().__init__(why)
        self.why = why


def decoded(body: bytes) -> str:
    """The text of a file: UTF-8, the UTF-16 that spreadsheets call Unicode, or else Windows-1252."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def read(text: str) -> Iterator[Wish | Rejected]:
    """Each row of a list, in order; Refusal (INVALID) where the file as a whole cannot be understood."""
    if max(text.count("\n"), text.count("\r")) > MOST_LINES:
        raise Refusal(
            Code.INVALID,
            phrase("The file has more than {most} lines. Split it.", most=Figure(Decimal(MOST_LINES), 0)),
        )
    text = text.removeprefix("\ufeff")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        columns = _columns(next(rows, []))
    except csv.Error:
        raise Refusal(Code.INVALID, phrase("The first line is not CSV: it must name the columns.")) from None
    return _rows(rows, columns)


def _separator(text: str) -> str:
    """What separates the cells: whichever of comma, semicolon and tab the first line has most of."""
    first = text[:10_000].splitlines()[:1]
    return max(",;\t", key=first[0].count) if first else ","


def _columns(names: list[str]) -> list[str]:
    """What each column means; Refusal (INVALID) where one is unknown or the number is missing."""
    known = [COLUMNS.get(name.strip().lower()) for name in names]
    if None in known:
        place = known.index(None) + 1
        words = ", ".join(sorted(set(COLUMNS.values())))
        raise Refusal(
            Code.INVALID,
            phrase(
                "The first line must name the columns ({columns}); the name of column {place} is not known.",
                columns=words,
                place=place,
            ),
        )
    columns = [name for name in known if name is not None]
    if "number" not in columns or len(set(columns)) < len(columns):
        raise Refusal(Code.INVALID, phrase("The first line must name a column 'number', and no column twice."))
    return columns


def _rows(rows: _Reader, columns: list[str]) -> Iterator[Wish | Rejected]:
    """Each row that is not blank; what follows a broken quotation cannot be told apart and ends the list."""
    while True:
        line: int = rows.line_num + 1
        try:
            cells = [cell.strip() for cell in next(rows)]
        except StopIteration:
            return
        except csv.Error:
            yield Rejected(line, BROKEN)
            return
        if any(cells):
            yield _row(line, cells, columns)


def _row(line: int, cells: list[str], columns: list[str]) -> Wish | Rejected:
    """One row as a wish, or why not."""
    if len(cells) > len(columns):
        return Rejected(line, phrase("There are more cells than columns."))
    told = dict(zip(columns, cells, strict=False))
    try:
        card = Presented(_number(told.pop("number", "")))
        name = _words(told.pop("name", ""), 200)
        rule: Rule = {}
        for column, cell in told.items():
            if cell:
                rule[column] = RULES[column](cell)  # type: ignore[literal-required]
        return Wish(line, card, name or None, rule)
    except _Bad as bad:
        return Rejected(line, bad.why)


def checked(number: str) -> str:
    """A card's number as it is kept, without the spaces and colons of display; Refusal (INVALID) where it is none."""
    plain = _DISPLAY.sub("", number)
    if not NUMBER.fullmatch(plain) or not canonical(plain):
        raise Refusal(Code.INVALID, phrase("The number has characters that no card has, or more than 36."))
    return plain


def _number(cell: str) -> str:
    """A card's number in a list, without what spreadsheets make of it."""
    if cell.startswith('="') and cell.endswith('"'):
        cell = cell[2:-1]
    cell = cell.removeprefix("'")
    if not cell:
        raise _Bad(phrase("The number is missing."))
    if _EXPONENT.fullmatch(cell):
        raise _Bad(phrase("A spreadsheet has rounded the number (1.2E+11): set the column to text and enter it again."))
    try:
        return checked(cell)
    except Refusal as refusal:
        raise _Bad(refusal.why) from None


def _words(cell: str, longest: int) -> str:
    if len(cell) > longest or not cell.isprintable():
        raise _Bad(
            phrase("A text is longer than {most} characters or has characters that cannot be printed.", most=longest)
        )
    return cell


def _one_of(column: str, *words: StrEnum) -> Callable[[str], object]:
    """How a column is read that has one of these words."""
    known = {word.value: word for word in words}
    *others, last = known
    either = phrase("{first} or {last}", first=", ".join(others), last=last)

    def read_one(cell: str) -> StrEnum:
        if cell.lower() not in known:
            raise _Bad(phrase("The {column} must be {words}.", column=column, words=either))
        return known[cell.lower()]

    return read_one


def _count(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", cell) or not 1 <= int(cell) <= MOST_SESSIONS:
        raise _Bad(phrase("max_sessions must be a whole number from 1 to {most}.", most=MOST_SESSIONS))
    return int(cell)


def _expiry(cell: str) -> datetime:
    """A day (2027-01-31 or 31.01.2027: good through it, UTC) or an instant with an offset."""
    try:
        day = _DAY.fullmatch(cell)
        if day:
            year, month, date = day.group(1, 2, 3) if day.group(1) else day.group(6, 5, 4)
            return datetime(int(year), int(month), int(date), tzinfo=UTC) + timedelta(days=1)
        at = datetime.fromisoformat(cell)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _Bad(phrase("The date must look like 2027-01-31, 31.01.2027 or 2027-01-31T18:00:00Z."))


RULES: Mapping[str, Callable[[str], object]] = {
    "state": _one_of("state", CardState.ACTIVE, CardState.BLOCKED),
    "kind": _one_of("kind", CardKind.CARD, CardKind.FOB),
    "strength": _one_of("strength", Strength.NUMBER, Strength.SECURE),
    "offline": _one_of("offline", *Offline),
    "expires_at": _expiry,
    "group": lambda cell: _words(cell, 100),
    "max_sessions": _count,
}
"""How each column of a rule is read."""


def cell(column: str, text: str) -> object:
    """What one cell of a rule says, where it is typed alone; Refusal (INVALID) says what is wrong with it."""
    try:
        return RULES[column](text)
    except _Bad as bad:
        raise Refusal(Code.INVALID, bad.why) from None
