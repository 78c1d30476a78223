"""A month on one paper: what was billed to whoever asks, card by card, and nothing of anyone else."""

from __future__ import annotations

import io

from pypdf import PdfReader

from tests.web.shop import API, OWNER, People, Shop, people, shop
from wattkeeper.charging.identifiers import parse
from wattkeeper.store.money.proposal import Deed, Wish

__all__ = ["people", "shop"]


def words(pdf: bytes) -> str:
    """The text of a PDF."""
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


async def test_a_month_is_stated_to_its_driver_and_adds_up(shop: Shop, people: People) -> None:
    (anna, annas), (bert, berts) = people["anna"], people["bert"]
    first, second = await shop.card(anna), await shop.card(anna, "04AABBCCDDEE02")
    for card, wh in ((first, 10_000), (second, 5_000)):
        await shop.session(card, wh)
    await shop.session(first, 10_000, doubtful=True)
    await shop.session(await shop.card(bert, "04AABBCCDDEE03"), 7_770)
    month = f"{shop.house.rooms.store.clock():%Y-%m}"
    paper = await annas.get(f"{API}/statements/{month}")
    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    text = words(paper.content)
    assert "2026-000001" in text
    assert "15.00" in text
    assert "9.00" in text
    plain = " ".join(text.split())
    assert "Total 15.00 kWh €7.50 €1.50 €9.00" in plain, plain
    assert "20 % €7.50 €1.50 €9.00" in plain, "whoever reimburses needs the tax by rate"
    assert f"{shop.house.rooms.store.clock():%B %Y}" in plain
    assert "Time zone UTC" in plain
    assert "1 session of this month was not billed yet" in " ".join(text.split())
    assert "2026-000003" not in text, "that is Bert's"
    assert "4.66" not in text
    german = words((await annas.get(f"/app/statements/{month}", headers={"Accept-Language": "de"})).content)
    assert "Laden im" in german
    alone = words((await annas.get(f"{API}/statements/{month}?card={second}")).content)
    assert ("2026-000002" in alone, "2026-000001" in alone) == (True, False)
    assert (await berts.get(f"{API}/statements/{month}?card={second}")).status_code == 404


async def test_what_was_corrected_is_stated_as_it_came_to(shop: Shop, people: People) -> None:
    anna, annas = people["anna"]
    await shop.session(await shop.card(anna))
    session = parse((await annas.get(f"{API}/sessions")).json()["items"][0]["id"]) or ""
    await shop.house.rooms.bills.do(OWNER, session, Wish(deed=Deed.CORRECT, said="Broken plug.", gross_minor=100))
    month = f"{shop.house.rooms.store.clock():%Y-%m}"
    text = " ".join(words((await annas.get(f"{API}/statements/{month}")).content).split())
    assert "2026-000001 2026-000002" in text
    assert "€1.00" in text
    assert "Where a receipt was corrected" in text


async def test_a_month_without_bills_has_no_statement(shop: Shop, people: People) -> None:
    _, annas = people["anna"]
    assert (await annas.get(f"{API}/statements/2020-01")).status_code == 404
    assert (await annas.get(f"{API}/statements/2020-13")).status_code == 422
    assert (await annas.get("/app/statements/2020-13")).status_code == 422
    _, claras = people["clara"]
    month = f"{shop.house.rooms.store.clock():%Y-%m}"
    assert (await claras.get(f"{API}/statements/{month}")).status_code == 404, "only of one's own"
