"""Places to charge as drivers find them, and the codes on connectors: signed, not to be guessed, ended when renewed."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import update

from tests.doors import until
from tests.stories.till import tariff
from tests.web.conftest import House
from tests.web.phones import listed, puppet, signed_in
from wattkeeper.charging.person import Role, Scope
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.store.tables import station as stations

CODES = "/api/v1/connector-codes"
ONCE = pytest.mark.parametrize("engine", ["sqlite"])
"""Where a test is not about the store."""


@pytest.fixture
async def dora(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A driver's phone."""
    async with await signed_in(house) as phone:
        yield phone


async def code_of(house: House, station: str = "CP1") -> str:
    """The code on the first connector of a station."""
    told = (await house.api.get(f"/api/v1/stations/{station}/codes")).json()
    return str(told["items"][0]["code"])


async def test_only_listed_stations_are_found(house: House, dora: httpx.AsyncClient) -> None:
    assert (await dora.get("/api/v1/places")).json()["items"] == []
    assert (await dora.get("/api/v1/places/CP1")).status_code == 404
    await listed(house)
    (place,) = (await dora.get("/api/v1/places?q=hall+MAIN")).json()["items"]
    assert (place["name"], place["address"], place["latitude"]) == ("Town hall", "Main street 1", 48.2)
    assert [(one["evse"], one["plug_words"], one["use"]) for one in place["outlets"]] == [(1, "Type 2", "out_of_order")]
    assert (await dora.get("/api/v1/places?q=hall+elsewhere")).json()["items"] == []
    assert (await dora.get("/api/v1/places/CP1")).json() == place
    assert (await dora.get("/api/v1/places/CP2")).json() == (await dora.get("/api/v1/places/CP9")).json()


async def test_the_nearest_comes_first(house: House, dora: httpx.AsyncClient) -> None:
    where = {"CP1": (48.2, 16.37), "CP2": (48.3, 16.37), "CP3": (47.0, 179.99), "CP4": (47.0, -179.99)}
    for station, (north, east) in where.items():
        if station != "CP1":
            await house.api.post("/api/v1/stations", json={"id": station})
        await listed(house, station, latitude=north, longitude=east)
    near = (await dora.get("/api/v1/places?lat=48.29&lon=16.37&limit=2")).json()["items"]
    assert [(one["station"], one["distance_m"]) for one in near] == [("CP2", 1112), ("CP1", 10008)]
    across = (await dora.get("/api/v1/places?lat=47&lon=179.99")).json()["items"]
    assert [one["station"] for one in across][:2] == ["CP3", "CP4"]
    assert across[1]["distance_m"] < 2000
    assert (await dora.get("/api/v1/places?lat=48")).status_code == 422


@ONCE
async def test_how_it_stands_is_told_coarsely(house: House, dora: httpx.AsyncClient) -> None:
    await listed(house)

    async def seen() -> tuple[str, bool]:
        (one,) = (await dora.get("/api/v1/places/CP1")).json()["outlets"]
        assert set(one) == {
            *("station", "evse", "code", "plug", "plug_words", "max_power_w", "use", "words", "can_start"),
            "price",
        }
        return one["use"], one["can_start"]

    async with puppet(house) as station:
        assert await seen() == ("free", True)
        for word, expected in (
            ("Preparing", ("free", True)),
            ("Finishing", ("in_use", True)),
            ("Reserved", ("in_use", True)),
            ("Faulted", ("out_of_order", False)),
            ("Charging", ("in_use", True)),
        ):
            await station.status(word)
            assert await seen() == expected, word
        await station.begin("04AABBCC")
        assert await seen() == ("in_use", False)

    async def away() -> bool:
        return (await seen())[0] == "out_of_order"

    await until(away, "the news that it is away")


async def test_a_code_names_its_connector_listed_or_not(house: House, dora: httpx.AsyncClient) -> None:
    async with puppet(house):
        code = await code_of(house)
        assert len(code) == 24
        assert "CP1" not in code
        for spelled in (code, code.lower(), f" {code} "):
            told = (await dora.get(f"{CODES}/{spelled}")).json()
            assert (told["place"]["station"], told["outlet"]["evse"]) == ("CP1", 1)
        started = await dora.post("/api/v1/starts", json={"code": code})
        assert started.status_code == 202


@ONCE
async def test_a_code_that_we_never_made_does_not_exist(house: House, dora: httpx.AsyncClient) -> None:
    await listed(house)
    code = await code_of(house)
    raw = base64.b32decode(code)
    flipped = [base64.b32encode(bytes(b ^ (bit == i) for i, b in enumerate(raw))).decode() for bit in range(len(raw))]
    answers: list[httpx.Response] = []
    for wrong in (*flipped, "A" * 24, code[:-1], code + "A", "0" * 24, "x"):
        async with await signed_in(house, f"driver{len(answers)}") as somebody:
            answers.append(await somebody.get(f"{CODES}/{wrong}"))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert (await dora.get(f"{CODES}/{code}")).status_code == 200


