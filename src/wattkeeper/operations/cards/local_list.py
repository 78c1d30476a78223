"""Stations' own lists follow the cards: what may charge while a station cannot ask, and what no longer may.

One message at a time to each station, a few stations at a time. What was sent is kept before it leaves; whatever
became of it, the station is asked for its version where that is not known.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.local_list import BLOCKED, Step, differences, next_step
from wattkeeper.charging.orders import (
    ClearCache,
    Decline,
    GetListBounds,
    GetLocalListVersion,
    Order,
    Outcome,
    SendLocalList,
)
from wattkeeper.charging.person import Viewer
from wattkeeper.operations.cards.roster import Cabinet
from wattkeeper.operations.dispatch import LINES, Dispatch, Line, OrderView
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store import local_list as lists
from wattkeeper.store import station as stations
from wattkeeper.store.engines import Store
from wattkeeper.store.local_list import NOT_KEPT, ListRow, Place

log = logging.getLogger("wattkeeper.local_list")
BY = "wattkeeper"
WORKERS = 4
"""How many stations are brought up to date at once."""
SETTLE_S = 1.0
"""How long cards and new connections may come to rest before lists follow, seconds."""
GATHER_S = 0.2
"""How long new connections gather before they are looked at, seconds."""
SWEEP_S = 300.0
"""How often every list is looked at whatever was announced: cards expire by themselves, hints may be lost."""
RETRY_S, LONGEST_RETRY_S = 10.0, 3600.0
"""How long until a station that failed is tried again: doubled with each failure."""


@dataclass(frozen=True, slots=True)
class ListView:
    """How far a station's own list is, for people."""

    kept: bool | None
    """Whether the station keeps a list; None while nobody knows."""
    version: int
    accepted: int
    """How many cards it accepts by itself."""
    blocked: int
    confirmed_at: datetime | None
    behind: int
    """How many cards it does not know as they are."""
    behind_since: datetime | None
    """Since when, where a card's change is the cause."""
    why: str
    sent_at: datetime | None
    next_at: datetime | None
    tries: int
    delay_ms: int | None
    """How long the last change took to reach it."""
    cleared_at: datetime | None
    """When it last forgot the cards it remembered by itself."""


