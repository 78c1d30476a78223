"""What is wrong with a session's figures is found, said, and never corrected in silence; in both versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.stories.world import CARD, FindingCode, Grade, World, found, grade, minute, stamp
from wattkeeper.charging.evidence import findings, say

Course = Sequence[tuple[float, dict[str, Any]]]


async def tell(world: World, begin: float, course: Course, end: tuple[float, float]) -> Any:
    """The same course in both versions; one session, for they are found to be the same."""
    await world.enroll(max_sessions=2)
    async with world.v16("CP1") as old, world.v201("CP2") as new:
        tx = await old.start(0, begin)
        await new.event("Started", "T", 0, 0, card=CARD, wh=begin, context="Transaction.Begin")
        for seq, (at, values) in enumerate(course, 1):
            await old.read(tx, at, **values)
            await new.event("Updated", "T", seq, at, **values)
        await old.stop(tx, *end)
        await new.event("Ended", "T", len(course) + 1, end[0], wh=end[1], context="Transaction.End")
    (in_16,), (in_201,) = await world.sessions("CP1"), await world.sessions("CP2")
    assert found(in_16) == found(in_201)
    assert (in_16.energy_wh, in_16.track.integral_wh) == (in_201.energy_wh, in_201.track.integral_wh)
    assert [r["energy_wh"] for r in await world.readings(in_16)] == [
        r["energy_wh"] for r in await world.readings(in_201)
    ]
    return in_16


STORIES: dict[str, tuple[float, Course, tuple[float, float], FindingCode, Grade, float]] = {
    "kWh labelled Wh (Q17)": (
        *(354, [(m, {"wh": 354 + m / 6, "w": 10_000}) for m in (6, 12, 18, 24, 30)], (30.5, 359)),
        *(FindingCode.REGISTER_SCALE, Grade.DISPUTED, 5),
    ),
    "a lifetime total at the stop": (
        *(0, [(5, {"wh": 500}), (10, {"wh": 1000})], (15, 26_008_333)),
        *(FindingCode.LIFETIME_REGISTER, Grade.DISPUTED, 26_008_333),
    ),
    "a start that was not read": (
        *(0, [(5, {"wh": 8_000_000}), (10, {"wh": 8_001_000})], (15, 8_002_000)),
        *(FindingCode.ZERO_BASELINE, Grade.DISPUTED, 8_002_000),
    ),
    "a register that goes back": (
        *(1000, [(5, {"wh": 3000}), (10, {"wh": 2900})], (15, 4000)),
        *(FindingCode.REGISTER_ROLLBACK, Grade.DISPUTED, 3000),
    ),
    "a register that restarts": (
        *(1000, [(5, {"wh": 3000}), (10, {"wh": 0})], (15, 500)),
        *(FindingCode.REGISTER_RESET, Grade.RECONSTRUCTED, 2500),
    ),
    "900 kWh in five minutes (C7)": (
        *(1000, [(5, {"wh": 901_000})], (15, 902_000)),
        *(FindingCode.IMPLAUSIBLE_POWER, Grade.DISPUTED, 901_000),
    ),
    "nothing read for long": (
        *(1000, [(5, {"wh": 2000}), (65, {"wh": 9000})], (70, 9500)),
        *(FindingCode.GAP, Grade.MEASURED, 8500),
    ),
    "a stop below the start (C6)": (
        *(5000, [], (10, 4000)),
        *(FindingCode.REGISTER_ROLLBACK, Grade.DISPUTED, 0),
    ),
    "power flows, the register stands still": (
        *(5000, [(m, {"wh": 5000, "w": 11_000}) for m in (5, 10, 15, 20)], (21, 5000)),
        *(FindingCode.POWER_MISMATCH, Grade.DISPUTED, 0),
    ),
}


@pytest.mark.parametrize(("begin", "course", "end", "code", "worth", "energy"), STORIES.values(), ids=STORIES)
async def test_what_is_wrong_is_found(
    world: World,
    begin: float,
    course: Course,
    end: tuple[float, float],
    code: FindingCode,
    worth: Grade,
    energy: float,
) -> None:
    session = await tell(world, begin, course, end)
    assert found(session).keys() == {code}
    assert (grade(session), session.energy_wh) == (worth, Decimal(energy))
    assert all("{" not in say(finding) for finding in findings(session))


async def test_an_honest_session_has_no_findings(world: World) -> None:
    """Sparse power, whole kWh, a pause: none of that is a finding."""
    course: Course = [
        (15, {"kwh": 2, "w": 7000}),
        (30, {"kwh": 4, "w": 7000}),
        (45, {"kwh": 5, "w": 0}),
        (60, {"kwh": 5}),
        (75, {"kwh": 7, "w": 7100}),
    ]
    session = await tell(world, 1000, course, (90, 9000))
    assert (found(session), grade(session), session.energy_wh) == ({}, Grade.MEASURED, 8000)


async def test_a_station_limit_makes_less_plausible(world: World) -> None:
    """An 11 kW station cannot deliver 22; and it is known of sessions whatever message of theirs comes first."""
    door, limit = world.door, Decimal(11_000)
    keys = [await door.admission.provision(name, "test", max_power_w=limit) for name in ("WB16", "WB201")]
    async with door.plugged("WB16", keys[0]) as old:
        begin = {"connectorId": 1, "idTag": CARD, "meterStart": 0, "timestamp": stamp(0)}
        tx = (await old.call("StartTransaction", begin))[2]["transactionId"]
        stop = {"transactionId": tx, "meterStop": 11_000, "timestamp": stamp(30)}
        await old.call("StopTransaction", stop)
    async with door.plugged("WB201", keys[1], ["ocpp2.0.1"]) as new:
        for seq, (kind, at, wh) in enumerate([("Updated", 0, 1), ("Ended", 30, 11_001)], 1):
            value = [{"timestamp": stamp(at), "sampledValue": [{"value": wh}]}]
            info = {"transactionId": "T"}
            event = {"eventType": kind, "timestamp": stamp(at), "triggerReason": "Trigger", "seqNo": seq}
            await new.call("TransactionEvent", event | {"transactionInfo": info, "meterValue": value})
    for session in await world.sessions():
        assert session.max_power_w == 11_000
        assert {FindingCode.IMPLAUSIBLE_POWER, FindingCode.ZERO_BASELINE} & found(session).keys()


@pytest.mark.parametrize("days", [1, 365_000])
async def test_a_clock_that_runs_ahead_is_a_finding(world: World, days: int) -> None:
    """C10: of the message's time, and of its readings' times."""
    await world.enroll(max_sessions=4)
    ahead = timedelta(days=days)
    async with world.v16("CP1") as old, world.v201("CP2") as new:
        begin = {"idTag": CARD, "meterStart": 0}
        start = await old.say("StartTransaction", begin | {"connectorId": 1, "timestamp": stamp(minute(0) + ahead)})
        stop = {"transactionId": start["transactionId"], "meterStop": 1000}
        await old.say("StopTransaction", stop | {"timestamp": stamp(minute(60) + ahead)})
        tx = await old.start(0, connector=2)
        value = {"timestamp": stamp(minute(0) + ahead), "sampledValue": [{"value": "500"}]}
        await old.say("MeterValues", {"connectorId": 2, "transactionId": tx, "meterValue": [value]})
        event = {
            "eventType": "Started",
            "seqNo": 0,
            "triggerReason": "Trigger",
            "transactionInfo": {"transactionId": "T"},
        }
        await new.say("TransactionEvent", event | {"timestamp": stamp(minute(0) + ahead)})
        value = {"timestamp": stamp(minute(0) + ahead), "sampledValue": [{"value": 500}]}
        event["transactionInfo"] = {"transactionId": "U"}
        await new.say("TransactionEvent", event | {"timestamp": stamp(0), "meterValue": [value]})
    sessions = await world.sessions()
    assert len(sessions) == 4
    for session in sessions:
        assert int(found(session)[FindingCode.CLOCK_AHEAD]["seconds"]) > 86_000
        assert grade(session) is Grade.DISPUTED


async def test_a_clock_four_minutes_ahead_is_none(world: World) -> None:
    await world.enroll()
    async with world.v16("CP1") as cp:
        world.clock.skip(seconds=-240)
        tx = await cp.say("StartTransaction", {"connectorId": 1, "idTag": CARD, "meterStart": 0, "timestamp": stamp(0)})
        await cp.say("StopTransaction", {"transactionId": tx["transactionId"], "meterStop": 5, "timestamp": stamp(0.5)})
    assert found(await world.the_session()) == {}


async def test_the_kwh_of_a_stop_without_readings_and_without_registers(world: World) -> None:
    """2.0.1 without any meter: the energy is unknown, not zero; with intervals only, it is their sum."""
    await world.enroll(max_sessions=2)
    async with world.v201("CP1") as one, world.v201("CP2") as other:
        await one.event("Started", "T", 0, 0, card=CARD)
        await one.event("Ended", "T", 1, 10)
        await other.event("Started", "U", 0, 0, card=CARD)
        for seq in (1, 2, 3):
            interval: dict[str, Any] = {"Energy.Active.Import.Interval//Wh": 250}
            await other.event("Updated", "U", seq, seq, **interval)
        await other.event("Ended", "U", 4, 10)
    (unknown,), (summed,) = await world.sessions("CP1"), await world.sessions("CP2")
    assert (unknown.energy_wh, summed.energy_wh) == (None, 750)
    assert found(unknown).keys() == {FindingCode.NO_REGISTER}
    assert found(summed).keys() == {FindingCode.FROM_INTERVALS}
    assert grade(unknown) is grade(summed) is Grade.RECONSTRUCTED
