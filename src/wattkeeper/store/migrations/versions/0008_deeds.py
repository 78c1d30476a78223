"""Deeds that must be provable: looks at persons, consent, keys, rights."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table of deeds, which can neither be changed nor deleted."""
    op.create_table(
        "deed",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_deed")),
    )
    op.create_index("ix_deed_subject", "deed", ["subject", "n"])
    op.create_index("ix_deed_kind", "deed", ["kind", "n"])
    _refuse("UPDATE")
    _refuse("DELETE")


def _refuse(change: str) -> None:
    """A trigger that refuses to change what was written down."""
    name, why = f"deed_no_{change.lower()}", "A deed that was written down stays as it is"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER {name} BEFORE {change} ON deed BEGIN SELECT RAISE(ABORT, '{why}.'); END")
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{why}.'; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {change} ON deed FOR EACH ROW EXECUTE FUNCTION {name}()")
