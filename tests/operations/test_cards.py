"""Cards come in by list and one by one; their numbers are found by pseudonym and opened only by the vault."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from wattkeeper.bus.memory import MemoryBus
from wattkeeper.charging.cards.token import CardState
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.operations.cards import listing
from wattkeeper.operations.cards.book import Cards, last2
from wattkeeper.operations.cards.importing import ImportReport
from wattkeeper.operations.safe import Safe, open_safe
from wattkeeper.store.cards import card as kept
from wattkeeper.store.cards.card import CardRow
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import person, subject_key

ANYONE = Viewer("tests", Role.SERVICE, EVERYTHING)


@dataclass(slots=True)
class Drawer:
    """Cards, and where they are kept."""

    cards: Cards
    store: Store
    safe: Safe

    async def all(self) -> dict[str, CardRow]:
        """Every card, by the last two characters of its number."""
        async with self.store.read() as connection:
            return {row.last2: row for row in await kept.find(connection, ANYONE, 500)}

    async def take(self, text: str) -> ImportReport:
        """Import a list."""
        return await self.cards.import_csv(text, ANYONE)


@pytest.fixture
async def drawer(database: str, tmp_path: Path) -> AsyncIterator[Drawer]:
    """An empty drawer."""
    store = Store(database)
    safe = await open_safe(store, tmp_path / "key")
    yield Drawer(Cards(store, safe, MemoryBus()), store, safe)
    await store.close()


async def test_a_list_comes_in(drawer: Drawer) -> None:
    report = await drawer.take(
        "number,name,group,expires,max_sessions,state\n"
        "04A2B97F,Anna Example,crew,2030-06-30,2,\n"
        "04A2B980,,,,,blocked\n"
        "04A2B981,,,2030-06-30T12:00:00+02:00,,Active\n"
        "04A2B982,,,30.06.2030,,\n"
    )
    assert (report.imported, report.updated, report.rejected) == (4, 0, [])
    cards = await drawer.all()
    anna = cards["7F"]
    assert (anna.group, anna.max_sessions, anna.state) == ("crew", 2, CardState.ACTIVE)
    assert anna.expires_at == cards["82"].expires_at == datetime(2030, 7, 1, tzinfo=UTC)
    assert cards["81"].expires_at == datetime(2030, 6, 30, 10, tzinfo=UTC)
    assert cards["80"].state is CardState.BLOCKED
    assert await drawer.cards.reveal(anna.ref) == "04A2B97F"
    assert anna.ref == drawer.safe.ref("04:a2:b9:7f")


async def test_a_list_that_comes_again_changes_what_it_names(drawer: Drawer) -> None:
    await drawer.take("number,group,state\n04A2B97F,crew,blocked\n")
    report = await drawer.take("uid;max_sessions;state\n04 a2 b9 7f;5;\n")
    assert (report.imported, report.updated) == (0, 1)
    card = (await drawer.all())["7F"]
    assert (card.group, card.max_sessions, card.state) == ("crew", 5, CardState.BLOCKED)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffnumber;name\r\n04A2B97F;Anna\r\n",
        'number\n="04A2B97F"\n',
        "number\n'04A2B97F\n",
        '"number"\t"name"\n"04A2B97F"\t"Anna, of the ""crew"""\n',
        "idTag\r04A2B97F\r",
        "Number , Name\n 04:A2:B9:7F , Anna\n\n,\n",
        "\n".join(["number,name", '04A2B97F,"Anna\nExample"', ""]).replace("\nExample", " Example"),
    ],
)
async def test_what_spreadsheets_make_of_a_list(drawer: Drawer, text: str) -> None:
    report = await drawer.take(text)
    assert (report.imported, report.rejected) == (1, [])
    assert (await drawer.all())["7F"].ref == drawer.safe.ref("04A2B97F")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_what_spreadsheets_write_is_read(encoding: str) -> None:
    text = "number;name\n04A2B97F;Jürgen\n"
    assert listing.decoded(text.encode(encoding)).removeprefix("\ufeff") == text


BAD = [
    ("", "number is missing"),
    ("1.23457E+11", "spreadsheet"),
    ("1,2E+11", "spreadsheet"),
    ("=cmd|calc!A1", "characters"),
    ("04A2B9\x007F", "characters"),
    ("04A2\u202eB97F", "characters"),
    ("０４Ａ２", "characters"),
    ("-.-", "characters"),
    ("A" * 37, "more than 36"),
]


