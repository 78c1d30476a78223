"""The signed values of a session, found in the journal and opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.metering.ocmf import Record
from wattkeeper.operations.keys.kinds import HOUSE
from wattkeeper.operations.metering.carried import Carried, carried
from wattkeeper.operations.metering.ocmf import parse
from wattkeeper.operations.safe import Safe
from wattkeeper.store.metering import record
from wattkeeper.store.metering.record import Sealed
from wattkeeper.vault.keys import KeyRefused

MOST_VALUES = 400
"""How many different signed values of one session are looked at, from its beginning and from its end."""


@dataclass(frozen=True, slots=True)
class Value:
    """A signed value of a session, and the journal entry that brought it."""

    n: int
    carried: Carried
    record: Record | None
    """None: it is none, or cannot be read."""


async def values_of(connection: AsyncConnection, safe: Safe, session: str) -> list[Value]:
    """The different signed values of a session, each as it came first; of a great many those of both ends."""
    different: dict[str, tuple[int, Carried]] = {}
    for n, one in _opened(safe, await record.sealed_of(connection, session)):
        different.setdefault(one.text, (n, one))
    kept = list(different.values())
    if len(kept) > MOST_VALUES:
        kept = kept[: MOST_VALUES // 2] + kept[-MOST_VALUES // 2 :]
    return [Value(n, one, _parsed(one)) for n, one in kept]


def _opened(safe: Safe, entries: Sequence[Sealed]) -> list[tuple[int, Carried]]:
    """The signed values of these entries; what was forgotten is not among them."""
    found: list[tuple[int, Carried]] = []
    for one in entries:
        try:
            hidden = orjson.loads(_plain(safe, one))
        except KeyRefused:
            continue
        found += [(one.n, value) for value in carried(orjson.loads(one.words), hidden)]
    return found


def _plain(safe: Safe, one: Sealed) -> bytes:
    """What was taken out of an entry's words; raises KeyRefused where whoever it is about was forgotten."""
    if one.sealed_for == HOUSE:
        return safe.unseal("journal", "sealed", one.sealed)
    if one.wrapped is None:
        raise KeyRefused("Its person was forgotten.")
    return safe.unseal_by(bytes(one.wrapped), one.sealed_for, "journal", "sealed", one.sealed)


def _parsed(one: Carried) -> Record | None:
    """The record; None where it cannot be read."""
    try:
        return parse(one.text)
    except Refusal:
        return None
