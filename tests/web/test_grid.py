"""Energy bought against energy sold: what a site's grid meter showed, and what its sessions had of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.web.shop import API, People, Shop, people, shop
from wattkeeper.charging.facts import SessionEnded, SessionOpened
from wattkeeper.charging.reading import Reading

__all__ = ["people", "shop"]

SITE = "Garage"


@pytest.fixture
async def garage(shop: Shop) -> Shop:
    """The shop, at a site."""
    done = await shop.house.api.patch(f"{API}/stations/CP1", json={"site": SITE})
    assert done.status_code == 200, done.text
    return shop


async def charged(shop: Shop, since: datetime, hours: int, wh: int) -> None:
    """A session that draws evenly, read each hour."""
    record = shop.house.door.intake.record
    shop.told += 1
    ref: dict[str, Any] = {"ref": f"G{shop.told}", "evse": 1}
    shop.house.rooms.store.clock = lambda: since
    await record("CP1", SessionOpened(at=since, seq=0, token=None, register_wh=Decimal(0), **ref))
    readings = tuple(
        Reading(since + timedelta(hours=one), energy_wh=Decimal(wh * one // hours)) for one in range(1, hours)
    )
    end = since + timedelta(hours=hours)
    shop.house.rooms.store.clock = lambda: end
    await record("CP1", SessionEnded(at=end, seq=1, register_wh=Decimal(wh), readings=readings, **ref))


def reading(at: datetime, kwh: int, **other: Any) -> dict[str, Any]:
    """What the meter showed."""
    return {"site": SITE, "meter": "grid", "at": at.isoformat(), "energy_wh": kwh * 1000} | other


async def test_what_was_bought_and_sold_in_the_same_time(garage: Shop) -> None:
    now = garage.house.rooms.store.clock()
    day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)
    await charged(garage, day - timedelta(hours=2), 4, 40_000)
    await charged(garage, day + timedelta(hours=8), 2, 20_000)
    await charged(garage, day + timedelta(hours=23), 2, 10_000)
    garage.house.rooms.store.clock = lambda: now
    entered = [reading(day, 1000), reading(day + timedelta(days=1), 1050)]
    done = await garage.house.api.post(f"{API}/grid-readings", json={"items": entered})
    assert (done.status_code, done.json()) == (201, {"entered": 2})
    period = {"since": f"{day - timedelta(days=2):%Y-%m-%d}", "until": f"{day + timedelta(days=3):%Y-%m-%d}"}
    told = (await garage.house.api.get(f"{API}/revenue", params=period)).json()
    (site,) = [one for one in told["energy"] if one["site"] == SITE]
    supply = site["supply"]
    assert (supply["grid_wh"], supply["delivered_wh"]) == (50_000, 20_000 + 20_000 + 5_000)
    assert (site["grid_wh"], site["lost_wh"], site["delivered_wh"]) == (50_000, 5_000, 70_000)
    assert supply["is_interpolated"] is False


async def test_a_register_that_falls_is_refused_and_nothing_is_kept(garage: Shop) -> None:
    api, now = garage.house.api, garage.house.rooms.store.clock()
    first, second, third = (now - timedelta(days=days) for days in (9, 6, 3))
    assert (await api.post(f"{API}/grid-readings", json={"items": [reading(second, 500)]})).status_code == 201
    for wrong in ([reading(third, 600), reading(first, 501)], [reading(third, 499)]):
        done = await api.post(f"{API}/grid-readings", json={"items": wrong})
        assert (done.status_code, "falls" in done.json()["detail"]) == (422, True), done.text
    assert len((await api.get(f"{API}/grid-readings")).json()["items"]) == 1
    for wrong in ([reading(now + timedelta(days=1), 600)], [reading(third, 600, meter=" ")]):
        assert (await api.post(f"{API}/grid-readings", json={"items": wrong})).status_code == 422
    elsewhere = {"items": [reading(third, 600, site="Nowhere")]}
    assert (await api.post(f"{API}/grid-readings", json=elsewhere)).status_code == 404
    mended = {"items": [reading(second, 480), reading(third, 490, meter="a new meter")]}
    assert (await api.post(f"{API}/grid-readings", json=mended)).status_code == 201
    kept = (await api.get(f"{API}/grid-readings", params={"site": SITE})).json()["items"]
    assert [(one["meter"], one["energy_wh"]) for one in kept] == [("a new meter", 490_000), ("grid", 480_000)]


async def test_only_who_says_what_is_billed_enters_readings(garage: Shop, people: People) -> None:
    at = garage.house.rooms.store.clock() - timedelta(days=1)
    for name, status in (("anna", 403), ("fritz", 403), ("emil", 403), ("clara", 201)):
        done = await people[name][1].post(f"{API}/grid-readings", json={"items": [reading(at, 5)]})
        assert done.status_code == status, (name, done.text)
    assert (await people["anna"][1].get(f"{API}/grid-readings")).status_code == 403
    assert (await people["emil"][1].get(f"{API}/grid-readings")).status_code == 200
