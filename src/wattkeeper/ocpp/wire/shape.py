"""What the standard expects at each place of a payload, and how secret what stands there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from wattkeeper.ocpp.wire.text import fold


class Kind(Enum):
    """The types of the OCPP schemas."""

    OBJECT = auto()
    ARRAY = auto()
    WORD = auto()
    """One of a list of words."""
    TIME = auto()
    TEXT = auto()
    INTEGER = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    ANY = auto()


class Secrecy(Enum):
    """What may become of a text. By default it is taken out: a place that nobody thought of must not leak."""

    OPEN = auto()
    """Kept: it names a device, a transaction or a language."""
    SCREENED = auto()
    """Kept unless a card number could hide in it."""
    MEASURED = auto()
    """Kept where it is a number (sampled values)."""
    SETTING = auto()
    """Kept where it is true, false or a short number (configuration values, device model values)."""
    TOKEN = auto()
    """Masked everywhere: a card number or what stands for one."""
    SEALED = auto()
    """Taken out, kept only sealed."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One place of a schema."""

    kind: Kind
    secrecy: Secrecy = Secrecy.SEALED
    members: Mapping[str, Shape] = field(default_factory=dict)
    folded: Mapping[str, str] = field(default_factory=dict)
    """Member names without case to the names as the standard spells them."""
    required: tuple[str, ...] = ()
    item: Shape | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    """Folded words to the words as the standard spells them."""
    least: int = 0
    """The shortest list."""
    most: int | None = None
    """The longest text (characters) or list."""


_OPEN = """
    chargePointVendor chargePointModel chargePointSerialNumber chargeBoxSerialNumber firmwareVersion iccid imsi
    meterType meterSerialNumber model vendorName transactionId language language1 language2 currency
    ChargingStationType.serialNumber
"""
_SCREENED = """
    vendorId messageId info vendorErrorCode techCode name instance unit reasonCode
    SecurityEventNotification.type ChangeConfiguration.key GetConfigurationResponse.key
    GetConfiguration.key unknownKey
"""
_MEASURED = "MeterValues.value StopTransaction.value"
_SETTING = """
    ChangeConfiguration.value GetConfigurationResponse.value VariableAttributeType.value attributeValue actualValue
"""
_PRESENTED = "idTag parentIdTag idToken additionalIdToken AdditionalInfoType.type customerIdentifier"

_SECRECIES: Mapping[str, Secrecy] = {
    place: secrecy
    for places, secrecy in (
        (_OPEN, Secrecy.OPEN),
        (_SCREENED, Secrecy.SCREENED),
        (_MEASURED, Secrecy.MEASURED),
        (_SETTING, Secrecy.SETTING),
        (_PRESENTED, Secrecy.TOKEN),
    )
    for place in places.split()
}
"""Member names, or `Type.member` where a name alone says too little; what is not named is sealed."""

Schema = Mapping[str, object]
"""A JSON schema document or a part of one."""


def shape_of(schema: Schema, title: str) -> Shape:
    """The shape of a whole payload; `title` is the action's name without Request."""
    definitions = schema.get("definitions")
    return _shape(schema, definitions if isinstance(definitions, dict) else {}, title, title)


def secrecy_of(owner: str, name: str) -> Secrecy:
    """How secret the member `name` of the type `owner` is."""
    return _SECRECIES.get(f"{owner}.{name}") or _SECRECIES.get(name, Secrecy.SEALED)


def _shape(schema: Schema, definitions: Mapping[str, Schema], owner: str, name: str) -> Shape:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        target = reference.rsplit("/", 1)[-1]
        return _shape(definitions[target], definitions, target, name)
    match schema.get("type"):
        case "object":
            return _object(schema, definitions, owner)
        case "array":
            return _array(schema, definitions, owner, name)
        case "string":
            return _text(schema, owner, name)
        case "integer" | "number" | "boolean" as kind:
            return Shape(Kind[str(kind).upper()], secrecy_of(owner, name))
    return Shape(Kind.ANY)


def _object(schema: Schema, definitions: Mapping[str, Schema], owner: str) -> Shape:
    properties = schema.get("properties")
    required = schema.get("required")
    members = {
        name: _shape(part, definitions, owner, name)
        for name, part in (properties.items() if isinstance(properties, dict) else ())
        if name != "customData"
    }
    return Shape(
        Kind.OBJECT,
        members=members,
        folded={name.lower(): name for name in members},
        required=tuple(required) if isinstance(required, list) else (),
    )


def _array(schema: Schema, definitions: Mapping[str, Schema], owner: str, name: str) -> Shape:
    items, least = schema["items"], schema.get("minItems")
    assert isinstance(items, dict)
    return Shape(
        Kind.ARRAY,
        item=_shape(items, definitions, owner, name),
        least=least if isinstance(least, int) else 0,
        most=_bound(schema, "maxItems"),
    )


def _text(schema: Schema, owner: str, name: str) -> Shape:
    words = schema.get("enum")
    if isinstance(words, list):
        return Shape(Kind.WORD, words={fold(str(word)): str(word) for word in words})
    if schema.get("format") == "date-time":
        return Shape(Kind.TIME)
    return Shape(Kind.TEXT, secrecy_of(owner, name), most=_bound(schema, "maxLength"))


def _bound(schema: Schema, name: str) -> int | None:
    bound = schema.get(name)
    return bound if isinstance(bound, int) else None
