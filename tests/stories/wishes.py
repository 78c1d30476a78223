"""What people want while the installation dies under them, and what they remember of its answers."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pyotp

from tests.doors import until
from tests.stories.mortal import Mailbox, Phone, Pole

Enough = Callable[[], bool]
OVER = ("refused", "late", "stopped")


@dataclass(slots=True)
class Driver:
    """Somebody who is signed in, and their phone."""

    email: str
    person: str
    account: str
    phone: Phone

    async def cards(self) -> dict[str, str]:
        """The states of the driver's cards as the API shows them, by pseudonym."""
        shown = await self.phone.see("/cards?limit=500")
        assert shown["next"] is None
        return {one["ref"]: one["state"] for one in shown["items"]}


@dataclass(slots=True)
class Claimants:
    """Two drivers who race for the card of each code."""

    drivers: tuple[Driver, Driver]
    codes: list[str]
    refs: list[str]
    """The cards that the codes came with."""
    held: dict[str, str] = field(default_factory=dict)
    """Card to the person who has it."""
    unheard: int = 0
    """How often it was done and nobody heard."""

    async def run(self, enough: Enough) -> None:
        """Code by code."""
        for code, ref in zip(self.codes, self.refs, strict=True):
            if enough():
                return
            heard = await asyncio.gather(*(one.phone.once("/enrolments/activate", code=code) for one in self.drivers))
            await self._judge(ref, [(answer.status_code, was_lost) for answer, was_lost in heard])

    async def _judge(self, ref: str, heard: list[tuple[int, bool]]) -> None:
        """One of them has the card, and nobody was told otherwise."""
        has = [ref in await one.cards() for one in self.drivers]
        assert sum(has) == 1, f"{ref} is held by {sum(has)}, who heard {heard}"
        for holds, (status, was_lost) in zip(has, heard, strict=True):
            assert status in (200, 422), status
            assert holds or status != 200, "a card that was handed over is not there"
            assert not holds or status == 200 or was_lost, "a card came with a code that was refused"
            self.unheard += holds and status != 200
        self.held[ref] = self.drivers[has.index(True)].person


@dataclass(slots=True)
class Tapper:
    """A driver who adds card after card by tapping it."""

    driver: Driver
    pole: Pole
    held: dict[str, str] = field(default_factory=dict)
    """Card to its number."""

    async def run(self, enough: Enough) -> None:
        """Card by card."""
        await self.pole.boot()
        while not enough():
            number = f"04{self.pole.name.encode().hex().upper()}{len(self.held):06X}"
            ref = await self._add(number)
            assert (await self.driver.cards())[ref] == "active"
            self.held[ref] = number

    async def _add(self, number: str) -> str:
        """Wish, tap, look; the card."""
        while True:
            wished, _ = await self.driver.phone.once("/enrolments", station=self.pole.name, label="mine")
            if wished.status_code == 201:
                break
            assert wished.status_code == 409, told(wished)  # the station is not back yet
            await asyncio.sleep(0.02)
        assert await self.pole.tap(number) == "Accepted"
        shown = await self.driver.phone.see(f"/enrolments/{wished.json()['id']}")
        assert shown["state"] == "done", shown
        return str(shown["card"])


@dataclass(slots=True)
class Blocker:
    """A driver who blocks and unblocks cards, and holds each to a reader afterwards."""

    driver: Driver
    pole: Pole
    numbers: dict[str, str]
    """Card to its number."""
    blocked: dict[str, bool] = field(default_factory=dict)
    deeds: int = 0

    async def run(self, enough: Enough) -> None:
        """Card by card."""
        draw = random.Random(len(self.numbers))
        await self.pole.boot()
        while not enough():
            ref = draw.choice(sorted(self.numbers))
            blocks = not self.blocked.get(ref, False)
            answer, _ = await self.driver.phone.once(f"/cards/{ref}/{'block' if blocks else 'unblock'}")
            assert answer.status_code == 200, told(answer)
            self.blocked[ref] = blocks
            self.deeds += 1
            assert await self.pole.tap(self.numbers[ref]) == ("Blocked" if blocks else "Accepted")

    async def settle(self) -> None:
        """All that was acknowledged is so."""
        shown = await self.driver.cards()
        for ref, blocked in self.blocked.items():
            assert shown[ref] == ("blocked" if blocked else "active")

    def listed(self, local_list: dict[str, bool]) -> bool:
        """Whether a station's list says of these cards what they are."""
        said = {ref: local_list.get(number, False) for ref, number in self.numbers.items()}
        return said == {ref: not self.blocked.get(ref, False) for ref in self.numbers}


