"""Sessions become bills by themselves, where their evidence is good; the rest waits for a person.

It follows the journal: what begins is pinned to its tariff, what ended is looked at once its station has had time to
tell more. Whatever it does is one transaction with the note that it was done, so that it may die at any moment.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from wattkeeper.bus import Bus
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.money.billing import Judgement, Outcome, judge
from wattkeeper.operations.money.cases import LONGEST_BLOCKING, Told, told_of
from wattkeeper.operations.money.drafting import draft_of, waiting_of
from wattkeeper.operations.money.tariffs.choosing import pin_of, pinned
from wattkeeper.operations.watching import catch_up, watch
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.metering.check import pending
from wattkeeper.store.money import bill, billable, due, hold
from wattkeeper.store.money.billable import Billable
from wattkeeper.store.money.due import Followed
from wattkeeper.store.money.hold import HoldState
from wattkeeper.store.money.tariffs import pin
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.billing")

NAME, BY = "billing", "wattkeeper"
TOPIC = "bills"
"""What is announced when something was billed, or began or ceased to wait."""
SHORTEST = timedelta(seconds=10)
"""How often at most it is looked whether a connector has become available."""
CHECKED_IN = timedelta(seconds=5)
"""In what time signed values are usually checked: until then nobody is billed by them."""
ENTRIES = 5_000
"""How many journal entries are followed in one transaction."""
TOGETHER = 25
"""How many sessions are billed in one transaction: stations need not wait long for it."""
PAUSE_S = 1
"""How long it rests between two looks, seconds."""
REST_S = 5
"""After how long it looks without being told to: what waits for its time makes no noise."""


class Billing:
    """Bills what has ended, for as long as the installation runs."""

    def __init__(self, store: Store, bus: Bus, settings: Settings) -> None:
        self._store = store
        self._bus = bus
        self._settings = settings
        self._grace = timedelta(seconds=settings.billing_grace_s)
        self._backlog = timedelta(days=settings.billing_backlog_days)

    async def run(self) -> None:
        """Look whenever something was recorded, and at least every few seconds."""
        await watch(self._bus, ["journal"], self.look, log, pause_s=PAUSE_S, rest_s=REST_S)

    async def look(self) -> int:
        """Follow what was recorded, then see to all whose time has come; gives how many sessions were seen to."""
        await catch_up(self._store, self.follow)
        seen = await self._see_to_all() if self._settings.billing else 0
        if seen:
            self._bus.announce(TOPIC)
        return seen

    # --- following ----------------------------------------------------------------------------------------

    async def follow(self) -> int:
        """Pin what began and note what ended in the journal's next stretch; the number of its last entry, or 0."""
        async with self._store.read() as connection:
            before = await due.followed(connection, NAME)
            touched, n = await billable.touched(connection, before.n, ENTRIES)
            found = await billable.of(connection, touched)
            told_here = [one for one in found.values() if not one.whole.imported]
            concerned = {one.id: one for one in told_here if not _is_past(one, before)}
            pins = await pin.of(connection, list(concerned))
            begun = {one.id: one for one in concerned.values() if one.id not in pins and one.is_known}
            choices = await pinned(connection, begun)
        if n == before.n:
            return 0
        async with self._store.unit() as unit:
            if await due.advance(unit, NAME, before, n):
                await pin.keep(unit, (pin_of(session, choice) for session, choice in choices.items()))
                ended = [one for one in concerned.values() if not one.whole.is_live]
                await due.add(unit, {one.id: one.heard_at + self._grace for one in ended})
        return n

    # --- seeing to ----------------------------------------------------------------------------------------

    async def _see_to_all(self) -> int:
        """Bill, hold or leave all whose time has come by now; gives how many."""
        seen, by = 0, self._store.clock()
        while count := await self._see_to(by):
            seen += count
        return seen

    async def _see_to(self, by: datetime) -> int:
        """Bill, hold or leave some of those whose time has come by an instant; gives how many."""
        async with self._store.read() as connection:
            sessions = await due.waiting(connection, by, TOGETHER)
        try:
            return await self._settle(sessions) if sessions else 0
        except Exception as problem:
            log.warning("sessions could not be billed together (%s), so one by one", type(problem).__name__)
        return sum([await self._settle_alone(one) for one in sessions])

    async def _settle_alone(self, session: str) -> int:
        """See to one session; one that makes trouble waits, and keeps no other from being billed."""
        try:
            return await self._settle([session])
        except Exception:
            log.exception("session %s could not be billed; trying again in an hour", shown(session))
        async with self._store.unit() as unit:
            await due.put_off(unit, [session], unit.now + timedelta(hours=1))
        return 1

    async def _settle(self, sessions: Sequence[str]) -> int:
        """Price and judge sessions, then write what becomes of those of which no more was told meanwhile."""
        async with self._store.read() as connection:
            told = await told_of(connection, sessions)
            unchecked = await pending(connection, {one.its.id: one.its for one in told.values()})
        judged = {one.its.id: judge(one.case, self._backlog) for one in told.values() if not one.its.whole.is_live}
        async with self._store.unit() as unit:
            known = await stamps(unit, sessions)
            same = [told[one] for one in sessions if one in told and told[one].stamp() == known.get(one)]
            again_at = unit.now + max(self._grace, SHORTEST)
            blocking = {one.its.id: again_at for one in same if one.is_blocking and self._may_cost_more(one)}
            blocking |= {one.its.id: unit.now + CHECKED_IN for one in same if one.its.id in unchecked}
            ready = [one for one in same if one.its.id in judged and one.its.id not in blocking]
            await self._bill(unit, [one for one in ready if judged[one.its.id].outcome is Outcome.BILL])
            for one in ready:
                await self._hold_or_clear(unit, one, judged[one.its.id])
            gone = [one for one in sessions if one not in told]
            await due.done(unit, [*gone, *(one.its.id for one in same)])
            await due.add(unit, blocking)
        return len(gone) + len(same)

    def _may_cost_more(self, told: Told) -> bool:
        """Whether its connector may still be told available in time."""
        return self._store.clock() - told.its.heard_at < LONGEST_BLOCKING

    async def _bill(self, unit: Unit, ready: Sequence[Told]) -> None:
        """Issue the bills of sessions that speak for themselves."""
        numbers = await bill.issue(unit, [draft_of(one, BY) for one in ready], self._settings.zone)
        for one, number in zip(ready, numbers, strict=True):
            if one.waits is not None:
                await hold.settle(unit, one.waits.id, HoldState.CLEARED, BY, None, number)

    async def _hold_or_clear(self, unit: Unit, told: Told, judged: Judgement) -> None:
        """Let a session wait, or wait no more."""
        if judged.outcome is Outcome.HOLD:
            await hold.keep(unit, waiting_of(told, judged.reasons), told.waits)
        elif judged.outcome is not Outcome.BILL and told.waits is not None:
            await hold.settle(unit, told.waits.id, HoldState.CLEARED, BY)


async def stamps(unit: Unit, sessions: Sequence[str]) -> dict[str, tuple[object, ...]]:
    """What `Told.stamp` would be now, for each of these sessions."""
    newest = await billable.newest(unit.connection, sessions)
    documents = await bill.of_sessions(unit.connection, sessions)
    holds = await hold.of_sessions(unit.connection, sessions)
    return {
        one: (
            n,
            tuple(each.number for each in documents.get(one, ())),
            tuple((each.id, each.state) for each in holds.get(one, ())),
        )
        for one, n in newest.items()
    }


def _is_past(one: Billable, followed: Followed) -> bool:
    """Whether it was over before there were bills here."""
    ended_at = one.whole.ended_at
    return one.known_at < followed.since and ended_at is not None and ended_at < followed.since
