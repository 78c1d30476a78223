"""What becomes of each personal column when its person is forgotten: none is overlooked."""

from __future__ import annotations

import pytest
from sqlalchemy import Table

from wattkeeper.store.cards import renaming
from wattkeeper.store.columns import Basis, Text, kept
from wattkeeper.store.privacy import leaving
from wattkeeper.store.privacy.leaving import BY_NAME, EMPTIED, GOING, LASTING, STAYS, Whose, personal
from wattkeeper.store.tables import metadata
from wattkeeper.store.tables.ground import ACCOUNT, C

GO = {one.table for one in GOING}
NAMING = {"person_id", "account_id"}


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_each_personal_column_goes_stays_without_a_person_or_by_an_id_that_leads_to_nobody(table: Table) -> None:
    for name in personal(table):
        lasting = table.c[name].info["retention"] in LASTING
        assert lasting or table.name in GO or table.name in STAYS, f"{table.name}.{name}"
        if table.name in STAYS and name in NAMING and not lasting:
            assert name in EMPTIED[table.name], f"{table.name}.{name} would still say whose it was"


def test_nothing_is_overlooked() -> None:
    assert leaving.overlooked() == []


def test_whatever_names_a_card_and_stays_is_renamed() -> None:
    for table in metadata.sorted_tables:
        cards = {name for name, whose in BY_NAME.items() if whose is Whose.CARD and name in personal(table)}
        if cards and table.name not in GO and table.name not in ("log_name", "privacy_request"):
            places = {column.name for column in renaming.PLACES.get(table.name, ())}
            beside = {"ledger_entry", "payment_step", "session", "log_leaf"}  # `ref` is no card there
            assert cards & places or table.name in beside, f"{table.name}: {cards}"


def test_a_new_table_about_people_that_nobody_thought_of_is_found() -> None:
    """Control: one that says nothing of whose it is is refused; one that does goes with its person."""
    columns = kept("id", Text, "something", C, ACCOUNT, primary_key=True), kept("what", Text, "of somebody", C, ACCOUNT)
    table = Table("overlooked", metadata, *columns)
    try:
        assert leaving.overlooked() == ["overlooked"]
        table.append_column(kept("person_id", Text, "whose", C, ACCOUNT))
        assert "overlooked" in {one.table for one in leaving.going()}
    finally:
        metadata.remove(table)


def test_every_reason_to_stay_is_of_a_table_with_something_personal() -> None:
    for name, why in STAYS.items():
        assert why.endswith("."), name
        assert personal(metadata.tables[name]), f"{name} holds nothing personal"
        assert any(column.info["basis"] is not Basis.NONE for column in metadata.tables[name].columns)