@dataclass(slots=True)
class Starter:
    """A driver who starts and stops from the phone, wish after wish, at one station."""

    driver: Driver
    pole: Pole
    starts: dict[str, str] = field(default_factory=dict)
    """Wish to the id of its start."""
    ends: list[str] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=dict)
    """Start to the session that it was shown to be."""

    async def run(self, enough: Enough) -> None:
        """Wish by wish: start, watch, stop."""
        await self.pole.boot()
        while not enough():
            key = f"{self.pole.name}-{len(self.starts)}"
            start = await self._start(key)
            self.starts[key] = start
            self.ends.append(await self._follow(start))
            assert await self._start(key) == start, "a wish told again is another start"
            await self.pole.rest()

    async def settle(self) -> None:
        """Every start is over, and what was a session is one still."""
        for start in self.starts.values():
            shown = await self.driver.phone.see(f"/starts/{start}")
            assert shown["state"] in OVER, shown
            assert shown["session"] == self.sessions.get(start, shown["session"])

    async def _start(self, key: str) -> str:
        """Start until there is an answer; the id of the start."""
        body, headers = {"station": self.pole.name, "evse": 1}, {"Idempotency-Key": key}
        answer = await self.driver.phone.told("POST", "/api/v1/starts", json=body, headers=headers)
        assert answer.status_code == 202, told(answer)
        return str(answer.json()["id"])

    async def _follow(self, start: str) -> str:
        """Watch a start until it is over; stop what charges, call off what lasts. How it ended."""
        patience, stop_at = time.monotonic() + 60, time.monotonic() + 1.5
        while (shown := await self.driver.phone.see(f"/starts/{start}"))["state"] not in OVER:
            assert time.monotonic() < patience, shown
            if shown["session"]:
                assert self.sessions.setdefault(start, shown["session"]) == shown["session"]
            if shown["state"] == "charging" or time.monotonic() > stop_at:
                stopped = await self.driver.phone.post(f"/starts/{start}/stop")
                assert stopped is None or stopped.status_code in (202, 409), told(stopped)
            await asyncio.sleep(0.05)
        return str(shown["state"])


@dataclass(slots=True)
class Member:
    """Somebody with an authenticator app and recovery codes who signs in again and again, by a link and one of them."""

    driver: Driver
    mailbox: Mailbox
    app: pyotp.TOTP
    codes: list[str]
    spent: dict[str, int] = field(default_factory=lambda: {"totp": 0, "recovery": 0})
    cookies: list[str] = field(default_factory=list)
    unheard: int = 0
    _step: int = 0

    async def run(self, enough: Enough) -> None:
        """Sign-in by sign-in, until the recovery codes are gone."""
        while self.codes and not enough():
            phone = self.driver.phone
            phone.client.cookies.clear()
            answer, _ = await phone.once("/recover", email=self.driver.email)
            assert answer.status_code == 202, told(answer)
            code = await self.mailbox.link(self.driver.email)
            opened, was_lost = await phone.once("/recover/finish", code=code)
            assert opened.status_code in ((200, 404) if was_lost else (200,)), told(opened)
            self.unheard += opened.status_code == 404
            if opened.status_code == 200:
                assert "totp" in opened.json()["missing"], told(opened)
                await self._complete(phone)
            await self._is_dead(code)

    async def _complete(self, phone: Phone) -> None:
        """The second step, by a fresh code of the app where there is one."""
        now = int(time.time()) // self.app.interval
        step = max(self._step + 1, now)
        by_app = step <= now + 1  # good for a whole step at least, so that whoever hears nothing may ask again
        self._step = step if by_app else self._step
        how = "totp" if by_app else "recovery"
        code = self.app.generate_otp(step) if by_app else self.codes.pop()
        path = "/sign-in/totp" if by_app else "/sign-in/recovery-code"
        answer, was_lost = await phone.once(path, code=code)
        assert answer.status_code in ((200, 401) if was_lost else (200,)), (how, told(answer))
        self.spent[how] += 1
        self.unheard += answer.status_code == 401
        if answer.status_code == 200:
            self.cookies.append(phone.client.cookies["wattkeeper"])
            left = (await phone.see("/account"))["recovery_codes"]
            assert left == 10 - self.spent["recovery"]

    async def _is_dead(self, code: str) -> None:
        """A link that was opened opens nothing more."""
        answer, _ = await self.driver.phone.once("/recover/finish", code=code)
        assert answer.status_code == 404, "a link was good twice"


