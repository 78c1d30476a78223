"""The places under Insight: which one it is, what it answers, and that the way to another stays with days and site."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.web.conftest import House
from tests.web.drivers import signed_in
from wattkeeper.charging.person import Role

DESKS = ("", "/week", "/load", "/stays", "/uptime", "/forecast", "/terms", "/releases")
DESK = re.compile(r'<nav class="under".*?</nav>', re.DOTALL)


@pytest.fixture
def engine() -> str:
    """The doors are the same on both."""
    return "sqlite"


def ways(page: str) -> dict[str, dict[str, str]]:
    """By address of a place: what it is asked about on the way there."""
    found = [urlsplit(unescape(href)) for href in re.findall(r'href="([^"]+)"', DESK.findall(page)[0])]
    return {one.path: dict(parse_qsl(one.query)) for one in found}


async def test_each_place_is_marked_and_its_tab_says_its_answer(house: House) -> None:
    async with signed_in(house, "ona@example.org", Role.OWNER) as (_, owner):
        for desk in DESKS:
            page = (await owner.get(f"/insight{desk}")).text
            assert '<a href="/insight" aria-current="page">Insight</a>' in page, desk
            assert page.count('aria-current="page"') == 2, desk
            (title,), (head,) = re.findall(r"<title>(.*?) ·", page), re.findall(r"<h1>(.*?)</h1>", page)
            assert title.startswith(head), desk


async def test_the_way_to_another_place_stays_with_the_days_and_the_site(house: House) -> None:
    assert (await house.api.patch("/api/v1/stations/CP1", json={"site": "Harbour"})).status_code == 200
    days = {"from": "2026-01-05", "to": "2026-01-11"}
    asked = {**days, "site": "Harbour", "station": "CP1", "sort": "-energy"}
    async with signed_in(house, "ona@example.org", Role.OWNER) as (_, owner):
        overview = ways((await owner.get("/insight", params=asked)).text)
        assert overview["/insight/uptime"] == overview["/insight"] == {**days, "site": "Harbour", "station": "CP1"}
        assert overview["/insight/week"] == overview["/insight/load"] == {**days, "site": "Harbour"}
        assert overview["/insight/forecast"] == overview["/insight/terms"] == {"site": "Harbour"}
        assert overview["/insight/releases"] == {}
        named = ways((await owner.get("/insight/stays", params={"span": "last-month"})).text)
        assert named["/insight"] == named["/insight/load"] == {"span": "last-month"}
        assert ways((await owner.get("/insight/terms", params={"site": "-"})).text)["/insight"] == {"site": "-"}
        wrong = ways((await owner.get("/insight", params={"from": "soon", "to": "2026-01-11"})).text)
        assert wrong["/insight/week"] == {}, "days that make no sense lead nowhere"


async def test_terms_open_with_the_sites_that_have_any(house: House) -> None:
    await house.door.admit("CP2", "another-key-of-a-station")
    for station, site in (("CP1", "Harbour"), ("CP2", "Linz")):
        assert (await house.api.patch(f"/api/v1/stations/{station}", json={"site": site})).status_code == 200
    hours = {"hours": "at,g_per_kwh\r\n2026-05-04T08:00Z,200\r\n"}
    async with signed_in(house, "ona@example.org", Role.OWNER) as (_, owner):
        none = (await owner.get("/insight/terms")).text
        assert "<h1>0 of 2 sites have terms</h1>" in none and "2 tell no carbon of their grid." in none
        assert (await owner.post("/insight/terms?site=Linz", data={"peak": "8.25"})).status_code == 303
        assert (await owner.post("/insight/terms/carbon?site=Harbour", data=hours)).status_code == 303
        page = (await owner.get("/insight/terms")).text
        assert "<h1>1 of 2 sites has terms</h1>" in page and "1 tells no carbon of its grid." in page
        assert page.index("site=Linz") < page.index("site=Harbour") and "€8.25" in page
        assert "by the hour, from a file" in page and 'name="peak"' not in page
        assert 'name="peak"' in (await owner.get("/insight/terms?site=Harbour")).text
