"""A driver's year, on screen, on paper, as a table and over the API: all of it equal to their bills, to the cent."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from pypdf import PdfReader
from sqlalchemy import select

from tests.operations.driven import OWNER, VIENNA, Roads, local, roads
from tests.web.conftest import ADDRESS, client_of
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.store.tables import bill
from wattkeeper.web.app import build
from wattkeeper.web.guards.origin import cookie_name

API = "/api/v1/consumption"
MIXED = Tariff(
    "EUR",
    (
        Element(
            (
                Component(Dimension.ENERGY, Decimal("0.337"), Decimal(20)),
                Component(Dimension.FLAT, Decimal("0.71"), Decimal(10)),
            )
        ),
    ),
)
"""Prices that are awkward to round, with two rates of tax."""


@dataclass(slots=True)
class Town:
    """Roads, and a browser for whoever is signed in."""

    roads: Roads
    app: Any

    @asynccontextmanager
    async def browser(self, viewer: Viewer, cookie: str = "") -> AsyncIterator[httpx.AsyncClient]:
        """Their browser, on our own pages."""
        made = cookie or await self.roads.cookie(viewer)
        headers = {"Cookie": f"{cookie_name(self.roads.rooms.settings)}={made}"}
        headers |= {"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}
        async with client_of(self.app, **headers) as client:
            yield client


@asynccontextmanager
async def town(database: str, folder: Path) -> AsyncIterator[Town]:
    """An installation that begins in December 2025."""
    async with roads(database, folder, local(2025, 12, 1), seller_name="Strom & Rad GmbH") as made:
        yield Town(made, build(made.rooms))


async def year_of(made: Roads, who: Viewer) -> None:
    """A year with both its edges, a correction, a credit note, a wait, and another currency."""
    card = await made.card(who, "04AABBCCDDEE01")
    await made.price(MIXED)
    await made.charged(card, local(2025, 12, 31, 22, 50), 7_010, minutes=65)
    await made.charged(card, local(2026, 1, 1, 0, 15), 3_333)
    less = await made.charged(card, local(2026, 2, 14, 8), 12_345)
    more = await made.charged(card, local(2026, 2, 15, 8), 6_789, where="CP2")
    for day in range(1, 25):
        await made.charged(card, local(2026, 3, day, 7), 1_000 + 37 * day, bills=day % 6 == 0)
    await made.rooms.bills.do(OWNER, less, Wish(deed=Deed.CORRECT, said="Misread.", energy_wh=Decimal(9_999)))
    await made.rooms.bills.do(OWNER, more, Wish(deed=Deed.CORRECT, said="Agreed.", gross_minor=777))
    await made.price(Tariff("CHF", MIXED.elements))
    await made.charged(card, local(2026, 5, 5, 12), 4_444, where="CP2")
    await made.charged(card, local(2026, 12, 31, 22, 30), 5_555)
    await made.charged(card, local(2026, 12, 31, 23, 55), 2_222, doubtful=True)
    await made.charged(card, local(2027, 1, 1, 0, 30), 8_888)


async def by_bills(made: Roads, who: Viewer, year: int) -> tuple[Counter[str], Counter[str], Decimal, int]:
    """Gross and tax by currency, energy, and how many: every bill whose session began in that year in Vienna."""
    async with made.rooms.store.read() as connection:
        rows = await connection.execute(select(bill).where(bill.c.person_id == who.person))
        found = [row for row in rows if row.started_at.astimezone(VIENNA).year == year]
    gross: Counter[str] = Counter()
    vat: Counter[str] = Counter()
    for row in found:
        gross[row.currency] += row.gross_minor
        vat[row.currency] += row.vat_minor
    return gross, vat, sum((row.energy_wh for row in found), Decimal(0)), len(found)


def lines(text: str) -> list[dict[str, str]]:
    """A table's rows."""
    return [*csv.DictReader(io.StringIO(text.removeprefix("\N{BYTE ORDER MARK}")))]


def sums(rows: list[dict[str, str]], what: str, column: str) -> Counter[str]:
    """The sum of a column in minor units, by currency."""
    found: Counter[str] = Counter()
    for row in rows:
        if row["what"] == what and row["currency"]:
            found[row["currency"]] += int(Decimal(row[column]) * 100)
    return found


