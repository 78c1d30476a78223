"""Alerts: rules, how things stand by them, episodes, what is to be told, and webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the tables of alerts."""
    _rules()
    _episodes()
    _telling()


def _rules() -> None:
    """Rules, who is told of them, and how things stand by them."""
    texts = [_text(name) for name in ("name", "kind", "reach", "subject", "quiet", "hooks", "created_by")]
    whole = [_whole(name) for name in ("raise_after_s", "clear_after_s", "apart_s")]
    truth = [_truth(name) for name in ("is_below", "is_harm")]
    long = [_long("raise_at"), _long("clear_at"), _long("created_at")]
    maybe = [_maybe(name) for name in ("limit_kw", "paused_at", "deleted_at")]
    _table("alert_rule", [_text("id")], [*texts, *long, *maybe, *whole, *truth])
    _table("alert_recipient", [_text("rule_id"), _text("account_id")], [])
    since = [_maybe(name) for name in ("beyond_since", "within_since", "raised_at")]
    _table("alert_standing", [_text("rule_id"), _text("subject")], [_text("state"), *since])


def _episodes() -> None:
    """What was raised, of which one at a time is open."""
    texts = [_text(name) for name in ("rule_id", "kind", "subject", "station_id", "site", "figures", "ended")]
    long = [_long(name) for name in ("value", "raise_at", "raised_at")]
    maybe = [_maybe(name) for name in ("held_until", "told_at", "acknowledged_at", "cleared_at")]
    by: sa.Column[object] = sa.Column("acknowledged_by", sa.Text(), nullable=True)
    _table("alert", [_text("id")], [*texts, *long, *maybe, by, _truth("is_harm")])
    op.create_index("ix_alert_raised_at", "alert", ["raised_at", "id"])
    is_open = sa.text("cleared_at IS NULL")
    key = ["rule_id", "subject"]
    op.create_index("uq_alert_open", "alert", key, unique=True, sqlite_where=is_open, postgresql_where=is_open)


def _telling() -> None:
    """What is to be told to whom, and where webhooks lead."""
    texts = [_text(name) for name in ("rule_id", "alert_id", "word", "account_id", "hook_id", "state", "answer")]
    times = [*(_long(name) for name in ("next_at", "begun_at", "created_at")), _maybe("sent_at")]
    _table("alert_sending", [_text("id")], [*texts, *times, _whole("tries")])
    op.create_index("ix_alert_sending_next_at", "alert_sending", ["state", "next_at"])
    op.create_index("ix_alert_sending_alert_id", "alert_sending", ["alert_id"])
    is_real = sa.text("alert_id <> ''")
    once, key = "uq_alert_sending_once", ["alert_id", "word", "account_id", "hook_id"]
    op.create_index(once, "alert_sending", key, unique=True, sqlite_where=is_real, postgresql_where=is_real)
    sealed: sa.Column[object] = sa.Column("sealed", sa.LargeBinary(), nullable=False)
    named = [_text(name) for name in ("name", "host", "ended_why", "created_by")]
    _table("alert_hook", [_text("id")], [*named, sealed, _maybe("ended_at"), _long("created_at")])


def _table(name: str, keys: list[sa.Column[object]], rest: list[sa.Column[object]]) -> None:
    """A table with these keys."""
    key = sa.PrimaryKeyConstraint(*(one.name for one in keys), name=op.f(f"pk_{name}"))
    op.create_table(name, *keys, *rest, key)


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=False)


def _long(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _maybe(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=True)


def _whole(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _truth(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean(), nullable=False)
