"""What is proposed is agreed to only as it was seen; a bill is made out to one buyer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Keep what a proposer saw; what was proposed before is proposed again."""
    op.add_column("proposal", sa.Column("seen", sa.Text(), nullable=True))
    op.create_table(
        "made_out",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_made_out")),
    )
