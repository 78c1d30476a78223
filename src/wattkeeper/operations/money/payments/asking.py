"""Asks the provider what was written down: outside of any transaction, again after a crash, by the same key.

A step is noted as begun before it is asked and as settled afterwards. Whoever dies between the two asks once more; the
provider knows the key, and where it has forgotten it, what was done is found by looking.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from wattkeeper.bus import Bus
from wattkeeper.charging.money.payments.payment import Differs, PaymentKind, PaymentState, StepState, Verb
from wattkeeper.operations.money.payments import outcomes
from wattkeeper.operations.money.payments.outcomes import Outcome
from wattkeeper.operations.money.payments.provider import Given, Provider, Standing, Unreachable, Unwilling, Wish
from wattkeeper.store.engines import Store
from wattkeeper.store.money.payments import paying, told
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments import step as steps
from wattkeeper.store.money.payments.paying import Means
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.store.money.payments.step import StepRow
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.payments")

TOPIC = "payments"
"""What is announced when a payment changed."""
BY = "wattkeeper"
TOGETHER = 20
FIRST_S, LONGEST_S = 5, 3600
"""After how long it is asked again, doubling, seconds."""
LOST_S = 60
"""After how long it is asked again at the earliest, where whoever asked was never heard of again, seconds."""
KEYS_LAST = timedelta(hours=23)
"""How long Stripe surely knows a key: what would reserve an amount is not asked again later."""
Answer = Standing | Given


class Asking:
    """Asks a provider what is written down."""

    def __init__(self, store: Store, bus: Bus, provider: Provider) -> None:
        self._store = store
        self._bus = bus
        self._provider = provider

    async def ask(self, payment: str | None = None) -> int:
        """Ask all whose time has come, or only what is open of one payment; how many steps were asked."""
        asked = 0
        while found := await self._due(payment):
            await asyncio.gather(*(self._one(one) for one in found))
            asked += len(found)
        if asked:
            self._bus.announce(TOPIC)
        return asked

    async def _due(self, payment: str | None) -> list[StepRow]:
        async with self._store.read() as connection:
            return await steps.waiting(connection, self._store.clock(), TOGETHER, payment)

    async def _one(self, step: StepRow) -> None:
        """Begin, ask, settle."""
        begun = await self._begin(step)
        if begun is None:
            return
        row, means = begun
        try:
            answer = await self._answer(step, row, means)
        except Unreachable as why:
            log.warning("the provider could not be asked to %s payment %s (%s)", step.verb.value, row.id, why)
            await self._later(step, str(why))
        except Unwilling as why:
            log.error("the provider will not %s payment %s (%s)", step.verb.value, row.id, why)
            await self._failed(step, str(why))
        else:
            await self._settle(step, answer)

    async def _begin(self, step: StepRow) -> tuple[PaymentRow, Means | None] | None:
        """Note that it is asked, so that a crash is seen; None where it is not to be asked any more."""
        async with self._store.unit() as unit:
            now, row = await self._both(unit, step)
            if now.state is not StepState.OPEN:
                return None
            why = _pointless(now, row, unit)
            if why is not None:
                await steps.settle(unit, step.id, StepState.FAILED, None, why)
                if step.verb is Verb.AUTHORISE:
                    await outcomes.stands(unit, row, _nothing(row, why), BY)
                return None
            wait = min(FIRST_S * 2 ** min(now.tries, 12), LONGEST_S)
            await steps.begin(unit, step.id, unit.now + timedelta(seconds=max(wait, LOST_S)))
            return row, await paying.means_of(unit.connection, row.person)

    async def _answer(self, step: StepRow, row: PaymentRow, means: Means | None) -> Answer:
        """What the provider says."""
        ask, amount, theirs = self._provider, step.amount_minor, row.theirs or ""
        wish = Wish(payment=row.id, amount_minor=amount, currency=row.currency, means=means)
        if step.verb is Verb.AUTHORISE:
            return await ask.authorise(wish, step.id)
        if step.verb is Verb.CAPTURE:
            return await ask.capture(theirs, amount, step.id)
        if step.verb is Verb.CANCEL:
            return await ask.cancel(theirs, step.id)
        if step.verb is Verb.REFUND:
            return await ask.refund(theirs, amount, step.id, again=step.tries > 0)
        return await ask.look(row.theirs, row.page)

    async def _settle(self, step: StepRow, answer: Answer) -> None:
        """Take in what the provider said."""
        async with self._store.unit() as unit:
            now, row = await self._both(unit, step)
            if isinstance(answer, Given):
                outcome = await outcomes.given_back(unit, row, now, answer, BY)
            else:
                outcome = await outcomes.stands(unit, row, answer, BY)
                await self._close(unit, now, answer, outcome)
        log.info("payment %s: %s, %s", row.id, step.verb.value, outcome.value)

    async def _close(self, unit: Unit, step: StepRow, said: Standing, outcome: Outcome) -> None:
        """Settle the step itself, where taking in did not; one they are still at is looked for later."""
        now = await steps.by_id(unit.connection, step.id)
        if now is None or now.state is not StepState.OPEN:
            return
        if said.state is PaymentState.ASKED or (said.state is PaymentState.WAITING and step.verb is Verb.LOOK):
            return
        state = StepState.FAILED if outcome is Outcome.DIFFERS else StepState.DONE
        await steps.settle(unit, step.id, state, said.theirs, "differs" if outcome is Outcome.DIFFERS else None)

    async def _later(self, step: StepRow, why: str) -> None:
        async with self._store.unit() as unit:
            now, _ = await self._both(unit, step)
            if now.state is not StepState.OPEN:
                return
            wait = min(FIRST_S * 2 ** min(now.tries - 1, 12), LONGEST_S)
            await steps.put_off(unit, step.id, unit.now + timedelta(seconds=wait), why)

    async def _failed(self, step: StepRow, why: str) -> None:
        """The provider will not: nothing was reserved, or a person must see to it."""
        async with self._store.unit() as unit:
            now, row = await self._both(unit, step)
            if now.state is not StepState.OPEN:
                return
            await steps.settle(unit, step.id, StepState.FAILED, None, why)
            if step.verb is Verb.AUTHORISE:
                await outcomes.stands(unit, row, _nothing(row, why), BY)
            elif step.verb is not Verb.LOOK:
                ours = (step.amount_minor, row.currency)
                await told.differ(unit, Differs.UNDONE, step.id, row.id, ours)

    async def _both(self, unit: Unit, step: StepRow) -> tuple[StepRow, PaymentRow]:
        """The step and its payment as they are now."""
        now = await steps.by_id(unit.connection, step.id)
        row = await payments.by_id(unit.connection, step.payment)
        assert now is not None
        assert row is not None
        return now, row


def _nothing(row: PaymentRow, why: str) -> Standing:
    """Nothing was reserved."""
    money = {"amount_minor": row.asked_minor, "currency": row.currency}
    return Standing(theirs=None, state=PaymentState.DECLINED, fault=why, **money)  # type: ignore[arg-type]


def _pointless(step: StepRow, row: PaymentRow, unit: Unit) -> str | None:
    """Why a step need not be asked any more."""
    if step.verb is Verb.AUTHORISE and unit.now - step.created_at > KEYS_LAST:
        return "too_late"
    needs = {
        Verb.AUTHORISE: {PaymentState.ASKED},
        Verb.CAPTURE: {PaymentState.AUTHORISED},
        Verb.CANCEL: {PaymentState.ASKED, PaymentState.AUTHORISED},
        Verb.REFUND: {PaymentState.CAPTURED},
    }
    if step.verb in needs and row.state not in needs[step.verb]:
        return f"is_{row.state.value}"
    if step.verb in (Verb.CAPTURE, Verb.CANCEL, Verb.REFUND) and row.theirs is None:
        return "never_asked"
    if step.verb is Verb.LOOK and row.state.is_over and row.kind is not PaymentKind.SETUP:
        return f"is_{row.state.value}"
    return None
