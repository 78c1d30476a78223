"""Monthly invoices as pages, and the books of a month: seen by who may, paid once, and of nobody's name."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import OpenDoor
from tests.pages.paid import NUMBER, paid
from tests.web.conftest import House, house_of
from tests.web.drivers import signed_in
from wattkeeper.charging.person import Role

ONE = f"/money/invoices/{NUMBER}"


@pytest.fixture
def engine() -> str:
    """The pages are the same on both."""
    return "sqlite"


@pytest.fixture
async def house(open_door: OpenDoor) -> AsyncIterator[House]:
    """Both doors; transfers have an account to go to."""
    made = await house_of(await open_door(seller_iban="AT611904300234573201"))
    async with made.api:
        yield made


async def test_a_monthly_invoice_is_listed_looked_at_and_paid_once(house: House) -> None:
    async with (
        signed_in(house, "anna@example.org") as (anna, her),
        signed_in(house, "clara@example.org", Role.BILLING) as (_, clara),
        signed_in(house, "aud@example.org", Role.AUDITOR) as (_, auditor),
    ):
        await paid(house.rooms, anna.person)
        page = (await clara.get("/money/invoices")).text
        assert "1 monthly invoice is open" in page and "March 2026" in page and "€18.00" in page
        seen = (await auditor.get("/money/invoices")).text
        assert NUMBER in seen and anna.person[-4:] not in seen
        assert "2026-000002" in (await clara.get(ONE)).text
        form = {"amount": "10,00", "reference": "RF18 7"}
        for one in (auditor, her):
            assert (await one.post(ONE, data=form)).status_code in (403, 404)
        assert (await clara.post(ONE, data=form)).status_code == 303
        again = await clara.post(ONE, data=form)
        assert again.status_code == 409 and 'value="10,00"' in again.text
        assert (await clara.post(ONE, data=form | {"amount": "1,005", "reference": "RF18 8"})).status_code == 422
        assert "late" in (page := (await clara.get(ONE)).text) and "€8.00" in page
        assert (await clara.post(ONE, data={"amount": "8", "reference": "RF18 9"})).status_code == 303
        assert "Every monthly invoice is paid" in (await clara.get("/money/invoices")).text
        assert (await clara.get("/money/invoices?before=9.x")).status_code == 200
        assert (await clara.post("/money/invoices/M2001-000001", data=form)).status_code == 404


async def test_the_books_of_a_month_are_taken_along_from_the_page(house: House) -> None:
    async with (
        signed_in(house, "dora@example.org") as (_, dora),
        signed_in(house, "aud@example.org", Role.AUDITOR) as (_, auditor),
    ):
        page = (await auditor.get("/money?month=2026-03")).text
        assert "No session ended in March 2026." in page and "Everything fits" not in page
        for book in ("bills", "entries"):
            path = f"/money/books/{book}.csv?month=2026-03"
            assert f'href="{path}"' in page
            answer = await auditor.get(path)
            assert answer.headers["content-disposition"] == f'attachment; filename="{book}-2026-03.csv"'
            assert answer.text.startswith("\ufeff") and len(answer.text.splitlines()) == 1
            assert (await dora.get(path)).status_code in (303, 403)
        assert (await auditor.get("/money/books/persons.csv")).status_code == 404
        assert "Nothing to look at in March 2026" in (await auditor.get("/money/lost?month=2026-03")).text
