"""Money: which tariff holds where, what was billed, what waits for a person, and the books.

A person stands here by the id alone: once their key is destroyed, it leads to nobody. Triggers of the database refuse
to change or delete what is numbered (`migrations/0003`); only what is past its ten years may go.
"""

from __future__ import annotations

from sqlalchemy import Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Exact, Instant, Recipient, Text, kept
from wattkeeper.store.tables.ground import BOOKS, SESSION, TAX, C, G, L, N, about, metadata

tariff_assignment = Table(
    "tariff_assignment",
    metadata,
    kept("n", Integer, "one assignment, in the order they were made", primary_key=True, autoincrement=False),
    kept("kind", Text, "for whom: everyone, site, station, connector, group or driver"),
    kept("subject", Text, "which site, station, connector (CP1/2), group or person; empty for everyone", C),
    kept("tariff_id", Text, "which tariff; empty: none any more", nullable=True),
    kept("valid_from", Instant, "for what starts from then on"),
    kept("created_at", Instant, "when made"),
    kept("created_by", Text, "who made it", L),
    info=about(Area.MONEY, Recipient.NOBODY),
)
Index("ix_tariff_assignment_kind", tariff_assignment.c.kind, tariff_assignment.c.subject)

pin = Table(
    "pin",
    metadata,
    kept("session_id", Text, "whose price it is", C, SESSION, primary_key=True),
    kept("tariff_id", Text, "by which tariff it is billed; empty: none was set", C, SESSION, nullable=True),
    kept("version", Integer, "in which version", C, SESSION, nullable=True),
    kept("rank", Text, "why: which kind of assignment decided", C, SESSION),
    kept("subject", Text, "and of which site, station, connector, group or person", C, SESSION),
    kept("at", Instant, "the instant whose prices hold", C, SESSION),
    kept("created_at", Instant, "when it was pinned", C, SESSION),
    info=about(Area.MONEY, Recipient.NOBODY),
)

bill = Table(
    "bill",
    metadata,
    kept("number", Text, "its number, such as 2026-000123", G, TAX, primary_key=True),
    kept("series", Text, "the year among whose numbers it is", G, TAX),
    kept("place", Integer, "its place among them, from 1 on without gaps", G, TAX),
    kept("kind", Text, "bill, correction (more to pay) or credit_note (less)", G, TAX),
    kept("session_id", Text, "for which session", G, TAX),
    kept("station_id", Text, "where", G, TAX),
    kept("site", Text, "at which site", G, TAX),
    kept("grouping", Text, "of which group its card was; empty: none", G, TAX),
    kept("person_id", Text, "who pays, by the id alone; empty: nobody is known", G, TAX),
    kept("tariff_id", Text, "by which tariff", G, TAX),
    kept("tariff_version", Integer, "in which version", G, TAX),
    kept("currency", Text, "ISO 4217", G, TAX),
    kept("digits", Integer, "digits of the minor unit after the point", G, TAX),
    kept("net_minor", BigInteger, "what it adds without tax, minor units", G, TAX),
    kept("vat_minor", BigInteger, "what it adds in tax", G, TAX),
    kept("gross_minor", BigInteger, "what it adds to pay", G, TAX),
    kept("energy_wh", Exact, "what it adds in energy, Wh", G, TAX),
    kept("started_at", Instant, "when the session began", G, TAX),
    kept("ended_at", Instant, "when it ended", G, TAX),
    kept("issued_at", Instant, "when it was issued", G, TAX),
    kept("grade", Text, "how good the evidence was", G, TAX),
    kept("corrects", Text, "the bill that it corrects", G, TAX, nullable=True),
    kept("reason", Text, "why it was corrected, in words", G, TAX, nullable=True),
    kept("by", Text, "who issued it", G, TAX),
    kept("content", Text, "the whole explanation, canonical JSON", G, TAX),
    kept("digest", Text, "SHA-256 of the content, hexadecimal", G, TAX),
    Index("uq_bill_place", "series", "place", unique=True),
    Index("ix_bill_session_id", "session_id", "issued_at"),
    Index("ix_bill_issued_at", "issued_at", "place"),
    Index("ix_bill_person_id", "person_id", "issued_at"),
    Index("ix_bill_station_id", "station_id", "issued_at"),
    info=about(Area.MONEY, Recipient.TAX, Recipient.MAIL, Recipient.APPS),
)
Index(
    "uq_bill_session",
    bill.c.session_id,
    unique=True,
    sqlite_where=bill.c.kind == "bill",
    postgresql_where=bill.c.kind == "bill",
)
"""A session is billed once; whatever changes later is a correction or a credit note."""

