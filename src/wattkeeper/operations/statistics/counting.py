"""Totals follow what is recorded: a session is counted when it ended or every quarter of an hour, whole, again.

It is read and reckoned beside everything else. What it added before is taken back in the transaction that adds what it
adds now, and only where nobody marked it meanwhile: it may die at any moment, counts nothing twice and loses no mark.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.bus import Bus
from wattkeeper.charging.money.stay import GONE, Pause, Stay, pauses, stay_after
from wattkeeper.charging.money.usage import usage
from wattkeeper.charging.reading import Reading
from wattkeeper.charging.session import Session
from wattkeeper.charging.statistics.share import QUARTER, Share, is_read_between, share_of
from wattkeeper.operations.watching import catch_up, watch
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.money import bill, billable, due
from wattkeeper.store.money.billable import Billable
from wattkeeper.store.sessions import reading, stay
from wattkeeper.store.statistics import share, zone
from wattkeeper.store.statistics.share import Counted

log = logging.getLogger("wattkeeper.statistics")

NAME = TOPIC = "statistics"
"""Under which name the journal is followed, and what is announced when totals changed."""
ENTRIES = 5_000
"""How many journal entries are followed in one transaction."""
TOGETHER = 100
"""How many sessions are counted at once, and kept in one transaction: stations need not wait long for it."""
MANY = 5_000
"""For so many readings a session that goes on waits a quarter of an hour longer: each time all of them are read."""
LEASE = timedelta(minutes=7)
"""For how long those that are counted belong to who took them."""
AFTERWARDS = timedelta(days=1)
"""How long after its end it is looked whether a car still stands there."""
PAUSE_S, REST_S = 5, 60


class Counting:
    """Counts what is recorded, for as long as the installation runs."""

    def __init__(self, store: Store, bus: Bus, settings: Settings) -> None:
        self._store = store
        self._bus = bus
        self._settings = settings
        self._is_begun = False

    async def run(self) -> None:
        """Look whenever something was recorded or billed."""
        await watch(self._bus, ["journal", "bills"], self.look, log, pause_s=PAUSE_S, rest_s=REST_S)

    async def look(self) -> int:
        """Follow what was recorded, then count all whose time has come; gives how many sessions were counted."""
        await self._begin()
        await catch_up(self._store, self.follow)
        return await self.count_all()

    async def _begin(self) -> None:
        """Count all of it anew where days and months were counted by another clock."""
        if self._is_begun:
            return
        async with self._store.unit() as unit:
            if await zone.is_another(unit, NAME, self._settings.time_zone):
                log.warning("the time zone is %s now: all totals are counted anew", self._settings.time_zone)
                await share.begin_again(unit)
        self._is_begun = True

    async def as_of(self) -> datetime:
        """Until when all that was recorded is counted; a session that goes on is, every quarter of an hour."""
        async with self._store.read() as connection:
            return await counted_until(connection, self._store.clock())

    async def _is_ours(self, connection: AsyncConnection) -> bool:
        """Whether totals are counted by the clock of this process: two of them never mix in one."""
        return await zone.is_ours(connection, NAME, self._settings.time_zone)

    async def behind(self) -> int:
        """How many sessions wait to be counted, where that is more than usually; else 0."""
        async with self._store.read() as connection:
            return await share.behind(connection, self._store.clock())

    async def follow(self) -> int:
        """Note which sessions the next stretch of the journal is about; the number of its last entry, or 0."""
        async with self._store.read() as connection:
            before = await due.followed(connection, NAME)
            touched, n = await share.touched(connection, before.n, ENTRIES)
        if n == before.n:
            return 0
        async with self._store.unit() as unit:
            if not await self._is_ours(unit.connection):
                return 0
            if await due.advance(unit, NAME, before, n):
                known = await share.counted(unit.connection, list(touched))
                later = {name: unit.now + QUARTER for name, one in touched.items() if one.lives and name in known}
                await share.recount(unit, {name: touched[name].since for name in touched.keys() - later})
                await share.recount_later(unit, later)
        return n

    async def rebuild(self, progress: Callable[[int], None] = lambda done: None) -> int:
        """Drop all totals and count every session again; gives how many. Nothing must change by it.

        ValueError where they are counted by another clock: whoever runs beside this would count no more.
        """
        async with self._store.unit() as unit:
            if not await self._is_ours(unit.connection):
                counted, ours = await zone.of(unit.connection, NAME), self._settings.time_zone
                raise ValueError(
                    f"Totals are counted by the clock of {counted}, and WATTKEEPER_TIME_ZONE is {ours} here. Set it to "
                    f"{counted} and try again; or, for another clock from now on, restart the installation with it: it "
                    "counts anew by itself."
                )
            await zone.is_another(unit, NAME, self._settings.time_zone)
            await share.begin_again(unit)
        return await self.count_all(progress)

    async def count_all(self, progress: Callable[[int], None] = lambda done: None) -> int:
        """Count all whose time has come by now; gives how many."""
        seen, by = 0, self._store.clock()
        while count := await self._count_some(by):
            seen += count
            progress(seen)
        if seen:
            self._bus.announce(TOPIC)
        return seen

    async def _count_some(self, by: datetime) -> int:
        """Count some of those whose time has come; one that makes trouble waits an hour and keeps no other waiting."""
        names, until = await self._taken(by)
        try:
            await self._count(names, until)
        except Exception as problem:
            log.warning("sessions could not be counted together (%s), so one by one", type(problem).__name__)
            for name in names:
                await self._count_alone(name, until)
        return len(names)

    async def _taken(self, by: datetime) -> tuple[list[str], datetime]:
        """Take some of those whose time has come by an instant, and until when they are taken, should it die."""
        async with self._store.read() as connection:
            if not await share.waiting(connection, by, 1):
                return [], by
        async with self._store.unit() as unit:
            if not await self._is_ours(unit.connection):
                return [], unit.now
            names, until = await share.waiting(unit.connection, by, TOGETHER), unit.now + LEASE
            await share.take(unit, names, until)
        return names, until

    async def _count_alone(self, name: str, until: datetime) -> None:
        try:
            await self._count([name], until)
        except Exception:
            log.exception("a session could not be counted; trying again in an hour")
            async with self._store.unit() as unit:
                await share.put_off(unit, name, unit.now + timedelta(hours=1))

    async def _count(self, names: Sequence[str], until: datetime) -> None:
        """Count sessions as they are in one look, beside whoever writes; kept of those that nobody marked meanwhile."""
        if not names:
            return
        async with self._store.read() as connection:
            seen = await self._seen(connection, names)
        async with self._store.unit() as unit:
            if not await self._is_ours(unit.connection):
                return
            still = await share.still(unit.connection, names, until)
            newest = await billable.newest(unit.connection, still)
            shares, again = {}, {}
            for name in seen.keys() & set(still):
                one = seen[name]
                shares[name] = one.counted
                if one.goes_on(unit.now):
                    again[name] = unit.now + QUARTER * (1 + one.readings // MANY)
                elif newest.get(name) != one.its.last_n:
                    again[name] = unit.now
            await share.count(unit, still, shares, self._settings.zone, again)

    async def _seen(self, connection: AsyncConnection, names: Sequence[str]) -> dict[str, Seen]:
        """These sessions as they are in one look, counted; those left out that do not exist."""
        found = await billable.of(connection, names)
        billed = await bill.gross_of(connection, names, self._settings.pay_currency)
        told = await reading.registers_of(connection, names)
        paused = await stay.paused(connection, names)
        seen = {}
        for name, its in found.items():
            paused_in = pauses(await stay.flow_told(connection, its.whole)) if name in paused else ()
            stayed = await _stayed(connection, its.whole)
            its_told = told.get(name, ())
            to_the_end = await stay.charged_to_the_end(connection, name)
            given = (its.whole, its_told, paused_in, stayed.until, billed.get(name, 0), to_the_end)
            counted = Counted(its.spot.site, await asyncio.to_thread(_share, *given))
            seen[name] = Seen(its, counted, stayed.goes_on, len(its_told))
        return seen


async def counted_until(connection: AsyncConnection, now: datetime) -> datetime:
    """Until when all that was recorded is counted, in the same look as what is read of it."""
    return await share.as_of(connection, (await due.followed(connection, NAME)).n, now)


@dataclass(frozen=True, slots=True)
class Seen:
    """A session as one look saw it."""

    its: Billable
    counted: Counted
    stays_on: bool
    """Whether its car still stood there."""
    readings: int

    def goes_on(self, now: datetime) -> bool:
        """Whether it is to be counted again by itself."""
        whole = self.its.whole
        is_fresh = whole.ended_at is not None and now - self.its.heard_at < AFTERWARDS
        return whole.is_live or (self.stays_on and is_fresh)


def _share(
    whole: Session,
    told: Sequence[Reading],
    paused_in: Sequence[Pause],
    until: datetime | None,
    gross_minor: int,
    to_the_end: bool,
) -> Share:
    """What a session adds: beside everything else, for it may have very many readings."""
    used = usage(whole, told, paused_in, until)
    is_read = to_the_end or is_read_between(whole, told, used)
    return share_of(whole, used, until, gross_minor, is_read=is_read)


async def _stayed(connection: AsyncConnection, whole: Session) -> Stay:
    """How a car stayed after its session; of history nobody knows."""
    return GONE if whole.imported else stay_after(whole, await stay.afterwards_told(connection, whole))
