"""Commands as the standard words them: checked against the official schema, in its order, masked for keeping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import orjson

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Phrase, phrase
from wattkeeper.charging.station import Version
from wattkeeper.ocpp.frame import number
from wattkeeper.ocpp.schemas import actions, schema, shape, validator
from wattkeeper.ocpp.wire.mending import mend
from wattkeeper.ocpp.wire.notes import Notes

Payload = dict[str, object]

_REASONS: Mapping[str, Phrase] = {
    "additionalProperties": phrase("{member} of {action} has a member that the standard does not have."),
    "enum": phrase("{member} of {action} is none of the standard's words for it."),
    "maxLength": phrase("{member} of {action} is longer than the standard allows."),
    "minLength": phrase("{member} of {action} is shorter than the standard allows."),
    "minItems": phrase("{member} of {action} has fewer entries than the standard requires."),
    "maxItems": phrase("{member} of {action} has more entries than the standard allows."),
    "minimum": phrase("{member} of {action} is smaller than the standard allows."),
    "maximum": phrase("{member} of {action} is larger than the standard allows."),
    "multipleOf": phrase("{member} of {action} has more decimals than the standard allows."),
    "format": phrase("{member} of {action} is not written as a date and time with zone (RFC 3339)."),
    "type": phrase("{member} of {action} has the wrong type."),
}
_MISFIT: Final = phrase("{member} of {action} does not fit the standard's schema.")
LONG_LIST: Final = "localAuthorizationList"
MOST_SHOWN: Final = 20
"""Entries of a local list that are kept, masked; of a longer one only how many there were."""
_TOKENS: Final = frozenset({"idTag", "idToken", "parentIdTag", "additionalIdToken"})


def compose(version: Version, action: str, payload: Mapping[str, object]) -> Payload:
    """A command's payload in the schema's order, nothing added; `Refusal` (INVALID) names the member that is wrong."""
    _check_encodable(payload)
    for error in validator(version, action, "request").iter_errors(payload):
        raise _refusal(action, error)
    ordered = _ordered(payload, schema(version, action, "request"), schema(version, action, "request"))
    assert isinstance(ordered, dict)
    return ordered


def commandable(version: Version, action: str, heard: frozenset[str]) -> None:
    """Refuse what a central system cannot ask for; `heard` are the actions that only stations send."""
    if action in heard:
        raise Refusal(
            Code.INVALID,
            phrase("{action} is sent by stations; it cannot be sent to one.", action=action),
            member="action",
        )
    if action not in actions(version):
        raise Refusal(
            Code.NOT_FOUND, phrase("{version} has no command of that name.", version=_NAMES[version]), member="action"
        )


def masked(version: Version, action: str, payload: Mapping[str, object]) -> Payload:
    """The payload with card numbers, keys and free texts masked: safe to keep and show."""
    entries = payload.get(LONG_LIST)
    count = len(entries) if isinstance(entries, list) else 0
    kept = {name: _plain(value) for name, value in payload.items() if name != LONG_LIST or count <= MOST_SHOWN}
    _, words = mend(shape(version, action, "request"), kept, Notes())
    return dict(words) if count <= MOST_SHOWN else {**words, LONG_LIST: f"{count} entries"}


def _plain(value: object) -> object:
    """A value as it would come back from the wire: what is kept is only looked at."""
    return orjson.loads(f"{value:f}") if isinstance(value, Decimal) else value


def tokens_in(payload: object) -> Iterator[str]:
    """Every card number of a command, wherever it stands."""
    if isinstance(payload, Mapping):
        for name, value in payload.items():
            if name in _TOKENS and isinstance(value, str) and value:
                yield value
            else:
                yield from tokens_in(value)
    elif isinstance(payload, list):
        for value in payload:
            yield from tokens_in(value)


_NAMES: Mapping[Version, str] = {Version.V16: "OCPP 1.6", Version.V201: "OCPP 2.0.1"}


def _check_encodable(payload: Mapping[str, object]) -> None:
    try:
        orjson.dumps(payload, default=number)
    except TypeError as fault:
        raise Refusal(Code.INVALID, phrase("The payload holds something that JSON cannot say.")) from fault


def _refusal(action: str, error: Any) -> Refusal:
    """What is wrong with a payload, without its values: they could be card numbers."""
    path = ".".join(str(step) for step in error.instance_path)
    rule = str(error.schema_path[-1]) if error.schema_path else ""
    if rule == "required":
        member = ".".join(filter(None, (path, str(error.kind.property))))
        return Refusal(
            Code.INVALID, phrase("{action} needs the member {member}.", action=action, member=member), member=member
        )
    member = path or "payload"
    why = _REASONS.get(rule, _MISFIT).filled(member=member, action=action)
    return Refusal(Code.INVALID, why, member=member)


def _ordered(value: object, part: Mapping[str, Any], document: Mapping[str, Any]) -> object:
    """The value with the members of its objects as the schema lists them; open places keep their order."""
    if "$ref" in part:
        part = document["definitions"][part["$ref"].rsplit("/", 1)[-1]]
    if isinstance(value, Mapping):
        members = part.get("properties", {})
        names = [name for name in members if name in value] + [name for name in value if name not in members]
        return {name: _ordered(value[name], members.get(name, {}), document) for name in names}
    if isinstance(value, list):
        return [_ordered(inner, part.get("items", {}), document) for inner in value]
    return value