follower = Table(
    "follower",
    metadata,
    kept("name", Text, "who follows the journal", primary_key=True),
    kept("n", BigInteger, "the newest entry that was seen to"),
    kept("since", Instant, "what ended before is none of its business"),
    info=about(Area.MONEY, Recipient.NOBODY),
)

due = Table(
    "due",
    metadata,
    kept("session_id", Text, "a session that has to be looked at", C, SESSION, primary_key=True),
    kept("at", Instant, "not before: its station may tell more", C, SESSION),
    Index("ix_due_at", "at"),
    info=about(Area.MONEY, Recipient.NOBODY),
)

hold = Table(
    "hold",
    metadata,
    kept("id", Text, "something that waits for a person", G, TAX, primary_key=True),
    kept("session_id", Text, "about which session", G, TAX),
    kept("station_id", Text, "where", G, TAX),
    kept("site", Text, "at which site", G, TAX),
    kept("since", Instant, "since when", G, TAX),
    kept("reasons", Text, "why: codes with their figures, JSON", G, TAX),
    kept("currency", Text, "ISO 4217; empty: no price was set", G, TAX),
    kept("digits", Integer, "digits of the minor unit after the point", G, TAX),
    kept("gross_minor", BigInteger, "what it comes to as the station told it", G, TAX),
    kept("energy_wh", Exact, "for how much energy, Wh", G, TAX),
    kept("billed_minor", BigInteger, "what was billed so far; empty: nothing yet", G, TAX, nullable=True),
    kept("state", Text, "open, accepted, corrected, waived, or cleared by later news", G, TAX),
    kept("settled_at", Instant, "when", G, TAX, nullable=True),
    kept("settled_by", Text, "by whom", G, TAX, nullable=True),
    kept("said", Text, "why, in that person's words", G, TAX, nullable=True),
    kept("number", Text, "the bill that came of it", G, TAX, nullable=True),
    Index("ix_hold_state", "state", "since", "id"),
    Index("ix_hold_session_id", "session_id", "since"),
    info=about(Area.MONEY, Recipient.TAX),
)
Index(
    "uq_hold_open",
    hold.c.session_id,
    unique=True,
    sqlite_where=hold.c.state == "open",
    postgresql_where=hold.c.state == "open",
)
"""A session waits once, for all its reasons."""

proposal = Table(
    "proposal",
    metadata,
    kept("id", Text, "a correction above the limit, that a second person must agree to", G, TAX, primary_key=True),
    kept("session_id", Text, "of which session", G, TAX),
    kept("deed", Text, "accept, correct or waive", G, TAX),
    kept("energy_wh", Exact, "the energy that it shall be billed for, Wh", G, TAX, nullable=True),
    kept("gross_minor", BigInteger, "or what it shall come to, minor units", G, TAX, nullable=True),
    kept("difference_minor", BigInteger, "what that changes, minor units", G, TAX),
    kept("currency", Text, "ISO 4217", G, TAX),
    kept("digits", Integer, "digits of the minor unit after the point", G, TAX),
    kept("said", Text, "why, in the words of who proposed it", G, TAX),
    kept("created_at", Instant, "when", G, TAX),
    kept("created_by", Text, "by whom", G, TAX),
    kept("state", Text, "open, agreed or rejected", G, TAX),
    kept("settled_at", Instant, "when", G, TAX, nullable=True),
    kept("settled_by", Text, "by whom", G, TAX, nullable=True),
    kept("number", Text, "the bill that came of it", G, TAX, nullable=True),
    kept("seen", Text, "SHA-256 of what its proposer saw: nobody agrees to something else", G, TAX, nullable=True),
    Index("ix_proposal_state", "state", "created_at", "id"),
    info=about(Area.MONEY, Recipient.TAX),
)
Index(
    "uq_proposal_open",
    proposal.c.session_id,
    unique=True,
    sqlite_where=proposal.c.state == "open",
    postgresql_where=proposal.c.state == "open",
)
"""One at a time, so that nobody agrees to what has changed meanwhile."""

