"""Since when what was told of a session is not counted: totals say by it as of when they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add the column; what waits now has waited since its time came."""
    op.add_column("untallied", sa.Column("since", sa.BigInteger(), nullable=True))
    op.execute("UPDATE untallied SET since = at")
    op.create_index("ix_untallied_since", "untallied", ["since"])
