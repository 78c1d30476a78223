"""Wrong guesses at a secret: the first few are free, then each one makes the next wait twice as long."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import Phrase, joined, phrase

SLOTS = 65_536
"""Keys share this many places, so that whoever invents keys cannot fill the memory or push another's count out."""


@dataclass(slots=True)
class _Count:
    """How many guesses there were, and until when (monotonic seconds) no other is heard."""

    guesses: int = 0
    until: float = 0.0


class Attempts:
    """Guesses by key (an account, an address): ``free`` ones, then waits of ``first_s``, doubled up to ``longest_s``.

    A guess is counted before it is judged, so many at once are many; `forgive` takes the count back where it was
    right. A guess that came while waiting changes nothing, so nobody can prolong another's wait at will.
    """

    def __init__(
        self, free: int, longest_s: float, ticks: Callable[[], float] = time.monotonic, first_s: float = 1.0
    ) -> None:
        self._free = free
        self._longest_s = longest_s
        self._first_s = first_s
        self._ticks = ticks
        self._salt = secrets.token_bytes(16)
        self._counts: dict[int, _Count] = {}

    def wait_s(self, key: str) -> float:
        """How long until a guess is heard, seconds; 0 is at once."""
        count = self._counts.get(self._slot(key))
        return max(0.0, count.until - self._ticks()) if count else 0.0

    def count(self, key: str) -> bool:
        """One more guess; whether it is the one that begins the waits."""
        count = self._counts.setdefault(self._slot(key), _Count())
        now = self._ticks()
        if count.guesses and now > count.until + self._longest_s:
            count.guesses = 0
        count.guesses += 1
        over = count.guesses - self._free
        count.until = now + (min(self._first_s * 2.0 ** min(over, 30), self._longest_s) if over >= 0 else 0.0)
        return over == 0

    def forgive(self, key: str) -> None:
        """The guess was right: the key starts anew."""
        self._counts.pop(self._slot(key), None)

    def take_back(self, key: str) -> None:
        """One guess was right: it alone is not counted, so that a right one does not pay for wrong ones."""
        count = self._counts.get(self._slot(key))
        if count is not None:
            count.guesses -= 1
            if count.guesses < self._free:
                count.until = self._ticks()

    def _slot(self, key: str) -> int:
        digest = hashlib.blake2b(key.encode("utf-8", "replace"), key=self._salt, digest_size=4).digest()
        return int.from_bytes(digest) % SLOTS


def need_patience(judges: Sequence[tuple[Attempts, str]], what: Phrase, **more: object) -> bool:
    """Count a guess by each of its keys before it is judged; Refusal BUSY where one of them makes it wait.

    Gives whether this is the guess that begins the waits.

    ``what`` says of what there was too much; the refusal carries ``retry_s``, seconds, and ``more``.
    """
    wait_s = max(attempts.wait_s(key) for attempts, key in judges)
    if wait_s > 0:
        raise Refusal(
            Code.BUSY,
            joined((what, phrase("Try again in {seconds} s.", seconds=round(wait_s)))),
            retry_s=wait_s,
            **more,
        )
    return any([attempts.count(key) for attempts, key in judges])  # each is counted, whatever the others say


def neighbourhood(address: str) -> str:
    """What counts as one address: an IPv4 address, the /64 of an IPv6 address; text that is neither stays itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
