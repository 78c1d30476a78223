"""Me: passkeys, who has access, notices, and the question "is this you?" on top of every page."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.async_api import expect
from sqlalchemy import select, update

from tests.doors import PATIENCE_S
from tests.pages.driver.test_plain import rows, said, send
from tests.pages.driver.town import MAIL, Town
from tests.pages.site import PASSWORD
from tests.stories.test_evening import authenticator
from wattkeeper.charging.person import Scope
from wattkeeper.store.people import oauth, step_up
from wattkeeper.store.people.oauth import ClientRow, TokenUse
from wattkeeper.store.tables import app_grant, app_token, card, login
from wattkeeper.store.tables import step_up as questions

expect.set_options(timeout=PATIENCE_S * 1000)


async def asked(town: Town, me: str, label: str = "Blue <b>fob</b>") -> str:
    """Somebody's card, about which a question waits; its id."""
    viewer, ref = await town.viewer(me), await town.fob(me, label)
    async with town.rooms.store.unit() as unit:
        return step_up.keep(unit, viewer.person, ref, "CP2", unit.now + timedelta(minutes=2))


async def test_a_question_stands_on_every_page_until_it_is_answered(town: Town) -> None:
    me, other = await town.sign_up(), await town.sign_up("mallory@example.org")
    question = await asked(town, me)
    async with town.plain(me) as mine, town.plain(other) as theirs:
        for path in ("/app/", "/app/sessions", "/app/cards", "/app/me", "/app/nowhere"):
            page = (await mine.get(path)).text
            assert "Is this you?" in page, path
            assert "Blue &lt;b&gt;fob&lt;/b&gt;" in page
            assert "Volksgarten" in page
            assert "Is this you?" not in (await theirs.get(path)).text
        assert (await theirs.post(f"/app/questions/{question}", data={"answer": "yes"})).status_code == 404
        assert (await mine.post(f"/app/questions/{question}", data={"answer": "maybe"})).status_code == 422
        assert said(await send(mine, f"/app/questions/{question}", answer="yes")).startswith("Thank you")
        assert "Is this you?" not in (await mine.get("/app/")).text
        late = await send(mine, f"/app/questions/{question}", answer="no")
        assert late.status_code == 409
        assert "too late" in late.text
    assert [row.state for row in await rows(town, card)] == ["active"]


async def test_no_blocks_the_card_by_one_tap(town: Town) -> None:
    me = await town.sign_up()
    await asked(town, me)
    async with town.driver(me) as person:
        await person.page.goto("/app/sessions")
        await expect(person.page.locator(".ask [data-until]")).to_have_text(re.compile(r"^[12]:\d\d$"))
        await person.page.get_by_role("button", name="No, block it").click()
        await expect(person.page.locator("main .word")).to_contain_text("The card is blocked")
        await expect(person.page.locator(".rows > li")).to_contain_text("Blocked")
        assert await person.page.locator(".ask").count() == 0


async def test_a_question_comes_to_a_page_that_is_open_and_goes_when_it_is_answered(town: Town) -> None:
    me = await town.sign_up()
    async with town.driver(me) as person:
        await person.page.goto("/app/cards?did=answered-yes")
        await asked(town, me)
        await person.page.get_by_role("button", name="Yes, it’s me").click()
        await expect(person.page.locator(".ask")).to_have_count(0)
        await expect(person.page.locator(".rows > li")).to_contain_text("Active")
    assert [row.answer for row in await rows(town, questions)] == ["yes"]


async def test_a_notice_is_seen_and_put_away(town: Town) -> None:
    me = await town.sign_up()
    viewer = await town.viewer(me)
    async with town.rooms.store.unit() as unit:
        words = {"title": "Your <i>card</i>", "text": "was used far away."}
        await town.rooms.notices.tell(unit, viewer.person, "example", words)
    async with town.plain(me) as client:
        page = await client.get("/app/me")
        assert "Your &lt;i&gt;card&lt;/i&gt;" in page.text
        assert 'class="news"' in (await client.get("/app/")).text
        await send(client, "/app/me/notices")
        assert 'class="news"' not in (await client.get("/app/")).text


