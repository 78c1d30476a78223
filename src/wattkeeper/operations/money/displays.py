"""What charging costs, on the displays of stations that can show it: the price, the cost so far, the total.

It follows the journal, beside it: no station waits for it. A station is asked once, when a session with a price begins
there, what its display can do; one that declines or does not answer is left alone for the rest of that session.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zlib import crc32

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Refusal
from wattkeeper.charging.facts import Booted
from wattkeeper.charging.identifiers import shown as said_aloud
from wattkeeper.charging.money.standing import Standing, standing
from wattkeeper.charging.orders import AskDisplay, Order, Outcome, ShowCost, ShowPrice, ShowTotal
from wattkeeper.charging.phrase import Figure, Money, joined, phrase
from wattkeeper.charging.session import Session, SessionState
from wattkeeper.language import tell_in
from wattkeeper.operations.dispatch import Dispatch, OrderView
from wattkeeper.operations.money.billing import TOPIC
from wattkeeper.operations.money.tariffs.choosing import pinned
from wattkeeper.operations.money.tariffs.price_words import said_at
from wattkeeper.operations.money.tariffs.worth import bill_of
from wattkeeper.operations.money.total import Totals, total_of
from wattkeeper.operations.people.letters.mail import Mail
from wattkeeper.operations.safe import Safe
from wattkeeper.operations.watching import watch
from wattkeeper.settings import Settings
from wattkeeper.store import journal
from wattkeeper.store.cards import local_list
from wattkeeper.store.engines import Store
from wattkeeper.store.money import bill, billable
from wattkeeper.store.money.billable import Billable
from wattkeeper.store.money.tariffs import tariff as tariffs
from wattkeeper.store.money.tariffs.tariff import TariffRow
from wattkeeper.store.stations import order as orders
from wattkeeper.vault.keys import KeyRefused

log = logging.getLogger("wattkeeper.displays")

BY = "wattkeeper"
SHOWN = (ShowCost.__name__, ShowTotal.__name__)
ENTRIES = 5_000
"""How many journal entries are followed at once."""
MOST_AT_ONCE = 32
"""How many stations are told something at once."""
TOGETHER = 100
"""How many sessions are looked up at once."""
QUESTIONS = 2
"""How many stations are asked at once what they can show: after a start of ours all are, and none is urgent."""
PAUSE_S = 1
"""How long it rests between two looks, seconds."""
LONGEST_WAIT = timedelta(days=1)
"""For how long after its end a session may still get its total."""
MOST_LEFT = 100_000
NEVER = 0
"""Before every journal entry: what failed, or reached nobody, is seen to again."""
SUMMED = phrase("{energy}: {amount} in total, with tax. Session {id}.")


@dataclass(frozen=True, slots=True)
class Ability:
    """What a station's display can do."""

    cost: bool
    price: bool


NOTHING = Ability(False, False)


@dataclass(slots=True)
class Shown:
    """A session whose cost is shown."""

    station: str
    cost: Decimal | None = None
    """What was shown last; None: nothing yet."""
    at: datetime | None = None
    """When, by our clock."""
    standing: Standing | None = None
    is_idle: bool = False
    over_n: int | None = None
    """Its newest journal entry when it was found to have ended without a total that is certain; NEVER: not seen to."""


