"""Money in and out: ways to pay, payments through a provider, monthly invoices, shares of hosts, write-offs."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEPT = "is kept as it was written; settle it by another"
NEXT = "NEW.place <> 1 + COALESCE((SELECT MAX(place) FROM monthly_invoice WHERE series = NEW.series), 0)"
YEAR = {"sqlite": "CAST(strftime('%Y', 'now') AS INTEGER)", "postgresql": "EXTRACT(YEAR FROM now())"}


def upgrade() -> None:
    """Make the tables, and let the database itself refuse what must never be."""
    _make_ways()
    _make_payments()
    _make_invoices()
    _make_shares()
    _begin_now()
    dialect = op.get_bind().dialect.name
    old = f"CAST(OLD.series AS INTEGER) + 10 >= {YEAR[dialect]}"
    _refuse(dialect, "monthly_invoice_kept_0", "UPDATE", "", f"A monthly invoice {KEPT}")
    _refuse(dialect, "monthly_invoice_kept_1", "DELETE", old, f"A monthly invoice {KEPT}")
    _refuse(dialect, "monthly_invoice_right_0", "INSERT", NEXT, "A monthly invoice takes the next number of its year")
    if dialect == "postgresql":
        _refuse_truncating()


def _refuse(dialect: str, name: str, deed: str, wrong: str, why: str) -> None:
    """A trigger that refuses a deed on a monthly invoice, where it is wrong or always."""
    if dialect == "sqlite":
        when, body = f"WHEN {wrong} " if wrong else "", f"BEGIN SELECT RAISE(ABORT, '{why}.'); END"
        op.execute(f"CREATE TRIGGER {name} BEFORE {deed} ON monthly_invoice {when}{body}")
        return
    check = f"IF {wrong} THEN RAISE EXCEPTION '{why}.'; END IF;" if wrong else f"RAISE EXCEPTION '{why}.';"
    row = "OLD" if deed == "DELETE" else "NEW"
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {check} RETURN {row}; END $$")
    op.execute(f"CREATE TRIGGER {name} BEFORE {deed} ON monthly_invoice FOR EACH ROW EXECUTE FUNCTION {name}()")


def _refuse_truncating() -> None:
    """PostgreSQL can empty a table without looking at its rows; not this one."""
    name = "monthly_invoice_not_emptied"
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'A monthly invoice {KEPT}.'; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE TRUNCATE ON monthly_invoice FOR EACH STATEMENT EXECUTE FUNCTION {name}()")


def _begin_now() -> None:
    """What was charged before is owed as it was: settling begins with what is charged from now on."""
    newest = op.get_bind().execute(sa.text("SELECT max(n) FROM ledger_entry")).scalar()
    if newest:
        now = int(datetime.now(UTC).timestamp() * 1_000_000)
        told = sa.text("INSERT INTO follower (name, n, since) VALUES ('settling', :n, :since)")
        op.get_bind().execute(told, {"n": newest, "since": now})


def _make_ways() -> None:
    """How somebody pays, and which card the provider keeps for them."""
    op.create_table(
        "pay_way",
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_pay_way")),
    )
    op.create_index("ix_pay_way_kind", "pay_way", ["kind", "subject", "n"], unique=False)
    op.create_table(
        "payment_means",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("last_four", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_payment_means")),
    )
    op.create_table(
        "settlement",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_settlement")),
    )
    op.create_index("ix_settlement_invoice", "settlement", ["invoice"], unique=False)
    op.create_index("ix_settlement_person_id", "settlement", ["person_id", "created_at"], unique=False)
    op.create_index("ix_settlement_session_id", "settlement", ["session_id"], unique=False)
    op.create_index("ix_settlement_way", "settlement", ["way", "invoice", "month"], unique=False)


def _make_payments() -> None:
    """Payments, and what the provider was asked and told."""
    op.create_table(
        "payment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("asked_minor", sa.BigInteger(), nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=True),
        sa.Column("page", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
    )
    op.create_index("ix_payment_created_at", "payment", ["created_at", "id"], unique=False)
    op.create_index("ix_payment_number", "payment", ["number"], unique=False)
    op.create_index("ix_payment_person_id", "payment", ["person_id", "created_at"], unique=False)
    op.create_index("ix_payment_session_id", "payment", ["session_id"], unique=False)
    op.create_index("ix_payment_state", "payment", ["state", "created_at"], unique=False)
    op.create_index("uq_payment_theirs", "payment", ["provider", "theirs"], unique=True)
    op.create_table(
        "payment_step",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_step")),
    )
    op.create_index("ix_payment_step_payment_id", "payment_step", ["payment_id", "created_at"], unique=False)
    op.create_index("ix_payment_step_state", "payment_step", ["state", "due_at"], unique=False)
    op.create_index("ix_payment_step_theirs", "payment_step", ["theirs"], unique=False)
    op.create_table(
        "payment_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_event")),
    )
    op.create_table(
        "payment_difference",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("ours_minor", sa.BigInteger(), nullable=True),
        sa.Column("ours_currency", sa.Text(), nullable=True),
        sa.Column("theirs_minor", sa.BigInteger(), nullable=True),
        sa.Column("theirs_currency", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_difference")),
    )
    op.create_index("ix_payment_difference_state", "payment_difference", ["state", "created_at", "id"], unique=False)
    op.create_index("uq_payment_difference_theirs", "payment_difference", ["theirs", "kind"], unique=True)


def _make_invoices() -> None:
    """What is asked for monthly."""
    op.create_table(
        "monthly_invoice",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("vat_minor", sa.BigInteger(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_monthly_invoice")),
    )
    op.create_index("ix_monthly_invoice_issued_at", "monthly_invoice", ["issued_at", "place"], unique=False)
    op.create_index("uq_monthly_invoice_month", "monthly_invoice", ["person_id", "month", "currency"], unique=True)
    op.create_index("uq_monthly_invoice_place", "monthly_invoice", ["series", "place"], unique=True)


def _make_shares() -> None:
    """What hosts get, and money moved by hand."""
    op.create_table(
        "site_share",
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_site_share")),
    )
    op.create_index("ix_site_share_site", "site_share", ["site", "n"], unique=False)
    op.create_table(
        "money_deed",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deed", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("after_entry", sa.BigInteger(), nullable=True),
        sa.Column("until_entry", sa.BigInteger(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_deed")),
    )
    op.create_index("ix_money_deed_site", "money_deed", ["site", "created_at"], unique=False)
    op.create_index("ix_money_deed_state", "money_deed", ["state", "created_at", "id"], unique=False)