class LocalLists:
    """Brings the list of each connected station up to date, for as long as the installation runs."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, settings: Settings, dispatch: Dispatch) -> None:
        self._store = store
        self._bus = bus
        self._settings = settings
        self._dispatch = dispatch
        self._cabinet = Cabinet(store, safe)
        self._followed = self._cabinet.roster
        self._due: asyncio.Queue[str] = asyncio.Queue()
        self._waiting: set[str] = set()
        self._busy: set[str] = set()
        self._fresh: set[str] = set()
        self._lines: dict[str, Line] = {}

    # --- when to look ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow cards and connections until cancelled."""
        if not self._settings.local_lists:
            return
        async with asyncio.TaskGroup() as running:
            for follow in (self._follow_cards, self._follow_lines, self._sweep, *[self._work] * WORKERS):
                running.create_task(follow())

    async def _follow_cards(self) -> None:
        """Look at every list when a card has changed what lists say."""
        async with self._bus.listen("cards") as hints:
            async for _ in hints:
                await asyncio.sleep(SETTLE_S)
                await self._look()

    async def _follow_lines(self) -> None:
        """Look at the list of each station that has connected."""
        async with self._bus.listen(LINES) as hints:
            while True:
                lines = dict(self._dispatch.lines())
                for station in [name for name, line in lines.items() if self._lines.get(name) is not line]:
                    self._fresh.add(station)
                    self._later(station, SETTLE_S)
                self._lines = lines
                await anext(aiter(hints))
                await asyncio.sleep(GATHER_S)

    async def _sweep(self) -> None:
        """Look at every list now and then."""
        while True:
            await self._look(anyway=True)
            await asyncio.sleep(SWEEP_S)

    async def _look(self, *, anyway: bool = False) -> None:
        """Look at the list of every connected station, where the cards have changed or ``anyway``."""
        try:
            await self._cabinet.refresh(anyway=anyway)
            before, self._followed = self._followed, self._cabinet.roster
            if anyway or not self._followed.says_as(before):
                for station in self._dispatch.lines():
                    self._mark(station)
            if anyway:
                async with self._store.unit() as unit:
                    await lists.drop_removed(unit)
        except Exception as fault:
            log.error("the cards for local lists could not be read: %s", type(fault).__name__)

    def _later(self, station: str, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._mark, station)

    def _mark(self, station: str) -> None:
        """A station's list is to be looked at."""
        if station not in self._waiting:
            self._waiting.add(station)
            self._due.put_nowait(station)

    async def _work(self) -> None:
        """Bring up to date whichever list is to be looked at."""
        while True:
            station = await self._due.get()
            self._waiting.discard(station)
            if station in self._busy:
                self._later(station, SETTLE_S)
                continue
            self._busy.add(station)
            try:
                await self.bring(station)
            except Exception as fault:
                # without its words: they could hold a card's number
                log.error("the list of %s could not follow: %s", station, type(fault).__name__)
                self._later(station, LONGEST_RETRY_S)
            finally:
                self._busy.discard(station)

    # --- one station ----------------------------------------------------------------------------------

    async def bring(self, station: str) -> None:
        """Bring a station's list up to date, message by message, as far as it answers."""
        goes_on = True
        while goes_on:
            goes_on = await self._go_on(station)

    async def _go_on(self, station: str) -> bool:
        """Ask or tell a station one thing; False where nothing more is to be done now."""
        async with self._store.read() as connection:
            row, place = await lists.one(connection, station), await lists.place(connection, station)
        if place is None or not self._dispatch.connected(station) or self._must_wait(row):
            return False
        wanted = self._wanted(row, place)
        if not (wanted or row.version or self._cabinet.roster.spoilt_at):
            return False
        if row.asked_at is None or _booted_since(place, row.asked_at):
            return await self._ask_bounds(row)
        if row.version != NOT_KEPT and (row.sending or (row.version and _booted_since(place, row.confirmed_at))):
            return await self._ask_version(row)
        step = next_step(row.confirmed, wanted, row.most_at_once or self._settings.local_list_at_once)
        if row.version != NOT_KEPT and step is not None and (step.says or row.version):
            return await self._send(row, step)
        return await self._clear_cache(row)

    def _must_wait(self, row: ListRow) -> bool:
        """Whether it is too early to try again; a new connection is always tried."""
        if row.station in self._fresh:
            self._fresh.discard(row.station)
            return False
        return row.next_at is not None and row.next_at > self._store.clock()

    def _wanted(self, row: ListRow, place: Place) -> dict[str, str]:
        """What the station's list is to say."""
        most = min(filter(None, (row.most_entries, self._settings.local_list_entries)))
        return self._cabinet.roster.wanted(place.site, row.content, most, self._store.clock())

    async def _ask_bounds(self, row: ListRow) -> bool:
        """Learn how long the list may be and whether there is a cache; a station that kept no list may keep one now."""
        view = await self._order(row.station, GetListBounds())
        if view is None or view.outcome is Outcome.TIMEOUT:
            return await self._failed(row, view)
        if row.version == NOT_KEPT:
            row = replace(row, version=0, says=None)
        told = view.figures
        row = replace(row, most_entries=told.get("most_entries"), most_at_once=told.get("most_at_once"))
        cache = bool(told["cache"]) if "cache" in told else None
        return await self._keep(replace(row, has_cache=cache, asked_at=self._store.clock(), tries=0, next_at=None))

    async def _ask_version(self, row: ListRow) -> bool:
        """Learn which version the station has: the one it confirmed, the one under way, or neither."""
        view = await self._order(row.station, GetLocalListVersion())
        if view is not None and view.decline is Decline.UNSUPPORTED:
            return await self._keep(_without(row, "The station keeps no list of its own."))
        if view is None or "list_version" not in view.figures:
            return await self._failed(row, view)
        return await self._keep(_told(row, view.figures["list_version"], self._store.clock()))

    async def _send(self, row: ListRow, step: Step) -> bool:
        """Send one message; what it brings is kept before it leaves."""
        entries = await self._cabinet.entries(step.says)
        if len(entries) < len(step.says):
            return await self._give_up(row, [ref for ref in step.says if ref not in entries])
        version, now = max(row.version, row.sending or 0) + 1, self._store.clock()
        since = self._cabinet.roster.changed_since(step.says, row.sent_at)
        row = replace(row, sending=version, sending_content=step.content, sent_at=now)
        await self._keep(row)
        order = SendLocalList(version=version, full=step.full, entries=tuple(entries.values()))
        view = await self._order(row.station, order)
        if view is not None and view.outcome is Outcome.ACCEPTED:
            confirmed = _told(replace(row, order_id=view.id), version, self._store.clock())
            return await self._keep(_timed(confirmed, since) if since else confirmed)
        if view is not None and view.decline is Decline.UNSUPPORTED:
            return await self._keep(_without(row, "The station keeps no list of its own."))
        return await self._declined(replace(row, order_id=view.id if view else None), step, view)

    async def _declined(self, row: ListRow, step: Step, view: OrderView | None) -> bool:
        """What the station did not take: after a change the whole list is next (1.6 5.15), else the same again."""
        if view is not None and view.outcome is Outcome.REJECTED and not step.full:
            version = row.sending or row.version
            row = replace(row, version=version, confirmed_at=None, sending=None, sending_content=None)
            if view.decline is Decline.MISMATCH:
                return await self._keep(row)
        return await self._failed(row, view)

    async def _give_up(self, row: ListRow, refs: list[str]) -> bool:
        """Cards whose numbers nobody can open any more: they cannot be named, so the list is replaced without them."""
        self._cabinet.leave_out(refs)
        content = {ref: says for ref, says in row.content.items() if ref not in refs}
        known = row.confirmed_at if content == row.content else None
        return await self._keep(replace(row, content=content, confirmed_at=known))

    async def _clear_cache(self, row: ListRow) -> bool:
        """Make a station forget cards that it remembers by itself, where one of them was spoilt since."""
        spoilt = self._cabinet.roster.spoilt_at
        if not row.has_cache or spoilt is None or (row.cleared_at is not None and row.cleared_at >= spoilt):
            return False
        now = self._store.clock()
        view = await self._order(row.station, ClearCache())
        if view is None or view.outcome is Outcome.TIMEOUT:
            return await self._failed(row, view)
        if view.outcome is not Outcome.ACCEPTED:
            return await self._keep(replace(row, has_cache=False))
        return await self._keep(replace(row, cleared_at=now, tries=0, next_at=None))

    async def _order(self, station: str, order: Order) -> OrderView | None:
        """Ask the station; None where it has gone."""
        try:
            patience_s = self._settings.order_timeout_s + 5
            return await self._dispatch.order(station, order, BY, wait_s=patience_s, only_if_connected=True)
        except Refusal as refusal:
            if refusal.code in (Code.OFFLINE, Code.NOT_FOUND):
                return None
            raise

    async def _failed(self, row: ListRow, view: OrderView | None) -> bool:
        """Note why it did not work, and when to try again; where the station has gone, that is when it is back."""
        if view is None:
            return False
        wait_s = min(RETRY_S * 2**row.tries, LONGEST_RETRY_S)
        why = f"The station answered: {view.summary}." if view.outcome is not Outcome.TIMEOUT else view.summary
        next_at = self._store.clock() + timedelta(seconds=wait_s)
        await self._keep(replace(row, tries=row.tries + 1, next_at=next_at, says=why))
        self._later(row.station, wait_s)
        return False

    async def _keep(self, row: ListRow) -> bool:
        """Keep how things stand, and tell whoever watches; True: go on."""
        async with self._store.unit() as unit:
            await lists.keep(unit, row)
        self._bus.announce("local_lists", row.station)
        return True

    # --- for people -----------------------------------------------------------------------------------

    async def view(self, viewer: Viewer, station: str) -> ListView:
        """How far a station's list is; Refusal NOT_FOUND."""
        await self._cabinet.refresh()
        async with self._store.read() as connection:
            seen = await stations.seen(connection, viewer, station)
            row, place = await lists.one(connection, station), await lists.place(connection, station)
        if seen is None or place is None:
            raise Refusal(Code.NOT_FOUND, "There is no such station.")
        wanted = {} if row.version == NOT_KEPT else self._wanted(row, place)
        behind = differences(row.confirmed or {}, wanted)
        since = self._cabinet.roster.changed_since(behind, row.sent_at)
        return _view(row, behind, since, self._why(row, place, behind))

    def _why(self, row: ListRow, place: Place, behind: dict[str, str]) -> str:
        """Why the list is as it is, in a sentence."""
        if row.version == NOT_KEPT:
            return row.says or "The station keeps no list of its own."
        if not behind:
            return "The list is as it should be."
        if not self._settings.local_lists:
            return "Local lists are switched off here."
        if not place.online:
            return "The station is not connected; its list follows when it is back."
        return row.says or "The list is on its way."


