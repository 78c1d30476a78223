"""Consent: given and withdrawn by one deed, kept with the text that was read, and asked after when a job runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from tests.operations.people import CHEAP, PASSWORD, Clock
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Role, Viewer
from wattkeeper.charging.privacy import consent as texts
from wattkeeper.charging.privacy.consent import TEXTS, Consented, Door
from wattkeeper.operations.access import Access
from wattkeeper.operations.people.sign_in.password import Passwords
from wattkeeper.operations.privacy.consents import Consents, agreed, agreed_among, digest, text_of
from wattkeeper.operations.safe import open_safe
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import consent, consent_text

INSIGHT = Consented.INSIGHT
READ = {
    (Consented.INSIGHT, 1): "d6869bd9",
    (Consented.NEWS, 1): "36fabd3c",
}
"""What each version says in English, by the first characters of its SHA-256: another text needs another version."""


@dataclass
class World:
    """A store, and accounts in it."""

    store: Store
    access: Access
    consents: Consents

    async def person(self, name: str, role: Role = Role.DRIVER) -> Viewer:
        """Somebody who is signed in."""
        await self.access.make_account(name, PASSWORD, role)
        found = await self.access.viewer_by_cookie(await self.access.sign_in(name, PASSWORD, "127.0.0.1"))
        assert found is not None
        return found

    async def agrees(self, person: str) -> bool:
        """What a job is told that asks now."""
        async with self.store.unit() as unit:
            one, among = await agreed(unit, person, INSIGHT), await agreed_among(unit, INSIGHT)
        assert one == (person in among), "asked one by one or all at once, the answer is the same"
        return one


@pytest.fixture
async def world(database: str, tmp_path: Path) -> AsyncIterator[World]:
    """Nobody has agreed to anything."""
    store = Store(database, Clock())
    safe = await open_safe(store, tmp_path / "root.key")
    access = Access(store, safe, Settings(staff_passkeys=False), Passwords(cost=CHEAP))
    yield World(store, access, Consents(store))
    await store.close()


async def test_agreeing_and_taking_back_take_effect_at_once_and_stay_in_the_ledger(world: World) -> None:
    anna, bert = await world.person("anna@example.org"), await world.person("bert@example.org")
    assert not await world.agrees(anna.person), "nobody agrees before they said so"
    await world.consents.say(anna, INSIGHT, "de", Door.PAGE, agrees=True)
    await world.consents.say(anna, INSIGHT, "de", Door.API, agrees=True)
    assert await world.agrees(anna.person) and not await world.agrees(bert.person)
    await world.consents.say(anna, INSIGHT, "en", Door.API, agrees=False)
    await world.consents.say(bert, INSIGHT, "en", Door.API, agrees=False)
    assert not await world.agrees(anna.person)
    await world.consents.say(anna, INSIGHT, "en", Door.PAGE, agrees=True)
    assert await world.agrees(anna.person)
    said = await world.consents.history(anna)
    assert [(one.is_given, one.door, one.text.language) for one in reversed(said)] == [
        (True, "page", "de"),
        (False, "api", "en"),
        (True, "page", "en"),
    ]
    assert "Statistiken" in said[-1].text.title
    assert all(one.text.hash == digest(one.text.title, one.text.words) for one in said)
    assert await world.consents.history(bert) == [], "who never agreed has nothing to take back"
    async with world.store.read() as connection:
        deeds = await deed.about(connection, anna.person, [DeedKind.CONSENT_GIVEN, DeedKind.CONSENT_WITHDRAWN])
    assert [one.n for one in deeds] == [one.n for one in said]
    assert [one.body["text"] for one in deeds] == [one.text.hash for one in said]
    assert all(one.by == anna.account for one in deeds)


async def test_what_was_said_and_read_stays_whoever_asks_the_database(world: World) -> None:
    anna = await world.person("anna@example.org")
    await world.consents.say(anna, INSIGHT, "en", Door.PAGE, agrees=True)
    changes = update(consent).values(is_given=False), delete(consent), delete(consent_text)
    for change in (*changes, update(consent_text).values(words="You agree to everything.")):
        with pytest.raises(DBAPIError, match="stays as it was written down"):
            async with world.store.unit() as unit:
                await unit.connection.execute(change)
    assert await world.agrees(anna.person)


async def test_a_text_that_says_more_asks_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = await world.person("anna@example.org")
    await world.consents.say(anna, INSIGHT, "en", Door.PAGE, agrees=True)
    clearer = replace(TEXTS[INSIGHT], version=2)
    monkeypatch.setitem(texts.TEXTS, INSIGHT, clearer)
    assert await world.agrees(anna.person), "the same, said in other words"
    monkeypatch.setitem(texts.TEXTS, INSIGHT, replace(clearer, version=3, counts_from=3))
    assert not await world.agrees(anna.person)
    choice = (await world.consents.mine(anna, "en"))[0]
    assert choice.is_older and not choice.agrees
    await world.consents.say(anna, INSIGHT, "en", Door.PAGE, agrees=True)
    assert await world.agrees(anna.person)
    assert [one.version for one in await world.consents.history(anna)] == [3, 1]


async def test_nobody_agrees_for_another(world: World) -> None:
    anna = await world.person("anna@example.org")
    program = Viewer("program", Role.SERVICE)
    with pytest.raises(Refusal) as refused:
        await world.consents.say(program, INSIGHT, "en", Door.API, agrees=True)
    assert refused.value.code is Code.FORBIDDEN
    await world.access.remove_account("anna@example.org")
    with pytest.raises(Refusal) as refused:
        await world.consents.say(anna, INSIGHT, "en", Door.API, agrees=True)
    assert refused.value.code is Code.UNAUTHENTICATED
    assert not await world.agrees(anna.person)


def test_another_text_is_another_version() -> None:
    """Where this fails: give the text in charging/privacy/consent.py a new version; write its first characters here."""
    for purpose, text in TEXTS.items():
        assert text_of(purpose, "en").hash.startswith(READ[purpose, text.version]), (purpose, text.version)
        assert text_of(purpose, "de").hash != text_of(purpose, "en").hash
