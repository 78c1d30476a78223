"""What the provider tells by itself: signed, heard once, compared with what we have; in any order, early or late."""

from __future__ import annotations

import asyncio
import logging

from wattkeeper.bus import Bus
from wattkeeper.charging.money.payments.payment import Differs, PaymentKind, PaymentState, Verb
from wattkeeper.operations.money.payments import outcomes
from wattkeeper.operations.money.payments.asking import TOPIC
from wattkeeper.operations.money.payments.outcomes import Outcome
from wattkeeper.operations.money.payments.provider import Event, Forged, Heard, Provider
from wattkeeper.operations.people.security import Case, note
from wattkeeper.store.engines import Store
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments import step as steps
from wattkeeper.store.money.payments import told
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.payments")
BY = "provider"


class Hearing:
    """Hears what a provider tells."""

    def __init__(self, store: Store, bus: Bus, provider: Provider) -> None:
        self._store = store
        self._bus = bus
        self._provider = provider

    async def hear(self, body: bytes, signature: str) -> Outcome:
        """Take in an event; raises `Forged` where it is not theirs, which leaves one security event and no more."""
        try:
            event = await asyncio.to_thread(self._provider.told, body, signature)
        except Forged as why:
            note(Case.PAYMENT_REPLAYED if str(why) == "stale" else Case.PAYMENT_FORGED)
            raise
        if event.about is Heard.OTHER:
            return Outcome.IGNORED
        async with self._store.unit() as unit:
            if await told.is_heard(unit.connection, event.id):
                return Outcome.KNOWN
            row = await self._row(unit, event)
            outcome = await self._take_in(unit, event, row)
            await told.hear(unit, event.id, event.kind, None if row is None else row.id, outcome.value, event.at)
        if outcome is Outcome.DIFFERS:
            note(Case.PAYMENT_DIFFERS)
        log.info("event %s: %s", event.kind, outcome.value)
        self._bus.announce(TOPIC)
        return outcome

    async def _row(self, unit: Unit, event: Event) -> PaymentRow | None:
        """The payment that an event is about: by their name for it, else by ours, which may be all that we know yet."""
        connection, theirs = unit.connection, event.theirs
        if event.about is Heard.PAGE:
            return await payments.by_page(connection, theirs)
        row = await payments.by_theirs(connection, self._provider.name, theirs) if theirs else None
        if row is not None or event.payment is None:
            return row
        row = await payments.by_id(connection, event.payment)
        is_open = row is not None and row.theirs is None and row.provider == self._provider.name
        return row if is_open else None

    async def _take_in(self, unit: Unit, event: Event, row: PaymentRow | None) -> Outcome:
        """What comes of an event."""
        if event.about is Heard.REFUND:
            return await self._refund(unit, event, row)
        if event.about is Heard.DISPUTE:
            assert event.given is not None
            now = (event.given.amount_minor, event.given.currency)
            ours = (None, None) if row is None else (row.kept_minor, row.currency)
            await told.differ(unit, Differs.DISPUTED, event.given.theirs, None if row is None else row.id, ours, now)
            return Outcome.DIFFERS
        if row is None:
            return await self._unknown(unit, event)
        if event.about is Heard.PAGE or row.kind is PaymentKind.SETUP:
            await steps.hurry(unit, row.id)
            return Outcome.LOOK
        assert event.standing is not None
        return await outcomes.stands(unit, row, event.standing, BY)

    async def _unknown(self, unit: Unit, event: Event) -> Outcome:
        """Something that is none of ours: money that was taken must be seen to, anything else is no concern."""
        said = event.standing
        if said is None or said.state is not PaymentState.CAPTURED:
            return Outcome.IGNORED
        theirs = (said.taken_minor, said.currency)
        await told.differ(unit, Differs.UNKNOWN, event.theirs, event.payment, told=theirs)
        return Outcome.DIFFERS

    async def _refund(self, unit: Unit, event: Event, row: PaymentRow | None) -> Outcome:
        """Something was given back, or could not be: by a step of ours, or by somebody over there."""
        given = event.given
        assert given is not None
        if row is None:
            return Outcome.IGNORED
        known = (await steps.of_payments(unit.connection, [row.id]))[row.id]
        refunds = [one for one in known if one.verb is Verb.REFUND]
        if any(one.theirs == given.theirs for one in refunds):
            if not given.is_refused:
                return Outcome.KNOWN
            await told.differ(unit, Differs.UNDONE, given.theirs, row.id, told=(given.amount_minor, given.currency))
            return Outcome.DIFFERS
        asked = next((one for one in refunds if one.settled_at is None and one.tries > 0), None)
        if asked is not None:
            await steps.hurry(unit, row.id)
            return Outcome.LOOK
        if given.is_refused:
            return Outcome.IGNORED
        await told.differ(unit, Differs.UNKNOWN, given.theirs, row.id, told=(given.amount_minor, given.currency))
        return Outcome.DIFFERS