async def test_a_year_is_the_sum_of_its_bills_to_the_cent(database: str, tmp_path: Path) -> None:
    async with town(database, tmp_path) as made:
        anna, bert = await made.roads.driver("anna"), await made.roads.driver("bert")
        await year_of(made.roads, anna)
        gross, vat, energy, count = await by_bills(made.roads, anna, 2026)
        assert count == 31
        assert set(gross) == {"EUR", "CHF"}
        async with made.browser(anna) as client:
            table = lines((await client.get("/app/consumption/years/2026/sheet")).text)
            for what in ("total", "month", "place", "tax"):
                assert (sums(table, what, "gross"), sums(table, what, "tax")) == (gross, vat), what
            for what in ("total", "month", "place"):
                told = sum(Decimal(row["energy_kwh"] or 0) for row in table if row["what"] == what)
                assert told * 1000 == energy, what
            assert sorted({row["tax_percent"] for row in table if row["what"] == "tax"}) == ["10", "20"]
            one = (await client.get(f"{API}/2026")).json()
            assert {each["currency"]: each["gross_minor"] for each in one["billed"]} == gross
            assert sum(each["vat_minor"] for each in one["taxes"]) == sum(vat.values())
            assert (one["documents"], one["not_billed_yet"], one["is_running"]) == (count, 1, False)
            assert [each["month"] for each in one["months"]] == ["2026-01", "2026-02", "2026-03", "2026-05", "2026-12"]
            paper = await client.get("/app/consumption/years/2026/paper")
            assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
            text = words(paper.content)
            for currency, sign in (("EUR", "€"), ("CHF", "CHF ")):
                assert f"{sign}{Decimal(gross[currency]).scaleb(-2)}" in text, text
                assert f"{sign}{Decimal(vat[currency]).scaleb(-2)}" in text
            assert f"{energy.scaleb(-3):.2f} kWh" in text
            assert f"the sum of {count} documents" in text
            assert "1 session of this year was not billed yet and is not in it." in text
            page = plain((await client.get("/app/consumption/years/2026")).text)
            for currency, sign in (("EUR", "€"), ("CHF", "CHF ")):
                assert f"{sign}{Decimal(gross[currency]).scaleb(-2)}" in page
            edges = [(await client.get(f"{API}/{year}")).json() for year in (2025, 2027)]
            assert [each["energy_wh"] for each in edges] == [7_010, 8_888]
            assert edges[1]["is_running"]
        async with made.browser(bert) as client:
            assert (await client.get(f"{API}/2026")).json()["sessions"] == 0
            for path in ("/app/consumption/years/2026/sheet", "/app/consumption/years/2026/paper", f"{API}/2026/paper"):
                answer = await client.get(path)
                assert answer.status_code == 404, path
                assert "Hauptplatz" not in answer.text


