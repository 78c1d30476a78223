"""What people do about bills: accept what waits, correct it, waive it; above a limit a second person must agree."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from wattkeeper.bus import Bus
from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.money.billing import Reason
from wattkeeper.charging.money.numbered import Draft, Explanation, gross_of
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.billing import TOPIC
from wattkeeper.operations.money.cases import Told, of_itself, told_of
from wattkeeper.operations.money.drafting import draft_for_amount, draft_for_energy, draft_of
from wattkeeper.operations.money.limit import need_person, takes_two
from wattkeeper.settings import Settings
from wattkeeper.store.engines import Store
from wattkeeper.store.money import bill, due, hold, proposal
from wattkeeper.store.money.bill import BillRow
from wattkeeper.store.money.content import decode
from wattkeeper.store.money.hold import HoldState
from wattkeeper.store.money.proposal import Deed, ProposalRow, ProposalState, Wish
from wattkeeper.store.unit import Unit

log = logging.getLogger("wattkeeper.bills")

LONGEST = 500
"""How many characters a reason has at most."""
MOST_WH = Decimal(100_000_000)
MOST_MINOR = 1_000_000_000
"""No session is worth more; one that would be was mistyped."""
SECOND = phrase("This takes a second person: somebody else who is signed in, and may say what is billed.")
OVERTAKEN = phrase("More was told of this session since that was proposed. Reject it, and look again.")
CHANGED = phrase("It has changed since you opened this page: it comes to something else now. Look again.")
STATES = {Deed.ACCEPT: HoldState.ACCEPTED, Deed.CORRECT: HoldState.CORRECTED, Deed.WAIVE: HoldState.WAIVED}


Seen = tuple[int, int | None]
"""What somebody saw before they decided: what a session comes to as told, and what was billed; minor units."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a deed: a document, or a proposal that waits for a second person, or neither."""

    number: str | None = None
    proposal: ProposalRow | None = None


class Bills:
    """The deeds on sessions that wait for a person, and on what was billed."""

    def __init__(self, store: Store, bus: Bus, settings: Settings) -> None:
        self._store = store
        self._bus = bus
        self._settings = settings

    async def explain(self, viewer: Viewer, number: str) -> tuple[BillRow, Explanation]:
        """A document and why it says what it says; Refusal NOT_FOUND (scope bills:read, one's own for drivers)."""
        async with self._store.read() as connection:
            row = await bill.one(connection, viewer, number)
            text = await bill.content(connection, viewer, number)
        if row is None or text is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such bill. Is its number right?"))
        return row, decode(text)

    async def minor_of(self, viewer: Viewer, session: str, amount: Decimal) -> int:
        """An amount of a session's currency in whole minor units (scope bills:write); Refusal NOT_FOUND, INVALID."""
        viewer.need(Scope.BILLS_WRITE)
        async with self._store.read() as connection:
            told = (await told_of(connection, [session])).get(session)
        if told is None or told.case.bill is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such session."))
        minor = amount.scaleb(told.case.bill.digits)
        if minor != minor.to_integral_value():
            raise Refusal(Code.INVALID, phrase("That is a fraction of the smallest coin there is."))
        return int(minor)

    async def seen(self, viewer: Viewer, session: str) -> Seen | None:
        """What a session comes to now, to be said again when it is decided; None: nothing can be (scope bills:read)."""
        viewer.need(Scope.BILLS_READ)
        async with self._store.read() as connection:
            told = (await told_of(connection, [session])).get(session)
        return None if told is None or told.case.bill is None else seen_of(told)

    async def do(self, viewer: Viewer, session: str, wish: Wish, seen: Seen | None = None) -> Done:
        """Accept, correct or waive a session (its id without dashes), or propose it where that takes two people.

        Scope bills:write. Refusal NOT_FOUND; CONFLICT where nothing waits, it still runs, something is proposed, or it
        comes to something else than was ``seen``; INVALID where nothing is said, or what is wanted makes no sense;
        FORBIDDEN where it takes two people and a program asks.
        """
        viewer.need(Scope.BILLS_WRITE)
        _need_sense(wish)
        async with self._store.unit() as unit:
            told = await _told(unit, session, wish.deed)
            if seen is not None and seen != seen_of(told):
                raise Refusal(Code.CONFLICT, CHANGED)
            if await proposal.open_of(unit.connection, session) is not None:
                raise Refusal(Code.CONFLICT, phrase("Somebody proposed something for it. Agree to that, or reject it."))
            draft = _draft(told, wish, viewer.name)
            difference = _difference(told, draft)
            agreed = await proposal.agreed_of(unit.connection, session)
            if takes_two(told, difference, agreed, self._settings.four_eyes_minor):
                need_person(viewer)
                row = await self._propose(unit, told, wish, difference, viewer)
                done = Done(proposal=row)
            else:
                done = Done(await self._carry_out(unit, told, wish, draft, viewer))
        self._announce(viewer, "proposed to" if done.proposal else "decided to", wish.deed, session)
        return done

    async def agree(self, viewer: Viewer, identifier: str) -> Done:
        """Carry out what somebody else proposed (scope bills:write). Refusal NOT_FOUND, FORBIDDEN, CONFLICT."""
        viewer.need(Scope.BILLS_WRITE)
        async with self._store.unit() as unit:
            row = await self._open(unit, viewer, identifier)
            if not viewer.account or viewer.name == row.created_by:
                raise Refusal(Code.FORBIDDEN, SECOND)
            told = await _told(unit, row.session, row.wish.deed)
            draft = _draft(told, row.wish, row.created_by)
            if told.seal() != row.seen or _difference(told, draft) != row.difference_minor:
                raise Refusal(Code.CONFLICT, OVERTAKEN)
            number = await self._carry_out(unit, told, row.wish, draft, viewer)
            await proposal.settle(unit, row, ProposalState.AGREED, viewer.name, number)
        self._announce(viewer, "agreed to", row.wish.deed, row.session)
        return Done(number)

    async def reject(self, viewer: Viewer, identifier: str) -> ProposalRow:
        """Turn down a proposal, one's own too (scope bills:write). Refusal NOT_FOUND, CONFLICT."""
        viewer.need(Scope.BILLS_WRITE)
        async with self._store.unit() as unit:
            row = await self._open(unit, viewer, identifier)
            settled = await proposal.settle(unit, row, ProposalState.REJECTED, viewer.name)
        self._announce(viewer, "rejected to", row.wish.deed, row.session)
        return settled

    # --- parts --------------------------------------------------------------------------------------------

    async def _open(self, unit: Unit, viewer: Viewer, identifier: str) -> ProposalRow:
        """A proposal, which must be open."""
        row = await proposal.one(unit.connection, viewer, identifier)
        if row is None:
            raise Refusal(Code.NOT_FOUND, phrase("There is no such proposal."))
        if row.state is not ProposalState.OPEN:
            raise Refusal(Code.CONFLICT, phrase("This was settled already; nothing was changed."))
        return row

    async def _propose(self, unit: Unit, told: Told, wish: Wish, difference: int, viewer: Viewer) -> ProposalRow:
        """Let a deed wait for a second person."""
        priced = told.case.bill
        assert priced is not None
        money = (difference, priced.currency, priced.digits)
        return await proposal.keep(unit, told.its.id, wish, *money, viewer.name, told.seal())

    async def _carry_out(self, unit: Unit, told: Told, wish: Wish, draft: Draft | None, viewer: Viewer) -> str | None:
        """Issue the document, if there is one, and settle what waits; the document's number."""
        is_new = draft is not None and (not told.documents or bool(draft.why.adds))
        numbers = await bill.issue(unit, [draft] if draft and is_new else [], self._settings.zone)
        number = numbers[0] if numbers else None
        if told.waits is not None:
            await hold.settle(unit, told.waits.id, STATES[wish.deed], viewer.name, wish.said or None, number)
        elif number is None:
            raise Refusal(Code.CONFLICT, phrase("It comes to just that already; nothing was changed."))
        await due.done(unit, [told.its.id])
        return number

    def _announce(self, viewer: Viewer, how: str, deed: Deed, session: str) -> None:
        log.info("%s %s %s session %s", viewer.name, how, deed.value, shown(session))
        self._bus.announce(TOPIC)


