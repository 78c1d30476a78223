"""Monthly invoices as PDF at the people's door: to whom they are addressed, and to staff without a name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from facturx import get_facturx_xml_from_pdf

from tests.web.shop import API, People, Shop, people, shop
from tests.web.test_papers import BUYER, sold, words
from wattkeeper.operations.money.payments.monthly import Monthly
from wattkeeper.operations.money.payments.settling import Settling

__all__ = ["people", "shop"]


@pytest.fixture
def engine() -> str:
    """Nothing here is about the database."""
    return "sqlite"


async def invoiced(shop: Shop) -> str:
    """Let the month go by; the number of its invoice."""
    rooms, now = shop.house.rooms, shop.house.rooms.store.clock
    await Settling(rooms.store, rooms.settings, has_provider=False).look()
    rooms.store.clock = lambda: now() + timedelta(days=35)
    assert await Monthly(rooms.store, rooms.settings).look() == 1
    rooms.store.clock = now
    return f"M{now() + timedelta(days=35):%Y}-000001"


async def test_it_is_printed_for_its_driver_and_for_staff_and_nobody_else(shop: Shop, people: People) -> None:
    await sold(shop.house, seller_iban="AT61 1904 3002 3457 3201")
    (anna, annas), (_, berts), (_, claras) = people["anna"], people["bert"], people["clara"]
    card = await shop.card(anna)
    await shop.session(card)
    await shop.session(card, 5_000)
    number = await invoiced(shop)
    hers = words(await annas.get(f"{API}/monthly-invoices/{number}/paper"))
    for said in (number, "2026-000001", "2026-000002", "15.00 kWh", "€9.00", "AT61 1904", "Strom & Rad", "anna@"):
        assert said in hers, hers
    path = f"/app/me/pay/invoices/{number}/paper"
    assert f'href="{path}"' in (await annas.get(f"/app/me/pay/invoices/{number}")).text
    assert words(await annas.get(path)) == hers
    assert "Monatsrechnung" in words(await annas.get(path, headers={"Accept-Language": "de"}))
    theirs = words(await claras.get(f"{API}/monthly-invoices/{number}/paper"))
    assert number in theirs
    assert "anna" not in theirs, "a name is masked until a purpose is told"
    made_out = await annas.post(f"{API}/monthly-invoices/{number}/invoice", json=BUYER)
    assert "Muster <AG>" in words(made_out)
    _, xml = get_facturx_xml_from_pdf(made_out.content)
    assert b"<ram:DuePayableAmount>9.00</ram:DuePayableAmount>" in xml
    another = BUYER | {"name": "Firma B"}
    assert (await claras.post(f"{API}/monthly-invoices/{number}/invoice", json=another)).status_code == 409
    _, support = people["fritz"]
    assert (await support.post(f"{API}/monthly-invoices/{number}/invoice", json=BUYER)).status_code == 403
    form = f"/app/me/pay/invoices/{number}/invoice"
    assert f'href="{form}"' in (await annas.get(f"/app/me/pay/invoices/{number}")).text
    assert f'action="{form}"' in (await annas.get(form)).text
    assert (await berts.get(form)).status_code == 404
    alone = await annas.post(f"{API}/bills/2026-000001/invoice", json=BUYER)
    assert f"It is on the monthly invoice {number}" in words(alone), "it is asked for once"
    for whose in (path, f"{API}/monthly-invoices/{number}/paper"):
        assert (await berts.get(whose)).status_code == 404
        async with shop.house.client() as nobody:
            assert (await nobody.get(whose)).status_code in (303, 401)
    assert (await berts.post(f"{API}/monthly-invoices/{number}/invoice", json=BUYER)).status_code == 404
    assert (await annas.get(f"{API}/monthly-invoices/nothing/paper")).status_code == 422
    assert (await annas.post(f"{API}/monthly-invoices/{number}/invoice", json=BUYER | {"name": " "})).status_code == 422
