"""Money in and out: how somebody pays, payments and what the provider is asked, monthly invoices, shares of hosts.

No number of a bank card is ever kept or seen: the provider keeps it, and tells its last four digits. Whatever moves is
posted in the books (`tables/money`); these rows say how it came to be.
"""

from __future__ import annotations

from sqlalchemy import Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Exact, Instant, Recipient, Text, kept
from wattkeeper.store.tables.ground import ACCOUNT, DAYS_90, TAX, C, G, L, N, about, metadata

pay_way = Table(
    "pay_way",
    metadata,
    kept("n", Integer, "one choice, in the order they were made", primary_key=True, autoincrement=False),
    kept("kind", Text, "for whom: driver or group", C, ACCOUNT),
    kept("subject", Text, "which person, by the id alone, or which group", C, ACCOUNT),
    kept("way", Text, "free, invoice, prepaid or card; empty: as the others", C, ACCOUNT, nullable=True),
    kept("created_at", Instant, "when", C, ACCOUNT),
    kept("created_by", Text, "who chose it", L, ACCOUNT),
    info=about(Area.PAYMENTS, Recipient.NOBODY),
)
Index("ix_pay_way_kind", pay_way.c.kind, pay_way.c.subject, pay_way.c.n)

payment_means = Table(
    "payment_means",
    metadata,
    kept("person_id", Text, "whose, by the id alone", C, ACCOUNT, primary_key=True),
    kept("provider", Text, "who keeps the card", C, ACCOUNT),
    kept("customer", Text, "what the person is called there", C, ACCOUNT),
    kept("method", Text, "what the card is called there; empty: there is none", C, ACCOUNT, nullable=True),
    kept("brand", Text, "its brand, as the provider tells", C, ACCOUNT, nullable=True),
    kept("last_four", Text, "its last four digits, as the provider tells", C, ACCOUNT, nullable=True),
    kept("changed_at", Instant, "since when", C, ACCOUNT),
    info=about(Area.PAYMENTS, Recipient.PAYMENT),
)

payment = Table(
    "payment",
    metadata,
    kept("id", Text, "one payment; the provider is told this name", G, TAX, primary_key=True),
    kept("person_id", Text, "who pays, by the id alone", G, TAX),
    kept("kind", Text, "charge, top_up, transfer, or setup, which pays nothing", G, TAX),
    kept("provider", Text, "through whom: stripe, or bank", G, TAX),
    kept("session_id", Text, "for which session", G, TAX, nullable=True),
    kept("number", Text, "for which monthly invoice", G, TAX, nullable=True),
    kept("currency", Text, "ISO 4217", G, TAX),
    kept("digits", Integer, "digits of the minor unit after the point", G, TAX),
    kept("asked_minor", BigInteger, "what was asked for, minor units", G, TAX),
    kept("captured_minor", BigInteger, "what was taken", G, TAX),
    kept("refunded_minor", BigInteger, "what of that was given back", G, TAX),
    kept("state", Text, "asked, waiting, authorised, captured, cancelled or declined", G, TAX),
    kept("theirs", Text, "what it is called there: the provider's id, or the bank's reference", G, TAX, nullable=True),
    kept("page", Text, "their page on which the person pays, by their id", G, TAX, nullable=True),
    kept("url", Text, "its address, while it waits", G, TAX, nullable=True),
    kept("fault", Text, "why it failed, as a code", G, TAX, nullable=True),
    kept("created_at", Instant, "when", G, TAX),
    kept("created_by", Text, "by whom", G, TAX),
    kept("changed_at", Instant, "when it came into its state", G, TAX),
    Index("uq_payment_theirs", "provider", "theirs", unique=True),
    Index("ix_payment_person_id", "person_id", "created_at"),
    Index("ix_payment_session_id", "session_id"),
    Index("ix_payment_number", "number"),
    Index("ix_payment_state", "state", "created_at"),
    Index("ix_payment_created_at", "created_at", "id"),
    info=about(Area.PAYMENTS, Recipient.PAYMENT, Recipient.TAX),
)

