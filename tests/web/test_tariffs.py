"""Prices before and after: versions pinned by the start, receipts that add up, months and history of one's own."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.web.conftest import House
from tests.web.phones import Puppet, becoming, listed, puppet, signed_in, started, viewer
from tests.web.town import VIEWER as OWNER
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Scope
from wattkeeper.operations.money.tariffs import prices
from wattkeeper.operations.money.tariffs.choosing import chosen
from wattkeeper.operations.money.tariffs.prices import Prices
from wattkeeper.store.money import billable
from wattkeeper.store.money.tariffs.ocpi import of_ocpi

ENERGY = {"type": "ENERGY", "price": 0.4, "vat": 20, "step_size": 1}
PARKING = {"type": "PARKING_TIME", "price": "3.00", "vat": 20, "step_size": 60}
PRICED = Path(__file__).parents[1] / "charging" / "priced_sessions.json"
FREE: dict[str, Any] = {"currency": "EUR", "elements": []}
ONCE = pytest.mark.parametrize("engine", ["sqlite"])
"""Where a test is not about the store."""
TARIFF: dict[str, Any] = {"currency": "EUR", "elements": [{"price_components": [ENERGY, PARKING]}]}


@pytest.fixture
async def dora(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A driver's phone; CP1 can be found."""
    await listed(house)
    async with await signed_in(house) as phone:
        yield phone


