"""While an installation runs: keys that another process replaced are taken up, and what ended is let go of."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from wattkeeper.operations.keys.kinds import KeyKind
from wattkeeper.operations.keys.rotating import Rotation
from wattkeeper.operations.safe import Safe
from wattkeeper.store import key
from wattkeeper.store.engines import Store
from wattkeeper.store.key import Step
from wattkeeper.store.stations import station

log = logging.getLogger("wattkeeper.keys")
LOOK_S: Final = 1.0
"""Whoever asks for something takes up new keys at once; this is for what asks for nothing."""
LET_GO_LOOKS: Final = 60
"""After how many looks keys that are gone leave our memory, and stations are counted."""
BY: Final = "the house"


async def follow(store: Store, safe: Safe) -> None:
    """Look every second; whatever fails is logged and tried again."""
    looks = 0
    while True:
        await asyncio.sleep(LOOK_S)
        looks += 1
        try:
            async with store.read():
                pass  # a look takes up what changed
            if looks % LET_GO_LOOKS == 0:
                safe.let_go()
                await end_stations(store, safe)
        except Exception:
            log.exception("keys could not be looked at; trying again")


async def end_stations(store: Store, safe: Safe) -> None:
    """Destroy the stations' old pepper once every station is known by the new one."""
    async with store.read() as connection:
        newest = await key.newest_of(connection, KeyKind.STATIONS)
        if newest is None or newest.step is Step.ENDED or await station.kept_before(connection, newest.version):
            return
    await Rotation(store, safe, BY).rotate(KeyKind.STATIONS, log.info)
