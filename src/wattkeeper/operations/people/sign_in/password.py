"""Passwords of people: argon2id, in a bounded pool beside the loop."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.people.sign_in.guessed import is_guessed
from wattkeeper.operations.people.sign_in.leaked import mark

T = TypeVar("T")
SHORTEST = 15
"""Characters; a password alone, without a second factor, needs that many (NIST SP 800-63B)."""
SHORTEST_WITH_SECOND = 8
"""Characters; what a password needs beside a second factor."""
LONGEST = 512
COST = (3, 32 * 1024)
"""Rounds and KiB of argon2id."""
_WAITING = 32
"""How many may wait for the pool; the rest are asked to come back, so that a flood costs neither memory nor time."""


def _hasher(cost: tuple[int, int]) -> PasswordHasher:
    return PasswordHasher(time_cost=cost[0], memory_cost=cost[1], parallelism=1)


@cache
def _nobody(cost: tuple[int, int]) -> str:
    """What an unknown name's password is checked against, so that it costs as much time as a known one's."""
    return _hasher(cost).hash("nobody's password")


class Passwords:
    """Hashes and checks passwords one at a time (32 MiB each), never on the loop."""

    def __init__(self, cost: tuple[int, int] | None = None, leaked: Container[int] = frozenset()) -> None:
        self._leaked, cost = leaked, cost or COST
        self._hasher = _hasher(cost)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="password")
        self._waiting = 0
        self._nobody = _nobody(cost)

    async def hash(
        self, password: str, shortest: int = SHORTEST, about: Iterable[str] = (), *, familiar: bool = True
    ) -> str:
        """The argon2id hash to keep; Refusal (INVALID) where it is too short, too long or easily guessed, BUSY.

        ``about`` are words that a guesser knows of the person: name, e-mail address. Strangers are not ``familiar``.
        """
        if not shortest <= len(password) <= LONGEST:
            raise Refusal(
                Code.INVALID,
                phrase("A password needs {fewest} to {most} characters.", fewest=shortest, most=LONGEST),
            )
        if is_guessed(password, about):
            raise Refusal(
                Code.INVALID, phrase("This password is among the first that are guessed. Choose words of your own.")
            )
        if mark(password) in self._leaked:
            raise Refusal(
                Code.INVALID, phrase("This password was stolen somewhere and is known. Choose words of your own.")
            )
        return await self._run(self._hash, password, room=_WAITING * 2 if familiar else _WAITING)

    async def fits(self, kept: str | None, password: str, *, familiar: bool = False) -> bool:
        """Whether the password is the one that was kept; as slow where nothing was. Refusal (BUSY) under a flood.

        A flood of strangers leaves room for whoever is ``familiar``.
        """
        bounded = password if len(password) <= LONGEST else ""
        room = _WAITING * 2 if familiar else _WAITING
        fits = await self._run(self._fits, kept or self._nobody, bounded, room=room)
        return fits and kept is not None and bounded == password

    async def _run(self, work: Callable[..., T], *arguments: str, room: int = _WAITING * 2) -> T:
        """Do it in the thread, when it is its turn."""
        if self._waiting >= room:
            raise Refusal(
                Code.BUSY, phrase("Too many people are signing in at this moment. Try again in a few seconds.")
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        finally:
            self._waiting -= 1

    def _hash(self, password: str) -> str:
        return self._hasher.hash(_canonical(password))

    def _fits(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, _canonical(password))
        except (VerificationError, InvalidHashError):
            return False


def _canonical(password: str) -> bytes:
    """One form of what keyboards type in several (NIST SP 800-63B 3.1.1.2: NFKC)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")
