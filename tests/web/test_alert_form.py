"""The form of a rule on alerts: what does not make sense stands at its field, in its unit, with what was typed kept."""

from __future__ import annotations

import re

import pytest

from tests.web.conftest import House
from tests.web.drivers import signed_in
from wattkeeper.charging.person import Role

OFFLINE = {"kind": "station_offline", "name": "Away", "reach": "everywhere", "raise_at": "10", "clear_at": "0"}
PEAK = {"kind": "peak_near_limit", "name": "Peak", "reach": "everywhere", "raise_at": "90", "clear_at": "80"}
PRICE = {"kind": "price_of_hour", "name": "Dear", "reach": "everywhere", "raise_at": "0.5", "clear_at": "0.30"}
WRONG = (
    (OFFLINE, {"raise_at": "20000"}, "It can be raised at 1 min to 10\N{NARROW NO-BREAK SPACE}080 min."),
    (OFFLINE, {"clear_at": "10"}, "It is raised at 10 min or more, so it is cleared below that."),
    (OFFLINE, {"raise_after": "1441"}, "It can wait for a day at most, 1440 minutes."),
    (OFFLINE, {"apart": "a while"}, "A wait is a whole number of minutes."),
    (OFFLINE, {"clear_at": "soon"}, "A threshold is a number, such as 10 or 0.5."),
    (OFFLINE, {"reach": "station:CP9"}, "There is no such site or station here."),
    (OFFLINE, {"quiet": "always"}, "The hours must look like"),
    (PEAK, {"limit_kw": "0"}, "The limit is more than nothing and at most 1"),
    (PRICE, {"clear_at": "0.2", "below": "yes"}, "It is raised at 0.5 or less, so it is cleared above that."),
)


@pytest.fixture
def engine() -> str:
    """The doors are the same on both."""
    return "sqlite"


@pytest.mark.parametrize(("form", "wrong", "why"), WRONG)
async def test_what_makes_no_sense_stands_at_its_field(
    house: House, form: dict[str, str], wrong: dict[str, str], why: str
) -> None:
    async with signed_in(house, "ona@example.org", Role.OWNER) as (_, owner):
        answer = await owner.post("/alerts/rules/new", data=form | wrong)
    assert answer.status_code == 422, answer.text
    ((field),) = re.findall(r'name="(\w+)" aria-invalid="true" aria-describedby="why-\1"', answer.text)
    assert field == next(iter(wrong))
    assert why in answer.text.split(f'id="why-{field}">')[1].split("<")[0]
    if field != "reach":
        assert f'value="{wrong[field]}"' in answer.text


async def test_a_price_is_told_as_money(house: House) -> None:
    async with signed_in(house, "ona@example.org", Role.OWNER) as (_, owner):
        assert (await owner.post("/alerts/rules/new", data=PRICE)).status_code == 303
        page = (await owner.get("/alerts/rules")).text
    assert "raised at €0.50 for a kWh or more, cleared at €0.30 for a kWh or less" in page


async def test_who_has_no_address_and_where_no_limit_is_told_stands_beside_it(house: House) -> None:
    await house.door.admit("CP2", "another-key-of-a-station")
    for station, site in (("CP1", "Linz"), ("CP2", "Graz")):
        assert (await house.api.patch(f"/api/v1/stations/{station}", json={"site": site})).status_code == 200
    async with (
        signed_in(house, "ona@example.org", Role.OWNER) as (ona, owner),
        signed_in(house, "operator", Role.OPERATOR) as (nameless, _),
    ):
        assert (await owner.post("/insight/terms?site=Linz", data={"limit": "40"})).status_code == 303
        form = (await owner.get("/alerts/rules/new?kind=peak_near_limit")).text
        assert "Terms tell one at 1 of 2 sites." in form and form.count("no e-mail address: is told nothing") == 1
        assert "<span>operator <span" in form and "No mail server is set" in form
        both = {"accounts": [ona.account, nameless.account]}
        for one in ({"name": "Both", **both}, {"name": "Own", "limit_kw": "50"}, {"name": "At", "reach": "site:Linz"}):
            assert (await owner.post("/alerts/rules/new", data=PEAK | one)).status_code == 303, one
        page = (await owner.get("/alerts/rules")).text
    assert page.count("measured at 1 of 2 sites: where terms tell a limit") == 1
    assert "2 recipients, 1 without an e-mail address" in page
