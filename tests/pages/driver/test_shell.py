"""The app as phones install it, what its service worker keeps, and what it shows without a network."""

from __future__ import annotations

import struct

import pytest
from playwright.async_api import expect

from tests.pages.driver.town import Town
from tests.pages.site import Person
from wattkeeper.web import bundle
from wattkeeper.web.driver import shell

PERSONAL = ("/app/", "/app/sessions", "/app/cards", "/app/me", "/app/me/known", "/app/sign-in")
WAIT = "navigator.serviceWorker.ready.then(() => true)"
KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys()) {
    const kept = await caches.open(name);
    for (const request of await kept.keys()) found.push(new URL(request.url).pathname);
  }
  return found.sort();
}"""


async def installed(person: Person, town: Town) -> None:
    """The service worker runs."""
    await person.page.goto("/app/")
    assert await person.page.evaluate(WAIT)


async def test_the_manifest_is_one_that_phones_install(town: Town) -> None:
    async with town.plain() as client:
        answer = await client.get("/app/manifest.webmanifest")
        assert answer.headers["content-type"] == "application/manifest+json"
        told = answer.json()
        where = {key: told[key] for key in ("name", "start_url", "scope", "display")}
        assert where == {"name": "Wattkeeper", "start_url": "/app/", "scope": "/app/", "display": "standalone"}
        assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}
        for icon in told["icons"]:
            picture = (await client.get(icon["src"])).content
            assert picture[:8] == b"\x89PNG\r\n\x1a\n"
            wide, high = struct.unpack(">II", picture[16:24])
            assert f"{wide}x{high}" == icon["sizes"]
        page = (await client.get("/app/sign-in")).text
    assert '<link rel="manifest" href="/app/manifest.webmanifest" crossorigin="use-credentials">' in page
    assert "apple-touch-icon" in page


async def test_what_the_worker_keeps_is_there_for_anybody_and_about_nobody(town: Town) -> None:
    me = await town.sign_up()
    async with town.plain(me) as mine, town.plain() as anybodys:
        for path in shell.shell():
            one, other = await mine.get(path), await anybodys.get(path)
            assert one.status_code == other.status_code == 200, path
            assert one.content == other.content, path
            assert "set-cookie" not in one.headers
        worker = await anybodys.get("/app/worker.js")
        assert worker.headers["content-type"].startswith("text/javascript")
        assert worker.headers["cache-control"] == "no-cache"


async def test_the_worker_changes_with_what_it_keeps(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async with town.plain() as client:
        before = (await client.get("/app/worker.js")).text
        assert (await client.get("/app/worker.js")).text == before
        monkeypatch.setitem(bundle._names(), "driver/driver.js", "driver-ANOTHER1.js")
        assert (await client.get("/app/worker.js")).text != before


async def test_no_page_of_anybody_is_ever_kept(town: Town) -> None:
    me = await town.sign_up()
    async with town.driver(me) as person:
        await installed(person, town)
        for path in PERSONAL:
            await person.page.goto(path)
        await person.page.evaluate("fetch('/api/v1/account').then((answer) => answer.text())")
        kept = await person.page.evaluate(KEPT)
        assert kept == sorted(shell.shell())
        assert not [path for path in kept if path.startswith(("/app/", "/api/")) and path != "/app/offline"]


async def test_without_a_network_a_page_says_so_and_comes_back_by_itself(town: Town) -> None:
    me = await town.sign_up()
    async with town.driver(me) as person:
        await installed(person, town)
        await person.page.goto("/app/sessions")
        await person.context.set_offline(True)
        await person.page.goto("/app/me")
        await expect(person.page.get_by_role("heading", level=1)).to_have_text("No network")
        assert "dora" not in (await person.page.content()).lower()
        await person.context.set_offline(False)
        await expect(person.page.get_by_role("heading", level=1)).to_have_text("Dora Driver")
        person.complaints[:] = [one for one in person.complaints if "ERR_INTERNET_DISCONNECTED" not in one]


async def test_an_older_shell_goes_when_the_new_one_is_there(town: Town) -> None:
    me = await town.sign_up()
    async with town.driver(me) as person:
        await person.page.goto("/app/offline")
        await person.page.evaluate("caches.open('wattkeeper-older').then((kept) => kept.add('/app/offline'))")
        await installed(person, town)
        await person.page.wait_for_function("caches.keys().then((names) => names.length === 1)")
        (name,) = await person.page.evaluate("caches.keys()")
        assert name != "wattkeeper-older"


async def test_a_page_that_loses_the_network_keeps_what_was_typed(town: Town) -> None:
    me = await town.sign_up()
    async with town.driver(me) as person:
        page = person.page
        await page.goto("/app/cards/add")
        await page.get_by_label("Station").fill("Hauptplatz")
        await page.get_by_label("What shall we call it?").fill("Blue fob")
        await person.context.set_offline(True)
        await expect(page.locator("#net")).to_be_visible()
        button = page.get_by_role("button", name="I am at the station")
        await button.click()
        await expect(page.locator(".word.sent")).to_contain_text("What you typed is still here")
        await expect(page.get_by_label("What shall we call it?")).to_have_value("Blue fob")
        await expect(button).to_be_enabled()
        await person.context.set_offline(False)
        await expect(page.locator("#net")).to_be_hidden()
        person.complaints[:] = [one for one in person.complaints if "ERR_INTERNET_DISCONNECTED" not in one]
