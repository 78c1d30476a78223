"""What the grid meters of sites showed; and receipts by letter begin with what is billed from now on."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table, and let nobody be sent what was billed long ago."""
    op.create_table(
        "grid_reading",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "meter", "at", name=op.f("pk_grid_reading")),
    )
    newest = op.get_bind().execute(sa.text("SELECT max(n) FROM ledger_entry")).scalar()
    if newest:
        now = int(datetime.now(UTC).timestamp() * 1_000_000)
        begun = sa.text("INSERT INTO follower (name, n, since) VALUES ('receipts', :n, :now)")
        op.get_bind().execute(begun.bindparams(n=newest, now=now))
