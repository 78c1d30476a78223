"""Settles what the books charge, each by the way its driver pays; and reserves an amount when a session begins.

It follows the ledger by its numbers, and the journal for what begins. Each step is one transaction with the note that
it was done, so it may die at any moment. What the provider is to be asked is only written down here (`asking`).
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.cards.token import Authorisation
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.ledger import AccountKind, EntryKind, account, moved, owed
from wattkeeper.charging.money.payments.paying import Way
from wattkeeper.charging.money.payments.payment import PaymentState, Verb
from wattkeeper.charging.money.payments.share import share_minor
from wattkeeper.operations.money import billing
from wattkeeper.operations.money.payments.purses import way_for
from wattkeeper.operations.money.payments.target import aim, charge, known_of
from wattkeeper.operations.money.tariffs.choosing import pinned
from wattkeeper.operations.watching import catch_up
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.money import billable, due, hold, ledger
from wattkeeper.store.money.billable import Billable
from wattkeeper.store.money.ledger import Entry
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments import settlement, share
from wattkeeper.store.money.payments import step as steps
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.store.money.payments.settlement import Charged
from wattkeeper.store.unit import Unit

SETTLING, RESERVING = "settling", "reserving"
BY = "wattkeeper"
TOGETHER = 100
COVERED = "covered"
"""The account of what whoever runs the stations pays for their drivers."""
LATE = timedelta(hours=1)
"""What began longer ago is not reserved for any more: it will soon have a bill."""
FORGOTTEN = timedelta(hours=1)
"""After how long without a word of it a payment that was never taken to the provider is given up."""


class Settling:
    """Settles what was charged, for as long as the installation runs."""

    def __init__(self, store: Store, settings: Settings, *, has_provider: bool) -> None:
        self._store = store
        self._settings = settings
        self._has_provider = has_provider

    async def look(self) -> int:
        """See to all that is new; how many documents were settled."""
        count = 0
        while settled := await self._settle():
            count += settled
        if self._has_provider:
            await catch_up(self._store, self._reserve)
            await self._release()
        return count

    # --- what was charged -----------------------------------------------------------------------------------

    async def _settle(self) -> int:
        """Settle the documents in the next stretch of the ledger; how many entries that were."""
        async with self._store.read() as connection:
            known = await due.followed(connection, SETTLING)
            if await ledger.newest(connection) == known.n:
                return 0
        async with self._store.unit() as unit:
            before = await due.followed(unit.connection, SETTLING)
            found, n = await settlement.charged(unit.connection, before.n, TOGETHER)
            if n == before.n or not await due.advance(unit, SETTLING, before, n):
                return 0
            for one in found:
                await self._share(unit, one)
                if one.person:
                    await self._pay(unit, one)
        return n - before.n

    async def _share(self, unit: Unit, one: Charged) -> None:
        """What the host of its site gets of a document."""
        agreed = await share.valid_at(unit.connection, one.site, one.issued_at)
        amount = 0 if agreed is None else share_minor(agreed, one.net_minor, one.energy_wh)
        lines = moved(account(AccountKind.HOST, one.site), account(AccountKind.SALES, one.site), one.currency, amount)
        await ledger.post(unit, [Entry(EntryKind.SHARE, one.number, BY, lines)])

    async def _pay(self, unit: Unit, one: Charged) -> None:
        """Pay a document by the way its driver pays; once a card has paid for a session, it goes on to."""
        way = await way_for(unit.connection, one.person, one.group, self._settings)
        if await settlement.by_card(unit.connection, one.session):
            way = Way.CARD
        if way is Way.CARD and not self._has_provider:
            way = Way.INVOICE
        month = f"{one.issued_at.astimezone(self._settings.zone):%Y-%m}"
        await settlement.keep(unit, one, way, month)
        if way is Way.FREE:
            lines = moved(owed(one.person), account(AccountKind.LOST, COVERED), one.currency, one.gross_minor)
            await ledger.post(unit, [Entry(EntryKind.WRITE_OFF, one.number, BY, lines)])
        elif way is Way.PREPAID:
            prepaid = account(AccountKind.PREPAID, one.person)
            lines = moved(owed(one.person), prepaid, one.currency, one.gross_minor)
            kind = EntryKind.PAYMENT if one.gross_minor >= 0 else EntryKind.REFUND
            await ledger.post(unit, [Entry(kind, one.number, BY, lines)])
        elif way is Way.CARD:
            await aim(unit, one.session, BY)

    # --- what begins ----------------------------------------------------------------------------------------

    async def _reserve(self) -> int:
        """Reserve for what began in the next stretch of the journal; the number of its last entry, or 0."""
        async with self._store.read() as connection:
            before = await due.followed(connection, RESERVING)
            touched, n = await billable.touched(connection, before.n, 50 * TOGETHER)
            found = await billable.of(connection, touched)
            seen = await payments.with_payments(connection, list(found))
            begun = [one for one in found.values() if one.id not in seen and _runs(one, self._store)]
            paying = {one.id: one for one in begun if await self._pays_by_card(connection, one)}
            choices = await pinned(connection, paying)
        if n == before.n:
            return 0
        currency = self._settings.pay_currency
        money = (self._settings.authorise_minor, currency, digits_of(currency))
        priced = {name for name, one in choices.items() if one.row and one.row.tariff.currency == currency}
        wanted = [paying[name] for name in sorted(priced)]
        async with self._store.unit() as unit:
            if await due.advance(unit, RESERVING, before, n):
                for one in wanted if money[0] > 0 else ():
                    if not await settlement.is_settled(unit.connection, one.id):
                        await charge(unit, one.id, one.spot.person, money, BY)
        return n

    async def _pays_by_card(self, connection: AsyncConnection, one: Billable) -> bool:
        way = await way_for(connection, one.spot.person, one.spot.group, self._settings)
        return way is Way.CARD

    # --- what is not needed -----------------------------------------------------------------------------------

    async def _release(self) -> None:
        """Free what is reserved for sessions that ended without a bill, and give up what nobody went on with."""
        async with self._store.read() as connection:
            reserved = [row for row in await payments.in_state(connection, PaymentState.AUTHORISED) if row.session]
            stale = await payments.in_state(connection, PaymentState.ASKED)
            over = await self._over(connection, reserved)
        long_ago = self._store.clock() - FORGOTTEN
        left = [row for row in stale if row.session is None and row.created_at < long_ago]
        if not over and not left:
            return
        async with self._store.unit() as unit:
            for row in over:
                await self._free(unit, row)
            for row in left:
                now = await payments.by_id(unit.connection, row.id)
                if now is not None and now.state is PaymentState.ASKED:
                    await payments.move(unit, now, PaymentState.CANCELLED)

    async def _over(self, connection: AsyncConnection, reserved: list[PaymentRow]) -> list[PaymentRow]:
        """Those whose session is over, is not to be looked at any more, and waits for nobody."""
        sessions = [row.session for row in reserved if row.session]
        found = await billable.of(connection, sessions) if sessions else {}
        waiting = await due.which(connection, sessions)
        held = await hold.of_sessions(connection, sessions) if sessions else {}
        open_ones = {session for session, rows in held.items() if any(row.settled_at is None for row in rows)}
        followed = await due.followed(connection, billing.NAME)
        over = {one.id for one in found.values() if not one.whole.is_live and one.last_n <= followed.n}
        return [row for row in reserved if row.session in over - waiting - open_ones]

    async def _free(self, unit: Unit, row: PaymentRow) -> None:
        """Free a payment, unless a document wants it meanwhile."""
        assert row.session is not None
        newest = await ledger.newest(unit.connection)
        if (await due.followed(unit.connection, SETTLING)).n < newest:
            return
        known = [one for one in await known_of(unit, row.session) if one.row.id == row.id and one.is_free]
        for one in known:
            await steps.add(unit, one.row.id, Verb.CANCEL)


def _runs(one: Billable, store: Store) -> bool:
    """Whether a session runs by right, and began just now."""
    is_new = store.clock() - one.known_at < LATE
    return one.whole.is_live and one.whole.verdict is Authorisation.ACCEPTED and bool(one.spot.person) and is_new
