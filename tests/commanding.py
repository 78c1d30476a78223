"""Commands that begin at once: everything is imported one time, and each command is a fork of that process.

Each is a process of its own with its own environment, streams and end, as when a shell starts it; what is spared is
the second that Python needs to import everything, hundreds of times in the tests.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path


def command(words: tuple[str, ...], environment: Mapping[str, str], patience_s: float = 60) -> tuple[int, str, str]:
    """Run ``wattkeeper`` with these words: how it ended, what it printed, what it complained about."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(patience_s)
        line.connect(_nest())
        with line.makefile("rwb") as wire:
            wire.write(json.dumps([list(words), dict(environment), str(Path.cwd())]).encode() + b"\n")
            wire.flush()
            code, out, err = json.loads(wire.readline())
    return int(code), str(out), str(err)


@lru_cache(maxsize=1)
def _nest() -> str:
    """Where commands are asked for; begun once for each process of the tests, and ended with it."""
    folder = tempfile.mkdtemp(prefix="wattkeeper-nest-")
    place = f"{folder}/line"
    nest = subprocess.Popen([sys.executable, "-m", "tests.commanding", place], stdout=subprocess.PIPE)
    atexit.register(nest.kill)
    assert nest.stdout is not None
    assert nest.stdout.readline() == b"open\n"
    return place


# --- the process that commands are forks of ----------------------------------------------------------------


def main(place: str) -> None:
    """Wait for commands for ever; what looks at the environment as it is imported is not imported here."""
    import alembic.command  # noqa: F401 - once, for all
    import rich.table  # noqa: F401
    import typer.main  # noqa: F401

    import wattkeeper.assembly
    import wattkeeper.store.money.revenue  # noqa: F401

    assert "wattkeeper.commands" not in sys.modules

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen(64)
        print("open", flush=True)
        while True:
            line, _ = door.accept()
            if os.fork() == 0:
                door.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _serve(line)
            line.close()


def _serve(line: socket.socket) -> None:
    """Be one command, and tell how it ended."""
    with line.makefile("rwb") as wire, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        words, environment, folder = json.loads(wire.readline())
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        code = _run(words)
        told = []
        for file in (out, err):
            file.seek(0)
            told.append(file.read().decode())
        wire.write(json.dumps([code, *told]).encode() + b"\n")
    os._exit(0)


def _run(words: list[str]) -> int:
    """As ``python -m wattkeeper`` does; the code that it ends with."""
    from wattkeeper.__main__ import main as wattkeeper

    sys.argv = ["wattkeeper", *words]
    code: int | str | None = 0
    try:
        wattkeeper()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code or 0


if __name__ == "__main__":
    main(sys.argv[1])
