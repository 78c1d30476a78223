"""Drivers with their phones, and stations in either dialect that do what they are asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.doors import KEY, PATIENCE_S, Station, until
from tests.web.conftest import House
from tests.web.town import make_account
from wattkeeper.charging.person import Role, Viewer
from wattkeeper.charging.station import Version
from wattkeeper.operations.access import viewer_of
from wattkeeper.store.people import account
from wattkeeper.web.guards.origin import cookie_name

DIALECTS = (Version.V16, Version.V201)


async def signed_in(house: House, name: str = "dora", role: Role = Role.DRIVER) -> httpx.AsyncClient:
    """The phone of somebody who has signed in."""
    async with house.rooms.store.unit() as unit:
        row = await make_account(house, unit, name, role)
        cookie = await house.rooms.access.begin(unit, row, "passkey")
    named = f"{cookie_name(house.rooms.settings)}={cookie}"
    return house.client(Cookie=named, **{"Sec-Fetch-Site": "same-origin"})


async def viewer(house: House, name: str = "dora") -> Viewer:
    """Somebody as the operations know them."""
    async with house.rooms.store.read() as connection:
        row = await account.by_name(connection, house.rooms.safe.name_ref(f"{name}@example.org"))
    assert row is not None
    return viewer_of(row)


class Skipped:
    """The true clock, moved on by hand."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def __call__(self) -> datetime:
        """The time."""
        return datetime.now(UTC) + self.by


