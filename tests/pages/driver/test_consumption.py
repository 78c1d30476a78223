"""What a driver reads of what they used and paid: its answer first, the same as their bills, and nobody else's."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from decimal import Decimal
from functools import partial
from html import unescape
from types import SimpleNamespace
from typing import Any

import httpx
from playwright.async_api import expect
from sqlalchemy import func, select, update

from tests.doors import until
from tests.operations.driven import FLAT, Roads, local
from tests.operations.people import Clock
from tests.operations.test_other_times import NIGHT
from tests.pages.driver.test_look import fits
from tests.pages.driver.town import OWNER, Town
from wattkeeper.charging.cards.token import TokenRef
from wattkeeper.charging.privacy.rights import Use as Purpose
from wattkeeper.charging.statistics.used import NONE, Place, Sum
from wattkeeper.store.columns import EPOCH
from wattkeeper.store.money.tariffs import tariff as tariffs
from wattkeeper.store.tables import bill, holding, session, station
from wattkeeper.web.driver.consumption import words
from wattkeeper.web.driver.consumption.picture import HIGH, TOP, WORD, Figure, drawn

UID, OTHERS = "04C0FFEE04C0FF", "04C0FFEE04C0AA"
EVIL = "=1+1\"'><script>alert(2)</script>"
PAST = (
    (local(2025, 11, 10, 8), 20_000),
    (local(2026, 6, 3, 13), 50_000),
    (local(2026, 10, 5, 8), 25_000),
    (local(2026, 10, 30, 8), 9_000),  # after the day of the month that it is
    (local(2026, 11, 4, 8), 10_000),
    (local(2026, 11, 18, 19), 12_000),
)
"""When somebody charged, and how much; half a euro for each kWh."""


async def carded(town: Town, who: str, uid: str) -> TokenRef:
    """A card that a driver always had."""
    card = await town.fob(who, "Blue", uid)
    async with town.rooms.store.unit() as unit:
        await unit.connection.execute(update(holding).where(holding.c.ref == card).values(since=EPOCH))
    return card


async def charged(town: Town, who: str, past: tuple[tuple[datetime, int], ...] = PAST, uid: str = UID) -> Roads:
    """Sessions of a driver, each billed when it ended; from then on it is 20 November 2026, noon."""
    rooms, card = town.rooms, await carded(town, who, uid)
    async with rooms.store.unit() as unit:
        await tariffs.keep(unit, FLAT, local(2020, 1, 1), "test")
    clock = rooms.store.clock = Clock()
    made = Roads(SimpleNamespace(intake=rooms.intake), rooms, clock)  # type: ignore[arg-type]
    for at, wh in past:
        clock.now = at
        made.told += hash(uid) % 1_000_000
        await made.charged(card, at, wh, minutes=180)
    clock.now = local(2026, 11, 20, 12)
    await until(partial(are_billed, town, card, len(past)), "the last bill")
    return made


async def are_billed(town: Town, card: TokenRef, count: int) -> bool:
    """Whether so many sessions on a card are: the town bills too, and what one of both touches the other leaves."""
    wanted = select(func.count()).select_from(bill.join(session, session.c.id == bill.c.session_id))
    async with town.rooms.store.read() as connection:
        return await connection.scalar(wanted.where(session.c.token == card)) == count


def spoken(text: str) -> str:
    """The text of a page, each run of spaces as one."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).replace("\u202f", " ").replace("\xa0", " ").split())


