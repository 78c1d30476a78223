"""Receipts by letter: to whoever asked for them and nobody else, each once, and the PDF checks itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.doors import until
from tests.web.shop import API, OWNER, People, Shop, people, shop
from wattkeeper.charging.identifiers import parse
from wattkeeper.operations.money.papers import receipts
from wattkeeper.operations.money.papers.receipts import KIND, Receipts
from wattkeeper.operations.money.papers.verifying import verified
from wattkeeper.operations.people.letters.mail import Posted
from wattkeeper.operations.people.letters.post import message
from wattkeeper.store.money.proposal import Deed, Wish
from wattkeeper.store.people.mail import MAIL, MailRow
from wattkeeper.store.tables import mail

__all__ = ["people", "shop"]


def post_of(shop: Shop) -> Receipts:
    """What sends receipts."""
    rooms = shop.house.rooms
    return Receipts(rooms.store, rooms.bus, rooms.people.mail, rooms.papers)


async def posted(shop: Shop) -> int:
    """The log is signed, and what sends receipts looks."""
    await shop.house.rooms.keeper.finish()
    return await post_of(shop).look()


async def letters(shop: Shop) -> list[Posted]:
    """The receipts that were queued."""
    rooms = shop.house.rooms
    async with rooms.store.unit() as unit:
        wanted = select(*MAIL).where(mail.c.kind == KIND).order_by(mail.c.created_at)
        rows = (await unit.connection.execute(wanted)).all()
        return [await rooms.people.mail.open(unit, MailRow(*row)) for row in rows]


async def test_who_asked_for_letters_gets_each_receipt_once(shop: Shop, people: People, tmp_path: Path) -> None:
    (anna, annas), (bert, _) = people["anna"], people["bert"]
    asked = await annas.patch(f"{API}/account", json={"receipts_by_mail": True})
    assert asked.json()["receipts_by_mail"] is True
    await shop.session(await shop.card(anna))
    await shop.session(await shop.card(bert, "04AABBCCDDEE02"))
    assert await post_of(shop).look() == 0, "it waits for the proof that it is to carry"
    await shop.house.rooms.keeper.finish()
    await asyncio.gather(post_of(shop).look(), post_of(shop).look())
    assert await post_of(shop).look() == 0
    (letter,) = await letters(shop)
    assert letter.to == "anna@example.org"
    assert "6.00" in letter.subject
    assert letter.file is not None
    path = tmp_path / letter.file.name
    path.write_bytes(letter.file.content)
    told = verified(path, keys=await shop.house.rooms.log.keys())
    assert told.holds and "Signed by" in str(told.log[1])
    (part,) = message(letter, "a@example.org", "https://example.org").iter_attachments()
    assert (part.get_content_type(), part.get_filename()) == ("application/pdf", letter.file.name)
    assert part.get_content() == letter.file.content


async def test_a_credit_note_is_told_as_well_and_what_was_ended_is_not(shop: Shop, people: People) -> None:
    anna, annas = people["anna"]
    await annas.post("/app/me/receipts", data={"by_mail": "yes"})
    await shop.session(await shop.card(anna))
    session = parse((await annas.get(f"{API}/sessions")).json()["items"][0]["id"]) or ""
    wish = Wish(deed=Deed.CORRECT, said="The plug was broken.", gross_minor=100)
    await shop.house.rooms.bills.do(OWNER, session, wish)
    await annas.patch(f"{API}/account", json={"name": "Anna the driver"})
    await posted(shop)
    told = await letters(shop)
    assert [one.subject.partition(": ")[0] for one in told] == ["Wattkeeper"] * 2
    assert len({one.file.name for one in told if one.file}) == 2
    gone = await annas.post("/app/me/receipts", data={"by_mail": "no"})
    assert gone.headers["location"] == "/app/me?did=receipts-off"
    await shop.session((await annas.get(f"{API}/cards")).json()["items"][0]["ref"])
    await posted(shop)
    assert len(await letters(shop)) == 2


async def test_a_receipt_in_german_is_german(shop: Shop, people: People) -> None:
    anna, annas = people["anna"]
    await annas.post("/app/me/receipts", data={"by_mail": "yes"})
    await shop.house.rooms.people.accounts.speak(anna, "de")
    await shop.session(await shop.card(anna))
    await posted(shop)
    (letter,) = await letters(shop)
    assert "Ihr Beleg" in letter.subject
    assert "6,00" in letter.text


async def test_they_go_out_after_a_rest_in_which_nothing_was_billed(
    shop: Shop, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "REST_S", 0.05)
    anna, annas = people["anna"]
    await annas.post("/app/me/receipts", data={"by_mail": "yes"})
    running = asyncio.create_task(post_of(shop).run())
    try:
        await asyncio.sleep(0.5)
        await shop.session(await shop.card(anna))
        await shop.house.rooms.keeper.finish()
        await until(lambda: letters(shop), "a letter")
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
