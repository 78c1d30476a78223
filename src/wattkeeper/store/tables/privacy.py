"""Privacy: what people agreed to, who of the staff looked at whom and why, and what must not be deleted yet."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Instant, LargeBinary, Recipient, Text, kept
from wattkeeper.store.tables.ground import ACCOUNT, HOUSE, LOG, G, L, N, about, metadata

# What was read stays, in each language it was read in: without it nobody can show what somebody agreed to.
consent_text = Table(
    "consent_text",
    metadata,
    kept("hash", Text, "SHA-256 of the text, hexadecimal", N, LOG, primary_key=True),
    kept("purpose", Text, "what it asks for: charging/privacy/consent.py", N, LOG),
    kept("version", Integer, "which version of it", N, LOG),
    kept("language", Text, "in which language", N, LOG),
    kept("title", Text, "its first line, as it was read", N, LOG),
    kept("words", Text, "the text, as it was read", N, LOG),
    kept("created_at", Instant, "when somebody first answered it", N, LOG),
    info=about(Area.PRIVACY, Recipient.APPS),
)

# Append-only: triggers refuse to change or delete what somebody said (Article 7(1): we must be able to show it).
consent = Table(
    "consent",
    metadata,
    kept("n", BigInteger, "the deed that wrote it down", G, LOG, primary_key=True, autoincrement=False),
    kept("person_id", Text, "who, by the id alone", G, LOG),
    kept("purpose", Text, "to what", G, LOG),
    kept("is_given", Boolean, "whether they agreed, or withdrew", G, LOG),
    kept("version", Integer, "the version of the text before them", G, LOG),
    kept("hash", Text, "and exactly which text: consent_text", G, LOG),
    kept("at", Instant, "when", G, LOG),
    kept("door", Text, "through which door: page or api", G, LOG),
    Index("ix_consent_person_id", "person_id", "purpose", "n"),
    Index("ix_consent_purpose", "purpose", "person_id", "n"),
    info=about(Area.PRIVACY, Recipient.APPS),
)

look = Table(
    "look",
    metadata,
    kept("id", Text, "one opening of one person's data to somebody of the staff", G, ACCOUNT, primary_key=True),
    kept("person_id", Text, "whose data", G, ACCOUNT),
    kept("by", Text, "who looked: an account's id, or a program's name", G, ACCOUNT),
    kept("role", Text, "in which role", G, ACCOUNT),
    kept("purpose", Text, "for what: charging/privacy/looking.py", G, ACCOUNT),
    kept(
        "sealed",
        LargeBinary,
        "reason and case in their words, JSON, sealed under the person's key",
        G,
        ACCOUNT,
        under="person_id",
    ),
    kept("is_emergency", Boolean, "whether it broke the glass: without the right, in need", G, ACCOUNT),
    kept("parts", Text, "what was seen so far, space-separated", G, ACCOUNT),
    kept("opened_at", Instant, "when it was opened", G, ACCOUNT),
    kept("until", Instant, "when it closes by itself", G, ACCOUNT),
    kept("reviewed_at", Instant, "when a second person reviewed an emergency", L, ACCOUNT, nullable=True),
    kept("reviewed_by", Text, "who did", L, ACCOUNT, nullable=True),
    kept("was_right", Boolean, "what they found", L, ACCOUNT, nullable=True),
    Index("ix_look_person_id", "person_id", "opened_at"),
    Index("ix_look_by", "by", "person_id", "until"),
    Index("ix_look_is_emergency", "is_emergency", "reviewed_at"),
    info=about(Area.PRIVACY, Recipient.APPS),
)

legal_hold = Table(
    "legal_hold",
    metadata,
    kept("id", Text, "something that must not be deleted yet", G, LOG, primary_key=True),
    kept("kind", Text, "person or session", G, LOG),
    kept("subject", Text, "which, by the id alone", G, LOG),
    kept("sealed", LargeBinary, "why, in words, sealed by the house", G, LOG, under=HOUSE),
    kept("at", Instant, "since when", G, LOG),
    kept("by", Text, "by whom", G, LOG),
    kept("until", Instant, "until when at most; who needs longer says so anew", G, LOG),
    kept("ended_at", Instant, "when it was lifted before that", G, LOG, nullable=True),
    kept("ended_by", Text, "by whom", G, LOG, nullable=True),
    Index("ix_legal_hold_subject", "kind", "subject"),
    info=about(Area.PRIVACY, Recipient.NOBODY),
)
