"""Stations: who may connect, what they told of themselves, what they were asked to do."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Exact, Instant, LargeBinary, Recipient, Text, kept
from wattkeeper.store.tables.ground import DAYS_30, DAYS_90, HOUSE, STATION, L, N, about, metadata

station = Table(
    "station",
    metadata,
    kept("id", Text, "the identity in its connection URL", N, STATION, primary_key=True),
    kept("label", Text, "its name for people", N, STATION),
    kept("site", Text, "where it stands", N, STATION),
    kept("salt", LargeBinary, "salt of its key", N, STATION),
    kept("key_hash", LargeBinary, "HMAC of its key; the key itself is shown once and never kept", N, STATION),
    kept("key_version", Integer, "the version of the pepper in that", N, STATION, server_default="1"),
    kept("max_power_w", Exact, "the most power one of its EVSEs can deliver, W", N, STATION, nullable=True),
    kept("address", Text, "street and town, for drivers", N, STATION),
    kept("latitude", Exact, "degrees north", N, STATION, nullable=True),
    kept("longitude", Exact, "degrees east", N, STATION, nullable=True),
    kept("plugs", Text, "the plug of each EVSE, JSON: OCPI ConnectorType by number", N, STATION, nullable=True),
    kept("is_listed", Boolean, "whether drivers find it in the app", N, STATION),
    kept("mark", Text, "what printed codes call it; another one ends the codes before", N, STATION, nullable=True),
    kept("created_at", Instant, "when it was admitted", N, STATION),
    kept("created_by", Text, "who admitted it", L, STATION, to=Recipient.NOBODY),
    Index("uq_station_mark", "mark", unique=True),
    info=about(Area.STATIONS, Recipient.DRIVERS),
)

placement = Table(
    "placement",
    metadata,
    kept("station_id", Text, "which station", primary_key=True),
    kept("since", Instant, "from when on it stood there; the first of a station: always", primary_key=True),
    kept("until", Instant, "until when; null: it stands there", nullable=True),
    kept("site", Text, "at which site; empty: at none that has a name"),
    kept("address", Text, "street and town there, once it has left; null while it stands there", nullable=True),
    kept("latitude", Exact, "degrees north there, once it has left", nullable=True),
    kept("longitude", Exact, "degrees east there, once it has left", nullable=True),
    Index("ix_placement_site", "site"),
    info=about(Area.STATIONS, Recipient.NOBODY),
)
"""Of a station the stretches follow one another without a gap; they stay when it is removed, as its sessions do."""

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
    info=about(Area.STATIONS, Recipient.DRIVERS),
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
    info=about(Area.STATIONS, Recipient.DRIVERS),
)

orders = Table(
    "orders",
    metadata,
    kept("id", Text, "public id of the order", L, DAYS_90, primary_key=True),
    kept("station_id", Text, "to which station", N, DAYS_90),
    kept("kind", Text, "the class of the order", N, DAYS_90),
    kept("action", Text, "the standard's word, once it was sent", N, DAYS_90, nullable=True),
    kept("sealed", LargeBinary, "the order itself, sealed: it may hold a token or a key", L, DAYS_90, under=HOUSE),
    kept("words", Text, "what was sent, JSON, tokens and keys masked", L, DAYS_90, nullable=True),
    kept("state", Text, "queued, sent, answered or expired", N, DAYS_90),
    kept("outcome", Text, "accepted, rejected, error or timeout", N, DAYS_90, nullable=True),
    kept("summary", Text, "the outcome in a line", N, DAYS_90, nullable=True),
    kept("answer", LargeBinary, "the station's answer, sealed", L, DAYS_90, nullable=True, under=HOUSE),
    kept("by", Text, "who asked", L, DAYS_90),
    kept("created_at", Instant, "when asked", L, DAYS_90),
    kept("sent_at", Instant, "when put on the wire", N, DAYS_90, nullable=True),
    kept("settled_at", Instant, "when answered or expired", N, DAYS_90, nullable=True),
    kept("expires_at", Instant, "when it is no longer worth sending", N, DAYS_90),
    Index("ix_orders_station_id", "station_id", "state"),
    Index("ix_orders_created_at", "created_at", "id"),
    info=about(Area.STATIONS, Recipient.STATIONS),
)

knock = Table(
    "knock",
    metadata,
    kept("station_id", Text, "the identity it called itself", N, DAYS_30, primary_key=True),
    kept("address", Text, "where from", L, DAYS_30),
    kept("offered", Text, "the dialects it offered", N, DAYS_30),
    kept("tries", Integer, "how often", N, DAYS_30),
    kept("first_at", Instant, "first", N, DAYS_30),
    kept("last_at", Instant, "last", N, DAYS_30),
    kept("dismissed", Boolean, "whether a person turned it away", N, DAYS_30),
    info=about(Area.STATIONS, Recipient.NOBODY),
)
