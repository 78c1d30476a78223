"""Lives that rise again after each death: everything is imported once, each life is a fork."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any


def rise(life: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Live again until a life ends by itself: prints the process id of each, and ``done`` or ``failed`` at the end."""
    while True:
        child = os.fork()
        if child == 0:
            os.dup2(2, 1)
            asyncio.run(life())
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print("done" if os.WEXITSTATUS(status) == 0 else "failed", flush=True)
            return
        assert os.WTERMSIG(status) == signal.SIGKILL
