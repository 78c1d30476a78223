"""Hosts of sites and grid meters as pages: agreed, paid out once by the statement, read in order."""

from __future__ import annotations

import pytest

from tests.web.conftest import House
from tests.web.drivers import signed_in
from wattkeeper.charging.money.ledger import AccountKind, EntryKind, account, moved
from wattkeeper.charging.person import Role
from wattkeeper.store.money import ledger
from wattkeeper.store.money.ledger import Entry

HOSTS, STATEMENT, GRID = "/money/hosts", "/money/hosts/statement", "/money/grid"


@pytest.fixture
def engine() -> str:
    """The pages are the same on both."""
    return "sqlite"


async def accrues(house: House, minor: int, ref: str) -> None:
    """So much for the host at Linz."""
    lines = moved(account(AccountKind.HOST, "Linz"), account(AccountKind.SALES, "Linz"), "EUR", minor)
    async with house.rooms.store.unit() as unit:
        await ledger.post(unit, [Entry(EntryKind.SHARE, ref, "tests", lines)])


async def test_a_host_is_agreed_with_and_paid_what_the_statement_says_once(house: House) -> None:
    await house.rooms.admission.provision("CP7", "tests", site="Linz")
    async with (
        signed_in(house, "dora@example.org") as (_, driver),
        signed_in(house, "clara@example.org", Role.BILLING) as (_, clara),
        signed_in(house, "aud@example.org", Role.AUDITOR) as (_, auditor),
    ):
        new = {"site": "Linz", "host": "Inn Ltd", "kind": "percent", "value": "12,5"}
        assert (await clara.post(HOSTS, data=new)).status_code == 303
        wrong = await clara.post(HOSTS, data=new | {"value": "101"})
        assert wrong.status_code == 422 and 'value="101"' in wrong.text
        assert "12.5%" in (page := (await auditor.get(HOSTS)).text) or "12.5 %" in page
        await accrues(house, 1250, "2026-000001")
        path = f"{STATEMENT}?site=Linz&currency=EUR"
        assert "€12.50 owed to hosts" in (await clara.get(HOSTS)).text and "€12.50" in (await auditor.get(path)).text
        form = {"site": "Linz", "currency": "EUR", "total": "1250", "reference": "SEPA 1"}
        for one in (auditor, driver):
            assert (await one.post(STATEMENT, data=form)).status_code in (303, 403)
            assert (await one.post(HOSTS, data=new)).status_code in (303, 403)
        await accrues(house, 100, "2026-000002")
        late = await clara.post(STATEMENT, data=form)
        assert late.status_code == 409 and "More was billed since" in late.text and 'value="SEPA 1"' in late.text
        assert (await clara.post(STATEMENT, data=form | {"total": "x"})).status_code == 409
        assert (await clara.post(STATEMENT, data=form | {"total": "1350"})).status_code == 303
        assert (await clara.post(STATEMENT, data=form | {"total": "1350"})).status_code == 409
        assert "No host is owed anything" in (await clara.get(HOSTS)).text
        assert (await clara.get(f"{STATEMENT}?site=Linz&currency=%3Cb%3E")).status_code == 422


async def test_a_grid_meter_is_read_in_order_and_never_falls(house: House) -> None:
    await house.rooms.admission.provision("CP7", "tests", site="Linz")
    async with (
        signed_in(house, "clara@example.org", Role.BILLING) as (_, clara),
        signed_in(house, "aud@example.org", Role.AUDITOR) as (_, auditor),
    ):
        form = {"site": "Linz", "meter": "Main", "kwh": "1000,5", "day": "2026-01-01", "time": "00:00"}
        assert (await auditor.post(GRID, data=form)).status_code == 403
        assert (await clara.post(GRID, data=form)).status_code == 303
        falls = await clara.post(GRID, data=form | {"kwh": "900", "day": "2026-02-01"})
        assert falls.status_code == 422 and 'value="900"' in falls.text and "falls from" in falls.text
        for odd in ({"site": "Graz"}, {"day": "2199-01-01"}, {"kwh": "x"}, {"kwh": ""}, {"time": "25:00"}):
            assert (await clara.post(GRID, data=form | odd)).status_code in (404, 422), odd
        page = (await auditor.get(GRID)).text
        assert ("Main" in page and "1,000.50" in page.replace("\u202f", ",")) or "1000.50" in page
        assert "Enter what a meter shows" not in page