payment_step = Table(
    "payment_step",
    metadata,
    kept("id", Text, "one thing the provider is asked, and its idempotency key there", G, TAX, primary_key=True),
    kept("payment_id", Text, "of which payment", G, TAX),
    kept("verb", Text, "page, authorise, capture, cancel, refund or look", G, TAX),
    kept("amount_minor", BigInteger, "how much, minor units", G, TAX),
    kept("ref", Text, "because of which document or deed", G, TAX, nullable=True),
    kept("state", Text, "open, done or failed", G, TAX),
    kept("tries", Integer, "how often it was asked", G, TAX),
    kept("due_at", Instant, "not before", G, TAX),
    kept("theirs", Text, "what came of it, by the provider's id", G, TAX, nullable=True),
    kept("fault", Text, "why it failed last, as a code", G, TAX, nullable=True),
    kept("created_at", Instant, "when it was decided", G, TAX),
    kept("settled_at", Instant, "when it was done", G, TAX, nullable=True),
    Index("ix_payment_step_state", "state", "due_at"),
    Index("ix_payment_step_payment_id", "payment_id", "created_at"),
    Index("ix_payment_step_theirs", "theirs"),
    info=about(Area.PAYMENTS, Recipient.PAYMENT, Recipient.TAX),
)

payment_event = Table(
    "payment_event",
    metadata,
    kept("id", Text, "something the provider told, by its own id: each is heard once", L, DAYS_90, primary_key=True),
    kept("kind", Text, "what it is about", L, DAYS_90),
    kept("payment_id", Text, "which payment", L, DAYS_90, nullable=True),
    kept("outcome", Text, "what came of it", L, DAYS_90),
    kept("at", Instant, "when it happened, as they say", L, DAYS_90),
    kept("created_at", Instant, "when we heard", L, DAYS_90),
    info=about(Area.PAYMENTS, Recipient.PAYMENT),
)

payment_difference = Table(
    "payment_difference",
    metadata,
    kept("id", Text, "where the provider and we do not agree", G, TAX, primary_key=True),
    kept("kind", Text, "how: amount, currency, unknown, state, disputed or undone", G, TAX),
    kept("theirs", Text, "about what, by the provider's id", G, TAX),
    kept("payment_id", Text, "which payment", G, TAX, nullable=True),
    kept("ours_minor", BigInteger, "what we have, minor units", G, TAX, nullable=True),
    kept("ours_currency", Text, "in which currency", G, TAX, nullable=True),
    kept("theirs_minor", BigInteger, "what they say, minor units", G, TAX, nullable=True),
    kept("theirs_currency", Text, "in which currency", G, TAX, nullable=True),
    kept("created_at", Instant, "since when", G, TAX),
    kept("state", Text, "open or settled", G, TAX),
    kept("settled_at", Instant, "when", G, TAX, nullable=True),
    kept("settled_by", Text, "by whom", G, TAX, nullable=True),
    kept("said", Text, "how, in that person's words", G, TAX, nullable=True),
    Index("uq_payment_difference_theirs", "theirs", "kind", unique=True),
    Index("ix_payment_difference_state", "state", "created_at", "id"),
    info=about(Area.PAYMENTS, Recipient.PAYMENT, Recipient.TAX),
)

settlement = Table(
    "settlement",
    metadata,
    kept("number", Text, "a bill, a correction or a credit note, and how it is paid", G, TAX, primary_key=True),
    kept("entry", BigInteger, "by which entry of the ledger it was charged", G, TAX),
    kept("session_id", Text, "for which session", G, TAX),
    kept("person_id", Text, "who pays, by the id alone", G, TAX),
    kept("way", Text, "free, invoice, prepaid or card", G, TAX),
    kept("currency", Text, "ISO 4217", G, TAX),
    kept("digits", Integer, "digits of the minor unit after the point", G, TAX),
    kept("gross_minor", BigInteger, "what it adds to pay, minor units", G, TAX),
    kept("month", Text, "in which month it was issued, such as 2026-03", G, TAX),
    kept("created_at", Instant, "when it was issued", G, TAX),
    kept("invoice", Text, "on which monthly invoice it stands", G, TAX, nullable=True),
    Index("ix_settlement_person_id", "person_id", "created_at"),
    Index("ix_settlement_session_id", "session_id"),
    Index("ix_settlement_invoice", "invoice"),
    Index("ix_settlement_way", "way", "invoice", "month"),
    info=about(Area.PAYMENTS, Recipient.TAX),
)

