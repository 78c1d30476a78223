"""Signed meter values: keys of meters, where values must be signed, records that were seen."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables; what had ended before is left as it was judged."""
    _make_registry()
    _make_queue()
    _make_derived()
    newest = op.get_bind().execute(sa.text("SELECT max(n) FROM journal")).scalar()
    if newest:
        now = int(datetime.now(UTC).timestamp() * 1_000_000)
        follower = sa.table("follower", sa.column("name"), sa.column("n"), sa.column("since"))
        op.execute(sa.insert(follower).values(name="signatures", n=newest, since=now))


def _make_registry() -> None:
    """The keys of meters, and where values must be signed."""
    op.create_table(
        "meter_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("evse", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("curve", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_key")),
    )
    op.create_index("ix_meter_key_station", "meter_key", ["station_id", "evse"], unique=False)
    op.create_index("ix_meter_key_serial", "meter_key", ["serial"], unique=False)
    op.create_table(
        "meter_rule",
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("evse", sa.Integer(), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_meter_rule")),
    )
    op.create_index("ix_meter_rule_station", "meter_rule", ["station_id"], unique=False)


def _make_queue() -> None:
    """What is to be checked."""
    op.create_table(
        "unchecked",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_unchecked")),
    )


def _make_derived() -> None:
    """What is folded from the journal."""
    op.create_table(
        "signed_record",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "mark", name=op.f("pk_signed_record")),
    )
    op.create_index("ix_signed_record_mark", "signed_record", ["mark"], unique=False)
    op.create_index("ix_signed_record_page", "signed_record", ["key", "page"], unique=False)
    op.create_table(
        "offered_key",
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("evse", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("station_id", "evse", "key", name=op.f("pk_offered_key")),
    )
