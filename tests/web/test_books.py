"""The books as tables: every document and every line, adding up to what the revenue says, and nobody by name."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars
import pytest

from tests.web.shop import API, OWNER, People, Shop, people, shop
from wattkeeper.charging.identifiers import parse
from wattkeeper.charging.money.tariffs.tariff import Component, Dimension, Element, Tariff
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.money.papers import books
from wattkeeper.operations.money.papers.books import Book, Books
from wattkeeper.operations.money.revenue import month
from wattkeeper.store.money.proposal import Deed, Wish

__all__ = ["people", "shop"]


def table(text: str) -> list[dict[str, str]]:
    """A CSV."""
    assert text.startswith("\N{BYTE ORDER MARK}")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


async def told(shop: Shop, people: People) -> None:
    """Two sessions at two rates of tax, one of them corrected."""
    anna, annas = people["anna"]
    parts = (Component(Dimension.ENERGY, Decimal("0.50"), Decimal(20)), Component(Dimension.FLAT, Decimal(1), None))
    await shop.house.rooms.prices.set(OWNER, Tariff("EUR", (Element(parts),)))
    card = await shop.card(anna)
    await shop.session(card)
    session = parse((await annas.get(f"{API}/sessions")).json()["items"][0]["id"]) or ""
    await shop.house.rooms.bills.do(OWNER, session, Wish(deed=Deed.CORRECT, said="Broken.", gross_minor=350))
    await shop.session(card, 2_500)


async def test_the_book_of_bills_adds_up_to_the_revenue(
    shop: Shop, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "BATCH", 2)
    await told(shop, people)
    claras = people["clara"][1]
    answer = await claras.get(f"{API}/books/bills")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = table(answer.text)
    (total,) = (await claras.get(f"{API}/revenue")).json()["totals"]
    for name, minor in (("net", "net_minor"), ("tax", "vat_minor"), ("gross", "gross_minor")):
        assert sum(Decimal(row[name]) for row in rows) * 100 == total[minor], name
    assert sum(Decimal(row["energy_kwh"]) for row in rows) * 1000 == Decimal(str(total["energy_wh"]))
    assert [(row["number"][-1], row["tax_percent"], row["kind"]) for row in rows] == [
        *(("1", "20", "bill"), ("1", "", "bill"), ("2", "20", "credit_note"), ("2", "", "credit_note")),
        *(("3", "20", "bill"), ("3", "", "bill")),
    ]
    assert {row["debtor"] for row in rows} == {people["anna"][0].person}
    assert "anna" not in answer.text


async def test_the_ledger_s_lines_add_up_to_nothing(shop: Shop, people: People) -> None:
    await told(shop, people)
    rows = table((await people["emil"][1].get(f"{API}/books/entries")).text)
    assert sum(Decimal(row["amount"]) for row in rows) == 0
    assert [int(row["entry"]) for row in rows] == sorted(int(row["entry"]) for row in rows)
    balances = (await people["clara"][1].get(f"{API}/ledger/balances")).json()["items"]
    for one in balances:
        lines = [Decimal(row["amount"]) for row in rows if row["account"] == one["account"]]
        assert sum(lines) * 100 == one["amount_minor"], one


async def test_who_may_not_see_bills_sees_no_books(shop: Shop, people: People) -> None:
    assert (await people["anna"][1].get(f"{API}/books/bills")).status_code == 403
    claras = people["clara"][1]
    assert (await claras.get(f"{API}/books/persons")).status_code == 422
    assert (await claras.get(f"{API}/books/bills?month=2026-13")).status_code == 422
    assert table((await claras.get(f"{API}/books/bills?month=2020-01")).text) == []


async def test_parquet_holds_the_same(shop: Shop, people: People, tmp_path: Path) -> None:
    await told(shop, people)
    rooms = shop.house.rooms
    some: Any = Books(rooms.store, rooms.settings.zone, *month(f"{rooms.store.clock():%Y-%m}"))
    for book, count in ((Book.BILLS, 6), (Book.ENTRIES, 9)):
        assert await some.write(VIEWER, book, tmp_path / f"{book}.csv") == count
        assert await some.write(VIEWER, book, tmp_path / f"{book}.parquet") == count
        rows = table((tmp_path / f"{book}.csv").read_bytes().decode())
        frame = polars.read_parquet(tmp_path / f"{book}.parquet")
        assert frame.columns == list(rows[0])
        amount = "gross" if book is Book.BILLS else "amount"
        assert frame[amount].to_list() == [Decimal(row[amount]) for row in rows]
