"""An installation that dies and rises, phones that never know whether it heard them, stations that say it again."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any, Self

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from tests.doors import PATIENCE_S, basic, until
from wattkeeper.charging.station import Version
from wattkeeper.settings import Settings

API = "/api/v1"
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}
LONGEST_LIFE_S = 0.8
"""Since its doors opened."""
AGAIN_S = 0.07
"""After how long one who found nobody tries again: soon, and yet the next life has the machine to itself."""


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a process reads them."""
    told = {name: getattr(settings, name) for name in ("database", "root_key", "http_port", "ocpp_port", "probation_s")}
    told |= {"outbox": "yes", "staff_passkeys": "no"}
    own = {name: value for name, value in os.environ.items() if not name.startswith("WATTKEEPER_")}
    return own | {f"WATTKEEPER_{name.upper()}": str(value) for name, value in told.items()}


@dataclass(slots=True)
class Mortal:
    """`wattkeeper serve` on these settings, which somebody kills."""

    settings: Settings
    lives: asyncio.StreamReader
    draw: random.Random

    async def die(self, times: int) -> None:
        """Kill so many lives at random moments, some before their doors open, most just when something is committed.

        What is on disk and was not answered is what nobody can be sure of: a moment that chance alone seldom finds.
        """
        for _ in range(times):
            life, how = await self.next_life(), self.draw.random()
            if how < 1 / 8:
                await asyncio.sleep(self.draw.uniform(0.0, 0.3))
            else:
                await self.opened()
                await asyncio.sleep(self.draw.uniform(0.1, LONGEST_LIFE_S))
            if how > 1 / 3:
                await asyncio.to_thread(self._commit, self.draw.uniform(0.0, 0.003))
            os.kill(life, signal.SIGKILL)

    def _commit(self, later_s: float) -> None:
        """Wait for SQLite's next commit, at most a while, and so much longer."""
        log, end = Path(f"{self.settings.database.partition('///')[2]}-wal"), time.monotonic() + 0.5
        before = log.stat().st_mtime_ns if log.exists() else 0
        while log.exists() and log.stat().st_mtime_ns == before and time.monotonic() < end:
            time.sleep(0.0001)
        time.sleep(later_s)

    async def next_life(self) -> int:
        """The process id of the life that begins."""
        line = await asyncio.wait_for(self.lives.readline(), 60)
        assert line, "a life ended by itself"
        return int(line)

    async def opened(self) -> None:
        """Wait until the people's door, the last to open, answers."""
        async with Phone(self.settings) as phone:
            assert (await phone.told("GET", f"{API}/health")).status_code == 200


@asynccontextmanager
async def mortal(settings: Settings, log: Path, seed: int) -> AsyncIterator[Mortal]:
    """The installation while the block runs; what it says goes to a file."""
    with log.open("wb") as said:
        nest = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.stories.phoenix_house"),
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            env=environment(settings),
            start_new_session=True,
        )
    assert nest.stdout is not None
    try:
        yield Mortal(settings, nest.stdout, random.Random(seed))
    finally:
        os.killpg(nest.pid, signal.SIGKILL)
        await nest.wait()


