"""One story, told in 1.6 and in 2.0.1, is one and the same session."""

from __future__ import annotations

from typing import Any

from msgspec.json import Decoder
from msgspec.structs import asdict, replace

from tests.stories.world import CARD, FindingCode, Grade, SessionState, World, found, grade, minute
from wattkeeper.charging.reading import Sample
from wattkeeper.charging.session import Session

decode_rest = Decoder(tuple[Sample, ...]).decode
COURSE: list[tuple[float, dict[str, Any]]] = [
    (5, {"wh": 1600, "w": 7200, "Voltage/L1-N/V": 230.1, "Current.Import/L1/A": 10.4, "Current.Import/L2/A": 10.5}),
    (10, {"wh": 2200.5, "w": 7210, "soc": 41, "Power.Reactive.Import//var": 12}),
    (15, {"kwh": 2.8, "w": 0, "Current.Offered//A": 16, "Power.Offered//W": 11000, "Frequency": 50.01}),
    (30, {"wh": 2800, "w": 0}),
    (35, {"wh": 3100, "w": 7150, "Energy.Active.Export.Register//Wh": 0}),
]


async def tell_v16(world: World) -> None:
    """Tap, plug, start, readings, a pause by the vehicle, stop."""
    async with world.v16("CP1") as cp:
        assert await cp.authorize() == "Accepted"
        await cp.status("Preparing", -1)
        tx = await cp.start(0, meter=1000)
        await cp.status("Charging", 1)
        for at, values in COURSE:
            if at == 30:
                await cp.status("SuspendedEV", 15.5)
            await cp.read(tx, at, **values)
        await cp.status("Charging", 31)
        await cp.stop(tx, 40, meter=3700, idTag=CARD, reason="EVDisconnected")
        await cp.status("Available", 41)


async def tell_v201(world: World) -> None:
    """The same."""
    async with world.v201("CP2") as cp:
        assert await cp.authorize() == "Accepted"
        await cp.status("Occupied", -1)
        begin: dict[str, Any] = {"card": CARD, "state": "EVConnected", "trigger": "Authorized", "wh": 1000}
        answer = await cp.event("Started", "T-1", 0, 0, context="Transaction.Begin", **begin)
        assert answer["idTokenInfo"]["status"] == "Accepted"
        await cp.event("Updated", "T-1", 1, 1, state="Charging", trigger="ChargingStateChanged")
        seq = 2
        for at, values in COURSE:
            if at == 30:
                await cp.event("Updated", "T-1", seq, 15.5, state="SuspendedEV", trigger="ChargingStateChanged")
                seq += 1
            await cp.event("Updated", "T-1", seq, at, **values)
            seq += 1
        await cp.event("Updated", "T-1", seq, 31, state="Charging", trigger="ChargingStateChanged")
        end: dict[str, Any] = {"card": CARD, "state": "Idle", "trigger": "EVCommunicationLost", "wh": 3700}
        reason = {"stoppedReason": "EVDisconnected"}
        await cp.event("Ended", "T-1", seq + 1, 40, context="Transaction.End", info=reason, **end)
        await cp.status("Available", 41)


def bare(one: Session) -> dict[str, Any]:
    """A session without its names and without what only one version can tell."""
    assert one.opened is not None
    opened = replace(one.opened, trigger=None)
    own = {"id", "station", "key", "ref", "seqs", "token_rank", "phase"}
    return {name: value for name, value in asdict(replace(one, opened=opened)).items() if name not in own}


async def test_a_story_is_the_same_session_in_both_versions(world: World) -> None:
    await world.enroll()
    await tell_v16(world)
    await tell_v201(world)
    (in_16,), (in_201,) = await world.sessions("CP1"), await world.sessions("CP2")
    assert bare(in_16) == bare(in_201)
    assert found(in_16) == found(in_201) == {}
    assert grade(in_16) is Grade.MEASURED
    assert in_16.energy_wh == 2700
    assert (in_16.started_at, in_16.ended_at, in_16.state) == (minute(0), minute(40), SessionState.ENDED)
    readings = await world.readings(in_16), await world.readings(in_201)
    for row in (*readings[0], *readings[1]):
        del row["station_id"]
        row["rest"] = decode_rest(row["rest"]) if row["rest"] else ()
    assert readings[0] == readings[1]
    assert len(readings[0]) == len(COURSE) + 2
    assert readings[0][1]["current_l2_a"] is not None
    assert [sample.measurand for sample in readings[0][2]["rest"]] == ["Power.Reactive.Import"]


async def test_a_pause_shows_while_it_lasts_in_both_versions(world: World) -> None:
    await world.enroll(max_sessions=2)
    async with world.v16("CP1") as old, world.v201("CP2") as new:
        tx = await old.start(0)
        await new.event("Started", "T-1", 0, 0, card=CARD, state="EVConnected", trigger="Authorized")
        states = []
        for at, said in ((1, "Charging"), (2, "SuspendedEV"), (3, "Charging"), (4, "SuspendedEVSE")):
            await old.status(said, at)
            await new.event("Updated", "T-1", at, at, state=said, trigger="ChargingStateChanged")
            states.append([one.state for one in await world.sessions()])
        await old.stop(tx, 5, 100)
        await new.event("Ended", "T-1", 5, 5, context="Transaction.End", wh=100, trigger="StopAuthorized")
    charging, suspended = [SessionState.CHARGING] * 2, [SessionState.SUSPENDED] * 2
    assert states == [charging, suspended, charging, suspended]


async def test_the_same_oddities_give_the_same_findings(world: World) -> None:
    await world.enroll(max_sessions=2)
    registers = [(10, 5000), (40, 4900), (45, 400_000), (50, 100)]
    async with world.v16("CP1") as old, world.v201("CP2") as new:
        tx = await old.start(0, meter=1000)
        begin: dict[str, Any] = {"card": CARD, "trigger": "Authorized", "context": "Transaction.Begin", "wh": 1000}
        await new.event("Started", "T-1", 0, 0, **begin)
        for seq, (at, wh) in enumerate(registers, 1):
            await old.read(tx, at, wh=wh)
            await new.event("Updated", "T-1", seq, at, wh=wh)
        await old.stop(tx, 60, 200)
        await new.event("Ended", "T-1", 5, 60, context="Transaction.End", wh=200, trigger="StopAuthorized")
    (in_16,), (in_201,) = await world.sessions("CP1"), await world.sessions("CP2")
    assert found(in_16) == found(in_201)
    assert {FindingCode.REGISTER_ROLLBACK, FindingCode.GAP, FindingCode.REGISTER_RESET} < found(in_16).keys()
    assert in_16.energy_wh == in_201.energy_wh == 399_000 + 100
