"""What a leaf commits to: the canonical form of a row, with commitments where it names a card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from wattkeeper.store.columns import to_micros
from wattkeeper.store.log.name import Named
from wattkeeper.store.log.source import JOURNAL, Source
from wattkeeper.vault.leaf import canonical

SALT: Final = 16
"""Bytes of a leaf's salt."""
REST: Final = "rest"
"""Under which name a row says one hash of all its hidden columns."""
WORDS: Final = "reason"
"""What a person wrote when they closed a session: it may name somebody, so no leaf covers it."""


def said(source: Source, values: Mapping[str, Any], at: datetime, salt: bytes) -> str:
    """What a row says, before the names of cards are replaced."""
    return canonical({"at": to_micros(at), "row": shown(source, values, salt)})


def shown(source: Source, values: Mapping[str, Any], salt: bytes) -> dict[str, Any]:
    """What whoever opens the leaf sees of a row."""
    row = {name: value for name, value in values.items() if name not in source.hidden}
    if source is JOURNAL and row["kind"] == "SessionEstimated":
        body = orjson.loads(row["body"])
        body.pop(WORDS, None)
        row["body"] = canonical(body)
    if source.hidden:
        hidden = canonical({name: values[name] for name in source.hidden})
        row[REST] = hashlib.sha256(salt + hidden.encode()).hexdigest()
    return row


def nameless(parts: Sequence[str], named: Mapping[str, Named]) -> str:
    """A row's words (`name.parted`) with the commitment of each card instead of its name."""
    if len(parts) == 1:
        return parts[0]
    told = [*parts]
    told[1::2] = [f"card:{named[token].commitment.hex()}" for token in parts[1::2]]
    return "".join(told)
