"""How the app's pages weigh and fit: one thumb, small screens, keyboards and readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.pages.driver.test_hostile import running
from tests.pages.driver.town import Town
from tests.pages.site import Person
from wattkeeper.web import bundle

MOST = 150 * 1024
DOORS = ("/app/sign-in", "/app/sign-up", "/app/recover", "/app/link/gone", "/app/offline")
PLACES = (
    *(
        "/app/",
        "/app/sessions",
        "/app/consumption",
        "/app/cards",
        "/app/cards/add",
        "/app/me",
        "/app/me/known",
        "/app/me/access",
    ),
    *("/app/me/logins", "/app/me/passkeys", "/app/me/password", "/app/me/code-app", "/app/me/recovery-codes"),
    *("/app/me/proof", "/app/welcome", "/app/nowhere"),
)
SMALL = """() => [...document.querySelectorAll("a, button, input, select, summary, textarea")]
  .filter((one) => one.checkVisibility() && !one.closest(".unseen") && !one.classList.contains("unseen"))
  .filter((one) => !(one.tagName === "A" && getComputedStyle(one).display === "inline"))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, box]) => box.height < 44 || box.width < 44)
  .map(([one, box]) => `${one.outerHTML.slice(0, 80)} ${box.width}x${box.height}`)"""
UNNAMED = """() => [...document.querySelectorAll("input:not([type=hidden]), textarea, select")]
  .filter((one) => !one.labels?.length && !one.getAttribute("aria-label") && one.getAttribute("aria-hidden") !== "true")
  .map((one) => one.outerHTML)"""
BROKEN = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  const twice = ids.filter((one, at) => ids.indexOf(one) !== at);
  const named = ["aria-describedby", "aria-labelledby"]
    .flatMap((name) => [...document.querySelectorAll(`[${name}]`)].map((one) => one.getAttribute(name)))
    .flatMap((text) => text.split(" "))
    .filter((id) => id && !ids.includes(id));
  return [...twice, ...named];
}"""


async def fits(person: Person, path: str, language: str) -> None:
    """A page is no wider than the screen, has one heading, names for its fields, and room for thumbs."""
    page = person.page
    await page.goto(path)
    assert await person.sideways() <= 0, path
    assert await page.locator("h1").count() == 1, path
    assert await page.evaluate(UNNAMED) == [], path
    assert await page.evaluate(BROKEN) == [], path
    assert await page.evaluate(SMALL) == [], path
    assert await page.evaluate("document.documentElement.lang") == language


async def everything(town: Town) -> tuple[str, list[str]]:
    """A driver with a card, and the pages there are; CP1 is plugged and a session runs."""
    me = await town.sign_up()
    viewer = await town.viewer(me)
    await town.fob(me, "My very own blue key fob of the company")
    start = await running(town, me)
    wish = await town.rooms.enrolments.open(viewer, "CP1")
    code = (await town.rooms.places.find(viewer, "hauptplatz"))[0].outlets[0].code
    mine = [f"/app/at/{code}", "/app/stations/CP1", f"/app/charging/{start.session}", f"/app/sessions/{start.session}"]
    return me, [*mine, f"/app/cards/add/{wish.id}", *PLACES]


@pytest.mark.long
async def test_every_page_fits_the_screen_and_the_thumb(town: Town) -> None:
    async with town.plugged("CP1", behind=town.early):
        me, places = await everything(town)
        for width, language in ((360, "en"), (360, "de"), (430, "en"), (1280, "de")):
            async with town.driver(me, size=(width, 800), locale=language) as person:
                for path in places:
                    await fits(person, path, language)
                await person.page.goto("/app/cards")
                await person.page.locator("summary").first.click()
                assert await person.page.evaluate(SMALL) == []
            async with town.phone(size=(width, 800), locale=language) as person:
                for path in DOORS:
                    await fits(person, path, language)


async def test_no_page_is_heavier_than_150_kib_and_all_of_it_is_ours(town: Town) -> None:
    async with town.plugged("CP1", behind=town.early):
        me, places = await everything(town)
        async with town.driver(me) as person:
            for path in (*places, *DOORS):
                person.requests.clear()
                await person.page.goto(path)
                names = {Path(url).name for url in person.requests if url.endswith((".js", ".css"))}
                assert len(names) == 2, path
                assert sum((bundle.STATIC / name).stat().st_size for name in names) <= MOST
                assert all(url.startswith(town.doors.http) for url in person.requests), person.requests


