"""Deeds that must be provable: looks at persons, consent, keys, rights."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from wattkeeper.store.migrations.refusing import refuse_changes

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table of deeds, which can neither be changed nor deleted."""
    op.create_table(
        "deed",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_deed")),
    )
    op.create_index("ix_deed_subject", "deed", ["subject", "n"])
    op.create_index("ix_deed_kind", "deed", ["kind", "n"])
    refuse_changes("deed", "A deed that was written down stays as it is")