def _booted_since(place: Place, at: datetime | None) -> bool:
    """Whether the station has started anew since it was asked; who never answered is not asked again for that."""
    return at is not None and place.booted_at is not None and place.booted_at > at


def _told(row: ListRow, version: int, now: datetime) -> ListRow:
    """The row once the station has told its version."""
    if version == NOT_KEPT:
        return _without(row, "The station keeps no list of its own.")
    settled = replace(row, sending=None, sending_content=None, next_at=None)
    if row.sending is not None and version == row.sending:
        content = row.sending_content or {}
        return replace(settled, version=version, content=content, confirmed_at=now, tries=0, says=None)
    if version == row.version and row.confirmed_at is not None:
        return replace(settled, confirmed_at=now)
    return replace(settled, version=max(version, row.version, row.sending or 0), confirmed_at=None)


def _without(row: ListRow, why: str) -> ListRow:
    """The row of a station that keeps no list."""
    none = {"version": NOT_KEPT, "content": {}, "confirmed_at": None, "sending": None, "sending_content": None}
    return replace(row, **none, tries=0, next_at=None, says=why)  # type: ignore[arg-type]


def _timed(row: ListRow, since: datetime) -> ListRow:
    """The row with how long the change took to arrive."""
    took = (row.confirmed_at - since) if row.confirmed_at else timedelta()
    return replace(row, delay_ms=min(round(took / timedelta(milliseconds=1)), 2**31 - 1))


def _view(row: ListRow, behind: dict[str, str], since: datetime | None, why: str) -> ListView:
    blocked = sum(says == BLOCKED for says in row.content.values())
    return ListView(
        kept=None if row.version == 0 else row.version != NOT_KEPT,
        version=max(row.version, 0),
        accepted=len(row.content) - blocked,
        blocked=blocked,
        confirmed_at=row.confirmed_at,
        behind=len(behind),
        behind_since=since,
        why=why,
        sent_at=row.sent_at,
        next_at=row.next_at,
        tries=row.tries,
        delay_ms=row.delay_ms,
        cleared_at=row.cleared_at,
    )
