"""What takes a second person: a change above the limit, or many small ones at one session that come to more."""

from __future__ import annotations

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.money.discrepancy import OURS
from wattkeeper.charging.person import Role, Viewer
from wattkeeper.charging.phrase import phrase
from wattkeeper.operations.money.cases import Told
from wattkeeper.store.money.bill import BillRow
from wattkeeper.store.money.hold import HoldState
from wattkeeper.store.money.proposal import ProposalRow

PEOPLE = phrase("This changes so much that it takes two people. A program can neither do it nor propose it.")


def takes_two(told: Told, difference_minor: int, agreed: ProposalRow | None, limit_minor: int) -> bool:
    """Whether a change is above the limit, together with all that was changed by hand since two people agreed.

    ``agreed``: what they agreed to last. Up and down both count: what was sliced comes to the same as what was not.
    """
    return difference_minor != 0 and changed_minor(told, agreed) + abs(difference_minor) > limit_minor


def changed_minor(told: Told, agreed: ProposalRow | None) -> int:
    """What was changed by hand since two people agreed last, by anybody; minor units, ups and downs added up."""
    changes = [_change(told, one) for one in _since(told, agreed) if one.by != OURS]
    waived = [one for one in told.holds if one.state is HoldState.WAIVED]
    if agreed is not None and agreed.settled_at is not None:
        waived = [one for one in waived if one.settled_at is not None and one.settled_at > agreed.settled_at]
    return sum(changes) + sum(abs((one.billed_minor or 0) - one.gross_minor) for one in waived)


def need_person(viewer: Viewer) -> None:
    """Raise Refusal (FORBIDDEN) where a program would propose: whoever made it could agree with themselves."""
    if viewer.role is Role.SERVICE:
        raise Refusal(Code.FORBIDDEN, PEOPLE)


def _since(told: Told, agreed: ProposalRow | None) -> tuple[BillRow, ...]:
    """The documents that two people did not agree to."""
    if agreed is None or agreed.settled_at is None:
        return told.documents
    numbers = [one.number for one in told.documents]
    if agreed.number in numbers:
        return told.documents[numbers.index(agreed.number) + 1 :]
    return tuple(one for one in told.documents if one.issued_at > agreed.settled_at)


def _change(told: Told, row: BillRow) -> int:
    """What a document changed: of what the session came to as its station told it, or of what was billed before."""
    if row is not told.documents[0]:
        return abs(row.gross_minor)
    before = next((one.gross_minor for one in told.holds if one.number == row.number), 0)
    return abs(row.gross_minor - before)