async def test_the_page_opens_with_its_answer(town: Town) -> None:
    me = await town.sign_up()
    await charged(town, me)
    async with town.driver(me) as person:
        page = person.page
        await page.goto("/app/consumption")
        await expect(page.locator(".sums dd").nth(0)).to_have_text("22.00 kWh")
        await expect(page.locator(".sums dd").nth(1)).to_have_text("€11.00")
        await expect(page.locator("main")).to_contain_text("On average €0.500 for each kWh, tax included.")
        first, second = page.locator(".says").nth(0), page.locator(".says").nth(1)
        await expect(first).to_contain_text(
            "12 % less energy than in the same days of October, 12 % less to pay, each kWh at the same price."
        )
        await expect(first).to_contain_text("it was 25.00 kWh, €12.50")
        await expect(second).to_contain_text("10 % more energy than in the same days of November 2025")
        await expect(page.locator("#months")).to_have_text("Most energy: 50.00 kWh, June 2026")
        await expect(page.locator("section", has=page.locator("#months")).locator("tbody tr")).to_have_count(13)
        await expect(page.locator("#places")).to_have_text("Most at Hauptplatz 1, Linz")
        await page.get_by_role("link", name="Earlier month").click()
        await expect(page.locator(".sums dd").nth(0)).to_have_text("34.00 kWh")
        await expect(page.locator(".says").first).to_contain_text("Nothing was charged in September to compare with.")
        await page.get_by_role("link", name="Jun 2026", exact=True).press("Enter")
        await expect(page.locator(".sums dd").nth(1)).to_have_text("€25.00")
        await page.goto("/app/sessions")
        await page.get_by_role("link", name="Consumption and cost").click()
        await expect(page.locator("h1")).to_have_text("Consumption and cost")
        await page.goto("/app/me")
        await expect(page.get_by_role("link", name="Consumption and cost")).to_be_visible()


async def test_what_is_not_billed_yet_is_told_with_what_it_comes_to(town: Town) -> None:
    me = await town.sign_up()
    made = await charged(town, me)
    other = await carded(town, me, OTHERS)
    await made.charged(other, local(2026, 11, 20, 13), 4_000, doubtful=True)
    async with town.plain(me) as client:
        used = spoken((await client.get("/app/consumption")).text)
        listed = spoken((await client.get("/app/sessions?month=2026-11")).text)
    assert "Cost €11.00" in used and "1 session with 4.10 kWh was not billed yet and is not in it." in used
    assert "They come to €2.05 so far; the list of sessions counts that too." in used
    assert "€13.05" in listed, "what the one page adds up to and the other tells apart"


async def test_months_and_years_that_are_not_there_are_not_told(town: Town) -> None:
    me = await town.sign_up()
    await charged(town, me)
    async with town.plain(me) as client:
        empty = (await client.get("/app/consumption?month=2026-09")).text
        assert "<dd>–</dd>" in empty and "0.00" not in empty.split("</dl>")[0]
        for path, why in (
            ("?month=2026-12", "That month is still to come."),
            ("/years/2027", "That year is still to come."),
        ):
            answer = await client.get(f"/app/consumption{path}")
            assert answer.status_code == 422 and why in answer.text, path


def test_places_stand_by_address_with_their_stations_beneath() -> None:
    def used(wh: int) -> Sum:
        return Sum(sessions=1, energy_wh=Decimal(wh))

    yard, alone, nameless = "Yard 1, Linz", "Main 2, Linz", ""
    found = words.places(
        {
            Place("Garage", alone): used(9_000),
            Place("CP-01", yard): used(5_000),
            Place("CP-02", yard): used(6_000),
            Place("CP-07", nameless): used(1_000),
            Place("CP-08", nameless): NONE,
        },
        "2026-11",
        13,
    )
    assert [(one.name, one.more, one.energy, one.is_part) for one in found] == [
        (yard, "2 sessions", "11.00", False),
        ("CP-01", "1 session", "5.00", True),
        ("CP-02", "1 session", "6.00", True),
        (alone, "Garage · 1 session", "9.00", False),
        ("CP-07", "1 session", "1.00", False),
    ]


