"""`order`: the only way out. An order is a row: queued, sent, then answered or expired; it is never sent twice."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.facts import OrderSettled
from wattkeeper.charging.orders import (
    NO_FIGURES,
    AnyCommand,
    AskDisplay,
    ChangeAvailability,
    ClearCache,
    Decline,
    ForgetCustomer,
    GetListBounds,
    GetLocalListVersion,
    Order,
    OrderState,
    Outcome,
    Reset,
    SendLocalList,
    Settlement,
    ShowCost,
    ShowMessage,
    ShowPrice,
    ShowTotal,
    StartCharging,
    StopCharging,
    Trigger,
    Unlock,
)
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.safe import Safe
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.stations import order as orders
from wattkeeper.store.stations import station as stations
from wattkeeper.store.stations.order import OrderRow

log = logging.getLogger("wattkeeper.dispatch")

KINDS: Mapping[str, type[Order]] = {
    kind.__name__: kind
    for kind in (
        *(StartCharging, StopCharging, Reset, Trigger, Unlock, ChangeAvailability, ShowMessage, AnyCommand),
        *(SendLocalList, GetLocalListVersion, GetListBounds, ClearCache, ForgetCustomer),
        *(AskDisplay, ShowPrice, ShowCost, ShowTotal),
    )
}
OPEN = (OrderState.QUEUED, OrderState.SENT)
SPENT = frozenset({SendLocalList.__name__, ShowPrice.__name__, StartCharging.__name__, ForgetCustomer.__name__})
"""What holds card numbers that nobody needs once it is settled."""
QUIET = frozenset({AskDisplay.__name__})
"""A question of ours whose answer is no news, whatever it is."""
ROUTINE = frozenset({AskDisplay.__name__, ShowCost.__name__})
"""What goes well so often that no line of time need tell it, and only the newest is kept."""
LOOK_S = 1.0
"""How often a waiting caller looks whether another process settled the order, seconds."""
GRACE_S = 5.0
"""How long after the time for an answer a sent order is given up that no connection of ours waits for, seconds."""
NEVER_SENT = phrase("The station was not connected in time.")
INTERRUPTED = phrase("Wattkeeper was restarted before the station answered.")
NO_ANSWER = phrase("The station did not answer in time.")
LINES = "lines"
"""The topic on which it is announced that a station has connected."""


class Line(Protocol):
    """A station's connection, as orders see it."""

    def wake(self) -> None:
        """An order waits for the station; never blocks."""

    def check(self, order: Order) -> None:
        """Raise Refusal (INVALID) where the station's version cannot say the order."""


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order, and what became of it."""

    id: str
    station: str
    kind: str
    """The class of the order, such as ``StartCharging``."""
    action: str | None
    """The standard's word, once it was sent."""
    words: Mapping[str, object] | None
    """What was sent, tokens and keys masked."""
    state: OrderState
    outcome: Outcome | None
    summary: str | None
    """One line for people, once it is settled."""
    answer: Mapping[str, object] | None
    """The station's answer in its own words."""
    by: str
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    decline: Decline | None = None
    """Why it was declined, where that decides what is next; told only to whoever waited for it."""
    figures: Mapping[str, int] = field(default_factory=lambda: NO_FIGURES)
    """The numbers that it asked for; told only to whoever waited for it."""