@dataclass(slots=True)
class Puppet:
    """A station that answers what it is asked, and tells of sessions at its EVSE 1."""

    station: Station
    version: Version
    answers: dict[str, Any] = field(default_factory=dict)
    """What it answers to a call where that is not Accepted; None: nothing."""
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ref: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=50))
    """When its session begins, by its clock, which is behind."""
    _waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    _count: int = 0
    _seq: int = 0

    @property
    def is_16(self) -> bool:
        """Whether it speaks 1.6."""
        return self.version is Version.V16

    async def listen(self) -> None:
        """Answer calls, and hand on what is answered to its own."""
        while True:
            frame = json.loads(await self.station.socket.recv())
            if frame[0] != 2:
                self._waiting.pop(frame[1]).set_result(frame)
                continue
            self.heard.append((frame[2], frame[3]))
            answer = self.answers.get(frame[2], {"status": "Accepted"})
            if answer is not None:
                await self.station.send(json.dumps([3, frame[1], answer]))

    async def say(self, action: str, **payload: Any) -> Any:
        """Call; the payload of the answer, and a CALLERROR is a failure."""
        self._count += 1
        call_id = f"c{self._count}"
        answered = self._waiting[call_id] = asyncio.get_running_loop().create_future()
        await self.station.send(json.dumps([2, call_id, action, payload]))
        answer = await asyncio.wait_for(answered, PATIENCE_S)
        assert answer[0] == 3, answer
        return answer[2]

    async def asked(self, kind: str) -> dict[str, Any]:
        """Wait for a call whose name has this in it; its payload."""
        return dict(await until(lambda: next((p for a, p in self.heard if kind in a), None), kind))

    def times(self, kind: str) -> int:
        """How often it was asked this."""
        return sum(kind in action for action, _ in self.heard)

    async def token(self) -> Any:
        """The token that it was asked to start on."""
        asked = await self.asked("Start")
        return asked["idTag"] if self.is_16 else asked["idToken"]

    # --- what it tells ----------------------------------------------------------------------------------

    async def boot(self) -> None:
        """Come up."""
        if self.is_16:
            await self.say("BootNotification", chargePointVendor="Volt", chargePointModel="One")
        else:
            box = {"vendorName": "Volt", "model": "One"}
            await self.say("BootNotification", reason="PowerUp", chargingStation=box)

    async def status(self, word: str, evse: int = 1) -> None:
        """A connector changed."""
        at = stamp(datetime.now(UTC))
        if self.is_16:
            await self.say("StatusNotification", connectorId=evse, errorCode="NoError", status=word, timestamp=at)
        else:
            word = {"Preparing": "Occupied", "Charging": "Occupied", "Finishing": "Occupied"}.get(word, word)
            await self.say("StatusNotification", timestamp=at, connectorStatus=word, evseId=evse, connectorId=1)

    async def authorize(self) -> Any:
        """Ask about the token that it was asked to start on (1.6); what it is told."""
        return (await self.say("Authorize", idTag=await self.token()))["idTagInfo"]["status"]

    async def begin(self, token: Any, wh: int = 1000, evse: int = 1) -> Any:
        """A session begins; what it is told of the token."""
        if self.is_16:
            told = {"connectorId": evse, "idTag": token, "meterStart": wh, "timestamp": stamp(self.at)}
            answer = await self.say("StartTransaction", **told)
            self.ref = str(answer["transactionId"])
            return answer["idTagInfo"]["status"]
        self.ref, self._seq = f"tx-{self._count}", 0
        more = {"idToken": token, "evse": {"id": evse, "connectorId": 1}}
        answer = await self._event("Started", "RemoteStart", 0, wh, "Charging", **more)
        return answer["idTokenInfo"]["status"]

    async def read(self, minutes: int, wh: int) -> None:
        """Its meter shows this, so many minutes after the start, at 7.4 kW."""
        if not self.is_16:
            await self._event("Updated", "MeterValuePeriodic", minutes, wh, "Charging")
            return
        power = {"value": "7400", "unit": "W", "measurand": "Power.Active.Import"}
        value = {"timestamp": stamp(self._after(minutes)), "sampledValue": [{"value": str(wh), "unit": "Wh"}, power]}
        await self.say("MeterValues", connectorId=1, transactionId=int(self.ref), meterValue=[value])

    async def end(self, minutes: int, wh: int) -> None:
        """The session ends."""
        if not self.is_16:
            await self._event("Ended", "RemoteStop", minutes, wh, "EVConnected")
            return
        at = stamp(self._after(minutes))
        await self.say("StopTransaction", transactionId=int(self.ref), meterStop=wh, timestamp=at, reason="Remote")

    def _after(self, minutes: int) -> datetime:
        return self.at + timedelta(minutes=minutes)

    async def _event(self, kind: str, why: str, minutes: int, wh: int, state: str, **more: Any) -> Any:
        """A TransactionEvent."""
        at, info = stamp(self._after(minutes)), {"transactionId": self.ref, "chargingState": state}
        contexts = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}
        power = {"value": 7400, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W"}}
        register = {"value": wh, "context": contexts.get(kind, "Sample.Periodic")}
        sampled = [register] if kind == "Ended" else [register, power]
        if kind == "Ended":
            info |= {"stoppedReason": "Remote"}
        told = {"eventType": kind, "timestamp": at, "triggerReason": why, "seqNo": self._seq, "transactionInfo": info}
        self._seq += 1
        value = [{"timestamp": at, "sampledValue": sampled}]
        return await self.say("TransactionEvent", **told, meterValue=value, **more)


def stamp(at: datetime) -> str:
    """An instant as stations write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@asynccontextmanager
async def puppet(
    house: House, version: Version = Version.V16, station: str = "CP1", **answers: Any
) -> AsyncIterator[Puppet]:
    """A station that has come up and is free, connected while the block runs."""
    async with house.door.plugged(station, KEY, versions=[version.value]) as plugged:
        made = Puppet(plugged, version, answers)
        listens = asyncio.create_task(made.listen())
        try:
            await made.boot()
            await made.status("Available")
            yield made
        finally:
            listens.cancel()
            await asyncio.gather(listens, return_exceptions=True)


async def listed(house: House, station: str = "CP1", **more: Any) -> None:
    """Let drivers find a station."""
    told = {"label": "Town hall", "address": "Main street 1", "is_listed": True, "latitude": 48.2, "longitude": 16.37}
    answer = await house.api.patch(f"/api/v1/stations/{station}", json=told | {"plugs": {"1": "IEC_62196_T2"}} | more)
    assert answer.status_code == 200, answer.text


async def started(api: httpx.AsyncClient, **where: Any) -> dict[str, Any]:
    """Start at CP1's EVSE 1, or elsewhere; the start."""
    answer = await api.post("/api/v1/starts", json=where or {"station": "CP1", "evse": 1})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def becoming(api: httpx.AsyncClient, start: str, *states: str) -> dict[str, Any]:
    """Wait until a start is in one of these states."""

    async def look() -> dict[str, Any] | None:
        told = (await api.get(f"/api/v1/starts/{start}")).json()
        return told if told["state"] in states else None

    return dict(await until(look, f"a start that is {' or '.join(states)}"))