@ONCE
async def test_codes_cannot_be_tried_out(house: House, dora: httpx.AsyncClient) -> None:
    await listed(house)
    code = await code_of(house)
    wrong = [f"{CODES}/{'B' * 23}{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXY"]
    statuses = [(await dora.get(path)).status_code for path in wrong]
    assert statuses[:20] == [404] * 20
    assert statuses[-1] == 429
    refused = await dora.get(f"{CODES}/{code}")
    assert (refused.status_code, int(refused.headers["retry-after"]) >= 1) == (429, True)
    async with await signed_in(house, "emil") as emil:
        assert (await emil.get(f"{CODES}/{code}")).status_code == 200


async def test_renewed_codes_end_the_old_ones(house: House, dora: httpx.AsyncClient) -> None:
    await listed(house)
    before = await code_of(house)
    renewed = (await house.api.post("/api/v1/stations/CP1/codes")).json()["items"][0]["code"]
    assert renewed != before
    assert (await dora.get(f"{CODES}/{before}")).status_code == 404
    assert (await dora.get(f"{CODES}/{renewed}")).status_code == 200
    assert (await house.api.post("/api/v1/stations/CP9/codes")).status_code == 404


async def test_stations_of_the_first_release_get_codes(house: House) -> None:
    await listed(house)
    async with house.rooms.store.unit() as unit:
        await unit.connection.execute(update(stations).values(mark=None))
    assert await code_of(house) == ""
    await house.rooms.places.mark_all()
    code = await code_of(house)
    await house.rooms.places.mark_all()
    assert await code_of(house) == code != ""


@ONCE
async def test_who_may_look(house: House, dora: httpx.AsyncClient) -> None:
    await listed(house)
    async with await signed_in(house, "olga", Role.OPERATOR) as olga:
        assert (await olga.get("/api/v1/places")).status_code == 200
        assert (await olga.get("/api/v1/stations/CP1/codes")).status_code == 200
        assert (await olga.post("/api/v1/starts", json={"station": "CP1", "evse": 1})).status_code == 403
    async with await house.with_scopes(Scope.CARDS_READ) as other:
        assert (await other.get("/api/v1/places")).status_code == 403
    assert (await dora.get("/api/v1/stations/CP1/codes")).status_code == 403
    assert (await dora.post("/api/v1/stations/CP1/codes")).status_code == 403


@ONCE
async def test_the_sheet_is_one_label_for_each_connector(house: House) -> None:
    await listed(house, plugs={"1": "IEC_62196_T2", "2": "IEC_62196_T2_COMBO"}, label="<Town> hall")
    async with await signed_in(house, "olga", Role.OPERATOR) as olga:
        page = await olga.get("/stations/CP1/codes")
        assert page.status_code == 200
        assert page.text.count("<svg") == page.text.count('class="label"') == 2
        assert (await code_of(house)) in page.text
        assert "Connector 2 · CCS" in page.text
        assert "<Town>" not in page.text
        renewed = await olga.post("/stations/CP1/codes")
        assert (renewed.status_code, renewed.headers["location"]) == (303, "/stations/CP1/codes")
        assert (await olga.get("/stations/CP9/codes")).status_code == 404


async def test_an_estimate_is_what_would_be_billed(house: House, dora: httpx.AsyncClient) -> None:
    await listed(house)
    asked = {"evse": 1, "energy_wh": 20_000, "charging_s": 7200, "parking_s": 600}
    free = (await dora.get("/api/v1/places/CP1/estimate", params=asked)).json()
    assert free["bill"] is None
    await house.rooms.prices.set(VIEWER, tariff("0.50", "1.20"))
    told = (await dora.get("/api/v1/places/CP1/estimate", params=asked)).json()
    assert (told["bill"]["gross_minor"], told["bill"]["net_minor"]) == (1488, 1240)
    assert [(one["kind"], one["quantity"]) for one in told["bill"]["lines"]] == [("ENERGY", 20), ("TIME", 2)]
    for wrong in ({"evse": 2}, {"evse": 1, "energy_wh": -1}, {"evse": 1, "energy_wh": 10**9}, {"charging_s": 10**9}):
        answer = await dora.get("/api/v1/places/CP1/estimate", params=asked | wrong)
        assert answer.status_code == (404 if wrong == {"evse": 2} else 422), wrong
    assert (await dora.get("/api/v1/places/CP9/estimate", params=asked)).status_code == 404
