"""What is said on the phone is understood, and what is found is what was meant."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from playwright.async_api import expect

from tests.pages.site import CARD, Person, Site
from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.identifiers import session_id, shown
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.web.operator.sessions.understood import misheard, understand

FRIDAY = date(2025, 11, 21)
NOW = datetime(2025, 11, 21, 10, tzinfo=UTC)
ID = session_id(0x1234567890)


@pytest.mark.parametrize(
    "text",
    [
        ID,
        shown(ID),
        shown(ID).lower(),
        f"  session {shown(ID)} please",
        " ".join(ID),
        f"{ID[:4]} {ID[4:8]} {ID[8]}",
        shown(ID).replace("0", "O").replace("1", "l"),
    ],
)
def test_an_id_is_heard_however_it_is_said(text: str) -> None:
    assert understand(text, FRIDAY).session == ID


def test_a_misheard_id_is_noticed() -> None:
    wrong = ID[:-1] + ("2" if ID[-1] != "2" else "3")
    assert understand(wrong, FRIDAY).session is None
    assert misheard(shown(wrong))
    assert not misheard(ID)
    assert not misheard("yesterday")


def hours(text: str) -> list[tuple[str, str]]:
    """The windows that a text means, as day and hour."""
    windows = understand(text, FRIDAY).windows(NOW, UTC)
    return [(f"{start:%d %H:%M}", f"{end:%d %H:%M}") for start, end in windows]


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("today", [("21 00:00", "22 00:00")]),
        ("yesterday", [("20 00:00", "21 00:00")]),
        ("friday", [("14 00:00", "15 00:00")]),
        ("2025-11-03", [("03 00:00", "04 00:00")]),
        ("yesterday around six", [("20 05:00", "20 07:30"), ("20 17:00", "20 19:30")]),
        ("yesterday evening around six", [("20 17:00", "20 19:30")]),
        ("yesterday 6 pm", [("20 17:00", "20 19:30")]),
        ("yesterday 6pm", [("20 17:00", "20 19:30")]),
        ("at 18:30", [("21 17:30", "21 20:00")]),
        ("around 17", [("21 16:00", "21 18:30")]),
        ("this morning", [("21 05:00", "21 12:00")]),
        ("garage", []),
        ("gestern gegen sechs", [("20 05:00", "20 07:30"), ("20 17:00", "20 19:30")]),
        ("gestern Abend gegen halb sieben", [("20 18:00", "20 20:30")]),
        ("vorgestern um 18:30 Uhr", [("19 17:30", "19 20:00")]),
        ("Freitag, 18 Uhr", [("14 17:00", "14 19:30")]),
        ("am 3.11. mittags", [("03 11:00", "03 14:00")]),
        ("24.12.2024", [("24 00:00", "25 00:00")]),
    ],
)
def test_times_are_understood(text: str, windows: list[tuple[str, str]]) -> None:
    assert hours(text) == windows


def test_the_rest_is_understood() -> None:
    said = understand("disputed at Garage 2, card 7f", FRIDAY)
    assert (said.grade, said.card, said.words, said.state) == (Grade.DISPUTED, "7F", ("Garage", "2"), None)
    assert understand("••ZQ live", FRIDAY).card == "ZQ"
    assert understand("live", FRIDAY).state == "live"
    said = understand("strittig an der Garage 2, Karte 7f", FRIDAY)
    assert (said.grade, said.card, said.words) == (Grade.DISPUTED, "7F", ("Garage", "2"))
    assert understand("24.12.", FRIDAY).day == date(2024, 12, 24)
    assert understand("31.2.", FRIDAY).day is None


async def found(person: Person, address: str) -> int:
    """How many sessions are listed at this address."""
    await person.page.goto(address)
    return await person.page.locator("#sessions tr.row").count()


async def test_sessions_are_found_by_what_was_said(site: Site) -> None:
    other = "04FFFFFFFF99"
    await site.rooms.cards.import_csv(f"number\n{other}\n", VIEWER)
    garage, yard = await site.admit("CP1", label="Garage"), await site.admit("CP2", label="Yard")
    async with site.station("CP1", garage) as first, site.station("CP2", yard) as second:
        await first.begin()
        await first.end(30, 3000)
        await second.begin(card=other)
        async with site.operator() as person:
            assert await found(person, "/sessions") == 2
            assert await found(person, "/sessions?q=garage") == 1
            assert await found(person, "/sessions?q=live") == 1
            assert await found(person, f"/sessions?q=card+{CARD[-2:]}") == 1
            assert await found(person, "/sessions?q=live+at+garage") == 0
            assert await found(person, "/sessions?state=ended&station=CP1") == 1
            assert await found(person, "/sessions?station=CP2&grade=disputed") == 0
            assert await found(person, "/sessions?q=roof") == 0
            await person.sees("No station is called “roof”.")
            await person.page.goto("/sessions?q=K7QM-4XRD-3")
            await person.sees("a character was misheard or mistyped")


async def test_a_choice_of_filter_is_the_address_bar_and_new_sessions_appear(site: Site) -> None:
    key = await site.admit("CP1", label="Garage")
    async with site.operator() as person, site.station("CP1", key) as station:
        await person.page.goto("/sessions")
        await person.page.get_by_label("State").select_option("live")
        await person.page.wait_for_url("**/sessions?*state=live*")
        await person.is_live()
        await person.sees("Nothing found.")
        await station.begin()
        row = person.page.locator("#sessions tr.row")
        await expect(row).to_contain_text("Garage")
        await station.end(30, 3000)
        await expect(row).to_have_count(0)


async def test_a_click_on_a_heading_sorts_and_again_turns_around(site: Site) -> None:
    keys = [await site.admit(name) for name in ("CP1", "CP2", "CP3")]
    for name, key, energy in zip(("CP1", "CP2", "CP3"), keys, (2000, 9000, 5000), strict=True):
        async with site.station(name, key) as station:
            await station.begin(register_wh=0)
            await station.end(50, energy)
    async with site.operator() as person:
        await person.page.goto("/sessions")
        column = person.page.locator("#sessions td[data-unit=kWh]")
        for expected in (["9.00", "5.00", "2.00"], ["2.00", "5.00", "9.00"]):
            await person.page.get_by_role("link", name="kWh").click()
            await expect(column).to_have_text(expected)
