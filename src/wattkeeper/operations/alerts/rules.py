"""Rules on alerts: made, changed, paused, deleted and tried by whoever may change stations; each deed is in the log."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.bus import Bus
from wattkeeper.charging.alerts.rule import Rule, Where, check
from wattkeeper.charging.deed import DeedKind
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.alerts import episodes
from wattkeeper.operations.alerts.episodes import TOPIC
from wattkeeper.operations.alerts.hooks import NO_HOOK, named
from wattkeeper.settings import Settings
from wattkeeper.store import deed
from wattkeeper.store.alerts import hook, measure, sending
from wattkeeper.store.alerts import rule as rules
from wattkeeper.store.alerts.alert import Ended
from wattkeeper.store.alerts.rule import RuleRow
from wattkeeper.store.alerts.sending import Word
from wattkeeper.store.engines import Store
from wattkeeper.store.people import account
from wattkeeper.store.people.account import AccountState
from wattkeeper.store.unit import Unit

MOST = 200
MOST_TOLD = 50
NO_RULE = phrase("There is no such rule, or it is not yours to see.")
NOBODY = phrase("An alert is told by mail to people who work here and whom you may see: one of these is not.")
NOWHERE = phrase("There is no such site or station here. Is its name right?")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants a rule to be."""

    name: str
    rule: Rule
    hooks: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


class Rules:
    """The rules of an installation."""

    def __init__(self, store: Store, bus: Bus, settings: Settings) -> None:
        self._store = store
        self._bus = bus
        self._zone = settings.zone

    async def find(self, viewer: Viewer) -> list[RuleRow]:
        """Every rule that the viewer may know, by name (scope stations:read, hosts of their own sites)."""
        async with self._store.read() as connection:
            return await rules.find(connection, viewer)

    async def get(self, viewer: Viewer, identifier: str) -> RuleRow:
        """One rule; Refusal NOT_FOUND."""
        async with self._store.read() as connection:
            return await _need(connection, viewer, identifier)

    async def make(self, viewer: Viewer, wish: Wish) -> RuleRow:
        """A new rule (scope stations:write); Refusal INVALID with what does not make sense, CONFLICT where too many."""
        viewer.need(Scope.STATIONS_WRITE)
        async with self._store.unit() as unit:
            if await rules.count(unit.connection) >= MOST:
                raise Refusal(Code.CONFLICT, phrase("There are {most} rules: delete one first.", most=MOST))
            wish = await _checked(unit.connection, viewer, wish, ())
            told = (wish.hooks, wish.accounts)
            row = RuleRow(f"ar{secrets.token_hex(8)}", wish.name, wish.rule, *told, None, None, unit.now, viewer.name)
            await rules.put(unit, row)
            await _say(unit, viewer, row, "made")
        self._bus.announce(TOPIC)
        return row

    async def change(self, viewer: Viewer, identifier: str, wish: Wish) -> RuleRow:
        """Make a rule another; where it measures otherwise, its alerts are over, and it begins anew."""
        viewer.need(Scope.STATIONS_WRITE)
        async with self._store.unit() as unit:
            before = await _need(unit.connection, viewer, identifier)
            wish = await _checked(unit.connection, viewer, wish, before.accounts)
            row = replace(before, name=wish.name, rule=wish.rule, hooks=wish.hooks, accounts=wish.accounts)
            if row == before:
                return row
            told_alike = replace(row.rule, quiet=before.rule.quiet, is_harm=before.rule.is_harm)
            if told_alike != before.rule:
                await episodes.end_all(unit, before, Ended.CHANGED, self._zone)
            await rules.put(unit, row)
            await _say(unit, viewer, row, "changed")
        self._bus.announce(TOPIC)
        return row

    async def pause(self, viewer: Viewer, identifier: str) -> RuleRow:
        """Let a rule rest: its alerts are over; twice is once (scope stations:write). Refusal NOT_FOUND."""
        return await self._set(viewer, identifier, "paused")

    async def resume(self, viewer: Viewer, identifier: str) -> RuleRow:
        """Let a rule be measured again; twice is once (scope stations:write). Refusal NOT_FOUND."""
        return await self._set(viewer, identifier, "resumed")

    async def delete(self, viewer: Viewer, identifier: str) -> None:
        """Take a rule away: its alerts are over, and stay as what was (scope stations:write). Refusal NOT_FOUND."""
        await self._set(viewer, identifier, "deleted")

    async def _set(self, viewer: Viewer, identifier: str, what: str) -> RuleRow:
        """Pause, resume or delete a rule."""
        viewer.need(Scope.STATIONS_WRITE)
        async with self._store.unit() as unit:
            before = await _need(unit.connection, viewer, identifier)
            row = replace(before, paused_at=None if what == "resumed" else before.paused_at or unit.now)
            if what == "deleted":
                row = replace(row, paused_at=before.paused_at, deleted_at=unit.now)
            if row == before:
                return row
            if what != "resumed":
                ended = Ended.PAUSED if what == "paused" else Ended.DELETED
                await episodes.end_all(unit, before, ended, self._zone)
            await rules.put(unit, row)
            await _say(unit, viewer, row, what)
        self._bus.announce(TOPIC)
        return row

    async def test(self, viewer: Viewer, identifier: str) -> int:
        """Tell everybody whom a rule tells that this is a try, at once; how many (scope stations:write)."""
        viewer.need(Scope.STATIONS_WRITE)
        async with self._store.unit() as unit:
            row = await _need(unit.connection, viewer, identifier)
            count = await sending.enter(unit, row.id, "", Word.TEST, row.accounts, row.hooks, unit.now)
            await _say(unit, viewer, row, "tried")
        self._bus.announce(TOPIC)
        return count


