"""By which clock days and months were counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make the table: totals are taken to be by the clock that is set now; reliability is reckoned anew."""
    op.create_table(
        "counted_zone",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counted_zone")),
    )
    op.execute("INSERT INTO counted_zone (name, zone) VALUES ('reliability', '')")
