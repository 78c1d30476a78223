"""Time of day through the doors: what energy cost beside what was billed, for those who may know, by file and API."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from tests.stories.till import ANNA, tariff
from tests.stories.world import NOON
from tests.web.conftest import House
from tests.web.drivers import signed_in
from tests.web.test_statistics import DAY, read, two_sites
from tests.web.test_statistics_api import told
from tests.web.test_statistics_pictures import SVG, table
from wattkeeper.charging.person import Role, Scope
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.billing import Billing
from wattkeeper.operations.money.bills import Bills
from wattkeeper.operations.money.tariffs.prices import Prices
from wattkeeper.store.money import hold
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.store.tables import tally_hour

PAGE = "/insight/hours"


@asynccontextmanager
async def priced(database: str, folder: Path) -> AsyncIterator[House]:
    """Two sites, billed 3.00 for each hour with energy: of Harbour (5.5 kWh from 12, 0.5 from 13) prices are told."""
    async with two_sites(database, folder) as house:
        terms = {
            "site": "Harbour",
            "energy_price": "0.245",
            "times": [{"since": "13:00", "until": "14:00", "energy_price": "0.1"}],
        }
        assert (await house.api.post("/api/v1/statistics/terms", json=terms)).status_code == 201
        async with house.rooms.store.unit() as unit:
            its = tally_hour.c.energy_wh > 0
            await unit.connection.execute(update(tally_hour).where(its).values(gross_minor=300))
        yield house


async def test_the_page_says_what_was_worked_out_by_hand(database: str, tmp_path: Path) -> None:
    async with priced(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        page = read(await owner.get(f"{PAGE}?{DAY}&site=Harbour"))
        assert "92 % of the energy flows from 12:00 to 13:00" in page
        assert "Bought for €1.40, billed €6.00 with tax. A kWh leaves €0.767: billed with tax less bought" in page
        assert "12:00 to 13:00 5.50 €1.35 €3.00 €0.300" in page, "5.5 kWh at 24.5 cents; 1.6525 left of 5.5 kWh"
        assert "13:00 to 14:00 0.50 €0.05 €3.00 €5.900" in page, "0.5 kWh at 10 cents"
        bought = read(await owner.get(f"{PAGE}?{DAY}&site=Harbour&show=bought"))
        assert "€1.35 paid for energy from 12:00 to 13:00" in bought
        assert "€3.00 billed for 12:00 to 13:00" in read(await owner.get(f"{PAGE}?{DAY}&show=billed"))
        both = read(await owner.get(f"{PAGE}?{DAY}"))
        assert "Of 1.00 kWh out of 7.00 kWh the price is not told" in both and "A kWh leaves" not in both
        assert "At Hill nobody told what energy costs. Enter it under Terms" in both
        assert "15:00 to 16:00 1.00 – €3.00 – 1.00" in both
        hill = read(await owner.get(f"{PAGE}?{DAY}&site=Hill&show=bought"))
        assert "Nobody told what energy costs" in hill and "Enter it under Terms" in hill


async def test_files_and_the_api_say_the_same(database: str, tmp_path: Path) -> None:
    async with priced(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        rows = table(await owner.get(f"{PAGE}/hours.csv?{DAY}"))
        assert rows[12] == {
            "hour": "12",
            "energy_kwh": "5.500000",
            "bought": "1.3475",
            "billed": "3",
            "margin_per_kwh": "0.300455",
            "bought_per_kwh": "0.245000",
            "billed_per_kwh": "0.545455",
            "unpriced_kwh": "0.000000",
        }
        assert (rows[15]["margin_per_kwh"], rows[15]["bought_per_kwh"], rows[15]["unpriced_kwh"]) == (
            "",
            "",
            "1.000000",
        )
        drawn = ET.fromstring((await owner.get(f"{PAGE}/hours.svg?{DAY}&show=bought")).text)
        assert drawn.findtext(f"{SVG}title") == "€1.35 paid for energy from 12:00 to 13:00"
        report = await told(house.api, "hours-of-day")
        assert (report["currency"], report["digits"], report["untold"]) == ("EUR", 2, ["Hill"])
        noon = report["items"][12]
        assert (noon["hour"], noon["energy_wh"], noon["gross_minor"], noon["bought"]) == (12, 5500, 300, "1.3475")
        assert (noon["priced_wh"], noon["margin_per_kwh"]) == (5500, "0.300454545455")
        assert report["items"][15]["margin_per_kwh"] is None and report["whole"]["margin_per_kwh"] is None
        assert (report["whole"]["bought"], report["whole"]["gross_minor"]) == ("1.3975", 900)


async def test_whoever_may_not_read_bills_sees_no_money(database: str, tmp_path: Path) -> None:
    async with priced(database, tmp_path) as house:
        async with signed_in(house, "h@example.org", Role.SITE_HOST, ("Harbour",)) as (_, host):
            for show in ("energy", "bought", "billed"):
                page = await host.get(f"{PAGE}?{DAY}&show={show}")
                assert "92 % of the energy flows" in read(page)
                for word in ("€", "EUR", "ought", "illed", "argin", "nobody told"):
                    assert word not in read(page), (show, word)
                sheet = await host.get(f"{PAGE}/hours.csv?{DAY}&show={show}")
                assert sheet.text.startswith("\ufeffhour,energy_kwh\r\n")
        async with await house.with_scopes(Scope.SESSIONS_READ) as program:
            report = await told(program, "hours-of-day")
            assert report["whole"]["energy_wh"] == 7000 and report["untold"] == []
            for one in (report["whole"], *report["items"]):
                assert {one[name] for name in ("gross_minor", "bought", "priced_wh", "margin_per_kwh")} == {None}


async def test_what_was_billed_in_other_money_is_said_and_no_kwh_is_said_to_bring_so_much(
    database: str, tmp_path: Path
) -> None:
    async with priced(database, tmp_path) as house, signed_in(house, "o@example.org", Role.OWNER) as (_, owner):
        store, settings = house.rooms.store, house.rooms.settings
        clock = store.clock
        store.clock = lambda: NOON - timedelta(days=60)
        francs = replace(tariff(), currency="CHF")
        await Prices(store, settings).set(VIEWER, francs)
        store.clock = clock
        await Billing(store, house.door.bus, settings).look()
        async with store.read() as connection:
            held = await hold.find(connection, VIEWER, 9)
        (of_cp1,) = [one.session for one in held if one.station == "CP1" and one.energy_wh]
        deeds = Bills(store, house.door.bus, settings)
        await deeds.do(ANNA, of_cp1, Wish(deed=Deed.CORRECT, said="As agreed.", gross_minor=600))
        for path in (f"/insight?{DAY}", f"{PAGE}?{DAY}", f"{PAGE}?{DAY}&site=Harbour&show=billed"):
            page = read(await owner.get(path))
            assert "CHF 6.00 were billed in another currency, and are in no amount here." in page, path
            assert "A kWh leaves" not in page
        for path in (f"/insight?{DAY}&site=Hill", f"{PAGE}?{DAY}&site=Hill", f"{PAGE}?from=2026-02-01&to=2026-02-28"):
            assert "another currency" not in read(await owner.get(path)), path
        rows = table(await owner.get(f"{PAGE}/hours.csv?{DAY}&site=Harbour"))
        assert (rows[12]["margin_per_kwh"], rows[12]["billed_per_kwh"], rows[12]["bought_per_kwh"]) == (
            "",
            "",
            "0.245000",
        )
        francs_billed = [{"currency": "CHF", "digits": 2, "gross_minor": 600}]
        for path in ("hours-of-day", "use"):
            assert (await told(house.api, path))["other_money"] == francs_billed, path
        async with await house.with_scopes(Scope.SESSIONS_READ) as program:
            for path in ("hours-of-day", "use"):
                assert (await told(program, path))["other_money"] == [], path
        async with store.unit() as unit:
            await unit.connection.execute(update(tally_hour).values(gross_minor=0))
        billed = read(await owner.get(f"{PAGE}?{DAY}&show=billed"))
        assert "Nothing was billed in the currency of this installation" in billed
