"""The keyboard alone is enough, for who works here and for who charges: seen at every stop, and nobody is caught."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.pages.driver.test_look import CAMERA
from tests.pages.driver.town import MAIL, Town
from tests.pages.everybody.keys import here, tab, to, walk
from tests.pages.site import PASSWORD, Site
from tests.pages.test_deeds import knock
from wattkeeper.charging.cards.token import TokenRef
from wattkeeper.commands.terminal import VIEWER


async def signs_in(page: Page, name: str) -> None:
    """From the door on; the first field waits for what is typed."""
    for text in (name, PASSWORD):
        await page.keyboard.type(text)
        await page.keyboard.press("Tab" if text == name else "Enter")


async def test_who_works_here_needs_no_mouse(site: Site) -> None:
    key = await site.admit("CP1", label="Garage")
    await site.rooms.cards.import_csv("number\n" + "\n".join(f"04A2B97F22{one:02}" for one in range(12)), VIEWER)
    await knock(site, "CP9")
    async with site.station("CP1", key) as station, site.person((1440, 480)) as person:
        page = person.page
        await station.begin()
        await station.read(10, 2000, 6200)
        await page.goto("/")
        await signs_in(page, "operator")
        await page.wait_for_url("/")
        await skips(page)
        await asks_for_the_keys(page)
        await puts_keys_to_rest(page)
        await admits(page)
        await stops(page)
        assert station.asked == ["RemoteStopTransaction"]
        await blocks(site, page)
        await page.keyboard.type("gm")
        await page.wait_for_url("/money")
        for path in ("/", "/sessions", "/stations/CP1", "/cards", "/money", "/money/bills", "/account"):
            await walk(page, path)
        await page.keyboard.type("gp")
        await page.wait_for_url("/tariffs")
        for path in ("/tariffs", "/tariffs/new", "/tariffs/assignments"):
            await walk(page, path)


async def skips(page: Page) -> None:
    """The first stop leads past the places."""
    assert (await to(page, "Skip to the page")).number == 0
    await page.keyboard.press("Enter")
    first = await tab(page)
    assert first is not None and first.number > 8
    assert await page.evaluate("document.activeElement.closest('main') !== null")


async def asks_for_the_keys(page: Page) -> None:
    """The list of keys comes by one key or its button, keeps the focus, and gives it back where it was."""
    dialog = page.get_by_role("dialog")
    for words, way, out in (("Stations", "?", "Escape"), ("? all keys", "Enter", "Enter")):
        before = await to(page, words)
        await page.keyboard.press(way)
        await expect(dialog).to_be_visible()
        for key in ("Tab", "j", "?", "/"):
            await page.keyboard.press(key)
        assert (await to(page, "Close")) is not None
        assert await dialog.evaluate("(one) => one.contains(document.activeElement)")
        await page.keyboard.press(out)
        await expect(dialog).to_be_hidden()
        assert await here(page) == before


async def puts_keys_to_rest(page: Page) -> None:
    """Who speaks to the computer has letters do nothing; the button brings them back, also after the page is left."""
    dialog = page.get_by_role("dialog")
    await page.keyboard.press("?")
    for shown in (False, True):
        await to(page, "Keys act at once")
        await page.keyboard.press("Space")
        await page.keyboard.press("Escape")
        await page.reload()
        await page.keyboard.press("?")
        await expect(dialog).to_be_visible(visible=shown)
        if not shown:
            await to(page, "? all keys")
            await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")


async def admits(page: Page) -> None:
    """Who knocks is let in."""
    await to(page, "Admit")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("CP9 may come in")
    await to(page, "I have typed it")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("CP9")


async def stops(page: Page) -> None:
    """A session is found in its table, opened, and stopped."""
    await page.keyboard.type("gs")
    await page.wait_for_url("/sessions")
    await page.keyboard.press("j")
    row = await here(page)
    assert row is not None and row.shows and row.clear
    await page.keyboard.press("Enter")
    await page.wait_for_url("/sessions/*")
    await page.keyboard.press("t")
    await expect(page.locator("#readings tr").first).to_be_visible()
    await to(page, "Stop charging")
    await page.keyboard.press("Enter")
    await expect(page.locator("#orders li")).to_contain_text("Stop")


async def blocks(site: Site, page: Page) -> None:
    """A card is blocked in its row, and made active again on its page."""
    await page.keyboard.type("gc")
    await page.wait_for_url("/cards")
    await page.keyboard.press("j")
    before = await to(page, "Block")
    ref = await page.locator("#cards a.open").first.get_attribute("href") or ""
    await site.rooms.cards.change(TokenRef(ref.removeprefix("/cards/")), {"max_sessions": 7}, VIEWER)
    await expect(page.locator("#cards td.number", has_text="7")).to_have_count(1)
    assert await here(page) == before
    await page.keyboard.press("Enter")
    await expect(page.locator("#cards tr.row", has_text="Blocked")).to_have_count(1)
    await page.goto("/cards?state=blocked")
    for key in ("ArrowDown", "j", "k"):
        await page.keyboard.press(key)
    await page.keyboard.press("Enter")
    await page.wait_for_url("/cards/p*")
    await to(page, "Make it active again")
    await page.keyboard.press("Space")
    await to(page, "Make this card active")
    await page.keyboard.press("Enter")
    await expect(page.locator("#about")).to_contain_text("Active")


async def test_who_charges_needs_no_finger(town: Town) -> None:
    me = await town.sign_up()
    await town.fob(me, "Blue")
    viewer = await town.viewer(me)
    async with town.plugged("CP1", behind=town.early), town.phone() as person:
        page = person.page
        code = (await town.rooms.places.find(viewer, "hauptplatz"))[0].outlets[0].code
        await person.context.add_init_script("window.wanted = [];" + CAMERA)
        await page.goto("/app/sign-in")
        await to(page, "E-mail")
        await signs_in(page, MAIL)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Charge")
        await scans(page)
        await charges(page, code)
        await blocks_theirs(page)
        for path in ("/app/", f"/app/at/{code}", "/app/cards", "/app/cards/add", "/app/me"):
            await walk(page, path)


async def scans(page: Page) -> None:
    """The camera opens and closes, and the focus is back where it was."""
    for out in ("Escape", "Enter"):
        before = await to(page, "Scan the station")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await to(page, "Close")
        await page.keyboard.press(out)
        await expect(page.get_by_role("dialog")).to_be_hidden()
        assert await here(page) == before


async def charges(page: Page, code: str) -> None:
    """By the code beside the plug: started, watched while it changes, and stopped."""
    await to(page, "Skip to the page")
    await page.keyboard.press("Enter")
    await to(page, "Code on the station")
    await page.keyboard.type(code)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Hauptplatz")
    await to(page, "Start charging")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Stop charging")).to_be_visible()
    for words in ("Session id", "Stop charging"):
        before = await to(page, words)
        told = await page.locator(".ring .number").inner_text()
        await expect(page.locator(".ring .number")).not_to_have_text(told)
        assert await here(page) == before
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="See the receipt")).to_be_visible()
    await to(page, "See the receipt")
    await page.keyboard.press("Enter")
    await page.wait_for_url("/app/sessions/*")


async def blocks_theirs(page: Page) -> None:
    """A card is blocked by who holds it."""
    await to(page, "Cards")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cards")
    await to(page, "Block, lost, rename")
    await page.keyboard.press("Space")
    await to(page, "Block it")
    await page.keyboard.press("Enter")
    await expect(page.locator("main .word")).to_contain_text("Blocked")
