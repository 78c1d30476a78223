"""Alerts: rules, how things stand by them, episodes, and what is to be told of each to whom."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, Table

from wattkeeper.store.columns import Area, Exact, Instant, LargeBinary, Recipient, Text, kept
from wattkeeper.store.tables.ground import ACCOUNT, DAYS_90, HOUSE, LOG, NOBODY, STATION, L, N, about, metadata

alert_rule = Table(
    "alert_rule",
    metadata,
    kept("id", Text, "which rule", primary_key=True),
    kept("name", Text, "what people call it"),
    kept("kind", Text, "what is measured: charging/alerts/rule.py"),
    kept("reach", Text, "how far it goes: everywhere, site or station"),
    kept("subject", Text, "which site or station; empty: everything"),
    kept("raise_at", Exact, "an alert is raised at this, in the unit of its kind"),
    kept("clear_at", Exact, "and cleared at this"),
    kept("limit_kw", Exact, "of a peak: what 100 percent is, kW", nullable=True),
    kept("raise_after_s", Integer, "how long it must be so bad, seconds"),
    kept("clear_after_s", Integer, "how long it must be well again, seconds"),
    kept("apart_s", Integer, "the least time between two alerts about the same, seconds"),
    kept("is_below", Boolean, "whether low is bad"),
    kept("quiet", Text, "quiet hours, JSON"),
    kept("is_harm", Boolean, "whether it is told in quiet hours too"),
    kept("hooks", Text, "to which webhooks it is told, their ids, JSON"),
    kept("paused_at", Instant, "since when it rests", nullable=True),
    kept("deleted_at", Instant, "when it was taken away; its alerts stay", nullable=True),
    kept("created_at", Instant, "when it was made"),
    kept("created_by", Text, "who made it", L, LOG),
    info=about(Area.STATIONS, NOBODY),
)

alert_recipient = Table(
    "alert_recipient",
    metadata,
    kept("rule_id", Text, "whose alerts", L, ACCOUNT, primary_key=True),
    kept("account_id", Text, "who of the staff is told by mail", L, ACCOUNT, primary_key=True),
    info=about(Area.STATIONS, NOBODY),
)

alert_standing = Table(
    "alert_standing",
    metadata,
    kept("rule_id", Text, "by which rule", N, STATION, primary_key=True),
    kept("subject", Text, "what stands so: station:CP1, site:Linz, or empty", N, STATION, primary_key=True),
    kept("state", Text, "quiet, raised, acknowledged or cleared", N, STATION),
    kept("beyond_since", Instant, "since when it is bad, while nothing is raised", N, STATION, nullable=True),
    kept("within_since", Instant, "since when it is well again, while something is", N, STATION, nullable=True),
    kept("raised_at", Instant, "when an alert about it was last raised", N, STATION, nullable=True),
    info=about(Area.STATIONS, NOBODY),
)

alert = Table(
    "alert",
    metadata,
    kept("id", Text, "one episode, from raised to cleared", N, STATION, primary_key=True),
    kept("rule_id", Text, "by which rule", N, STATION),
    kept("kind", Text, "what was measured", N, STATION),
    kept("subject", Text, "about what: station:CP1, site:Linz, or empty", N, STATION),
    kept("station_id", Text, "at which station; empty: at none in particular", N, STATION),
    kept("site", Text, "at which site; empty: at none in particular", N, STATION),
    kept("value", Exact, "what was measured when it was raised, in the unit of its kind", N, STATION),
    kept("raise_at", Exact, "the threshold that it reached", N, STATION),
    kept("figures", Text, "what else was measured, JSON", N, STATION),
    kept("is_harm", Boolean, "whether it is told in quiet hours too", N, STATION),
    kept("raised_at", Instant, "when it was raised", N, STATION),
    kept("held_until", Instant, "until when quiet hours held what is to be told", N, STATION, nullable=True),
    kept("told_at", Instant, "when somebody was first told", N, STATION, nullable=True),
    kept("acknowledged_at", Instant, "when a person acknowledged it", L, LOG, nullable=True),
    kept("acknowledged_by", Text, "who did", L, LOG, nullable=True),
    kept("cleared_at", Instant, "when it was over", N, STATION, nullable=True),
    kept("ended", Text, "why: fell, or the rule was paused, changed or deleted, or it is gone", N, STATION),
    Index("ix_alert_raised_at", "raised_at", "id"),
    Index("ix_alert_subject", "rule_id", "subject", "raised_at"),
    info=about(Area.STATIONS, Recipient.MAIL, Recipient.HOOKS),
)
Index(
    "uq_alert_open",
    *(alert.c.rule_id, alert.c.subject),
    unique=True,
    sqlite_where=alert.c.cleared_at.is_(None),
    postgresql_where=alert.c.cleared_at.is_(None),
)
"""Never two episodes at once of one rule about one thing."""

alert_sending = Table(
    "alert_sending",
    metadata,
    kept("id", Text, "what is told to one, once; webhooks read it as webhook-id", L, DAYS_90, primary_key=True),
    kept("rule_id", Text, "by which rule", L, DAYS_90),
    kept("alert_id", Text, "of which episode; empty: a try", L, DAYS_90),
    kept("word", Text, "raised, cleared or test", L, DAYS_90),
    kept("account_id", Text, "to whom by mail; empty: by webhook", L, DAYS_90),
    kept("hook_id", Text, "to which webhook; empty: by mail", L, DAYS_90),
    kept("state", Text, "waiting, sent, given_up or dropped", L, DAYS_90),
    kept("tries", Integer, "how often it was tried", L, DAYS_90),
    kept("next_at", Instant, "when it is tried next", L, DAYS_90),
    kept("begun_at", Instant, "from when on it was tried: its day of tries", L, DAYS_90),
    kept("created_at", Instant, "when it was decided", L, DAYS_90),
    kept("sent_at", Instant, "when it was taken", L, DAYS_90, nullable=True),
    kept("answer", Text, "what came back last, never its body", L, DAYS_90),
    Index("ix_alert_sending_next_at", "state", "next_at"),
    Index("ix_alert_sending_alert_id", "alert_id"),
    info=about(Area.STATIONS, NOBODY),
)
Index(
    "uq_alert_sending_once",
    *(alert_sending.c[name] for name in ("alert_id", "word", "account_id", "hook_id")),
    unique=True,
    sqlite_where=alert_sending.c.alert_id != "",
    postgresql_where=alert_sending.c.alert_id != "",
)
"""Nobody is told one word of one episode as two things."""

alert_hook = Table(
    "alert_hook",
    metadata,
    kept("id", Text, "which webhook", primary_key=True),
    kept("name", Text, "what people call it"),
    kept("host", Text, "the host it leads to"),
    kept("sealed", LargeBinary, "its address and its secret, sealed", under=HOUSE, to=NOBODY),
    kept("ended_at", Instant, "since when nothing is sent there", nullable=True),
    kept("ended_why", Text, "why: answered 410"),
    kept("created_at", Instant, "when it was made"),
    kept("created_by", Text, "who made it", L, LOG),
    info=about(Area.STATIONS, NOBODY),
)