async def put(house: House, **more: Any) -> Any:
    """Set prices; the version."""
    answer = await house.api.put("/api/v1/tariffs", json=TARIFF | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def charge(house: House, dora: httpx.AsyncClient, station: Puppet) -> str:
    """A session from the phone: 6 kWh in 30 minutes, then 10 minutes plugged in; its id."""
    station.heard.clear()
    start = (await started(dora))["id"]
    await station.begin(await station.token())
    session = str((await becoming(dora, start, "charging"))["session"])
    await station.read(30, 7000)
    await station.end(40, 7000)
    await becoming(dora, start, "stopped")
    return session


async def receipt(phone: httpx.AsyncClient, session: str) -> Any:
    """What a session costs."""
    answer = await phone.get(f"/api/v1/sessions/{session}/receipt")
    assert answer.status_code == 200, answer.text
    return answer.json()


@ONCE
async def test_no_price_is_said_to_be_none(house: House, dora: httpx.AsyncClient) -> None:
    price = (await dora.get("/api/v1/places/CP1")).json()["price"]
    assert price == {"words": [prices.NO_PRICE], "currency": None, "tariff": None, "version": None, "is_free": True}
    async with puppet(house) as station:
        told = await receipt(dora, await charge(house, dora, station))
    assert (told["bill"], told["tariff_version"], told["words"]) == (None, None, prices.HAD_NO_PRICE)


async def test_a_receipt_says_everything_and_adds_up(house: House, dora: httpx.AsyncClient) -> None:
    await put(house)
    tag = (await dora.get("/api/v1/places/CP1")).json()["price"]
    assert tag["words"] == [
        "€0.48 for each kWh",
        "€3.60 for each hour plugged in without charging, in steps of 1 min",
    ]
    async with puppet(house) as station:
        station.at -= timedelta(minutes=15)
        told = await receipt(dora, await charge(house, dora, station))
    assert (told["energy_wh"], told["charging_s"], told["parking_s"], told["duration_s"]) == (6000, 1800, 600, 2400)
    assert (told["name"], told["address"]) == ("Town hall", "Main street 1")
    assert (told["grade"], told["words"]) == ("measured", "")
    bill = told["bill"]
    lines = [(one["kind"], one["net_minor"], one["vat_minor"], one["gross_minor"]) for one in bill["lines"]]
    assert lines == [("ENERGY", 240, 48, 288), ("PARKING_TIME", 50, 10, 60)]
    assert (bill["net_minor"], bill["vat_minor"], bill["gross_minor"], bill["digits"]) == (290, 58, 348, 2)


@ONCE
async def test_it_runs_while_the_session_does(house: House, dora: httpx.AsyncClient) -> None:
    await put(house)
    async with puppet(house) as station:
        start = (await started(dora))["id"]
        await station.begin(await station.token())
        session = str((await becoming(dora, start, "charging"))["session"])
        costs = []
        for minutes, wh in ((0, 1000), (5, 2000), (10, 3500)):
            if minutes:
                await station.read(minutes, wh)
            told = await receipt(dora, session)
            costs.append(told["bill"]["gross_minor"])
    assert costs == [0, 48, 120]
    assert (told["live"], told["words"]) == (True, prices.RUNNING)


# --- C18 --------------------------------------------------------------------------------------------------


async def test_c18_a_session_keeps_the_prices_it_started_with(house: House, dora: httpx.AsyncClient) -> None:
    await put(house)
    async with puppet(house) as station:
        start = (await started(dora))["id"]
        await put(house, elements=[{"price_components": [ENERGY | {"price": 9}]}])
        await station.begin(await station.token())
        session = str((await becoming(dora, start, "charging"))["session"])
        await station.read(10, 2000)
        await put(house, elements=[])
        await station.end(20, 3000)
        await becoming(dora, start, "stopped")
        told = await receipt(dora, session)
        assert (told["tariff_version"], told["bill"]["gross_minor"]) == (1, 96)
        station.at += timedelta(minutes=25)
        after = await receipt(dora, await charge(house, dora, station))
    assert (after["tariff_version"], after["bill"]["gross_minor"], after["bill"]["lines"]) == (3, 0, [])


async def test_c18_prices_change_for_the_future_only(house: House) -> None:
    past = TARIFF | {"valid_from": "2020-01-01T00:00:00Z"}
    assert (await house.api.put("/api/v1/tariffs", json=past)).status_code == 422
    later = datetime.now(UTC) + timedelta(days=30)
    await put(house, valid_from=later.isoformat())
    assert (await house.rooms.prices.tag()).version is None
    assert (await house.rooms.prices.tag(later)).version == 1
    assert (await house.rooms.prices.tag(later - timedelta(microseconds=1))).version is None


@ONCE
async def test_c18_the_station_s_clock_cannot_choose_the_price(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        session = await charge(house, dora, station)
    async with house.rooms.store.read() as connection:
        (its,) = (await billable.of(connection, [session.replace("-", "")])).values()
    await put(house)
    version = (await house.rooms.prices.versions(OWNER))[0]
    assert its.whole.opened is not None
    for started_s, valid_s, expected in (
        (-3600, -1800, None),  # it began before the price, and was told of after: offline for an hour
        (-900, -1800, 1),
        (3600, 1800, None),  # a clock ahead: what counts is when we heard of it
        (-10 * 365 * 86400, -1800, 1),  # a clock ten years behind is no offline hour
    ):
        opened = msgspec.structs.replace(its.whole.opened, at=its.known_at + timedelta(seconds=started_s))
        moved = replace(its, asked_at=None, whole=msgspec.structs.replace(its.whole, opened=opened))
        pinned = replace(version, valid_from=its.known_at + timedelta(seconds=valid_s))
        row = chosen([], [pinned], moved.spot, moved.begins_at).row
        assert (row and row.version) == expected, (started_s, valid_s)


# --- setting them -----------------------------------------------------------------------------------------


async def test_every_version_is_kept_in_the_words_of_ocpi(house: House) -> None:
    first, second = await put(house), await put(house, tax_included="YES", max_price={"before_taxes": 30})
    assert (first["version"], second["version"], second["max_price"]) == (1, 2, {"before_taxes": "30"})
    listed_ = (await house.api.get("/api/v1/tariffs")).json()["items"]
    assert listed_ == [second, first]
    (element,) = first["elements"]
    assert element["price_components"][0] == {"type": "ENERGY", "price": "0.4", "vat": "20", "step_size": 1}
    assert second["words"][0] == "€0.40 for each kWh"
    assert second["words"][-1] == "at most €30.00 for each session"


WHEN = {
    "start_time": "22:00",
    "end_time": "06:00",
    "start_date": "2026-05-01",
    "end_date": "2027-05-01",
    "day_of_week": ["MONDAY", "SUNDAY"],
    "min_kwh": "0.5",
    "max_kwh": "50",
    "min_current": "6",
    "max_current": "48",
    "min_power": "1.5",
    "max_power": "22",
    "min_duration": 60,
    "max_duration": 7200,
}


@ONCE
async def test_a_tariff_of_ocpi_is_taken_as_it_is(house: House) -> None:
    for n, one in enumerate(json.loads(PRICED.read_text())):
        told = one["tariff"]
        done = await house.api.put(f"/api/v1/tariffs/t{n}", json=told)
        assert done.status_code == 200, (one["id"], done.text)
        kept = of_ocpi({name: value for name, value in done.json().items() if value is not None})
        assert kept == of_ocpi(told), one["id"]
        assert {"country_code", "party_id"} <= set(done.json()["left_out"])


async def test_a_start_to_come_holds_from_then_on_and_one_that_passed_from_now(house: House) -> None:
    store = house.rooms.store
    now = store.clock()
    store.clock = lambda: now
    begins = (now + timedelta(days=3)).replace(microsecond=0)
    for start, valid_from in ((begins, begins), (now - timedelta(days=99), now)):
        told = FREE | {"start_date_time": start.isoformat(), "end_date_time": "2099-01-01T00:00:00Z"}
        done = (await house.api.put("/api/v1/tariffs/when", json=told)).json()
        assert datetime.fromisoformat(done["valid_from"]) == valid_from
        assert done["left_out"] == ["end_date_time"]
    odd = await house.api.put("/api/v1/tariffs/when", json=FREE | {"start_date_time": "tomorrow"})
    assert (odd.status_code, "start_date_time" in odd.json()["detail"]) == (422, True)
    older = FREE | {"min_price": {"excl_vat": 1, "incl_vat": "1.20"}, "max_price": {"excl_vat": "9.5"}}
    limits = (await house.api.put("/api/v1/tariffs/limits", json=older)).json()
    assert limits["min_price"] == {"before_taxes": "1", "after_taxes": "1.20"}
    assert limits["max_price"] == {"before_taxes": "9.5"}
    unknown = await house.api.put("/api/v1/tariffs/limits", json=FREE | {"country": "AT"})
    assert unknown.status_code == 422, "what nobody knows may change the price"


async def test_every_condition_is_kept_and_said(house: House) -> None:
    elements = [
        {"price_components": [ENERGY | {"price": "0.4", "vat": "20", "x_tax_rate": "AT"}], "restrictions": WHEN},
        {"price_components": [PARKING | {"vat": "20"}], "restrictions": {"x_min_idle": 900}},
        {
            "price_components": [{"type": "TIME", "price": "5", "step_size": 1}],
            "restrictions": {"reservation": "RESERVATION"},
        },
    ]
    more = {
        "elements": elements,
        "tax_included": "YES",
        "x_time_zone": "Europe/Vienna",
        "x_bills_blocking": True,
        "x_tax_rates": [{"name": "AT", "percent": "20", "since": "2026-01-01", "until": "2030-01-01"}],
    }
    told = await put(house, **more)
    assert {name: told[name] for name in more} == more
    assert (await house.api.get("/api/v1/tariffs")).json()["items"] == [told]
    assert told["words"] == [
        "€0.40 for each kWh, only on Monday, Sunday, from 22:00 to 06:00, from 2026-05-01 to 2027-05-01,"
        " from 0.5 kWh on, up to 50 kWh, at 1.5 kW or more, below 22 kW, at 6 A or more, below 48 A, after 1 min,"
        " in the first 120 min",
        "€3.00 for each hour plugged in without charging, in steps of 1 min, after 15 min without charging",
        "€5.00 for each hour reserved",
    ]


@ONCE
async def test_prices_that_cannot_be_billed_are_refused(house: House) -> None:
    component = {"price_components": [ENERGY]}
    wrong: list[dict[str, Any]] = [
        {"currency": "eur"},
        {"elements": [{"price_components": []}]},
        {"elements": [{"price_components": [ENERGY | {"price": -1}]}]},
        {"elements": [{"price_components": [ENERGY | {"price": "NaN"}]}]},
        {"elements": [{"price_components": [ENERGY | {"type": "RESERVATION"}]}]},
        {"elements": [component | {"restrictions": {"start_time": "9:00"}}]},
        {"elements": [component | {"restrictions": {"start_date": "2026-02-30"}}]},
        {"elements": [component | {"restrictions": {"min_kwh": 5, "max_kwh": 4}}]},
        {"elements": [component | {"restrictions": {"reservation": "RESERVATION"}}]},
        {"elements": [component | {"restrictions": {"weather": "sunny"}}]},
        {"x_time_zone": "Europe/Nowhere"},
        {"x_tax_rates": [{"name": "A", "percent": 19, "since": "2026-01-01"}] * 2},
        {"min_price": {"before_taxes": 5}, "max_price": {"before_taxes": 1}},
    ]
    for more in wrong:
        assert (await house.api.put("/api/v1/tariffs", json=TARIFF | more)).status_code == 422, more
    assert (await house.api.get("/api/v1/tariffs")).json()["items"] == []


async def test_of_many_who_change_the_same_version_at_once_one_does(house: House) -> None:
    first = await house.rooms.prices.set(OWNER, of_ocpi(TARIFF))
    tries = [house.rooms.prices.set(OWNER, of_ocpi(TARIFF), seen=first.version) for _ in range(8)]
    came = await asyncio.gather(*tries, return_exceptions=True)
    refused = [one for one in came if isinstance(one, Refusal)]
    assert [one.code for one in refused] == [Code.CONFLICT] * 7
    assert [row.version for row in await house.rooms.prices.versions(OWNER)] == [2, 1]
    with pytest.raises(Refusal, match="already"):
        await house.rooms.prices.set(OWNER, of_ocpi(TARIFF), seen=0)


@ONCE
async def test_who_may_set_prices(house: House, dora: httpx.AsyncClient) -> None:
    async with await house.with_scopes(Scope.TARIFFS_READ) as reader:
        assert (await reader.get("/api/v1/tariffs")).status_code == 200
        assert (await reader.put("/api/v1/tariffs", json=TARIFF)).status_code == 403
    for method in (dora.get("/api/v1/tariffs"), dora.put("/api/v1/tariffs", json=TARIFF)):
        assert (await method).status_code == 403


# --- one's own --------------------------------------------------------------------------------------------


async def test_months_and_history_are_one_s_own(house: House, dora: httpx.AsyncClient) -> None:
    await put(house)
    await listed(house, label="=1+1")
    async with puppet(house) as station, await signed_in(house, "emil") as emil:
        station.at -= timedelta(hours=2)
        first = await charge(house, dora, station)
        station.at += timedelta(hours=1)
        await charge(house, emil, station)
        months = (await dora.get("/api/v1/months")).json()["items"]
        (mine,) = [*csv.DictReader(io.StringIO((await dora.get("/api/v1/history.csv")).text))]
    cost = {"currency": "EUR", "gross_minor": 348, "digits": 2}
    told = {"sessions": 1, "energy_wh": 6000, "duration_s": 2400, "costs": [cost]}
    assert months == [{"month": f"{station.at - timedelta(hours=1):%Y-%m}"} | told]
    assert (mine["session"], mine["energy_kwh"], mine["gross"], mine["vat"]) == (first, "6.000", "3.48", "0.58")
    assert mine["station"] == "'=1+1"
    assert (await dora.get("/api/v1/history.csv?month=1999-01")).text.count("\n") == 1
    assert (await dora.get("/api/v1/history.csv?month=2026-13")).status_code == 422


@ONCE
async def test_a_month_is_one_of_the_place(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        station.at = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
        await charge(house, dora, station)
    vienna = Prices(house.rooms.store, replace(house.rooms.settings, time_zone="Europe/Vienna"))
    driver = await viewer(house)
    assert [one.month for one in await house.rooms.prices.months(driver)] == ["2026-02"]
    assert [one.month for one in await vienna.months(driver)] == ["2026-03"]
    assert len(await vienna.history(driver, "2026-03")) == 1
    assert len(await vienna.history(driver, "2026-02")) == 0


@ONCE
async def test_staff_read_receipts_and_have_no_months(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house) as station:
        session = await charge(house, dora, station)
    async with await signed_in(house, "bill", Role.BILLING) as bill:
        assert (await receipt(bill, session))["session"] == session
        assert (await bill.get("/api/v1/months")).status_code == 403
