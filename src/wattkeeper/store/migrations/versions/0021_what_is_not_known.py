"""What totals do not know: for how long cars charged, and when energy came; all sessions are counted anew for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

SPANS = ("tally_hour", "tally_day", "tally_month")


def upgrade() -> None:
    """Add what is not known, and let every session be counted again; until then totals are as they were."""
    op.add_column("load_quarter", _column("spread_wh", sa.BigInteger()))
    for name in SPANS:
        op.add_column(name, _column("unknown_s", sa.BigInteger()))
        op.add_column(name, _column("unknown", sa.Integer()))
    missing = "SELECT 1 FROM untallied WHERE untallied.session_id = session.id"
    began = "CASE WHEN started_at > known_at THEN known_at ELSE started_at END"  # one dated ahead does not wait for it
    op.execute(f"INSERT INTO untallied SELECT id, {began} FROM session WHERE NOT EXISTS ({missing})")


def _column(name: str, kind: sa.types.TypeEngine[int]) -> sa.Column[int]:
    return sa.Column(name, kind, nullable=False, server_default="0")
