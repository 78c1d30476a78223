"""All keys are replaced from the command line while the doors are open: nobody is told anything wrong meanwhile."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.doors import KEY, Door, settings_for
from wattkeeper.charging.person import EVERYTHING, Role, Viewer
from wattkeeper.operations.access import Access
from wattkeeper.operations.cards.book import Cards
from wattkeeper.operations.keys import following
from wattkeeper.settings import Settings

STAFF = Viewer("test", Role.OWNER, EVERYTHING)
PASSWORD = "correct horse battery staple"


async def command(settings: Settings, *words: str) -> str:
    """What `wattkeeper keys` says, in a process of its own."""
    told = {"WATTKEEPER_DATABASE": settings.database, "WATTKEEPER_ROOT_KEY": str(settings.root_key)}
    own = {name: value for name, value in os.environ.items() if not name.startswith("WATTKEEPER_")} | told
    program = (sys.executable, "-m", "wattkeeper", "keys", *words)
    process = await asyncio.create_subprocess_exec(
        *program, env=own, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


class Busy:
    """A station that taps, staff who enrol, and somebody who signs in, again and again."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.cards = Cards(door.store, door.safe, door.bus)
        self.access = Access(door.store, door.safe, door.settings)
        self.known = ["04A1B2C3D4"]
        self.taps = self.enrolled = self.looked = 0
        self.stop = asyncio.Event()

    async def tap(self) -> None:
        """Every card that was ever enrolled is accepted, and nobody else's."""
        async with self.door.plugged() as station:
            await station.boot()
            while not self.stop.is_set():
                for number in [*self.known[:3], *self.known[-3:]]:
                    answer = await station.call("Authorize", {"idTag": number})
                    assert answer[2]["idTagInfo"]["status"] == "Accepted", (number, self.taps)
                answer = await station.call("Authorize", {"idTag": "0BADC0DE"})
                assert answer[2]["idTagInfo"]["status"] == "Invalid"
                self.taps += 1
                await asyncio.sleep(0.01)

    async def enrol(self) -> None:
        """New cards come in."""
        while not self.stop.is_set():
            number = f"05{self.enrolled:08X}"
            await self.cards.enroll(number, f"Driver {self.enrolled}", {}, STAFF)
            self.known.append(number)
            self.enrolled += 1
            await asyncio.sleep(0.1)

    async def look(self) -> None:
        """An account is found by its name, and a card's number opens."""
        while not self.stop.is_set():
            for number in self.known[-3:]:
                async with self.door.store.read():
                    ref = self.door.safe.ref(number)
                assert await self.cards.reveal(ref) == number
            self.looked += 1
            await asyncio.sleep(0.02)


async def test_h11_who_is_there_while_keys_change_is_told_nothing_wrong(database: str, tmp_path: Path) -> None:
    door = await (await Door.make(settings_for(database, tmp_path))).open()
    await door.admit("CP1", KEY)
    await door.admit("CP2", KEY[:-2] + "45")
    busy = Busy(door)
    await busy.cards.enroll(busy.known[0], "Ada", {}, STAFF)
    following_ = asyncio.create_task(following.follow(door.store, door.safe))
    working = [asyncio.create_task(work()) for work in (busy.tap, busy.enrol, busy.look)]
    try:
        for _ in range(2):
            said = await command(door.settings, "rotate", "all")
            assert "cards: " in said
            assert not [one for one in working if one.done()], [one.exception() for one in working if one.done()]
        await command(door.settings, "rotate", "codes", "--end")
        busy.stop.set()
        await asyncio.gather(*working)
        assert min(busy.taps, busy.enrolled, busy.looked) > 5
        async with door.plugged("CP2", KEY[:-2] + "45") as station:  # that was away all the while
            await station.boot()
        assert door.safe.ref(busy.known[0]).startswith("p1:")
        async with door.store.read():
            assert door.safe.ref("0BADC0DE").startswith("p3:")
    finally:
        following_.cancel()
        for one in working:
            one.cancel()
        await asyncio.gather(following_, *working, return_exceptions=True)
        await door.close()
