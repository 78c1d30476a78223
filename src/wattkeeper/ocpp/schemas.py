"""The official JSON schemas (data files of the package `ocpp`; none of its code runs), compiled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, Literal, Protocol

import jsonschema_rs

from wattkeeper.charging.station import Version
from wattkeeper.ocpp.wire.amount import LARGEST_WHOLE
from wattkeeper.ocpp.wire.shape import Secrecy, Shape, secrecy_of, shape_of

Side = Literal["request", "response"]

MOST_ITEMS: Final = 20_000
"""Most list entries read of one message, all lists together: twice the real samples that a frame of 1 MiB can hold."""

PLAIN_ITEMS: Final = 200
"""Most entries of one list on the fast path; longer messages take the careful one, which counts."""

_FOLDERS: Mapping[Version, str] = {Version.V16: "v16", Version.V201: "v201"}
_SUFFIXES: Mapping[tuple[Version, Side], str] = {
    (Version.V16, "request"): "",
    (Version.V16, "response"): "Response",
    (Version.V201, "request"): "Request",
    (Version.V201, "response"): "Response",
}

PLAIN_VALUE: Final = r"^-?[0-9]{1,12}(\.[0-9]{1,9})?$"
PLAIN_TEXT: Final = r"^[!-~]*$"
PLAIN_TIME: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$"
PLAIN_UNITS: Final = ("Wh", "kWh", "W", "kW", "A", "V", "Percent", "Celsius", "Hertz", "VA", "var", "varh")


_NUMBER: Final = {"type": "number"}
_TOTAL: Final = {"type": "object", "properties": {"exclTax": _NUMBER, "inclTax": _NUMBER}}
_COST: Final = {"type": "object", "properties": {"currency": {"type": "string", "maxLength": 3}, "total": _TOTAL}}
_AHEAD: Mapping[str, dict[str, Any]] = {
    "TransactionEvent": {"costDetails": {"type": "object", "properties": {"totalCost": _COST}}},
}
"""Members of 2.1 that stations may tell in 2.0.1 already: what a station says that a session cost is evidence."""

_TOKENS: Final = frozenset({"idTag", "idToken"})
"""The members that hold a token: they are read by themselves."""


class Validator(Protocol):
    """A compiled schema."""

    def is_valid(self, instance: Any) -> bool:
        """Whether the instance fits."""

    def iter_errors(self, instance: Any) -> Any:
        """What does not fit, as `jsonschema_rs.ValidationError`s."""


@cache
def actions(version: Version) -> frozenset[str]:
    """Every action of a version, whoever sends it."""
    suffix = _SUFFIXES[version, "response"] + ".json"
    names = (file.name for file in _folder(version).iterdir())
    return frozenset(name.removesuffix(suffix) for name in names if name.endswith(suffix))


@cache
def schema(version: Version, action: str, side: Side) -> dict[str, Any]:
    """The official schema of one payload; not to be changed."""
    text = (_folder(version) / f"{action}{_SUFFIXES[version, side]}.json").read_text("utf-8-sig")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def validator(version: Version, action: str, side: Side) -> Validator:
    """The official schema, compiled; formats are checked."""
    return _compiled(schema(version, action, side))


@cache
def shape(version: Version, action: str, side: Side) -> Shape:
    """The official schema as the places that the careful reader walks."""
    told = schema(version, action, side)
    if version is Version.V201 and side == "request" and action in _AHEAD:
        told = {**told, "properties": {**told["properties"], **_AHEAD[action]}}
    return shape_of(told, action)


@cache
def plain(version: Version, action: str) -> Validator:
    """The official request schema, narrowed to calls in which nothing is odd and nothing needs to be taken out.

    Whatever fits it fits the official schema and may be kept word by word: card numbers, free texts and signed data
    are not allowed in it, texts are ASCII, lists and numbers bounded. What does not fit is read with care instead.
    """
    return _compiled(_narrowed(schema(version, action, "request"), action, action))


def _folder(version: Version) -> Traversable:
    return files("ocpp") / _FOLDERS[version] / "schemas"


def _compiled(document: dict[str, Any]) -> Validator:
    compiled: Validator = jsonschema_rs.validator_for(document, validate_formats=True)
    return compiled


def _narrowed(part: dict[str, Any], owner: str, name: str) -> dict[str, Any]:
    narrow = dict(part)
    if "definitions" in part:
        narrow["definitions"] = {key: _narrowed(inner, key, key) for key, inner in part["definitions"].items()}
    match part.get("type"):
        case "object":
            narrow["properties"] = _narrowed_members(part.get("properties", {}), owner)
            narrow["additionalProperties"] = False
            required = [name for name in narrow.pop("required", []) if name not in _TOKENS]
            if required:
                narrow["required"] = required
        case "array":
            narrow |= {"items": _narrowed(part["items"], owner, name), "maxItems": part.get("maxItems", PLAIN_ITEMS)}
        case "string":
            narrow |= _narrowed_text(part, owner, name)
        case "integer":
            narrow |= {"minimum": -LARGEST_WHOLE, "maximum": LARGEST_WHOLE}
        case "number":
            narrow |= {"minimum": -(10**12), "maximum": 10**12}
    return narrow


def _narrowed_members(members: dict[str, Any], owner: str) -> dict[str, Any]:
    return {
        name: _narrowed(part, owner, name)
        for name, part in members.items()
        if name not in {"customData", "signedMeterValue"} | _TOKENS and not _free(part, owner, name)
    }


def _free(part: dict[str, Any], owner: str, name: str) -> bool:
    """Whether a member is a text that must be looked at before it is kept, or has no type at all."""
    if "$ref" in part or "enum" in part or part.get("format") == "date-time":
        return False
    if part.get("type") == "string" and name != "unit":
        return secrecy_of(owner, name) not in {Secrecy.OPEN, Secrecy.MEASURED}
    return "type" not in part


def _narrowed_text(part: dict[str, Any], owner: str, name: str) -> dict[str, Any]:
    if "enum" in part:
        return {"enum": [word for word in part["enum"] if word != "SignedData"]}
    if part.get("format") == "date-time":
        return {"pattern": PLAIN_TIME}
    if name == "unit":
        return {"enum": list(PLAIN_UNITS)}
    if secrecy_of(owner, name) is Secrecy.MEASURED:
        return {"pattern": PLAIN_VALUE}
    return {"pattern": PLAIN_TEXT, "minLength": 1, "maxLength": part.get("maxLength", 255)}
