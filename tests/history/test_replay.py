"""Real sessions told by real connections count as the same sessions imported from their file: to the last digit."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.history.test_import import HERE, MAPPINGS, House
from wattkeeper.store.tables import TOTALS

SOME = 120


def rows(house: House) -> dict[str, list[tuple[Any, ...]]]:
    """Every total that is something."""
    return {table.name: sorted(house.rows(f"SELECT * FROM {table.name}")) for table in TOTALS}


def first_rows(folder: Path) -> Path:
    """The first sessions of the file, as they began."""
    with (HERE / "data" / "workplace_sessions.csv").open(encoding="ascii", newline="") as file:
        head, *told = csv.reader(file)
    told.sort(key=lambda row: row[head.index("created")])
    path = folder / "first.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *told[:SOME]])
    return path


@pytest.mark.long
def test_what_is_told_by_stations_counts_as_what_is_imported(tmp_path: Path) -> None:
    (tmp_path / "told").mkdir()
    (tmp_path / "taken").mkdir()
    told, taken = House(tmp_path / "told"), House(tmp_path / "taken")
    code, out, err = told.run("simulate", "--replay", "--most", str(SOME))
    assert code == 0, err
    assert f"{SOME} sessions were told by" in out
    code, out, err = taken.take(first_rows(tmp_path), "--make-stations", mapping=MAPPINGS / "workplace_sessions.toml")
    assert code == 0, err
    assert taken.run("statistics", "rebuild")[0] == 0
    assert rows(told) == rows(taken)
    assert {grade for (grade,) in told.rows("SELECT DISTINCT grade FROM session")} <= {"measured", "disputed"}
    assert taken.rows("SELECT DISTINCT grade FROM session WHERE grade = 'measured'") == []
    sessions = "SELECT key, started_at, ended_at, energy_wh FROM session ORDER BY key"
    before = told.rows(sessions)
    code, _, err = told.run("simulate", "--replay", "--most", str(SOME))
    assert code == 0, err
    assert told.rows(sessions) == before


def test_a_replay_goes_into_no_installation_that_has_stations(house: Any, tmp_path: Path) -> None:
    house.run("stations", "add", "MINE")
    code, _, err = house.run("simulate", "--replay", "--most", "3")
    assert code == 1
    assert "has stations or sessions of its own" in " ".join(err.split())
    assert house.rows("SELECT id FROM station") == [("MINE",)]


def test_a_replay_leaves_history_of_the_same_stations_alone(tmp_path: Path) -> None:
    """The same sessions, imported: no key is another afterwards, and nothing was told."""
    house = House(tmp_path)
    file, mapping = first_rows(tmp_path), MAPPINGS / "workplace_sessions.toml"
    assert house.take(file, "--make-stations", mapping=mapping)[0] == 0
    kept = "SELECT id, key_hash, created_by FROM station ORDER BY id", "SELECT id FROM session ORDER BY id"
    before = [house.rows(query) for query in kept]
    code, out, err = house.run("simulate", "--replay", "--most", "3")
    assert (code, out) == (1, "") and "has stations or sessions of its own" in " ".join(err.split())
    assert [house.rows(query) for query in kept] == before


def test_a_replay_goes_not_beside_history_at_its_own_stations(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.run("simulate", "--replay", "--most", "3")[0] == 0
    assert house.run("simulate", "--replay", "--most", "4")[0] == 0
    assert house.take(first_rows(tmp_path), "--make-stations", mapping=MAPPINGS / "workplace_sessions.toml")[0] == 0
    code, _, err = house.run("simulate", "--replay", "--most", "5")
    assert code == 1 and "has stations or sessions of its own" in " ".join(err.split())
