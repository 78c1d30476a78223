"""Totals of sessions by quarter hour, hour, day and month; every session there is waits to be counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

LONG = ("plugged_s", "charging_s", "idle_s", "energy_wh", "gross_minor")


def upgrade() -> None:
    """Make the totals and the queue of what is to be counted."""
    _totals("load_quarter", [_text("site"), _long("at")], [_long("energy_wh")])
    _totals("tally_hour", [_text("site"), _long("at")], _spans())
    for name, span in (("tally_day", "day"), ("tally_month", "month")):
        keys = [_text("station_id"), _whole("evse"), _whole("connector"), _text(span)]
        _totals(name, keys, [*_spans(), _whole("ended"), _whole("empty"), _long("stayed_s")])
        op.create_index(f"ix_{name}_{span}", name, [span])
    op.create_index("ix_tally_hour_at", "tally_hour", ["at"])
    _totals("stay_count", [_text("site"), _text("month"), _whole("quarters")], [_whole("sessions")])
    _totals("tallied", [_text("session_id")], [_text("site"), _long("at"), _text("share")])
    _totals("untallied", [_text("session_id")], [_long("at")])
    op.create_index("ix_untallied_at", "untallied", ["at"])
    op.execute("INSERT INTO untallied (session_id, at) SELECT id, started_at FROM session")


def _totals(name: str, keys: list[sa.Column[object]], rest: list[sa.Column[object]]) -> None:
    """A table with these keys."""
    key = sa.PrimaryKeyConstraint(*(one.name for one in keys), name=op.f(f"pk_{name}"))
    op.create_table(name, *keys, *rest, key)


def _spans() -> list[sa.Column[object]]:
    return [*(_long(name) for name in LONG), _whole("sessions")]


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _long(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=False)
