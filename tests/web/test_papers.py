"""Papers at the people's door: a driver's own bills as PDF, staff's all, an invoice made out to whom they name."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import httpx
import pytest
from facturx import get_facturx_xml_from_pdf
from pypdf import PdfReader

from tests.doors import KEY
from tests.web.conftest import House
from tests.web.drivers import driver, signed_in
from wattkeeper.charging.person import Role

API = "/api/v1"
BUYER = {"name": "Muster <AG>", "street": "Ring 2", "postcode": "1010", "city": "Wien", "country": "AT"}


@pytest.fixture
def engine() -> str:
    """Nothing here is about the database."""
    return "sqlite"


def words(answer: httpx.Response) -> str:
    """What stands on the paper that was answered."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


async def sold(house: House, **more: Any) -> None:
    """Say who sells, and let drivers find CP1."""
    assert (await house.api.patch(f"{API}/stations/CP1", json={"is_listed": True})).status_code == 200
    seller = {"seller_name": "Strom & Rad GmbH", "seller_street": "Hauptplatz 1", "seller_postcode": "8010"}
    seller |= {"seller_city": "Graz", "seller_country": "AT", "seller_vat_id": "ATU12345678"}
    house.rooms.papers._settings = replace(house.rooms.settings, **(seller | more))


async def test_drivers_print_their_own_and_staff_print_all(house: House) -> None:
    await sold(house)
    async with (
        house.door.plugged("CP1", KEY) as station,
        driver(house, "anna", station) as anna,
        signed_in(house, "bert@example.org") as (_, bert),
        signed_in(house, "clara@example.org", Role.BILLING) as (_, clara),
    ):
        number, session = anna.ids["bill"], anna.ids["session"]
        hers = words(await anna.client.get(f"{API}/bills/{number}/paper"))
        for said in (number, session, "€3.00", "Strom & Rad GmbH", "For anna@example.org"):
            assert said in hers, hers
        page = await anna.client.get(f"/app/sessions/{session.replace('-', '')}")
        assert f'href="/app/bills/{number}/paper"' in page.text
        assert words(await anna.client.get(f"/app/bills/{number}/paper")) == hers
        german = words(await anna.client.get(f"/app/bills/{number}/paper", headers={"Accept-Language": "de"}))
        assert f"Abrechnung {number}" in german
        assert "3,00 €" in german
        theirs = words(await clara.get(f"{API}/bills/{number}/paper"))
        assert number in theirs
        assert "anna" not in theirs, "a name is masked until a purpose is told"
        assert f'href="/bills/{number}/paper"' in (await clara.get(f"/sessions/{session.replace('-', '')}")).text
        assert words(await clara.get(f"/bills/{number}/paper")) == theirs
        for path in (f"{API}/bills/{number}/paper", f"/app/bills/{number}/paper"):
            assert (await bert.get(path)).status_code == 404
            async with house.client() as nobody:
                assert (await nobody.get(path)).status_code in (303, 401)


async def test_an_invoice_is_made_out_to_whom_they_name(house: House) -> None:
    await sold(house, seller_name="")
    async with (
        house.door.plugged("CP1", KEY) as station,
        driver(house, "anna", station) as anna,
        signed_in(house, "bert@example.org") as (_, bert),
    ):
        path = f"{API}/bills/{anna.ids['bill']}/invoice"
        unset = await anna.client.post(path, json=BUYER)
        assert unset.status_code == 409
        assert "WATTKEEPER_SELLER_NAME" in unset.text
        await sold(house, seller_iban="AT611904300234573201")
        answer = await anna.client.post(path, json=BUYER)
        text = words(answer)
        for said in (f"Invoice {anna.ids['bill']}", "Muster <AG>", "1010 Wien", "It comes onto the monthly invoice"):
            assert said in text
        assert "AT611904300234573201" not in text, "it is asked for once, and not here"
        name, xml = get_facturx_xml_from_pdf(answer.content)
        assert name == "factur-x.xml"
        assert b"Muster &lt;AG&gt;" in xml
        assert b"<ram:GrandTotalAmount>3.00</ram:GrandTotalAmount>" in xml
        assert b"<ram:DuePayableAmount>0.00</ram:DuePayableAmount>" in xml
        assert (await bert.post(path, json=BUYER)).status_code == 404
        mended = await anna.client.post(path, json=BUYER | {"name": " muster  <ag>", "street": "Ring 2"})
        assert (mended.status_code, "Ring 2" in words(mended)) == (200, True)
        for other in ({"name": "Firma B"}, {"country": "DE"}, {"vat_id": "ATU00000000"}):
            refused = await anna.client.post(path, json=BUYER | other)
            assert refused.status_code == 409
            assert refused.json()["detail"].startswith("It was made out to somebody else on 20")
        for wrong in ({"name": ""}, {"country": "Austria"}, {"name": "a\nb"}, {"more": "x"}):
            assert (await anna.client.post(path, json=BUYER | wrong)).status_code == 422


async def test_only_who_bills_and_whose_own_it_is_makes_an_invoice(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await sold(house)
    caplog.set_level("INFO", "wattkeeper.bills")
    async with (
        house.door.plugged("CP1", KEY) as station,
        driver(house, "anna", station) as anna,
        signed_in(house, "clara@example.org", Role.BILLING) as (_, clara),
    ):
        number = anna.ids["bill"]
        for role in (Role.SUPPORT, Role.AUDITOR, Role.OPERATOR):
            async with signed_in(house, f"{role.value}@example.org", role) as (_, reader):
                assert (await reader.post(f"{API}/bills/{number}/invoice", json=BUYER)).status_code == 403, role
                page = await reader.get(f"/money/bills/{number}")
                assert (page.status_code, f"{number}/invoice" in page.text) == (200, False), role
        assert (await clara.post(f"{API}/bills/{number}/invoice", json=BUYER)).status_code == 200
        assert (await anna.client.post(f"{API}/bills/{number}/invoice", json=BUYER)).status_code == 200
        assert (await anna.client.post(f"{API}/bills/{number}/invoice", json=BUYER | {"name": "B"})).status_code == 409
    said = [record.getMessage() for record in caplog.records if number in record.getMessage()]
    assert any(one.endswith(f"made out invoice {number}") for one in said)
    assert "Muster" not in caplog.text
