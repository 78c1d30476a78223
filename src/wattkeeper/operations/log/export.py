"""The log as plain files: written so that it can go on where it was left, and never over a log that it continues not.

The layout stands in `vault/copy.py`. The checkpoint is written last: whoever reads meanwhile sees the older log, whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson

from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.log.proving import Log
from wattkeeper.vault.copy import CHECKPOINT, CHECKPOINTS, KEY, KEYS, Copy, Damaged, tile_path
from wattkeeper.vault.durable import put
from wattkeeper.vault.transparency import HEIGHT, WIDTH

Progress = Callable[[int, int], None]
OTHER_LOG = phrase(
    "What stands in {folder} is another log: the one here does not begin with its {size} entries. Either this database "
    "was changed or is an older copy, or the folder is another's. Nothing was written."
)
CHECKPOINTS_AT_ONCE: Final = 1_000


async def export(log: Log, folder: Path, progress: Progress = lambda done, of: None) -> int:
    """Write the log as far as its newest checkpoint goes; how many entries. Refusal CONFLICT, NOT_FOUND; OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    await _need_continued(log, folder)
    newest = await log.checkpointed()
    note = await log.checkpoint()
    for n in range((newest.size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, newest.size - n * WIDTH)
        if not _is_there(folder, n, width):
            await _entries(log, folder, n, width)
        progress(n * WIDTH + width, newest.size)
    await _nodes(log, folder, newest.size)
    await _checkpoints(log, folder)
    put(folder / KEYS, b"".join([orjson.dumps(one) + b"\n" for one in await _keys(log)]))
    put(folder / KEY, "".join([f"{key}\n" for key in await log.keys()]).encode())
    put(folder / CHECKPOINT, note.encode())
    return newest.size


async def _need_continued(log: Log, folder: Path) -> None:
    """Refusal CONFLICT where the folder holds a log that this one does not continue."""
    if not (folder / CHECKPOINT).exists():
        return
    try:
        had = Copy(folder).newest().checkpoint
    except (Damaged, ValueError):
        raise Refusal(Code.CONFLICT, OTHER_LOG.filled(folder=str(folder), size="?")) from None
    newest = await log.checkpointed()
    if had.size > newest.size or await log.root_at(had.size) != had.root:
        raise Refusal(Code.CONFLICT, OTHER_LOG.filled(folder=str(folder), size=had.size))


def _is_there(folder: Path, n: int, width: int) -> bool:
    """Whether both files of a tile were written: what is there is whole, for it is renamed into its place."""
    return (folder / tile_path(0, n, width)).exists() and (folder / tile_path("entries", n, width)).exists()


async def _entries(log: Log, folder: Path, n: int, width: int) -> None:
    """The entries of a tile, and their hashes."""
    put(folder / tile_path("entries", n, width), await log.bundle(n, width))
    put(folder / tile_path(0, n, width), await log.tile(0, n, width))


async def _nodes(log: Log, folder: Path, size: int) -> None:
    """The tiles above the entries' own."""
    level = 1
    while nodes := size >> (HEIGHT * level):
        for n in range((nodes + WIDTH - 1) // WIDTH):
            width = min(WIDTH, nodes - n * WIDTH)
            path = folder / tile_path(level, n, width)
            if not path.exists():
                put(path, await log.tile(level, n, width))
        level += 1


async def _checkpoints(log: Log, folder: Path) -> None:
    """Every checkpoint, one a line, with what witnesses said of it."""
    path = folder / CHECKPOINTS
    made = path.with_name(path.name + ".new")
    with made.open("wb") as file:
        size = 0
        while some := await log.checkpoints(size, CHECKPOINTS_AT_ONCE):
            file.writelines(orjson.dumps({"size": at, "note": note}) + b"\n" for at, note in some)
            size = some[-1][0]
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


async def _keys(log: Log) -> list[dict[str, Any]]:
    """For each key, the entry that announced it, opened."""
    found = []
    for n in await log.deeds(DeedKind.LOG_KEY):
        try:
            found.append((await log.opened("deed", str(n))).told())
        except Refusal:  # no checkpoint covers it yet
            continue
    return found
