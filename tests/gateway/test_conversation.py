"""What a station says is recorded, then answered; over real sockets, on both engines."""

from __future__ import annotations

import pytest

from tests.doors import Door
from wattkeeper.charging.facts import Booted, Connected, Disconnected, HeartBeaten


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
async def test_a_boot_and_a_heartbeat_are_recorded_and_answered(door: Door, version: str) -> None:
    async with door.plugged(versions=[version]) as station:
        kind, _, booted = await station.boot()
        assert (kind, booted["status"], booted["interval"]) == (3, "Accepted", 300)
        assert (await station.call("Heartbeat", {}))[2]["currentTime"]
        assert door.gateway.connected("CP1")
        assert len(await door.facts(Booted)) == len(await door.facts(HeartBeaten)) == 1
    await door.close()
    kinds = [fact["kind"] for fact in await door.facts()]
    assert kinds == [kind.__name__ for kind in (Connected, Booted, HeartBeaten, Disconnected)]
