"""What a session costs, billed: tariffs by assignment, numbered bills, what waits for a person, double entry."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEPT = "is kept as it was written; correct it by another"
# Ten years after the year in whose series a bill is numbered it may go; nothing else ever does.
REFUSED = (
    ("bill", "UPDATE", ""),
    ("bill", "DELETE", "CAST(OLD.series AS INTEGER) + 10 >= {year}"),
    ("ledger_entry", "UPDATE", ""),
    ("ledger_entry", "DELETE", ""),
    ("ledger_line", "UPDATE", ""),
    ("ledger_line", "DELETE", ""),
)
NEXT = "NEW.{place} <> 1 + COALESCE((SELECT MAX({place}) FROM {table}{where}), 0)"
NUMBERED = (
    (
        "bill",
        NEXT.format(place="place", table="bill", where=" WHERE series = NEW.series"),
        "A bill takes the next number of its year",
    ),
    (
        "ledger_entry",
        NEXT.format(place="n", table="ledger_entry", where=""),
        "An entry takes the next number",
    ),
    (
        "ledger_entry",
        "(SELECT COUNT(*) FROM ledger_line WHERE entry = NEW.n) < 2",
        "An entry has two lines or more, written before it",
    ),
    (
        "ledger_entry",
        "EXISTS (SELECT 1 FROM ledger_line WHERE entry = NEW.n GROUP BY currency HAVING SUM(amount_minor) <> 0)",
        "The lines of an entry add up to nothing in each currency",
    ),
    (
        "ledger_line",
        "EXISTS (SELECT 1 FROM ledger_entry WHERE n = NEW.entry)",
        "An entry that is written takes no more lines",
    ),
)
YEAR = {"sqlite": "CAST(strftime('%Y', 'now') AS INTEGER)", "postgresql": "EXTRACT(YEAR FROM now())"}


def upgrade() -> None:
    """Make the tables, and let the database itself refuse what must never be."""
    _make_prices()
    _make_bills()
    _make_books()
    _begin_now()
    dialect = op.get_bind().dialect.name
    for count, (table, deed, unless) in enumerate(REFUSED):
        _refuse(dialect, f"{table}_kept_{count}", table, deed, unless.format(year=YEAR[dialect]), f"A {table} {KEPT}")
    for count, (table, wrong, why) in enumerate(NUMBERED):
        _refuse(dialect, f"{table}_right_{count}", table, "INSERT", wrong, why)
    if dialect == "postgresql":
        for table in ("bill", "ledger_entry", "ledger_line"):
            _refuse_truncating(table)


def _refuse(dialect: str, name: str, table: str, deed: str, wrong: str, why: str) -> None:
    """A trigger that refuses a deed on a row, where it is wrong or always."""
    if dialect == "sqlite":
        when = f"WHEN {wrong} " if wrong else ""
        op.execute(f"CREATE TRIGGER {name} BEFORE {deed} ON {table} {when}BEGIN SELECT RAISE(ABORT, '{why}.'); END")
        return
    check = f"IF {wrong} THEN RAISE EXCEPTION '{why}.'; END IF;" if wrong else f"RAISE EXCEPTION '{why}.';"
    row = "OLD" if deed == "DELETE" else "NEW"
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {check} RETURN {row}; END $$")
    op.execute(f"CREATE TRIGGER {name} BEFORE {deed} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _refuse_truncating(table: str) -> None:
    """PostgreSQL can empty a table without looking at its rows; not these."""
    op.execute(
        f"CREATE FUNCTION {table}_not_emptied() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'A {table} {KEPT}.'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_not_emptied()"
    )


def _begin_now() -> None:
    """What ended before there were bills is not billed: billing begins with what is told from now on."""
    newest = op.get_bind().execute(sa.text("SELECT max(n) FROM journal")).scalar()
    if newest:
        now = int(datetime.now(UTC).timestamp() * 1_000_000)
        told = sa.text("INSERT INTO follower (name, n, since) VALUES ('billing', :n, :since)")
        op.get_bind().execute(told, {"n": newest, "since": now})


def _make_prices() -> None:
    """Which tariff holds where, and which a session was pinned to."""
    op.create_table(
        "tariff_assignment",
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("tariff_id", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_tariff_assignment")),
    )
    op.create_index("ix_tariff_assignment_kind", "tariff_assignment", ["kind", "subject"], unique=False)
    op.create_table(
        "pin",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("tariff_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("rank", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_pin")),
    )


def _make_bills() -> None:
    """Bills, and what waits for a person before or after."""
    op.create_table(
        "bill",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("grouping", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("tariff_id", sa.Text(), nullable=False),
        sa.Column("tariff_version", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("vat_minor", sa.BigInteger(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("corrects", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_bill")),
    )
    op.create_index("ix_bill_issued_at", "bill", ["issued_at", "place"], unique=False)
    op.create_index("ix_bill_person_id", "bill", ["person_id", "issued_at"], unique=False)
    op.create_index("ix_bill_session_id", "bill", ["session_id", "issued_at"], unique=False)
    op.create_index("ix_bill_station_id", "bill", ["station_id", "issued_at"], unique=False)
    op.create_index("uq_bill_place", "bill", ["series", "place"], unique=True)
    op.create_index(
        "uq_bill_session",
        "bill",
        ["session_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'bill'"),
        postgresql_where=sa.text("kind = 'bill'"),
    )
    op.create_table(
        "follower",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_follower")),
    )
    op.create_table(
        "due",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_due")),
    )
    op.create_index("ix_due_at", "due", ["at"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("billed_minor", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index("ix_hold_session_id", "hold", ["session_id", "since"], unique=False)
    op.create_index("ix_hold_state", "hold", ["state", "since", "id"], unique=False)
    op.create_index(
        "uq_hold_open",
        "hold",
        ["session_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "proposal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("deed", sa.Text(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=True),
        sa.Column("gross_minor", sa.BigInteger(), nullable=True),
        sa.Column("difference_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    op.create_index("ix_proposal_state", "proposal", ["state", "created_at", "id"], unique=False)
    op.create_index(
        "uq_proposal_open",
        "proposal",
        ["session_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def _make_books() -> None:
    """The ledger, and the sums kept beside it."""
    op.create_table(
        "ledger_entry",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_ledger_entry")),
    )
    op.create_index("uq_ledger_entry_ref", "ledger_entry", ["ref", "kind"], unique=True)
    op.create_table(
        "ledger_line",
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry", "place", name=op.f("pk_ledger_line")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ledger_line_account", "ledger_line", ["account", "entry"], unique=False)
    op.create_table(
        "ledger_balance",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "currency", name=op.f("pk_ledger_balance")),
    )
    op.create_table(
        "revenue",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("tariff_id", sa.Text(), nullable=False),
        sa.Column("grouping", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("corrections", sa.Integer(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("vat_minor", sa.BigInteger(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "site", "station_id", "tariff_id", "grouping", "currency", name=op.f("pk_revenue")
        ),
    )
