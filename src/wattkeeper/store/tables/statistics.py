"""What sessions come to when they are put together: by quarter hour, hour, day and month. Derived from the journal.

No person, card or session id stands in a total; `tallied` has what each session added, so that it can be taken back.
Sums are exact: whole millionths on both engines. Beside them: the terms of sites, entered by people.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Exact, Instant, LargeBinary, Text, kept
from wattkeeper.store.tables.ground import HOUSE, NOBODY, SESSION, STATION, C, L, N, about, metadata


def _spans() -> tuple[Column[Any], ...]:
    """How long cars stood and what they drew, of all that fell into a span."""
    return (
        kept("plugged_s", Exact, "seconds in which a car was plugged in", N, STATION),
        kept("charging_s", Exact, "seconds in which energy flowed", N, STATION),
        kept("idle_s", Exact, "seconds in which a car stood plugged in after the last energy", N, STATION),
        kept("energy_wh", Exact, "energy delivered, Wh", N, STATION),
        kept("gross_minor", BigInteger, "billed for it with tax, minor units of the installation's money", N, STATION),
        kept("sessions", Integer, "sessions that began in it", N, STATION),
        kept("unknown_s", Exact, "seconds plugged in, of sessions of which nobody knows when they charged", N, STATION),
        kept("unknown", Integer, "such sessions that began in it", N, STATION),
    )


load_quarter = Table(
    "load_quarter",
    metadata,
    kept("site", Text, "which site; empty: stations without one", N, STATION, primary_key=True),
    kept("at", Instant, "the quarter hour's beginning", N, STATION, primary_key=True),
    kept("energy_wh", Exact, "energy delivered in it, Wh", N, STATION),
    kept("spread_wh", Exact, "of it, what came between readings that lie far apart, Wh", N, STATION),
    info=about(Area.STATIONS, NOBODY),
)
tally_hour = Table(
    "tally_hour",
    metadata,
    kept("site", Text, "which site; empty: stations without one", N, STATION, primary_key=True),
    kept("at", Instant, "the hour's beginning", N, STATION, primary_key=True),
    *_spans(),
    info=about(Area.STATIONS, NOBODY),
)
Index("ix_tally_hour_at", tally_hour.c.at)


def _by_connector(name: str, span: str, purpose: str) -> Table:
    """Totals of connectors by a span of the installation's calendar."""
    return Table(
        name,
        metadata,
        kept("site", Text, "where the station stood then; empty: no site", N, STATION, primary_key=True),
        kept("station_id", Text, "at which station", N, STATION, primary_key=True),
        kept("evse", Integer, "at which EVSE; 0: not told", N, STATION, primary_key=True, autoincrement=False),
        kept("connector", Integer, "which connector; 0: not told", N, STATION, primary_key=True, autoincrement=False),
        kept(span, Text, purpose, N, STATION, primary_key=True),
        *_spans(),
        kept("ended", Integer, "of these sessions, those that have ended", N, STATION),
        kept("empty", Integer, "of these, those that brought no energy", N, STATION),
        kept("stayed_s", Exact, "how long the sessions that began in it stayed plugged in, seconds", N, STATION),
        Index(f"ix_{name}_{span}", span),
        info=about(Area.STATIONS, NOBODY),
    )


tally_day = _by_connector("tally_day", "day", "the day where the installation is, such as 2026-03-01")
tally_month = _by_connector("tally_month", "month", "the month where the installation is, such as 2026-03")


def _stays(name: str, span: str, purpose: str) -> Table:
    """How long cars stayed, by a span of the installation's calendar."""
    return Table(
        name,
        metadata,
        kept("site", Text, "which site", N, STATION, primary_key=True),
        kept(span, Text, purpose, N, STATION, primary_key=True),
        kept("quarters", Integer, "how many whole quarter hours it lasted", N, STATION, primary_key=True),
        kept("sessions", Integer, "how many did", N, STATION),
        Index(f"ix_{name}_{span}", span),
        info=about(Area.STATIONS, NOBODY),
    )


