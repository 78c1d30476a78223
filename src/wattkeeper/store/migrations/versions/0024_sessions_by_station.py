"""The sessions of a station are found at once."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_session_station", "session", ["station_id", "started_at"])
