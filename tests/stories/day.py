"""A full day of an installation with more than five hundred personal values planted wherever people leave them.

Every value holds one of two marks, so that a search for the marks is a search for all of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from tests.commanding import command
from tests.doors import until
from tests.stories.mortal import API, Mailbox, Phone, Pole, environment
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import person

WORD = "Qorvexa"
"""In every name, address, label and plate that is planted."""
NUMBER = "04C0FFEE17"
"""How every card number that is planted begins."""
NETWORK = "2001:db8:c0ff"
"""Where whoever comes by a browser comes from, as their proxy says."""
MARKS = (WORD.lower(), NUMBER.lower(), NETWORK)
COMPANY_CARDS, DRIVERS, STRANGERS = 150, 30, 40
SELLER = {
    "seller_name": "Strom & Rad GmbH",
    "seller_street": "Hauptplatz 1",
    "seller_postcode": "1010",
    "seller_city": "Wien",
    "seller_country": "AT",
    "seller_vat_id": "ATU12345678",
    "seller_iban": "AT611904300234573201",
}
PRICE = {
    "currency": "EUR",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.5, "vat": 20, "step_size": 1}]}],
    "tax_included": "YES",
}


def number(place: int) -> str:
    """One planted card number."""
    return f"{NUMBER}{place:04X}"


@dataclass(slots=True)
class Member:
    """A driver with an account, and what they gave of themselves."""

    place: int
    email: str
    name: str
    label: str
    number: str
    phone: Phone


@dataclass(slots=True)
class Life:
    """`wattkeeper serve` as its operator runs it; all that it says is kept in a file."""

    settings: Settings
    folder: Path
    told: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What every command reads."""
        return environment(self.settings) | {f"WATTKEEPER_{name.upper()}": value for name, value in self.told.items()}

    async def begin(self) -> None:
        """Open the doors."""
        with (self.folder / "serve.log").open("ab") as said:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - it is not waited for
                [sys.executable, "-m", "wattkeeper", "serve"],
                stdout=said,
                stderr=said,
                env=self.environment,
                start_new_session=True,
            )
        await until(self._answers, "an open door")

    async def _answers(self) -> bool:
        """Whether the people's door is open, which is the last to open."""
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "serve.log").read_text()
        address = f"http://127.0.0.1:{self.settings.http_port}{API}/health"
        async with httpx.AsyncClient(trust_env=False) as anybody:
            with suppress(httpx.TransportError):
                return (await anybody.get(address)).status_code == 200
        return False

    def die(self) -> None:
        """The power goes."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """It is stopped as one stops it."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    async def command(self, *words: str, ends: tuple[int, ...] = (0,)) -> str:
        """Run a command; what it printed, which is kept too. ``ends`` are the codes that it may end with."""
        told = await asyncio.to_thread(command, words, self.environment | {"COLUMNS": "300"}, 120.0)
        with (self.folder / "commands.log").open("a") as said:
            said.write(told[1] + told[2])
        assert told[0] in ends, f"{words} {told[1][-500:]} {told[2][-1500:]}"
        return told[1]