class Displays:
    """Keeps displays up to date, for as long as the installation runs."""

    def __init__(
        self, store: Store, safe: Safe, bus: Bus, settings: Settings, dispatch: Dispatch, mail: Mail, totals: Totals
    ) -> None:
        self._store, self._safe, self._bus, self._settings = store, safe, bus, settings
        self._dispatch, self._mail, self._totals = dispatch, mail, totals
        self._every = timedelta(seconds=settings.station_cost_every_s)
        self._backlog = timedelta(days=settings.billing_backlog_days)
        self._n: int | None = None
        self._abilities: dict[str, dict[str, Ability]] = {}
        """By station and currency."""
        self._shown: dict[str, Shown] = {}
        self._left: dict[str, None] = {}
        """Sessions that are left alone."""
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._failed: set[str] = set()
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._questions = asyncio.Semaphore(QUESTIONS)

    async def run(self) -> None:
        """Look whenever something was recorded or billed."""
        if not self._settings.station_costs:
            return
        try:
            await watch(self._bus, ["journal", TOPIC], self.look, log, pause_s=PAUSE_S, rest_s=None)
        finally:
            for task in self._busy.values():
                task.cancel()

    async def settle(self) -> None:
        """Wait until nobody is being told anything."""
        while self._busy:
            await asyncio.wait([*self._busy.values()])

    # --- what has happened ----------------------------------------------------------------------------

    async def look(self) -> None:
        """Follow the journal, and see to each session about which something was told."""
        async with self._store.read() as connection:
            if self._n is None:
                self._n = await journal.newest(connection)
                return
            marks = await journal.happened(connection, self._n, ENTRIES)
        touched: dict[str, None] = {}
        for _, kind, station, session in marks:
            if kind == Booted.__name__:
                self._forget(station)
            elif session is not None and session not in self._left and self._can(station):
                touched[session] = None
        for session in await self._worth_showing(list(touched)):
            self._see_to(session)
        for session in [one for one, how in self._shown.items() if how.over_n is not None]:
            self._see_to(session)
        self._n = marks[-1][0] if marks else self._n
        if len(marks) == ENTRIES:
            await self.look()

    async def _worth_showing(self, touched: list[str]) -> list[str]:
        """Those of these sessions that are shown, or may be: what has no price is left alone, many at a time."""
        fresh = [one for one in touched if one not in self._shown and one not in self._busy]
        if fresh:
            async with self._store.read() as connection:
                if not await tariffs.is_any(connection):
                    return []
        for place in range(0, len(fresh), TOGETHER):
            async with self._store.read() as connection:
                found = await billable.of(connection, fresh[place : place + TOGETHER])
                choices = await pinned(connection, found)
            for one in found.values():
                if one.is_known and (choices[one.id].row is None or one.whole.ref is None):
                    self._leave(one.id)
        return [one for one in touched if one not in self._left]

    def _can(self, station: str) -> bool:
        """Whether a station has a display for prices or costs, as far as is known."""
        known = self._abilities.get(station)
        return known is None or any(one is not NOTHING for one in known.values())

    def _forget(self, station: str) -> None:
        """It may be another station after a boot."""
        self._abilities.pop(station, None)

    def _see_to(self, session: str) -> None:
        """Let a session be looked at, now or once that is done which is being done for it."""
        if session in self._busy:
            self._again.add(session)
        else:
            self._busy[session] = asyncio.create_task(self._look_after(session))

    async def _look_after(self, session: str) -> None:
        """Tell a session's station what is to be told."""
        try:
            async with self._turns:
                await self._show(session)
            self._failed.discard(session)
        except Exception as problem:
            log.error("the display of session %s: %s", said_aloud(session), type(problem).__name__, exc_info=True)
            self._fail(session)
        finally:
            del self._busy[session]
            if session in self._again and session not in self._left:
                self._see_to(session)
            self._again.discard(session)

    def _fail(self, session: str) -> None:
        """Try a session again in the next look, but only once."""
        if session in self._failed:
            self._leave(session)
            return
        self._failed.add(session)
        if session in self._shown:
            self._shown[session].over_n = NEVER

    def _leave(self, session: str) -> None:
        """Leave a session alone."""
        self._shown.pop(session, None)
        self._failed.discard(session)
        if len(self._left) >= MOST_LEFT:
            del self._left[next(iter(self._left))]
        self._left[session] = None

    # --- one session ------------------------------------------------------------------------------------

    async def _show(self, session: str) -> None:
        """Tell what has become of it."""
        how = self._shown.get(session)
        async with self._store.read() as connection:
            its = (await billable.of(connection, [session])).get(session)
            if its is None or (how is not None and its.whole.is_live and not self._may_be_due(how)):
                return
            row = (await pinned(connection, {session: its}))[session].row
        if row is None or its.whole.ref is None or not its.is_known:
            return
        how = how or await self._begin(its, row)
        if how is not None:
            await (self._show_cost(its, row, how) if its.whole.is_live else self._show_total(its, row, how))

    def _may_be_due(self, how: Shown) -> bool:
        """Whether it is time, or the clock or the energy may have changed the price."""
        now = self._store.clock()
        if how.at is None or how.standing is None or now - how.at >= self._every:
            return True
        here = how.standing
        turned = here.changes_at is not None and here.changes_at <= now
        return turned or here.changes_at_wh is not None or here.prices.idle_hour is not None

    async def _begin(self, its: Billable, row: TariffRow) -> Shown | None:
        """Find out what the station can show, and tell it the price; None where there is nothing to show now."""
        station, currency = its.whole.station, row.tariff.currency
        if not self._dispatch.connected(station) or (not its.whole.is_live and its.whole.ended is None):
            return None
        ability = self._abilities.get(station, {}).get(currency)
        if ability is None and its.whole.is_live:
            ability = await self._ask(station, currency)
        if ability is None or ability is NOTHING or await self._has_declined(its):
            self._leave(its.id)
            return None
        if ability.price and its.whole.is_live:
            await self._tell_price(its, row)
        if not ability.cost:
            self._leave(its.id)
            return None
        how = self._shown[its.id] = Shown(station)
        return how

    async def _ask(self, station: str, currency: str) -> Ability:
        """What a station's display can do, by its own word; it is asked for each currency once."""
        async with self._questions:
            view = await self._order(station, AskDisplay(currency=currency))
        figures = {} if view is None else view.figures
        other = bool(figures.get("other_currency"))
        (self._totals.elsewhere.add if other else self._totals.elsewhere.discard)(station)
        shows_cost, shows_price = bool(figures.get("shows_cost")) and not other, bool(figures.get("shows_price"))
        ability = Ability(shows_cost, shows_price) if shows_cost or shows_price else NOTHING
        self._abilities.setdefault(station, {})[currency] = ability
        return ability

    async def _has_declined(self, its: Billable) -> bool:
        """Whether the station has declined to show this session's cost, before we were started again."""
        async with self._store.read() as connection:
            return await orders.declined(connection, its.whole.station, SHOWN, its.known_at)

    async def _order(self, station: str, order: Order) -> OrderView | None:
        """The station's answer; None where it could not be asked."""
        patience_s = self._settings.order_timeout_s + PAUSE_S
        try:
            return await self._dispatch.order(
                station, order, BY, wait_s=patience_s, only_if_connected=True, within_s=patience_s
            )
        except Refusal as refusal:
            log.info("%s is not told what charging costs: %s", station, refusal.why)
            return None

    async def _tell(self, its: Billable, order: Order) -> bool:
        """Show something of a session's cost; false where the station is away, and is to be told once it is back.

        One that declines, or does not answer, is left alone.
        """
        view = await self._order(its.whole.station, order)
        if view is None and not self._dispatch.connected(its.whole.station):
            return False
        if view is None or view.outcome is not Outcome.ACCEPTED:
            self._leave(its.id)
        return True

    # --- what is shown ----------------------------------------------------------------------------------

    async def _tell_price(self, its: Billable, row: TariffRow) -> None:
        """The price in words, in the driver's language."""
        language = await self._mail.language_of(its.spot.person)
        text = str(tell_in(language, joined(said_at(row.tariff, its.begins_at), "; ")))
        number = crc32(f"price of {its.id}".encode()) & 0x7FFFFFFF
        uid = await self._number_of(its.whole)
        await self._order(its.whole.station, ShowPrice(text=text, ref=its.whole.ref or "", uid=uid, message_id=number))

    async def _number_of(self, session: Session) -> str:
        """The number of a session's token in the clear; empty where nobody can open it."""
        async with self._store.read() as connection:
            sealed = await local_list.numbers(connection, [session.token] if session.token else [])
        for one in sealed:
            with suppress(KeyRefused):
                return self._safe.unseal_by(one.wrapped, one.person, "card", "sealed", one.number).decode()
        return ""

    async def _show_cost(self, its: Billable, row: TariffRow, how: Shown) -> None:
        """The cost so far: not more often than told, but for a changed price."""
        whole, now = its.whole, self._store.clock()
        here = standing(whole, row.tariff, now)
        is_idle = row.tariff.prices_idling and whole.state is SessionState.SUSPENDED
        turned = how.standing is None or how.standing.prices != here.prices or how.is_idle != is_idle
        if not turned and how.at is not None and now - how.at < self._every:
            return
        async with self._store.read() as connection:
            cost = (await bill_of(connection, whole, its.last_n, row)).gross
        if not turned and cost == how.cost:
            return
        last = whole.track.last
        order = ShowCost(
            ref=whole.ref or "",
            cost=cost,
            at=whole.started_at if last is None else last.at,
            register_wh=Decimal(0) if last is None else last.wh,
            is_idle=is_idle,
            standing=here,
        )
        how.over_n = None
        if await self._tell(its, order):
            how.cost, how.at, how.standing, how.is_idle = cost, now, here, is_idle

    async def _show_total(self, its: Billable, row: TariffRow, how: Shown) -> None:
        """What it came to: as soon as that is certain, else as it was billed."""
        answered = self._totals.told(its.id)
        total = await self._total(its, how) if answered is None else answered
        is_told = total is not None
        if total is not None and answered is None:
            is_told = await self._tell(its, await self._summed(its, row, total))
        how.over_n = its.last_n if total is None or is_told else NEVER
        if is_told or self._store.clock() - its.heard_at > LONGEST_WAIT:
            self._leave(its.id)

    async def _total(self, its: Billable, how: Shown) -> Decimal | None:
        """What is certain; what was billed is."""
        async with self._store.read() as connection:
            documents = (await bill.of_sessions(connection, [its.id])).get(its.id)
            if documents:
                return Decimal(sum(one.gross_minor for one in documents)).scaleb(-documents[0].digits)
            return None if how.over_n == its.last_n else await total_of(connection, its.id, self._backlog)

    async def _summed(self, its: Billable, row: TariffRow, total: Decimal) -> ShowTotal:
        """The total with its words, in the driver's language, and where its receipt is."""
        language = await self._mail.language_of(its.spot.person)
        energy = Figure((its.whole.energy_wh or Decimal(0)).scaleb(-3), 2, "kWh")
        amount = Money(total, row.tariff.currency, row.tariff.digits)
        text = str(tell_in(language, SUMMED.filled(energy=energy, amount=amount, id=said_aloud(its.id))))
        home = self._settings.public_url.rstrip("/")
        return ShowTotal(
            ref=its.whole.ref or "", cost=total, text=text, link=f"{home}/app/sessions/{its.id}" if home else ""
        )
