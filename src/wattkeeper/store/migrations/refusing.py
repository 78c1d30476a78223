"""Triggers that keep what was written down as it was: for migrations of tables that are only added to."""

from __future__ import annotations

from alembic import op


def refuse_changes(table: str, why: str) -> None:
    """Refuse to change or delete rows of a table, and on PostgreSQL to empty it; ``why`` is what the fault says."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for change in ("UPDATE", "DELETE") if is_sqlite else ("UPDATE", "DELETE", "TRUNCATE"):
        name = f"{table}_no_{change.lower()}"
        if is_sqlite:
            op.execute(f"CREATE TRIGGER {name} BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, '{why}.'); END")
            continue
        each = "STATEMENT" if change == "TRUNCATE" else "ROW"
        raised = f"BEGIN RAISE EXCEPTION '{why}.'; END"
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {raised} $$")
        op.execute(f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()")