async def test_each_figure_leads_to_the_sessions_that_make_it_up(town: Town) -> None:
    me, other = await town.sign_up(), await town.sign_up("bert@example.org")
    await charged(town, me)
    await charged(town, other, PAST[:2], OTHERS)
    async with town.plain(me) as client, town.plain(other) as stranger:
        year = await client.get("/app/consumption/years/2026")
        done = 0
        for page in (await client.get("/app/consumption"), year):
            cells = re.findall(r'<(?:td|dd)>(?:<a href="([^"]+)">)?(.*?)</(?:td|dd)>', page.text)
            shown = [
                (unescape(href), spoken(re.sub(r'<span class="unseen">.*?</span>', "", text))) for href, text in cells
            ]
            open_ = [one for one in shown if not one[0] and re.search(r"[1-9]", one[1])]
            rates = page.text.partition('id="tax"')[2]
            assert all(spoken(text) in spoken(rates) for _, text in open_), open_
            for href, text in shown:
                if href:
                    done += await makes_up(client, href, text)
        assert done > 30
        link = "/app/consumption/sessions?month=2026-11&months=13"
        assert len(re.findall(r'href="/app/sessions/', (await stranger.get(link)).text)) == 2, "their own alone"
        for odd in ("month=x", "month=2026-13"):
            assert (await client.get(f"/app/consumption/sessions?{odd}")).status_code == 422
        for odd in ("", "months=x&part=5&address=%00", "months=99", "part=6&station=nowhere", "month=2030-01"):
            assert (await client.get(f"/app/consumption/sessions?{odd}")).status_code == 200, odd


async def makes_up(client: httpx.AsyncClient, href: str, text: str) -> int:
    """Compare a figure with the sessions it leads to; 1 where it could be compared."""
    page = (await client.get(href)).text
    rows = re.findall(r'<span class="fig">(.*?)</span>.*?<span class="fig2">(.*?)</span>', page, re.DOTALL)
    assert rows, href
    energy = sum(Decimal(spoken(wh).split()[0]) for wh, _ in rows)
    cost = sum(Decimal(spoken(amount).removeprefix("€")) for _, amount in rows)
    figure = text.removesuffix(" kWh").removeprefix("€").split()[0]
    assert figure in (f"{energy:.2f}", f"{cost:.2f}", "0.500"), (href, text, energy, cost)
    return 1


async def test_the_same_energy_at_other_times_is_told_where_the_price_asks_for_the_time(town: Town) -> None:
    me = await town.sign_up()
    await charged(town, me)
    async with town.plain(me) as client:
        text = spoken((await client.get("/app/consumption")).text)
        assert "The same price at every hour" in text
        await town.rooms.prices.set(OWNER, NIGHT)
        text = spoken((await client.get("/app/consumption")).text)
        assert "Cheapest begun at 0:00: €4.40" in text
        assert "come to €11.00 by today’s prices" in text
        assert "they would have come to €4.40; at 6:00, to €11.00" in text
        table = await read(client, "hours-EUR.csv?month=2026-11")
        turns = ["6.60", "8.80"], ["8.80", "6.60"]  # three hours, of which one or two lie beyond the turn
        night, by_day = ["4.40"], ["11.00"] * 14
        assert [row["gross"] for row in table] == [*night * 4, *turns[0], *by_day, *turns[1], *night * 2]
        assert (await client.get("/app/consumption/sheets/hours-EUR.svg?month=2026-11")).status_code == 200


async def read(client: httpx.AsyncClient, name: str) -> list[dict[str, str]]:
    """A table."""
    answer = await client.get(f"/app/consumption/sheets/{name}")
    assert answer.status_code == 200, name
    assert answer.headers["cache-control"] == "no-store"
    return [*csv.DictReader(io.StringIO(answer.text.removeprefix("\N{BYTE ORDER MARK}")))]


async def test_tables_and_pictures_say_the_same_and_do_no_harm(town: Town) -> None:
    me = await town.sign_up()
    await charged(town, me)
    async with town.rooms.store.unit() as unit:
        await unit.connection.execute(update(station).where(station.c.id == "CP1").values(label=EVIL))
    async with town.plain(me) as client:
        rows = await read(client, "months.csv?month=2026-11")
        assert [row["month"] for row in rows if row["gross"]] == ["2025-11", "2026-06", "2026-10", "2026-11"]
        assert sum(Decimal(row["gross"] or 0) for row in rows) == Decimal("63.00")
        assert {row["place"] for row in await read(client, "places.csv?month=2026-11")} == {f"'{EVIL}"}
        assert sum(Decimal(row["energy_kwh"]) for row in await read(client, "parts.csv?month=2026-11")) == 126
        page = (await client.get("/app/consumption")).text
        assert EVIL not in page
        picture = await client.get("/app/consumption/sheets/energy.svg?month=2026-11")
        assert picture.headers["content-type"].startswith("image/svg+xml")
        assert picture.text.startswith("<svg xmlns=")
        assert "Most energy: 50.00 kWh, June 2026" in picture.text
        assert picture.text.count("<rect") == 4
        for odd in ("months.pdf", "x.csv", "hours-EUR.csv", "energy", "..%2fenergy.svg", "hours-XXX.svg", "%00.csv"):
            assert (await client.get(f"/app/consumption/sheets/{odd}?month=2026-11")).status_code == 404, odd
        for month in ("2026-13", "x", "0001-01", "%00", EVIL):
            answer = await client.get("/app/consumption", params={"month": month})
            assert (answer.status_code, "<script>alert" in answer.text) == (422, False), month