monthly_invoice = Table(
    "monthly_invoice",
    metadata,
    kept("number", Text, "its number, such as M2026-000012", G, TAX, primary_key=True),
    kept("series", Text, "the year among whose numbers it is", G, TAX),
    kept("place", Integer, "its place among them, from 1 on without gaps", G, TAX),
    kept("person_id", Text, "who is asked to pay, by the id alone", G, TAX),
    kept("month", Text, "for the documents of which month, such as 2026-03", G, TAX),
    kept("currency", Text, "ISO 4217", G, TAX),
    kept("digits", Integer, "digits of the minor unit after the point", G, TAX),
    kept("net_minor", BigInteger, "without tax, minor units", G, TAX),
    kept("vat_minor", BigInteger, "tax", G, TAX),
    kept("gross_minor", BigInteger, "to pay; below zero where we owe", G, TAX),
    kept("issued_at", Instant, "when it was issued", G, TAX),
    kept("due_on", Text, "until which day it is to be paid, such as 2026-04-15", G, TAX),
    kept("content", Text, "its documents, canonical JSON", G, TAX),
    kept("digest", Text, "SHA-256 of the content, hexadecimal", G, TAX),
    kept("by", Text, "who issued it", G, TAX),
    Index("uq_monthly_invoice_place", "series", "place", unique=True),
    Index("uq_monthly_invoice_month", "person_id", "month", "currency", unique=True),
    Index("ix_monthly_invoice_issued_at", "issued_at", "place"),
    info=about(Area.PAYMENTS, Recipient.TAX, Recipient.MAIL, Recipient.APPS),
)
"""Never changed: what is paid of it follows from the payments that name it."""

site_share = Table(
    "site_share",
    metadata,
    kept("n", Integer, "one agreement, in the order they were made", N, primary_key=True, autoincrement=False),
    kept("site", Text, "of which site"),
    kept("host", Text, "who is paid, as statements name them", C),
    kept("kind", Text, "percent of sales without tax, or per_kwh; empty: none any more", nullable=True),
    kept("value", Exact, "how many percent, or minor units for a kWh", nullable=True),
    kept("created_at", Instant, "for what is billed from then on"),
    kept("created_by", Text, "who agreed to it", L),
    Index("ix_site_share_site", "site", "n"),
    info=about(Area.PAYMENTS, Recipient.TAX, Recipient.HOSTS),
)

money_deed = Table(
    "money_deed",
    metadata,
    kept("id", Text, "money moved by hand: given up, given back, paid out or entered", G, TAX, primary_key=True),
    kept("deed", Text, "write_off, refund, payout or enter", G, TAX),
    kept("person_id", Text, "who owes less or is paid, by the id alone", G, TAX, nullable=True),
    kept("site", Text, "whose host is paid", G, TAX, nullable=True),
    kept("payment_id", Text, "which payment is given back, or entered", G, TAX, nullable=True),
    kept("currency", Text, "ISO 4217", G, TAX),
    kept("digits", Integer, "digits of the minor unit after the point", G, TAX),
    kept("amount_minor", BigInteger, "how much, minor units", G, TAX),
    kept(
        "after_entry", BigInteger, "a payout covers what accrued after this entry of the ledger", G, TAX, nullable=True
    ),
    kept("until_entry", BigInteger, "and up to this one", G, TAX, nullable=True),
    kept("said", Text, "why, or the bank's reference", G, TAX),
    kept("state", Text, "open, done or rejected", G, TAX),
    kept("created_at", Instant, "when", G, TAX),
    kept("created_by", Text, "by whom", G, TAX),
    kept("settled_at", Instant, "when", G, TAX, nullable=True),
    kept("settled_by", Text, "by whom", G, TAX, nullable=True),
    Index("ix_money_deed_state", "state", "created_at", "id"),
    Index("ix_money_deed_site", "site", "created_at"),
    info=about(Area.PAYMENTS, Recipient.TAX, Recipient.HOSTS),
)
