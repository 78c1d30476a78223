"""Money that people move by hand: what is given up, given back, paid to hosts. Above a limit two people must agree."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.ledger import AccountKind, EntryKind, account, moved, owed
from wattkeeper.charging.money.payments.payment import PaymentKind, PaymentState, Verb
from wattkeeper.charging.money.payments.share import Share, ShareKind
from wattkeeper.charging.money.tariffs.assignment import Rank
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.bills import SECOND
from wattkeeper.operations.money.limit import need_person
from wattkeeper.operations.money.payments.asking import TOPIC
from wattkeeper.operations.money.payments.settling import SETTLING
from wattkeeper.operations.money.payments.wallet import (
    LATELY,
    MOST_MINOR,
    enter_now,
    minor_text,
    need_line,
    need_reference,
)
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.money import due, ledger
from wattkeeper.store.money.ledger import Entry
from wattkeeper.store.money.payments import deed as deeds
from wattkeeper.store.money.payments import paying, settlement, share
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments import step as steps
from wattkeeper.store.money.payments.deed import DeedRow, DeedState, MoneyDeed
from wattkeeper.store.money.payments.payment import BANK, PaymentRow
from wattkeeper.store.money.payments.share import Accrued
from wattkeeper.store.money.tariffs.subject import exists
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.payments")

MOST_SHARE = 100
"""A host gets at most so many percent, or so many minor units for a kWh: more is a slip, or worse."""
BAD_DEBT = "bad_debt"
"""The account of what drivers owed and nobody will pay."""
WHY = phrase("Say why: whoever checks the books reads it.")
ITS_BILL = phrase("What a card paid for a session follows its bill: correct the bill, and the rest is given back.")


@dataclass(frozen=True, slots=True)
class Statement:
    """What the host of a site is to get, document by document; minor units."""

    site: str
    currency: str
    digits: int
    after_entry: int
    until_entry: int
    items: list[Accrued]

    @property
    def total_minor(self) -> int:
        """What that adds up to."""
        return sum(one.share_minor for one in self.items)


class MoneyDeeds:
    """Write-offs, refunds and payouts."""

    def __init__(self, store: Store, bus: Bus, settings: Settings) -> None:
        self._store = store
        self._bus = bus
        self._settings = settings

    # --- wanting ----------------------------------------------------------------------------------------------

    async def write_off(self, viewer: Viewer, person: str, amount_minor: int, currency: str, said: str) -> DeedRow:
        """Give up so much of what a person owes (scope bills:write). Refusal INVALID, CONFLICT."""
        viewer.need(Scope.BILLS_WRITE)
        said = need_line(said, WHY)
        async with self._store.unit() as unit:
            owes = await self._owed(unit, person, currency)
            if not 0 < amount_minor <= owes:
                told = minor_text(owes, currency, digits_of(currency))
                raise Refusal(Code.INVALID, phrase("No more can be given up than is owed: {owed}.", owed=told))
            money = (amount_minor, currency, digits_of(currency))
            return await self._want(unit, viewer, MoneyDeed.WRITE_OFF, money, said, person=person)

    async def refund(self, viewer: Viewer, payment: str, amount_minor: int, said: str) -> DeedRow:
        """Give back so much of a payment that was not needed (scope bills:write). Refusal NOT_FOUND, INVALID, CONFLICT.

        What a card paid for a session is given back by a credit note. What was prepaid must still be there.
        """
        viewer.need(Scope.BILLS_WRITE)
        said = need_line(said, WHY)
        async with self._store.unit() as unit:
            row = await payments.one(unit.connection, viewer, payment)
            if row is None:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such payment."))
            if row.kind not in (PaymentKind.TRANSFER, PaymentKind.TOP_UP):
                raise Refusal(Code.CONFLICT, ITS_BILL)
            if amount_minor <= 0 or amount_minor > await self._refundable(unit, row):
                raise Refusal(Code.INVALID, phrase("No more can be given back than was paid and not used."))
            money = (amount_minor, row.currency, row.digits)
            return await self._want(unit, viewer, MoneyDeed.REFUND, money, said, person=row.person, payment=row.id)

    async def pay_out(self, viewer: Viewer, site: str, currency: str, reference: str, total_minor: int) -> DeedRow:
        """The host of a site was paid what accrued so far, by this bank reference (scope bills:write).

        ``total_minor``: what the statement said; CONFLICT where more was billed since, or one waits already.
        """
        viewer.need(Scope.BILLS_WRITE)
        reference = need_reference(reference, phrase("Name the bank's reference of the payout."))
        async with self._store.unit() as unit:
            told = await self._statement(unit.connection, site, currency)
            if told.total_minor <= 0:
                raise Refusal(Code.CONFLICT, phrase("Nothing is owed to the host of this site."))
            if told.total_minor != total_minor:
                raise Refusal(Code.CONFLICT, phrase("More was billed since. Look at the statement again."))
            money, span = (total_minor, currency, told.digits), (told.after_entry, told.until_entry)
            more = {"site": site, "after_entry": span[0], "until_entry": span[1]}
            return await self._want(unit, viewer, MoneyDeed.PAYOUT, money, reference, **more)

    async def _want(
        self, unit: Unit, viewer: Viewer, deed: MoneyDeed, money: tuple[int, str, int], said: str, **of: Any
    ) -> DeedRow:
        """Do it, or let it wait for a second person where it is much."""
        if money[0] > MOST_MINOR:
            raise Refusal(Code.INVALID, phrase("That is more than anybody owes."))
        names = {"person": "person_id", "payment": "payment_id"}
        same = {names.get(key, key): value for key, value in of.items() if not key.endswith("_entry")}
        if await deeds.is_open(unit.connection, deed=deed.value, **same):
            raise Refusal(Code.CONFLICT, phrase("Somebody proposed that already. Agree to it, or reject it."))
        is_done = await self._alone(unit, viewer, money, of.get("person")) <= self._settings.four_eyes_minor
        if not is_done:
            need_person(viewer)
        row = await deeds.keep(unit, deed, money, said, viewer.name, **of)
        if is_done:
            row = await self._do(unit, row, viewer.name)
        log.info("%s %s %s %s", viewer.name, "did" if is_done else "proposed", deed.value, row.id)
        self._bus.announce(TOPIC)
        return row

    async def _alone(self, unit: Unit, viewer: Viewer, money: tuple[int, str, int], person: str | None) -> int:
        """What this comes to with all that the same one moved for the same person lately, and nobody agreed to."""
        if person is None:
            return money[0]
        since = unit.now - LATELY
        return money[0] + await deeds.alone(unit.connection, viewer.name, person, money[1], since)

    # --- agreeing ---------------------------------------------------------------------------------------------

    async def agree(self, viewer: Viewer, identifier: str) -> DeedRow:
        """Do what somebody else proposed (scope bills:write). Refusal NOT_FOUND, FORBIDDEN, CONFLICT."""
        viewer.need(Scope.BILLS_WRITE)
        async with self._store.unit() as unit:
            row = await self._open(unit, viewer, identifier)
            if not viewer.account or viewer.name == row.created_by:
                raise Refusal(Code.FORBIDDEN, SECOND)
            await self._need_same(unit, row)
            row = await self._do(unit, row, viewer.name)
        log.info("%s agreed to %s %s", viewer.name, row.deed.value, row.id)
        self._bus.announce(TOPIC)
        return row

    async def reject(self, viewer: Viewer, identifier: str) -> DeedRow:
        """Turn down what was proposed, one's own too (scope bills:write). Refusal NOT_FOUND, CONFLICT."""
        viewer.need(Scope.BILLS_WRITE)
        async with self._store.unit() as unit:
            row = await self._open(unit, viewer, identifier)
            if row.deed is MoneyDeed.ENTER:
                await payments.move(unit, await self._payment(unit, row), PaymentState.CANCELLED, theirs=None)
            row = await deeds.settle(unit, row, DeedState.REJECTED, viewer.name)
        self._bus.announce(TOPIC)
        return row

    async def _open(self, unit: Unit, viewer: Viewer, identifier: str) -> DeedRow:
        row = await deeds.one(unit.connection, viewer, identifier)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such proposal."))
        if row.state is not DeedState.OPEN:
            raise Refusal(Code.CONFLICT, phrase("This was settled already; nothing was changed."))
        return row

    async def _need_same(self, unit: Unit, row: DeedRow) -> None:
        """Refuse what cannot be done any more as it was proposed."""
        left = row.amount_minor
        if row.deed is MoneyDeed.WRITE_OFF:
            left = await self._owed(unit, row.person or "", row.currency)
        elif row.deed is MoneyDeed.ENTER:
            return
        elif row.deed is MoneyDeed.REFUND:
            left = await self._refundable(unit, await self._payment(unit, row))
        elif await deeds.paid_until(unit.connection, row.site or "", row.currency) != row.after_entry:
            left = 0
        if left < row.amount_minor:
            why = phrase("Things have changed since that was proposed. Reject it, and look again.")
            raise Refusal(Code.CONFLICT, why)

    # --- doing ------------------------------------------------------------------------------------------------

    async def _do(self, unit: Unit, row: DeedRow, by: str) -> DeedRow:
        """Enter it into the books; what the provider gives back is entered once it did."""
        if row.deed is MoneyDeed.REFUND:
            await self._give_back(unit, row, by)
        elif row.deed is MoneyDeed.ENTER:
            await enter_now(unit, await self._payment(unit, row), by)
        elif row.deed is MoneyDeed.WRITE_OFF:
            lines = moved(owed(row.person or ""), account(AccountKind.LOST, BAD_DEBT), row.currency, row.amount_minor)
            await ledger.post(unit, [Entry(EntryKind.WRITE_OFF, row.id, by, lines)])
        else:
            bank, host = account(AccountKind.BANK, BANK), account(AccountKind.HOST, row.site or "")
            lines = moved(bank, host, row.currency, row.amount_minor)
            await ledger.post(unit, [Entry(EntryKind.PAYOUT, row.id, by, lines)])
        return await deeds.settle(unit, row, DeedState.DONE, by)

    async def _give_back(self, unit: Unit, row: DeedRow, by: str) -> None:
        paid = await self._payment(unit, row)
        if paid.provider != BANK:
            await steps.add(unit, paid.id, Verb.REFUND, row.amount_minor, row.id)
            return
        await payments.change(unit, paid, refunded_minor=paid.refunded_minor + row.amount_minor)
        source = account(AccountKind.BANK, BANK)
        target = account(AccountKind.PREPAID, paid.person) if paid.kind is PaymentKind.TOP_UP else owed(paid.person)
        lines = moved(source, target, row.currency, row.amount_minor)
        await ledger.post(unit, [Entry(EntryKind.REFUND, row.id, by, lines)])

    async def _payment(self, unit: Unit, row: DeedRow) -> PaymentRow:
        found = await payments.by_id(unit.connection, row.payment or "")
        assert found is not None
        return found

    async def _owed(self, unit: Unit, person: str, currency: str) -> int:
        """What somebody owes and no card is about to pay."""
        _, owes = await paying.purses(unit.connection, person, currency)
        return owes - await paying.about_to_be_taken(unit.connection, person, currency)

    async def _refundable(self, unit: Unit, row: PaymentRow) -> int:
        """What of a payment was not needed: not given back, not about to be, not used up, not owed."""
        if row.state is not PaymentState.CAPTURED:
            return 0
        known = (await steps.of_payments(unit.connection, [row.id]))[row.id]
        asked = sum(one.amount_minor for one in known if one.verb is Verb.REFUND and one.settled_at is None)
        prepaid, owes = await paying.remaining(unit.connection, row.person, row.currency)
        unused = prepaid if row.kind is PaymentKind.TOP_UP else -owes - await self._to_go_back(unit, row)
        return max(min(row.kept_minor - asked, unused), 0)

    async def _to_go_back(self, unit: Unit, row: PaymentRow) -> int:
        """What was just credited to whoever paid, before it was seen to: a card may be owed it."""
        after = (await due.followed(unit.connection, SETTLING)).n
        found = await settlement.credited(unit.connection, after, row.person, row.currency)
        return -found

    # --- hosts ------------------------------------------------------------------------------------------------

    async def agree_share(
        self, viewer: Viewer, site: str, host: str, kind: ShareKind | None, value: Decimal | None
    ) -> Share:
        """Let the host of a site get this of what is billed there from now on (scope bills:write).

        Refusal INVALID, NOT_FOUND.
        """
        viewer.need(Scope.BILLS_WRITE)
        site = need_line(site, phrase("Name the site."))
        host = need_line(host, phrase("Name who is paid, as statements shall name them."))
        if (kind is None) != (value is None) or not 0 <= (value or 0) <= MOST_SHARE:
            why = phrase("A share is a percentage up to 100, or up to 100 cents for a kWh; or none.")
            raise Refusal(Code.INVALID, why)
        async with self._store.unit() as unit:
            if kind is not None and not await exists(unit, Rank.SITE, site):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such site."))
            return await share.agree(unit, site, host, kind, value, viewer.name)

    async def statement(self, viewer: Viewer, site: str, currency: str) -> Statement:
        """What accrued to the host of a site and was not paid yet (scope bills:read)."""
        viewer.need(Scope.BILLS_READ)
        async with self._store.read() as connection:
            return await self._statement(connection, site, currency)

    async def covered(self, viewer: Viewer, identifier: str) -> Statement:
        """What a payout covers (scope bills:read); Refusal NOT_FOUND."""
        viewer.need(Scope.BILLS_READ)
        async with self._store.read() as connection:
            row = await deeds.one(connection, viewer, identifier)
            if row is None or row.deed is not MoneyDeed.PAYOUT:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such payout."))
            after, until = row.after_entry or 0, row.until_entry or 0
            items = await share.accrued(connection, row.site or "", row.currency, after, until)
        return Statement(row.site or "", row.currency, row.digits, after, until, items)

    async def _statement(self, connection: Any, site: str, currency: str) -> Statement:
        after = await deeds.paid_until(connection, site, currency)
        items = await share.accrued(connection, site, currency, after, await ledger.newest(connection))
        until = items[-1].entry if items else after
        return Statement(site, currency, digits_of(currency), after, until, items)
