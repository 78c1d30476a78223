"""A server that can be killed at any moment: everything is imported once, each life is a fork.

``python -m tests.stories.phoenix DATABASE ROOT_KEY PORT`` prints the process id of each life when its door is open.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from wattkeeper.bus.memory import MemoryBus
from wattkeeper.gateway import Gateway
from wattkeeper.operations.dispatch import Dispatch
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.money.total import Totals
from wattkeeper.operations.safe import open_safe
from wattkeeper.operations.stations.admission import Admission
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store


async def live(settings: Settings) -> None:
    """One life: record facts until killed."""
    store, bus = Store(settings.database), MemoryBus()
    safe = await open_safe(store, settings.root_key)
    intake = Intake(store, safe, bus, settings)
    dispatch = Dispatch(store, safe, bus, settings, intake)
    gateway = Gateway(settings, intake, dispatch, Admission(store, safe, bus, settings), Totals(store, settings))
    await intake.start()
    await gateway.start()
    print(os.getpid(), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Rise again after each death, until the whole group of processes is ended."""
    database, root_key, port = sys.argv[1:4]
    settings = Settings(database=database, root_key=Path(root_key), ocpp_port=int(port))
    while True:
        child = os.fork()
        if child == 0:
            asyncio.run(live(settings))
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
