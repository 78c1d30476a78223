"""The ledger of releases: every question that was put to all sessions, what it spent, and what left."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, Table

from wattkeeper.store.columns import Area, Exact, Instant, Recipient, Text, kept
from wattkeeper.store.tables.ground import LOG, L, about, metadata

release = Table(
    "release",
    metadata,
    kept("id", Text, "one question; its link says no more", primary_key=True),
    kept("mark", Text, "SHA-256 of the question: asked again it is found"),
    kept("kind", Text, "what was counted"),
    kept("year", Integer, "the calendar year whose budget it spent"),
    kept("first", Text, "the first day it is about"),
    kept("until", Text, "the day before which it ends"),
    kept("epsilon", Exact, "what it spent of the budget of every driver"),
    kept("has_left", Boolean, "whether anything left; what did not meet the bar has spent all the same"),
    kept("shifts", Text, "how a driver who fills every bound moves it, JSON: for what leaves later"),
    kept("figures", Text, "what was measured before it left, JSON"),
    kept("content", Text, "what left, to the byte; empty where nothing did"),
    kept("sheet", Text, "the same as a table for spreadsheets"),
    kept("digest", Text, "SHA-256 of the content, as in the log"),
    kept("made_at", Instant, "when"),
    kept("made_by", Text, "who asked", L, LOG),
    Index("uq_release_mark", "mark", unique=True),
    Index("ix_release_year", "year"),
    info=about(Area.PRIVACY, Recipient.NOBODY),
)
