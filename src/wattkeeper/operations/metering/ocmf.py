"""The text of a signed record (OCMF), taken apart: what was signed, byte for byte, and what it says."""

from __future__ import annotations

import json
from typing import Any, Final

from wattkeeper.charging.metering.ocmf import Record, record_of, refused
from wattkeeper.charging.phrase import phrase

LONGEST: Final = 65_536
"""Characters of a record; those of real meters have up to a few thousand."""
HEADER: Final = "OCMF"


def parse(text: str) -> Record:
    """The record that a text holds; Refusal INVALID, and nothing else, where it holds none."""
    if len(text) > LONGEST:
        raise refused(phrase("It is too long for a signed record."))
    parts = text.strip().split("|")
    if len(parts) != 3 or parts[0] != HEADER:
        raise refused(phrase("It is not of the form OCMF|…|…."))
    try:
        payload = parts[1].encode()
    except UnicodeEncodeError:
        raise refused(phrase("It is no text.")) from None
    return record_of(payload, _object(parts[1]), _object(parts[2]))


def _object(text: str) -> dict[str, Any]:
    """A JSON object whose numbers are left as they are written; one with a name twice says two things at once."""
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_number, object_pairs_hook=_members)
    except (ValueError, RecursionError):
        raise refused(phrase("Part of it is no readable JSON object.")) from None
    if not isinstance(found, dict):
        raise refused(phrase("Part of it is no readable JSON object."))
    return found


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found
