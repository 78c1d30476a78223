"""Signed values as stations send them: found in what was taken out of their words, and brought to the signed text."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from wattkeeper.operations.metering.ocmf import HEADER, LONGEST

SIGNED = "signeddata"
BASE64 = re.compile(r"[A-Za-z0-9+/_=\s-]+")
HEX = re.compile(r"[0-9A-Fa-f\s]+")


@dataclass(frozen=True, slots=True)
class Carried:
    """A signed value on its way to be checked."""

    text: str = field(repr=False)
    """The record; whatever else was sent where it is none."""
    offered: str = ""
    """A public key that came with it, as it was written."""

    @property
    def is_ocmf(self) -> bool:
        """Whether it says of itself that it is a record of the format that we know."""
        return self.text.lstrip().startswith(HEADER)


def carried(words: Mapping[str, Any], hidden: Mapping[str, Any]) -> Iterator[Carried]:
    """The signed values of a message: its words, and what was taken out of them by JSON pointer.

    1.6 SampledValue.value with format SignedData, 2.0.1 signedMeterValue; some 1.6 stations send the latter as a text.
    """
    for pointer, value in hidden.items():
        parent, _, name = pointer.rpartition("/")
        if not isinstance(value, str) or not value.strip():
            continue
        if name == "signedMeterData":
            yield Carried(unwrapped(value), _text(hidden.get(f"{parent}/publicKey")))
        elif name == "value" and "/sampledValue/" in parent:
            one = _of_value(value)
            if one.is_ocmf or _form(words, parent) == SIGNED:
                yield one


def _of_value(value: str) -> Carried:
    """The value of a sample, or the signedMeterValue that it holds."""
    if value.lstrip().startswith("{") and len(value) <= 4 * LONGEST:
        try:
            inner = orjson.loads(value)
        except orjson.JSONDecodeError:
            inner = {}
        if isinstance(inner, dict) and isinstance(inner.get("signedMeterData"), str):
            return Carried(unwrapped(inner["signedMeterData"]), _text(inner.get("publicKey")))
    return Carried(unwrapped(value))


def _form(words: Any, pointer: str) -> str:
    """The format that the sample at a pointer names, without case."""
    for step in pointer.split("/")[1:]:
        try:
            words = words[int(step)] if isinstance(words, list) else words[step]
        except (ValueError, IndexError, KeyError, TypeError):
            return ""
    return _text(words.get("format")).lower() if isinstance(words, dict) else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def unwrapped(value: str) -> str:
    """A record that was put into hexadecimal or base64, taken out; anything else as it is."""
    if value.lstrip().startswith(HEADER) or len(value) > 4 * LONGEST:
        return value
    for form, decode in ((HEX, _hex), (BASE64, _base64)):
        if form.fullmatch(value):
            found = decode(value)
            if found.lstrip().startswith(HEADER):
                return found
    return value


def key_text(offered: str) -> str:
    """An offered key without what some stations put around it: base64 of ``oca:base16:asn1:3059…``."""
    inner = _base64(offered) if BASE64.fullmatch(offered) else ""
    told = inner if inner.startswith("oca:") else offered
    return told.rpartition(":")[2] if told.startswith("oca:") else told


def _hex(value: str) -> str:
    try:
        return bytes.fromhex(value).decode()
    except ValueError:
        return ""


def _base64(value: str) -> str:
    plain = "".join(value.split()).replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