stay_day = _stays("stay_day", "day", "on which day the stay began")
stay_count = _stays("stay_count", "month", "in which month the stay began")
tallied = Table(
    "tallied",
    metadata,
    kept("session_id", Text, "which session", C, SESSION, primary_key=True),
    kept("site", Text, "the site for which it was counted", C, SESSION),
    kept("at", Instant, "when it was counted last", L, SESSION),
    kept("until", Instant, "until when its car was plugged in", C, SESSION),
    kept("share", Text, "what it added, JSON", C, SESSION),
    info=about(Area.SESSIONS, NOBODY),
)
untallied = Table(
    "untallied",
    metadata,
    kept("session_id", Text, "which session is to be counted again", C, SESSION, primary_key=True),
    kept("at", Instant, "not before this instant", C, SESSION),
    kept("since", Instant, "since when what was told of it is not counted; empty: all is", C, SESSION, nullable=True),
    Index("ix_untallied_at", "at"),
    Index("ix_untallied_since", "since"),
    info=about(Area.SESSIONS, NOBODY),
)
counted_zone = Table(
    "counted_zone",
    metadata,
    kept("name", Text, "what is counted: totals, or reliability", primary_key=True),
    kept("zone", Text, "by the clock of which zone its days and months are, such as Europe/Vienna"),
    info=about(Area.STATIONS, NOBODY),
)
site_terms = Table(
    "site_terms",
    metadata,
    kept("n", Integer, "one statement of terms, in the order they were made", N, primary_key=True, autoincrement=False),
    kept("site", Text, "of which site; empty: stations without one"),
    kept("since", Text, "from which day on they hold, such as 2026-01-01; empty: always", nullable=True),
    kept("currency", Text, "the money of the prices, ISO 4217"),
    kept("peak_minor_per_kw", Exact, "charged for each kW of a month's peak, minor units", nullable=True),
    kept("energy_minor_per_kwh", Exact, "the price of energy, minor units for a kWh", nullable=True),
    kept("windows", Text, "times of day with another price, JSON"),
    kept("limit_w", Exact, "what the connection to the grid bears, W", nullable=True),
    kept("carbon", Text, "carbon dioxide of the grid, g/kWh: none, one, or 24 by hour of the day, JSON"),
    kept("created_at", Instant, "when they were entered"),
    kept("created_by", Text, "by whom", L),
    Index("ix_site_terms_site", "site", "n"),
    info=about(Area.STATIONS, NOBODY),
)
"""Never changed: what holds is the newest whose day has come."""
grid_carbon = Table(
    "grid_carbon",
    metadata,
    kept("site", Text, "at which site; empty: stations without one", primary_key=True),
    kept("at", Instant, "the hour's beginning", primary_key=True),
    kept("g_per_kwh", Exact, "carbon dioxide of the grid in it, g/kWh"),
    info=about(Area.STATIONS, NOBODY),
)

# --- reliability: when ports could not be used, what was tried at them, what staff say does not count ----------------

