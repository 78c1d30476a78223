"""An import that is killed at any moment: told again it gives each session once, whole."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.history.test_import import HERE, MAPPINGS, House
from tests.test_command_line import environment

FILE = HERE / "data" / "workplace_sessions.csv"
MAPPING = MAPPINGS / "workplace_sessions.toml"
WHOLE, WHOLE_WH = 3_395, 19_723_690
KILLS = 3


def sessions(folder: Path) -> int:
    """How many sessions are recorded; 0 where there is no database yet."""
    try:
        with closing(sqlite3.connect(folder / "house.db", timeout=30)) as connection:
            return int(connection.execute("SELECT count(*) FROM session").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def killed(folder: Path, after: int) -> None:
    """Begin to import, and kill it once so many sessions are there."""
    words = ("import", "sessions", str(FILE), "--mapping", str(MAPPING), "--make-stations")
    importing = subprocess.Popen((sys.executable, "-m", "wattkeeper", *words), env=environment(folder))
    try:
        while importing.poll() is None and sessions(folder) < after:
            time.sleep(0.005)
        time.sleep(random.random() / 20)
    finally:
        importing.kill()
        importing.wait()


def test_an_import_that_was_killed_is_made_whole_by_the_next(house: House) -> None:
    for number in range(KILLS):
        killed(house.folder, after=number * WHOLE // (KILLS + 1))
    there = sessions(house.folder)
    told = house.told(FILE, "--make-stations", mapping=MAPPING)
    assert told["not_taken"] == []
    assert told["imported"] + told["already"] == WHOLE
    assert told["already"] <= there <= WHOLE
    assert house.rows("SELECT count(*), sum(energy_wh) / 1000000 FROM session") == [(WHOLE, WHOLE_WH)]
    assert house.rows("SELECT DISTINCT state FROM session") == [("ended",)]
    assert house.rows("SELECT count(*) FROM journal") >= [(2 * WHOLE,)]
    assert house.told(FILE, mapping=MAPPING)["already"] == WHOLE


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_import_that_somebody_stops_says_how_far_it_is_and_goes_on(house: House, stop: signal.Signals) -> None:
    words = ("import", "sessions", str(FILE), "--mapping", str(MAPPING), "--make-stations")
    command = (sys.executable, "-m", "wattkeeper", *words)
    importing = subprocess.Popen(command, env=environment(house.folder), stderr=subprocess.PIPE, text=True)
    while importing.poll() is None and sessions(house.folder) < 200:
        time.sleep(0.005)
    importing.send_signal(stop)
    _, said = importing.communicate()
    assert importing.returncode == 130, "a script sees that it was not done"
    assert "of 3,395 sessions that were not here are imported. The same command goes on" in " ".join(said.split())
    there = sessions(house.folder)
    told = house.told(FILE, mapping=MAPPING)
    assert told["imported"] + told["already"] == WHOLE and told["already"] >= min(there, WHOLE) - 1
