"""The careful reading of a payload along its shape: what was meant, and the words that may be kept.

Each place gives two values: the one to read from (the schema's type wherever that could be had) and the one to keep
(as the station said it, masked or left out where it must not be read). Nothing here raises for anything that JSON
can hold, but for a message with more entries than anyone would send.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.phrase import phrase
from wattkeeper.ocpp.dialect import ErrorCode, Unreadable
from wattkeeper.ocpp.schemas import MOST_ITEMS
from wattkeeper.ocpp.wire.amount import LARGEST_WHOLE, plain_number
from wattkeeper.ocpp.wire.moment import moment
from wattkeeper.ocpp.wire.notes import Members, Notes
from wattkeeper.ocpp.wire.shape import Kind, Secrecy, Shape
from wattkeeper.ocpp.wire.text import LONGEST, MASK, clean, clean_token, could_hold_card, fold, is_word


class _Absent:
    """Nothing stood there, or nothing that could be read."""


ABSENT: Final = _Absent()

Both = tuple[object, object]
"""The value to read from and the value to keep; `ABSENT` where there is none."""

_NOTHING: Final[Both] = (ABSENT, ABSENT)
_SIGNED: Final = Shape(Kind.TEXT, Secrecy.SEALED)
_LONGEST_TOKEN: Final = 36
_TOKEN_NAMES: Final = frozenset(
    {"idtag", "parentidtag", "idtoken", "groupidtoken", "tagid", "tokenid", "cardid", "rfid", "uid"}
)
"""Members that a station might add on its own and that would hold a card number: dropped, not even sealed."""
_TRUTHS: Mapping[object, bool] = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def mend(shape: Shape, payload: object, notes: Notes) -> tuple[Members, Members]:
    """Read a whole payload; raises `Unreadable` where it is no object and cannot stand for one, or is too large."""
    if payload is None or payload == []:
        notes.add(Deviation.ODD_PAYLOAD)
        payload = {}
    read, kept = _mend(shape, payload, notes)
    if not isinstance(read, Mapping) or not isinstance(kept, Mapping):
        raise Unreadable(ErrorCode.FORMAT_VIOLATION, phrase("The payload is not an object."))
    return read, kept


def mend_member(shape: Shape, name: str, value: object, notes: Notes) -> tuple[Members, Members]:
    """Read a single member of a payload; both results hold it, or nothing."""
    read: dict[str, object] = {}
    kept: dict[str, object] = {}
    notes.path.append(name)
    _take(name, _mend(shape.members[name], value, notes), read, kept)
    notes.path.pop()
    return read, kept


def _mend(shape: Shape, value: object, notes: Notes) -> Both:
    if value is None:
        notes.add(Deviation.NULL_MEMBER)
        return _NOTHING
    return _MENDERS[shape.kind](shape, value, notes)


def _unusable(value: object, notes: Notes) -> Both:
    notes.add(Deviation.WRONG_TYPE)
    notes.wrong.append(".".join(step for step in notes.path if not step.isdigit()))
    notes.hide(value)
    return _NOTHING


def _object(shape: Shape, value: object, notes: Notes) -> Both:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        notes.add(Deviation.ARRAY_FOR_OBJECT)
        value = value[0]
    if not isinstance(value, dict):
        if _is_token(shape.members.get("idToken")):
            return _bare_token(shape, value, notes)
        return _unusable(value, notes)
    read: dict[str, object] = {}
    kept: dict[str, object] = {}
    for said, inner in value.items():
        name = _member(shape, said, value, notes)
        notes.path.append(name or said[:LONGEST])
        if name is not None:
            _take(name, _mend(_member_shape(shape, name, value), inner, notes), read, kept)
        elif fold(said[:LONGEST]) not in _TOKEN_NAMES:
            notes.hide(inner)
        notes.path.pop()
    _require(shape, read, notes)
    return read, kept


def _is_token(shape: Shape | None) -> bool:
    return shape is not None and shape.kind is Kind.TEXT and shape.secrecy is Secrecy.TOKEN


def _bare_token(shape: Shape, value: object, notes: Notes) -> Both:
    """A card number where an object around one belongs (2.x IdTokenType): read, without its type."""
    notes.add(Deviation.WRONG_TYPE)
    if isinstance(value, str) or _is_number(value):
        return _object(shape, {"idToken": value}, notes)
    return _unusable_token(notes)


def _take(name: str, both: Both, read: dict[str, object], kept: dict[str, object]) -> None:
    if both[0] is not ABSENT:
        read[name] = both[0]
    if both[1] is not ABSENT:
        kept[name] = both[1]


def _member(shape: Shape, said: str, value: Mapping[str, object], notes: Notes) -> str | None:
    """The standard's name for a member; None for one to set aside (customData is allowed and always set aside)."""
    if said in shape.members:
        return said
    if said == "customData":
        return None
    name = shape.folded.get(said.strip().lower())
    if name is None or name in value:
        notes.add(Deviation.UNKNOWN_MEMBER)
        return None
    notes.add(Deviation.MEMBER_CASE)
    return name