async def test_the_ring_has_words_and_stands_still_for_who_wants_that(town: Town) -> None:
    me = await town.sign_up()
    moving = "document.getAnimations().filter((one) => one.animationName === 'halo').length"
    async with town.plugged("CP1", behind=town.early):
        start = await running(town, me)
        for wish, count in (("no-preference", 1), ("reduce", 0)):
            options: dict[str, Any] = {"reduced_motion": wish}
            async with town.driver(me, **options) as person:
                await person.page.goto(f"/app/charging/{start.session}")
                ring = person.page.locator(".ring.on svg")
                await expect(ring).to_be_visible()
                assert "kWh so far" in (await ring.get_attribute("aria-label") or "")
                assert await ring.get_attribute("role") == "img"
                assert await person.page.evaluate(moving) == count, wish


async def focus(page: Page) -> str:
    """What has the focus, by its words."""
    return str(await page.evaluate("(document.activeElement.textContent || document.activeElement.name).trim()"))


async def test_keys_alone_are_enough_and_come_in_the_order_one_reads(town: Town) -> None:
    me = await town.sign_up()
    async with town.driver(me) as person:
        page = person.page
        await page.goto("/app/")
        seen = []
        for _ in range(9):
            await page.keyboard.press("Tab")
            seen.append(await focus(page))
        assert seen[:6] == ["Skip to the page", "code", "Go", "Near me", "q", "Find"]
        assert "Hauptplatz" in seen[6]
        assert seen[8] == "Charge"
        await page.get_by_label("Code on the station").fill("QQQQ")
        await page.keyboard.press("Enter")
        await expect(page.locator("#code-fault")).to_be_visible()
        assert await page.evaluate("document.activeElement.id") == "code"


async def test_a_fault_is_heard_where_it_is_and_what_was_typed_stays(town: Town) -> None:
    async with town.phone() as person:
        page = person.page
        await page.goto("/app/sign-in")
        await page.get_by_label("E-mail").fill("nobody@example.org")
        await page.get_by_label("Password").fill("not this one")
        await page.get_by_role("button", name="Sign in with password").click()
        await expect(page.get_by_role("alert").filter(has_text="wrong")).to_be_visible()
        await expect(page.get_by_label("E-mail")).to_have_value("nobody@example.org")
        await expect(page.get_by_label("Password")).to_have_value("")
        assert await page.evaluate("document.activeElement.id") == "password"
        await expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
        await page.get_by_label("Password").fill("nor this one")
        async with page.expect_response("**/sign-in/passkey/options"):
            await page.keyboard.press("Enter")
        await page.evaluate("new Promise((done) => setTimeout(done, 300))")
        await expect(page.locator("[data-passkey-said]")).to_have_text("")


async def test_the_camera_and_the_place_are_for_the_app_alone(town: Town) -> None:
    async with town.plain() as client:
        app, other = await client.get("/app/sign-in"), await client.get("/login")
        assert "camera=(self), geolocation=(self)" in app.headers["permissions-policy"]
        assert "camera=(), geolocation=()" in other.headers["permissions-policy"]
        for answer in (app, other):
            assert "unsafe-inline" not in answer.headers["content-security-policy"]
            assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_near_me_asks_the_phone_and_puts_nothing_into_the_address(town: Town) -> None:
    me = await town.sign_up()
    place: dict[str, Any] = {"latitude": 48.2981, "longitude": 14.2921}
    async with town.driver(me, geolocation=place, permissions=["geolocation"]) as person:
        await person.page.goto("/app/")
        await person.page.get_by_role("button", name="Near me").click()
        await expect(person.page.locator("#stations-title")).to_have_text("Near you")
        await expect(person.page.locator(".rows > li").first).to_contain_text("Volksgarten")
        assert "48" not in person.page.url.removeprefix(town.doors.http)
        assert not [one for one in person.requests if "48.29" in one]


CAMERA = """
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect() { return [{ rawValue: window.wanted.shift() ?? "" }]; }
};
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").fillRect(0, 0, 9, 9);
  const stream = canvas.captureStream(10);
  setInterval(() => canvas.getContext("2d").fillRect(0, 0, 9, 9), 50);
  return stream;
};
"""


async def test_a_scanned_code_is_followed_only_where_it_is_ours(town: Town) -> None:
    me = await town.sign_up()
    viewer = await town.viewer(me)
    async with town.plugged("CP1"), town.driver(me) as person:
        code = (await town.rooms.places.find(viewer, "hauptplatz"))[0].outlets[0].code
        others = ["https://evil.example/app/at/AAAA", "javascript:alert(1)", f"{town.doors.http}/app/sign-out", "{}"]
        wanted = [*others, f"{town.doors.http}/app/at/{code}"]
        await person.context.add_init_script(f"window.wanted = {wanted!r};" + CAMERA)
        await person.page.goto("/app/")
        await person.page.get_by_role("button", name="Scan the station").click()
        await expect(person.page.locator(".scan [role=status]")).to_contain_text("not a code of ours")
        await person.page.wait_for_url(f"**/app/at/{code}")
        assert not [one for one in person.requests if "evil" in one or "sign-out" in one]