# --- who leaves what ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Day:
    """What happens from morning to night."""

    life: Life
    office: Phone
    """The operator's program, with a token."""
    poles: list[Pole]
    members: list[Member] = field(default_factory=list)
    planted: set[str] = field(default_factory=set)

    def plant(self, value: str) -> str:
        """Remember a value that is given away now."""
        assert any(mark in value.lower() for mark in MARKS), value
        self.planted.add(value)
        return value

    async def morning(self) -> None:
        """Prices are set, a fleet's cards are imported, drivers sign up."""
        assert (await self.office.told("PUT", f"{API}/tariffs", json=PRICE)).status_code < 300
        lines = [f"{self.plant(number(place))};{self.plant(f'{WORD} Fleet {place}')}" for place in range(COMPANY_CARDS)]
        listed = "\n".join(["number;name", *lines])
        told = {"content": listed, "headers": {"Content-Type": "text/csv"}}
        answer = await self.office.told("POST", f"{API}/cards/import", **told)
        assert answer.status_code == 200, answer.text
        mailbox = Mailbox(self.office)
        for place in range(DRIVERS):
            self.members.append(await self._join(place, mailbox))

    async def _join(self, place: int, mailbox: Mailbox) -> Member:
        """Somebody signs up, and adds a card at a station."""
        email, name = self.plant(f"vera.{place}@{WORD.lower()}.example"), self.plant(f"Vera {WORD} {place}")
        member = Member(
            place, email, name, self.plant(f"{WORD}'s fob {place}"), number(1000 + place), Phone(self.life.settings)
        )
        device = self.plant(f"{WORD}-Browser/{place}.0 (Linux)")
        member.phone.client.headers.update(
            {"User-Agent": device, "X-Forwarded-For": self.plant(f"{NETWORK}:{place + 1:x}::17")}
        )
        asked = {"email": email, "name": name, "password": self.plant(f"{WORD} long password {place}")}
        assert (await member.phone.told("POST", f"{API}/sign-up", json=asked)).status_code == 202
        code = await mailbox.link(email)
        assert (await member.phone.told("POST", f"{API}/verify", json={"code": code})).status_code == 200
        return member

    async def noon(self) -> None:
        """Cards are added by a tap, and everybody charges."""
        await asyncio.gather(*(pole.boot() for pole in self.poles))
        for member in self.members:
            pole = self.poles[member.place % len(self.poles)]
            wish = {"station": pole.name, "label": member.label}
            wished = await member.phone.told("POST", f"{API}/enrolments", json=wish)
            assert wished.status_code == 201, wished.text
            assert await pole.tap(self.plant(member.number)) == "Accepted"
        queue = [member.number for member in self.members] + [number(place) for place in range(20)]
        await asyncio.gather(*(self._queue(pole, queue[at :: len(self.poles)]) for at, pole in enumerate(self.poles)))

    async def _queue(self, pole: Pole, numbers: list[str]) -> None:
        """One after the other charges at a station."""
        for one in numbers:
            await pole.visit(one)

    async def odd_hours(self) -> None:
        """Strangers try what they have; people and stations say what nobody can read."""
        for place in range(STRANGERS):
            pole = self.poles[place % len(self.poles)]
            assert await pole.tap(self.plant(number(2000 + place))) != "Accepted"
            wrong = self.plant(f"stranger.{place}@{WORD}.example")
            asked = {"name": wrong, "password": self.plant(f"{WORD} guess {place}")}
            assert (await self.office.ask_as_stranger("POST", f"{API}/sign-in", json=asked)).status_code in (401, 429)
        for path in (f"/{WORD}", f"{API}/cards/{number(1)}", f"/sessions?q={WORD}", f"{API}/sessions?card={number(2)}"):
            assert (await self.office.ask_as_stranger("GET", path)).status_code < 500
        for body in (f'{{"number": "{number(3)}", "name": ', f'{{"number": ["{number(3)}"], "{WORD}": 1}}'):
            told = {"content": body, "headers": {"Content-Type": "application/json"}}
            assert (await self.office.told("POST", f"{API}/cards", **told)).status_code == 422

    async def evening(self) -> None:
        """Bills are made out, papers fetched, exports drawn."""
        for member in self.members:
            bills = await self._billed(member)
            if member.place % 2 == 0:
                buyer = {
                    "name": self.plant(f"{WORD} Buyer {member.place}"),
                    "street": self.plant(f"{WORD}gasse {member.place}"),
                    "postcode": "1010",
                    "city": self.plant(f"{WORD}-Stadt {member.place}"),
                    "country": "AT",
                }
                made = await member.phone.told("POST", f"{API}/bills/{bills[0]['number']}/invoice", json=buyer)
                assert made.status_code == 200, made.text
                assert made.content.startswith(b"%PDF")

    async def _billed(self, member: Member) -> list[dict[str, Any]]:
        """The bills of a driver, once there are any."""
        try:
            return list(await until(lambda: _bills(member), "a bill"))
        except AssertionError as late:
            late.add_note(str((await self.office.see("/holds"))["items"][:2]))
            late.add_note(str((await member.phone.see("/sessions"))["items"]))
            raise

    async def exports(self) -> None:
        """Everything that a command writes to a file or to the screen."""
        folder = self.life.folder / "exports"
        folder.mkdir(exist_ok=True)
        month = datetime.now(UTC).strftime("%Y-%m")
        for words in (
            ("sessions", "list"),
            ("revenue", "--month", month),
            ("bills", "list"),
            ("bills", "holds"),
            ("audit", "ledger"),
            ("books", "bills", str(folder / "bills.csv"), "--month", month),
            ("register",),
            ("staff", "list"),
            ("log", "export", str(folder / "log")),
            ("verify", "log", str(folder / "log"), "--key", str(folder / "log" / "key")),
            ("audit", "log"),
            ("backup", str(folder / "backup")),
            ("books", "entries", str(folder / "entries.parquet"), "--month", month),
        ):
            await self.life.command(*words)
        await self.life.command("audit", "sessions", ends=(0, 1))

    async def night(self) -> None:
        """Everybody is forgotten, whatever they owe, while the doors are open."""
        store = Store(self.life.settings.database)
        async with store.read() as connection:
            everybody = list((await connection.execute(select(person.c.id))).scalars())
        await store.close()
        listed = self.life.folder / "everybody.txt"
        listed.write_text("\n".join(everybody))
        await self.life.command("privacy", "erase", "--many", str(listed), "--yes", "--despite")
        listed.unlink()


async def _bills(member: Member) -> list[dict[str, Any]]:
    """The bills of a driver."""
    return list((await member.phone.see("/bills"))["items"])
