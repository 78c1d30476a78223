"""What each station's list holds, as far as it concerns this process: at hand in memory, and kept before it counts.

Most stations hold the same list, so a content is held and kept once. Rows that change together share one transaction.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wattkeeper.charging.cards.local_list import BLOCKED, Content
from wattkeeper.charging.phrase import phrase
from wattkeeper.store.cards import local_list as lists
from wattkeeper.store.cards.local_list import EMPTY, NOT_KEPT, ListRow, Place
from wattkeeper.store.engines import Store

NO_LIST = phrase("The station keeps no list of its own.")
MOST_HELD = 500_000
"""How many entries of contents stay in memory, some 60 bytes each; what does not fit is read again."""
READ_AT_ONCE = 500
"""Stations read in one query: few enough that nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Known:
    """A station, and how things stand with its list."""

    row: ListRow
    place: Place


@dataclass(frozen=True, slots=True)
class Shared:
    """A content that many lists may hold."""

    id: str
    says: Content


NOTHING = Shared(EMPTY, {})
Pending = tuple[ListRow, Shared, asyncio.Future[None]]
"""A row that waits to be kept, the content under way, and whom to tell."""


class Ledger:
    """The rows of the stations that are connected here, and the contents that they share."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Known] = {}
        self._contents: OrderedDict[str, Content] = OrderedDict()
        self._held = 0
        self._pending: list[Pending] = []
        self._writer: asyncio.Task[None] | None = None

    # --- looking --------------------------------------------------------------------------------------

    def known(self, station: str) -> Known | None:
        """What is at hand of a station; None where it must be read."""
        return self._known.get(station)

    def forget(self, station: str) -> None:
        """The station has gone, or another process may have had it."""
        self._known.pop(station, None)

    async def read(self, station: str) -> Known | None:
        """How things stand with a station's list, as it is kept; None where there is no such station."""
        async with self._store.read() as connection:
            row, places = await lists.one(connection, station), await lists.places(connection, [station])
        if station not in places:
            return None
        if await self.content(row.content) is None:  # whoever has a list that nobody knows is given the whole one
            row = replace(row, content=EMPTY, confirmed_at=None)
        return Known(row, places[station])

    async def learn(self, station: str) -> Known | None:
        """The same, and have it at hand from now on."""
        known = await self.read(station)
        if known is None:
            self.forget(station)
        else:
            self._known[station] = known
        return known

    async def look_around(self, stations: Collection[str]) -> None:
        """Learn where the stations that are at hand stand now, and whether they have started anew."""
        names = [name for name in stations if name in self._known]
        for first in range(0, len(names), READ_AT_ONCE):
            some = names[first : first + READ_AT_ONCE]
            async with self._store.read() as connection:
                places = await lists.places(connection, some)
            for name in some:
                self._move(name, places.get(name))

    def _move(self, station: str, place: Place | None) -> None:
        """A station at hand stands here now; nowhere where it is no more."""
        known = self._known.get(station)
        if place is None:
            self.forget(station)
        elif known is not None and known.place != place:
            self._known[station] = Known(known.row, place)

    async def content(self, identifier: str) -> Shared | None:
        """The content of this id; None where it is lost."""
        if identifier == EMPTY:
            return NOTHING
        says: Content | None = self._contents.get(identifier)
        if says is None:
            async with self._store.read() as connection:
                says = await lists.content(connection, identifier)
            if says is None:
                return None
            self._hold(identifier, says)
        self._contents.move_to_end(identifier)
        return Shared(identifier, says)

    def share(self, says: Content) -> Shared:
        """The content that says this: the same one for all."""
        identifier = lists.content_id(says)
        if identifier == EMPTY:
            return NOTHING
        if identifier not in self._contents:
            self._hold(identifier, says)
        return Shared(identifier, self._contents[identifier])

    def _hold(self, identifier: str, says: Content) -> None:
        """Have a content at hand, and let those go that were used longest ago where they are too many."""
        if identifier in self._contents:
            return
        self._contents[identifier] = says
        self._held += len(says)
        while self._held > MOST_HELD and len(self._contents) > 1:
            self._held -= len(self._contents.popitem(last=False)[1])

    # --- keeping --------------------------------------------------------------------------------------

    async def keep(self, row: ListRow, under_way: Shared = NOTHING) -> None:
        """Keep how things stand with a list, and the content under way; done when it is on disk."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((row, under_way, kept))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="local lists' rows")
        await kept
        known = self._known.get(row.station)
        if known is not None:
            self._known[row.station] = Known(row, known.place)

    async def _write(self) -> None:
        """Keep all that waits, as long as any does: what gathers while one transaction runs shares the next."""
        while self._pending:
            taken: list[Pending] = []
            try:
                async with self._store.unit() as unit:
                    taken = self._take()
                    contents = {shared.id: shared.says for _, shared, _ in taken if shared.id != EMPTY}
                    await lists.keep(unit, [row for row, _, _ in taken], contents)
            except Exception as fault:
                _tell(taken or self._take(), fault)
            else:
                _tell(taken, None)

    def _take(self) -> list[Pending]:
        """All that waits."""
        taken, self._pending = self._pending, []
        return taken

    async def tidy(self) -> None:
        """Forget what no station needs."""
        async with self._store.unit() as unit:
            await lists.drop_unused(unit)

    async def settle(self) -> None:
        """Wait until what is being kept is on disk."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)


def _tell(waiting: Iterable[Pending], fault: Exception | None) -> None:
    """Tell whoever waits for these rows that they are kept, or why they are not."""
    for _, _, kept in waiting:
        if kept.done():  # whoever waited has been cancelled
            continue
        if fault is None:
            kept.set_result(None)
        else:
            kept.set_exception(fault)


# --- how a row goes on --------------------------------------------------------------------------------


def booted_since(place: Place, at: datetime | None) -> bool:
    """Whether the station has started anew since it was asked; who never answered is not asked again for that."""
    return at is not None and place.booted_at is not None and place.booted_at > at


def told(row: ListRow, version: int, now: datetime) -> ListRow:
    """The row once the station has told its version."""
    if version == NOT_KEPT:
        return without(row, NO_LIST)
    settled = replace(row, sending=None, sending_content=None, next_at=None)
    if row.sending is not None and version == row.sending:
        content = row.sending_content or EMPTY
        return replace(settled, version=version, content=content, confirmed_at=now, tries=0, says=None)
    if version == row.version and row.confirmed_at is not None:
        return replace(settled, confirmed_at=now)
    return replace(settled, version=max(version, row.version, row.sending or 0), confirmed_at=None)


def without(row: ListRow, why: str) -> ListRow:
    """The row of a station that keeps no list."""
    kept = replace(row, version=NOT_KEPT, content=EMPTY, confirmed_at=None, sending=None, sending_content=None)
    return replace(kept, tries=0, next_at=None, says=why)


def timed(row: ListRow, since: datetime) -> ListRow:
    """The row with how long the change took to arrive."""
    took = (row.confirmed_at - since) if row.confirmed_at else timedelta()
    return replace(row, delay_ms=min(round(took / timedelta(milliseconds=1)), 2**31 - 1))


# --- for people ---------------------------------------------------------------------------------------


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


def shown(row: ListRow, content: Content, behind: Collection[str], since: datetime | None, why: str) -> ListView:
    """The list of a row that holds this content, and does not know these cards as they are."""
    blocked = sum(says == BLOCKED for says in content.values())
    return ListView(
        kept=None if row.version == 0 else row.version != NOT_KEPT,
        version=max(row.version, 0),
        accepted=len(content) - blocked,
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
