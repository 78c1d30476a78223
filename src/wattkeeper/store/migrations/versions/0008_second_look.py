"""What is proposed is agreed to only as it was seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    """Keep what a proposer saw; what was proposed before is proposed again."""
    op.add_column("proposal", sa.Column("seen", sa.Text(), nullable=True))