@pytest.mark.parametrize(("number", "why"), BAD)
async def test_numbers_that_are_none_are_told_by_line_and_never_repeated(drawer: Drawer, number: str, why: str) -> None:
    report = await drawer.take(f'number;name\n"{number}";Anna\n04A2B97F;Bert\n')
    assert report.imported == 1
    (rejected,) = report.rejected
    assert rejected.line == 2
    assert why in rejected.why
    assert not number or number not in rejected.why


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("expires", "2030-02-30", "date"),
        ("expires", "01/02/2030", "date"),
        ("expires", "0001-01-01T00:00:00+14:00", "date"),
        ("expires", "soon", "date"),
        ("state", "lost", "active or blocked"),
        ("max_sessions", "1001", "whole number"),
        ("max_sessions", "-1", "whole number"),
        ("max_sessions", "1e3", "whole number"),
        ("max_sessions", "９", "whole number"),
        ("group", "x" * 101, "100 characters"),
        ("name", "x" * 201, "200 characters"),
        ("name", "a\x07b", "printed"),
    ],
)
async def test_cells_that_make_no_sense_are_told(drawer: Drawer, column: str, cell: str, why: str) -> None:
    report = await drawer.take(f"number;{column}\n04A2B97F;{cell}\n")
    assert report.imported == 0
    assert why in report.rejected[0].why
    assert cell not in report.rejected[0].why


async def test_duplicates_surplus_cells_and_open_quotations_are_told(drawer: Drawer) -> None:
    report = await drawer.take('number;name\n04A2B97F;A\n04-A2-B9-7F;B\n04A2B980;C;D\n04A2B981;"E\n04A2B982;F\n')
    assert report.imported == 1
    assert [(row.line, row.why.split()[0]) for row in report.rejected] == [(3, "This"), (4, "There"), (5, "A")]
    assert (await drawer.all()).keys() == {"7F"}


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "04A2B97F\n04A2B980\n", "name\nAnna\n", "number,number\n1,2\n", "number,colour\n1,2\n", '"number\n'],
)
async def test_lists_that_cannot_be_understood_are_refused_whole(drawer: Drawer, text: str) -> None:
    with pytest.raises(Refusal) as refused:
        await drawer.take(text)
    assert refused.value.code is Code.INVALID
    assert "04A2B97F" not in refused.value.why


async def test_a_list_without_end_is_refused(drawer: Drawer) -> None:
    for ending in ("\n", "\r"):
        with pytest.raises(Refusal, match="lines"):
            await drawer.take("number" + ending * (listing.MOST_LINES + 1))


async def test_every_card_has_a_person_with_a_key_of_their_own(drawer: Drawer) -> None:
    await drawer.take("number,name\n" + "".join(f"CARD{n:04},Name {n}\n" for n in range(250)))
    async with drawer.store.read() as connection:
        people = await connection.scalar(select(func.count()).select_from(person))
        mine = select(func.count()).select_from(subject_key).where(subject_key.c.subject.like("person:%"))
        assert (people, await connection.scalar(mine)) == (250, 250)


async def test_a_card_whose_key_is_destroyed_stays_closed(drawer: Drawer) -> None:
    ref = await drawer.cards.enroll("04A2B97F", "Anna", {}, ANYONE)
    async with drawer.store.unit() as unit:
        await unit.connection.execute(text("DELETE FROM subject_key WHERE subject LIKE 'person:%'"))
    with pytest.raises(Refusal) as refused:
        await drawer.cards.reveal(ref)
    assert refused.value.code is Code.NOT_FOUND


async def test_one_card_is_enrolled_once_and_changed(drawer: Drawer) -> None:
    ref = await drawer.cards.enroll("04:A2:B9:7F", None, {"group": "crew"}, ANYONE)
    with pytest.raises(Refusal) as refused:
        await drawer.cards.enroll("04a2b97f", None, {}, ANYONE)
    assert refused.value.code is Code.CONFLICT
    await drawer.cards.set_state(ref, CardState.BLOCKED, ANYONE)
    await drawer.cards.change(ref, {"group": None, "expires_at": datetime(2030, 1, 1, tzinfo=UTC)}, ANYONE)
    await drawer.cards.change(ref, {}, ANYONE)
    card = (await drawer.all())["7F"]
    assert (card.state, card.group, card.expires_at) == (CardState.BLOCKED, None, datetime(2030, 1, 1, tzinfo=UTC))
    for deed in (drawer.cards.change("p1:0", {}, ANYONE), drawer.cards.set_state("p1:0", CardState.ACTIVE, ANYONE)):
        with pytest.raises(Refusal) as refused:
            await deed
        assert refused.value.code is Code.NOT_FOUND


async def test_no_number_and_no_name_reaches_the_log(drawer: Drawer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await drawer.take("number,name\n04CA9A51C0FFEE,Canary Example\n04CA9A51C0FFEE,Canary Example\n1.2E+11,Canary\n")
        with pytest.raises(Refusal):
            await drawer.cards.enroll("04CA9A51C0FFEE", "Canary Example", {}, ANYONE)
    heard = caplog.text.upper()
    assert "IMPORTED" in heard
    assert "04CA9A51C0FFEE" not in heard
    assert "CANARY EXAMPLE" not in heard


def test_short_numbers_show_nothing() -> None:
    assert [last2(number) for number in ("04A2B97f", "AB12", "A:B1", "AB1", "1")] == ["7F", "12", "", "", ""]
