"""Privacy on the driver's page: agree and take it back by one tap, with and without script; read what was agreed to."""

from __future__ import annotations

from playwright.async_api import expect

from tests.doors import PATIENCE_S
from tests.pages.driver.test_plain import said, send
from tests.pages.driver.town import Town
from wattkeeper.charging.privacy.consent import TEXTS, Consented
from wattkeeper.operations.privacy.consents import agreed

expect.set_options(timeout=PATIENCE_S * 1000)
ASKS = "Count my sessions in anonymous statistics"


async def agrees(town: Town, me: str) -> bool:
    """What a job is told that asks now."""
    viewer = await town.viewer(me)
    async with town.rooms.store.unit() as unit:
        return await agreed(unit, viewer.person, Consented.INSIGHT)


async def test_a_switch_agrees_and_takes_back_by_one_tap(town: Town) -> None:
    me = await town.sign_up()
    async with town.driver(me) as person:
        page = person.page
        await page.goto("/app/me")
        await page.get_by_role("link", name="What you agree to").click()
        switch = page.get_by_role("switch", name=ASKS)
        await expect(switch).to_have_attribute("aria-checked", "false")
        await switch.click()
        await expect(page.locator("main .word")).to_contain_text("You agreed.")
        await expect(switch).to_have_attribute("aria-checked", "true")
        assert await agrees(town, me)
        await switch.focus()
        await page.keyboard.press("Space")
        await expect(page.locator("main .word")).to_contain_text("Taken back.")
        assert not await agrees(town, me)
        await page.get_by_text("All that you said, and the text before you").click()
        history = page.locator("details li")
        await expect(history).to_have_count(2)
        await expect(history.first).to_contain_text("You took it back")
        await expect(history.last).to_contain_text(TEXTS[Consented.INSIGHT].words)


async def test_it_all_works_without_script_and_in_german(town: Town) -> None:
    me = await town.sign_up()
    async with town.plain(me) as client:
        assert said(await send(client, "/app/privacy/consents/insight", agree="yes")).startswith("You agreed.")
        await send(client, "/app/privacy/consents/insight", agree="yes")
        await client.post("/language?next=/app/privacy", data={"language": "de"})
        assert "Meine Ladevorgänge" in (await client.get("/app/privacy")).text
        assert "Widerrufen." in (await send(client, "/app/privacy/consents/insight", agree="no")).text
        page = (await client.get("/app/privacy")).text
        assert page.count("SHA-256") == 2
        assert 'lang="en"' in page, "what was read in English is shown in English"
        assert (await client.post("/app/privacy/consents/insight", data={"agree": "maybe"})).status_code == 422
        assert (await client.post("/app/privacy/consents/everything", data={"agree": "yes"})).status_code == 404
    async with town.plain() as stranger:
        assert (await stranger.get("/app/privacy")).headers["location"].startswith("/app/sign-in")
