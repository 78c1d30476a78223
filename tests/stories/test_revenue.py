"""Revenue as operators read it: sessions are told and billed, then summed up, exported, and held against the meters."""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import Any

import polars
import pytest

from tests.stories.test_audit import command
from tests.stories.test_billing import charged
from tests.stories.till import ANNA, Till
from tests.stories.world import World
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.person import Role, Scope, Viewer
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.papers.sheet import as_csv
from wattkeeper.operations.money.revenue import Report, month, report
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.store.money.revenue import Facet

MARCH = month("2026-03")
HOSTILE = '=HYPERLINK("http://x","y")'


async def told(world: World, by: Facet = Facet.SITE) -> Report:
    """The report of March."""
    return await report(world.door.store, VIEWER, world.door.settings.zone, MARCH, (by,))


async def energies(world: World) -> list[Any]:
    """Its energy by site; untyped, so that figures may be compared with plain numbers."""
    return [*((await told(world)).energy or ())]


async def place(world: World, station: str, site: str) -> None:
    """Say where a station stands."""
    await world.door.admission.describe(station, "test", {"site": site})


@pytest.fixture
async def till(world: World) -> Till:
    """A world with a price and a card; CP1 stands at the yard, CP2 at a place with a name that is a formula."""
    made = Till(world)
    await made.price()
    await world.enroll()
    await place(world, "CP1", "Yard")
    await place(world, "CP2", HOSTILE)
    return made


async def two_places(till: Till) -> None:
    """10 kWh at the yard, 5 kWh elsewhere; 50 cents a kWh and 20 % tax."""
    await charged(till.world)
    async with till.world.v16("CP2") as cp:
        await cp.stop(await cp.start(70, 0), 100, 5_000)
    await till.look()


async def test_what_was_billed_by_each_facet(till: Till) -> None:
    await two_places(till)
    for by, names in (
        (Facet.SITE, [HOSTILE, "Yard"]),
        (Facet.STATION, ["CP1", "CP2"]),
        (Facet.TARIFF, ["standard"]),
        (Facet.GROUP, [""]),
        (Facet.DAY, ["2026-03-01"]),
        (Facet.MONTH, ["2026-03"]),
    ):
        found = await told(till.world, by)
        assert sorted(one.of[0] for one in found.rows) == names
        assert sum(one.gross_minor for one in found.rows) == 900
        (total,) = found.totals
        assert (total.sessions, total.net_minor, total.vat_minor, total.gross_minor) == (2, 750, 150, 900)
        assert total.energy_wh == 15_000
    (owed,) = found.outstanding
    assert (owed.currency, owed.debtors, owed.owed_minor, owed.creditors, owed.owing_minor) == ("EUR", 1, 900, 0, 0)
    april = await report(till.world.door.store, VIEWER, till.world.door.settings.zone, month("2026-04"), (Facet.SITE,))
    assert (april.rows, april.energy) == ([], [])


async def test_energy_delivered_and_billed_where_one_session_waits(till: Till) -> None:
    await charged(till.world)
    async with till.world.v16("CP1") as cp:
        await cp.stop(await cp.start(70, 10_000), 80, 210_000)
    await till.look()
    (yard,) = await energies(till.world)
    assert (yard.site, yard.sessions, yard.delivered_wh, yard.billed_wh) == ("Yard", 2, 210_000, 10_000)
    assert (yard.grid_wh, yard.lost_wh) == (None, None)
    waiting = (await till.holds())[0].session
    await till.deeds.do(ANNA, waiting, Wish(deed=Deed.ACCEPT, said="As read on site."))
    (yard,) = await energies(till.world)
    assert yard.billed_wh == 210_000


async def test_what_the_main_meter_counted_and_no_session_delivered_is_lost(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        await cp.read(None, 1, connector=0, wh=500_000)
        tx = await cp.start(5, 0)
        await cp.read(None, 30, connector=0, wh=506_000)
        await cp.stop(tx, 60, 10_000)
        await cp.read(None, 65, connector=0, wh=510_700)
        await cp.stop(await cp.start(70, 10_000), 80, 12_000)
    await till.look()
    (yard,) = await energies(till.world)
    assert (yard.delivered_wh, yard.grid_wh, yard.lost_wh) == (12_000, 10_700, 700), "the last session came later"


async def test_a_main_meter_that_restarts_counts_on(till: Till) -> None:
    async with till.world.v16("CP1") as cp:
        for at, wh in ((1, 500_000), (10, 501_000), (20, 100), (30, 1_100)):
            await cp.read(None, at, connector=0, wh=wh)
    (yard,) = await energies(till.world)
    assert (yard.grid_wh, yard.lost_wh) == (2_000, 2_000)


async def test_a_sheet_is_exact_and_runs_no_formula(till: Till) -> None:
    await two_places(till)
    path = till.world.folder / "march.csv"
    status, printed, _ = await command(till.world, "revenue", "--month", "2026-03", "--csv", str(path))
    assert (status, "2 rows are written" in printed) == (0, True)
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfsite,currency,sessions,corrections,energy_kwh,net,tax,gross\r\n")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = {row["site"]: row for row in csv.DictReader(lines)}
    assert set(rows) == {"Yard", f"'{HOSTILE}"}
    assert list(rows["Yard"].values())[1:] == ["EUR", "1", "0", "10.000", "5.00", "1.00", "6.00"]


async def test_a_credit_note_stays_a_number(till: Till) -> None:
    await charged(till.world)
    await till.look()
    await till.do(Deed.CORRECT, gross_minor=0)
    assert "Yard,EUR,1,1," in as_csv([Facet.SITE], (await told(till.world)).rows)
    (total,) = (await told(till.world)).totals
    assert total.gross_minor == 0


async def test_parquet_reads_back_as_dates_and_decimals(till: Till) -> None:
    await two_places(till)
    path = till.world.folder / "march.parquet"
    arguments = ("revenue", "--month", "2026-03", "--by", "day", "--parquet", str(path))
    assert (await command(till.world, *arguments))[0] == 0
    frame = polars.read_parquet(path)
    assert frame.schema["day"] == polars.Date
    assert frame.schema["gross"] == polars.Decimal(38, 4)
    (row,) = frame.rows(named=True)
    assert (str(row["day"]), row["currency"], row["sessions"]) == ("2026-03-01", "EUR", 2)
    assert (row["energy_kwh"], row["net"], row["tax"], row["gross"]) == tuple(map(Decimal, ("15", "7.5", "1.5", "9")))


async def test_the_command_prints_the_month(till: Till) -> None:
    await two_places(till)
    status, printed, _ = await command(till.world, "revenue", "--month", "2026-03", "--by", "station")
    assert status == 0
    assert "CP1       1         0            10.00 kWh  €5.00  €1.00  €6.00" in printed
    assert "Open now: €9.00 owed by 1, €0.00 owed back to 0." in printed
    status, _, why = await command(till.world, "revenue", "--month", "March")
    assert (status, why) == (1, "A month is written like 2026-03.\n")


async def test_nobody_reads_more_of_it_than_they_may_see(till: Till) -> None:
    await two_places(till)
    store, zone = till.world.door.store, till.world.door.settings.zone
    found = await report(store, Viewer("x", Role.SERVICE, frozenset({Scope.BILLS_READ})), zone, MARCH, ())
    assert (found.rows, found.energy) == (found.totals, None)
    with pytest.raises(Refusal):
        await report(store, Viewer("x", Role.SERVICE, frozenset({Scope.SESSIONS_READ})), zone, MARCH, ())
