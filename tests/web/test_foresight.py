"""Findings, forecasts and terms through the doors: what they say, to whom, and what they refuse."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from xml.etree import ElementTree

import pytest

from tests.web.busy import SITE, busy
from tests.web.conftest import House
from tests.web.drivers import signed_in
from tests.web.opening import asked, behind, figures, listed, unopened
from tests.web.test_opens import counted, meant, windows
from wattkeeper.charging.person import Role, Scope
from wattkeeper.charging.phrase import Figure

API = "/api/v1/statistics"
NOW = datetime(2026, 6, 3, 9, 30, tzinfo=UTC)
"""A Wednesday; the month before it is May, with whole weeks."""
TERMS, FORECAST = "/insight/terms", "/insight/forecast"
FORM = {
    "peak": "10,00",
    "energy": "0.245",
    "limit": "50",
    "carbon": "350",
    **{"from1": "22:00", "to1": "06:00", "at1": "0.18", "from2": "08:00", "to2": "12:00", "at2": "0.30"},
}


@pytest.fixture
def engine() -> str:
    """The doors are the same on both; tests/stories/test_terms.py tries the queries on both."""
    return "sqlite"


TOLD: list[tuple[datetime, Decimal]] = []


@pytest.fixture
async def harbour(house: House) -> House:
    """A house with twelve weeks of sessions at a site."""
    rooms = house.rooms
    assert (await house.api.patch("/api/v1/stations/CP1", json={"site": SITE})).status_code == 200
    TOLD[:] = await busy(rooms, house.door.intake, "CP1", NOW)
    rooms.store.clock = lambda: NOW
    return house


async def test_next_week_is_forecast_where_that_beats_the_past(harbour: House) -> None:
    told = (await harbour.api.get(f"{API}/forecast", params={"site": SITE})).json()
    assert told["why_not"] is None and told["known_weeks"] == 12 and len(told["hours"]) == 168
    trial = told["trial"]
    assert trial["weeks"] == 8 and all(trial["error_wh"] < 0.98 * one for one in trial["baselines_wh"].values())
    first = told["hours"][0]
    assert first["at"] == "2026-06-03T09:00:00Z" and first["low_wh"] <= first["expected_wh"] <= first["high_wh"]
    assert 1_000 < first["expected_wh"] < 10_000 and first["last_week_wh"] > 1_000
    assert told["week"]["low_wh"] <= told["week"]["expected_wh"] <= told["week"]["high_wh"]
    everywhere = (await harbour.api.get(f"{API}/forecast")).json()
    assert everywhere == told, "there is one site alone"


async def test_what_cannot_be_said_is_not_said(harbour: House) -> None:
    missing = await harbour.api.get(f"{API}/forecast", params={"site": "Nowhere"})
    assert missing.status_code == 404
    harbour.rooms.store.clock = lambda: datetime(2026, 4, 15, 9, tzinfo=UTC)
    few = (await harbour.api.get(f"{API}/forecast")).json()
    assert few["why_not"] == "few_weeks" and few["hours"] == [] and few["week"] is None
    async with signed_in(harbour, "ona@example.org", Role.OWNER) as (_, owner):
        page = (await owner.get(FORECAST)).text
    assert "No forecast yet" in page and "5 whole weeks are known; it needs 8" in page and "<figure" not in page


async def test_findings_have_amounts_for_those_who_may_know_them(harbour: House) -> None:
    async with signed_in(harbour, "clara@example.org", Role.BILLING) as (_, clara):
        done = await clara.post(f"{TERMS}?site={SITE}", data=FORM)
        assert done.status_code == 303, done.text
        page = (await clara.get("/insight")).text
    found = (await harbour.api.get(f"{API}/findings")).json()["items"]
    kinds = [one["kind"] for one in found]
    assert kinds[:2] == ["peak_charge", "energy_price"] or kinds[:2] == ["energy_price", "peak_charge"]
    assert "standing_full" in kinds
    assert [one["saved_minor"] or 0 for one in found] == sorted(
        (one["saved_minor"] or 0 for one in found), reverse=True
    )
    dear = next(one for one in found if one["kind"] == "energy_price")
    assert dear["since"] == "2026-05-01T00:00:00Z" and dear["until"] == "2026-06-01T00:00:00Z"
    assert (
        "of 8:00–12:00 between 22:00 and 6:00" in dear["title"]
        and "in May 2026" in dear["how"]
        and "€0.30" in dear["how"]
        and dear["currency"] == "EUR"
    )
    for one in found:
        assert one["title"] in page.replace("&#39;", "'") and one["how"] in page
    links = [unescape(one) for one in re.findall(r'href="(/sessions\?[^"]+)">The sessions', page)]
    assert len(links) == len(found)
    seen = await counted(harbour)
    async with signed_in(harbour, "ona@example.org", Role.OWNER) as (_, owner):
        for one, link in zip(found, links, strict=True):
            its = (await listed(owner, link)).ids
            assert its and its == meant(asked(link), seen), link
            spans = windows(asked(link))
            parts = [part for name in its for part in seen[name].share.parts]
            wh = sum(
                (part.energy_wh for part in parts for since, until in spans if since <= part.at < until), Decimal(0)
            )
            if one["kind"] == "peak_charge":
                assert f"was {Figure(wh * 4 / 1000, 1, 'kW')} on" in one["how"], link
            if one["kind"] == "energy_price":
                assert one["how"].startswith(f"{Figure(wh / 1000, 2, 'kWh')} were charged from 8:00"), link


async def test_hours_of_the_forecast_lead_to_the_sessions_of_the_past(harbour: House) -> None:
    async with signed_in(harbour, "ona@example.org", Role.OWNER) as (_, owner):
        page = await owner.get(f"{FORECAST}?site={SITE}")
        assert unopened(page, FORECAST) == []
        shown = figures(page)
        seen, done = await counted(harbour), 0
        for one, link in [each for each in behind(shown) if not each[0].is_nothing][::5]:
            query = asked(link)
            its = await listed(owner, link)
            assert its.ids == meant(query, seen) and its.said == len(its.ids), link
            weeks = (date.fromisoformat(query["until"]) - date.fromisoformat(query["since"])).days // 7
            assert weeks == (11 if one.head == "Expected" else 0) and query["site"] == SITE
            if one.head == "Last week":
                parts = [part for name in its.ids for part in seen[name].share.parts]
                wh = sum(part.energy_wh for part in parts for low, high in windows(query) if low <= part.at < high)
                assert Decimal(one.text.split()[0]) == round(Decimal(wh) / 1000, 2), link
                done += bool(wh)
        assert done > 2


async def test_the_energy_that_a_finding_is_of_is_that_of_the_sessions(harbour: House) -> None:
    async with signed_in(harbour, "clara@example.org", Role.BILLING) as (_, clara):
        await clara.post(f"{TERMS}?site={SITE}", data=FORM)
    (dear,) = [
        one for one in (await harbour.api.get(f"{API}/findings")).json()["items"] if one["kind"] == "energy_price"
    ]
    mornings = [wh for at, wh in TOLD if at.month == 5 and at.hour == 8]
    whole = sum(mornings)  # each is charged from 8 to 11, all of it at 30 cents instead of 18
    assert dear["saved_minor"] == int(whole * 12 / 1000)


async def test_without_bills_no_amount_is_told_and_without_sessions_nothing(harbour: House) -> None:
    async with signed_in(harbour, "clara@example.org", Role.BILLING) as (_, clara):
        await clara.post(f"{TERMS}?site={SITE}", data=FORM)
    some = await harbour.with_scopes(Scope.SESSIONS_READ)
    found = (await some.get(f"{API}/findings")).json()["items"]
    assert found and all(one["saved_minor"] is None and "€" not in one["title"] + one["how"] for one in found)
    none = await harbour.with_scopes(Scope.BILLS_READ)
    for path in ("findings", "forecast"):
        assert (await none.get(f"{API}/{path}")).status_code == 403
    async with (
        signed_in(harbour, "dora@example.org") as (_, driver),
        signed_in(harbour, "hans@example.org", Role.SITE_HOST, sites=("Elsewhere",)) as (_, host),
    ):
        assert (await harbour.api.get(f"{API}/forecast")).json()["hours"], "what is kept for the next who asks"
        assert (await host.get(f"{API}/findings")).json()["items"] == []
        assert (await host.get(f"{API}/forecast", params={"site": SITE})).status_code == 404
        assert (await host.get(f"{API}/forecast")).json()["why_not"] == "nothing"
        for path in ("findings", "forecast"):
            assert (await driver.get(f"{API}/{path}")).status_code == 403
        assert (await harbour.api.get(f"{API}/forecast")).json()["hours"]
        assert (await host.get(TERMS)).status_code == 403


async def test_the_picture_can_be_taken_away_as_csv_and_as_svg(harbour: House) -> None:
    async with signed_in(harbour, "ona@example.org", Role.OWNER) as (_, owner):
        page = await owner.get(f"{FORECAST}?site={SITE}")
        assert "Next week: about" in page.text and page.text.count("<tr>") >= 168
        sheet = await owner.get(f"{FORECAST}/week.csv?site={SITE}")
        picture = await owner.get(f"{FORECAST}/week.svg?site={SITE}")
        assert (await owner.get(f"{FORECAST}/week.pdf?site={SITE}")).status_code == 404
        assert (await owner.get(f"{FORECAST}?site=Nowhere")).status_code == 404
    rows = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    told = (await harbour.api.get(f"{API}/forecast", params={"site": SITE})).json()["hours"]
    assert [round(float(row["expected_kwh"]) * 1000) for row in rows] == [round(one["expected_wh"]) for one in told]
    root = ElementTree.fromstring(picture.text)
    assert root.tag.endswith("svg") and "Next week: about" in (root.findtext("{http://www.w3.org/2000/svg}title") or "")
    assert f"{SITE}, from Wednesday 3 Jun 09:00" in picture.text and "href" not in picture.text
    assert picture.headers["content-type"].startswith("image/svg+xml")


async def test_terms_are_entered_on_a_page_and_listed_with_who_and_when(harbour: House) -> None:
    async with (
        signed_in(harbour, "clara@example.org", Role.BILLING) as (_, clara),
        signed_in(harbour, "aud@example.org", Role.AUDITOR) as (_, auditor),
        signed_in(harbour, "sam@example.org", Role.SUPPORT) as (_, support),
    ):
        assert (await clara.post(f"{TERMS}?site={SITE}", data=FORM)).headers["location"].endswith("did=entered")
        for wrong, why in (
            ({"peak": "x"}, "must be a number"),
            ({"from3": "20:00"}, "a beginning, an end and a price"),
            ({"from3": "23:00", "to3": "23:30", "at3": "1"}, "overlap"),
            ({"from3": "20:10", "to3": "20:30", "at3": "1"}, "quarter hour"),
            ({"from3": "hot", "to3": "20:30", "at3": "1"}, "such as 22:00"),
            ({"peak": "10000.01"}, "from €0.00 to €10,000.00"),
            ({"limit": "0"}, "bears more than nothing"),
            ({"carbon": "1 2"}, "by one figure, or by 24"),
            ({"since": "soon"}, "such as 2026-01-01"),
        ):
            answer = await clara.post(f"{TERMS}?site={SITE}", data=FORM | wrong)
            assert answer.status_code == 422 and why in answer.text, wrong
            assert all(f'value="{typed}"' in answer.text for typed in wrong.values() if typed not in ("hot", "soon"))
            (field,) = re.findall(r'aria-describedby="why-(\w+)"', answer.text)
            assert field in (*wrong, "windows", "to3"), (field, wrong)
            assert why in answer.text.split(f'id="why-{field}">')[1].split("<")[0]
        assert (await clara.post(f"{TERMS}?site=Nowhere", data=FORM)).status_code == 404
        bad = await clara.post(f"{TERMS}/carbon?site={SITE}", data={"hours": "at,g\n1,2"})
        assert bad.status_code == 422 and "at,g\n1,2" in bad.text
        hours = {"hours": "at,g_per_kwh\r\n2026-05-04T08:00Z,200\r\n"}
        assert (await clara.post(f"{TERMS}/carbon?site={SITE}", data=hours)).status_code == 303
        page = (await auditor.get(f"{TERMS}?site={SITE}")).text
        assert "€10.00" in page and "€0.245" in page and "22:00–06:00: €0.18" in page and "50.0 kW" in page
        assert "for 1 hour by file" in page and 'method="post" action="/insight/terms' not in page
        for one in (auditor, support):
            assert (await one.post(f"{TERMS}?site={SITE}", data=FORM)).status_code == 403
            assert (await one.post(f"{TERMS}/carbon?site={SITE}", data=hours)).status_code == 403


async def test_carbon_is_told_by_month_where_somebody_told_what_the_grid_carries(harbour: House) -> None:
    span = "from=2026-04-01&to=2026-05-31"
    async with signed_in(harbour, "clara@example.org", Role.BILLING) as (_, clara):
        assert "CO₂" not in (await clara.get(f"/insight?{span}")).text
        assert (await clara.post(f"{TERMS}?site={SITE}", data=FORM)).status_code == 303
        page = (await clara.get(f"/insight?{span}")).text
        assert "CO₂" not in (await clara.get(f"/insight?{span}&station=CP1")).text
    by_month = {month: sum((wh for at, wh in TOLD if at.month == month), Decimal(0)) for month in (4, 5)}
    whole = Figure((by_month[4] + by_month[5]) * 350 / 1_000_000, 1, "kg")
    assert f"{whole} of CO₂, 350 g for a kWh" in page
    for wh in by_month.values():
        assert Figure(wh * Decimal(350) / 1_000_000, 1, "kg") in page
