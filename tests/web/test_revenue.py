"""Revenue by the API: JSON for programs, CSV for spreadsheets, for those who may see sessions and bills."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.stories.till import tariff
from tests.web.conftest import House
from tests.web.test_audit import tell
from wattkeeper.charging.person import Scope
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.billing import Billing
from wattkeeper.operations.money.tariffs.prices import Prices

TOLD = datetime(2026, 3, 2, 14, tzinfo=UTC)


async def billed(house: House) -> None:
    """Two free sessions of 10 kWh each at CP1 are billed on one day in March."""
    store, settings = house.door.store, house.door.settings
    store.clock = lambda: TOLD - timedelta(days=30)
    await Prices(store, settings).set(VIEWER, tariff("0"), identifier="standard")
    store.clock = lambda: TOLD
    await tell(house)
    store.clock = lambda: TOLD + timedelta(minutes=5)
    assert await Billing(store, house.door.bus, settings).look() == 2


async def test_revenue_comes_as_json_or_as_a_sheet(house: House) -> None:
    await billed(house)
    told = (await house.api.get("/api/v1/revenue", params={"month": "2026-03", "by": "station"})).json()
    assert (told["since"], told["until"]) == ("2026-03-01", "2026-04-01")
    (item,) = told["items"]
    assert (item["of"], item["sessions"], item["energy_wh"], item["gross_minor"]) == ({"station": "CP1"}, 2, 20_000, 0)
    assert told["totals"] == [item | {"of": {}}]
    assert told["energy"] == [
        {"site": "", "sessions": 2, "delivered_wh": 20_000, "billed_wh": 20_000}
        | {"grid_wh": None, "supply": None, "lost_wh": None}
    ]
    days = {"since": "2026-03-02", "until": "2026-03-03", "by": "day"}
    by_format = await house.api.get("/api/v1/revenue", params={**days, "format": "csv"})
    by_header = await house.api.get("/api/v1/revenue", params=days, headers={"Accept": "text/csv"})
    assert by_format.text == by_header.text
    assert by_header.headers["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(by_header.content.decode("utf-8-sig").splitlines())
    assert (row["day"], row["currency"], Decimal(row["energy_kwh"])) == ("2026-03-02", "EUR", Decimal(20))


async def test_it_needs_its_scope_and_a_sane_period(house: House) -> None:
    async with await house.with_scopes(Scope.SESSIONS_READ) as client:
        assert (await client.get("/api/v1/revenue")).status_code == 403
    async with await house.with_scopes(Scope.BILLS_READ) as client:
        assert (await client.get("/api/v1/revenue")).json()["energy"] is None
    for period in (
        *(
            {"month": "2026-13"},
            {"month": "March"},
            {"since": "2026-03-01"},
            {"since": "0001-01-01", "until": "9999-12-31"},
        ),
        *({"since": "2026-03-02", "until": "2026-03-01"}, {"since": "2026-02-30", "until": "2026-03-02"}),
        {"month": "2026-03", "since": "2026-03-01", "until": "2026-03-02"},
    ):
        assert (await house.api.get("/api/v1/revenue", params=period)).status_code == 422, period
    assert (await house.api.get("/api/v1/revenue")).status_code == 200
