"""The cards as stations' own lists see them, kept at hand; what a list is to say next; numbers while they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from wattkeeper.charging.cards.local_list import Content, Roster, Rule, Step, next_step, understood
from wattkeeper.charging.orders import ListEntry
from wattkeeper.operations.cards.lists.ledger import Ledger, Shared
from wattkeeper.operations.safe import Safe
from wattkeeper.store.cards import local_list as lists
from wattkeeper.store.cards.local_list import NOT_KEPT, START, ListRow, Position
from wattkeeper.store.engines import Store
from wattkeeper.vault.keys import KeyRefused

READ_AT_ONCE = 250
"""Cards read in one query: few enough that nobody waits for it."""
OPENED_AT_ONCE = 20
"""Numbers opened before the others have their turn."""
OVERLAP = timedelta(seconds=10)
"""How far before the last change cards are read again: a transaction of another process may have taken that long."""
ROUND_S = 30.0
"""How long numbers stay open at most, seconds: one round of stations shares them."""
MOST_PLANS = 200
"""How many plans stay in memory; each is as long as a list."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a list is to hold, and the next message that brings it there."""

    wanted: Content
    step: Step | None
    after: Shared
    """What the list holds after the step."""
    turn: int
    """The roster's, when the plan was made."""
    until: datetime | None
    """When a card on it expires."""


class Ask(Enum):
    """What may be next for a list."""

    BOUNDS = auto()
    VERSION = auto()
    SEND = auto()
    CLEAR = auto()


@dataclass(frozen=True, slots=True)
class Due:
    """What is next for a station's list."""

    ask: Ask
    row: ListRow
    plan: Plan

    @property
    def is_urgent(self) -> bool:
        """Whether it goes before long lists: what takes permission away, and what takes one message."""
        step = self.plan.step
        if self.ask is Ask.SEND and step is not None:
            return not step.full and (step.takes_away or not step.more)
        if self.ask is Ask.CLEAR:  # what a list says goes before what a cache remembers (1.6 3.5.3)
            return self.row.version == NOT_KEPT
        return self.ask is Ask.VERSION


class Cabinet:
    """Where the roster is: it follows each change of a card, read in small portions."""

    def __init__(self, store: Store, safe: Safe, ledger: Ledger) -> None:
        self._store = store
        self._safe = safe
        self._ledger = ledger
        self._reading = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._position = START
        self._is_read = False
        self._lost: set[str] = set()
        self._numbers: dict[str, str | None] = {}
        self._plans: dict[tuple[str, bool, Rule, int, int], Plan] = {}
        self.roster = Roster()

    # --- cards ----------------------------------------------------------------------------------------

    async def ready(self) -> None:
        """Wait until all cards have been read once: before, every list would seem to hold too many."""
        if not self._is_read:
            await self.refresh()

    async def refresh(self, *, anyway: bool = False) -> None:
        """Read what has changed since the last time, or all cards ``anyway``: a clock may have been set back."""
        async with self._reading:
            since = _before(self._position) if self._is_read and not anyway else START
            seen = await self._read(since)
            if since == START:
                for ref in self.roster.cards.keys() - seen:
                    self.roster.drop(ref)
            self._is_read = True

    async def _read(self, after: Position) -> set[str]:
        """Follow every change after this, with a pause after each portion; which cards changed."""
        seen: set[str] = set()
        spoilt = None if after == START else self.roster.spoilt_at
        while True:
            async with self._store.read() as connection:
                page = await lists.changed(connection, after, READ_AT_ONCE)
            for card in page.cards:
                if card.ref not in self._lost:
                    self.roster.take(card)
                    seen.add(card.ref)
            spoilt = max(filter(None, (spoilt, page.spoilt_at)), default=None)
            if page.last is None:
                break
            after = page.last
            await asyncio.sleep(0)
        self.roster.spoilt_at, self._position = spoilt, max(after, self._position)
        return seen

    def leave_out(self, refs: Iterable[str]) -> None:
        """These cards' numbers cannot be opened any more: lists do without them from now on."""
        for ref in refs:
            self._lost.add(ref)
            self.roster.drop(ref)

    # --- what a list is to say ------------------------------------------------------------------------

    async def plan(self, row: ListRow, site: str, most: int, at_once: int, now: datetime) -> Plan:
        """What is next for a list of at most ``most`` cards: worked out once for all lists that are alike."""
        unknown = row.confirmed_at is None
        key = (row.content, unknown, self.roster.rule(site), most, at_once)
        plan = self._plans.get(key)
        if plan is None or plan.turn != self.roster.turn or (plan.until is not None and plan.until <= now):
            content = await self._ledger.content(row.content)
            says = {} if content is None else content.says
            plan = self._plan(says, unknown or content is None, site, most, at_once, now)
            self._plans.pop(key, None)
            self._plans[key] = plan
            if len(self._plans) > MOST_PLANS:
                del self._plans[next(iter(self._plans))]
        return plan

    def _plan(self, says: Content, unknown: bool, site: str, most: int, at_once: int, now: datetime) -> Plan:
        wanted = self.roster.wanted(site, says, most, now)
        step = next_step(None if unknown else says, wanted, at_once)
        after = self._ledger.share(says if step is None else step.content)
        return Plan(wanted, step, after, self.roster.turn, self.roster.holds_until(wanted))

    # --- numbers --------------------------------------------------------------------------------------

    async def entries(self, says: Mapping[str, str]) -> dict[str, ListEntry]:
        """The entries that say this, by pseudonym; a card whose key was destroyed has none."""
        numbers = await self._open([*says])
        found: dict[str, ListEntry] = {}
        for ref, text in says.items():
            if (number := numbers.get(ref)) is not None:
                listing, until = understood(text)
                found[ref] = ListEntry(uid=number, listing=listing, expires_at=until)
        return found

    def close(self) -> None:
        """Forget all numbers: the round is over."""
        self._numbers = {}

    async def _open(self, refs: list[str]) -> Mapping[str, str | None]:
        """These cards' numbers, each opened once in a round; None for one that nobody can open any more."""
        async with self._opening:
            lacking = [ref for ref in refs if ref not in self._numbers]
            if lacking:
                if not self._numbers:
                    asyncio.get_running_loop().call_later(ROUND_S, self.close)
                opened = await self._unseal(lacking)
                self._numbers = {**self._numbers, **dict.fromkeys(lacking), **opened}
            return self._numbers

    async def _unseal(self, refs: list[str]) -> dict[str, str | None]:
        """The numbers of these cards, opened."""
        async with self._store.read() as connection:
            sealed = await lists.numbers(connection, refs)
        found: dict[str, str | None] = {}
        for place, one in enumerate(sealed):
            if place % OPENED_AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                found[one.ref] = self._safe.unseal_by(one.wrapped, one.person, "card", "sealed", one.number).decode()
            except KeyRefused:
                continue
        return found


def _before(position: Position) -> Position:
    """A little before a position."""
    return START if position == START else (position[0] - OVERLAP, "")
