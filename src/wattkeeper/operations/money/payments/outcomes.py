"""What becomes of a payment when the provider says how it stands, whoever heard it first and however often.

Everything they say is compared with what we asked for. What does not agree changes nothing, and waits for a person.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from wattkeeper.charging.money.ledger import AccountKind, EntryKind, Posting, account, moved, owed
from wattkeeper.charging.money.payments.payment import Differs, PaymentKind, PaymentState, StepState, Verb
from wattkeeper.operations.money.payments.provider import Given, Standing
from wattkeeper.operations.money.payments.target import aim
from wattkeeper.store.money import ledger
from wattkeeper.store.money.ledger import Entry
from wattkeeper.store.money.payments import paying, told
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments import step as steps
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.store.money.payments.step import StepRow
from wattkeeper.store.unit import Unit

S = PaymentState


class Outcome(StrEnum):
    """What came of something the provider said."""

    DONE = "done"
    KNOWN = "known"
    """It was known, or is overtaken."""
    DIFFERS = "differs"
    """It waits for a person."""
    IGNORED = "ignored"
    LOOK = "look"
    """The provider is asked how it stands."""


async def stands(unit: Unit, row: PaymentRow, said: Standing, by: str) -> Outcome:
    """Take in how a payment stands."""
    if said.currency and said.currency != row.currency and row.kind is not PaymentKind.SETUP:
        await _differ(unit, Differs.CURRENCY, row, said, said.amount_minor)
        return Outcome.DIFFERS
    if said.state is S.CAPTURED:
        return await _taken(unit, row, said, by)
    if said.state is S.AUTHORISED:
        return await _reserved(unit, row, said)
    if said.state is S.CANCELLED:
        return await _cancelled(unit, row, said, by)
    if said.state is S.DECLINED:
        return await _declined(unit, row, said)
    if said.state is S.WAITING and row.state is S.ASKED and row.page is None:
        return await _declined(unit, row, replace(said, fault="authentication_required"))
    return Outcome.KNOWN


async def _reserved(unit: Unit, row: PaymentRow, said: Standing) -> Outcome:
    """The amount is reserved."""
    if said.amount_minor != row.asked_minor:
        await _differ(unit, Differs.AMOUNT, row, said, said.amount_minor)
        return Outcome.DIFFERS
    if row.state not in (S.ASKED, S.WAITING):
        return Outcome.KNOWN
    await payments.move(unit, row, S.AUTHORISED, theirs=said.theirs or row.theirs)
    await steps.settle_open(unit, row.id, [Verb.AUTHORISE], StepState.DONE, None)
    return Outcome.DONE


async def _taken(unit: Unit, row: PaymentRow, said: Standing, by: str) -> Outcome:
    """Money was taken, or a card was left."""
    if row.kind is PaymentKind.SETUP:
        return await _left(unit, row, said)
    if row.state in (S.CANCELLED, S.DECLINED):
        await _differ(unit, Differs.STATE, row, said, said.taken_minor)
        return Outcome.DIFFERS
    expected = row.captured_minor if row.state is S.CAPTURED else await _to_take(unit, row)
    if row.state is S.CAPTURED and said.taken_minor in (expected, row.kept_minor):
        return Outcome.KNOWN
    if expected is None or said.taken_minor != expected:
        kind = Differs.STATE if expected is None else Differs.AMOUNT
        await _differ(unit, kind, row, said, said.taken_minor, expected)
        return Outcome.DIFFERS
    row = await payments.move(
        unit, row, S.CAPTURED, theirs=said.theirs or row.theirs, captured_minor=expected, url=None, fault=None
    )
    verbs = [Verb.AUTHORISE, Verb.CAPTURE, Verb.LOOK]
    await steps.settle_open(unit, row.id, verbs, StepState.DONE, None)
    await ledger.post(unit, [paid(row, by)])
    if row.session is not None:
        await aim(unit, row.session, by)
    return Outcome.DONE


async def _to_take(unit: Unit, row: PaymentRow) -> int | None:
    """What we asked the provider to take; None: nothing, yet."""
    if row.kind is not PaymentKind.CHARGE:
        return row.asked_minor
    known = (await steps.of_payments(unit.connection, [row.id]))[row.id]
    return next((one.amount_minor for one in known if one.verb is Verb.CAPTURE), None)


def paid(row: PaymentRow, by: str) -> Entry:
    """What a payment changes in the books."""
    is_ahead = row.kind is PaymentKind.TOP_UP
    source = account(AccountKind.PREPAID, row.person) if is_ahead else owed(row.person)
    kind = EntryKind.TOP_UP if is_ahead else EntryKind.PAYMENT
    return Entry(kind, row.id, by, _lines(row, source, row.captured_minor))


def _lines(row: PaymentRow, source: str, amount: int) -> tuple[Posting, ...]:
    return moved(source, account(AccountKind.BANK, row.provider), row.currency, amount)


async def _left(unit: Unit, row: PaymentRow, said: Standing) -> Outcome:
    """A card was left with the provider: it takes the place of the one before, and pays what was declined."""
    if row.state is S.CAPTURED:
        return Outcome.KNOWN
    if said.means is None:
        await steps.add(unit, row.id, Verb.LOOK)
        return Outcome.LOOK
    if row.state.is_over:
        return Outcome.KNOWN
    paying.keep_means(unit, row.person, said.means)
    await unit.flush()
    await payments.move(unit, row, S.CAPTURED, url=None)
    await steps.settle_open(unit, row.id, [Verb.LOOK], StepState.DONE, None)
    return Outcome.DONE


async def _cancelled(unit: Unit, row: PaymentRow, said: Standing, by: str) -> Outcome:
    """Nothing will be taken: by our wish, or because what was reserved ran out."""
    if row.state is S.CAPTURED:
        await _differ(unit, Differs.STATE, row, said, 0)
        return Outcome.DIFFERS
    if row.state.is_over:
        return Outcome.KNOWN
    await payments.move(unit, row, S.CANCELLED, url=None)
    await steps.settle_open(unit, row.id, [Verb.CANCEL], StepState.DONE, None)
    await steps.settle_open(unit, row.id, list(Verb), StepState.FAILED, "cancelled")
    if row.session is not None:
        await aim(unit, row.session, by)
    return Outcome.DONE


async def _declined(unit: Unit, row: PaymentRow, said: Standing) -> Outcome:
    """The card or its bank refused; on a page of theirs the person may try another."""
    if row.page is not None or row.state not in (S.ASKED, S.WAITING):
        return Outcome.KNOWN
    fault = said.fault or "card_declined"
    await payments.move(unit, row, S.DECLINED, theirs=said.theirs or row.theirs, fault=fault)
    await steps.settle_open(unit, row.id, list(Verb), StepState.FAILED, fault)
    return Outcome.DONE


# --- giving back --------------------------------------------------------------------------------------------


async def given_back(unit: Unit, row: PaymentRow, step: StepRow, given: Given, by: str) -> Outcome:
    """Take in that something was given back for a step of ours, once."""
    if step.state is not StepState.OPEN:
        return Outcome.KNOWN
    if given.is_refused:
        await steps.settle(unit, step.id, StepState.FAILED, given.theirs, "refused")
        await told.differ(unit, Differs.UNDONE, given.theirs, row.id, (step.amount_minor, row.currency))
        return Outcome.DIFFERS
    if (given.amount_minor, given.currency) != (step.amount_minor, row.currency):
        kind = Differs.AMOUNT if given.currency == row.currency else Differs.CURRENCY
        ours, theirs = (step.amount_minor, row.currency), (given.amount_minor, given.currency)
        await told.differ(unit, kind, given.theirs, row.id, ours, theirs)
        await steps.settle(unit, step.id, StepState.FAILED, given.theirs, "differs")
        return Outcome.DIFFERS
    await steps.settle(unit, step.id, StepState.DONE, given.theirs)
    await payments.change(unit, row, refunded_minor=row.refunded_minor + step.amount_minor)
    is_ahead = row.kind is PaymentKind.TOP_UP
    target = account(AccountKind.PREPAID, row.person) if is_ahead else owed(row.person)
    lines = moved(account(AccountKind.BANK, row.provider), target, row.currency, step.amount_minor)
    await ledger.post(unit, [Entry(EntryKind.REFUND, step.id, by, lines)])
    return Outcome.DONE


async def _differ(
    unit: Unit, kind: Differs, row: PaymentRow, said: Standing, theirs: int | None, ours: int | None = None
) -> None:
    """Note that the provider says something else than we have."""
    ours = row.asked_minor if ours is None else ours
    name = said.theirs or row.page or row.id
    await told.differ(unit, kind, name, row.id, (ours, row.currency), (theirs, said.currency))
