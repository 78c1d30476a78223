"""The log: deeds that must be provable, and the hash tree over every change; in order, as long as the installation.

Leaves hold commitments and never what they commit to. Triggers of the database refuse to change or delete any of it;
whoever gets around them is found by the tree.
"""

from __future__ import annotations

from sqlalchemy import Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Instant, LargeBinary, Recipient, Text, kept
from wattkeeper.store.tables.ground import LOG, SESSION, L, N, about, metadata

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
    info=about(Area.LOG, Recipient.NOBODY),
)

log_leaf = Table(
    "log_leaf",
    metadata,
    kept("n", BigInteger, "its index in the tree, from 0 on", N, LOG, primary_key=True, autoincrement=False),
    kept("at", Instant, "when it was appended; part of what is committed to", L, LOG),
    kept("kind", Text, "of which table the row is: operations/log/sources.py", N, LOG),
    kept("ref", Text, "which row: its number, without names", N, LOG),
    kept("salt", LargeBinary, "16 random bytes, so that nobody can guess what was committed to", N, LOG),
    kept("commitment", LargeBinary, "SHA-256 over the salt and what the row said", N, LOG),
    Index("uq_log_leaf_ref", "ref", "kind", unique=True),
    info=about(Area.LOG, Recipient.CHECKERS),
)

log_node = Table(
    "log_node",
    metadata,
    kept("level", Integer, "1: over 256 leaves, 2: over 256 of those", N, LOG, primary_key=True, autoincrement=False),
    kept("n", BigInteger, "its place in its level", N, LOG, primary_key=True, autoincrement=False),
    kept("hash", LargeBinary, "the root of the leaves below it", N, LOG),
    sqlite_with_rowid=False,
    info=about(Area.LOG, Recipient.CHECKERS),
)

log_checkpoint = Table(
    "log_checkpoint",
    metadata,
    kept("size", BigInteger, "over how many leaves", N, LOG, primary_key=True, autoincrement=False),
    kept("root", LargeBinary, "their root", N, LOG),
    kept("at", Instant, "when it was signed", N, LOG),
    kept("note", Text, "the signed note, as it was published", N, LOG),
    Index("ix_log_checkpoint_at", "at"),
    info=about(Area.LOG, Recipient.CHECKERS),
)

log_cosignature = Table(
    "log_cosignature",
    metadata,
    kept("size", BigInteger, "of which checkpoint", N, LOG, primary_key=True, autoincrement=False),
    kept("witness", Text, "the name of the witness's key", N, LOG, primary_key=True),
    kept("line", Text, "its signature, as a line of the note", N, LOG),
    kept("at", Instant, "when it was had", N, LOG),
    info=about(Area.LOG, Recipient.CHECKERS),
)

# The one table of the log whose rows may change: `store/log/name.py` says how.

log_name = Table(
    "log_name",
    metadata,
    kept("token", Text, "a pseudonym of a card, as rows name it now", L, SESSION, primary_key=True),
    kept("salt", LargeBinary, "16 random bytes; none once the card was forgotten", L, SESSION, nullable=True),
    kept("commitment", LargeBinary, "what leaves name instead: SHA-256 over the salt and the first name", L, LOG),
    info=about(Area.LOG, Recipient.NOBODY),
)
