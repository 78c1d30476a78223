"""Rights: who was forgotten and who must be told, what people asked, what was corrected, restricted or lost.

After somebody was forgotten these rows name them by an id that leads to nobody; what was sealed under their key is lost
with it, and what is told to stations is sealed under a key of its own that dies with the last answer.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Instant, LargeBinary, Recipient, Text, kept
from wattkeeper.store.tables.ground import ACCOUNT, HOUSE, LOG, TAX, G, L, about, metadata

forgotten = Table(
    "forgotten",
    metadata,
    kept("subject", Text, "who was forgotten, by an id that leads to nobody", G, LOG, primary_key=True),
    kept("at", Instant, "when", G, LOG),
    kept("deed", BigInteger, "the deed that says so in the log", G, LOG),
    kept("certificate", Text, "the signed statement of what was done, JSON, with counts and without names", G, LOG),
    Index("ix_forgotten_at", "at"),
    info=about(Area.PRIVACY, Recipient.NOBODY),
)

telling = Table(
    "telling",
    metadata,
    kept(
        "id",
        Text,
        "one thing that somebody else must be told about who was forgotten (Art. 19)",
        G,
        LOG,
        primary_key=True,
    ),
    kept("subject", Text, "who was forgotten, by an id that leads to nobody", G, LOG),
    kept("kind", Text, "who must be told: station, provider or partner", G, LOG),
    kept("name", Text, "which of them", G, LOG),
    kept("what", Text, "what they are to forget: list, cache, customer or means", G, LOG),
    kept(
        "sealed",
        LargeBinary,
        "by what they know them, under a key that dies with the answers",
        G,
        LOG,
        nullable=True,
        under="subject",
    ),
    kept("state", Text, "waiting, done, declined (it cannot) or unanswered (given up)", G, LOG),
    kept("said", Text, "what they answered, in a line", G, LOG, nullable=True),
    kept("tries", Integer, "how often it was tried", G, LOG),
    kept("created_at", Instant, "since when they must be told", G, LOG),
    kept("next_at", Instant, "not tried again before", G, LOG),
    kept("settled_at", Instant, "when that was over", G, LOG, nullable=True),
    Index("ix_telling_subject", "subject"),
    info=about(Area.PRIVACY, Recipient.STATIONS, Recipient.PAYMENT),
)
Index(
    "ix_telling_waiting",
    *(telling.c.next_at, telling.c.id),
    sqlite_where=telling.c.state == "waiting",
    postgresql_where=telling.c.state == "waiting",
)

paper_buyer = Table(
    "paper_buyer",
    metadata,
    kept("number", Text, "an invoice whose buyer tax law asks to be kept", G, TAX, primary_key=True),
    kept("subject", Text, "the key of its year, such as invoices:2026: it is destroyed after ten years", G, TAX),
    kept(
        "sealed",
        LargeBinary,
        "name, address and tax number of the buyer, JSON, under that key",
        G,
        TAX,
        under="subject",
    ),
    kept("issued_at", Instant, "when the invoice was issued", G, TAX),
    info=about(Area.PRIVACY, Recipient.TAX),
)

privacy_request = Table(
    "privacy_request",
    metadata,
    kept("id", Text, "something that a person asked about their data", G, LOG, primary_key=True),
    kept("person_id", Text, "who, by the id alone; empty while that is not known", G, LOG),
    kept("right", Text, "access, rectification, erasure, restriction or objection", G, LOG),
    kept("door", Text, "how it came: app, letter, mail or in person", G, LOG),
    kept(
        "sealed",
        LargeBinary,
        "what they wrote and who they said they are, JSON",
        G,
        LOG,
        nullable=True,
        under="sealed_for",
    ),
    kept("sealed_for", Text, "whose key seals that: the person's, or the house's", G, LOG),
    kept("proof", Text, "how they proved who they are: account, document, known or nothing yet", G, LOG),
    kept("received_at", Instant, "when it came", G, LOG),
    kept("due_at", Instant, "until when it must be answered: a month, or three", G, LOG),
    kept("extended_why", Text, "why it takes two months more, as they were told; without names", G, LOG, nullable=True),
    kept("state", Text, "open, answered or refused", G, LOG),
    kept("answer", Text, "what was done or why not, without names", G, LOG, nullable=True),
    kept("answered_at", Instant, "when", G, LOG, nullable=True),
    kept("answered_by", Text, "by whom: an account's id, a program, or the person", G, LOG, nullable=True),
    Index("ix_privacy_request_state", "state", "due_at"),
    Index("ix_privacy_request_person_id", "person_id"),
    info=about(Area.PRIVACY, Recipient.APPS),
)

rectification = Table(
    "rectification",
    metadata,
    kept("id", Text, "one correction of what was kept about a person", G, ACCOUNT, primary_key=True),
    kept("person_id", Text, "about whom", G, ACCOUNT),
    kept("what", Text, "what was corrected: name, phone, address or language", G, ACCOUNT),
    kept(
        "sealed", LargeBinary, "what it was and what it is, JSON, under the person's key", G, ACCOUNT, under="person_id"
    ),
    kept("at", Instant, "when", G, ACCOUNT),
    kept("by", Text, "by whom: an account's id or a program", G, ACCOUNT),
    Index("ix_rectification_person_id", "person_id", "at"),
    info=about(Area.PRIVACY, Recipient.APPS),
)

restriction = Table(
    "restriction",
    metadata,
    kept("id", Text, "one wish that data are kept and not used", G, ACCOUNT, primary_key=True),
    kept("person_id", Text, "whose data", G, ACCOUNT),
    kept("kind", Text, "restriction (Art. 18: of everything) or objection (Art. 21: to one use)", G, ACCOUNT),
    kept("use", Text, "which use: all, insight, marketing or profiling", G, ACCOUNT),
    kept(
        "sealed",
        LargeBinary,
        "why, in their words, under the person's key",
        G,
        ACCOUNT,
        nullable=True,
        under="person_id",
    ),
    kept("since", Instant, "since when", G, ACCOUNT),
    kept("by", Text, "who entered it", G, ACCOUNT),
    kept("ended_at", Instant, "when it was lifted", G, ACCOUNT, nullable=True),
    kept("ended_by", Text, "by whom", G, ACCOUNT, nullable=True),
    Index("ix_restriction_person_id", "person_id", "ended_at"),
    info=about(Area.PRIVACY, Recipient.APPS),
)

breach = Table(
    "breach",
    metadata,
    kept("id", Text, "one breach of personal data", G, LOG, primary_key=True),
    kept("known_at", Instant, "when it became known: the 72 hours count from here", L, LOG),
    kept("since", Instant, "what happened from then", L, LOG, nullable=True),
    kept("until", Instant, "until then", L, LOG, nullable=True),
    kept("scope", Text, "which tables and stations it touched, JSON", L, LOG),
    kept("sealed", LargeBinary, "what happened and what was done, JSON, under the house's key", L, LOG, under=HOUSE),
    kept("is_risk", Boolean, "whether it is a high risk for people, who must then be told (Art. 34)", L, LOG),
    kept("opened_by", Text, "who entered it", L, LOG),
    kept("reported_at", Instant, "when the authority was told", L, LOG, nullable=True),
    kept("closed_at", Instant, "when it was over", L, LOG, nullable=True),
    kept("closed_by", Text, "by whom", L, LOG, nullable=True),
    info=about(Area.PRIVACY, Recipient.AUTHORITY),
)

breach_person = Table(
    "breach_person",
    metadata,
    kept("breach_id", Text, "by which breach", G, LOG, primary_key=True),
    kept("person_id", Text, "who is affected, by the id alone", G, LOG, primary_key=True),
    kept("told_at", Instant, "when they were told", G, LOG, nullable=True),
    info=about(Area.PRIVACY, Recipient.AUTHORITY),
)
