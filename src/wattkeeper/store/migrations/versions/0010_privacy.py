"""Consent with its texts, looks at persons, and what must not be deleted yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from wattkeeper.store.migrations.refusing import refuse_changes

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables; what was read and said of consent can neither be changed nor deleted."""
    _consents()
    _looks()
    _holds()
    for table in ("consent_text", "consent"):
        refuse_changes(table, "What somebody agreed to stays as it was written down")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _consents() -> None:
    op.create_table(
        "consent_text",
        *(_text("hash"), _text("purpose"), sa.Column("version", sa.Integer(), nullable=False)),
        *(_text("language"), _text("title"), _text("words"), _number("created_at")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_consent_text")),
    )
    op.create_table(
        "consent",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        *(_text("person_id"), _text("purpose"), sa.Column("is_given", sa.Boolean(), nullable=False)),
        *(sa.Column("version", sa.Integer(), nullable=False), _text("hash"), _number("at"), _text("door")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_person_id", "consent", ["person_id", "purpose", "n"])
    op.create_index("ix_consent_purpose", "consent", ["purpose", "person_id", "n"])


def _looks() -> None:
    op.create_table(
        "look",
        *(_text(name) for name in ("id", "person_id", "by", "role", "purpose")),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("is_emergency", sa.Boolean(), nullable=False),
        *(_text("parts"), _number("opened_at"), _number("until")),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("was_right", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_look")),
    )
    op.create_index("ix_look_person_id", "look", ["person_id", "opened_at"])
    op.create_index("ix_look_by", "look", ["by", "person_id", "until"])
    op.create_index("ix_look_is_emergency", "look", ["is_emergency", "reviewed_at"])


def _holds() -> None:
    op.create_table(
        "legal_hold",
        *(_text("id"), _text("kind"), _text("subject"), sa.Column("sealed", sa.LargeBinary(), nullable=False)),
        *(_number("at"), _text("by"), _number("until")),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index("ix_legal_hold_subject", "legal_hold", ["kind", "subject"])
