"""A hostile station: whatever numbers, times and texts it sends, it is answered and recorded, and harms nobody."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest

from tests.databases import ENGINES
from tests.stories.world import CARD, SessionState, Voice16, Voice201, World, found, stamp
from wattkeeper.charging.facts import Garbled

NUMBERS: list[Any] = [
    *(1e30, 1e18, 10**18, 2**63, 999_999_999_999, 999_999_999_999.999999, -1e18, -5, 1e-30, 5e-324),
    *("NaN", "Infinity", "-inf", "1e400", "9" * 400, "0x10", "", " ", "1,5", "1.5 kWh", "٣", "-0"),
    *(None, True, [], {}),
]
TIMES: list[Any] = [
    *("0001-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z"),
    *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-02-30T00:00:00Z", "2026-03-01T25:61:61Z"),
    *("1970-01-01T00:00:00Z", "now", "", 0, -1, 1e300, 99999999999999999999, None, [], {"a": 1}, True),
    *("2026-03-01T12:00:00" + "0" * 300 + "Z", "２０２６-03-01T12:00:00Z"),
]
TEXTS = [
    "a\x00b",
    "\x00",
    "\ud83d\ude00" * 200,
    "\u202eABC",
    "'; DROP TABLE session; --",
    "x" * 100_000,
    "\ufeff",
    "\x7f\x1b[2J",
]


def start() -> dict[str, Any]:
    return {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": stamp(0)}


def meters(tx: Any = 1) -> dict[str, Any]:
    value = {"value": "1500", "context": "Sample.Periodic", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    power = {"value": "7000", "measurand": "Power.Active.Import", "phase": "L1", "location": "Outlet", "format": "Raw"}
    voltage = {"value": "230", "measurand": "Voltage"}
    current = {"value": "16", "measurand": "Current.Import"}
    told = {"timestamp": stamp(1), "sampledValue": [value, power, voltage, current]}
    return {"connectorId": 1, "transactionId": tx, "meterValue": [told]}


def stop(tx: Any = 1) -> dict[str, Any]:
    data = meters()["meterValue"]
    told = {"transactionId": tx, "idTag": CARD, "meterStop": 2000, "timestamp": stamp(2), "reason": "Local"}
    return told | {"transactionData": data}


def event() -> dict[str, Any]:
    unit = {"unit": "Wh", "multiplier": 0}
    value = {"value": 1500, "context": "Sample.Periodic", "measurand": "Energy.Active.Import.Register"}
    signed = {"signedMeterData": "QQ==", "signingMethod": "s", "encodingMethod": "e", "publicKey": "k"}
    samples = [value | {"unitOfMeasure": unit, "signedMeterValue": signed}, {"value": 230, "measurand": "Voltage"}]
    samples += [{"value": 16, "measurand": "Current.Import"}]
    info = {"transactionId": "T", "chargingState": "Charging", "stoppedReason": "Local", "timeSpentCharging": 5}
    told = {"eventType": "Updated", "timestamp": stamp(1), "triggerReason": "Trigger", "seqNo": 1, "offline": False}
    token = {"idToken": CARD, "type": "ISO14443", "additionalInfo": [{"additionalIdToken": "a", "type": "b"}]}
    told |= {"numberOfPhasesUsed": 3, "cableMaxCurrent": 32, "reservationId": 5, "evse": {"id": 1, "connectorId": 1}}
    return told | {
        "transactionInfo": info,
        "idToken": token,
        "meterValue": [{"timestamp": stamp(1), "sampledValue": samples}],
    }


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all single values."""
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in leaves(inner, (*path, name))]
    if isinstance(value, list):
        return [found for index, inner in enumerate(value) for found in leaves(inner, (*path, index))]
    return [path]


def planted(message: Any, path: tuple[Any, ...], what: Any) -> Any:
    """The message with something else in one place."""
    message = deepcopy(message)
    place = message
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = what
    return message


def variations(message: Any, engine: str) -> Iterator[Any]:
    """The message with evil in each of its places: every third one on each engine, others on the other."""
    every = [planted(message, path, evil) for path in leaves(message) for evil in (*NUMBERS, *TIMES, *TEXTS)]
    yield from every[ENGINES.index(engine) :: 3]


V16: Mapping[str, Callable[[], dict[str, Any]]] = {
    "StartTransaction": start,
    "MeterValues": meters,
    "StopTransaction": stop,
}


