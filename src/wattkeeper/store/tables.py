"""Every table, and for every column its purpose, legal basis and retention.

`journal` is the truth; `DERIVED` can be dropped and folded again from it (``wattkeeper rebuild``).
Instants are integer microseconds since 1970 UTC, measured values integer millionths of the unit in the name.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Table

from wattkeeper.store.columns import Basis, BigInteger, Exact, Instant, LargeBinary, Retention, Text, kept

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

C, L, N = Basis.CONTRACT, Basis.LEGITIMATE, Basis.NONE
STATION, SESSION, ACCOUNT = Retention.STATION, Retention.SESSION, Retention.ACCOUNT

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
    kept("sealed", LargeBinary, "the free text taken out of the words, sealed", C, SESSION, nullable=True),
    kept("sealed_for", Text, "whose key seals it", C, SESSION, nullable=True),
    Index("ix_journal_station_id", "station_id", "received_at"),
)
"""A session's entries are found by its station and the span of our time in which it was told: one index, not two."""
Index(
    "ix_journal_alarms",
    journal.c.received_at,
    sqlite_where=journal.c.kind == "Alarmed",
    postgresql_where=journal.c.kind == "Alarmed",
)

station = Table(
    "station",
    metadata,
    kept("id", Text, "the identity in its connection URL", N, STATION, primary_key=True),
    kept("label", Text, "its name for people", N, STATION),
    kept("site", Text, "where it stands", N, STATION),
    kept("salt", LargeBinary, "salt of its key", N, STATION),
    kept("key_hash", LargeBinary, "HMAC of its key; the key itself is shown once and never kept", N, STATION),
    kept("max_power_w", Exact, "the most power one of its EVSEs can deliver, W", N, STATION, nullable=True),
    kept("created_at", Instant, "when it was admitted", N, STATION),
    kept("created_by", Text, "who admitted it", L, STATION),
)

# What stations told of themselves; derived from the journal.
station_state = Table(
    "station_state",
    metadata,
    kept("station_id", Text, "which station", N, STATION, primary_key=True),
    kept("version", Text, "the dialect of its newest connection", N, STATION, nullable=True),
    kept("online", Boolean, "whether it is connected", N, STATION),
    kept("online_since", Instant, "since when it is or is not connected", N, STATION, nullable=True),
    kept("last_heard_at", Instant, "our time of its newest message", N, STATION, nullable=True),
    kept("booted_at", Instant, "our time of its newest boot", N, STATION, nullable=True),
    kept("vendor", Text, "as it told at boot", N, STATION, nullable=True),
    kept("model", Text, "as it told at boot", N, STATION, nullable=True),
    kept("serial", Text, "as it told at boot", N, STATION, nullable=True),
    kept("firmware", Text, "as it told at boot", N, STATION, nullable=True),
    kept("displays_messages", Boolean, "whether it can show messages", N, STATION),
    kept("last_n", BigInteger, "the newest journal entry folded in", N, STATION),
)

connector = Table(
    "connector",
    metadata,
    kept("station_id", Text, "which station", N, STATION, primary_key=True),
    kept("evse", Integer, "which EVSE; 0 is the station as a whole", N, STATION, primary_key=True, autoincrement=False),
    kept("connector", Integer, "which connector of it", N, STATION, primary_key=True, autoincrement=False),
    kept("status", Text, "what it is doing", N, STATION),
    kept("said", Text, "the station's word for it", N, STATION),
    kept("error", Text, "the station's error code", N, STATION, nullable=True),
    kept("info", Text, "the station's remark", N, STATION, nullable=True),
    kept("since", Instant, "our time when this was told first", N, STATION),
    kept("told_at", Instant, "the station's time of the change; older news never replaces newer", N, STATION),
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
    Index("ix_session_token", "token"),
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
)
"""In the order of the journal, so that adding is cheap; the writer keeps one row for each instant of a session."""
Index(
    "ix_reading_outside",
    *(reading.c.station_id, reading.c.at),
    sqlite_where=reading.c.session_id == "",
    postgresql_where=reading.c.session_id == "",
)

card = Table(
    "card",
    metadata,
    kept("ref", Text, "pseudonym: keyed hash of the canonical number", C, ACCOUNT, primary_key=True),
    kept("person_id", Text, "whose it is", C, ACCOUNT),
    kept("sealed", LargeBinary, "the number, sealed under the person's key", C, ACCOUNT),
    kept("last2", Text, "the last two characters, for support", C, ACCOUNT),
    kept("state", Text, "active or blocked", C, ACCOUNT),
    kept("expires_at", Instant, "until when it is good", C, ACCOUNT, nullable=True),
    kept("grouping", Text, "the group it belongs to", C, ACCOUNT, nullable=True),
    kept("max_sessions", Integer, "how many sessions may run on it at once", C, ACCOUNT),
    kept("created_at", Instant, "when it was enrolled", C, ACCOUNT),
)

