"""G10: what was queued while somebody agreed asks again when it runs: taken back, nothing of theirs is used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.operations.people import PASSWORD, Clock
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Viewer
from wattkeeper.charging.privacy.consent import Consented, Door
from wattkeeper.operations.access import Access
from wattkeeper.operations.people.house import People, people_of
from wattkeeper.operations.privacy.breach.news import KIND, News
from wattkeeper.operations.privacy.consents import Consents
from wattkeeper.operations.safe import open_safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import mail

TEXT = "A new station opens at the Hauptplatz."


@dataclass
class World:
    """Anna, Bert and Cleo, of whom Anna and Bert agree to letters about what is new."""

    store: Store
    people: People
    consents: Consents
    news: News
    who: dict[str, Viewer]

    async def says(self, name: str, *, agrees: bool) -> None:
        """One of them agrees, or takes it back."""
        await self.consents.say(self.who[name], Consented.NEWS, "en", Door.PAGE, agrees=agrees)

    async def sent(self) -> set[str]:
        """Send what waits; who ever got a letter about what is new."""
        while await self.people.post.round():
            pass
        return {one.to for one in await self.people.mail.outbox() if one.kind == KIND}

    async def queued(self) -> int:
        """How many such letters are in the queue, sent or not."""
        async with self.store.read() as connection:
            return len((await connection.execute(select(mail.c.id).where(mail.c.kind == KIND))).all())


@pytest.fixture
async def world(database: str, tmp_path: Path) -> AsyncIterator[World]:
    """Letters are shown instead of sent."""
    store = Store(database, Clock())
    safe = await open_safe(store, tmp_path / "root.key")
    settings = Settings(outbox=True, staff_passkeys=False)
    access = Access(store, safe, settings)
    people = people_of(store, safe, settings, access)
    made = World(store, people, Consents(store), News(store, people.mail), {})
    for name in ("anna", "bert", "cleo"):
        await access.make_account(f"{name}@example.org", PASSWORD, Role.DRIVER)
        cookie = await access.sign_in(f"{name}@example.org", PASSWORD, "127.0.0.1")
        viewer = await access.viewer_by_cookie(cookie)
        assert viewer is not None
        made.who[name] = viewer
        if name != "cleo":
            await made.says(name, agrees=True)
    yield made
    await store.close()


async def test_g10_a_letter_that_waited_goes_to_nobody_who_took_it_back_meanwhile(world: World) -> None:
    assert await world.news.write("New here", TEXT) == 2
    assert await world.queued() == 2
    await world.says("anna", agrees=False)
    assert await world.sent() == {"bert@example.org"}, "queued while she agreed, and not sent"
    assert await world.queued() == 1, "and it does not lie about either"
    assert await world.news.write("New again", TEXT) == 1


async def test_g10_agreeing_again_brings_nothing_back_that_was_stopped(world: World) -> None:
    await world.news.write("New here", TEXT)
    await world.says("anna", agrees=False)
    await world.sent()
    await world.says("anna", agrees=True)
    assert await world.sent() == {"bert@example.org"}
    assert await world.news.write("New again", TEXT) == 2
    assert await world.sent() == {"anna@example.org", "bert@example.org"}


async def test_g10_letters_that_people_need_ask_for_no_consent(world: World) -> None:
    await world.people.accounts.recover("cleo@example.org", "127.0.0.1")
    while await world.people.post.round():
        pass
    assert {one.to for one in await world.people.mail.outbox()} == {"cleo@example.org"}


async def test_each_letter_says_how_to_end_it_and_says_something(world: World) -> None:
    await world.news.write("New here", TEXT)
    await world.sent()
    assert all("/app/privacy" in one.text for one in await world.people.mail.outbox())
    for subject, text in (("", TEXT), ("two\nlines", TEXT), ("x" * 200, TEXT), ("New", " "), ("New", "x" * 30_000)):
        with pytest.raises(Refusal) as refused:
            await world.news.write(subject, text)
        assert refused.value.code is Code.INVALID