async def _need(connection: AsyncConnection, viewer: Viewer, identifier: str) -> RuleRow:
    row = await rules.get(connection, viewer, identifier)
    if row is None:
        raise Refusal(Code.NOT_FOUND, NO_RULE)
    return row


async def _checked(connection: AsyncConnection, viewer: Viewer, wish: Wish, before: Sequence[str]) -> Wish:
    """A wish that makes sense here; Refusal INVALID. Who was told ``before`` may stay, whoever changes the rule."""
    rule, hooks, accounts = check(wish.rule), _once(wish.hooks), _once(wish.accounts)
    here = await measure.sites(connection)
    known = here.values() if rule.where is Where.SITE else here.keys()
    if rule.where is not Where.EVERYWHERE and rule.subject not in known:
        raise Refusal(Code.INVALID, NOWHERE, field="reach")
    if len(hooks) + len(accounts) > MOST_TOLD:
        raise Refusal(Code.INVALID, phrase("A rule can tell {most} at most.", most=MOST_TOLD), field="accounts")
    if len(await hook.these(connection, hooks)) != len(hooks):
        raise Refusal(Code.INVALID, NO_HOOK, field="hooks")
    for one in accounts:
        row = await account.by_id(connection, one)
        may_name = one == viewer.account or one in before or viewer.may(Scope.STAFF_READ)
        if row is None or not row.role.is_staff or row.state is not AccountState.ACTIVE or not may_name:
            raise Refusal(Code.INVALID, NOBODY, field="accounts")
    return Wish(named(wish.name), rule, hooks, accounts)


def _once(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(given)))


async def _say(unit: Unit, viewer: Viewer, row: RuleRow, what: str) -> None:
    """The log is told what was done to a rule; its name and whom it tells stay out of it."""
    body: dict[str, object] = {
        "what": what,
        "kind": row.rule.kind.value,
        "reach": row.rule.where.value,
        "subject": row.rule.subject,
    }
    body |= {"raise_at": str(row.rule.raise_at), "clear_at": str(row.rule.clear_at), "is_harm": row.rule.is_harm}
    body |= {"hooks": len(row.hooks), "accounts": len(row.accounts)}
    await deed.enter(unit, DeedKind.ALERT_RULE, viewer.name, row.id, body)
