"""What waits about money as something that needs a person: held bills, and what takes a second person to agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.evidence import kwh
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.money.billing import say
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.phrase import Phrase, Said, counted, joined, phrase
from wattkeeper.operations.money.payments.purses import NO_ACCOUNT, asks_nowhere
from wattkeeper.store.money import worklist
from wattkeeper.store.money.hold import HoldRow
from wattkeeper.store.money.proposal import Deed, ProposalRow
from wattkeeper.store.money.worklist import Held
from wattkeeper.web.operator.need import Act, Need
from wattkeeper.web.operator.paper import Paper
from wattkeeper.web.operator.people.names import Place, Places
from wattkeeper.web.operator.said import money

OLDEST = 3
"""How many of each kind Now shows."""
WISHES: Mapping[Deed, Phrase] = {
    Deed.ACCEPT: phrase("Bill {session} as it was told"),
    Deed.CORRECT: phrase("Bill {session} for {wanted}"),
    Deed.WAIVE: phrase("Waive {session}"),
}
MORE, LESS = phrase("That is {amount} more."), phrase("That is {amount} less.")
SAID, BY = phrase("Reason: {said}"), phrase("Proposed by {who}.")
OWN = phrase("You proposed it, so somebody else must agree.")


def path_of(session: str) -> str:
    """Where it is decided what becomes of a session."""
    return f"/money/waiting/{session}"


def why_of(row: HoldRow, most: int = 2) -> Said:
    """Why something waits, in words: the first reasons, and how many more there are."""
    more = len(row.reasons) - most
    told = [say(one) for one in row.reasons[:most]]
    return joined([*told, counted("And {count} reason more.", "And {count} reasons more.", more) if more > 0 else ""])


def of_hold(row: HoldRow, place: Place, viewer: Viewer) -> Need:
    """A held bill, and where it is decided."""
    amount = money(row.gross_minor, row.currency, row.digits)
    what = phrase("{amount} for {session} at {station}", amount=amount, session=shown(row.session), station=place.name)
    name = phrase("Look and decide") if viewer.may(Scope.BILLS_WRITE) else phrase("Look at it")
    return Need(f"held-{row.id}", what, why_of(row), row.since, (Act(name, path_of(row.session)),))


def wish_in_words(row: ProposalRow) -> Phrase:
    """What somebody wants to be done."""
    wish, wanted = row.wish, ""
    if wish.energy_wh is not None:
        wanted = kwh(f"{wish.energy_wh:f}")
    elif wish.gross_minor is not None:
        wanted = money(wish.gross_minor, row.currency, row.digits)
    given = {"session": shown(row.session)} | ({"wanted": wanted} if wanted else {})
    return WISHES[wish.deed].filled(**given)


def of_proposal(row: ProposalRow, by: str, viewer: Viewer) -> Need:
    """What takes a second person: agreeing is never for who proposed it."""
    amount = money(abs(row.difference_minor), row.currency, row.digits)
    apart = (MORE if row.difference_minor > 0 else LESS).filled(amount=amount) if row.difference_minor else ""
    is_own = row.created_by == viewer.name
    told = (apart, SAID.filled(said=row.wish.said) if row.wish.said else "", OWN if is_own else BY.filled(who=by))
    look = Act(phrase("Look at it"), path_of(row.session))
    return Need(f"proposal-{row.id}", wish_in_words(row), joined(told), row.created_at, (*_acts(row, viewer), look))


def _acts(row: ProposalRow, viewer: Viewer) -> tuple[Act, ...]:
    """What settles a proposal, where the viewer may."""
    path, settling = f"/money/proposals/{row.id}", phrase("Settling …")
    if not viewer.may(Scope.BILLS_WRITE):
        return ()
    if row.created_by == viewer.name:
        return (Act(phrase("Take it back"), f"{path}/reject", post=True, busy=settling),)
    agree = Act(phrase("Agree"), f"{path}/agree", post=True, busy=settling)
    return (agree, Act(phrase("Reject"), f"{path}/reject", post=True, busy=settling))


# --- for Now --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waits:
    """What waits: how much of it, and the oldest of each kind."""

    held: list[Held] = field(default_factory=list)
    proposed: int = 0
    oldest: list[Need] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How much there is to decide."""
        return sum(one.count for one in self.held) + self.proposed


async def waits(paper: Paper, connection: AsyncConnection, viewer: Viewer, known: Places) -> Waits | None:
    """What waits, for the page Now; None for who may not see bills."""
    if not viewer.may(Scope.BILLS_READ):
        return None
    proposals = await worklist.proposed(connection, viewer, OLDEST)
    by = await paper.rooms.names.said(viewer, [row.created_by for row in proposals])
    holds = await worklist.waiting(connection, viewer, OLDEST)
    oldest = [of_proposal(row, by[row.created_by], viewer) for row in proposals]
    oldest += [of_hold(row, known[row.station], viewer) for row in holds]
    held, count = await worklist.held(connection, viewer), await worklist.proposed_count(connection, viewer)
    return Waits(held, count, oldest)


async def no_account(paper: Paper, connection: AsyncConnection, viewer: Viewer) -> list[Need]:
    """That invoices ask for transfers to nowhere, for who may see to bills."""
    if not viewer.may(Scope.BILLS_WRITE) or not await asks_nowhere(connection, paper.rooms.settings):
        return []
    why = phrase("Until it is, drivers read that whoever runs this tells them where to pay.")
    return [Need("no-account", NO_ACCOUNT, why, None, (Act(phrase("Look at it"), "/money/payments"),))]


def in_sum(held: list[Held], proposed: int) -> Said:
    """How much waits, in a sentence or two; empty where nothing does."""
    count, told = sum(one.count for one in held), list[Said]()
    if count:
        amounts = joined([money(one.gross_minor, one.currency, one.digits) for one in held], ", ")
        told.append(counted("1 held bill, {amounts}.", "{count} held bills, {amounts}.", count, amounts=amounts))
    if proposed:
        told.append(counted("1 waits for a second person.", "{count} wait for a second person.", proposed))
    return joined(told)
