"""Somebody who replaces every key, again and again, and rises after each death: ``DATABASE ROOT_KEY END``.

Once the file END is there, a life finishes the round it is in, and ends.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from tests.attacks.nest import rise
from wattkeeper.operations.keys import finding, resealing, rotating
from wattkeeper.operations.keys.kinds import KeyKind
from wattkeeper.operations.keys.rotating import ALL, Rotation
from wattkeeper.operations.safe import open_safe
from wattkeeper.store.engines import Store


def in_small_steps() -> None:
    """Many transactions for few rows, so that there are many places to die at."""
    for module, name in (
        (resealing, "PERSONS_AT_ONCE"),
        (resealing, "VALUES_AT_ONCE"),
        (finding, "AT_ONCE"),
        (rotating, "REWRAPPED_AT_ONCE"),
    ):
        assert hasattr(module, name)
        setattr(module, name, 4)


async def rotate(database: str, root: Path, end: Path) -> None:
    """Every key, in rounds."""
    store = Store(database)
    safe = await open_safe(store, root)
    while True:
        last = end.exists()
        for kind in random.sample(ALL, len(ALL)):  # so that each is the first in some life
            if kind is not KeyKind.LOG:
                await Rotation(store, safe, "phoenix").rotate(kind, lambda _: None, end=kind is KeyKind.CODES)
        if last:
            break
    await store.close()


if __name__ == "__main__":
    in_small_steps()
    rise(lambda: rotate(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
