"""Drop everything derived and fold it again from the journal; nothing must change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from sqlalchemy import delete

from wattkeeper.charging.facts import StatusChanged
from wattkeeper.operations.desk import Desk
from wattkeeper.operations.folding import fold
from wattkeeper.operations.stations.standing import Standing, note_connector
from wattkeeper.operations.statistics import reckoning
from wattkeeper.store.engines import Store
from wattkeeper.store.entry import Entry, batch_after
from wattkeeper.store.stations import state
from wattkeeper.store.statistics import port, share
from wattkeeper.store.tables import DERIVED
from wattkeeper.store.unit import Unit

BATCH = 2000
Progress = Callable[[int, int], None]
"""Told how many entries of how many are folded."""


async def rebuild(store: Store, progress: Progress = lambda done, total: None) -> int:
    """Fold the whole journal again, in one transaction; gives how many entries. Nobody else may write meanwhile.

    The totals are counted again afterwards, from the sessions (`statistics.counting`), and reliability is reckoned
    again from the journal (`statistics.reckoning`).
    """
    async with store.unit() as unit:
        await unit.open_journal()
        for table in DERIVED:
            await unit.connection.execute(delete(table))
        standing, done = Standing({}), 0
        while batch := await batch_after(unit.connection, done, BATCH):
            for commit in _commits(batch):
                await _fold(unit, standing, commit)
            done = batch[-1].n
            progress(done, unit.newest)
        await share.begin_again(unit)
        await port.begin_again(unit, reckoning.NAME)
        return done


def _commits(batch: list[Entry]) -> Iterator[list[Entry]]:
    """The entries as they were committed together."""
    for _, entries in groupby(batch, key=lambda e: e.received_at):
        yield list(entries)


async def _fold(unit: Unit, standing: Standing, entries: list[Entry]) -> None:
    """Fold what was committed together, as it was then."""
    desk = Desk(unit)
    await desk.lay((e.station, e.fact) for e in entries)
    for entry in entries:
        standing.note(unit, entry)
        await fold(desk, entry)
    desk.clear()
    changes = [e for e in entries if isinstance(e.fact, StatusChanged)]
    if changes:
        known = await state.connectors_of(unit, {e.station for e in changes})
        for entry in changes:
            note_connector(unit, known, entry)
    await unit.flush()
