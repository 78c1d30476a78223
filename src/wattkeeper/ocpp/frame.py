"""Frames of OCPP-J: hostile text in, safe values out (1.6-J 4.2, 2.0.1 part 4 4.2).

Nothing that a station can send raises anything but `Malformed`. Duplicate members: the last one counts. A frame is
read if it nests at most `DEEPEST` deep. Calls whose envelope is odd (a number for an id, too many elements) are read
only where they carry energy or money.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

import orjson

from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.phrase import phrase
from wattkeeper.charging.station import Version
from wattkeeper.ocpp.dialect import ErrorCode

DEEPEST: Final = 16
"""How deep a frame may nest, its own brackets included; the deepest legal one (2.0.1 sales tariffs) needs 14."""

LONGEST_ID: Final = 36
LONGEST_ODD_ID: Final = 255
LONGEST_KEPT: Final = 65_536
"""How much of an unreadable frame is kept (sealed), characters."""

NO_ID: Final = "-1"
"""The message id of an answer to a call whose id could not be read (2.0.1 part 4 4.2.3)."""

ENERGY_ACTIONS: Final = frozenset({"StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"})
"""What carries energy or money, in any version."""

_CALL, _RESULT, _ERROR = 2, 3, 4

_SPELLINGS: Mapping[Version, Mapping[ErrorCode, str]] = {
    # the errata of 1.6-J keep both misspellings; it has no code of its own for framework and message type
    Version.V16: {
        ErrorCode.FORMAT_VIOLATION: "FormationViolation",
        ErrorCode.OCCURRENCE: "OccurenceConstraintViolation",
        ErrorCode.RPC_FRAMEWORK: "FormationViolation",
        ErrorCode.MESSAGE_TYPE: "ProtocolError",
    },
    Version.V201: {},
}

_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_CONTROLS = {code: None for code in range(32)}
_EDGES = "\ufeff\0 \t\r\n"
_SALVAGE = re.compile(
    r'\s{0,9}\[\s{0,9}"?(?P<type>\d{1,2})(?:\.0)?"?\s{0,9},\s{0,9}"(?P<id>[^"\\\x00-\x1f]{0,36})"'
    r'(?:\s{0,9},\s{0,9}"(?P<action>[A-Za-z0-9]{1,40})")?',
    re.ASCII,
)


class Call(NamedTuple):
    """The station calls us."""

    call_id: str
    action: str
    payload: object
    codes: tuple[str, ...] = ()


class Result(NamedTuple):
    """The station answers a call of ours."""

    call_id: str
    payload: object


class Error(NamedTuple):
    """The station refuses a call of ours."""

    call_id: str
    code: str
    description: str
    details: object


class Alien(NamedTuple):
    """A message of a type that no version here knows, or an empty one."""

    problem: str
    call_id: str | None = None
    """What to answer under; None for an empty frame, which is not answered."""


class Malformed(Exception):  # noqa: N818 - an answer to the station, not a fault of ours
    """A frame that cannot be read: the CALLERROR to answer with, if any is due."""

    def __init__(
        self, code: ErrorCode, problem: str, call_id: str = NO_ID, *, action: str | None = None, answerable: bool = True
    ) -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem
        self.call_id = call_id
        self.action = action
        self.answerable = answerable
        """False for what claims to be an answer: nothing is ever answered to an answer."""


Message = Call | Result | Error | Alien


def parse(raw: str | bytes) -> Message:
    """Read a frame; raises `Malformed` and nothing else."""
    text = raw if isinstance(raw, str) else _decoded(raw)
    codes: tuple[str, ...] = ()
    if text[:1] != "[" or text[-1:] != "]":
        codes = (Deviation.BYTE_ORDER_MARK.value,) if text[:1] == "\ufeff" else ()
        text = text.strip(_EDGES)
        if not text:
            return Alien("The frame was empty.")
    _check_depth(text)
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        message = _without_controls(text)
        codes = (*codes, Deviation.CONTROL_CHARACTERS.value)
    if not isinstance(message, list) or not message:
        raise Malformed(ErrorCode.RPC_FRAMEWORK, phrase("The frame is not a JSON array."))
    return _message(message, codes)


def call_frame(call_id: str, action: str, payload: Mapping[str, object]) -> str:
    """A CALL of ours, compact."""
    return orjson.dumps([_CALL, call_id, action, payload], default=number).decode()


def result_frame(call_id: str, payload: Mapping[str, object]) -> str:
    """A CALLRESULT, compact."""
    return orjson.dumps([_RESULT, call_id, payload], default=number).decode()


def number(value: object) -> orjson.Fragment:
    """A decimal as a JSON number, digit by digit: an amount is never a binary fraction."""
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(f"{value:f}")
    raise TypeError(f"JSON cannot say a {type(value).__name__}")


def error_frame(version: Version, call_id: str, code: ErrorCode, description: str) -> str:
    """A CALLERROR in the version's spelling; the description is at most 255 characters long."""
    return orjson.dumps([_ERROR, call_id, spelling(version, code), description[:255], {}]).decode()


def spelling(version: Version, code: ErrorCode) -> str:
    """An error code as the version spells it."""
    return _SPELLINGS[version].get(code, code.value)


