"""The list of sealed columns is whole: compared with the tables, and with every place that seals."""

from __future__ import annotations

import ast
from pathlib import Path

from sqlalchemy import LargeBinary

from wattkeeper.operations.keys.sealed import ELSEWHERE, SEALED
from wattkeeper.store.tables import metadata

SOURCES = Path(__file__).parent.parent.parent / "src" / "wattkeeper"
SEALS = {"seal": 0, "unseal": 0, "seal_for": 2, "unseal_for": 2, "unseal_by": 2}
"""The verbs of the safe, and which argument names the table; the next names the column."""
LISTED = {(one.table.name, one.column) for one in SEALED}


def named() -> set[tuple[str, str]]:
    """Every table and column that some code seals or opens for."""
    found = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            verb = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = SEALS.get(verb)
            if first is None or len(node.args) < first + 2:
                continue
            names = node.args[first : first + 2]
            if all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in names):
                found.add((names[0].value, names[1].value))  # type: ignore[attr-defined]
    return found


def test_every_sealed_column_is_listed() -> None:
    said = {
        (column.table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and (column.name == "sealed" or "sealed" in column.info["purpose"])
    }
    assert said == LISTED, "operations/keys/sealed.py must name every sealed column: else it is lost with its key"


def test_every_place_that_seals_is_listed() -> None:
    found = named()
    assert ("card", "sealed") in found
    assert found - ELSEWHERE <= LISTED, "operations/keys/sealed.py must name what is sealed here"
    assert len(LISTED & found) > len(LISTED) / 2, "the places that seal were not found"


def test_the_list_and_the_tables_agree_on_whose_key_seals() -> None:
    for one in SEALED:
        said = one.table.c[one.column].info["under"]
        assert said == (one.owner or "house") or one.table.name == "journal"  # whose rows are all the house's


def test_rows_of_listed_tables_are_known_by_one_column() -> None:
    assert all(len(one.table.primary_key.columns) == 1 for one in SEALED)
