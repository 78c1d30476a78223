"""Terms of sites by the API: as the page and the command enter them, by the same rules, for the same people."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import select

from tests.web.conftest import House
from tests.web.drivers import signed_in
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.person import Role, Scope
from wattkeeper.store.tables import deed

PATH = "/api/v1/statistics/terms"
SITE = "Harbour"
TERMS: dict[str, Any] = {
    "site": SITE,
    "since": "2026-01-01",
    "peak_price": "10",
    "energy_price": "0.245",
    "times": [{"since": "22:00", "until": "06:00", "energy_price": "0.1825"}],
    "limit_w": 50_000,
    "carbon_g_per_kwh": [350],
}
HOURS = [{"at": "2026-05-04T08:00:00Z", "g_per_kwh": 200}, {"at": "2026-05-04T11:00:00+02:00", "g_per_kwh": "212.5"}]


async def placed(house: House) -> None:
    """CP1 stands at the harbour."""
    assert (await house.api.patch("/api/v1/stations/CP1", json={"site": SITE})).status_code == 200


async def deeds(house: House) -> list[dict[str, Any]]:
    """What the log has of terms."""
    wanted = select(deed.c.body).where(deed.c.kind == DeedKind.SITE_TERMS.value).order_by(deed.c.n)
    async with house.rooms.store.read() as connection:
        return [orjson.loads(body) for body in (await connection.execute(wanted)).scalars()]


async def test_terms_are_entered_never_changed_and_told_exactly(house: House) -> None:
    await placed(house)
    first = await house.api.post(PATH, json=TERMS)
    assert first.status_code == 201, first.text
    told = first.json()
    assert (told["n"], told["since"], told["currency"], told["by"]) == (1, "2026-01-01", "EUR", "tests")
    assert (told["peak_price"], told["energy_price"], told["limit_w"]) == ("10", "0.245", 50_000)
    assert told["times"] == [{"since": "22:00", "until": "06:00", "energy_price": "0.1825"}]
    again = await house.api.post(PATH, json=TERMS)
    assert again.json() == told, "the same again is nothing new"
    later = {"site": SITE, "since": "2027-01-01", "carbon_g_per_kwh": list(range(24))}
    assert (await house.api.post(PATH, json=later)).json()["n"] == 2
    items = (await house.api.get(PATH, params={"site": SITE})).json()["items"]
    assert [one["n"] for one in items] == [2, 1] and items[1] == told
    assert (items[0]["energy_price"], items[0]["times"], items[0]["limit_w"]) == (None, [], None)
    assert items[0]["carbon_g_per_kwh"] == list(range(24))
    assert [one["n"] for one in await deeds(house)] == [1, 2]
    assert (await deeds(house))[0]["energy_minor_per_kwh"] == "24.5"
    async with signed_in(house, "clara@example.org", Role.BILLING) as (_, clara):
        page = (await clara.get(f"/insight/terms?site={SITE}")).text
    assert "€0.245" in page and "22:00–06:00: €0.1825" in page, "the page says the same"


async def test_the_carbon_of_hours_comes_as_a_list_or_as_a_file(house: House) -> None:
    await placed(house)
    listed = await house.api.post(f"{PATH}/carbon", json={"site": SITE, "items": HOURS})
    assert (listed.status_code, listed.json()) == (201, {"hours": 2}), listed.text
    days = {"site": SITE, "first_day": "2026-05-04", "last_day": "2026-05-04"}
    known = [{"at": "2026-05-04T08:00:00Z", "g_per_kwh": 200}, {"at": "2026-05-04T09:00:00Z", "g_per_kwh": 212.5}]
    assert (await house.api.get(f"{PATH}/carbon", params=days)).json()["items"] == known
    text = io.StringIO()
    csv.writer(text).writerows([("at", "g_per_kwh"), ("2026-05-04T08:00Z", "200"), ("2026-05-04T10:00Z", "300")])
    headers = {"Content-Type": "text/csv"}
    filed = await house.api.post(
        f"{PATH}/carbon/import", params={"site": SITE}, content=text.getvalue(), headers=headers
    )
    assert (filed.status_code, filed.json()) == (201, {"hours": 2}), filed.text
    told = (await house.api.get(f"{PATH}/carbon", params=days)).json()["items"]
    assert [Decimal(str(one["g_per_kwh"])) for one in told] == [200, Decimal("212.5"), 300]
    assert (
        await house.api.get(f"{PATH}/carbon", params=days | {"last_day": "2026-05-03", "first_day": "2026-05-03"})
    ).json() == {"items": []}
    assert [one["hours"] for one in await deeds(house)] == [2, 2]


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"peak_price": -1}, "peak_price"),
    ({"peak_price": "20000"}, "A price is from €0.00 to €10,000.00."),
    ({"energy_price": "NaN"}, "energy_price"),
    ({"limit_w": 0}, "limit_w"),
    ({"since": "soon"}, "since"),
    ({"carbon_g_per_kwh": [1, 2]}, "by one figure, or by 24"),
    ({"carbon_g_per_kwh": [5001]}, "carbon_g_per_kwh"),
    ({"times": [{"since": "20:10", "until": "21:00", "energy_price": 1}]}, "quarter hour"),
    ({"times": [{"since": "20:00", "until": "20:00", "energy_price": 1}]}, "quarter hour"),
    ({"times": [{"since": "hot", "until": "20:00", "energy_price": 1}]}, "since"),
    ({"times": TERMS["times"] * 2}, "overlap"),
    ({"changed": True}, "changed"),
)


async def test_what_makes_no_sense_is_refused_and_leaves_nothing(house: House) -> None:
    await placed(house)
    for wrong, why in WRONG:
        answer = await house.api.post(PATH, json=TERMS | wrong)
        assert answer.status_code == 422 and why in answer.text, (wrong, answer.text)
    missing = await house.api.post(PATH, json=TERMS | {"site": "Nowhere"})
    assert missing.status_code == 404 and (await house.api.get(PATH, params={"site": "Nowhere"})).status_code == 404
    odd: tuple[list[dict[str, Any]], ...] = (
        [{"at": "2026-05-04T08:15:00Z", "g_per_kwh": 1}],
        [{"at": "2026-05-04T08:00:00", "g_per_kwh": 1}],
        [{"at": "2026-05-04T08:00:00Z", "g_per_kwh": -1}],
        [{"at": "2026-05-04T08:00:00Z", "g_per_kwh": 1}, {"at": "2026-05-04T10:00:00+02:00", "g_per_kwh": 2}],
        [],
    )
    for items in odd:
        assert (await house.api.post(f"{PATH}/carbon", json={"site": SITE, "items": items})).status_code == 422, items
    headers = {"Content-Type": "text/csv"}
    for text in ("at,kwh\n1,2\n", "at,g_per_kwh\n2026-05-04T08:15Z,1\n"):
        answer = await house.api.post(f"{PATH}/carbon/import", params={"site": SITE}, content=text, headers=headers)
        assert answer.status_code == 422
    assert await deeds(house) == [] and (await house.api.get(PATH, params={"site": SITE})).json() == {"items": []}


async def test_prices_are_for_those_who_may_read_bills_and_set_by_those_who_set_prices(house: House) -> None:
    await placed(house)
    assert (await house.api.post(PATH, json=TERMS)).status_code == 201
    assert (await house.api.post(f"{PATH}/carbon", json={"site": SITE, "items": HOURS})).status_code == 201
    days = {"site": SITE, "first_day": "2026-05-04", "last_day": "2026-05-04"}
    for scopes, reads, writes in (
        ([Scope.SESSIONS_READ], 403, 403),
        ([Scope.BILLS_READ], 403, 403),
        ([Scope.TARIFFS_WRITE], 403, 403),
        ([Scope.SESSIONS_READ, Scope.BILLS_READ], 200, 403),
        ([Scope.SESSIONS_READ, Scope.TARIFFS_WRITE], 403, 403),
        ([Scope.SESSIONS_READ, Scope.BILLS_READ, Scope.TARIFFS_WRITE], 200, 201),
    ):
        async with await house.with_scopes(*scopes) as program:
            read = await program.get(PATH, params={"site": SITE})
            assert read.status_code == reads, scopes
            assert (await program.post(PATH, json=TERMS)).status_code == writes, scopes
            sent = await program.post(f"{PATH}/carbon", json={"site": SITE, "items": HOURS})
            assert sent.status_code == writes, scopes
            carbon = await program.get(f"{PATH}/carbon", params=days)
            assert carbon.status_code == (200 if Scope.SESSIONS_READ in scopes else 403), scopes
    async with (
        signed_in(house, "h@example.org", Role.SITE_HOST, ("Hill",)) as (_, host),
        signed_in(house, "d@example.org", Role.DRIVER) as (_, driver),
    ):
        for site in (SITE, "Nowhere", ""):
            alike = await host.get(f"{PATH}/carbon", params=days | {"site": site})
            assert (alike.status_code, alike.json()["detail"]) == (404, "There is no site of this name.")
        for one in (host, driver):
            assert (await one.get(PATH, params={"site": SITE})).status_code == 403
            assert (await one.post(PATH, json=TERMS)).status_code == 403
        assert (await driver.get(f"{PATH}/carbon", params=days)).status_code == 403
