"""Run a fleet: `python -m wattkeeper.simulator fleet.json`, or with the description on standard input."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from wattkeeper.simulator.fleet import Fleet, FleetError, read_fleet, run_fleet


def say(text: str) -> None:
    """One line for people, at once."""
    print(text, flush=True)


async def run_until_told(fleet: Fleet) -> None:
    """Run until Ctrl-C or SIGTERM, then hang up in good order."""
    running = asyncio.ensure_future(run_fleet(fleet, say))
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        say("The stations have hung up.")


def main(arguments: Sequence[str]) -> int:
    """Read the description and run it; 2 when it makes no sense."""
    text = Path(arguments[0]).read_text("utf-8") if arguments else sys.stdin.read()
    try:
        fleet = read_fleet(text)
    except FleetError as error:
        print(error, file=sys.stderr)
        return 2
    asyncio.run(run_until_told(fleet))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