def excerpt(raw: str | bytes) -> str:
    """An unreadable frame as text that can be kept (sealed): at most `LONGEST_KEPT` characters, valid Unicode."""
    if isinstance(raw, str):
        return raw[:LONGEST_KEPT].encode("utf-8", "replace").decode("utf-8")
    return bytes(raw[: LONGEST_KEPT * 4]).decode("utf-8", "replace")[:LONGEST_KEPT]


def _decoded(raw: bytes) -> str:
    try:
        return bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise _unparsable(excerpt(raw), phrase("The frame is not valid UTF-8.")) from None


def _without_controls(text: str) -> object:
    """A second try without raw control characters; some stations put them into strings (also the NUL of a C string)."""
    bare = text.translate(_CONTROLS)
    if bare != text:
        try:
            return orjson.loads(bare)
        except orjson.JSONDecodeError:
            pass
    raise _unparsable(text, phrase("The frame is not valid JSON."))


def _unparsable(text: str, problem: str) -> Malformed:
    """The error for text that is no JSON, under its message id if that stands at the start as it should."""
    found = _SALVAGE.match(text[:512].lstrip(_EDGES))
    if found is None:
        return Malformed(ErrorCode.FORMAT_VIOLATION, problem)
    return Malformed(
        ErrorCode.FORMAT_VIOLATION,
        problem,
        found["id"],
        action=found["action"],
        answerable=found["type"] not in {"3", "4"},
    )


def _check_depth(text: str) -> None:
    """Refuse what nests too deep before any parser recurses into it; linear, whatever the text."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    raw = text.encode("utf-8", "replace")
    if _is_shallow(raw.translate(None, _NO_BRACKETS)):
        return
    brackets = _STRINGS.sub(b"", raw).translate(None, _NO_BRACKETS)
    if _is_shallow(brackets) or _depth(brackets) <= DEEPEST:
        return
    answerable = not text.startswith(("[3", "[4"))
    problem = phrase("The frame nests deeper than {levels} levels.", levels=DEEPEST)
    raise Malformed(ErrorCode.FORMAT_VIOLATION, problem, answerable=answerable)


def _is_shallow(brackets: bytes) -> bool:
    """Whether taking away the innermost pairs, at most two levels a time, soon leaves nothing."""
    for _ in range(DEEPEST // 2):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if not brackets:
            return True
    return False


def _depth(brackets: bytes) -> int:
    """How deep brackets nest, counted no further than it matters."""
    depth = deepest = 0
    for byte in brackets:
        depth += 1 if byte in b"[{" else -1
        if depth > deepest:
            deepest = depth
            if deepest > DEEPEST:
                break
    return deepest


def _message(message: list[object], codes: tuple[str, ...]) -> Message:
    kind = message[0]
    if type(kind) is int:
        if kind == _CALL:
            return _call(message, codes)
        if kind in {_RESULT, _ERROR}:
            return _answer(kind, message)
        return Alien("The message type is not known.", _id_of(message) or NO_ID)
    if kind == 2.0 or kind == "2":
        return _call(message, codes, odd=True)
    raise Malformed(ErrorCode.RPC_FRAMEWORK, phrase("The message type is not a number."), _id_of(message) or NO_ID)


def _call(message: list[object], codes: tuple[str, ...], *, odd: bool = False) -> Call:
    call_id = message[1] if len(message) > 1 else None
    action = message[2] if len(message) > 2 else None
    if len(message) == 4 and not odd and type(call_id) is str and len(call_id) <= LONGEST_ID:
        if type(action) is not str:
            raise Malformed(ErrorCode.RPC_FRAMEWORK, phrase("The action is not a text."), call_id)
        return Call(call_id, action, message[3], codes)
    usable = _usable_id(call_id)
    if len(message) >= 4 and usable is not None and type(action) is str and action in ENERGY_ACTIONS:
        return Call(usable, action, message[3], (*codes, Deviation.ODD_ENVELOPE.value))
    known = action if type(action) is str and action in ENERGY_ACTIONS else None
    problem = phrase("The envelope of the call is not as OCPP-J has it.")
    raise Malformed(ErrorCode.RPC_FRAMEWORK, problem, _id_of(message) or NO_ID, action=known)


def _answer(kind: int, message: list[object]) -> Result | Error:
    call_id = _id_of(message) or NO_ID
    rest = [*message[2:], None, None, None]
    if kind == _RESULT:
        return Result(call_id, rest[0])
    return Error(call_id, _text(rest[0]), _text(rest[1]), rest[2])


def _text(value: object) -> str:
    return value[:255] if isinstance(value, str) else ""


def _usable_id(value: object) -> str | None:
    """An id that can be sent back, if a longer one or a number."""
    if type(value) is int:
        return str(value)
    return value if type(value) is str and len(value) <= LONGEST_ODD_ID else None


def _id_of(message: list[object]) -> str | None:
    """The id of a message where it is one that a CALLERROR can name."""
    usable = _usable_id(message[1]) if len(message) > 1 else None
    return usable if usable is not None and len(usable) <= LONGEST_ID else None