async def test_an_app_that_has_access_loses_it_by_one_tap(town: Town) -> None:
    me = await town.sign_up()
    async with town.rooms.store.unit() as unit:
        client = ClientRow("volt", "Volt <App>", ("https://volt.example/back",), None, unit.now, "test")
        await oauth.keep_client(unit, client.id, client.name, client.redirects, None, "test")
        scopes = f"{Scope.CHARGING_START} {Scope.SESSIONS_READ}"
        grant = {"id": "g1", "client_id": "volt", "account_id": me, "scopes": scopes}
        await unit.connection.execute(app_grant.insert().values(**grant, created_at=unit.now))
        token = {"token_hash": b"x" * 32, "grant_id": "g1", "kind": TokenUse.REFRESH, "created_at": unit.now}
        await unit.connection.execute(app_token.insert().values(**token, expires_at=unit.now + timedelta(days=1)))
    async with town.plain(me) as phone:
        page = await phone.get("/app/me/access")
        assert "Volt &lt;App&gt;" in page.text
        assert "Start and stop charging for you" in page.text
        for _ in range(2):
            assert said(await send(phone, "/app/me/access/g1/end")).startswith("Ended")
        assert "Nobody but you" in (await phone.get("/app/me/access")).text
    async with town.rooms.store.read() as connection:
        assert await connection.scalar(select(app_grant.c.ended_at)) is not None


async def test_a_passkey_is_made_used_asked_for_and_removed(town: Town) -> None:
    me = await town.sign_up()
    async with town.driver(me) as person:
        page = person.page
        await authenticator(page)
        await page.goto("/app/me/passkeys")
        await page.get_by_label("What shall we call it?").fill("My phone")
        await page.get_by_role("button", name="Make a passkey").click()
        await expect(page.locator(".codes > *")).to_have_count(10)
        await page.get_by_role("link", name="I have kept them").click()
        await expect(page.locator(".says")).to_contain_text("My phone")
        await page.goto("/app/me")
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_label("E-mail").fill(MAIL)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in with password").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
        await page.get_by_role("button", name="Use a passkey").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Charge")
        async with town.rooms.store.unit() as unit:
            await unit.connection.execute(update(login).values(proved_at=unit.now - timedelta(hours=1)))
        town.rooms.access.forget()
        await page.goto("/app/me/passkeys")
        await page.get_by_role("button", name="Remove My phone").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Show once more that it is you")
        await page.get_by_role("button", name="Use a passkey").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Passkeys")
        await page.get_by_role("button", name="Remove My phone").click()
        await expect(page.locator("main .word").first).to_contain_text("Removed")
        await expect(page.locator(".says")).to_have_count(0)


async def test_a_lost_way_in_is_found_again_by_a_letter(town: Town) -> None:
    await town.sign_up(password=None)
    async with town.phone() as person:
        page = person.page
        await page.goto("/app/sign-in")
        await page.get_by_role("link", name="I cannot get in").click()
        await page.get_by_label("E-mail").fill(MAIL)
        await page.get_by_role("button", name="Send me a link").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
        await page.goto(await town.letter(MAIL))
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("You are in")
        await page.get_by_role("link", name="Set a password").click()
        await page.get_by_label("New password").fill("short")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#password-fault")).to_be_visible()
        await page.get_by_label("New password").fill("three or four words do")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("main .word").first).to_contain_text("Your password is saved")


async def test_questions_of_others_are_nobodys_business(town: Town) -> None:
    me = await town.sign_up()
    await asked(town, me)
    async with town.plain() as stranger:
        for path in ("/app/sign-in", "/app/sign-up", "/app/nowhere", "/app/offline"):
            assert "Is this you?" not in (await stranger.get(path)).text
    assert len(await rows(town, questions)) == 1
