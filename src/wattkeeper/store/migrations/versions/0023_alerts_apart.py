"""When an alert about something was last raised is found at once."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_alert_subject", "alert", ["rule_id", "subject", "raised_at"])