made_out = Table(
    "made_out",
    metadata,
    kept("number", Text, "the bill that was made out as an invoice, to one buyer only", G, TAX, primary_key=True),
    kept("buyer", Text, "keyed tag of to whom, hexadecimal: it tells the same from another, and nobody's name", G, TAX),
    kept("at", Instant, "when first", G, TAX),
    kept("by", Text, "by whom", G, TAX),
    info=about(Area.MONEY, Recipient.TAX),
)

# The books. An entry's lines are written first, then the entry, which a trigger refuses unless they add up to nothing.

ledger_entry = Table(
    "ledger_entry",
    metadata,
    kept("n", BigInteger, "one entry, without gaps", G, BOOKS, primary_key=True, autoincrement=False),
    kept("at", Instant, "when", G, BOOKS),
    kept("kind", Text, "charge, payment, refund, credit, write_off, payout or top_up", G, BOOKS),
    kept("ref", Text, "the bill, or what the payment is called", G, BOOKS),
    kept("by", Text, "who entered it", G, BOOKS),
    Index("uq_ledger_entry_ref", "ref", "kind", unique=True),
    info=about(Area.MONEY, Recipient.TAX),
)
"""One entry of a kind for a bill or a payment, however often it is told."""

ledger_line = Table(
    "ledger_line",
    metadata,
    kept("entry", BigInteger, "of which entry", G, BOOKS, primary_key=True, autoincrement=False),
    kept("place", Integer, "its place in it", G, BOOKS, primary_key=True, autoincrement=False),
    kept("account", Text, "whose: a kind and an id, such as owed:person:1f", G, BOOKS),
    kept("currency", Text, "ISO 4217", G, BOOKS),
    kept("amount_minor", BigInteger, "given to it, or taken from it below zero; minor units", G, BOOKS),
    Index("ix_ledger_line_account", "account", "entry"),
    sqlite_with_rowid=False,
    info=about(Area.MONEY, Recipient.TAX),
)

# Derived from the books and from the bills, kept in the same transaction.

ledger_balance = Table(
    "ledger_balance",
    metadata,
    kept("account", Text, "whose", G, BOOKS, primary_key=True),
    kept("currency", Text, "ISO 4217", G, BOOKS, primary_key=True),
    kept("amount_minor", BigInteger, "the sum of its lines, minor units", G, BOOKS),
    info=about(Area.MONEY, Recipient.TAX),
)

revenue = Table(
    "revenue",
    metadata,
    kept(
        "day", Text, "when it was billed, by the installation's clock, such as 2026-03-01", N, BOOKS, primary_key=True
    ),
    kept("site", Text, "at which site", N, BOOKS, primary_key=True),
    kept("station_id", Text, "at which station", N, BOOKS, primary_key=True),
    kept("tariff_id", Text, "by which tariff", N, BOOKS, primary_key=True),
    kept("grouping", Text, "of which group", N, BOOKS, primary_key=True),
    kept("currency", Text, "ISO 4217", N, BOOKS, primary_key=True),
    kept("digits", Integer, "digits of the minor unit after the point", N, BOOKS),
    kept("sessions", Integer, "how many sessions were billed", N, BOOKS),
    kept("corrections", Integer, "how many corrections and credit notes were issued", N, BOOKS),
    kept("energy_wh", Exact, "energy billed, Wh", N, BOOKS),
    kept("net_minor", BigInteger, "without tax, minor units", N, BOOKS),
    kept("vat_minor", BigInteger, "tax", N, BOOKS),
    kept("gross_minor", BigInteger, "with tax", N, BOOKS),
    info=about(Area.MONEY, Recipient.TAX),
)

grid_reading = Table(
    "grid_reading",
    metadata,
    kept("site", Text, "at which site a grid meter was read", N, BOOKS, primary_key=True),
    kept("meter", Text, "what that meter is called there, such as its number", N, BOOKS, primary_key=True),
    kept("at", Instant, "when it was read", N, BOOKS, primary_key=True),
    kept("energy_wh", Exact, "what it showed, Wh", N, BOOKS),
    kept("created_at", Instant, "when that was entered", N, BOOKS),
    kept("created_by", Text, "by whom", L, BOOKS),
    info=about(Area.MONEY, Recipient.TAX),
)