port = Table(
    "port",
    metadata,
    kept("station_id", Text, "at which station", N, STATION, primary_key=True),
    kept(
        "evse", Integer, "which EVSE; 0: the station, -1: its line", N, STATION, primary_key=True, autoincrement=False
    ),
    kept("connector", Integer, "which connector of it", N, STATION, primary_key=True, autoincrement=False),
    kept("first_at", Instant, "for when something was told of it first", N, STATION),
    info=about(Area.STATIONS, NOBODY),
)
port_word = Table(
    "port_word",
    metadata,
    kept("n", BigInteger, "the journal entry that told it", N, STATION, primary_key=True, autoincrement=False),
    kept("station_id", Text, "at which station", N, STATION),
    kept("evse", Integer, "of which EVSE; 0: the station, -1: its connection", N, STATION),
    kept("connector", Integer, "of which connector", N, STATION),
    kept("at", Instant, "for when it holds", N, STATION),
    kept("said", Text, "a status, that it is connected or not, or that a session began", N, STATION),
    kept("error", Text, "the station's error code; empty: none", N, STATION),
    Index("ix_port_word_connector", "station_id", "evse", "connector", "at", "n"),
    Index("ix_port_word_at", "station_id", "at"),
    info=about(Area.STATIONS, NOBODY),
)
outage = Table(
    "outage",
    metadata,
    kept("station_id", Text, "at which station", N, STATION, primary_key=True),
    kept("evse", Integer, "which EVSE could not be used", N, STATION, primary_key=True, autoincrement=False),
    kept("since", Instant, "from when on, for this cause", N, STATION, primary_key=True),
    kept("until", Instant, "until when; null: it goes on", N, STATION, nullable=True),
    kept("cause", Text, "faulted, unavailable or offline", N, STATION),
    kept("error", Text, "the station's error code; empty: none", N, STATION),
    kept("began", Instant, "since when the port was out, for whatever cause", N, STATION),
    kept("fault_at", Instant, "the first word of a fault in it", N, STATION, nullable=True),
    kept("is_over", Boolean, "whether the port could be used after it", N, STATION),
    Index("ix_outage_until", "station_id", "until"),
    Index("ix_outage_since", "since"),
    info=about(Area.STATIONS, NOBODY),
)
Index(
    "ix_outage_open",
    outage.c.station_id,
    sqlite_where=outage.c.until.is_(None),
    postgresql_where=outage.c.until.is_(None),
)
attempt = Table(
    "attempt",
    metadata,
    kept("station_id", Text, "at which station", N, SESSION, primary_key=True),
    kept("kind", Text, "a plug-in, a session, a tap or a start from here", N, SESSION, primary_key=True),
    kept("name", Text, "its session, journal entry, or EVSE and beginning", C, SESSION, primary_key=True),
    kept("evse", Integer, "at which EVSE; 0: not told", N, SESSION),
    kept("since", Instant, "when it began", N, SESSION),
    kept("until", Instant, "when it was over; null: it goes on", N, SESSION, nullable=True),
    kept("reason", Text, "what became of it", N, SESSION),
    kept("session_id", Text, "the session, where it is one", C, SESSION, nullable=True),
    Index("ix_attempt_port", "station_id", "kind", "evse", "until"),
    Index("ix_attempt_reason", "kind", "reason", "since"),
    info=about(Area.SESSIONS, NOBODY),
)


def _attempts(name: str, span: str, purpose: str) -> Table:
    """How many attempts became what, by a span of the installation's calendar."""
    return Table(
        name,
        metadata,
        kept("station_id", Text, "at which station", N, STATION, primary_key=True),
        kept("evse", Integer, "at which EVSE; 0: not told", N, STATION, primary_key=True, autoincrement=False),
        kept(span, Text, purpose, N, STATION, primary_key=True),
        kept("kind", Text, "what was tried", N, STATION, primary_key=True),
        kept("reason", Text, "what became of it", N, STATION, primary_key=True),
        kept("attempts", Integer, "how many that are over", N, STATION),
        Index(f"ix_{name}_{span}", span),
        info=about(Area.STATIONS, NOBODY),
    )


attempt_day = _attempts("attempt_day", "day", "on which day where the installation is, such as 2026-03-01")
attempt_month = _attempts("attempt_month", "month", "in which month where the installation is, such as 2026-03")
unreckoned = Table(
    "unreckoned",
    metadata,
    kept("station_id", Text, "which station is to be reckoned again", N, STATION, primary_key=True),
    kept("since", Instant, "from which instant on", N, STATION),
    info=about(Area.STATIONS, NOBODY),
)
exclusion = Table(
    "exclusion",
    metadata,
    kept("id", Text, "one span that does not count", N, STATION, primary_key=True),
    kept("station_id", Text, "at which station", N, STATION),
    kept("evse", Integer, "which EVSE", N, STATION),
    kept("since", Instant, "from when", N, STATION),
    kept("until", Instant, "until when", N, STATION),
    kept("reason", Text, "why, as 23 CFR 680.116(b)(3) has it", N, STATION),
    kept("sealed", LargeBinary, "what shows it, in the words of who excluded it, sealed", L, STATION, under=HOUSE),
    kept("created_at", Instant, "when it was excluded", L, STATION),
    kept("created_by", Text, "who excluded it", L, STATION),
    Index("ix_exclusion_station_id", "station_id", "evse", "since"),
    info=about(Area.STATIONS, NOBODY),
)
