"""By which clock days and months were counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

RELIABILITY = ("port", "port_word", "outage", "attempt", "attempt_day", "attempt_month", "unreckoned")


def upgrade() -> None:
    """Make the table: totals are taken to be by the clock that is set now; reliability is reckoned anew."""
    op.create_table(
        "counted_zone",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counted_zone")),
    )
    for name in RELIABILITY:
        op.execute(f"DELETE FROM {name}")
    op.execute("DELETE FROM follower WHERE name = 'reliability'")
