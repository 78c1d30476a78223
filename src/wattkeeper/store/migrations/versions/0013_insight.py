"""Aggregates that leave: the ledger of releases and of what they spent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from wattkeeper.store.migrations.refusing import refuse_changes

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the ledger, whose lines can neither be changed nor deleted."""
    texts = ("mark", "kind", "first", "until", "shifts", "figures", "content", "sheet", "digest", "made_by")
    columns = {name: sa.Column(name, sa.Text(), nullable=False) for name in texts}
    op.create_table(
        "release",
        sa.Column("id", sa.Text(), nullable=False),
        *(columns["mark"], columns["kind"]),
        sa.Column("year", sa.Integer(), nullable=False),
        *(columns["first"], columns["until"]),
        sa.Column("epsilon", sa.BigInteger(), nullable=False),
        sa.Column("has_left", sa.Boolean(), nullable=False),
        *(columns[name] for name in ("shifts", "figures", "content", "sheet", "digest")),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        columns["made_by"],
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
    )
    op.create_index("uq_release_mark", "release", ["mark"], unique=True)
    op.create_index("ix_release_year", "release", ["year"])
    refuse_changes("release", "What was spent of the budget stays spent")
