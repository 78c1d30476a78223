"""Who did it, as it is shown: records name people by their account's id alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from wattkeeper.charging.facts import OrderSettled, SessionEstimated
from wattkeeper.charging.person import Viewer
from wattkeeper.operations.people.names import Names
from wattkeeper.store.journal import Entry


async def named(names: Names, viewer: Viewer, entries: Sequence[Entry]) -> list[Entry]:
    """Entries whose facts say who did it by the name that the viewer may know them by."""
    done = [entry.fact for entry in entries if isinstance(entry.fact, OrderSettled | SessionEstimated)]
    said = await names.said(viewer, (fact.by for fact in done))
    return [_named(entry, said) for entry in entries]


def _named(entry: Entry, said: dict[str, str]) -> Entry:
    """An entry with its fact's `by` as it is said."""
    fact = entry.fact
    if isinstance(fact, OrderSettled | SessionEstimated):
        return replace(entry, fact=msgspec.structs.replace(fact, by=said[fact.by]))
    return entry
