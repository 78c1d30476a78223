"""Journal entries as they are written and replayed: the fact, what was decided on it, the station's words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging import facts
from wattkeeper.charging.facts import Fact
from wattkeeper.store.columns import to_micros
from wattkeeper.store.tables import journal
from wattkeeper.store.unit import Unit

KINDS: dict[str, type[Fact]] = {
    name: kind for name, kind in vars(facts).items() if isinstance(kind, type) and issubclass(kind, Fact)
}
"""Every class of fact by its name, as the column ``kind`` has it."""
_ENCODER = msgspec.json.Encoder(enc_hook=str)  # a phrase is kept in English
_DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}


class Decided(msgspec.Struct, frozen=True, omit_defaults=True):
    """What we decided on a fact when it was recorded; a rebuild repeats it instead of deciding again."""

    session: str | None = None
    opens: bool = False
    """Whether the session was made for this fact."""
    ref: str | None = None
    """The transaction id that a 1.6 start was given."""
    verdict: str | None = None
    reason: str | None = None
    """The verdict's reason in words."""
    max_power_w: str | None = None
    ahead_s: int = 0


class Entry(msgspec.Struct, frozen=True):
    """One entry of the journal."""

    n: int
    station: str
    received_at: datetime
    fact: Fact
    decided: Decided
    words: bytes = b"{}"
    sealed: bytes | None = None
    sealed_for: str | None = None


NOTHING = Decided()
_decode_decided = msgspec.json.Decoder(Decided).decode


def append(unit: Unit, entry: Entry) -> None:
    """Add the entry at the unit's next flush."""
    fact, decided = entry.fact, entry.decided
    row = (
        entry.n,
        entry.station,
        to_micros(entry.received_at),
        None if fact.at is None else to_micros(fact.at),
        type(fact).__name__,
        decided.session,
        getattr(fact, "evse", None),
        _ENCODER.encode(fact).decode(),
        None if decided is NOTHING else _ENCODER.encode(decided).decode(),
        entry.words.decode(),
        entry.sealed,
        entry.sealed_for,
    )
    unit.insert(journal, row)


def entry_of(row: Any) -> Entry:
    """The entry of a journal row."""
    return Entry(
        n=row.n,
        station=row.station_id,
        received_at=row.received_at,
        fact=_DECODERS[row.kind].decode(row.body),
        decided=_decode_decided(row.decided) if row.decided else NOTHING,
    )


async def batch_after(connection: AsyncConnection, n: int, limit: int) -> list[Entry]:
    """Up to ``limit`` entries after n, and then on to the end of the commit that holds the last of them."""
    query = select(journal).where(journal.c.n > n).order_by(journal.c.n)
    rows = list((await connection.execute(query.limit(limit))).all())
    if len(rows) == limit:
        later = query.where(journal.c.n > rows[-1].n, journal.c.received_at == rows[-1].received_at)
        same = (await connection.execute(later)).all()
        rows += (row for place, row in enumerate(same, rows[-1].n + 1) if row.n == place)
    return [entry_of(row) for row in rows]
