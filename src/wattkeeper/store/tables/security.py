"""Security: what was tried, what the audit found, and which rights are in use."""

from __future__ import annotations

from sqlalchemy import Index, Integer, Table

from wattkeeper.store.columns import Area, Instant, LargeBinary, Recipient, Text, kept
from wattkeeper.store.tables.ground import DAYS_90, LOG, L, N, about, metadata

security_event = Table(
    "security_event",
    metadata,
    kept("case", Text, "what was tried: operations/people/security.py", L, DAYS_90, primary_key=True),
    kept("subject", Text, "at which account or station, by its id; empty: nobody's", L, DAYS_90, primary_key=True),
    kept("at", Instant, "when it began", L, DAYS_90, primary_key=True),
    kept("last_at", Instant, "when it was last tried", L, DAYS_90),
    kept("count", Integer, "how often", L, DAYS_90),
    kept("origin", Text, "a keyed tag of where from, to know it again; * from several places", L, DAYS_90),
    Index("ix_security_event_last_at", "last_at"),
    info=about(Area.SECURITY, Recipient.NOBODY),
)

security_finding = Table(
    "security_finding",
    metadata,
    kept("id", Text, "a finding of the security audit", N, LOG, primary_key=True),
    kept("code", Text, "what is wrong: operations/security/codes.py", N, LOG),
    kept("subject", Text, "with which account, station, token or file, by its id", L, LOG),
    kept("severity", Text, "high, medium or low", N, LOG),
    kept("figures", Text, "what was measured, JSON, without names", N, LOG),
    kept("first_at", Instant, "when first seen", N, LOG),
    kept("last_at", Instant, "when last seen", N, LOG),
    kept("gone_at", Instant, "when it was not seen any more", N, LOG, nullable=True),
    kept("accepted_at", Instant, "when somebody accepted it", L, LOG, nullable=True),
    kept("accepted_by", Text, "who did, an account's id", L, LOG, nullable=True),
    kept("accepted_until", Instant, "until when that holds", L, LOG, nullable=True),
    kept("accepted_why", LargeBinary, "the reason given, sealed", L, LOG, under="house", nullable=True),
    Index("ix_security_finding_gone_at", "gone_at"),
    info=about(Area.SECURITY, Recipient.NOBODY),
)

security_audit = Table(
    "security_audit",
    metadata,
    kept("at", Instant, "one run of the security audit", N, LOG, primary_key=True, autoincrement=False),
    kept("by", Text, "who ran it: an account's id, the command line, or the house by itself", L, LOG),
    kept("checks", Text, "what was checked and what not, and why not, JSON", N, LOG),
    kept("found", Text, "how many findings of each severity, JSON", N, LOG),
    info=about(Area.SECURITY, Recipient.NOBODY),
)

scope_use = Table(
    "scope_use",
    metadata,
    kept("account_id", Text, "whose rights", L, DAYS_90, primary_key=True),
    kept("at", Instant, "on which day, its begin in UTC", L, DAYS_90, primary_key=True),
    kept("scopes", Text, "which of them were used, space-separated", L, DAYS_90),
    info=about(Area.SECURITY, Recipient.NOBODY),
)
