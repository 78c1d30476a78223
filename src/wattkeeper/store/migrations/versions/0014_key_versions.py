"""Versions of keys: what changed, by which index names are found, and under which pepper a station's key is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables; every station's key is under the first pepper."""
    op.create_table(
        "key_change",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_key_change")),
    )
    op.create_table(
        "blind_index",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_blind_index")),
    )
    op.create_index("ix_blind_index_name", "blind_index", ["name"])
    op.add_column("station", sa.Column("key_version", sa.Integer(), nullable=False, server_default="1"))
