"""The log: a hash tree over every change, its checkpoints, and what its leaves say instead of names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from wattkeeper.store.migrations.refusing import refuse_changes

revision = "0009"
down_revision = "0008"

STAYS = ("log_leaf", "log_node", "log_checkpoint", "log_cosignature")


def _number(name: str, kind: type[sa.types.TypeEngine] = sa.BigInteger) -> sa.Column:  # type: ignore[type-arg]
    """A column of a number that is given."""
    return sa.Column(name, kind(), autoincrement=False, nullable=False)


def _column(name: str, kind: type[sa.types.TypeEngine], nullable: bool = False) -> sa.Column:  # type: ignore[type-arg]
    """A column."""
    return sa.Column(name, kind(), nullable=nullable)


def upgrade() -> None:
    """Make the tables of the log, which can neither be changed nor deleted, and the names that can."""
    op.create_table(
        "log_leaf",
        _number("n"),
        _column("at", sa.BigInteger),
        _column("kind", sa.Text),
        _column("ref", sa.Text),
        _column("salt", sa.LargeBinary),
        _column("commitment", sa.LargeBinary),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_log_leaf")),
    )
    op.create_index("uq_log_leaf_ref", "log_leaf", ["ref", "kind"], unique=True)
    op.create_table(
        "log_node",
        _number("level", sa.Integer),
        _number("n"),
        _column("hash", sa.LargeBinary),
        sa.PrimaryKeyConstraint("level", "n", name=op.f("pk_log_node")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_checkpoint",
        _number("size"),
        _column("root", sa.LargeBinary),
        _column("at", sa.BigInteger),
        _column("note", sa.Text),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_checkpoint")),
    )
    op.create_index("ix_log_checkpoint_at", "log_checkpoint", ["at"])
    op.create_table(
        "log_cosignature",
        _number("size"),
        _column("witness", sa.Text),
        _column("line", sa.Text),
        _column("at", sa.BigInteger),
        sa.PrimaryKeyConstraint("size", "witness", name=op.f("pk_log_cosignature")),
    )
    op.create_table(
        "log_name",
        _column("token", sa.Text),
        _column("salt", sa.LargeBinary, nullable=True),
        _column("commitment", sa.LargeBinary),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_log_name")),
    )
    for table in STAYS:
        refuse_changes(table, "What was logged stays as it is")
