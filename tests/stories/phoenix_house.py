"""``wattkeeper serve`` that rises again after each death: everything is imported once, each life is a fork.

``python -m tests.stories.phoenix_house`` with the settings in the environment prints the process id of each life.
"""

from __future__ import annotations

import os
import signal
import sys

import aiosqlite  # noqa: F401 - here and below: once, before the first life
import asyncpg  # noqa: F401
import uvicorn.protocols.http.httptools_impl  # noqa: F401

import wattkeeper.gateway
import wattkeeper.web.listening  # noqa: F401
from wattkeeper.commands.installation import serve
from wattkeeper.operations.cards.lists import local_list
from wattkeeper.operations.people.letters import post
from wattkeeper.operations.people.sign_in import totp
from wattkeeper.web.app import _api

CODE_S = 60
"""How long a code of an app is that of now: twice as long as elsewhere, for other tests run beside these lives."""


def hurry() -> None:
    """What waits for rest only to spare the machine waits no longer than a short life lasts."""
    for name, seconds in (("SETTLE_S", 0.02), ("GATHER_S", 0.01), ("RETRY_S", 0.05)):
        assert hasattr(local_list, name)
        setattr(local_list, name, seconds)
    assert hasattr(post, "EVERY_S")
    setattr(post, "EVERY_S", 0.05)  # noqa: B010 - a constant elsewhere


def main() -> None:
    """Live again until the whole group of processes is ended, or a life ends by itself, which is a failure."""
    hurry()
    assert hasattr(totp, "STEP_S")
    setattr(totp, "STEP_S", CODE_S)  # noqa: B010 - a constant elsewhere
    _api()
    while True:
        life = os.fork()
        if life == 0:
            os.dup2(2, 1)
            serve(None)
            os._exit(0)
        print(life, flush=True)
        _, status = os.waitpid(life, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit(f"a life ended by itself: {status}")


if __name__ == "__main__":
    main()
