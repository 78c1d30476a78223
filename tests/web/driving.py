"""Drivers at the API, and stations that they tap their cards at."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import update

from tests.doors import Door, Station
from tests.web.conftest import PASSWORD, House
from tests.web.partner import browser
from wattkeeper.charging.person import Role
from wattkeeper.store.tables import station

TAPPED = "04C0FFEE11AA22"
"""The number of a card that nobody knows before it is tapped; its last two characters are 22."""
OTHER = "04C0FFEE33BB44"
STATUS = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}


async def driver(house: House, name: str) -> httpx.AsyncClient:
    """The browser of a driver who is signed in."""
    await house.rooms.access.make_account(name, PASSWORD, Role.DRIVER)
    return await browser(house, name)


async def list_station(door: Door, name: str = "CP1") -> None:
    """Let drivers find a station by its id."""
    async with door.store.unit() as unit:
        await unit.connection.execute(update(station).where(station.c.id == name).values(is_listed=True))


async def ready(house: House, plugged: Station, name: str = "CP1") -> None:
    """A station that has booted, can be found, and has told of its connector."""
    await plugged.boot()
    await plugged.call("StatusNotification", STATUS)
    await list_station(house.door, name)


async def wish(client: httpx.AsyncClient, **more: Any) -> Any:
    """Begin to wait for a tap at CP1; the answer's body."""
    answer = await client.post("/api/v1/enrolments", json={"station": "CP1"} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def tap(plugged: Station, card: str = TAPPED) -> str:
    """Hold a card to the reader; what the station is told."""
    if plugged.socket.subprotocol == "ocpp2.0.1":
        answer = await plugged.call("Authorize", {"idToken": {"idToken": card, "type": "ISO14443"}})
        return str(answer[2]["idTokenInfo"]["status"])
    return str((await plugged.call("Authorize", {"idTag": card}))[2]["idTagInfo"]["status"])


async def state(client: httpx.AsyncClient, made: Any) -> tuple[str, str | None]:
    """How a wish stands: its state and the card."""
    answer = await client.get(f"/api/v1/enrolments/{made['id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()["state"], answer.json()["card"]
