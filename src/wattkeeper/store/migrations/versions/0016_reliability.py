"""Reliability: when ports could not be used, what was tried at them, and what does not count."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the tables; all that is derived is read from the journal when it is followed first."""
    _table("port", [_text("station_id"), _whole("evse"), _whole("connector")], [_long("first_at")])
    place = [_text("station_id"), _whole("evse"), _whole("connector")]
    _table("port_word", [_long("n")], [*place, _long("at"), _text("said"), _text("error")])
    op.create_index("ix_port_word_connector", "port_word", ["station_id", "evse", "connector", "at", "n"])
    op.create_index("ix_port_word_at", "port_word", ["station_id", "at"])
    told = [_long("until", True), _text("cause"), _text("error"), _long("began"), _long("fault_at", True)]
    _table("outage", [_text("station_id"), _whole("evse"), _long("since")], [*told, _other("is_over", sa.Boolean())])
    op.create_index("ix_outage_until", "outage", ["station_id", "until"])
    op.create_index("ix_outage_since", "outage", ["since"])
    goes_on = sa.text("until IS NULL")
    op.create_index("ix_outage_open", "outage", ["station_id"], sqlite_where=goes_on, postgresql_where=goes_on)
    rest = [_whole("evse"), _long("since"), _long("until", True), _text("reason")]
    _table(
        "attempt", [_text("station_id"), _text("kind"), _text("name")], [*rest, _other("session_id", sa.Text(), True)]
    )
    op.create_index("ix_attempt_port", "attempt", ["station_id", "kind", "evse", "until"])
    op.create_index("ix_attempt_reason", "attempt", ["kind", "reason", "since"])
    for span in ("day", "month"):
        within = [_text("station_id"), _whole("evse"), _text(span), _text("kind"), _text("reason")]
        _table(f"attempt_{span}", within, [_whole("attempts")])
        op.create_index(f"ix_attempt_{span}_{span}", f"attempt_{span}", [span])
    _table("unreckoned", [_text("station_id")], [_long("since")])
    about = [_text("station_id"), _whole("evse"), _long("since"), _long("until"), _text("reason")]
    _table(
        "exclusion",
        [_text("id")],
        [*about, _other("sealed", sa.LargeBinary()), _long("created_at"), _text("created_by")],
    )
    op.create_index("ix_exclusion_station_id", "exclusion", ["station_id", "evse", "since"])


def _table(name: str, keys: list[sa.Column[object]], rest: list[sa.Column[object]]) -> None:
    key = sa.PrimaryKeyConstraint(*(one.name for one in keys), name=op.f(f"pk_{name}"))
    op.create_table(name, *keys, *rest, key)


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _long(name: str, is_nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=is_nullable)


def _other(name: str, kind: Any, is_nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=is_nullable)
