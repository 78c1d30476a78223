"""Following a log by its public doors: its checkpoint, and a proof that it continues what was seen last."""

from __future__ import annotations

import asyncio
from enum import IntEnum
from logging import getLogger
from typing import Any, Final

import httpx

from wattkeeper.vault.note import NoteRefused, Verifier, read_checkpoint, read_note
from wattkeeper.witness.judging import Refused, Witness

log = getLogger("wattkeeper.witness")
PATIENCE_S: Final = 20.0
MOST_S: Final = 120.0
"""How long one look may take: a log that answers a byte at a time must not keep the witness from the others."""
MOST_BYTES: Final = 1_000_000


class Outcome(IntEnum):
    """What a look came to; the numbers are the exit codes of `wattkeeper witness look`."""

    GOOD = 0
    ALARM = 1
    NOT_REACHED = 2


class Unreachable(Exception):  # noqa: N818 - to be away is no crime
    """The log did not answer, or not as a log does."""


class Follower:
    """Looks at one log."""

    def __init__(self, witness: Witness, key: Verifier, address: str, client: httpx.AsyncClient) -> None:
        self._witness = witness
        self._key = key
        self._address = address.rstrip("/")
        self._client = client

    async def look(self) -> Outcome:
        """Cosign what is new, where it continues what was seen; an alarm where it does not."""
        try:
            async with asyncio.timeout(MOST_S):
                outcome = await self._look()
        except (Unreachable, TimeoutError) as why:
            log.warning("%s: not reached: %s", self._key.name, str(why) or "it took too long")
            return Outcome.NOT_REACHED
        if outcome is Outcome.ALARM:
            alarm = self._witness.memory.of(self._key.name).alarms[-1]
            log.error("ALARM %s: %s: %s", self._key.name, alarm.kind, alarm.words)
        return outcome

    async def _look(self) -> Outcome:
        """One look."""
        raw = (await self._get("/log/checkpoint")).text
        try:
            told = read_checkpoint(read_note(raw).text)
        except NoteRefused as refused:
            raise Unreachable(str(refused)) from None
        if told.origin != self._key.name:
            return self._alarm("unknown_key", f"At {self._address} is another log, {told.origin}.", raw)
        seen = self._witness.memory.of(told.origin).seen
        size = seen.size if seen else 0
        if told.size < size:
            if self._witness.judge(raw, told.size, ()).refused is Refused.UNKNOWN_KEY:
                return self._alarm("unknown_key", UNKNOWN.format(size=told.size), raw)
            return self._alarm("rewound", f"It had {size:,} entries and shows {told.size:,}.", raw)
        path = await self._path(size, told.size) if 0 < size < told.size else []
        return self._judged(self._witness.judge(raw, size, path).refused, told.size, size, raw)

    def _judged(self, refused: Refused | None, told: int, size: int, raw: str) -> Outcome:
        """What a judgement means for the log."""
        if refused is None:
            return Outcome.GOOD
        if refused is Refused.UNKNOWN_KEY:
            return self._alarm("unknown_key", UNKNOWN.format(size=told), raw)
        if refused is Refused.OTHER_ROOT:
            return Outcome.ALARM
        if refused is Refused.NO_PROOF:
            return self._alarm("fork", f"Its {told:,} entries do not begin with the {size:,} that were seen.", raw)
        raise Unreachable("it grew while it was looked at, or cannot be read")

    def _alarm(self, kind: str, words: str, raw: str) -> Outcome:
        """Remember an alarm."""
        self._witness.alarm(self._key.name, kind, words, raw)
        return Outcome.ALARM

    async def _path(self, first: int, second: int) -> list[bytes]:
        """The proof that the log gives for having grown; empty where it gives none, which proves nothing."""
        answer = await self._get(f"/api/v1/log/consistency?first={first}&second={second}")
        try:
            told: Any = answer.json()
            return [bytes.fromhex(step) for step in told["path"]][:64]
        except (ValueError, KeyError, TypeError, RecursionError):
            return []

    async def _get(self, path: str) -> httpx.Response:
        """Ask the log; raises Unreachable."""
        try:
            async with self._client.stream("GET", self._address + path, timeout=PATIENCE_S) as answer:
                body = b""
                async for some in answer.aiter_bytes():
                    body += some
                    if len(body) > MOST_BYTES:
                        raise Unreachable("its answer is too long")
        except httpx.HTTPError as problem:
            raise Unreachable(type(problem).__name__) from None
        if answer.status_code in (422, 404) and path.startswith("/api/"):
            return httpx.Response(answer.status_code, content=b"{}")
        if answer.status_code != 200:
            raise Unreachable(f"it answered {answer.status_code}")
        return httpx.Response(200, content=body)


UNKNOWN: Final = (
    "Its checkpoint of {size:,} entries is signed by no key that is known. Where the log began another key, an entry "
    "of it says so: look, then add that key."
)
