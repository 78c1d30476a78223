"""A whole installation with both doors open on ports of their own, stations of the `ocpp` library, and a browser."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, ViewportSize
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from wattkeeper.assembly import Doors
from wattkeeper.web.rooms import Rooms

PASSWORD = "correct horse battery staple"
CARD = "04A2B97F1180"
"""The number of a card that every test's installation knows; its last two characters are 80."""
WIDE, NARROW = (1440, 900), (390, 844)

logging.getLogger("ocpp").setLevel(logging.CRITICAL)

Answerer = TypeVar("Answerer", bound=Callable[..., Any])


def answers(action: str) -> Callable[[Answerer], Answerer]:
    """Mark a method as a station's answer to a call."""
    return cast(Callable[[Answerer], Answerer], on(action))


@dataclass(slots=True)
class Site:
    """An installation that runs, and a browser to look at it."""

    rooms: Rooms
    doors: Doors
    browser: Browser

    async def admit(self, station: str, **about: Any) -> str:
        """Make a station; its key."""
        return await self.rooms.admission.provision(station, "test", **about)

    @asynccontextmanager
    async def person(self, size: tuple[int, int] = WIDE, **options: Any) -> AsyncIterator[Person]:
        """Somebody who looks, not signed in yet; at the end nothing may have gone wrong in their browser."""
        viewport = ViewportSize(width=size[0], height=size[1])
        context = await self.browser.new_context(base_url=self.doors.http, viewport=viewport, **options)
        context.set_default_timeout(30_000)
        person = Person(context, await context.new_page())
        person.listen()
        try:
            yield person
        finally:
            await context.close()
        if person.complaints:
            raise AssertionError(person.complaints)

    @asynccontextmanager
    async def operator(self, size: tuple[int, int] = WIDE, **options: Any) -> AsyncIterator[Person]:
        """Somebody who looks and is signed in, at Now."""
        async with self.person(size, **options) as person:
            await person.sign_in()
            yield person

    @asynccontextmanager
    async def station(self, name: str, key: str) -> AsyncIterator[Plugged]:
        """A 1.6 station of the `ocpp` library that is connected while the block runs."""
        given = base64.b64encode(f"{name}:{key}".encode()).decode()
        headers, versions = {"Authorization": f"Basic {given}"}, [Subprotocol("ocpp1.6")]
        address = f"{self.doors.ocpp}/{name}"
        async with connect(address, subprotocols=versions, additional_headers=headers, proxy=None) as socket:
            plugged = Plugged(name, socket)
            listening = asyncio.create_task(plugged.start())
            try:
                yield plugged
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


@dataclass
class Person:
    """A browser's window, and what its console complained of."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Take down every error, broken rule of the content policy, dialog, and request."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        expected = message.text.startswith("Failed to load resource: the server responded with a status of 4")
        if message.type in ("error", "warning") and not expected:
            self.complaints.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)

    async def sign_in(self, password: str = PASSWORD) -> None:
        """Come in by the door."""
        await self.page.goto("/login")
        await self.page.get_by_label("Name").fill("operator")
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.wait_for_url("/")

    async def is_live(self) -> None:
        """Wait until the page hears of changes."""
        await self.page.locator("#wire", has_text="live").wait_for()

    async def sees(self, text: str) -> None:
        """Wait until a text stands somewhere on the page."""
        await self.page.get_by_text(text).first.wait_for()

    async def sideways(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


class Plugged(ChargePoint):  # type: ignore[misc]
    """A 1.6 station with one connector; tells of a session that began an hour ago."""

    def __init__(self, name: str, socket: Any) -> None:
        super().__init__(name, socket)
        self.at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        self.number = 0
        self.asked: list[str] = []

    @answers("RemoteStopTransaction")
    def on_stop(self, transaction_id: int) -> Any:
        """Agree to stop."""
        self.asked.append("RemoteStopTransaction")
        return call_result.RemoteStopTransaction(status="Accepted")

    @answers("UnlockConnector")
    def on_unlock(self, connector_id: int) -> Any:
        """Fail to unlock."""
        self.asked.append("UnlockConnector")
        return call_result.UnlockConnector(status="UnlockFailed")

    def time(self, minutes: float = 0) -> str:
        """An instant after the beginning, as stations write it."""
        return (self.at + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def boot(self, vendor: str = "Volt", model: str = "One", firmware: str = "1.0") -> None:
        """Tell what it is."""
        told = call.BootNotification(charge_point_vendor=vendor, charge_point_model=model, firmware_version=firmware)
        answer = await self.call(told)
        assert answer.status == "Accepted", answer

    async def status(self, status: str, minutes: float = 0, info: str | None = None, error: str = "NoError") -> None:
        """A connector changed."""
        told = {"connector_id": 1, "status": status, "error_code": error, "timestamp": self.time(minutes), "info": info}
        await self.call(call.StatusNotification(**told))

    async def begin(self, register_wh: int = 1000, card: str = CARD) -> None:
        """A card is presented, a car plugged in, a session begins."""
        await self.call(call.Authorize(id_tag=card))
        await self.status("Preparing")
        started = call.StartTransaction(connector_id=1, id_tag=card, meter_start=register_wh, timestamp=self.time())
        self.number = (await self.call(started)).transaction_id
        await self.status("Charging")

    async def read(self, minutes: float, register_wh: int, power_w: int) -> None:
        """Read the meter."""
        power = {"value": str(power_w), "unit": "W", "measurand": "Power.Active.Import"}
        sampled = [{"value": str(register_wh), "unit": "Wh"}, power]
        value = {"timestamp": self.time(minutes), "sampled_value": sampled}
        await self.call(call.MeterValues(connector_id=1, transaction_id=self.number, meter_value=[value]))

    async def end(self, minutes: float, register_wh: int) -> None:
        """The session ends, the connector is free again."""
        stop = {"meter_stop": register_wh, "timestamp": self.time(minutes), "transaction_id": self.number}
        await self.call(call.StopTransaction(**stop, reason="EVDisconnected"))
        await self.status("Available", minutes)