async def _told(unit: Unit, session: str, deed: Deed) -> Told:
    """The session a deed is about, which must be ripe for it."""
    told = (await told_of(unit.connection, [session])).get(session)
    if told is None:
        raise Refusal(Code.NOT_FOUND, phrase("There is no such session."))
    if told.its.whole.is_live:
        raise Refusal(Code.CONFLICT, phrase("This session still runs. What it costs is settled once it has ended."))
    if told.case.bill is None:
        raise Refusal(Code.CONFLICT, phrase("No price was set when this session began, so there is nothing to bill."))
    if told.waits is None and (deed is not Deed.CORRECT or not told.documents):
        raise Refusal(Code.CONFLICT, phrase("Nothing of this session waits for a decision."))
    return told


def seen_of(told: Told) -> Seen:
    """What of a session must still be so as somebody saw it."""
    assert told.case.bill is not None
    return told.case.bill.gross_minor, told.billed_minor


def _draft(told: Told, wish: Wish, by: str) -> Draft | None:
    """The document that does what is wanted; None: there is none."""
    reasons = _known_reasons(told)
    if wish.deed is Deed.WAIVE:
        return None
    if wish.energy_wh is not None:
        return draft_for_energy(told, by, wish.energy_wh, reasons, wish.said)
    if wish.gross_minor is not None:
        return draft_for_amount(told, by, wish.gross_minor, reasons, wish.said)
    return draft_of(told, by, reasons, wish.said or None)


def _known_reasons(told: Told) -> Sequence[Reason]:
    """What speaks against the session, and was looked at by who decides."""
    if told.waits is not None:
        return of_itself(told.waits.reasons)
    return () if told.last is None else told.last.reasons


def _difference(told: Told, draft: Draft | None) -> int:
    """What a deed changes: of what was billed, else of what the session comes to as its station told it."""
    priced = told.case.bill
    assert priced is not None
    if draft is None:
        return (told.billed_minor or 0) - priced.gross_minor
    before = priced.gross_minor if told.billed_minor is None else told.billed_minor
    return gross_of(draft.why.taxes) - before


def _need_sense(wish: Wish) -> None:
    """Refuse what makes no sense as written."""
    if not wish.said.strip() and wish.deed is not Deed.ACCEPT:
        raise Refusal(Code.INVALID, phrase("Say why: it stands on the bill, and whoever checks it reads it."))
    if len(wish.said) > LONGEST or not wish.said.isprintable():
        raise Refusal(Code.INVALID, phrase("A reason is one line of at most {most} characters.", most=LONGEST))
    named = [value for value in (wish.energy_wh, wish.gross_minor) if value is not None]
    if len(named) != (wish.deed is Deed.CORRECT):
        raise Refusal(Code.INVALID, phrase("To correct a session, name either its energy or what it shall come to."))
    if not (0 <= (wish.energy_wh or 0) <= MOST_WH and 0 <= (wish.gross_minor or 0) <= MOST_MINOR):
        raise Refusal(Code.INVALID, phrase("That is less than nothing, or more than any session can come to."))
