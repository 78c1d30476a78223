"""Episodes begin and end, each with what is to be told of it in the same transaction; people acknowledge them."""

from __future__ import annotations

import secrets
from datetime import datetime, tzinfo

from wattkeeper.bus import Bus
from wattkeeper.charging.alerts.quiet import quiet_until
from wattkeeper.charging.alerts.standing import Event, moved
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.alerts.measuring import Measured
from wattkeeper.store import deed
from wattkeeper.store.alerts import alert, sending, standing
from wattkeeper.store.alerts.alert import AlertRow, Ended
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.store.alerts.sending import Word
from wattkeeper.store.engines import Store
from wattkeeper.store.unit import Unit

TOPIC = "alerts"
"""What is announced when an alert began, changed or ended, or is to be told."""
NO_ALERT = phrase("There is no such alert, or it is not yours to see.")


async def begin(unit: Unit, row: RuleRow, one: Measured, zone: tzinfo) -> None:
    """An alert is raised: keep its episode, and whom to tell from when on."""
    assert one.value is not None
    until = None if row.rule.is_harm else quiet_until(row.rule.quiet, unit.now, zone)
    about = (row.rule.kind, one.subject.key, one.subject.station, one.subject.site)
    measured = (one.value, row.rule.raise_at, one.figures, row.rule.is_harm)
    made = AlertRow(f"al{secrets.token_hex(8)}", row.id, *about, *measured, unit.now, until)
    await alert.enter(unit, made)
    await sending.enter(unit, row.id, made.id, Word.RAISED, row.accounts, row.hooks, until or unit.now)


async def end(unit: Unit, row: RuleRow, subject: str, ended: Ended, zone: tzinfo) -> None:
    """The episode about something is over: whoever was told that it began is told; whoever was not never is."""
    over = await alert.clear(unit, row.id, subject, ended)
    if over is None:
        return
    await sending.drop_untold(unit, over)
    accounts, hooks = await sending.told_of(unit.connection, over)
    until = None if row.rule.is_harm else quiet_until(row.rule.quiet, unit.now, zone)
    await sending.enter(unit, row.id, over, Word.CLEARED, accounts, hooks, until or unit.now)


async def end_all(unit: Unit, row: RuleRow, ended: Ended, zone: tzinfo) -> None:
    """Every episode of a rule is over, and nothing stands by it any more."""
    for one in await alert.open_of(unit.connection, row.id):
        await end(unit, row, one.subject, ended, zone)
    await standing.forget(unit, row.id)


class Episodes:
    """What people see of alerts, and the one thing that they do about them."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus

    async def find(
        self, viewer: Viewer, limit: int, *, is_open: bool | None = None, before: tuple[datetime, str] | None = None
    ) -> list[AlertRow]:
        """The newest alerts that the viewer may know of (scope stations:read, hosts of their own sites)."""
        async with self._store.read() as connection:
            return await alert.find(connection, viewer, limit, is_open=is_open, before=before)

    async def acknowledge(self, viewer: Viewer, identifier: str) -> AlertRow:
        """Say that somebody sees to it (scope stations:write); twice is once. Refusal NOT_FOUND, CONFLICT if over."""
        viewer.need(Scope.STATIONS_WRITE)
        async with self._store.unit() as unit:
            row = await alert.get(unit.connection, viewer, identifier)
            if row is None:
                raise Refusal(Code.NOT_FOUND, NO_ALERT)
            if row.cleared_at is not None:
                raise Refusal(Code.CONFLICT, phrase("This alert is over already: nothing is left to see to."))
            if await alert.acknowledge(unit, identifier, viewer.name):
                key = (row.rule, row.subject)
                known = await standing.of(unit.connection, [row.rule])
                if key in known:
                    standing.put(unit, key, moved(known[key], Event.SEEN))
                await deed.enter(unit, DeedKind.ALERT_ACKNOWLEDGED, viewer.name, identifier, {"rule": row.rule})
            after = await alert.get(unit.connection, viewer, identifier)
        self._bus.announce(TOPIC)
        assert after is not None
        return after
