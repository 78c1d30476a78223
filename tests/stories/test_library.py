"""The `ocpp` library's own client, unmodified and with its schema validation on, completes sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201

from tests.stories.world import CARD, NOON, World, found, key_of, minute, stamp
from wattkeeper.charging.cards.token import Offline
from wattkeeper.charging.orders import Outcome, Reset, StartCharging, StopCharging, Trigger
from wattkeeper.operations.dispatch import OrderView

Answerer = TypeVar("Answerer", bound=Callable[..., Any])


def answers(action: str) -> Callable[[Answerer], Answerer]:
    """Mark a method as the answer to a call, as the library does."""
    return cast(Callable[[Answerer], Answerer], on(action))


class Wallbox16(ChargePoint16):  # type: ignore[misc]
    """A 1.6 station that does as it is told."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.asked: list[dict[str, Any]] = []

    @answers("RemoteStartTransaction")
    def on_start(self, **told: Any) -> Any:
        """Accept a remote start."""
        self.asked.append(told)
        return result16.RemoteStartTransaction(status="Accepted")

    @answers("RemoteStopTransaction")
    def on_stop(self, **told: Any) -> Any:
        """Accept a remote stop."""
        self.asked.append(told)
        return result16.RemoteStopTransaction(status="Accepted")

    @answers("Reset")
    def on_reset(self, **told: Any) -> Any:
        """Refuse to reset while charging."""
        self.asked.append(told)
        return result16.Reset(status="Rejected")


class Wallbox201(ChargePoint201):  # type: ignore[misc]
    """A 2.0.1 station that does as it is told."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.asked: list[dict[str, Any]] = []

    @answers("RequestStartTransaction")
    def on_start(self, **told: Any) -> Any:
        """Accept a remote start."""
        self.asked.append(told)
        return result201.RequestStartTransaction(status="Accepted")

    @answers("RequestStopTransaction")
    def on_stop(self, **told: Any) -> Any:
        """Accept a remote stop."""
        self.asked.append(told)
        return result201.RequestStopTransaction(status="Accepted")

    @answers("Reset")
    def on_reset(self, **told: Any) -> Any:
        """Schedule the reset."""
        self.asked.append(told)
        return result201.Reset(status="Scheduled")


@asynccontextmanager
async def running(world: World, kind: type[Any], station: str, version: str) -> AsyncIterator[Any]:
    """The library's client, connected and listening."""
    world.clock.reach(20)
    async with world.door.plugged(station, key_of(station), [version]) as plugged:
        client = kind(station, plugged.socket)
        listening = asyncio.create_task(client.start())
        try:
            yield client
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def ask(world: World, client: Any, *orders: Any) -> list[OrderView]:
    """Order and wait for the client's answers."""
    return [await world.door.dispatch.order(client.id, order, "vera", wait_s=20) for order in orders]


async def test_the_library_completes_a_session_in_v16(world: World) -> None:
    await world.enroll(expires_at=NOON + timedelta(days=300), offline=Offline.ACCEPT)
    async with running(world, Wallbox16, "CP1", "ocpp1.6") as client:
        boot = await client.call(call16.BootNotification(charge_point_model="One", charge_point_vendor="Volt"))
        assert (boot.status, boot.interval) == ("Accepted", 300)
        assert (await client.call(call16.Heartbeat())).current_time
        status = {"error_code": ChargePointErrorCode.no_error, "timestamp": stamp(0)}
        await client.call(call16.StatusNotification(connector_id=1, status=ChargePointStatus.preparing, **status))
        assert (await client.call(call16.Authorize(id_tag=CARD))).id_tag_info["status"] == "Accepted"
        start = call16.StartTransaction(connector_id=1, id_tag=CARD, meter_start=1000, timestamp=stamp(0))
        started = await client.call(start)
        assert started.id_tag_info == {"status": "Accepted", "expiry_date": "2026-12-26T12:00:00.000Z"}
        tx = started.transaction_id
        for at in (5, 10):
            told = [{"timestamp": stamp(at), "sampled_value": [{"value": str(1000 + 100 * at), "unit": "Wh"}]}]
            await client.call(call16.MeterValues(connector_id=1, transaction_id=tx, meter_value=told))
        views = await ask(world, client, StartCharging(uid=CARD, evse=2), Reset(), StopCharging(ref=str(tx)))
        stop = call16.StopTransaction(transaction_id=tx, meter_stop=3000, timestamp=stamp(15), reason="Remote")
        await client.call(stop)
        transfer = await client.call(call16.DataTransfer(vendor_id="Volt", data="x"))
        assert transfer.status == "UnknownVendorId"
        views += await ask(world, client, Trigger(message="Heartbeat"))
    outcomes = [view.outcome for view in views]
    assert outcomes == [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED, Outcome.ERROR]
    assert client.asked[0] == {"id_tag": CARD, "connector_id": 2}
    session = await world.the_session()
    assert (session.energy_wh, session.ended_at, found(session)) == (2000, minute(15), {})


async def test_the_library_completes_a_session_in_v201(world: World) -> None:
    await world.enroll()
    async with running(world, Wallbox201, "CP1", "ocpp2.0.1") as client:
        station = {"vendor_name": "Volt", "model": "One"}
        boot = await client.call(call201.BootNotification(charging_station=station, reason="PowerUp"))
        assert boot.status == "Accepted"
        status = {"timestamp": stamp(0), "connector_status": "Occupied", "evse_id": 1, "connector_id": 1}
        await client.call(call201.StatusNotification(**status))
        token = {"id_token": CARD, "type": "ISO14443"}
        assert (await client.call(call201.Authorize(id_token=token))).id_token_info["status"] == "Accepted"

        async def event(kind: str, seq: int, at: float, wh: float, context: str, **more: Any) -> Any:
            value = {"timestamp": stamp(at), "sampled_value": [{"value": wh, "context": context}]}
            info = {"transaction_id": "T-1", "charging_state": "Charging"} | more.pop("info", {})
            told = {"event_type": kind, "timestamp": stamp(at), "trigger_reason": "MeterValuePeriodic", "seq_no": seq}
            return await client.call(
                call201.TransactionEvent(**told, transaction_info=info, meter_value=[value], evse={"id": 1}, **more)
            )

        started = await event("Started", 0, 0, 1000, "Transaction.Begin", id_token=token)
        assert started.id_token_info == {"status": "Accepted", "cache_expiry_date_time": "2026-03-01T14:00:00.000Z"}
        assert started.updated_personal_message["content"].startswith("Session ")
        await event("Updated", 1, 5, 1500.5, "Sample.Periodic")
        views = await ask(world, client, StartCharging(uid=CARD, evse=2), Reset(), StopCharging(ref="T-1"))
        await event("Ended", 2, 15, 3000, "Transaction.End", info={"stopped_reason": "Remote"})
        views += await ask(world, client, Trigger(message="Heartbeat"))
    outcomes = [view.outcome for view in views]
    assert outcomes == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.ERROR]
    session = await world.the_session()
    assert (session.energy_wh, session.ended_at, found(session)) == (2000, minute(15), {})
