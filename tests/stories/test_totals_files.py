"""Totals as Parquet: what the files say is what the database says, and whoever asks wrongly is told so."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import insert

from tests.commanding import command
from tests.stories.test_totals import counting, told
from tests.stories.world import World
from wattkeeper.operations.statistics import files
from wattkeeper.store.stations import station as stations
from wattkeeper.store.tables import untallied

DOCS = Path(__file__).parents[2] / "docs" / "statistics.md"
NAME = re.compile(r"`(\w+)`")


async def ran(*words: str) -> tuple[int, str, str]:
    """A command: how it ended, what it printed, what it complained about."""
    return await asyncio.to_thread(command, words, dict(os.environ))


async def test_the_files_say_what_was_counted(database: str, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.open()
    await told(world)
    async with world.door.store.unit() as unit:
        await stations.describe(unit, "CP1", {"site": "=1+1 [Harbour]"})
    await counting(world).look()
    await world.close()
    folder, sheet = tmp_path / "totals", tmp_path / "answer.csv"
    done = await ran("statistics", "export", str(folder), "--database", database)
    assert done[0] == 0 and "rows in 4 files" in done[1] and "partial" not in done[1], done
    by_site = "SELECT site, sum(energy_wh) / 1000 AS kwh, sum(sessions) AS sessions FROM hours GROUP BY site"
    shown = await ran("statistics", "ask", str(folder), by_site)
    assert "=1+1 [Harbour]" in shown[1] and "6.0" in shown[1], shown
    assert (await ran("statistics", "ask", str(folder), by_site, "--csv", str(sheet)))[0] == 0
    assert sheet.read_text().splitlines() == ["site,kwh,sessions", "'=1+1 [Harbour],6.0,2"]
    hours = "SELECT day, weekday, hour, plugged_s FROM hours ORDER BY hour"
    assert files.ask(folder, hours).rows() == [
        ("2026-03-01", 7, 12, 3180.0),
        ("2026-03-01", 7, 13, 2400.0),
        ("2026-03-01", 7, 14, 240.0),
    ]
    assert files.ask(folder, "SELECT sum(energy_wh) FROM quarters").item() == 6000
    docs = DOCS.read_text()
    for asked in re.findall(r'^wattkeeper statistics ask totals "(.+?)"', docs, re.MULTILINE):
        assert files.ask(folder, asked).height, asked
    sums = docs[docs.index("The sums are") :].split(":")[0]
    for table, columns in re.findall(r"^\| `(\w+)` \| [^|]+ \| (`site`.+) \|$", docs, re.MULTILINE):
        named = set(NAME.findall(columns + (sums if "sums" in columns else "")))
        beside = {"day", "weekday", "hour"} if "at" in named else set[str]()
        assert named | beside == set(files.ask(folder, f"SELECT * FROM {table}").columns), table
    done = await ran("statistics", "ask", str(folder), "SELECT * FROM hours")
    assert done[0] == 0 and "--csv FILE writes them whole" in " ".join(done[1].split())
    done = await ran("statistics", "ask", str(folder), "SELECT 1 AS one", "--csv", str(sheet))
    assert done[0] == 0 and "1 row is written to" in done[1]
    done = await ran("statistics", "ask", str(folder), "drop table hours")
    assert done[0] == 1 and "A question begins with SELECT" in done[2]
    done = await ran("statistics", "export", "/proc/x", "--database", database)
    assert done[0] == 1 and "/proc/x cannot be used: No such file or directory." in done[2]
    again = await ran("statistics", "rebuild", "--database", database)
    assert again[0] == 0 and "2 sessions counted again." in again[1]
    (folder / "hours" / "1999-01.parquet").write_bytes(b"left over")
    assert (await ran("statistics", "export", str(folder), "--database", database))[0] == 0
    assert [one.name for one in (folder / "hours").iterdir()] == ["2026-03.parquet"]


async def test_who_asks_wrongly_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no totals"):
        files.ask(tmp_path, "SELECT 1")
    done = await ran("statistics", "ask", str(tmp_path), "SELECT 1")
    assert done[0] == 1 and "wattkeeper statistics export" in done[2]


async def test_files_written_while_sessions_are_counted_anew_are_said_to_be_partial(
    database: str, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    await world.open()
    async with world.door.store.unit() as unit:
        waiting = [{"session_id": f"S{n}", "at": world.door.store.clock()} for n in range(1_234)]
        await unit.connection.execute(insert(untallied), waiting)
    await world.close()
    done = await ran("statistics", "export", str(tmp_path / "totals"), "--database", database)
    assert "They are partial: 1,234 sessions are still being counted. Write them again later." in done[1], done


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM \"READ_CSV\"('/etc/passwd')",
        "SELECT day FROM hours UNION ALL SELECT * FROM read_csv('/etc/passwd')",
        "CREATE TABLE taken AS SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM Read_IPC\n('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY hours TO '/tmp/taken.csv'",
    ],
)
async def test_a_question_reads_no_other_file(tmp_path: Path, sql: str) -> None:
    (tmp_path / "hours").mkdir()
    pl.DataFrame({"day": ["2026-03-01"]}).write_parquet(tmp_path / "hours" / "2026-03.parquet")
    done = await ran("statistics", "ask", str(tmp_path), sql)
    assert done[:2] == (1, ""), done
    assert "root:" not in done[2] and "Traceback" not in done[2]
    assert files.ask(tmp_path, "SELECT day FROM hours").item() == "2026-03-01"
