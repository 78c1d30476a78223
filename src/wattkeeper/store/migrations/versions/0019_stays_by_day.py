"""Stays by the day on which they began, and until when each car was there: all sessions are counted anew for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

COUNTED = ("load_quarter", "tally_hour", "tally_day", "tally_month", "stay_count", "tallied", "untallied")


def upgrade() -> None:
    """Make the table, and let every session be counted again."""
    keys = [sa.Column(name, sa.Text(), nullable=False) for name in ("site", "day")]
    whole = [sa.Column(name, sa.Integer(), nullable=False) for name in ("quarters", "sessions")]
    key = sa.PrimaryKeyConstraint("site", "day", "quarters", name=op.f("pk_stay_day"))
    op.create_table("stay_day", *keys, *whole, key)
    op.create_index("ix_stay_day_day", "stay_day", ["day"])
    op.create_index("ix_stay_count_month", "stay_count", ["month"])
    for name in COUNTED:
        op.execute(f"DELETE FROM {name}")
    with op.batch_alter_table("tallied") as tallied:
        tallied.add_column(sa.Column("until", sa.BigInteger(), nullable=False))
    op.execute("INSERT INTO untallied (session_id, at) SELECT id, started_at FROM session")