async def answered(cp: Voice16 | Voice201, action: str, payload: Any) -> None:
    """The message is answered with a result: it carries energy, so nothing about it is a reason to refuse it."""
    answer = await cp.station.call(action, payload)
    assert answer[0] == 3, (action, json.dumps(payload)[:300], answer)


@pytest.mark.parametrize("action", V16)
async def test_whatever_stands_anywhere_in_v16_is_answered_and_kept(world: World, engine: str, action: str) -> None:
    async with world.v16("CP1") as cp, world.v16("CP2") as other:
        tx = await other.start(0, 1000)
        sent = 0
        for payload in variations(V16[action](), engine):
            await answered(cp, action, payload)
            sent += 1
        await other.stop(tx, 5, 2000)
    told = await world.door.facts(station="CP1")
    assert sum(one["kind"] != "Garbled" for one in told) >= sent > 50
    (mine,) = await world.sessions("CP2")
    assert (mine.energy_wh, mine.state, found(mine).keys()) == (1000, SessionState.ENDED, {"unauthorised"})


async def test_whatever_stands_anywhere_in_v201_is_answered_and_kept(world: World, engine: str) -> None:
    async with world.v201("CP1") as cp:
        for payload in variations(event(), engine):
            await answered(cp, "TransactionEvent", payload)
    assert await world.door.facts(Garbled) == []


@pytest.mark.parametrize("high", ["999999999999", "999999999999.999999", "-999999999999"])
async def test_the_largest_numbers_add_up_without_a_fault(world: World, high: str) -> None:
    """Registers that leap and restart a hundred times, powers that are volts times amperes: kept, doubted, answered."""
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        for step in range(1, 101):
            value = high if step % 2 else "0"
            beside: dict[str, Any] = {"Voltage//V": high, "Current.Import//A": high, "SoC//Percent": high}
            await cp.read(tx, step, wh=value, **beside)
        await cp.stop(tx, 200, 5)
    session = await world.the_session()
    assert session.track.count == 102
    assert session.state is SessionState.ENDED
    assert (await world.row(session)).grade == "disputed"


async def test_ten_thousand_samples_in_one_message(world: World) -> None:
    async with world.v16("CP1") as cp:
        tx = await cp.start(0, 0)
        told = [
            {"timestamp": stamp(1 + index / 100), "sampledValue": [{"value": str(index)}]} for index in range(4_000)
        ]
        await answered(cp, "MeterValues", {"connectorId": 1, "transactionId": tx, "meterValue": told})
        same = {"timestamp": stamp(0.5), "sampledValue": [{"value": "1", "measurand": "SoC"}] * 10_000}
        await answered(cp, "MeterValues", {"connectorId": 1, "transactionId": tx, "meterValue": [same]})
        await cp.stop(tx, 50, 4_000)
    session = await world.the_session()
    assert (session.energy_wh, session.track.count) == (4_000, 4_003)


async def test_transaction_ids_and_numbers_of_events_at_their_limits(world: World) -> None:
    async with world.v201("CP1") as cp:
        for seq in (0, 2**31 - 1, 5, 2**31 - 3, 1):
            await cp.event("Updated", "T" * 36, seq, 1)
        for seq in range(0, 900, 2):
            await cp.event("Updated", "gaps", seq, 1)
    long, gaps = await world.sessions()
    assert long.seqs == ((0, 1), (5, 5), (2**31 - 3, 2**31 - 3), (2**31 - 1, 2**31 - 1))
    assert found(long)["messages_missing"]["count"] == str(2**31 - 5)
    assert len(gaps.seqs) == 450


async def test_texts_that_databases_dislike_are_kept_wherever_a_station_may_put_them(world: World) -> None:
    async with world.v16("CP1", boots=False) as old, world.v201("CP2", boots=False) as new:
        for text in TEXTS:
            vendor = {"chargePointVendor": text, "chargePointModel": text, "firmwareVersion": text, "iccid": text}
            await answered(old, "BootNotification", vendor)
            status = {"connectorId": 1, "errorCode": text, "status": text, "info": text, "vendorErrorCode": text}
            await answered(old, "StatusNotification", status)
            await answered(old, "DataTransfer", {"vendorId": text, "messageId": text, "data": text})
            station = {"vendorName": text, "model": text, "serialNumber": text, "modem": {"iccid": text, "imsi": text}}
            await answered(new, "BootNotification", {"reason": "PowerUp", "chargingStation": station})
            await new.event("Started", text, 0, 0, info={"transactionId": text, "remoteStartId": 1})
    assert await world.door.facts(Garbled) == []
    assert len(await world.sessions()) > len(TEXTS) / 2
