"""A fleet replays real sessions, tells people about it without a card number, and ends when it is told to."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wattkeeper.simulator.clock import Clock, real_now
from wattkeeper.simulator.fleet import Fleet, FleetError, Replay, read_fleet, run_fleet

from .csms import KEY, Csms

CARDS = [f"04{number:012X}" for number in range(0xA0, 0xC0)]
STATIONS: list[dict[str, Any]] = [
    {"id": "OAK-1", "key": KEY, "version": "1.6", "connectors": 2},
    {"id": "OAK-2", "key": KEY, "version": "2.0.1", "connectors": 2, "behaviour": "good"},
    {"id": "OAK-3", "key": KEY, "version": "2.0.1", "behaviour": "power_loss"},
    {"id": "OAK-4", "key": KEY, "version": "1.6", "behaviour": "backlog"},
]


def description(url: str, **more: Any) -> str:
    """A fleet description."""
    return json.dumps({"url": url, "speed": 14_400, "cards": CARDS, "stations": STATIONS, **more})


def kept(connector: int, day: int, energy_wh: int) -> dict[str, Any]:
    """A session of long ago."""
    began, ended = f"2026-03-{day:02}T08:00:00+00:00", f"2026-03-{day:02}T09:00:00+00:00"
    return {"connector": connector, "card": CARDS[0], "began": began, "ended": ended, "energy_wh": energy_wh}


async def test_a_fleet_replays_real_sessions(csms: Csms) -> None:
    said: list[str] = []
    life = asyncio.ensure_future(run_fleet(read_fleet(description(csms.url)), said.append))
    csms.lives.append(life)

    def ended() -> list[dict[str, Any]]:
        return [event for event in csms.of("TransactionEvent") if event["eventType"] == "Ended"]

    await csms.until(lambda: len(csms.of("StopTransaction")) > 3 and len(ended()) > 3, "whole sessions")
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    assert csms.errors == []
    assert {one.station for one in csms.heard} == {"OAK-1", "OAK-2", "OAK-3", "OAK-4"}
    starts = {one["timestamp"]: one for one in csms.of("StartTransaction", station="OAK-1")}
    assert len(starts) == len(csms.of("StartTransaction", station="OAK-1")), "each start is told once"
    assert any("charging begins" in line for line in said)
    assert not any(card in line for card in CARDS for line in said)
    stamps = [datetime.fromisoformat(one["timestamp"]) for one in csms.of("StatusNotification")]
    assert max(stamps) < datetime.now(UTC) - timedelta(days=1)
    strange = {start["idTag"] for start in starts.values()} - set(CARDS)
    assert len(strange) <= 1, "a card that nobody knows, which this central system takes"


async def test_one_card_charges_one_car_at_a_time(csms: Csms) -> None:
    plan = read_fleet(description(csms.url, cards=CARDS[:2], stations=STATIONS[:1]))
    life = asyncio.ensure_future(run_fleet(plan, lambda text: None))
    csms.lives.append(life)
    await csms.until(lambda: len(csms.of("StopTransaction")) > 5)
    life.cancel()
    await asyncio.wait({life})
    charging: list[str] = []
    for one in csms.heard:
        if one.action == "StartTransaction":
            assert one.payload["idTag"] not in charging
            charging.append(one.payload["idTag"])
        elif one.action == "StopTransaction":
            charging.remove(csms.card_of(one.payload["transactionId"]))


async def test_a_night_is_skipped() -> None:
    plan = read_fleet(description("ws://127.0.0.1:9/ocpp", speed=60))
    clock = Clock(real_now() - timedelta(days=30), plan.speed)
    morning = clock.now() + timedelta(hours=12)
    await asyncio.wait_for(Replay(plan, clock, []).wait_for(morning), 60)
    assert morning <= clock.now() < morning + timedelta(hours=1)


async def test_the_first_minutes_are_busy(csms: Csms) -> None:
    life = asyncio.ensure_future(run_fleet(read_fleet(description(csms.url, speed=60)), lambda text: None))
    csms.lives.append(life)
    await csms.until(lambda: csms.of("Authorize"), "the first tap, within seconds at speed 60")
    life.cancel()
    await asyncio.wait({life})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"speed": 0.5}, "nothing is slower"),
        ({"cards": []}, "at least one station and one card"),
        ({"stations": []}, "at least one station and one card"),
        ({"stations": [{"id": "A", "key": KEY, "version": "1.5"}]}, "1.6 and 2.0.1 are spoken"),
        ({"stations": [{"id": "A", "key": KEY, "connectors": 3}]}, "one or two"),
        ({"stations": [{"id": "A", "key": KEY, "behaviour": "rude"}]}, "rude"),
        ({"stations": [{"id": "A", "key": KEY, "version": "2.0.1", "behaviour": "quirky"}]}, "speak 1.6"),
        ({"stations": [{"id": "A", "key": KEY, "version": "2.0.1", "past": [kept(1, 2, 1)]}]}, "told in 1.6"),
        ({"stations": [{"id": "A", "key": KEY, "past": [kept(2, 2, 1)]}]}, "connectors that it has"),
        ({"colour": "green"}, "colour"),
        ({"day": "2015-13-01"}, "month"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused_in_words(change: dict[str, Any], words: str) -> None:
    with pytest.raises(FleetError, match=words):
        read_fleet(description("ws://127.0.0.1:9/ocpp", **change))


def test_what_is_no_json_is_refused_in_words() -> None:
    with pytest.raises(FleetError, match="no fleet description: it is no JSON"):
        read_fleet("hello")
    with pytest.raises(FleetError, match="it has no 'stations'"):
        read_fleet("{}")


def test_a_fleet_does_not_show_its_secrets() -> None:
    fleet: Fleet = read_fleet(description("ws://127.0.0.1:9/ocpp"))
    assert KEY not in repr(fleet)
    assert CARDS[0] not in repr(fleet)


async def test_the_command_ends_in_good_order_when_it_is_told_to(csms: Csms) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "wattkeeper.simulator",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert program.stdin is not None
    program.stdin.write(description(csms.url, stations=STATIONS[:1]).encode())
    program.stdin.write_eof()
    await csms.until(lambda: csms.of("StartTransaction"))
    program.send_signal(signal.SIGTERM)
    out, errors = await program.communicate()
    assert program.returncode == 0
    assert errors == b""
    assert out.decode().splitlines()[-1] == "The stations have hung up."
    await csms.until(lambda: csms.points["OAK-1"]._connection.close_code is not None)
    assert csms.points["OAK-1"]._connection.close_code == 1000


async def test_what_a_station_kept_is_told_first_and_in_order(csms: Csms) -> None:
    """Two sessions of long ago come whole, with what the meter showed; today goes on from the same register."""
    stations = [{**STATIONS[0], "past": [kept(2, 2, 3_000), kept(2, 3, 4_000)]}]
    life = asyncio.ensure_future(run_fleet(read_fleet(description(csms.url, stations=stations)), lambda text: None))
    csms.lives.append(life)
    await csms.until(lambda: len(csms.of("StopTransaction")) > 4)
    life.cancel()
    await asyncio.wait({life})
    assert csms.errors == []
    starts, stops = csms.of("StartTransaction"), csms.of("StopTransaction")
    assert [one["timestamp"][:10] for one in (*starts[:2], *stops[:2])] == ["2026-03-02", "2026-03-03"] * 2
    assert [one["connectorId"] for one in starts[:2]] == [2, 2]
    assert [stop["meterStop"] - start["meterStart"] for start, stop in zip(starts, stops[:2], strict=False)] == [
        3_000,
        4_000,
    ]
    assert starts[1]["meterStart"] == stops[0]["meterStop"]
    later = [one["meterStart"] for one in starts[2:] if one["connectorId"] == 2]
    assert all(wh >= stops[1]["meterStop"] for wh in later)
    numbers = {one["transactionId"] for one in csms.of("MeterValues")[:2]}
    assert numbers == {stops[0]["transactionId"], stops[1]["transactionId"]}