class Phone:
    """Somebody's client at the people's door, which may die while it hears."""

    def __init__(self, settings: Settings, cookie: str = "") -> None:
        self.lost = 0
        """How many answers never came."""
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{settings.http_port}",
            headers=OUR_PAGE,
            cookies={"wattkeeper": cookie} if cookie else {},
            timeout=PATIENCE_S,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def ask(self, method: str, path: str, **sent: Any) -> httpx.Response | None:
        """Ask once; None where there was no answer, so that nobody here knows whether it was heard.

        What was surely not done is asked again: nobody was there, or it was asked too often.
        """
        while True:
            try:
                answer = await self.client.request(method, path, **sent)
            except httpx.ConnectError:
                await asyncio.sleep(AGAIN_S)
                continue
            except httpx.TransportError:
                self.lost += 1
                return None
            assert answer.status_code < 500, f"{method} {path}: {answer.text}"
            if answer.status_code != 429:
                return answer
            await asyncio.sleep(0.1)

    async def post(self, path: str, **body: Any) -> httpx.Response | None:
        """Ask the API once to do something."""
        return await self.ask("POST", API + path, json=body)

    async def ask_as_stranger(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """What somebody is told who is not signed in."""
        async with httpx.AsyncClient(base_url=self.client.base_url, timeout=PATIENCE_S, trust_env=False) as nobody:
            return await nobody.request(method, path, **sent)

    async def told(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Ask until there is an answer: for what may be asked again."""
        while True:
            answer = await self.ask(method, path, **sent)
            if answer is not None:
                return answer

    async def see(self, path: str) -> Any:
        """What the API shows; anything but 200 is a failure."""
        answer = await self.told("GET", API + path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def once(self, path: str, **body: Any) -> tuple[httpx.Response, bool]:
        """Ask again, word for word, until there is an answer; whether one was lost before."""
        lost = False
        while (answer := await self.post(path, **body)) is None:
            lost = True
        return answer, lost


@dataclass(slots=True)
class Mailbox:
    """What the outbox shows; each link is handed out once."""

    phone: Phone
    seen: set[str] = field(default_factory=set)

    async def link(self, to: str) -> str:
        """Wait for a letter to this address whose link nobody was handed; its code."""

        async def look() -> str | None:
            page = (await self.phone.told("GET", "/outbox")).text
            for letter in unescape(page).split("<section")[1:]:
                found = re.search(r"/app/link/([A-Za-z0-9_-]+)", letter)
                if found and f"To {to}," in letter and found[1] not in self.seen:
                    return found[1]
            await asyncio.sleep(2 * AGAIN_S)
            return None

        code = str(await until(look, f"a letter to {to}"))
        self.seen.add(code)
        return code


class Pole:
    """A station in either dialect that does what it is asked and says everything until it is answered."""

    def __init__(self, settings: Settings, name: str, key: str, version: Version) -> None:
        self.name, self.key, self.version = name, key, version
        self.url = f"ws://127.0.0.1:{settings.ocpp_port}/ocpp/{name}"
        self.asked_to_start: list[str] = []
        """The tokens of starts that it was asked for."""
        self.began: list[str] = []
        """The tokens of sessions whose beginning was acknowledged."""
        self.accepted: list[str] = []
        """Those of them that were let charge."""
        self._socket: Any = None
        self._pending: tuple[str, str, asyncio.Future[Any]] | None = None
        self._turn = asyncio.Lock()
        self._count = 0
        self._busy: asyncio.Task[None] | None = None
        self._end = asyncio.Event()

    @property
    def is_16(self) -> bool:
        """Whether it speaks 1.6."""
        return self.version is Version.V16

    async def run(self) -> None:
        """Be connected whenever somebody is there."""
        while True:
            try:
                await self._connected()
            except (OSError, WebSocketException, TimeoutError):
                await asyncio.sleep(AGAIN_S)
            finally:
                self._socket = None

    async def _connected(self) -> None:
        headers = basic(self.name, self.key)
        how: dict[str, Any] = {"compression": None, "ping_interval": None, "proxy": None}
        offered = [Subprotocol(self.version.value)]
        async with connect(self.url, subprotocols=offered, additional_headers=headers, **how) as socket:
            self._socket = socket
            if self._pending is not None:
                await socket.send(self._pending[1])
            async for text in socket:
                await self._hear(socket, json.loads(text))

    async def _hear(self, socket: Any, frame: list[Any]) -> None:
        """An answer to what it said, or something to do."""
        if frame[0] == 2:
            answer = self._obey(frame[2], frame[3])
            words: list[Any] = [4, frame[1], "NotSupported", "", {}] if answer is None else [3, frame[1], answer]
            await socket.send(json.dumps(words))
        elif self._pending is not None and frame[1] == self._pending[0] and not self._pending[2].done():
            assert frame[0] == 3, frame
            self._pending[2].set_result(frame[2])

    def _obey(self, action: str, asked: dict[str, Any]) -> dict[str, str] | None:
        """Do what it is asked; the answer."""
        if action in ("RemoteStartTransaction", "RequestStartTransaction"):
            token = asked["idTag"] if self.is_16 else asked["idToken"]["idToken"]
            self.asked_to_start.append(token)
            if self._busy is not None and not self._busy.done():
                return {"status": "Rejected"}
            self._end = asyncio.Event()
            self._busy = asyncio.create_task(self._charge(token, asked.get("remoteStartId")))
            return {"status": "Accepted"}
        if action in ("RemoteStopTransaction", "RequestStopTransaction"):
            self._end.set()
            return {"status": "Accepted"}
        return None

    # --- what it says -----------------------------------------------------------------------------------

    async def say(self, action: str, payload: dict[str, Any]) -> Any:
        """Say it until it is answered; the answer."""
        async with self._turn:
            self._count += 1
            answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            call = f"{self.name}-{self._count}"
            self._pending = (call, json.dumps([2, call, action, payload]), answered)
            if self._socket is not None:
                with suppress(WebSocketException):  # it is said again over the next connection
                    await self._socket.send(self._pending[1])
            try:
                return await asyncio.wait_for(answered, 60)
            finally:
                self._pending = None

    async def boot(self) -> None:
        """Tell what it is, and that it is free."""
        at = _stamp()
        if self.is_16:
            await self.say("BootNotification", {"chargePointVendor": "Volt", "chargePointModel": "One"})
            free = {"connectorId": 1, "status": "Available", "errorCode": "NoError", "timestamp": at}
        else:
            box = {"vendorName": "Volt", "model": "One"}
            await self.say("BootNotification", {"reason": "PowerUp", "chargingStation": box})
            free = {"evseId": 1, "connectorId": 1, "connectorStatus": "Available", "timestamp": at}
        await self.say("StatusNotification", free)

    async def tap(self, card: str) -> str:
        """Hold a card to the reader; what it is told of it."""
        if self.is_16:
            return str((await self.say("Authorize", {"idTag": card}))["idTagInfo"]["status"])
        answer = await self.say("Authorize", {"idToken": {"idToken": card, "type": "ISO14443"}})
        return str(answer["idTokenInfo"]["status"])

    async def visit(self, card: str) -> None:
        """Somebody charges with a card, and leaves."""
        accepted, ref = await self._begin(card, None)
        assert accepted, card
        await asyncio.sleep(0.3)
        await self._leave(ref, "Local", "StopAuthorized")

    async def rest(self) -> None:
        """Wait until nothing runs."""
        if self._busy is not None:
            await asyncio.wait_for(self._busy, 60)

    async def _charge(self, token: str, number: int | None) -> None:
        """A whole session: refused by its beginning, stopped from afar, or ended by the driver."""
        accepted, ref = await self._begin(token, number)
        self.began.append(token)
        if accepted:
            self.accepted.append(token)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), 3)
        await self._leave(ref, "Remote" if accepted else "DeAuthorized", "RemoteStop")

    async def _leave(self, ref: str, reason: str, why: str) -> None:
        """The end of a session."""
        at = _stamp()
        if self.is_16:
            told: dict[str, Any] = {"transactionId": int(ref), "meterStop": 1500, "timestamp": at}
            await self.say("StopTransaction", told | {"reason": reason})
        else:
            info = {"transactionId": ref, "chargingState": "Idle", "stoppedReason": reason}
            await self.say("TransactionEvent", _event("Ended", 1, info, at, why))

    async def _begin(self, token: str, number: int | None) -> tuple[bool, str]:
        """Whether the token was accepted, and what the session is called; ``number`` of an order from afar."""
        at = _stamp()
        if self.is_16:
            told = {"connectorId": 1, "idTag": token, "meterStart": 1000, "timestamp": at}
            answer = await self.say("StartTransaction", told)
            return answer["idTagInfo"]["status"] == "Accepted", str(answer["transactionId"])
        ref = f"{self.name}-session-{self._count}"
        info: dict[str, Any] = {"transactionId": ref, "chargingState": "Charging"}
        info |= {} if number is None else {"remoteStartId": number}
        kind, why = ("ISO14443", "Authorized") if number is None else ("Central", "RemoteStart")
        more = {"idToken": {"idToken": token, "type": kind}, "evse": {"id": 1, "connectorId": 1}}
        answer = await self.say("TransactionEvent", _event("Started", 0, info, at, why) | more)
        return answer["idTokenInfo"]["status"] == "Accepted", ref


def _event(kind: str, number: int, info: dict[str, Any], at: str, why: str) -> dict[str, Any]:
    """A TransactionEvent of 2.0.1."""
    told = {"eventType": kind, "timestamp": at, "triggerReason": why, "seqNo": number, "transactionInfo": info}
    context = "Transaction.Begin" if kind == "Started" else "Transaction.End"
    value = {"value": 1000 + 500 * number, "context": context}
    return told | {"meterValue": [{"timestamp": told["timestamp"], "sampledValue": [value]}]}


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
