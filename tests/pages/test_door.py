"""The door: in, out, and not in by force."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import expect

from tests.pages.site import PASSWORD, Site
from wattkeeper.web.operator.door import within


async def test_without_script_one_signs_in_and_finds_a_session(site: Site) -> None:
    key = await site.admit("CP1", label="Garage")
    async with site.station("CP1", key) as station:
        await station.begin()
        await station.end(30, 5000)
    async with site.person(java_script_enabled=False) as person:
        page = person.page
        await page.goto("/sessions?q=garage")
        await expect(page).to_have_url(f"{site.doors.http}/login?next=/sessions%3Fq%3Dgarage")
        await page.get_by_label("Name").fill("operator")
        await page.get_by_label("Password").fill("a wrong one altogether")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong.")
        await expect(page.get_by_label("Name")).to_have_value("operator")
        await expect(page.get_by_label("Password")).to_have_value("")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page).to_have_url(f"{site.doors.http}/sessions?q=garage")
        spoken = await page.locator("#sessions .id").inner_text()
        await page.get_by_label("Find by anything").fill(f"session {spoken.replace('-', ' ').lower()}")
        await page.get_by_role("button", name="Find").click()
        await expect(page.locator("h1")).to_contain_text(spoken)
        await expect(page.locator("#steps")).to_contain_text("The session ended.")


async def test_whoever_signs_out_sees_nothing_more_in_any_window(site: Site) -> None:
    async with site.operator() as person:
        await person.is_live()
        other = await person.context.new_page()
        await other.goto("/cards")
        await other.get_by_role("button", name="Sign out").click()
        await other.wait_for_url("**/login")
        await person.page.wait_for_url("**/login")
        await person.page.goto("/sessions")
        assert person.page.url.endswith("/login?next=/sessions")


async def test_a_removed_account_is_shown_the_door(site: Site) -> None:
    async with site.operator() as person:
        await person.is_live()
        await site.rooms.access.remove_account("operator")
        await person.page.wait_for_url("**/login")


FORMS = (
    *("/login", "/logout", "/stations/admit", "/stations/dismiss", "/stations/rekey", "/stations/remove"),
    *("/stations/meter-key", "/stations/meter-key/end", "/stations/signatures"),
    *("/stations/order", "/cards/import", "/cards/state", "/sessions/K7QM4XRD2/stop", "/sessions/K7QM4XRD2/close"),
)
FOREIGN: tuple[dict[str, str], ...] = (
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://sub.wattkeeper.test"},
)


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_form_of_another_site_changes_nothing(site: Site, headers: dict[str, str]) -> None:
    cookie = await site.rooms.access.sign_in("operator", PASSWORD, "127.0.0.1")
    async with httpx.AsyncClient(base_url=site.doors.http, cookies={"wattkeeper": cookie}) as client:
        for form in FORMS:
            answer = await client.post(form, data={"station": "CP9"}, headers=headers)
            assert answer.status_code == 403, form
            assert "another site" in answer.text
        assert (await client.get("/sessions")).status_code == 200, "the sign-in was ended"
        admitted = await client.post("/stations/admit", data={"station": "CP9"}, headers={"Origin": site.doors.http})
        assert admitted.status_code == 200


async def test_nothing_is_shown_to_who_is_not_signed_in(site: Site) -> None:
    key = await site.admit("CP1")
    async with site.station("CP1", key) as station:
        await station.begin()
    async with httpx.AsyncClient(base_url=site.doors.http) as client:
        for place in ("/", "/sessions", "/sessions/K7QM4XRD2", "/stations", "/stations/CP1", "/cards"):
            answer = await client.get(place)
            assert (answer.status_code, answer.text) == (303, ""), place
        for place in ("/live/now", "/live/alerts", "/live/sessions", "/live/stations/CP1", "/live/cards"):
            answer = await client.get(place)
            assert answer.text == "event: bye\ndata: \n\n", place
        assert (await client.get("/nowhere")).status_code == 404


@pytest.mark.parametrize("wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/\nx"])
def test_the_door_leads_to_no_other_site(wanted: str) -> None:
    assert within(wanted) == "/"
    assert within("/sessions?q=a") == "/sessions?q=a"
