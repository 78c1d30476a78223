"""What sessions come to when they are put together: by quarter hour, hour, day and month. Derived from the journal.

No person, card or session id stands in a total; `tallied` has what each session added, so that it can be taken back.
Sums are exact: whole millionths on both engines. Beside them: the terms of sites, entered by people.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Exact, Instant, Text, kept
from wattkeeper.store.tables.ground import NOBODY, SESSION, STATION, C, L, N, about, metadata


def _spans() -> tuple[Column[Any], ...]:
    """How long cars stood and what they drew, of all that fell into a span."""
    return (
        kept("plugged_s", Exact, "seconds in which a car was plugged in", N, STATION),
        kept("charging_s", Exact, "seconds in which energy flowed", N, STATION),
        kept("idle_s", Exact, "seconds in which a car stood plugged in after the last energy", N, STATION),
        kept("energy_wh", Exact, "energy delivered, Wh", N, STATION),
        kept("gross_minor", BigInteger, "billed for it with tax, minor units of the installation's money", N, STATION),
        kept("sessions", Integer, "sessions that began in it", N, STATION),
    )


load_quarter = Table(
    "load_quarter",
    metadata,
    kept("site", Text, "which site; empty: stations without one", N, STATION, primary_key=True),
    kept("at", Instant, "the quarter hour's beginning", N, STATION, primary_key=True),
    kept("energy_wh", Exact, "energy delivered in it, Wh", N, STATION),
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
stay_count = Table(
    "stay_count",
    metadata,
    kept("site", Text, "which site", N, STATION, primary_key=True),
    kept("month", Text, "in which month the stay began", N, STATION, primary_key=True),
    kept("quarters", Integer, "how many whole quarter hours it lasted", N, STATION, primary_key=True),
    kept("sessions", Integer, "how many did", N, STATION),
    info=about(Area.STATIONS, NOBODY),
)
tallied = Table(
    "tallied",
    metadata,
    kept("session_id", Text, "which session", C, SESSION, primary_key=True),
    kept("site", Text, "the site for which it was counted", C, SESSION),
    kept("at", Instant, "when it was counted last", L, SESSION),
    kept("share", Text, "what it added, JSON", C, SESSION),
    info=about(Area.SESSIONS, NOBODY),
)
untallied = Table(
    "untallied",
    metadata,
    kept("session_id", Text, "which session is to be counted again", C, SESSION, primary_key=True),
    kept("at", Instant, "not before this instant", C, SESSION),
    Index("ix_untallied_at", "at"),
    info=about(Area.SESSIONS, NOBODY),
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
