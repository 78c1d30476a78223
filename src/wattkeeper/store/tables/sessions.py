"""Sessions: the journal of all facts, what was folded from it, and prices."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Exact, Instant, LargeBinary, Recipient, Text, kept
from wattkeeper.store.tables.ground import SESSION, STATION, C, L, N, about, metadata

journal = Table(
    "journal",
    metadata,
    kept("n", BigInteger, "position in the order of all facts, without gaps", primary_key=True, autoincrement=False),
    kept("station_id", Text, "which station told it", N, STATION),
    kept("received_at", Instant, "our time when it came", L, SESSION),
    kept("at", Instant, "the station's time of the happening", L, SESSION, nullable=True),
    kept("kind", Text, "the class of the fact"),
    kept("session_id", Text, "the session it was found to belong to when recorded", C, SESSION, nullable=True),
    kept("evse", Integer, "the EVSE concerned", N, STATION, nullable=True),
    kept("body", Text, "the fact, JSON, tokens as pseudonyms", C, SESSION),
    kept("decided", Text, "what we decided on it: ids given, verdict, JSON", C, SESSION, nullable=True),
    kept("words", Text, "the station's words, JSON, tokens masked, free text taken out", C, SESSION),
    kept(
        "sealed",
        LargeBinary,
        "the free text taken out of the words, sealed",
        C,
        SESSION,
        nullable=True,
        under="sealed_for",
    ),
    kept("sealed_for", Text, "whose key seals it", C, SESSION, nullable=True),
    Index("ix_journal_station_id", "station_id", "received_at"),
    info=about(Area.SESSIONS, Recipient.HOSTS, Recipient.APPS),
)
"""A session's entries are found by its station and the span of our time in which it was told: one index, not two."""
Index(
    "ix_journal_alarms",
    journal.c.received_at,
    sqlite_where=journal.c.kind == "Alarmed",
    postgresql_where=journal.c.kind == "Alarmed",
)

session = Table(
    "session",
    metadata,
    kept("id", Text, "public id, without dashes", C, SESSION, primary_key=True),
    kept("station_id", Text, "where", C, SESSION),
    kept("evse", Integer, "at which EVSE", C, SESSION, nullable=True),
    kept("connector", Integer, "at which connector of it", C, SESSION, nullable=True),
    kept(
        "key", Text, "natural key within the station: a start by its content, a 2.x transaction by its id", C, SESSION
    ),
    kept("ref", Text, "the transaction id in the station's words", C, SESSION, nullable=True),
    kept("token", Text, "pseudonym of the token it ran on", C, SESSION, nullable=True),
    kept("state", Text, "where it is in its life", C, SESSION),
    kept("live", Boolean, "whether it still occupies its EVSE", C, SESSION),
    kept("grade", Text, "how good its evidence is", C, SESSION),
    kept("started_at", Instant, "the station's time of its start, or the first thing heard of it", C, SESSION),
    kept("ended_at", Instant, "the station's time of its end, or the estimate", C, SESSION, nullable=True),
    kept("energy_wh", Exact, "energy delivered, Wh", C, SESSION, nullable=True),
    kept("power_w", Exact, "power at the newest reading, W", C, SESSION, nullable=True),
    kept("known_at", Instant, "our time when it was first heard of", C, SESSION),
    kept("heard_at", Instant, "our time when it was last heard of", C, SESSION),
    kept("last_n", BigInteger, "the newest journal entry folded in", C, SESSION),
    kept("fold", Text, "the whole session as folded, JSON", C, SESSION),
    Index("uq_session_key", "key", "station_id", unique=True),
    Index("ix_session_ref", "ref"),
    Index("ix_session_started_at", "started_at", "id"),
    Index("ix_session_station", "station_id", "started_at"),
    Index("ix_session_known_at", "known_at"),
    Index("ix_session_token", "token"),
    info=about(Area.SESSIONS, Recipient.HOSTS, Recipient.APPS),
)
Index(
    "ix_session_live_token",
    session.c.token,
    sqlite_where=session.c.live,
    postgresql_where=session.c.live,
)
Index(
    "uq_session_live",
    session.c.station_id,
    session.c.evse,
    unique=True,
    sqlite_where=session.c.live,
    postgresql_where=session.c.live,
)


def _measured(name: str, unit: str) -> Column[Any]:
    """A measured value of a reading."""
    return kept(name, Exact, f"what the meter showed, {unit}", C, SESSION, nullable=True)


reading = Table(
    "reading",
    metadata,
    kept("n", BigInteger, "the journal entry that brought it", C, SESSION, primary_key=True, autoincrement=False),
    kept("place", Integer, "its place among the entry's readings", C, SESSION, primary_key=True, autoincrement=False),
    kept("station_id", Text, "which station", C, SESSION),
    kept("session_id", Text, "which session; empty for a reading outside of any", C, SESSION),
    kept("evse", Integer, "which EVSE; 0 is the main meter, -1 not told, or that of its session", C, SESSION),
    kept("at", Instant, "the station's time", C, SESSION),
    kept("context", Text, "why it was taken", C, SESSION),
    _measured("energy_wh", "Wh, imported register"),
    _measured("export_wh", "Wh, exported register"),
    _measured("interval_wh", "Wh since the reading before"),
    _measured("power_w", "W"),
    _measured("offered_w", "W"),
    _measured("current_a", "A, no phase named"),
    _measured("current_l1_a", "A"),
    _measured("current_l2_a", "A"),
    _measured("current_l3_a", "A"),
    _measured("offered_a", "A"),
    _measured("voltage_v", "V, no phase named"),
    _measured("voltage_l1_v", "V"),
    _measured("voltage_l2_v", "V"),
    _measured("voltage_l3_v", "V"),
    _measured("soc_percent", "percent"),
    _measured("temperature_c", "degrees Celsius"),
    kept("signed", Boolean, "whether a signed value came with it", C, SESSION),
    kept("rest", Text, "samples without a column, JSON", C, SESSION, nullable=True),
    sqlite_with_rowid=False,
    info=about(Area.SESSIONS, Recipient.HOSTS, Recipient.APPS),
)
"""In the order of the journal, so that adding is cheap; the writer keeps one row for each instant of a session."""
Index(
    "ix_reading_outside",
    *(reading.c.station_id, reading.c.at),
    sqlite_where=reading.c.session_id == "",
    postgresql_where=reading.c.session_id == "",
)

tariff = Table(
    "tariff",
    metadata,
    kept("id", Text, "which tariff", primary_key=True),
    kept("version", Integer, "its version; a changed tariff is a new one", primary_key=True, autoincrement=False),
    kept("content", Text, "the tariff in OCPI terms, JSON"),
    kept("valid_from", Instant, "sessions that started earlier keep the version before"),
    kept("created_by", Text, "who set it", L, to=Recipient.NOBODY),
    info=about(Area.MONEY, Recipient.DRIVERS),
)
