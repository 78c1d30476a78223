"""Stations' own lists follow the cards: what may charge while a station cannot ask, and what no longer may.

One message at a time to each station, a few stations at a time. What was sent is kept before it leaves; whatever
became of it, the station is asked for its version where that is not known.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta

from wattkeeper.bus import Bus
from wattkeeper.charging.cards.local_list import differences
from wattkeeper.charging.errors import Code, Refusal
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
from wattkeeper.charging.phrase import phrase
from wattkeeper.language import retold
from wattkeeper.operations.cards.lists.ledger import (
    NO_LIST,
    NOTHING,
    Known,
    Ledger,
    ListView,
    Shared,
    booted_since,
    shown,
    timed,
    told,
    without,
)
from wattkeeper.operations.cards.lists.roster import Ask, Cabinet, Due, Plan
from wattkeeper.operations.dispatch import LINES, Dispatch, Line, OrderView
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.cards.local_list import NOT_KEPT, ListRow, Place
from wattkeeper.store.engines import Store
from wattkeeper.store.stations import station as stations

log = logging.getLogger("wattkeeper.local_list")
BY = "wattkeeper"
CHANGING = 40
"""How many stations are told of a change at once."""
FILLING = 16
"""How many are given a long list, or are asked what they have, at once: this bounds memory."""
TURN = 20
"""How many stations are considered before the others have their turn."""
SETTLE_S = 1.0
"""How long cards and new connections may come to rest before lists follow, seconds."""
GATHER_S = 0.2
"""How long new connections gather before they are looked at, seconds."""
SWEEP_S = 300.0
"""How often every list is looked at whatever was announced: cards expire by themselves, hints may be lost."""
RETRY_S, LONGEST_RETRY_S = 10.0, 3600.0
"""How long until a station that failed is tried again: doubled with each failure."""


class Lane:
    """Stations that wait for their turn, each once."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._waiting: set[str] = set()

    def put(self, station: str) -> None:
        """The station's list is to be looked at."""
        if station not in self._waiting:
            self._waiting.add(station)
            self._queue.put_nowait(station)

    async def get(self) -> str:
        """The next station."""
        station = await self._queue.get()
        self._waiting.discard(station)
        return station

    def __bool__(self) -> bool:
        """Whether any waits."""
        return bool(self._waiting)


