"""What the card of a session's driver is to pay: what its documents add up to, less what was paid and will be.

It looks at what is, never at what happened last: so it may be asked again at any time, and asks for nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wattkeeper.charging.money.payments.payment import PaymentKind, PaymentState, StepState, Verb
from wattkeeper.store.money.payments import paying, settlement
from wattkeeper.store.money.payments import payment as payments
from wattkeeper.store.money.payments import step as steps
from wattkeeper.store.money.payments.payment import PaymentRow
from wattkeeper.store.money.payments.step import StepRow
from wattkeeper.store.unit import Unit

S = PaymentState
LIVE = frozenset({S.ASKED, S.AUTHORISED})
ENDING = frozenset({Verb.CAPTURE, Verb.CANCEL})


@dataclass(frozen=True, slots=True)
class Known:
    """A payment of a session, and what is still to be asked of it."""

    row: PaymentRow
    steps: tuple[StepRow, ...]

    @property
    def pays_minor(self) -> int:
        """What it has paid or is about to, less what is given back."""
        back = sum(one.amount_minor for one in self._open(Verb.REFUND))
        if self.row.state is S.CAPTURED:
            return self.row.kept_minor - back
        taken = sum(one.amount_minor for one in self._open(Verb.CAPTURE)) if self.row.state in LIVE else 0
        return taken - back

    @property
    def is_free(self) -> bool:
        """Whether it is reserved, or about to be, and nothing was decided about it."""
        return self.row.state in LIVE and not any(one.verb in ENDING for one in self.steps)

    @property
    def was_refused(self) -> bool:
        """Whether what a document asked for was declined."""
        return self.row.state is S.DECLINED and any(one.verb is Verb.CAPTURE for one in self.steps)

    @property
    def refundable_minor(self) -> int:
        """What can be given back of it."""
        refused = any(one.verb is Verb.REFUND and one.state is StepState.FAILED for one in self.steps)
        return 0 if refused else max(self.pays_minor, 0)

    def _open(self, verb: Verb) -> list[StepRow]:
        return [one for one in self.steps if one.verb is verb and one.state is StepState.OPEN]


async def known_of(unit: Unit, session: str) -> list[Known]:
    """The payments for a session with their steps, the oldest first."""
    rows = await payments.of_session(unit.connection, session)
    told: Mapping[str, Sequence[StepRow]] = await steps.of_payments(unit.connection, [row.id for row in rows])
    return [Known(row, tuple(told[row.id])) for row in rows]


async def aim(unit: Unit, session: str, by: str, *, again: bool = False) -> bool:
    """Ask for what is missing, or give back what is too much; whether anything is asked.

    What a document asked for and was declined is asked for once more only where somebody says so (``again``).
    """
    documents = await settlement.by_card(unit.connection, session)
    if not documents:
        return False
    known = await known_of(unit, session)
    missing = sum(one.gross_minor for one in documents) - sum(one.pays_minor for one in known)
    if missing < 0:
        return await _give_back(unit, known, -missing, documents[-1].number) | await _free(unit, known)
    for one in known if missing else ():
        if one.is_free:
            amount = min(missing, one.row.asked_minor)
            await steps.add(unit, one.row.id, Verb.CAPTURE, amount, documents[-1].number)
            missing -= amount
        if not missing:
            break
    declined = any(one.was_refused for one in known) and not again
    if again and missing:
        missing = min(missing, await _owed(unit, documents[-1].person, documents[-1].currency))
    if missing and not declined:
        money = (missing, documents[-1].currency, documents[-1].digits)
        await charge(unit, session, documents[-1].person, money, by, documents[-1].number)
    return await _free(unit, await known_of(unit, session))


async def charge(
    unit: Unit, session: str, person: str, money: tuple[int, str, int], by: str, number: str | None = None
) -> PaymentRow:
    """Reserve an amount (minor units, currency, digits) on somebody's card; take it all where a document says so.

    Always in two steps, so that what a crash may ask twice is reserved twice at worst, and taken once.
    """
    row = await payments.make(unit, person, PaymentKind.CHARGE, "stripe", money, by, session=session)
    await steps.add(unit, row.id, Verb.AUTHORISE, money[0], number)
    if number is not None:
        await steps.add(unit, row.id, Verb.CAPTURE, money[0], number)
    return row


async def _owed(unit: Unit, person: str, currency: str) -> int:
    """What somebody still owes beside all that is about to be taken: what came another way is not asked again."""
    _, owes = await paying.remaining(unit.connection, person, currency)
    return max(owes - await paying.about_to_be_taken(unit.connection, person, currency), 0)


async def _give_back(unit: Unit, known: Sequence[Known], much: int, number: str) -> bool:
    """Give back so much, of the newest payment first."""
    asked = False
    for one in reversed(known):
        amount = min(much, one.refundable_minor)
        if amount > 0:
            await steps.add(unit, one.row.id, Verb.REFUND, amount, number)
            much, asked = much - amount, True
    return asked


async def _free(unit: Unit, known: Sequence[Known]) -> bool:
    """Free what is reserved and not needed."""
    free = [one for one in known if one.is_free]
    for one in free:
        await steps.add(unit, one.row.id, Verb.CANCEL)
    return bool(free)
