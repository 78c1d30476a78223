"""Follows what is recorded: measures every rule, and raises and clears alerts, each with its telling, at one commit.

It may die at any moment, and run twice: how things stand is read again in the transaction that changes it, and whoever
writes has the database to themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from wattkeeper.bus import Bus
from wattkeeper.charging.alerts.rule import Rule
from wattkeeper.charging.alerts.standing import Event, Standing, follow
from wattkeeper.operations.alerts import episodes, measuring
from wattkeeper.operations.alerts.episodes import TOPIC
from wattkeeper.operations.alerts.measuring import Measured
from wattkeeper.operations.watching import watch
from wattkeeper.store.alerts import alert, standing
from wattkeeper.store.alerts import rule as rules
from wattkeeper.store.alerts.alert import Ended
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.store.alerts.standing import Key
from wattkeeper.store.engines import Store
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.alerts")

PAUSE_S, REST_S = 5, 20
TOGETHER, MOST = 50, 1_000
"""On how many things is decided in one transaction, so that stations need not wait long for it when everything fails
at once; and on how many before all is measured anew."""
QUIET = Standing()
Values = Mapping[Key, Measured]


class AlertWatch:
    """Looks for as long as the installation runs."""

    def __init__(self, store: Store, bus: Bus, zone: tzinfo) -> None:
        self._store = store
        self._bus = bus
        self._zone = zone

    async def run(self) -> None:
        """Look whenever something was recorded or a rule was changed, and at the latest after a rest."""
        topics = ["journal", "stations", "statistics", TOPIC]
        await watch(self._bus, topics, self.look, log, pause_s=PAUSE_S, rest_s=REST_S)

    async def look(self) -> int:
        """Measure every rule and decide, until nothing is left; how many alerts began or ended by it."""
        count, is_done = 0, False
        while not is_done:
            changes, is_done = await self._some()
            count += changes
        if count:
            self._bus.announce(TOPIC)
        return count

    async def _some(self) -> tuple[int, bool]:
        """Measure every rule once and decide on the first; how many alerts began or ended, and whether that was all."""
        async with self._store.read() as connection:
            rows = await rules.on(connection)
            if not rows:
                return 0, True
            at = self._store.clock()
            found = await measuring.look(connection, rows, at, self._zone)
            known = await standing.of(connection, [row.id for row in rows])
        values = {(row.id, one.subject.key): one for row in rows for one in found[row.id]}
        by_id = {row.id: row.rule for row in rows}
        changed = await asyncio.to_thread(_news, by_id, values, known, at)
        count = 0
        for place in range(0, min(len(changed), MOST), TOGETHER):
            async with self._store.unit() as unit:
                count += await self._decide(unit, by_id, changed[place : place + TOGETHER], values, at)
        return count, len(changed) <= MOST

    async def _decide(
        self, unit: Unit, before: Mapping[str, Rule], changed: Sequence[Key], values: Values, at: datetime
    ) -> int:
        """Decide on what changed, as it stands in this transaction's sight; rules that changed meanwhile wait."""
        now = await rules.on(unit.connection)
        rows = {row.id: row for row in now if before.get(row.id) == row.rule}
        known = await _known(unit, rows, changed)
        count = 0
        for key in changed:
            row = rows.get(key[0])
            if row is not None:
                count += await self._follow(unit, row, key, known.get(key), values.get(key), at)
        return count

    async def _follow(
        self, unit: Unit, row: RuleRow, key: Key, known: Standing | None, one: Measured | None, at: datetime
    ) -> bool:
        """Take one value in; whether an alert began or ended by it."""
        if one is None:
            await episodes.end(unit, row, key[1], Ended.GONE, self._zone)
            await standing.forget(unit, row.id, [key[1]])
            return True
        after, event = follow(row.rule, known or QUIET, one.value, at)
        standing.put(unit, key, after)
        if event is Event.ROSE:
            await episodes.begin(unit, row, one, self._zone)
        elif event is Event.FELL:
            await episodes.end(unit, row, key[1], Ended.FELL, self._zone)
        return event is not None


async def _known(unit: Unit, rows: Mapping[str, RuleRow], keys: Sequence[Key]) -> dict[Key, Standing]:
    """How things stand, in this transaction's sight; what was forgotten still knows when an alert was last raised.

    It is forgotten when its rule is paused or changed, or when it is away for a while.
    """
    known = await standing.of(unit.connection, {key[0] for key in keys}, {key[1] for key in keys})
    fresh = [key for key in keys if key not in known and key[0] in rows and rows[key[0]].rule.apart]
    if fresh:
        raised = await alert.last_raised(unit.connection, {key[0] for key in fresh}, {key[1] for key in fresh})
        known |= {key: Standing(raised_at=raised[key]) for key in fresh if key in raised}
    return known


def _news(rules: Mapping[str, Rule], values: Values, known: Mapping[Key, Standing], at: datetime) -> list[Key]:
    """What stands otherwise by what was measured, in order."""
    return sorted(key for key in values.keys() | known.keys() if _is_news(rules[key[0]], key, values, known, at))


def _is_news(rule: Rule, key: Key, values: Values, known: Mapping[Key, Standing], at: datetime) -> bool:
    """Whether a value changes how something stands, or is missing where something stood."""
    if key not in values:
        return True
    before = known.get(key, QUIET)
    after, _ = follow(rule, before, values[key].value, at)
    return after != before
