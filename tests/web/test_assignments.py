"""Which tariff holds for whom and where: assigned, asked, shown to drivers, pinned and billed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.web.shop import API, People, Shop, people, post, see, shop
from wattkeeper.charging.money.tariffs.assignment import STANDARD
from wattkeeper.store.stations import station as stations
from wattkeeper.store.tables import card

__all__ = ["people", "shop"]

ONCE = pytest.mark.parametrize("engine", ["sqlite"])


async def priced(shop: Shop, name: str, price: str) -> None:
    """Set a tariff of so much for a kWh, without tax."""
    elements = [{"price_components": [{"type": "ENERGY", "price": price}]}]
    body = {"currency": "EUR", "elements": elements}
    answer = await shop.house.api.put(f"{API}/tariffs/{name}", json=body)
    assert answer.status_code == 200, answer.text


async def assigned(shop: Shop, rank: str, subject: str, tariff: str | None, **more: Any) -> int:
    """Assign it; the status of the answer."""
    body = {"rank": rank, "subject": subject, "tariff": tariff, **more}
    return (await post(shop.house.api, "tariff-assignments", **body)).status_code


@pytest.fixture
async def town(shop: Shop, people: People) -> str:
    """Tariffs of every kind, CP1 at the Yard, listed, and Anna's card, of the group staff; its pseudonym."""
    for price, name in enumerate(("driver", "group", "connector", "station", "site", "everyone"), 1):
        await priced(shop, name, f"0.{price}0")
    assert (await shop.house.api.put(f"{API}/groups/staff", json={})).status_code in (200, 201)
    ref = await shop.card(people["anna"][0])
    async with shop.house.rooms.store.unit() as unit:
        await unit.connection.execute(update(card).where(card.c.ref == ref).values(grouping="staff"))
        place = {"site": "Yard", "is_listed": True, "plugs": {1: "IEC_62196_T2", 2: "IEC_62196_T2"}}
        await stations.describe(unit, "CP1", place)
    return ref


async def test_the_nearest_to_the_driver_decides_and_says_why(shop: Shop, people: People, town: str) -> None:
    anna, _ = people["anna"]
    subjects = {"everyone": "", "site": "Yard", "station": "CP1", "connector": "CP1/1", "group": "staff"}
    subjects["driver"] = anna.person
    answer: dict[str, Any] = {"tariff": STANDARD}
    for rank, subject in subjects.items():
        assert await assigned(shop, rank, subject, rank) == 201
        before, answer = answer, await see(shop.house.api, "tariffs/which", station="CP1", evse=1, card=town)
        assert (answer["tariff"], answer["rank"], answer["version"]) == (rank, rank, 1)
        assert answer["others"][0]["tariff"] == before["tariff"]
    assert answer["words"] == "It is assigned to this driver."
    assert [one["tariff"] for one in answer["others"]] == [*list(subjects)[-2::-1], STANDARD]
    assert answer["others"][0]["words"] == "It is assigned to the group staff that the card belongs to."
    stranger = await see(shop.house.api, "tariffs/which", station="CP1", evse=2)
    assert stranger["tariff"] == "station"
    _, emil = people["emil"]
    told = (await see(emil, "tariff-assignments"))["items"]
    assert [(one["rank"], one["subject"]) for one in told][:2] == [("driver", None), ("group", "staff")]
    assert anna.person not in str(told)
    assert (await emil.get(f"{API}/tariffs/which", params={"station": "CP1", "person": anna.person})).status_code == 403


async def test_drivers_see_the_price_that_they_will_be_billed(shop: Shop, people: People, town: str) -> None:
    (_, hers), (_, his) = people["anna"], people["bert"]
    await assigned(shop, "connector", "CP1/2", "connector")
    await assigned(shop, "group", "staff", "group")
    mine, other = (await see(hers, "places/CP1")), (await see(his, "places/CP1"))
    assert [one["price"]["words"][0] for one in mine["outlets"]] == ["€0.20 for each kWh"] * 2
    assert [one["price"]["tariff"] for one in other["outlets"]] == [STANDARD, "connector"]
    assert (mine["price"]["tariff"], other["price"]["tariff"]) == ("group", STANDARD)
    await shop.session(town, 10_000)
    await assigned(shop, "group", "staff", None)
    await shop.session(town, 10_000)
    bills = (await see(hers, "bills"))["items"]
    assert [(one["tariff"], one["gross_minor"]) for one in bills] == [(STANDARD, 600), ("group", 200)]
    receipt = await see(hers, f"sessions/{bills[1]['session']}/receipt")
    assert (receipt["bills"], receipt["gross_minor"], receipt["bill"]["gross_minor"]) == (
        [bills[1]["number"]],
        200,
        200,
    )
    why = (await see(hers, f"bills/{bills[1]['number']}"))["words"]["facts"][1]
    assert why == ("By the tariff group, version 1. It is assigned to the group staff that the card belongs to.")


@ONCE
async def test_a_receipt_says_what_is_to_pay_after_all(shop: Shop, people: People) -> None:
    _, hers = people["anna"]
    _, clara = people["clara"]
    ref = await shop.card(people["anna"][0])
    await shop.session(ref)
    await shop.session(ref, doubtful=True)
    waiting = (await see(clara, "holds"))["items"][0]["session"]
    assert (await post(clara, f"holds/{waiting}/waive", reason="Goodwill.")).status_code == 200
    assert (await post(clara, "bills/2026-000001/correct", reason="Too slow.", gross_minor=500)).status_code == 200
    waived = await see(hers, f"sessions/{waiting}/receipt")
    assert (waived["gross_minor"], waived["is_waived"], waived["bills"]) == (0, True, [])
    assert waived["words"] == "It is not billed: somebody has waived it."
    (month,) = (await see(hers, "months"))["items"]
    assert month["costs"] == [{"currency": "EUR", "gross_minor": 500, "digits": 2}]
    table = (await hers.get(f"{API}/history.csv")).text.splitlines()
    assert [line.split(",")[10] for line in table[1:]] == ["0.00", "5.00"]


@ONCE
async def test_what_makes_no_sense_is_refused(shop: Shop, people: People, town: str) -> None:
    now = shop.house.rooms.store.clock()
    wrong: list[tuple[Any, ...]] = [
        *(("group", "nobodys", "group"), ("station", "CP7", "station"), ("connector", "CP1", "connector")),
        *(
            ("connector", "CP7/1", "connector"),
            ("connector", "CP1/9", "connector"),
            ("site", "", "site"),
            ("driver", "person:none", "driver"),
        ),
        *(("everyone", "CP1", "everyone"), ("site", "Yard", "unheard-of"), ("standard", "", "site")),
    ]
    for rank, subject, tariff in wrong:
        assert await assigned(shop, rank, subject, tariff) == 422, (rank, subject, tariff)
    past, later = (now + timedelta(hours=hours) for hours in (-1, 1))
    assert await assigned(shop, "site", "Yard", "site", valid_from=past.isoformat()) == 422
    assert await assigned(shop, "site", "Yard", "site", valid_from=later.isoformat()) == 201
    assert (await see(shop.house.api, "tariffs/which", station="CP1"))["tariff"] == STANDARD
    told = await see(shop.house.api, "tariffs/which", station="CP1", at=later.isoformat())
    assert told["tariff"] == "site"
    assert (await shop.house.api.get(f"{API}/tariffs/which", params={"station": "CP7"})).status_code == 404
    _, fritz = people["fritz"]
    assert (await post(fritz, "tariff-assignments", rank="everyone", tariff=None)).status_code == 403