def words(pdf: bytes) -> str:
    """The text of a PDF, each run of spaces as one."""
    return plain(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def plain(text: str) -> str:
    """A text with plain spaces."""
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ").split())


async def test_the_files_of_a_year_are_handed_out_after_a_fresh_proof_alone(database: str, tmp_path: Path) -> None:
    async with town(database, tmp_path) as made:
        anna = await made.roads.driver("anna")
        card = await made.roads.card(anna, "04AABBCCDDEE01")
        await made.roads.charged(card, local(2026, 1, 1, 2), 3_333)
        cookie = await made.roads.cookie(anna)
        made.roads.clock.on(minutes=6)
        async with made.browser(anna, cookie) as client:
            page = await client.get("/app/consumption/years/2026")
            assert "/app/me/proof?next=/app/consumption/years/2026" in page.text
            assert "/2026/paper" not in page.text
            for file in ("paper", "sheet"):
                path = f"/app/consumption/years/2026/{file}"
                answer = await client.get(path)
                assert (answer.status_code, answer.headers["location"]) == (303, f"/app/me/proof?next={path}")
                answer = await client.get(f"{API}/2026/{file}")
                assert (answer.status_code, answer.json()["code"]) == (403, "proof_needed")
            assert (await client.get(f"{API}/2026")).status_code == 200
        async with made.browser(anna) as client:
            page = await client.get("/app/consumption/years/2026")
            assert "/app/consumption/years/2026/paper" in page.text
            assert (await client.get("/app/consumption/years/2026/paper")).status_code == 200
            assert (await client.get(f"{API}/2026/sheet")).status_code == 200
            for year in ("0000", "1970", "9999", "20260", "x", "%00", "2026-03", "٢٠٢٦"):
                assert (await client.get(f"/app/consumption/years/{year}")).status_code in (404, 422), year
                assert (await client.get(f"{API}/{year}")).status_code in (404, 422), year
            assert "You charged nothing" in (await client.get("/app/consumption/years/2020")).text
            assert (await client.get("/app/consumption/years/2020/paper")).status_code == 404


async def test_the_api_tells_a_driver_their_own_month_and_nobody_elses(database: str, tmp_path: Path) -> None:
    async with town(database, tmp_path) as made:
        anna = await made.roads.driver("anna")
        card = await made.roads.card(anna, "04AABBCCDDEE01")
        await made.roads.charged(card, local(2025, 12, 10, 2), 10_000)
        await made.roads.charged(card, local(2026, 1, 10, 13), 20_000, where="CP2")
        async with made.browser(anna) as client:
            one = (await client.get(API)).json()
            assert one["month"]["month"] == "2026-01"
            assert one["month"]["billed"] == [
                {
                    **{"currency": "EUR", "digits": 2, "net_minor": 833, "vat_minor": 167, "gross_minor": 1000},
                    **{"energy_wh": 20_000, "price_per_kwh": "0.5000"},
                }
            ]
            assert [(each["month"], each["energy_wh"]) for each in one["past"]] == [("2025-12", 10_000), ("2025-01", 0)]
            assert [each["place"] for each in one["places"]] == ["Volksgarten", "Hauptplatz"]
            assert [each["energy_wh"] for each in one["parts"]] == [10_000, 0, 20_000, 0]
            assert one["other_hours"][0]["hours_minor"] == []
            assert one["carbon"] is None
            assert (await client.get(API, params={"month": "2025-12"})).json()["month"]["energy_wh"] == 10_000
            assert (await client.get(API, params={"month": "2025-13"})).status_code == 422
            assert (await client.get(API, params={"person": "x"})).status_code == 422
        access = made.roads.rooms.access
        for scopes in ({Scope.SESSIONS_READ}, {Scope.BILLS_READ}, {Scope.SESSIONS_READ, Scope.BILLS_READ}):
            token = await access.make_token(f"t{len(scopes)}", frozenset(scopes))
            async with client_of(made.app, Authorization=f"Bearer {token}") as program:
                for path in (API, f"{API}/2026", f"{API}/2026/paper", f"{API}/2026/sheet"):
                    assert (await program.get(path)).status_code == 403, "a program is nobody in particular"
        async with client_of(made.app) as stranger:
            assert (await stranger.get(API)).status_code == 401


async def test_whoever_was_forgotten_has_no_figures_any_more(database: str, tmp_path: Path) -> None:
    async with town(database, tmp_path) as made:
        anna, bert = await made.roads.driver("anna"), await made.roads.driver("bert")
        card = await made.roads.card(anna, "04AABBCCDDEE01")
        await made.roads.charged(card, local(2026, 1, 1, 2), 3_333)
        rooms = made.roads.rooms
        await rooms.bills.do(OWNER, await only(made.roads), Wish(deed=Deed.CORRECT, said="A gift.", gross_minor=0))
        cookie = await made.roads.cookie(anna)
        async with made.browser(anna, cookie) as client, made.browser(bert) as other:
            assert (await client.get(f"{API}/2026")).json()["sessions"] == 1
            fresh = await rooms.access.viewer_by_cookie(cookie)
            assert fresh is not None
            await rooms.rights.forgetting.forget(fresh, fresh.person)
            assert (await client.get(f"{API}/2026")).status_code == 401
            assert (await client.get("/app/consumption")).status_code == 303
            assert (await other.get(f"{API}/2026")).json()["sessions"] == 0


async def only(made: Roads) -> str:
    """The session there is."""
    async with made.rooms.store.read() as connection:
        return str(await connection.scalar(select(bill.c.session_id)))
