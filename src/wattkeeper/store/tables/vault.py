"""The vault's own records: what changed about its keys, and by which index a name is found after a rotation."""

from __future__ import annotations

from sqlalchemy import Index, Integer, Table

from wattkeeper.store.columns import Area, BigInteger, Instant, Recipient, Text, kept
from wattkeeper.store.tables.ground import ACCOUNT, C, about, metadata

key_change = Table(
    "key_change",
    metadata,
    kept(
        "n",
        BigInteger,
        "one change of keys, in order: who holds keys open looks here",
        primary_key=True,
        autoincrement=False,
    ),
    kept("at", Instant, "when"),
    kept("kind", Text, "which key: operations/keys/kinds.py"),
    kept("version", Integer, "the version it turns to"),
    kept("step", Text, "begun or ended"),
    kept("told", Text, "what came of it, JSON: counts alone"),
    info=about(Area.SECURITY, Recipient.NOBODY),
)

# The journal names a card as it was named first, for ever; after a rotation it is found by the index that leads there.
blind_index = Table(
    "blind_index",
    metadata,
    kept("ref", Text, "pseudonym under the newer pepper", C, ACCOUNT, primary_key=True),
    kept("name", Text, "the name it leads to: that of a card, or of an account until the rotation ends", C, ACCOUNT),
    Index("ix_blind_index_name", "name"),
    info=about(Area.CARDS, Recipient.NOBODY),
)
