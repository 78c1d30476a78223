"""The sessions of a station are found by an index, on both engines: each move asks for them in its turn to write.

So are those that were heard of lately, which alerts are measured by at every look.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select, text

from wattkeeper.store.alerts import measure
from wattkeeper.store.engines import Store
from wattkeeper.store.tables import session

STATIONS, EACH = 100, 100


async def test_the_sessions_of_a_station_are_found_by_an_index(database: str) -> None:
    store = Store(database)
    columns = "id, station_id, key, state, live, grade, started_at, known_at, heard_at, last_n, fold"
    row = (
        f"INSERT INTO session ({columns}) VALUES (:id, :of, :id, 'ended', false, 'measured', :at, :at, :at, 1, '{{}}')"
    )
    numbers = [(station, n) for station in range(STATIONS) for n in range(EACH)]
    rows = [{"id": f"{station}-{n}", "of": f"CP{station}", "at": n} for station, n in numbers]
    async with store.unit() as unit:
        await unit.connection.execute(text(row), rows)
        await unit.connection.execute(text("ANALYZE"))
    async with store.read() as connection:
        wanted = select(session.c.id).where(session.c.station_id == "CP7")
        asked = wanted.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        how = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        steps = [str(one[-1]) for one in await connection.exec_driver_sql(f"{how} {asked}")]
    await store.close()
    assert any("ix_session_station" in step for step in steps), steps


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_starts_of_the_last_hour_are_found_by_when_they_were_heard_of(database: str, engine: str) -> None:
    store, asked = Store(database), list[tuple[str, Any]]()

    def note(_: Connection, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        async with store.read() as connection:
            await measure.starts(connection, datetime.now(UTC), timedelta(minutes=5))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    statement, parameters = next(one for one in asked if "known_at" in one[0])
    async with store.read() as connection:
        steps = [
            str(one[-1]) for one in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    await store.close()
    assert any("ix_session_known_at" in step for step in steps), steps