async def test_nobody_sees_what_another_used(town: Town) -> None:
    dora, eve = await town.sign_up(), await town.sign_up("eve@example.org", "Eve")
    await charged(town, dora)
    async with town.plain(eve) as client:
        page = await client.get("/app/consumption")
        assert "You have not charged here yet." in spoken(page.text)
        assert "Hauptplatz" not in page.text
        rows = await read(client, "months.csv?month=2026-11")
        assert {Decimal(row["energy_kwh"]) for row in rows} == {0}
        assert await read(client, "places.csv?month=2026-11") == []
    async with town.plain() as stranger:
        for path in ("/app/consumption", "/app/consumption/sheets/months.csv"):
            answer = await stranger.get(path)
            assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/app/sign-in")


async def test_who_objects_to_comparing_is_told_why_nothing_is_compared(town: Town) -> None:
    me = await town.sign_up()
    await charged(town, me)
    viewer = await town.viewer(me)
    await town.rooms.rights.restrictions.set(viewer, viewer.person, Purpose.PROFILING)
    async with town.plain(me) as client:
        text = spoken((await client.get("/app/consumption")).text)
        assert "nothing is compared here" in text
        assert "same days" not in text
        assert "at every hour" not in text
        assert "22.00 kWh" in text


async def test_it_fits_phones_and_desks_in_both_languages_and_without_script(town: Town) -> None:
    me = await town.sign_up()
    await charged(town, me)
    await town.rooms.prices.set(OWNER, NIGHT)
    for width, language in ((360, "de"), (390, "en"), (1280, "de")):
        options: dict[str, Any] = {"size": (width, 800), "locale": language}
        async with town.driver(me, **options) as person:
            await fits(person, "/app/consumption", language)
    async with town.driver(me, locale="de", java_script_enabled=False) as person:
        await person.page.goto("/app/consumption")
        await expect(person.page.locator("main")).to_contain_text(
            "12 % weniger Energie als an denselben Tagen im Oktober"
        )
        await expect(person.page.locator("main")).to_contain_text("Am günstigsten ab 0:00 Uhr")
        await person.page.locator("summary").click()
        await expect(person.page.locator("details tbody tr")).to_have_count(24)


def test_bars_are_as_tall_as_what_they_stand_for() -> None:
    values = [Decimal(one) for one in (0, 1, 50, 100, 25)]
    one = drawn("x", "X", [Figure("", value, f"{value}") for value in values], 30)
    assert [bar.height for bar in one.bars] == [0, 2, HIGH // 2, HIGH, HIGH // 4]
    assert all(bar.y + bar.height == one.base == TOP + HIGH for bar in one.bars)
    assert [bar.figure for bar in one.bars] == ["", "", "", "100", ""]
    near = drawn("x", "X", [Figure("", Decimal(n), f"{n}", is_chosen=n == 8) for n in (9, 8, 1, 1, 1)], 30)
    assert [bar.figure for bar in near.bars] == ["", "8", "", "", ""], "two figures would run into each other"
    assert WORD * 2 > 2 * 30
    assert near.bars[1].figure_y < near.bars[0].y, "it stands above the taller bar that it reaches over"
    assert near.bars[1].figure_y >= TOP - 12 > 0
    assert [bar.height for bar in drawn("x", "X", [Figure("", Decimal(0), "")] * 3, 30).bars] == [0, 0, 0]
