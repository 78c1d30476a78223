"""The pages about money ask the database the same on both engines: lists, sorting, sums."""

from __future__ import annotations

import re

import pytest

from tests.web.shop import People, Shop, people, shop
from wattkeeper.store.money import worklist
from wattkeeper.store.money.bill_list import SortedBy

__all__ = ["people", "shop"]


async def listed(people: People, path: str) -> list[str]:
    """What a list leads to, as somebody who bills sees it."""
    answer = await people["clara"][1].get(path)
    assert answer.status_code == 200, path
    return re.findall(r'class="open"[^>]*href="/money/\w+/([^"]+)"', answer.text)


async def test_bills_are_sorted_and_sifted(shop: Shop, people: People) -> None:
    card = await shop.card(people["anna"][0])
    for wh in (5000, 9000, 2000):
        await shop.session(card, wh)
    one, two, three = (f"2026-00000{place}" for place in (1, 2, 3))
    assert await listed(people, "/money/bills") == [three, two, one]
    assert await listed(people, "/money/bills?sort=-issued") == [one, two, three]
    for column in ("amount", "energy"):
        assert await listed(people, f"/money/bills?sort={column}") == [two, one, three]
        assert await listed(people, f"/money/bills?sort=-{column}") == [three, one, two]
    for column in SortedBy:
        assert len(await listed(people, f"/money/bills?sort={column.value}&kind=bill&station=CP1&q=CP1")) == 3
    assert await listed(people, "/money/bills?until=2001-01-01") == []
    assert await listed(people, "/money/bills?page=2") == []


async def test_what_waits_is_sorted_and_summed_up(shop: Shop, people: People) -> None:
    card = await shop.card(people["anna"][0])
    for wh in (5000, 9000, 2000):
        await shop.session(card, wh, doubtful=True)
    first = await listed(people, "/money/waiting")
    assert len(first) == 3
    assert await listed(people, "/money/waiting?sort=since") == first[::-1]
    assert await listed(people, "/money/waiting?sort=amount") == [first[one] for one in (1, 0, 2)]
    assert await listed(people, "/money/waiting?sort=-energy") == [first[one] for one in (2, 0, 1)]
    assert len(await listed(people, "/money/waiting?sort=station&site=")) == 3
    assert await listed(people, "/money/waiting?site=nowhere") == []
    async with shop.house.rooms.store.read() as connection:
        (held,) = await worklist.held(connection, people["clara"][0])
        known = await worklist.looked_at(connection, people["clara"][0], [*first, "K7QM4XRDT"])
    assert (held.currency, held.count, held.gross_minor) == ("EUR", 3, 978)
    assert known == set(first)


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_who_is_signed_in_as_a_driver_is_led_to_the_app(shop: Shop, people: People) -> None:
    for path in ("/money/bills", "/money/waiting"):
        answer = await people["anna"][1].get(path)
        assert (answer.status_code, "This is not for drivers" in answer.text) == (403, True)
