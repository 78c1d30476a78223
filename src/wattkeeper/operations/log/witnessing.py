"""Each checkpoint is sent to the witnesses that the settings name; what they say of it is kept beside it.

They are asked as C2SP tlog-witness says. One that is away is asked again with the next checkpoint, one that refuses
because it has seen another log is an alarm: either this database was changed, or that witness watches another.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable
from typing import Final

import httpx

from wattkeeper.bus import Bus
from wattkeeper.operations.log.keeper import TOPIC
from wattkeeper.operations.log.proving import Log
from wattkeeper.operations.people.security import Case, note
from wattkeeper.operations.watching import watch
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.log import checkpoint
from wattkeeper.store.log.checkpoint import CheckpointRow
from wattkeeper.vault.note import NoteRefused, Verifier, read_note, read_verifier

log = logging.getLogger("wattkeeper.log")

PATIENCE_S: Final = 10.0
MOST_S: Final = 30.0
MOST_BYTES: Final = 10_000
REST_S: Final = 300
"""After how long witnesses that were away are asked again, seconds."""


class Witnessing:
    """Asks the witnesses, for as long as the installation runs; raises NoteRefused where a key of theirs is none."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        settings: Settings,
        proofs: Log,
        client: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(follow_redirects=False, trust_env=False),
    ) -> None:
        self._store = store
        self._bus = bus
        self._proofs = proofs
        self._client = client
        self._addresses = [one.strip().rstrip("/") for one in settings.log_witnesses.split(",") if one.strip()]
        self._keys = [read_verifier(one) for one in settings.log_witness_keys.split(",") if one.strip()]
        self._seen: dict[str, int] = {}

    async def run(self) -> None:
        """Ask with every checkpoint, until cancelled."""
        if self._addresses:
            await watch(self._bus, (TOPIC,), self.look, log, rest_s=REST_S)

    async def look(self) -> None:
        """Ask each witness about the newest checkpoint, where it has not spoken on it yet."""
        async with self._store.read() as connection:
            newest = await checkpoint.newest(connection)
        if newest is None:
            return
        async with self._client() as client:
            for address in self._addresses:
                if self._seen.get(address) != newest.size:
                    await self._ask(client, address, newest)

    async def _ask(self, client: httpx.AsyncClient, address: str, newest: CheckpointRow) -> None:
        """Ask one witness; once more, where it says from where it has to be told."""
        for _ in range(2):
            first = min(self._seen.get(address, 0), newest.size)
            try:
                async with asyncio.timeout(MOST_S):
                    answer = await _said(client, f"{address}/add-checkpoint", await self._request(first, newest))
                if answer.status_code == 200:
                    await self._keep(address, newest, answer.text)
                    return
            except (httpx.HTTPError, NoteRefused, TimeoutError) as problem:
                log.warning("the witness at %s was not reached: %s", address, type(problem).__name__)
                return
            size = answer.text.strip()[:20]
            if answer.status_code != 409 or not size.isdecimal() or int(size) > newest.size or int(size) == first:
                note(Case.WITNESS_REFUSED, place=address)
                log.error("ALARM the witness at %s refuses the log: %s %s", address, answer.status_code, size)
                return
            self._seen[address] = int(size)

    async def _request(self, first: int, newest: CheckpointRow) -> bytes:
        """What a witness is asked."""
        path = await self._proofs.consistency(first, newest.size) if first else []
        steps = "".join(f"{base64.b64encode(step).decode()}\n" for step in path)
        return f"old {first}\n{steps}\n{newest.note}".encode()

    async def _keep(self, address: str, newest: CheckpointRow, lines: str) -> None:
        """Keep what a witness said, where its key is known and its signature holds."""
        said = read_note(newest.note + lines)
        spoke = said.opened(self._keys)
        self._seen[address] = newest.size
        if self._keys and not spoke:
            note(Case.WITNESS_REFUSED, place=address)
            log.error("ALARM the witness at %s took a checkpoint and did not cosign it by a key that is known", address)
        async with self._store.unit() as unit:
            for one in said.signatures:
                if any(_is_of(one.name, one.key_id, key) for key in spoke):
                    await checkpoint.cosign(unit, newest.size, one.name, one.line())


async def _said(client: httpx.AsyncClient, address: str, asked: bytes) -> httpx.Response:
    """What a witness answers; of a long answer only its beginning is read."""
    async with client.stream("POST", address, content=asked, timeout=PATIENCE_S) as answer:
        body = b""
        async for some in answer.aiter_bytes():
            body += some
            if len(body) > MOST_BYTES:
                break
    return httpx.Response(answer.status_code, content=body[:MOST_BYTES])


def _is_of(name: str, key_id: bytes, key: Verifier) -> bool:
    """Whether a signature names this key."""
    return (name, key_id) == (key.name, key.key_id)
