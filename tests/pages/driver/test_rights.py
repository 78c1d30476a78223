"""A driver's rights in a real browser: download, object, correct, be forgotten, and what is left is looked for."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from pathlib import Path

from playwright.async_api import expect

from tests.attacks.canaries import Hunt
from tests.doors import PATIENCE_S
from tests.pages.driver.test_plain import said, send
from tests.pages.driver.town import Town
from wattkeeper.charging.privacy.rights import Use
from wattkeeper.operations.privacy.erasure.certificate import checked
from wattkeeper.operations.privacy.restriction import is_excluded

expect.set_options(timeout=PATIENCE_S * 1000)
MAIL, NAME = "vera.kanarie@example.org", "Vera Kanarienvogel"
PLANTED = [MAIL, NAME, "Canary Lane 17", "a long canary password"]


async def test_everything_is_downloaded_and_then_forgotten_for_good(town: Town, tmp_path: Path) -> None:
    me = await town.sign_up(email=MAIL, name=NAME, password="a long canary password")
    person_id = (await town.viewer(me)).person
    hunt, database = Hunt(PLANTED), str(town.rooms.settings.database)
    async with town.driver(me) as person:
        page = person.page
        await page.goto("/app/privacy")
        await page.get_by_text("Something is wrong or missing").click()
        await page.get_by_label("Your address").fill("Canary Lane 17")
        await page.locator("form[action$=corrections]").nth(2).get_by_role("button").click()
        await expect(page.locator("main .word")).to_contain_text("Corrected.")
        switch = page.get_by_role("switch", name="Send me no news")
        await switch.click()
        await expect(switch).to_have_attribute("aria-checked", "true")
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="Download my data").click()
        file = tmp_path / "mine.zip"
        await (await downloading.value).save_as(file)
        told = b"".join(zipfile.ZipFile(file).read(name) for name in zipfile.ZipFile(file).namelist())
        assert all(word.encode() in told for word in (MAIL, NAME, "Canary Lane 17"))
        assert b"a long canary password" not in told
        file.unlink()
        await page.get_by_role("link", name="Delete my account").click()
        await expect(page.get_by_role("heading", name="What is destroyed")).to_be_visible()
        await page.get_by_label("Type “forget me”").fill("forget you")
        await page.get_by_role("button", name="Forget me for good").click()
        await expect(page.get_by_role("alert")).to_contain_text("Nothing was done")
        await page.get_by_label("Type “forget me”").fill("Forget  me")
        await page.get_by_role("button", name="Forget me for good").click()
        await expect(page.get_by_role("heading", name="We have forgotten you")).to_be_visible()
        statement = checked(await page.get_by_role("textbox", name="Your certificate").input_value())
        assert statement["subject"] == person_id
        await page.goto("/app/me")
        assert "/app/sign-in" in page.url
    await town.rooms.store.wipe(["person"])
    assert await hunt.in_database(database) == []
    assert hunt.in_files(Path(town.rooms.settings.root_key).parent) == []


async def test_it_all_works_without_script_and_asks_for_a_fresh_proof(town: Town) -> None:
    me = await town.sign_up()
    viewer = await town.viewer(me)
    async with town.plain(me) as client:
        assert said(await send(client, "/app/privacy/uses/profiling", may="no")).startswith("Noted.")
        async with town.rooms.store.read() as connection:
            assert await is_excluded(connection, viewer.person, Use.PROFILING)
        assert said(await send(client, "/app/privacy/uses/profiling", may="yes")).startswith("Taken back.")
        assert said(await send(client, "/app/privacy/requests", right="access", words="on paper")).startswith("Sent.")
        assert (await client.post("/app/privacy/uses/nothing", data={"may": "no"})).status_code == 422
        assert (await client.post("/app/privacy/corrections", data={"what": "role", "text": "x"})).status_code == 422
        await client.post("/language?next=/app/privacy", data={"language": "de"})
        assert "Vergesst mich für immer" in (await client.get("/app/privacy/forget")).text
        real = town.rooms.store.clock
        town.rooms.store.clock = lambda: real() + timedelta(minutes=6)
        for path, form in (("archive", {}), ("forget", {"sure": "vergesst mich"})):
            asked = await client.post(f"/app/privacy/{path}", data=form, follow_redirects=False)
            assert asked.headers["location"].startswith("/app/me/proof?next=/app/privacy/"), path
        town.rooms.store.clock = real
        done = await client.post("/app/privacy/forget", data={"sure": "vergesst mich"})
        assert "Wir haben Sie vergessen" in done.text
        assert (await client.get("/app/me", follow_redirects=False)).status_code == 303
