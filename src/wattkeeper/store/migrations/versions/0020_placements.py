"""Where stations stood and since when; totals by connector know the site. Every session is counted again.

Where stations stood before is not known: each has always stood where it stands.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

LONG = ("plugged_s", "charging_s", "idle_s", "energy_wh", "gross_minor")
ALWAYS = -62_135_596_800_000_000
"""The first instant of the year 1, in microseconds."""


def upgrade() -> None:
    """Make the placements, and the totals by connector anew."""
    op.create_table(
        "placement",
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("latitude", sa.BigInteger(), nullable=True),
        sa.Column("longitude", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("station_id", "since", name=op.f("pk_placement")),
    )
    op.create_index("ix_placement_site", "placement", ["site"])
    op.execute(f"INSERT INTO placement (station_id, since, site) SELECT id, {ALWAYS}, site FROM station")
    for name, span in (("tally_day", "day"), ("tally_month", "month")):
        op.drop_table(name)
        _totals(name, span)
    for name in ("load_quarter", "tally_hour", "stay_count", "stay_day", "tallied", "untallied"):
        op.execute(f"DELETE FROM {name}")
    began = "CASE WHEN started_at > known_at THEN known_at ELSE started_at END"  # one dated ahead does not wait for it
    op.execute(f"INSERT INTO untallied (session_id, at) SELECT id, {began} FROM session")


def _totals(name: str, span: str) -> None:
    """Totals of connectors by a span."""
    keys = [_column("site", sa.Text()), _column("station_id", sa.Text()), _column("evse", sa.Integer())]
    keys += [_column("connector", sa.Integer()), _column(span, sa.Text())]
    rest = [*(_column(one, sa.BigInteger()) for one in LONG), _column("sessions", sa.Integer())]
    rest += [_column("ended", sa.Integer()), _column("empty", sa.Integer()), _column("stayed_s", sa.BigInteger())]
    op.create_table(name, *keys, *rest, sa.PrimaryKeyConstraint(*(one.name for one in keys), name=op.f(f"pk_{name}")))
    op.create_index(f"ix_{name}_{span}", name, [span])


def _column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
