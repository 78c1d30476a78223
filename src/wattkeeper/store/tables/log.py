"""The log: deeds that must be provable, in order, for as long as the installation."""

from __future__ import annotations

from sqlalchemy import Index, Table

from wattkeeper.store.columns import BigInteger, Instant, Text, kept
from wattkeeper.store.tables.ground import LOG, L, metadata

deed = Table(
    "deed",
    metadata,
    kept("n", BigInteger, "one deed, in order and without gaps", L, LOG, primary_key=True, autoincrement=False),
    kept("at", Instant, "when", L, LOG),
    kept("kind", Text, "what was done: charging/deed.py", L, LOG),
    kept("by", Text, "who did it: an account's id, a program's name, or what the house did by itself", L, LOG),
    kept("subject", Text, "to what or about whom, by the id alone; empty: to the installation", L, LOG),
    kept("body", Text, "what belongs to it, JSON, without names", L, LOG),
    Index("ix_deed_subject", "subject", "n"),
    Index("ix_deed_kind", "kind", "n"),
)