def _member_shape(shape: Shape, name: str, value: Mapping[str, object]) -> Shape:
    if name == "value" and "format" in shape.members:
        said = value.get("format")
        if isinstance(said, str) and fold(said) == "signeddata":
            return _SIGNED
    return shape.members[name]


def _require(shape: Shape, read: Mapping[str, object], notes: Notes) -> None:
    for name in shape.required:
        if name not in read:
            notes.add(Deviation.MISSING_MEMBER)
            notes.missing.append(notes.place(name))


def _array(shape: Shape, value: object, notes: Notes) -> Both:
    assert shape.item is not None
    if not isinstance(value, list):
        notes.add(Deviation.OBJECT_FOR_ARRAY)
        value = [value]
    _count(shape, value, notes)
    read, kept = [], []
    for index, inner in enumerate(value):
        notes.path.append(str(index))
        mended, words = _mend(shape.item, inner, notes)
        if mended is not ABSENT:
            read.append(mended)
        if words is not ABSENT:
            kept.append(words)
        notes.path.pop()
    return read, kept


def _count(shape: Shape, value: list[object], notes: Notes) -> None:
    notes.items += len(value)
    if notes.items > MOST_ITEMS:
        raise Unreadable(ErrorCode.PROPERTY, phrase("The message lists more than {most} entries.", most=MOST_ITEMS))
    if len(value) < shape.least:
        notes.add(Deviation.EMPTY_ARRAY)
    if shape.most is not None and len(value) > shape.most:
        notes.add(Deviation.TOO_MANY)


def _word(shape: Shape, value: object, notes: Notes) -> Both:
    if not isinstance(value, str):
        if not _is_number(value):
            return _unusable(value, notes)
        value = str(value)
    word = value.strip()
    known = shape.words.get(fold(word)) if len(word) <= 64 else None
    if known is not None:
        if known != value:
            notes.add(Deviation.WORD_CASE)
        return known, clean(word, notes)
    notes.add(Deviation.UNKNOWN_WORD)
    if word == "" or is_word(word):
        return word, word
    return MASK, _hidden(value, notes)


def _time(shape: Shape, value: object, notes: Notes) -> Both:
    if not isinstance(value, str) and not _is_number(value):
        return _unusable(value, notes)
    at: datetime | None = moment(value, notes)
    if at is not None:
        return at, clean(value, notes) if isinstance(value, str) else value
    return ABSENT, "" if value == "" else _hidden(value, notes)


def _text(shape: Shape, value: object, notes: Notes) -> Both:
    if _is_number(value):
        notes.add(Deviation.NUMBER_FOR_STRING)
        return _guarded(shape, str(value), value, notes)
    if not isinstance(value, str):
        return _unusable_token(notes) if shape.secrecy is Secrecy.TOKEN else _unusable(value, notes)
    if shape.most is not None and len(value) > shape.most and shape.secrecy is not Secrecy.TOKEN:
        notes.add(Deviation.LONG_TEXT)
    return _guarded(shape, value, value, notes)