@dataclass(slots=True)
class Newcomers:
    """People who sign up, one after the other."""

    phone: Phone
    mailbox: Mailbox
    emails: list[str] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)
    """Address to the sign-in that was acknowledged."""

    @property
    def unheard(self) -> int:
        """How often it was done and nobody heard."""
        return len(self.emails) - len(self.cookies)

    async def run(self, enough: Enough) -> None:
        """Person by person."""
        while not enough():
            email = f"new{len(self.emails)}@example.org"
            self.phone.client.cookies.clear()
            answer, _ = await self.phone.once("/sign-up", email=email, name="New")
            assert answer.status_code == 202, told(answer)
            self.emails.append(email)
            await self._verify(email, await self.mailbox.link(email))

    async def _verify(self, email: str, code: str) -> None:
        """Open the link; it works once, and then there is an account."""
        opened, was_lost = await self.phone.once("/verify", code=code)
        assert opened.status_code in ((200, 404) if was_lost else (200,)), told(opened)
        if opened.status_code == 200:
            self.cookies[email] = self.phone.client.cookies["wattkeeper"]
        again, _ = await self.phone.once("/verify", code=code)
        assert again.status_code == 404, "a link was good twice"


@dataclass(slots=True)
class Partner:
    """An app that somebody lets in, which refreshes its tokens all the time."""

    client: str
    let_in: Callable[[], Awaitable[str | None]]
    """Ask the person: a code, or None where the answer was lost."""
    phone: Phone
    verifier: str
    tokens: dict[str, Any] | None = None
    refreshed: int = 0
    ended: int = 0
    """How often it had to ask the person anew."""

    async def run(self, enough: Enough) -> None:
        """Refresh by refresh."""
        while not enough():
            if self.tokens is None:
                await self._enter()
            else:
                await self._refresh(self.tokens)

    async def _ask(self, **form: str) -> tuple[int, dict[str, Any], bool]:
        """Ask for tokens until there is an answer: status, body, whether an answer was lost."""
        lost = False
        while (answer := await self.phone.ask("POST", "/oauth/token", data={"client_id": self.client} | form)) is None:
            lost = True
        return answer.status_code, answer.json(), lost

    async def _enter(self) -> None:
        """Tokens for a code; where the answer was lost, showing the code again has ended what it opened."""
        code = await self.let_in()
        if code is None:
            return
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": self.verifier}
        status, body, lost = await self._ask(**form)
        assert status == 200 or (lost and body["error"] == "invalid_grant"), body
        self.tokens = body if status == 200 else None
        self.ended += status != 200

    async def _refresh(self, before: dict[str, Any]) -> None:
        """Tokens for the newest refresh token; where the answer was lost, that it comes twice has ended everything."""
        status, body, lost = await self._ask(grant_type="refresh_token", refresh_token=before["refresh_token"])
        assert status == 200 or (lost and body["error"] == "invalid_grant"), body
        newest = body if status == 200 else before
        assert await self.opens(newest) == (200 if status == 200 else 401)
        self.tokens = body if status == 200 else None
        self.ended += status != 200
        self.refreshed += status == 200

    async def opens(self, tokens: dict[str, Any]) -> int:
        """What the API answers to an access token."""
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        return (await self.phone.told("GET", "/api/v1/account", headers=headers)).status_code


def told(answer: httpx.Response) -> str:
    """What was answered, for whoever reads why a test failed."""
    return f"{answer.status_code} {answer.headers} {answer.text[:1000]}"


async def lists_follow(blocker: Blocker, *stations: Any) -> None:
    """Wait until the stations' own lists say what the cards are."""
    await until(lambda: all(blocker.listed(one.local_list) for one in stations), "the lists of the stations")
