"""Whoever else must forget is told until they have answered (G15, Art. 19); the card's number goes with the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.attacks.canaries import Hunt
from tests.conftest import OpenDoor
from tests.doors import KEY, Door, until
from tests.stories.listing import CARD, OTHER, caught_up, enroll, follow, hurry, living
from wattkeeper.charging.cards.token import Presented
from wattkeeper.charging.facts import TokenPresented
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.access import Access
from wattkeeper.operations.money.payments.provider import Unreachable
from wattkeeper.operations.privacy.erasure import propagation as telling
from wattkeeper.operations.privacy.erasure.forgetting import Forgetting
from wattkeeper.operations.privacy.erasure.propagation import Propagation
from wattkeeper.simulator.v16.telling import Station16
from wattkeeper.simulator.v201.telling import Station201
from wattkeeper.store.money.payments import paying
from wattkeeper.store.money.payments.paying import Means
from wattkeeper.store.privacy import forgotten
from wattkeeper.store.tables import card, orders, subject_key

HUNT = Hunt(numbers=[CARD])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits."""
    hurry(monkeypatch)
    monkeypatch.setattr(telling, "RETRY_S", 0.01)


def forgetting(door: Door) -> Forgetting:
    """Who forgets people at this door."""
    return Forgetting(door.store, door.safe, door.bus, door.settings, Access(door.store, door.safe, door.settings))


def teller(door: Door, provider: Any = None) -> Propagation:
    """Who tells others of it."""
    return Propagation(door.store, door.safe, door.bus, door.settings, door.dispatch, provider)


@asynccontextmanager
async def telling_others(door: Door) -> AsyncIterator[None]:
    """Others are told while the block runs."""
    running = asyncio.create_task(teller(door).run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def holder(door: Door, ref: str) -> str:
    """Who holds a card."""
    async with door.store.read() as connection:
        return str(await connection.scalar(select(card.c.person_id).where(card.c.ref == ref)))


async def told(door: Door, person: str) -> dict[str, str]:
    """How far each telling is."""
    async with door.store.read() as connection:
        return {row.what.value: row.state for row in await forgotten.of(connection, person)}


async def keys(door: Door) -> list[str]:
    """The keys that are there for telling others."""
    async with door.store.read() as connection:
        rows = await connection.scalars(select(subject_key.c.subject).where(subject_key.c.subject.like("telling:%")))
        return list(rows)


async def seen(door: Door, number: str = CARD) -> None:
    """A card was tapped at CP1 before."""
    await door.intake.record("CP1", TokenPresented(), token=Presented(number))


@pytest.mark.parametrize("kind", [Station16, Station201])
async def test_g15_a_station_that_is_away_is_told_when_it_is_back(door: Door, kind: Any) -> None:
    ref, _ = await enroll(door), await enroll(door, OTHER)
    person = await holder(door, ref)
    async with follow(door) as lists, living(door, kind) as cp:
        await caught_up(lists, accepted=2)
        await seen(door)
        cp.cards[CARD] = True
        remembered, listed = dict(cp.cards), dict(cp.listed)
        assert set(listed) == {CARD, OTHER}
    await until(lambda: not door.dispatch.connected("CP1"), "its going away")
    await forgetting(door).forget(VIEWER, person)
    waiting = await told(door, person)
    assert waiting == dict.fromkeys(waiting, "waiting")
    assert {"list", "cache"} <= set(waiting)
    assert ("customer" in waiting) == (kind is Station201)
    assert bool(await keys(door)) == (kind is Station201), "only 2.x is told by the card's number"
    assert await HUNT.in_database(str(door.settings.database)) == []
    await teller(door).look()
    assert await told(door, person) == waiting, "nobody is there"
    async with follow(door), telling_others(door), living(door, kind) as cp:
        cp.cards.update(remembered)

        async def done() -> bool:
            return set((await told(door, person)).values()) == {"done"}

        await until(done, "the last answer")
        assert set(cp.listed) == {OTHER}
        assert CARD not in cp.cards
    assert await keys(door) == []
    async with door.store.read() as connection:
        rows = list(await connection.execute(select(orders.c.kind, orders.c.sealed, orders.c.answer, orders.c.words)))
    for row in rows:
        opened = door.safe.unseal("orders", "sealed", row.sealed)
        opened += door.safe.unseal("orders", "answer", row.answer) if row.answer else b""
        assert row.kind in ("SendLocalList", "AskDisplay") or HUNT.hits(opened, row.kind) == []
        if row.kind in ("ForgetCustomer", "SendLocalList"):
            assert HUNT.hits(opened, row.kind) == [], "the number goes with the answer"


async def test_g15_who_never_answers_is_given_up_and_the_number_goes(
    open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = await open_door()
    await door.admit("CP1", KEY)
    person = await holder(door, await enroll(door))
    async with living(door, Station201):
        await seen(door)
    await until(lambda: not door.dispatch.connected("CP1"), "its going away")
    await forgetting(door).forget(VIEWER, person)
    assert len(await keys(door)) == 1
    real, later = door.store.clock, timedelta(days=91)
    door.store.clock = lambda: real() + later
    await teller(door).look()
    assert set((await told(door, person)).values()) == {"unanswered"}
    assert await keys(door) == []


class Bank:
    """A payment provider that cannot be reached at first."""

    def __init__(self) -> None:
        self.forgot: list[Means] = []
        self.tries = 0

    async def forget(self, means: Means) -> None:
        """Detach the card."""
        self.tries += 1
        if self.tries < 3:
            raise Unreachable("later")
        self.forgot.append(means)


async def test_g15_the_payment_provider_detaches_the_bank_card(door: Door) -> None:
    person = await holder(door, await enroll(door))
    means = Means("stripe", "cus_canary", "pm_canary", "visa", "4242")
    async with door.store.unit() as unit:
        paying.keep_means(unit, person, means)
    await forgetting(door).forget(VIEWER, person)
    assert await Hunt(["cus_canary", "pm_canary"]).in_database(str(door.settings.database)) == []
    bank = Bank()
    for _ in range(5):
        await teller(door, bank).look()
        await asyncio.sleep(0.1)
    assert bank.forgot == [means]
    assert await told(door, person) == {"means": "done"}
    assert await keys(door) == []
