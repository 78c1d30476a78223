"""A day's sessions, bills and cards are in the log; whoever is forgotten afterwards breaks none of it."""

from __future__ import annotations

from sqlalchemy import text

from tests.attacks.test_g_erasure import hunt, two
from tests.web.conftest import House
from wattkeeper.commands.terminal import VIEWER
from wattkeeper.operations.log.auditing import Audited, audit_log
from wattkeeper.operations.log.proving import data_of
from wattkeeper.store.log import leaf


async def audited(house: House) -> Audited:
    """What an audit of the house finds."""
    return await audit_log(house.rooms.store, await house.rooms.log.keys())


async def kinds(house: House) -> set[str]:
    """Of what there are leaves."""
    async with house.rooms.store.read() as connection:
        return {row.kind for row in await leaf.leaves(connection, 0, 100_000)}


async def test_who_is_forgotten_breaks_no_leaf(house: House) -> None:
    async with two(house) as (anna, bert):
        await house.rooms.keeper.finish()
        found = await audited(house)
        assert found.faults == [] and found.waiting == 0
        assert {"journal", "deed", "ledger", "bill", "tariff", "card_change"} <= await kinds(house)
        await house.rooms.rights.forgetting.forget(VIEWER, anna.viewer.person, despite=True)
        before = await audited(house)
        assert before.faults == [] and before.gone > 0
        await house.rooms.keeper.finish()
        again = await audited(house)
        assert again.faults == [] and again.entries > found.entries
        async with house.rooms.store.read() as connection:
            rows = await leaf.leaves(connection, 0, 100_000)
            salts = (await connection.execute(text("SELECT count(*) FROM log_name WHERE salt IS NULL"))).scalar()
        said = b"\n".join(data_of(row) for row in rows)
        assert salts, "nobody can try any more whether a leaf is about her card"
        assert hunt(anna).hits(said, "leaves") == [] and hunt(bert).hits(said, "leaves") == []


async def test_who_is_forgotten_before_they_were_logged_breaks_none_either(house: House) -> None:
    async with two(house) as (anna, _):
        await house.rooms.rights.forgetting.forget(VIEWER, anna.viewer.person, despite=True)
        await house.rooms.keeper.finish()
        assert (await audited(house)).faults == []


async def test_a_heartbeat_is_no_leaf_and_nothing_is_left_out_behind_many(house: House) -> None:
    async with house.door.plugged("CP1", "c0ffee00c0ffee11c0ffee22c0ffee33c0ffee44") as station:
        await station.boot()
        await house.rooms.keeper.finish()
        before = len(await all_leaves(house))
        for _ in range(600):
            await station.call("Heartbeat", {})
        await house.rooms.keeper.finish()
        assert len(await all_leaves(house)) == before
        await station.call("StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError"})
        await house.rooms.keeper.finish()
        assert len(await all_leaves(house)) == before + 1
    assert (await audited(house)).faults == []


async def all_leaves(house: House) -> list[bytes]:
    """Every leaf."""
    async with house.rooms.store.read() as connection:
        return [data_of(row) for row in await leaf.leaves(connection, 0, 100_000)]
