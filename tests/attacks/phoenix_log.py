"""The log's keeper, which rises again each time it is killed: ``python -m tests.attacks.phoenix_log DATABASE KEY``."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.attacks.nest import rise
from tests.logs import kept

MORE = 40
"""Deeds of each round."""


async def live(database: str, key: str) -> None:
    """Do and log without end: somebody kills it."""
    async with kept(database, Path(key), log_checkpoint_s=0) as one:
        while True:
            await one.deeds(MORE)
            await one.keeper.look()


if __name__ == "__main__":
    rise(lambda: live(*sys.argv[1:]))
