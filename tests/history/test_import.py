"""History from another system, as a person imports it: proposed, looked at, told once however often."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.commanding import command
from tests.test_command_line import environment

HERE = Path(__file__).parent
MAPPINGS = HERE.parents[1] / "docs" / "mappings"
MAPPING = """
[columns]
session = "id"
station = "station"
begin = "from"
charged = "full"
end = "to"
energy = "kwh"
card = "card"
paid = "eur"
[times]
zone = "Europe/Berlin"
[times.years]
"0015" = "2015"
[energy]
unit = "kWh"
[paid]
currency = "EUR"
"""
HEAD = "id,station,from,full,to,kwh,card,eur\n"
ROWS = (
    "A,OLD-1,2015-03-02 08:00,2015-03-02 10:00,2015-03-02 12:00,7.2,04AABBCCDD0011,2.16\n"
    "B,OLD-1,0015-03-02 13:00,,2015-03-02 14:00,3,,\n"
    "C,OLD-2,2015-10-25 01:30,,2015-10-25 02:15,0,04AABBCCDD0011,0\n"
)
CARD = b"04AABBCCDD0011"


class House:
    """An installation of its own, and files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mapping = self.write("mapping.toml", MAPPING)

    def write(self, name: str, text: str | bytes) -> Path:
        """A file."""
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def run(self, *words: str) -> tuple[int, str, str]:
        """A command: how it ended, what it printed, what it complained about."""
        return command(words, environment(self.folder))

    def take(self, file: Path, *words: str, mapping: Path | None = None) -> tuple[int, str, str]:
        """Import a file."""
        return self.run("import", "sessions", str(file), "--mapping", str(mapping or self.mapping), *words)

    def told(self, file: Path, *words: str, mapping: Path | None = None) -> dict[str, Any]:
        """What an import says for programs."""
        _, out, err = self.take(file, "--json", *words, mapping=mapping)
        assert out, err
        return dict(json.loads(out))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        with closing(sqlite3.connect(self.folder / "house.db")) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A fresh installation."""
    return House(tmp_path)


def test_what_is_told_twice_is_imported_once(house: House) -> None:
    file = house.write("old.csv", HEAD + ROWS)
    code, out, _ = house.take(file, "--make-stations")
    assert code == 0
    assert "3 rows: 3 imported, 0 here already, 0 not taken." in out
    sessions = "SELECT key, started_at, ended_at, energy_wh, grade, live FROM session ORDER BY key"
    before, journal = house.rows(sessions), house.rows("SELECT count(*) FROM journal")
    assert [(key, ended - started, wh) for key, started, ended, wh, _, _ in before] == [
        ("import:A", 4 * 3600 * 10**6, 7200 * 10**6),
        ("import:B", 3600 * 10**6, 3000 * 10**6),
        ("import:C", 45 * 60 * 10**6, 0),
    ]
    assert {row[4:] for row in before} == {("reconstructed", 0)}
    code, out, _ = house.take(file)
    assert code == 0
    assert "3 rows: 0 imported, 3 here already, 0 not taken." in out
    assert (house.rows(sessions), house.rows("SELECT count(*) FROM journal")) == (before, journal)


def test_a_card_becomes_a_pseudonym_and_is_nowhere_in_clear(house: House) -> None:
    file = house.write("old.csv", HEAD + ROWS)
    house.take(file, "--make-stations")
    file.unlink()
    tokens = house.rows("SELECT DISTINCT token FROM session WHERE token IS NOT NULL")
    assert len(tokens) == 1
    for path in house.folder.rglob("*"):
        if path.is_file():
            assert CARD not in path.read_bytes().upper(), path
    assert house.rows("SELECT count(*) FROM decision") == [(0,)]


def test_nothing_comes_in_at_stations_that_there_are_not(house: House) -> None:
    file = house.write("old.csv", HEAD + ROWS)
    code, _, err = house.take(file)
    assert code == 1
    assert "2 stations of the file are not here, so nothing was imported: OLD-1, OLD-2." in err.replace("\n", " ")
    assert house.rows("SELECT count(*) FROM journal") == [(0,)]
    house.run("stations", "add", "HERE-1")
    renamed = house.write("renamed.toml", MAPPING + '[stations]\nOLD-1 = "HERE-1"\nOLD-2 = "HERE-1"\n')
    assert house.take(file, mapping=renamed)[0] == 0
    assert house.rows("SELECT DISTINCT station_id FROM session") == [("HERE-1",)]


def test_a_bad_row_is_told_with_its_line_and_stops_no_other(house: House) -> None:
    bad = (
        "D,OLD-1,2015-03-03 12:00,,2015-03-03 11:00,1,,\n"
        "E,OLD-1,1015-03-03 12:00,,2015-03-03 13:00,1,,\n"
        "F,OLD-1,2015-03-03 12:00,,,1,,\n"
        "G,,2015-03-03 12:00,,2015-03-03 13:00,1,,\n"
        "H,OLD-1,2015-03-03 12:00,,2015-03-03 13:00,much,,\n"
        "I,OLD-1,noon,,2015-03-03 13:00,1,,\n"
        "A,OLD-1,2015-03-02 08:00,,2015-03-02 12:00,7.3,,\n"
        "J,OLD-1,2015-03-03 12:00,,2115-03-03 13:00,1,,\n"
        ",OLD-1,2015-03-03 12:00,,2015-03-03 13:00,1,,\n"
        "K,OLD-1,2015-03-03 12:00,,2015-03-03 13:00,-1,,\n"
        "L,OLD-1,2015-03-03 12:00,,2015-03-03 13:00,1,not a card!,\n"
        "M,OLD-1,2015-03-03 12:00,,2015-03-03 13:00,1,,,more\n"
    )
    file = house.write("old.csv", HEAD + ROWS + bad)
    assert house.take(file, "--strict", "--make-stations")[0] == 1
    assert house.rows("SELECT count(*) FROM journal") == [(0,)]
    assert house.rows("SELECT count(*) FROM station") == [(0,)]
    code, out, err = house.take(file, "--make-stations")
    assert code == 1
    assert "15 rows: 3 imported, 0 here already, 12 not taken." in out
    assert "not a card" not in out + err
    told = [line.split(": ", 1)[0] for line in err.splitlines() if line.startswith("line ")]
    assert told == [
        *("line 5, column to", "line 6, column from", "line 7, column to", "line 8, column station"),
        *("line 9, column kwh", "line 10, column from", "line 11", "line 12, column to", "line 13, column id"),
        *("line 14, column kwh", "line 15, column card", "line 16"),
    ]
    assert "line 5, column to: It ends before it begins." in err
    assert '"1015" = "2014"' in err
    counts = house.told(file, "--dry-run")["counts"]
    assert counts == {"year": 3, "reversed": 1, "missing": 3, "unreadable": 5, "duplicate": 1, "empty": 1}


def test_what_changed_since_is_told_and_nothing_is_changed(house: House) -> None:
    house.take(house.write("old.csv", HEAD + ROWS), "--make-stations")
    before = house.rows("SELECT fold FROM session")
    code, out, err = house.take(house.write("new.csv", HEAD + ROWS.replace("7.2", "8.2")))
    assert code == 1
    assert "2 here already, 1 not taken" in out
    assert "line 2: It was imported before with other times or another energy." in err
    assert house.rows("SELECT fold FROM session") == before


def test_every_oddity_is_counted_and_its_rows_are_listed(house: House) -> None:
    odd = (
        "D,OLD-1,2015-03-02 11:00,,2015-03-02 11:30,1,,\n"
        "E,OLD-1,2015-03-02 11:00,,2015-03-02 11:30,1,,\n"
        "A,OLD-1,2015-03-02 08:00,2015-03-02 10:00,2015-03-02 12:00,7.2,04AABBCCDD0011,2.16\n"
        "F,OLD-3,2015-03-02 11:00,,2015-03-02 12:00,269,,\n"
        "G,OLD-3,2015-03-02 13:00,,2015-03-02 14:00,,,\n"
    )
    strict = house.write("power.toml", MAPPING + "[plausible]\npower_kw = 11\n")
    file = house.write("old.csv", HEAD + ROWS + odd)
    told = house.told(file, "--dry-run", mapping=strict)
    assert told["counts"] == {
        **{"year": 1, "duplicate": 2, "empty": 1, "unknown_energy": 1},
        **{"overlap": 3, "battery": 1, "power": 1},
    }
    _, out, _ = house.take(file, "--dry-run", "--list", "overlap", mapping=strict)
    lines = [line for line in out.splitlines() if line.startswith("line ")]
    assert [line.split(":")[0] for line in lines] == ["line 5", "line 6", "line 6"]
    assert "line 2 at the same plug has ended; they share 30 min." in lines[0]


def test_a_sheet_says_the_same_as_its_csv(house: House) -> None:
    mapping = MAPPINGS / "dc_fast_sessions.toml"
    file = HERE / "data" / "dc_fast_sessions.xlsx"
    told = house.told(file, "--dry-run", mapping=mapping)
    assert (told["rows"], told["fresh"], told["not_taken"]) == (1_878, 1_878, [])
    assert told["counts"] == {"battery": 8}
    code, _, err = house.take(file, "--dry-run", "--sheet", "Nowhere", mapping=mapping)
    assert code == 1
    assert "There is no sheet Nowhere; there are: " in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns = 3", "Expected `object`"),
        ("[columns", "The mapping is no TOML"),
        (MAPPING.replace('begin = "from"', ""), "missing required field `begin` (columns)"),
        (MAPPING.replace("begin =", "beginning ="), "unknown field `beginning` (columns)"),
        (MAPPING.replace('"kwh"', '"wh"'), "There is no column wh (energy); there are: id, station, from"),
        (MAPPING.replace("Europe/Berlin", "Berlin"), "There is no time zone Berlin"),
        (MAPPING.replace("Europe/Berlin", "../../etc/passwd"), "There is no time zone"),
        (MAPPING.replace('"kWh"', '"J"'), "The unit of energy must be Wh, kWh, MWh."),
        (MAPPING.replace('[paid]\ncurrency = "EUR"', ""), "What was paid has a currency"),
        (MAPPING.replace('station = "station"', ""), "does not say at which station"),
        (MAPPING.replace('"0015" = "2015"', '"15" = "2015"'), "A repair of years looks like"),
        (MAPPING + "[plausible]\npower_kw = -1\n", "a number above zero"),
        ("[[" * 50_000, "The mapping is no TOML"),
    ],
)
def test_a_mapping_that_is_wrong_says_what_and_where(house: House, text: str, said: str) -> None:
    file = house.write("old.csv", HEAD + ROWS)
    code, out, err = house.take(file, mapping=house.write("wrong.toml", text))
    assert (code, out) == (1, "")
    assert said in err.replace("\n", " "), err
    assert "Traceback" not in err


def test_to_look_makes_nothing_and_says_what_is_missing(house: House) -> None:
    """No database and no key where there was none; rows are listed also where stations are missing."""
    file = house.write("old.csv", HEAD + ROWS)
    before = {one.name for one in house.folder.iterdir()}
    for words in (("--dry-run",), ("--dry-run", "--list", "year")):
        code, out, _ = house.take(file, *words)
        assert code == 1 and "3 rows: nothing imported as long as stations are missing" in out
        assert "2 stations are not here: --make-stations admits them." in out
    assert "line 3: " in out
    code, out, _ = house.take(file, "--dry-run", "--make-stations")
    assert code == 0 and "3 rows: 3 would be imported" in out
    assert {one.name for one in house.folder.iterdir()} == before
    code, out, err = house.take(file, "--list", "year")
    assert code == 1 and "line 3: " in out and "so nothing was imported" in " ".join(err.split())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "This is no table of sessions"),
        (b"# Notes\n\nSome text, and more.\n", "This is no table of sessions"),
    ],
)
def test_no_mapping_is_proposed_for_what_is_no_table(house: House, body: bytes, said: str) -> None:
    code, out, err = house.run("import", "mapping", str(house.write("odd.csv", body)))
    assert (code, out) == (1, "") and said in " ".join(err.split())


def test_a_proposed_mapping_imports_what_it_was_proposed_for(house: House) -> None:
    file = HERE / "data" / "workplace_sessions.csv"
    code, out, _ = house.run("import", "mapping", str(file))
    assert code == 0
    told = house.told(file, "--dry-run", mapping=house.write("proposed.toml", out))
    ready = house.told(file, "--dry-run", mapping=MAPPINGS / "workplace_sessions.toml")
    assert ready["counts"] == {"year": 3_395, "empty": 55, "overlap": 19, "power": 6}
    assert told["fresh"] == ready["fresh"] == 3_395
    assert told["counts"] | {"power": 6} == ready["counts"]
