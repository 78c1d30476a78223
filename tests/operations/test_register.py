"""The register of data: complete, and the only source of the records of processing and of the notice's table."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, LargeBinary, MetaData, Table, Text

from wattkeeper.language import LANGUAGES, tell_in
from wattkeeper.operations.privacy.register import records
from wattkeeper.operations.privacy.register.notice import AREAS, BASES, GETS, LASTS, notice
from wattkeeper.operations.privacy.register.register import activities, columns, faults
from wattkeeper.settings import Settings
from wattkeeper.store.columns import Area, Basis, Instant, Recipient, Retention, kept
from wattkeeper.store.tables import metadata
from wattkeeper.store.tables.ground import about

PAGE = Path(__file__).parents[2] / "docs" / "records-of-processing.md"
ABOUT = about(Area.CARDS, Recipient.NOBODY)


def test_every_column_says_why_on_what_basis_how_long_and_who_gets_it() -> None:
    assert list(faults(metadata)) == []


def test_the_records_of_processing_say_what_the_tables_say() -> None:
    """Where this fails: wattkeeper register --records > docs/records-of-processing.md"""
    assert PAGE.read_text() == records.records()
    for one in columns(metadata):
        assert (f"`{one.table}.{one.column}`" in PAGE.read_text()) == one.is_personal


PURPOSE, CONTRACT, DAYS = "what it is for", Basis.CONTRACT, Retention.DAYS_30


@pytest.mark.parametrize(
    ("column", "info", "said"),
    [
        (kept("x", Text, "", CONTRACT), ABOUT, "what it is kept for"),
        (Column("x", Text), ABOUT, "say its basis"),
        (Column("x", Text, info={"purpose": PURPOSE, "basis": CONTRACT}), ABOUT, "say its retention"),
        (kept("x", Text, PURPOSE, CONTRACT), {}, "who gets it"),
        (kept("x", Text, PURPOSE, CONTRACT), {"area": Area.CARDS, "to": ()}, "who gets it"),
        (kept("x", LargeBinary, "a name, sealed", CONTRACT), ABOUT, "under whose key"),
        (kept("x", LargeBinary, "a picture", CONTRACT), ABOUT, "under whose key"),
        (kept("x", LargeBinary, "a name, sealed", CONTRACT, under="person_id"), ABOUT, "no column person_id"),
        (kept("x", Instant, PURPOSE, CONTRACT, DAYS), ABOUT, "none would ever be deleted"),
    ],
)
def test_a_column_that_does_not_say_so_is_found(column: Column[Any], info: dict[str, Any], said: str) -> None:
    wrong = MetaData()
    Table("thing", wrong, kept("id", Text, "its name", CONTRACT, primary_key=True), column, info=info)
    assert any(said in fault for fault in faults(wrong)), list(faults(wrong))


def test_days_without_an_instant_to_count_from_are_found() -> None:
    wrong = MetaData()
    Table("thing", wrong, kept("id", Text, "its name", CONTRACT, DAYS, primary_key=True), info=ABOUT)
    assert [fault for fault in faults(wrong) if "since when" in fault]


def test_the_files_hold_every_column_once() -> None:
    names = [f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns]
    for rows in (list(csv.DictReader(io.StringIO(records.as_csv()))), json.loads(records.as_json())):
        assert sorted(f"{row['table']}.{row['column']}" for row in rows) == sorted(names)
        assert all(row["purpose"] and row["basis"] and row["retention"] and row["recipients"] for row in rows)


def test_the_notice_has_words_for_whatever_the_tables_say() -> None:
    assert (set(AREAS), set(BASES), set(LASTS), set(GETS)) == (set(Area), set(Basis), set(Retention), set(Recipient))
    told = notice(Settings())
    assert [row.area for row in told.rows] == [one.area for one in activities(metadata)]
    for row in told.rows:
        for words in (row.what, row.why, *row.bases, *row.lasts, *row.gets):
            assert all(tell_in(language, words) for language in LANGUAGES)


def test_the_notice_names_nobody_who_is_not_used() -> None:
    quiet = notice(Settings())
    gets = {str(one) for row in quiet.rows for one in row.gets}
    assert str(GETS[Recipient.MAIL]) not in gets and str(GETS[Recipient.PAYMENT]) not in gets
    loud = notice(Settings(mail_host="mail.example", stripe_key_file="key", seller_name="Strom & Rad GmbH"))
    gets = {str(one) for row in loud.rows for one in row.gets}
    assert str(GETS[Recipient.MAIL]) in gets and str(GETS[Recipient.PAYMENT]) in gets
    assert loud.controller == "Strom & Rad GmbH"
