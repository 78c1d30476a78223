"""Passkeys in a real browser with its virtual authenticator: made, signed in with, asked for again, and lost."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, CDPSession
from sqlalchemy import update

from tests.doors import free_port, settings_for
from tests.pages.site import NARROW, Person, Site
from wattkeeper.assembly import open_doors, open_rooms
from wattkeeper.store.tables import login

ANNA = "anna@example.org"


@dataclass(slots=True)
class Phone:
    """Somebody's phone: a browser, and an authenticator that knows its owner."""

    person: Person
    wire: CDPSession
    authenticator: str

    @classmethod
    async def of(cls, person: Person) -> Phone:
        """A phone whose owner has just unlocked it."""
        wire = await person.context.new_cdp_session(person.page)
        await wire.send("WebAuthn.enable")
        kind: dict[str, Any] = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
        kind |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
        made = await wire.send("WebAuthn.addVirtualAuthenticator", {"options": kind})
        return cls(person, wire, made["authenticatorId"])

    async def keys(self) -> list[dict[str, Any]]:
        """The passkeys on it."""
        found = await self.wire.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})
        return list(found["credentials"])

    async def knows_its_owner(self, knows: bool) -> None:
        """Whether the next finger on it is the owner's."""
        told = {"authenticatorId": self.authenticator, "isUserVerified": knows}
        await self.wire.send("WebAuthn.setUserVerified", told)

    async def lose(self) -> None:
        """Its passkeys are gone."""
        await self.wire.send("WebAuthn.clearCredentials", {"authenticatorId": self.authenticator})

    async def press(self, name: str) -> None:
        """Press a button."""
        await self.person.page.get_by_role("button", name=name, exact=True).first.click()


@pytest_asyncio.fixture(loop_scope="session")
async def site(database: str, tmp_path: Path, browser: Browser, bundled: None) -> AsyncIterator[Site]:
    """An installation at an address with a name, as passkeys need it, whose letters are shown."""
    port = free_port()
    settings = settings_for(database, tmp_path, http_port=port, public_url=f"http://localhost:{port}", outbox=True)
    async with open_rooms(settings) as rooms, open_doors(rooms) as doors:
        yield Site(rooms, doors, browser)


async def open_letter(site: Site, phone: Phone, button: str, subject: str) -> None:
    """Open the link of the newest letter of this subject, and press the button there."""
    people = site.rooms.people
    while await people.post.round():
        pass
    letters = [one for one in await people.mail.outbox() if subject in one.subject]
    found = re.search(r"http\S+", letters[0].text)
    assert found
    await phone.person.page.goto(found.group())
    await phone.press(button)


async def sign_up(site: Site, phone: Phone) -> list[str]:
    """Come for the first time and make a passkey; the recovery codes."""
    page = phone.person.page
    await page.goto("/app/sign-up")
    await page.get_by_label("Your name").fill("Anna")
    await page.get_by_label("E-mail").fill(ANNA)
    await phone.press("Go on")
    await phone.person.sees("a letter is on its way")
    await open_letter(site, phone, "Yes, go on", "Finish signing up")
    await phone.press("Make a passkey")
    await phone.person.sees("recovery codes")
    codes = re.findall(r"\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b", await page.inner_text("body"))
    await page.get_by_role("link", name="I have kept them").click()
    await page.wait_for_url("**/app/")
    return codes


async def sign_out(phone: Phone) -> None:
    """Sign out, wherever one is."""
    await phone.person.context.clear_cookies()
    await phone.person.page.goto("/app/sign-in")


async def test_a_passkey_is_made_and_opens_again(site: Site) -> None:
    async with site.person(NARROW) as person:
        phone = await Phone.of(person)
        codes = await sign_up(site, phone)
        assert len(codes) == 10
        (key,) = await phone.keys()
        assert (key["isResidentCredential"], key["rpId"]) == (True, "localhost")
        await sign_out(phone)
        # The browser offers the passkey in the field of the name; the virtual finger is on it already.
        await person.page.wait_for_url("**/app/")
        assert (await phone.keys())[0]["signCount"] == 2


async def test_a_button_signs_in_and_a_stranger_s_finger_does_not(site: Site) -> None:
    async with site.person(NARROW) as person:
        phone = await Phone.of(person)
        await sign_up(site, phone)
        await phone.knows_its_owner(False)
        await sign_out(phone)
        await phone.press("Use a passkey")
        await person.page.get_by_role("alert").filter(has_text="cancelled").wait_for()
        await phone.knows_its_owner(True)
        await phone.press("Use a passkey")
        await person.page.wait_for_url("**/app/")


async def test_what_matters_asks_again_who_it_is(site: Site) -> None:
    async with site.person(NARROW) as person:
        phone = await Phone.of(person)
        await sign_up(site, phone)
        (cookie,) = [one for one in await person.context.cookies() if one.get("name") == "wattkeeper"]
        await age(site)
        await person.page.goto("/app/me/proof?next=/app/me/passkeys")
        await phone.press("Use a passkey")
        await person.page.wait_for_url(f"{site.doors.http}/app/me/passkeys")
        (fresh,) = [one for one in await person.context.cookies() if one.get("name") == "wattkeeper"]
        assert fresh.get("value") != cookie.get("value")
        await phone.press("Remove Passkey")
        await person.sees("No passkey yet")


async def test_a_lost_phone_is_made_up_for_by_mail_and_a_recovery_code(site: Site) -> None:
    async with site.person(NARROW) as person:
        phone = await Phone.of(person)
        codes = await sign_up(site, phone)
        await phone.lose()
        await sign_out(phone)
        page = person.page
        await page.goto("/app/recover")
        await page.get_by_label("E-mail").fill(ANNA)
        await phone.press("Send me a link")
        await person.sees("a letter is on its way")
        await open_letter(site, phone, "Sign in", "Sign in again")
        await page.get_by_text("I have neither with me").click()
        await page.get_by_label("One of your recovery codes").fill(codes[4])
        await phone.press("Use the recovery code")
        await phone.press("Make a passkey")
        await page.wait_for_url("**/app/")
        assert len(await phone.keys()) == 1


async def age(site: Site) -> None:
    """Let every proof grow old."""
    async with site.rooms.store.unit() as unit:
        await unit.connection.execute(update(login).values(proved_at=unit.now - timedelta(minutes=6)))
    site.rooms.access.forget()