person = Table(
    "person",
    metadata,
    kept("id", Text, "a person, without a name", C, ACCOUNT, primary_key=True),
    kept("sealed", LargeBinary, "name and contact, sealed under the person's key", C, ACCOUNT, nullable=True),
    kept("created_at", Instant, "when first known", C, ACCOUNT),
)

subject_key = Table(
    "subject_key",
    metadata,
    kept("subject", Text, "a person's id, or 'installation'", C, ACCOUNT, primary_key=True),
    kept("wrapped", LargeBinary, "its key, wrapped by the key above it", C, ACCOUNT),
    kept("created_at", Instant, "when made", C, ACCOUNT),
)

orders = Table(
    "orders",
    metadata,
    kept("id", Text, "public id of the order", L, Retention.DAYS_90, primary_key=True),
    kept("station_id", Text, "to which station", N, Retention.DAYS_90),
    kept("kind", Text, "the class of the order", N, Retention.DAYS_90),
    kept("action", Text, "the standard's word, once it was sent", N, Retention.DAYS_90, nullable=True),
    kept("sealed", LargeBinary, "the order itself, sealed: it may hold a token or a key", L, Retention.DAYS_90),
    kept("words", Text, "what was sent, JSON, tokens and keys masked", L, Retention.DAYS_90, nullable=True),
    kept("state", Text, "queued, sent, answered or expired", N, Retention.DAYS_90),
    kept("outcome", Text, "accepted, rejected, error or timeout", N, Retention.DAYS_90, nullable=True),
    kept("summary", Text, "the outcome in a line", N, Retention.DAYS_90, nullable=True),
    kept("answer", LargeBinary, "the station's answer, sealed", L, Retention.DAYS_90, nullable=True),
    kept("by", Text, "who asked", L, Retention.DAYS_90),
    kept("created_at", Instant, "when asked", L, Retention.DAYS_90),
    kept("sent_at", Instant, "when put on the wire", N, Retention.DAYS_90, nullable=True),
    kept("settled_at", Instant, "when answered or expired", N, Retention.DAYS_90, nullable=True),
    kept("expires_at", Instant, "when it is no longer worth sending", N, Retention.DAYS_90),
    Index("ix_orders_station_id", "station_id", "state"),
    Index("ix_orders_created_at", "created_at", "id"),
)

knock = Table(
    "knock",
    metadata,
    kept("station_id", Text, "the identity it called itself", N, Retention.DAYS_30, primary_key=True),
    kept("address", Text, "where from", L, Retention.DAYS_30),
    kept("offered", Text, "the dialects it offered", N, Retention.DAYS_30),
    kept("tries", Integer, "how often", N, Retention.DAYS_30),
    kept("first_at", Instant, "first", N, Retention.DAYS_30),
    kept("last_at", Instant, "last", N, Retention.DAYS_30),
    kept("dismissed", Boolean, "whether a person turned it away", N, Retention.DAYS_30),
)

account = Table(
    "account",
    metadata,
    kept("name", Text, "sign-in name of staff", C, ACCOUNT, primary_key=True),
    kept("password_hash", Text, "argon2id", C, ACCOUNT),
    kept("role", Text, "what it may do", C, ACCOUNT),
    kept("created_at", Instant, "when made", C, ACCOUNT),
)

login = Table(
    "login",
    metadata,
    kept("token_hash", LargeBinary, "SHA-256 of the 256-bit cookie value", C, Retention.DAYS_30, primary_key=True),
    kept("account", Text, "who signed in", C, Retention.DAYS_30),
    kept("created_at", Instant, "when", C, Retention.DAYS_30),
    kept("expires_at", Instant, "until when", C, Retention.DAYS_30),
)

api_token = Table(
    "api_token",
    metadata,
    kept("id", Text, "its public id", C, ACCOUNT, primary_key=True),
    kept("token_hash", LargeBinary, "SHA-256 of the 256-bit token", C, ACCOUNT, unique=True),
    kept("name", Text, "what it is for", C, ACCOUNT),
    kept("scopes", Text, "what it may do, space-separated", C, ACCOUNT),
    kept("created_at", Instant, "when made", C, ACCOUNT),
    kept("expires_at", Instant, "until when", C, ACCOUNT, nullable=True),
    kept("last_used_at", Instant, "when last used, to the minute", L, ACCOUNT, nullable=True),
)

DERIVED = (station_state, connector, session, reading)
"""What `rebuild` drops and folds again."""
