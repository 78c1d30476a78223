"""How many sockets there are, in all and from one address: counted before anything is read from them."""

from __future__ import annotations

from collections import Counter


class Crowd:
    """Counts who is inside; whoever comes when it is full stays out."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._inside: Counter[str] = Counter()
        self._total = 0

    def __len__(self) -> int:
        return self._total

    def let_in(self, address: str) -> bool:
        """Count a socket of this address in, if there is room."""
        if self._total >= self._most or self._inside[address] >= self._most_per_address:
            return False
        self._inside[address] += 1
        self._total += 1
        return True

    def let_out(self, address: str) -> None:
        """Count a socket of this address out again."""
        self._total -= 1
        self._inside[address] -= 1
        if not self._inside[address]:
            del self._inside[address]