def _unusable_token(notes: Notes) -> Both:
    """A card number that is no text is read as none, and never kept, not even sealed."""
    notes.add(Deviation.EMPTY_CARD)
    notes.wrong.append(".".join(step for step in notes.path if not step.isdigit()))
    return ABSENT, MASK


def _guarded(shape: Shape, text: str, said: object, notes: Notes) -> Both:
    """A text under its secrecy; `said` is the same in the station's own type."""
    match shape.secrecy:
        case Secrecy.OPEN:
            if len(text) > LONGEST:
                notes.hide(said)
            text = clean(text, notes)
            return text, text if isinstance(said, str) else said
        case Secrecy.MEASURED if _is_measure(text):
            return said, clean(text, notes) if isinstance(said, str) else said
        case Secrecy.MEASURED:
            return said, _hidden(said, notes)
        case Secrecy.TOKEN:
            return clean_token(text, notes, min(shape.most or _LONGEST_TOKEN, _LONGEST_TOKEN)), MASK
        case Secrecy.SCREENED if len(text) <= LONGEST and not could_hold_card(text):
            text = clean(text, notes)
            return text, text
        case Secrecy.SETTING if _is_setting(text):
            return text, text
    return MASK, _hidden(said, notes)


def _hidden(value: object, notes: Notes) -> str:
    notes.hide(value)
    return MASK


def _is_measure(text: str) -> bool:
    """Whether a sampled value may be kept as said: a number, or something too short to be anyone's."""
    return (len(text) <= 40 and plain_number(text) is not None) or (
        len(text) <= 16 and text.isascii() and text.isprintable() and not could_hold_card(text)
    )


def _is_setting(text: str) -> bool:
    return fold(text[:8]) in {"true", "false"} or (len(text) <= 7 and plain_number(text) is not None)


def _integer(shape: Shape, value: object, notes: Notes) -> Both:
    number = _number_in(value, notes)
    if number is None:
        if isinstance(value, str) and shape.secrecy is Secrecy.OPEN and value.strip():
            notes.add(Deviation.STRING_FOR_NUMBER)
            text = clean(value.strip(), notes)
            return text, text
        return _unusable(value, notes)
    value = clean(value, notes) if isinstance(value, str) else value
    if isinstance(number, int):
        return number, value
    if number == number.to_integral_value() and abs(number) <= LARGEST_WHOLE:
        return int(number), value
    notes.add(Deviation.FRACTION_FOR_INTEGER)
    return number, value


def _number(shape: Shape, value: object, notes: Notes) -> Both:
    number = _number_in(value, notes)
    if number is None:
        return _unusable(value, notes)
    return number, clean(value, notes) if isinstance(value, str) else value


def _number_in(value: object, notes: Notes) -> int | Decimal | None:
    """The number that a JSON value holds, as itself or as a text."""
    if type(value) is int:
        return value
    if type(value) is float:
        return Decimal(repr(value)) if math.isfinite(value) else None
    if isinstance(value, str) and len(value) <= 64 and (number := plain_number(value)) is not None:
        notes.add(Deviation.STRING_FOR_NUMBER)
        return int(value) if value.strip().lstrip("-").isdigit() and len(value) <= 20 else number
    return None


def _boolean(shape: Shape, value: object, notes: Notes) -> Both:
    if type(value) is bool:
        return value, value
    meant = _TRUTHS.get(str(value).strip().lower()) if isinstance(value, (str, int)) else None
    if meant is None:
        return _unusable(value, notes)
    notes.add(Deviation.STRING_FOR_BOOLEAN)
    return meant, meant


def _any(shape: Shape, value: object, notes: Notes) -> Both:
    notes.hide(value)
    return MASK, MASK


def _is_number(value: object) -> bool:
    return type(value) is int or type(value) is float


_MENDERS: Mapping[Kind, Callable[[Shape, object, Notes], Both]] = {
    Kind.OBJECT: _object,
    Kind.ARRAY: _array,
    Kind.WORD: _word,
    Kind.TIME: _time,
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.ANY: _any,
}
