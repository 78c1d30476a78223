"""The witness at work: it follows the logs it knows, and keeps its doors open."""

from __future__ import annotations

import asyncio
import fcntl
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import uvicorn

from wattkeeper.vault.note import NoteRefused
from wattkeeper.witness.following import Follower, Outcome
from wattkeeper.witness.judging import Witness
from wattkeeper.witness.memory import Memory
from wattkeeper.witness.serving import Door

log = logging.getLogger("wattkeeper.witness")


@contextmanager
def opened(folder: Path) -> Iterator[Witness]:
    """The witness of a folder, while nobody else is; raises NoteRefused."""
    memory = Memory(folder)
    signer = memory.signer()
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NoteRefused(f"Another process is the witness in {folder} already.") from None
        memory.load()
        yield Witness(memory, signer, [key for key, _ in memory.known()])


@asynccontextmanager
async def followers(witness: Witness) -> AsyncIterator[list[Follower]]:
    """Those who look at each log that is followed."""
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False) as client:
        known = witness.memory.known()
        yield [Follower(witness, key, address, client) for key, address in known if address]


async def look(witness: Witness) -> Outcome:
    """Look once at every log; the worst that came of it."""
    async with followers(witness) as every:
        outcomes = [await one.look() for one in every]
    if Outcome.ALARM in outcomes:
        return Outcome.ALARM
    return max(outcomes, default=Outcome.NOT_REACHED)


async def run(witness: Witness, every_s: float, host: str, port: int) -> None:
    """Follow and serve, until cancelled; ``port`` 0 opens no door."""
    tasks = [asyncio.create_task(_follow(witness, every_s))]
    if port:
        config = uvicorn.Config(Door(witness), host, port, lifespan="off", log_config=None, limit_concurrency=200)
        tasks.append(asyncio.create_task(uvicorn.Server(config).serve()))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(witness: Witness, every_s: float) -> None:
    """Look, and again."""
    async with followers(witness) as every:
        while True:
            for one in every:
                await one.look()
            await asyncio.sleep(every_s)
