"""Signed meter values: the keys of meters, where values must be signed, and records that were seen.

A meter's public key is no secret. It is pinned by people, with the paper that came with the meter in hand.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Instant, Recipient, Text, kept
from wattkeeper.store.tables.ground import SESSION, STATION, C, L, N, about, metadata

meter_key = Table(
    "meter_key",
    metadata,
    kept("id", Text, "which key", N, STATION, primary_key=True),
    kept("station_id", Text, "at which station", N, STATION),
    kept("evse", Integer, "at which of its EVSEs", N, STATION),
    kept("serial", Text, "of which meter, as its records name it", N, STATION),
    kept("key", Text, "the public key, hexadecimal", N, STATION),
    kept("curve", Text, "its curve", N, STATION),
    kept("mark", Text, "its fingerprint", N, STATION),
    kept("since", Instant, "for sessions that began from then on", N, STATION),
    kept("until", Instant, "and before this; empty: still", N, STATION, nullable=True),
    kept("created_at", Instant, "when it was pinned", N, STATION),
    kept("created_by", Text, "who pinned it", L, STATION),
    kept("ended_by", Text, "who ended it", L, STATION, nullable=True),
    info=about(Area.STATIONS, Recipient.NOBODY),
)
"""A key is never changed: another one ends it, and both stay."""
Index("ix_meter_key_station", meter_key.c.station_id, meter_key.c.evse)
Index("ix_meter_key_serial", meter_key.c.serial)

meter_rule = Table(
    "meter_rule",
    metadata,
    kept("n", Integer, "one ruling, in the order they were made", N, STATION, primary_key=True, autoincrement=False),
    kept("station_id", Text, "at which station", N, STATION),
    kept("evse", Integer, "at which of its EVSEs; 0: at all that have no ruling of their own", N, STATION),
    kept("is_required", Boolean, "whether meter values must be signed", N, STATION),
    kept("since", Instant, "for sessions that began from then on", N, STATION),
    kept("created_by", Text, "who ruled so", L, STATION),
    info=about(Area.STATIONS, Recipient.NOBODY),
)
Index("ix_meter_rule_station", meter_rule.c.station_id)

unchecked = Table(
    "unchecked",
    metadata,
    kept("session_id", Text, "whose signed values are to be checked", C, SESSION, primary_key=True),
    kept("at", Instant, "since when, or not before", C, SESSION),
    info=about(Area.SESSIONS, Recipient.NOBODY),
)

# Derived from the journal.

signed_record = Table(
    "signed_record",
    metadata,
    kept("session_id", Text, "in which session it was told", C, SESSION, primary_key=True),
    kept("mark", Text, "a keyed mark of what was signed", C, SESSION, primary_key=True),
    kept("key", Text, "the fingerprint of the key under which it holds", C, SESSION),
    kept("page", Text, "its pagination, such as T17", C, SESSION),
    kept("n", BigInteger, "the journal entry that brought it", C, SESSION),
    info=about(Area.SESSIONS, Recipient.APPS),
)
Index("ix_signed_record_mark", signed_record.c.mark)
Index("ix_signed_record_page", signed_record.c.key, signed_record.c.page)

offered_key = Table(
    "offered_key",
    metadata,
    kept("station_id", Text, "which station sent it", N, STATION, primary_key=True),
    kept("evse", Integer, "at which of its EVSEs", N, STATION, primary_key=True, autoincrement=False),
    kept(
        "key",
        Text,
        "the public key that came with values, hexadecimal; never checked with",
        N,
        STATION,
        primary_key=True,
    ),
    kept("seen_at", Instant, "our time when it came last", N, STATION),
    info=about(Area.STATIONS, Recipient.NOBODY),
)
