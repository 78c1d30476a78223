"""The sessions that were heard of lately are found at once."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_session_known_at", "session", ["known_at"])
