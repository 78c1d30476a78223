"""Whose turn it is where several processes share the tests: what goes by the clock goes first, the others rest.

What takes longest begins as soon as it can, so that nobody waits for it at the end.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Generator
from functools import lru_cache
from pathlib import Path
from typing import IO

import pytest

LONGEST_BEGIN_S = 60
"""How long processes wait for the one that has the tests that need quiet."""


def needs_quiet(item: pytest.Item | None) -> bool:
    """Whether a test goes by the clock."""
    return item is not None and item.get_closest_marker("alone") is not None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs quiet comes first: one process has it all, one after the other, and the others wait once.

    Each process is at first given as many tests as every other, in their order: what is long is where each begins.
    """
    quiet, long, short = (list[pytest.Item]() for _ in range(3))
    for item in items:
        (quiet if needs_quiet(item) else long if item.get_closest_marker("long") else short).append(item)
    _is_ours.awaited = bool(quiet)
    count, taken = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), 0
    for number in range(count):
        first = (quiet if number == 0 else []) + long[count - 1 - number :: count]
        here = max(len(first), (len(items) - taken) // (count - number))
        items[taken : taken + here] = first + [short.pop(0) for _ in range(here - len(first))]
        taken += here


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Wait for quiet, or for the end of somebody's; it is kept for the next test that needs it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return (yield)
    if not _is_ours.held:
        if not needs_quiet(item):
            _let_quiet_begin(run)
        queue, room = _files(run)
        fcntl.flock(queue, fcntl.LOCK_EX)  # whoever waits for quiet is not overtaken by those who need none
        fcntl.flock(room, fcntl.LOCK_EX if needs_quiet(item) else fcntl.LOCK_SH)
        fcntl.flock(queue, fcntl.LOCK_UN)
        if needs_quiet(item):
            (_folder(run) / "begun").touch()
    try:
        return (yield)
    finally:
        _is_ours.held = needs_quiet(item) and needs_quiet(nextitem)
        if not _is_ours.held:
            fcntl.flock(_files(run)[1], fcntl.LOCK_UN)


def _let_quiet_begin(run: str) -> None:
    """Before the first test of a process: whoever has those that need quiet has the room first and waits for nobody."""
    begun, end = _folder(run) / "begun", time.monotonic() + LONGEST_BEGIN_S
    while _is_ours.awaited and not begun.exists() and time.monotonic() < end:
        time.sleep(0.05)
    _is_ours.awaited = False


class _Quiet:
    """What this process knows of quiet."""

    held = False
    """Whether it has the room to itself, from one test to the next."""
    awaited = False
    """Whether some test needs it, and this process has not begun yet."""


_is_ours = _Quiet()


@lru_cache(maxsize=1)
def _files(run: str) -> tuple[IO[str], IO[str]]:
    """The two locks of a run: whose turn it is to ask, and the room."""
    folder = _folder(run)
    return (folder / "queue").open("w"), (folder / "room").open("w")


def _folder(run: str) -> Path:
    """Where the processes of a run find each other's files."""
    folder = Path(tempfile.gettempdir()) / f"wattkeeper-turns-{run}"
    folder.mkdir(exist_ok=True)
    return folder