class LocalLists:
    """Brings the list of each connected station up to date, for as long as the installation runs."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, settings: Settings, dispatch: Dispatch) -> None:
        self._store = store
        self._bus = bus
        self._settings = settings
        self._dispatch = dispatch
        self._ledger = Ledger(store)
        self._cabinet = Cabinet(store, safe, self._ledger)
        self._followed: tuple[int, datetime | None] | None = None
        self._changes, self._fills = Lane(), Lane()
        self._busy: set[str] = set()
        self._fresh: set[str] = set()
        self._lines: dict[str, Line] = {}

    # --- when to look ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow cards and connections until cancelled."""
        if not self._settings.local_lists:
            return
        working = [self._changes] * CHANGING + [self._fills] * FILLING
        try:
            async with asyncio.TaskGroup() as running:
                for follow in (self._follow("cards"), self._follow("forgotten"), self._follow_lines(), self._sweep()):
                    running.create_task(follow)
                for lane in working:
                    running.create_task(self._work(lane))
        finally:
            self._cabinet.close()
            await self._ledger.settle()

    async def _follow(self, topic: str) -> None:
        """Look at the lists when a card has changed what they say; at all when one is gone, which no change tells."""
        async with self._bus.listen(topic) as hints:
            async for _ in hints:
                await asyncio.sleep(SETTLE_S)
                await self._look(anyway=topic == "forgotten")

    async def _follow_lines(self) -> None:
        """Look at the list of each station that has connected."""
        async with self._bus.listen(LINES) as hints:
            while True:
                lines = dict(self._dispatch.lines())
                for station in self._lines.keys() - lines.keys():
                    self._ledger.forget(station)
                for station in [name for name, line in lines.items() if self._lines.get(name) is not line]:
                    self._ledger.forget(station)
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
            before, self._followed = self._followed, (self._cabinet.roster.turn, self._cabinet.roster.spoilt_at)
            if anyway or self._followed != before:
                await self._look_around()
            if anyway:
                await self._ledger.tidy()
        except Exception as fault:
            log.error("the cards for local lists could not be read: %s", type(fault).__name__)

    async def _look_around(self) -> None:
        """Give every connected station its turn whose list is not as it should be."""
        names = list(self._lines)
        await self._ledger.look_around(names)
        for place, station in enumerate(names):
            await self._consider(station)
            if place % TURN == 0:
                await asyncio.sleep(0)

    async def _consider(self, station: str) -> None:
        """Give a station its turn where anything is to be done, or where that is not known."""
        known = self._at_hand(station)
        if known is None:
            self._fills.put(station)
        elif (due := await self._due(known)) is not None:
            (self._changes if due.is_urgent else self._fills).put(station)

    def _at_hand(self, station: str) -> Known | None:
        """What is known of a station since it connected; None where it must be read."""
        line = self._lines.get(station)
        return self._ledger.known(station) if line is not None and self._dispatch.lines().get(station) is line else None

    def _later(self, station: str, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._fills.put, station)

    async def _work(self, lane: Lane) -> None:
        """Bring up to date whichever list has its turn, one message at a time."""
        while True:
            station = await lane.get()
            if station in self._busy:
                asyncio.get_running_loop().call_later(SETTLE_S, lane.put, station)
                continue
            try:
                if await self._take_turn(station):
                    await self._consider(station)
            except Exception as fault:
                # without its words: they could hold a card's number
                log.error("the list of %s could not follow: %s", station, type(fault).__name__)
                self._ledger.forget(station)
                self._later(station, LONGEST_RETRY_S)
            if not (self._busy or self._changes or self._fills):
                self._cabinet.close()

    # --- one station ----------------------------------------------------------------------------------

    async def bring(self, station: str) -> None:
        """Bring a station's list up to date, message by message, as far as it answers."""
        self._ledger.forget(station)
        while await self._take_turn(station):
            pass

    async def _take_turn(self, station: str) -> bool:
        """Do what is next for a station; False where nothing more is to be done now."""
        self._busy.add(station)
        try:
            return await self._go_on(station)
        finally:
            self._busy.discard(station)

    async def _go_on(self, station: str) -> bool:
        """Ask or tell a station one thing; False where nothing more is to be done now."""
        await self._cabinet.ready()
        known = self._at_hand(station) or await self._ledger.learn(station)
        if known is not None and station in self._fresh:  # a new connection is always tried
            known = Known(replace(known.row, next_at=None), known.place)
        self._fresh.discard(station)
        due = None if known is None else await self._due(known)
        if due is None:
            return False
        if due.ask is Ask.BOUNDS:
            return await self._ask_bounds(due.row)
        if due.ask is Ask.VERSION:
            return await self._ask_version(due.row)
        return await (self._send(due.row, due.plan) if due.ask is Ask.SEND else self._clear_cache(due.row))

    async def _due(self, known: Known) -> Due | None:
        """What is next for a list; None where nothing is, or not yet."""
        row, now = known.row, self._store.clock()
        if not self._dispatch.connected(row.station) or (row.next_at is not None and row.next_at > now):
            return None
        plan = await self._plan(row, known.place)
        ask = self._next(row, known.place, plan)
        return None if ask is None else Due(ask, row, plan)

    def _next(self, row: ListRow, place: Place, plan: Plan) -> Ask | None:
        """What is next for a list where it may be tried."""
        if not (plan.wanted or row.version or self._cabinet.roster.spoilt_at):
            return None
        if row.asked_at is None or booted_since(place, row.asked_at):
            return Ask.BOUNDS
        if row.version != NOT_KEPT:
            if row.sending or (row.version and booted_since(place, row.confirmed_at)):
                return Ask.VERSION
            if plan.step is not None and (plan.step.says or row.version):
                return Ask.SEND
        return Ask.CLEAR if self._remembers_spoilt(row) else None

    def _remembers_spoilt(self, row: ListRow) -> bool:
        """Whether a station may still remember a card as good that was spoilt since."""
        spoilt = self._cabinet.roster.spoilt_at
        return bool(row.has_cache) and spoilt is not None and (row.cleared_at is None or row.cleared_at < spoilt)

    async def _plan(self, row: ListRow, place: Place) -> Plan:
        """What the station's list is to say, and the next message."""
        most = min(filter(None, (row.most_entries, self._settings.local_list_entries)))
        at_once = row.most_at_once or self._settings.local_list_at_once
        return await self._cabinet.plan(row, place.site, most, at_once, self._store.clock())

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
            return await self._keep(without(row, NO_LIST))
        if view is None or "list_version" not in view.figures:
            return await self._failed(row, view)
        return await self._keep(told(row, view.figures["list_version"], self._store.clock()))

    async def _send(self, row: ListRow, plan: Plan) -> bool:
        """Send one message; what it brings is kept before it leaves."""
        step = plan.step
        assert step is not None
        entries = await self._cabinet.entries(step.says)
        if len(entries) < len(step.says):
            return await self._give_up(row, {ref for ref in step.says if ref not in entries})
        version, now = max(row.version, row.sending or 0) + 1, self._store.clock()
        since = self._cabinet.roster.changed_since(step.says, row.sent_at)
        row = replace(row, sending=version, sending_content=plan.after.id, sent_at=now)
        await self._keep(row, plan.after)
        order = SendLocalList(version=version, full=step.full, entries=tuple(entries.values()))
        view = await self._order(row.station, order)
        if view is not None and view.outcome is Outcome.ACCEPTED:
            confirmed = told(replace(row, order_id=view.id), version, self._store.clock())
            return await self._keep(timed(confirmed, since) if since else confirmed)
        if view is not None and view.decline is Decline.UNSUPPORTED:
            return await self._keep(without(row, NO_LIST))
        return await self._declined(replace(row, order_id=view.id if view else None), step.full, view)

    async def _declined(self, row: ListRow, full: bool, view: OrderView | None) -> bool:
        """What the station did not take: after a change the whole list is next (1.6 5.15), else the same again."""
        if view is not None and view.outcome is Outcome.REJECTED and not full:
            version = row.sending or row.version
            row = replace(row, version=version, confirmed_at=None, sending=None, sending_content=None)
            if view.decline is Decline.MISMATCH:
                return await self._keep(row)
        return await self._failed(row, view)

    async def _give_up(self, row: ListRow, refs: set[str]) -> bool:
        """Cards whose numbers nobody can open any more: they cannot be named, so the list is replaced without them."""
        self._cabinet.leave_out(refs)
        content = await self._ledger.content(row.content) or NOTHING
        left = self._ledger.share({ref: says for ref, says in content.says.items() if ref not in refs})
        known = row.confirmed_at if left.id == content.id else None
        return await self._keep(replace(row, content=left.id, confirmed_at=known), left)

    async def _clear_cache(self, row: ListRow) -> bool:
        """Make a station forget cards that it remembers by itself, where one of them was spoilt since."""
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
        answered = phrase("The station answered: {answer}.", answer=view.summary)
        why = answered if view.outcome is not Outcome.TIMEOUT else view.summary
        next_at = self._store.clock() + timedelta(seconds=wait_s)
        await self._keep(replace(row, tries=row.tries + 1, next_at=next_at, says=why))
        self._later(row.station, wait_s)
        return False

    async def _keep(self, row: ListRow, under_way: Shared = NOTHING) -> bool:
        """Keep how things stand, and tell whoever watches; True: go on."""
        await self._ledger.keep(row, under_way)
        self._bus.announce("local_lists", row.station)
        return True

    # --- for people -----------------------------------------------------------------------------------

    async def view(self, viewer: Viewer, station: str) -> ListView:
        """How far a station's list is; Refusal NOT_FOUND."""
        await self._cabinet.refresh()
        async with self._store.read() as connection:
            seen = await stations.seen(connection, viewer, station)
        known = None if seen is None else await self._ledger.read(station)
        if known is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such station."))
        row, place = known.row, known.place
        content = (await self._ledger.content(row.content) or NOTHING).says
        wanted = {} if row.version == NOT_KEPT else (await self._plan(row, place)).wanted
        behind = differences({} if row.confirmed_at is None else content, wanted)
        since = self._cabinet.roster.changed_since(behind, row.sent_at)
        return shown(row, content, behind, since, self._why(row, place, behind))

    def _why(self, row: ListRow, place: Place, behind: dict[str, str]) -> str:
        """Why the list is as it is, in a sentence."""
        if row.version == NOT_KEPT:
            return retold(row.says or NO_LIST)
        if not behind:
            return phrase("The list is as it should be.")
        if not self._settings.local_lists:
            return phrase("Local lists are switched off here.")
        if not place.online:
            return phrase("The station is not connected; its list follows when it is back.")
        return retold(row.says or phrase("The list is on its way."))
