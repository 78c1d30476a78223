"""Attacks with copied cards: one number at two places that nobody can have been at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stories.conftest import a_world
from tests.stories.suspicion import FAR, NOT_NOW, scene, voice
from tests.stories.world import CARD, World, minute
from wattkeeper.charging.cards.radar import SUSPECT, StepUp
from wattkeeper.store.cards import finding as findings
from wattkeeper.store.tables import decision, finding, session, step_up

both = pytest.mark.parametrize("dialect", ["ocpp1.6", "ocpp2.0.1"])


@pytest.fixture
async def world(database: str, tmp_path: Path) -> AsyncIterator[World]:
    """The world of a story, whose rebuilding is checked."""
    async with a_world(database, tmp_path) as made:
        yield made


@both
async def test_d1_a_card_at_two_sites_300_km_apart_within_ten_minutes(world: World, dialect: str) -> None:
    """The second start is blocked, the driver notified, the token suspect; told once, without a number."""
    async with scene(world) as here, voice(world, dialect, "CP1") as one, voice(world, dialect, "CP2") as other:
        phone = await here.driver()
        assert await here.start(one, 0) == "Accepted"
        (before,) = await world.sessions("CP1")
        said = [await here.start(other, 9)]
        for _ in range(3):
            said.append(await other.authorize())
        assert set(said) <= {NOT_NOW[dialect], "ConcurrentTx"}
        assert await world.sessions("CP1") == [before], "what runs elsewhere is untouched"
        async with world.door.store.unit() as unit:
            ref = world.door.safe.ref(CARD)
            assert await findings.suspects(unit, [ref], SUSPECT) == {ref}
        await here.watch.look()
        told = (await phone.get("/api/v1/notices")).json()["items"]
        assert len(told) == 1
        alarms = [alarm for alarm in await world.alarms() if alarm["code"].startswith("Card")]
        assert len(alarms) == 1
        for row in (*await world.door.rows(finding), *await world.door.rows(decision), *alarms, *told):
            assert CARD not in str(row)


@both
async def test_d1_it_is_blocked_even_where_it_may_run_many_sessions(world: World, dialect: str) -> None:
    async with (
        scene(world, max_sessions=9) as here,
        voice(world, dialect, "CP1") as one,
        voice(world, dialect, "CP2") as other,
    ):
        assert await here.start(one, 0) == "Accepted"
        for at in (9, 9, 10):
            assert await here.start(other, at) == NOT_NOW[dialect]
        assert [row.kind for row in await here.findings()] == [FAR]
        assert len(await world.alarms("CardFarApart")) == 1


@both
async def test_d1_where_holders_are_asked_it_is_stepped_up(world: World, dialect: str) -> None:
    """No energy without a yes, however often the copy is tapped, and whatever another's phone says."""
    async with (
        scene(world, StepUp.SUSPECT) as here,
        voice(world, dialect, "CP1") as one,
        voice(world, dialect, "CP2") as other,
    ):
        phone = await here.driver()
        assert await one.authorize() == "Accepted"
        world.clock.reach(minute(9))
        for at in range(9, 15):
            assert await here.start(other, at) == NOT_NOW[dialect]
        assert not any(one.verdict == "accepted" for one in await world.sessions())
        assert 1 <= len(await world.door.rows(step_up)) <= 3
        await here.watch.look()
        kinds = {one["kind"] for one in (await phone.get("/api/v1/notices")).json()["items"]}
        assert kinds == {FAR, "question"}
        assert {row.station_id for row in await world.door.rows(session)} == {"CP2"}
