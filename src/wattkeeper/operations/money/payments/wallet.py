"""How a driver pays: what they see of it, choose and top up; and what people enter who work here."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.money.currency import digits_of
from wattkeeper.charging.money.payments.paying import Way, Whose, cannot_pay
from wattkeeper.charging.money.payments.payment import PaymentKind, PaymentState, Verb
from wattkeeper.charging.money.tariffs.assignment import Rank, Spot
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Money, Phrase, phrase
from wattkeeper.language import tell
from wattkeeper.operations.money.limit import need_person
from wattkeeper.operations.money.payments.asking import TOPIC, Asking
from wattkeeper.operations.money.payments.outcomes import paid
from wattkeeper.operations.money.payments.provider import Page, Provider, Unreachable, Unwilling, Wish
from wattkeeper.operations.money.payments.purses import lacks, objection, purse_of, way_named, way_wanted
from wattkeeper.operations.money.payments.target import aim
from wattkeeper.settings import Settings
from wattkeeper.store.cards import group as groups
from wattkeeper.store.engines import Store
from wattkeeper.store.money import billable, ledger
from wattkeeper.store.money.payments import deed as deeds
from wattkeeper.store.money.payments import monthly, paying, settlement, told
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments import step as steps
from wattkeeper.store.money.payments.deed import MoneyDeed
from wattkeeper.store.money.payments.paying import Choice, Means
from wattkeeper.store.money.payments.payment import BANK, PaymentRow
from wattkeeper.store.money.payments.told import DifferenceRow
from wattkeeper.store.money.tariffs.subject import exists
from wattkeeper.store.people import person as persons
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.payments")

LONGEST = 200
"""How many characters a reference or a reason has at most."""
REFERENCE = " /-."
"""What a bank's reference may hold beside letters without marks and digits (as SEPA's do)."""
LATELY = timedelta(days=30)
"""For how long what one did alone for a person adds up, before it takes a second person."""
MOST_PAGES = 10
"""How many payment pages somebody may open in an hour."""
MOST_MINOR = 1_000_000_000
NO_PROVIDER = phrase("No cards are taken here.")
UNREACHABLE = phrase("The payment page cannot be reached just now. Nothing was paid. Try again in a few minutes.")


def minor_text(minor: int, currency: str, digits: int) -> Money:
    """An amount of minor units as people write it."""
    return Money(Decimal(minor).scaleb(-digits), currency, digits)


@dataclass(frozen=True, slots=True)
class WalletView:
    """How a driver pays, as they see it."""

    way: Way
    choices: tuple[Way, ...]
    """The ways they may choose themselves."""
    balances: tuple[tuple[str, int], ...]
    """Prepaid, by currency, minor units."""
    owed: tuple[tuple[str, int], ...]
    """What they owe, by currency, minor units."""
    means: Means | None
    has_provider: bool
    """Whether cards are taken here."""
    wanted: Way
    """The way that was chosen; another than ``way`` where it cannot be served any more."""
    left_minor: int | None
    """What is left to charge with, prepaid less what is owed; None: nothing is paid ahead."""
    short_minor: int
    """How much must come before anything begins, minor units; 0: nothing."""
    blocked: str
    """Why nothing may begin now; empty where it may."""


class Wallets:
    """The deeds on how somebody pays."""

    def __init__(self, store: Store, bus: Bus, settings: Settings, provider: Provider | None) -> None:
        self._store = store
        self._bus = bus
        self._settings = settings
        self._provider = provider
        named = [text.strip() for text in settings.pay_choices.split(",") if text.strip()]
        self.choices = tuple(one for one in map(way_named, named) if lacks(one, settings) is None)
        """The ways that drivers may choose themselves."""

    async def mine(self, viewer: Viewer) -> WalletView:
        """How the viewer pays (one's own bills:read)."""
        person = viewer.need_own(Scope.BILLS_READ)
        async with self._store.read() as connection:
            group = await billable.group_of(connection, person)
            wanted = await way_wanted(connection, person, group, self._settings)
            purse = await purse_of(connection, person, group, self._settings)
            balances = tuple(await paying.prepaid_of(connection, person))
            owed = tuple((one.currency, one.amount_minor) for one in await ledger.owing(connection, viewer, person))
            means = await paying.means_of(connection, person)
        has_card = means is not None and means.method is not None
        is_ahead, blocked = purse.way is Way.PREPAID, cannot_pay(purse)
        return WalletView(
            way=purse.way,
            choices=self.choices,
            balances=balances,
            owed=owed,
            means=means if has_card else None,
            has_provider=self._provider is not None,
            wanted=wanted,
            left_minor=purse.balance_minor if is_ahead else None,
            short_minor=max(purse.least_minor, 1) - purse.balance_minor if is_ahead and blocked else 0,
            blocked=blocked,
        )

    async def blocked(self, viewer: Viewer) -> str:
        """Why the viewer may begin nothing that they would have to pay; empty where they may."""
        async with self._store.read() as connection:
            group = await billable.group_of(connection, viewer.person) if viewer.person else ""
            where = Spot(person=viewer.person, group=group)
            return await objection(connection, where, self._store.clock(), self._settings)

    # --- what drivers do --------------------------------------------------------------------------------------

    async def choose(self, viewer: Viewer, way: Way) -> None:
        """Pay this way from now on (payments:hold). Refusal FORBIDDEN where drivers may not choose it."""
        person = viewer.need_own(Scope.PAYMENTS_HOLD)
        if way not in self.choices:
            raise Refusal(
                Code.FORBIDDEN, phrase("This way to pay is not for you to choose. Ask who runs the stations.")
            )
        async with self._store.unit() as unit:
            if way is Way.CARD and not _has_card(await paying.means_of(unit.connection, person)):
                raise Refusal(Code.CONFLICT, phrase("Leave a bank card first, then choose to pay by it."))
            await paying.choose(unit, Whose.DRIVER, person, way, viewer.name)

    async def top_up(self, viewer: Viewer, amount_minor: int) -> PaymentRow:
        """Ask for more prepaid balance; its ``url`` is the provider's page on which it is paid (payments:hold)."""
        person, most = viewer.need_own(Scope.PAYMENTS_HOLD), self._settings.top_up_most_minor
        if not self._settings.top_up_least_minor <= amount_minor <= most:
            currency = self._settings.pay_currency
            bounds = (self._settings.top_up_least_minor, most)
            least, top = (minor_text(one, currency, digits_of(currency)) for one in bounds)
            raise Refusal(Code.INVALID, phrase("Top up between {least} and {most}.", least=least, most=top))
        return await self._page(viewer, person, PaymentKind.TOP_UP, amount_minor)

    async def leave_card(self, viewer: Viewer) -> PaymentRow:
        """Leave another bank card; its ``url`` is the provider's page on which that is done (payments:hold)."""
        return await self._page(viewer, viewer.need_own(Scope.PAYMENTS_HOLD), PaymentKind.SETUP, 0)

    async def returned(self, viewer: Viewer, identifier: str) -> PaymentRow:
        """The viewer came back from the provider's page: how it stands now; Refusal NOT_FOUND."""
        async with self._store.unit() as unit:
            row = await payments.one(unit.connection, viewer, identifier)
            if row is None:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such payment."))
            await steps.hurry(unit, row.id)
        if not row.state.is_over and self._provider is not None:
            await Asking(self._store, self._bus, self._provider).ask(row.id)
        async with self._store.read() as connection:
            return await payments.one(connection, viewer, identifier) or row

    async def forget_card(self, viewer: Viewer) -> None:
        """Keep no bank card any more, here and at the provider's (payments:hold). Refusal BUSY."""
        person = viewer.need_own(Scope.PAYMENTS_HOLD)
        async with self._store.read() as connection:
            kept = await paying.means_of(connection, person)
        if kept is not None and _has_card(kept) and self._provider is not None:
            await self._let_go(self._provider, kept)
        async with self._store.unit() as unit:
            means = await paying.means_of(unit.connection, person)
            if means is not None and means == kept:
                paying.keep_means(unit, person, replace(means, method=None, brand=None, last_four=None))

    async def _let_go(self, provider: Provider, means: Means) -> None:
        """Have the provider keep a card no longer; one that they do not know is gone already. Refusal BUSY."""
        try:
            await provider.forget(means)
        except Unwilling as why:
            log.info("the provider does not know a card any more (%s)", why)
        except Unreachable as why:
            raise Refusal(
                Code.BUSY, phrase("The card cannot be removed just now. Try again in a few minutes.")
            ) from why

    async def try_again(self, viewer: Viewer, session: str) -> bool:
        """Charge the card again for a session whose payment was declined; whether anything is asked.

        For staff (bills:write), and for whoever pays it (payments:hold). Refusal NOT_FOUND.
        """
        async with self._store.unit() as unit:
            documents = await settlement.by_card(unit.connection, session)
            own = viewer.need_own(Scope.PAYMENTS_HOLD) if not viewer.may(Scope.BILLS_WRITE) else None
            if not documents or own not in (None, documents[0].person):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such session."))
            before = len(await payments.of_session(unit.connection, session))
            await aim(unit, session, viewer.name, again=True)
            asked = len(await payments.of_session(unit.connection, session)) > before
        log.info("%s asked again for session %s", viewer.name, shown(session))
        if asked and self._provider is not None:
            await Asking(self._store, self._bus, self._provider).ask()
        return asked

    async def _page(self, viewer: Viewer, person: str, kind: PaymentKind, amount_minor: int) -> PaymentRow:
        """Write down what is asked, make the page, and note that it waits."""
        if self._provider is None:
            raise Refusal(Code.CONFLICT, NO_PROVIDER)
        currency = self._settings.pay_currency
        money = (amount_minor, currency, digits_of(currency))
        async with self._store.unit() as unit:
            if await payments.pages_of(unit.connection, person, unit.now - timedelta(hours=1)) >= MOST_PAGES:
                raise Refusal(Code.BUSY, phrase("That was tried often just now. Try again in an hour."))
            row = await payments.make(unit, person, kind, self._provider.name, money, viewer.name)
            means = await paying.means_of(unit.connection, person)
        back = f"{self._settings.address}/app/me/pay/{row.id}"
        title = phrase("Prepaid charging")
        wish = Wish(
            payment=row.id,
            amount_minor=amount_minor,
            currency=currency,
            means=means,
            title=str(tell(title)),
            back=back,
        )
        try:
            page = await self._provider.page(wish, row.id)
        except (Unreachable, Unwilling) as why:
            log.warning("no page of the provider's could be made (%s)", why)
            raise Refusal(Code.BUSY, UNREACHABLE) from why
        async with self._store.unit() as unit:
            return await self._keep_page(unit, row, means, page)

    async def _keep_page(self, unit: Unit, row: PaymentRow, means: Means | None, page: Page) -> PaymentRow:
        """It waits for the person; how it stands is looked at by ourselves too."""
        if means is None:
            assert self._provider is not None
            paying.keep_means(unit, row.person, Means(self._provider.name, page.customer, None, None, None))
        row = await payments.move(unit, row, PaymentState.WAITING, page=page.theirs, url=page.url)
        await steps.add(unit, row.id, Verb.LOOK)
        return row

    # --- what is entered here -----------------------------------------------------------------------------------

    async def choose_for(self, viewer: Viewer, whose: Whose, subject: str, way: Way | None) -> Choice:
        """Let a driver or a group pay this way from now on; None: as the others (scope bills:write).

        Refusal NOT_FOUND; CONFLICT where something must be set first.
        """
        viewer.need(Scope.BILLS_WRITE)
        missing = None if way is None else lacks(way, self._settings)
        if missing is not None:
            raise Refusal(Code.CONFLICT, missing)
        async with self._store.unit() as unit:
            if whose is Whose.GROUP and way is not None and not await _is_group(unit, subject):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such group."))
            if whose is Whose.DRIVER and not await persons.is_kept(unit.connection, subject):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such person."))
            return await paying.choose(unit, whose, subject, way, viewer.name)

    async def enter(
        self,
        viewer: Viewer,
        person: str,
        money: tuple[int, str],
        reference: str,
        *,
        number: str | None = None,
        is_ahead: bool = False,
    ) -> PaymentRow:
        """Enter money that came to the bank (minor units, currency) by its reference (scope bills:write).

        For a monthly invoice (``number``), for what is owed, or ahead as prepaid. Refusal NOT_FOUND; INVALID;
        CONFLICT where this reference was entered before; FORBIDDEN where it is much and a program asks. What is much,
        with all that the same one entered for the same person lately, is ``waiting`` until a second person agrees.
        """
        viewer.need(Scope.BILLS_WRITE)
        amount, currency = money
        reference = need_reference(reference, phrase("Name the bank's reference: by it, a payment is entered once."))
        if not 0 < amount <= MOST_MINOR:
            raise Refusal(Code.INVALID, phrase("A payment is more than nothing, and less than a fortune."))
        async with self._store.unit() as unit:
            if number is not None:
                person, currency = await self._for_invoice(unit, number, currency)
            if await payments.by_theirs(unit.connection, BANK, reference) is not None:
                raise Refusal(Code.CONFLICT, phrase("A payment with this reference was entered before."))
            if not await persons.is_kept(unit.connection, person):
                raise Refusal(Code.NOT_FOUND, phrase("There is no such person."))
            kind = PaymentKind.TOP_UP if is_ahead else PaymentKind.TRANSFER
            told_money, more = (amount, currency, digits_of(currency)), {"number": number, "theirs": reference}
            alone = await payments.entered_alone(unit.connection, viewer.name, person, currency, unit.now - LATELY)
            row = await payments.make(unit, person, kind, BANK, told_money, viewer.name, **more)
            if alone + amount > self._settings.four_eyes_minor:
                row = await _propose(unit, viewer, row, reference)
            else:
                row = await enter_now(unit, row, viewer.name)
        self._bus.announce(TOPIC)
        return row

    async def _for_invoice(self, unit: Unit, number: str, currency: str) -> tuple[str, str]:
        """Who pays a monthly invoice, and in which currency."""
        row = await monthly.by_number(unit.connection, number)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such monthly invoice. Is its number right?"))
        if currency not in ("", row.currency):
            raise Refusal(Code.INVALID, phrase("This invoice is in {currency}.", currency=row.currency))
        return row.person, row.currency

    async def settle_difference(self, viewer: Viewer, identifier: str, said: str) -> DifferenceRow:
        """Settle where the provider and we did not agree, and say how (scope bills:write). Refusal NOT_FOUND."""
        viewer.need(Scope.BILLS_WRITE)
        said = need_line(said, phrase("Say how it was settled: whoever checks it reads it."))
        async with self._store.unit() as unit:
            row = await told.difference(unit.connection, viewer, identifier)
            if row is None:
                raise Refusal(Code.NOT_FOUND, phrase("There is no such difference."))
            if row.state != told.OPEN:
                raise Refusal(Code.CONFLICT, phrase("This was settled already; nothing was changed."))
            await told.settle(unit, identifier, viewer.name, said)
        self._bus.announce(TOPIC)
        return replace(row, state=told.SETTLED, settled_by=viewer.name, said=said)


async def enter_now(unit: Unit, row: PaymentRow, by: str) -> PaymentRow:
    """Enter into the books what came to the bank."""
    row = await payments.move(unit, row, PaymentState.CAPTURED, captured_minor=row.asked_minor)
    await ledger.post(unit, [paid(row, by)])
    return row


async def _propose(unit: Unit, viewer: Viewer, row: PaymentRow, reference: str) -> PaymentRow:
    """Let what is entered wait for a second person."""
    need_person(viewer)
    money = (row.asked_minor, row.currency, row.digits)
    await deeds.keep(unit, MoneyDeed.ENTER, money, reference, viewer.name, person=row.person, payment=row.id)
    return await payments.move(unit, row, PaymentState.WAITING)


def need_line(text: str, why: Phrase) -> str:
    """One line that says something; Refusal INVALID."""
    text = text.strip()
    if not text:
        raise Refusal(Code.INVALID, why)
    if len(text) > LONGEST or not text.isprintable():
        raise Refusal(Code.INVALID, phrase("That is one line of at most {most} characters.", most=LONGEST))
    return text


def need_reference(text: str, why: Phrase) -> str:
    """A bank's reference: shown in lists, so there is no room in it for an address or a sentence; Refusal INVALID."""
    text = need_line(text, why)
    if not text.isascii() or not all(one.isalnum() or one in REFERENCE for one in text):
        raise Refusal(Code.INVALID, phrase("A reference is made of letters, digits, spaces and / - . alone."))
    return text


async def _is_group(unit: Unit, name: str) -> bool:
    """Whether there is a group of this name, or a card of it."""
    return await exists(unit, Rank.GROUP, name) or (name != "" and await groups.has_cards(unit, name))


def _has_card(means: Means | None) -> bool:
    return means is not None and means.method is not None