class Dispatch:
    """Gives orders to stations, and tells what became of them."""

    def __init__(self, store: Store, safe: Safe, bus: Bus, settings: Settings, intake: Intake) -> None:
        self._store = store
        self._safe = safe
        self._bus = bus
        self._settings = settings
        self._intake = intake
        self._lines: dict[str, Line] = {}
        self._waiting: dict[str, asyncio.Event] = {}
        self._sent_here: set[str] = set()
        self._told: dict[str, Settlement] = {}

    # --- for whoever asks -----------------------------------------------------------------------------

    async def order(
        self,
        station: str,
        order: Order,
        by: str,
        *,
        wait_s: float = 0,
        only_if_connected: bool = False,
        within_s: float | None = None,
        identifier: str | None = None,
    ) -> OrderView:
        """Ask a station to do something, and wait up to ``wait_s`` seconds for its answer.

        Refusal NOT_FOUND: no such station. OFFLINE: it has no connection and ``only_if_connected`` is set.
        INVALID: the dialect it speaks has no such command. How the station answers is an outcome, not a refusal.
        With ``only_if_connected`` an order that could not be sent within the wait (or ``within_s``, where given) is not
        sent later either. ``identifier`` names the order where another row must know its name before it is kept.
        """
        if isinstance(order, StartCharging) and not order.remote_start:
            order = replace(order, remote_start=1 + secrets.randbelow(2**31 - 1))
        await self._check(station, order, only_if_connected)
        identifier = identifier or secrets.token_hex(8)
        settled = self._waiting[identifier] = asyncio.Event()
        try:
            patience_s = wait_s if only_if_connected else self._settings.order_queue_s
            await self._queue(identifier, station, order, by, patience_s if within_s is None else within_s)
            view = await self._wait(identifier, settled, wait_s)
            told = self._told.get(identifier)
            return view if told is None else replace(view, decline=told.decline, figures=told.figures)
        finally:
            del self._waiting[identifier]
            self._told.pop(identifier, None)

    async def view(self, order_id: str) -> OrderView:
        """The order with this id; Refusal NOT_FOUND."""
        async with self._store.read() as connection:
            row = await orders.one(connection, order_id)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such order."))
        return self._view(row)

    def connected(self, station: str) -> bool:
        """Whether a station has a connection to this process."""
        return station in self._lines

    def lines(self) -> Mapping[str, Line]:
        """The connections of this process by station, as they are now."""
        return dict(self._lines)

    async def _check(self, station: str, order: Order, only_if_connected: bool) -> None:
        """Refuse what cannot be: no station, no connection, no such command."""
        async with self._store.read() as connection:
            if not await stations.known(connection, [station]):
                raise Refusal(Code.NOT_FOUND, phrase("There is no station {station}.", station=repr(station)))
        line = self._lines.get(station)
        if line is not None:
            line.check(order)
        elif only_if_connected:
            raise Refusal(Code.OFFLINE, phrase("Station {station} is not connected.", station=repr(station)))

    async def _queue(self, identifier: str, station: str, order: Order, by: str, patience_s: float) -> None:
        """Keep the order, which is not to be sent after its time; then tell the station's line."""
        async with self._store.unit() as unit:
            sealed = self._safe.seal("orders", "sealed", msgspec.json.encode(order))
            until = unit.now + timedelta(seconds=patience_s)
            if type(order).__name__ in ROUTINE:
                await orders.forget_done(unit, station, ROUTINE, unit.now - timedelta(seconds=GRACE_S))
            await orders.queue(unit, identifier, station, type(order).__name__, sealed, by, until)
        self._bus.announce(f"orders:{station}", identifier)
        self._wake(station)

    async def _wait(self, identifier: str, settled: asyncio.Event, wait_s: float) -> OrderView:
        """The order once it is settled, or as it is when the time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while (view := await self.view(identifier)).state in OPEN and (left := until - loop.time()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK_S)):
                    await settled.wait()
        return view

    # --- for the gateway ------------------------------------------------------------------------------

    def connect(self, station: str, line: Line) -> None:
        """From now on the station is reached by this line."""
        self._lines[station] = line
        self._bus.announce(LINES, station)

    def disconnect(self, station: str, line: Line) -> None:
        """The line is gone; another that the station may have by now stays."""
        if self._lines.get(station) is line:
            del self._lines[station]

    async def due(self, station: str) -> list[tuple[str, Order]]:
        """What waits to be sent to a station, the oldest first: order ids and orders."""
        async with self._store.read() as connection:
            rows = await orders.queued_for(connection, station, self._store.clock())
        return [(row.id, self._open(row)) for row in rows]

    async def sent(self, order_id: str, action: str, words: Mapping[str, object]) -> bool:
        """Note that an order goes out now, *before* it does; False: it must not be sent any more."""
        async with self._store.unit() as unit:
            still = await orders.send(unit, order_id, action, msgspec.json.encode(words).decode())
        if still:
            self._sent_here.add(order_id)
        return still

    async def settled(self, order_id: str, settlement: Settlement) -> None:
        """Note what became of an order, tell it in the station's line of time, and wake whoever waits for it."""
        state = OrderState.EXPIRED if settlement.outcome is Outcome.TIMEOUT else OrderState.ANSWERED
        words = msgspec.json.encode(settlement.words) if settlement.words else None
        self._sent_here.discard(order_id)
        async with self._store.unit() as unit:
            answer = self._safe.seal("orders", "answer", words) if words else None
            first = await orders.settle(unit, order_id, state, settlement.outcome, settlement.summary, answer)
            row = await orders.one(unit.connection, order_id)
            if first and row is not None and row.kind in SPENT:
                await orders.reseal(unit, order_id, self._spent(row))
        try:
            if first and row is not None:
                if row.kind not in QUIET and (row.kind not in ROUTINE or settlement.outcome is not Outcome.ACCEPTED):
                    await self._intake.record(row.station, self._fact(row))
                self._bus.announce("orders", order_id)
        finally:
            if order_id in self._waiting:
                self._told[order_id] = settlement
                self._waiting[order_id].set()

    async def expire_old(self, *, at_start: bool = False) -> None:
        """Give up orders that waited too long for their station or for its answer; wake lines that missed one.

        At the start everything that was sent is given up: its answer went to the process that is no more.
        """
        now = self._store.clock()
        longest = self._settings.order_queue_s + self._settings.order_timeout_s + 60 * GRACE_S
        async with self._store.read() as connection:
            rows = await orders.still_open(connection, None if at_start else now - timedelta(seconds=longest))
        for row in rows:
            why = self._overdue(row, now, at_start)
            if why is not None:
                await self.settled(row.id, Settlement(Outcome.TIMEOUT, {}, why))
            elif row.state is OrderState.QUEUED:
                self._wake(row.station)

    def _overdue(self, row: OrderRow, now: datetime, at_start: bool) -> str | None:
        """Why an open order is to be given up; None while it is not."""
        if row.state is OrderState.QUEUED:
            return NEVER_SENT if row.expires_at <= now else None
        if at_start:
            return INTERRUPTED
        answer_by = (row.sent_at or row.created_at) + timedelta(seconds=self._settings.order_timeout_s + GRACE_S)
        return NO_ANSWER if row.id not in self._sent_here and answer_by <= now else None

    def _wake(self, station: str) -> None:
        line = self._lines.get(station)
        if line is not None:
            line.wake()

    # --- rows and values ------------------------------------------------------------------------------

    def _open(self, row: OrderRow) -> Order:
        """The order of its row."""
        return msgspec.json.decode(self._safe.unseal("orders", "sealed", row.sealed), type=KINDS[row.kind])

    def _spent(self, row: OrderRow) -> bytes:
        """What was settled as it is kept: the card numbers in it were for the station alone."""
        order = self._open(row)
        bare = replace(order, entries=()) if isinstance(order, SendLocalList) else order
        bare = replace(bare, uid="") if isinstance(bare, ShowPrice | StartCharging | ForgetCustomer) else bare
        return self._safe.seal("orders", "sealed", msgspec.json.encode(bare))

    def _fact(self, row: OrderRow) -> OrderSettled:
        """What the line of time tells of a settled order."""
        order = self._open(row)
        return OrderSettled(
            order_id=row.id,
            action=row.action or row.kind,
            outcome=row.outcome.value if row.outcome else "",
            by=row.by,
            evse=getattr(order, "evse", None),
            ref=getattr(order, "ref", None),
        )

    def _view(self, row: OrderRow) -> OrderView:
        """What is shown of an order."""
        answer = msgspec.json.decode(self._safe.unseal("orders", "answer", row.answer)) if row.answer else None
        words = msgspec.json.decode(row.words) if row.words else None
        told = (row.id, row.station, row.kind, row.action, words, row.state, row.outcome, row.summary, answer, row.by)
        return OrderView(*told, row.created_at, row.sent_at, row.settled_at)
