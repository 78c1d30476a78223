"""The app in the language that somebody chose, else in their browser's; and their letters too."""

from __future__ import annotations

import re

import httpx
from playwright.async_api import expect

from tests.doors import PATIENCE_S, until
from tests.pages.driver.test_plain import rows, send
from tests.pages.driver.test_shell import WAIT
from tests.pages.driver.town import MAIL, Town
from tests.pages.site import PASSWORD
from wattkeeper.store.tables import login
from wattkeeper.web.tongue import COOKIE

expect.set_options(timeout=PATIENCE_S * 1000)
CHOICE = re.compile(r'<form method="post" action="(/language[^"]*)"')
GERMAN = {"Accept-Language": "fr;q=0.9, de-AT;q=0.8, en;q=0.5"}
KEPT_PAGE = "caches.match('/app/offline').then((kept) => kept ? kept.text() : '')"


def spoken(answer: httpx.Response) -> set[str]:
    """The languages that an answer says it is in, in its head and on its page."""
    return {answer.headers["content-language"], *re.findall(r'<html lang="(\w+)"', answer.text)}


async def choose(client: httpx.AsyncClient, page: str, language: str) -> httpx.Response:
    """Choose a language by the form that stands on a page; where that leads."""
    found = CHOICE.search((await client.get(page)).text)
    assert found
    return await send(client, found[1], language=language)


async def letters(town: Town, to: str) -> list[str]:
    """The subjects of letters to somebody, the newest first."""
    return [one.subject for one in await town.rooms.people.mail.outbox() if one.to == to]


async def test_a_driver_chooses_german_and_is_written_to_in_it(town: Town) -> None:
    me = await town.sign_up()
    async with town.plain(me) as client:
        assert spoken(await client.get("/app/me")) == {"en"}
        page = await choose(client, "/app/me", "de")
        assert page.url.path == "/app/me"
        assert spoken(page) == {"de"}
        for german in ("Wie Sie sich anmelden", "Abmelden", "Ladevorgänge", "1 Gerät"):
            assert german in page.text, german
        for path in ("/app/", "/app/sessions", "/app/cards", "/app/nowhere"):
            assert spoken(await client.get(path)) == {"de"}, path
        await send(client, "/app/me/password", password="a very long pass phrase")
        await until(lambda: letters(town, MAIL), "a letter")
        assert await letters(town, MAIL) == ["Wattkeeper: Ihr Passwort wurde geändert"]
        assert spoken(await choose(client, "/app/me", "en")) == {"en"}
        assert "How you sign in" in (await client.get("/app/me")).text
    assert len(await rows(town, login)) >= 1


async def test_a_browser_that_asks_for_german_gets_it_before_anybody_signs_in(town: Town) -> None:
    async with town.plain() as client:
        client.headers.update(GERMAN)
        for path in ("/app/sign-in", "/app/sign-up", "/app/recover", "/app/offline", "/app/link/gone"):
            answer = await client.get(path)
            assert spoken(answer) == {"de"}, path
        wrong = await send(client, "/app/sign-in", email=MAIL, password=PASSWORD)
        assert "Feststelltaste" in wrong.text
        await send(client, "/app/sign-up", name="Dora", email=MAIL, password="")
        page = await send(client, await town.letter(MAIL))
        assert "Willkommen" in page.text
        await send(client, "/app/me/password", password="a very long pass phrase")

        async def written() -> bool:
            return len(await letters(town, MAIL)) == 2

        await until(written, "both letters")
        told = {f"Wattkeeper: {subject}" for subject in ("Ihr Passwort wurde geändert", "Registrierung abschließen")}
        assert set(await letters(town, MAIL)) == told


async def test_a_letter_names_the_way_back_in_as_the_door_does(town: Town) -> None:
    viewer = await town.viewer(await town.sign_up())
    for language, words in (("en", "I cannot get in"), ("de", "Ich kann mich nicht anmelden")):
        async with town.plain() as client:
            await town.rooms.people.accounts.speak(viewer, language)
            client.headers["Accept-Language"] = language
            assert f">{words}</a>" in (await client.get("/app/sign-in")).text
            await send(client, "/app/sign-up", name="Dora", email=MAIL, password="")

        async def named(words: str = words) -> bool:
            return any(words in one.text for one in await town.rooms.people.mail.outbox())

        await until(named, f"a letter that names it: {words}")


async def test_what_was_chosen_at_the_door_comes_before_what_the_browser_asks_for(town: Town) -> None:
    await town.sign_up()
    async with town.plain() as client:
        client.headers.update(GERMAN)
        page = await choose(client, "/app/sign-in?next=/app/cards", "en")
        assert (page.url.path, page.url.params["next"]) == ("/app/sign-in", "/app/cards")
        assert spoken(page) == {"en"}
        assert client.cookies[COOKIE] == "en"
        for wanted in ("//evil.example", "https://evil.example", "/\\evil.example"):
            answer = await client.post("/language", params={"next": wanted}, data={"language": "de"})
            assert answer.headers["location"] == "/", wanted
        assert (await client.post("/language", data={"language": "<b>"})).status_code == 303
        assert client.cookies[COOKIE] == "en"


async def test_german_figures_dates_and_money(town: Town) -> None:
    me = await town.sign_up()
    async with town.plugged("CP1"), town.plain(me) as client:
        client.cookies[COOKIE] = "de"
        found = re.search(r'href="(/app/at/[^"]+)"', (await client.get("/app/?q=hauptplatz")).text)
        assert found
        page = (await client.get(found[1])).text
        assert "0,45\N{NO-BREAK SPACE}€ <small>je kWh</small>" in page
        assert "6,00\N{NO-BREAK SPACE}€ je Stunde eingesteckt, ohne zu laden, in Schritten von 1 min" in page
        assert "20 kWh kosten 9,00\N{NO-BREAK SPACE}€." in page
        assert "März 2026" in (await client.get("/app/sessions?month=2026-03")).text


async def test_the_whole_page_changes_and_so_does_what_is_kept_for_no_network(town: Town) -> None:
    me = await town.sign_up()
    async with town.driver(me) as person:
        page = person.page
        await page.goto("/app/me")
        assert await page.evaluate(WAIT)
        assert "No network" in await page.evaluate(KEPT_PAGE)
        await page.get_by_role("button", name="Deutsch").click()
        await expect(page.get_by_role("navigation")).to_contain_text("Ladevorgänge")
        await expect(page).to_have_title("Profil · Wattkeeper")
        assert await page.evaluate("document.documentElement.lang") == "de"
        await expect(page.get_by_role("button", name="Deutsch")).to_have_attribute("aria-current", "true")

        async def kept() -> bool:
            return "Kein Netz" in await page.evaluate(KEPT_PAGE)

        await until(kept, "the page for no network in German")
        await person.context.set_offline(True)
        await page.goto("/app/cards")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Kein Netz")
        await person.context.set_offline(False)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Karten")
        person.complaints[:] = [one for one in person.complaints if "ERR_INTERNET_DISCONNECTED" not in one]
