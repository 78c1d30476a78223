"""What a site's energy costs, what its connection bears, and how much carbon its grid carries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the terms of sites and the carbon of their grids by hour."""
    op.create_table(
        "site_terms",
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("peak_minor_per_kw", sa.BigInteger(), nullable=True),
        sa.Column("energy_minor_per_kwh", sa.BigInteger(), nullable=True),
        sa.Column("windows", sa.Text(), nullable=False),
        sa.Column("limit_w", sa.BigInteger(), nullable=True),
        sa.Column("carbon", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_site_terms")),
    )
    op.create_index("ix_site_terms_site", "site_terms", ["site", "n"])
    op.create_table(
        "grid_carbon",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("g_per_kwh", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "at", name=op.f("pk_grid_carbon")),
    )
