"""Sessions as billing and people look at them: priced by what they were pinned to, with all that was billed before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.evidence import findings
from wattkeeper.charging.money.bill import Bill
from wattkeeper.charging.money.billing import OWN, Case, Reason, View, known
from wattkeeper.charging.money.numbered import Explanation, condensed, gross_of
from wattkeeper.charging.money.tariffs.tariff import Tariff
from wattkeeper.charging.money.usage import Usage
from wattkeeper.operations.money.tariffs.choosing import Choice, pinned
from wattkeeper.operations.money.tariffs.worth import stay_of, usage_of, worked_out
from wattkeeper.store.money import bill, billable, hold
from wattkeeper.store.money.bill import BillRow
from wattkeeper.store.money.billable import Billable
from wattkeeper.store.money.content import decode
from wattkeeper.store.money.hold import HoldRow, HoldState

LONGEST_BLOCKING = timedelta(days=1)
"""How long the bill of a session waits for its connector to be told available, where the tariff bills that time."""
DECIDED = (HoldState.ACCEPTED, HoldState.CORRECTED, HoldState.WAIVED)


@dataclass(frozen=True, slots=True)
class Told:
    """A session, priced, with all that was billed and decided of it."""

    its: Billable
    choice: Choice
    case: Case
    documents: tuple[BillRow, ...]
    """In the order of their issue."""
    last: Explanation | None
    """Of the newest document."""
    holds: tuple[HoldRow, ...]
    """The newest last."""
    is_blocking: bool = False
    """Whether its car still blocks the connector, and that may cost something."""

    @property
    def waits(self) -> HoldRow | None:
        """What waits for a person."""
        return next((one for one in self.holds if one.state is HoldState.OPEN), None)

    @property
    def billed_minor(self) -> int | None:
        """What was billed so far; None: nothing yet."""
        return None if self.last is None else gross_of(self.last.taxes)

    def stamp(self) -> tuple[object, ...]:
        """What must still be so when something is written about it."""
        numbers = tuple(one.number for one in self.documents)
        return self.its.last_n, numbers, tuple((one.id, one.state) for one in self.holds)

    def seal(self) -> str:
        """The SHA-256 of all that somebody could see who decides: it must be so when a second person agrees."""
        priced = self.case.bill
        held = [(one.id, one.state, one.gross_minor, sorted(known(one.reasons))) for one in self.holds]
        found = sorted(known([Reason(one.code, one.at, one.evidence) for one in self.case.found]))
        comes_to = (None if priced is None else priced.gross_minor, f"{self.case.usage.energy_wh.normalize():f}")
        seen = (self.its.last_n, [one.number for one in self.documents], held, found, comes_to)
        return sha256(orjson.dumps(seen)).hexdigest()


async def told_of(connection: AsyncConnection, sessions: Sequence[str]) -> dict[str, Told]:
    """These sessions; those left out that do not exist."""
    found = await billable.of(connection, sessions)
    choices = await pinned(connection, found)
    documents = await bill.of_sessions(connection, sessions)
    contents = await bill.contents_of(connection, list(documents)) if documents else {}
    holds = await hold.of_sessions(connection, sessions)
    told = {}
    for one in found.values():
        last = decode(contents[one.id]) if one.id in contents else None
        beside = (tuple(documents.get(one.id, ())), last, tuple(holds.get(one.id, ())))
        told[one.id] = await _told(connection, one, choices[one.id], *beside)
    return told


async def _told(
    connection: AsyncConnection,
    its: Billable,
    choice: Choice,
    documents: tuple[BillRow, ...],
    last: Explanation | None,
    holds: tuple[HoldRow, ...],
) -> Told:
    """One session, priced."""
    tariff = None if choice.row is None else choice.row.tariff
    stayed = await stay_of(connection, its.whole, tariff)
    used = Usage() if tariff is None else condensed(await usage_of(connection, its.whole, tariff, stayed), tariff)
    bill = None if tariff is None else await worked_out(used, tariff)
    case = case_of(its, tariff, used, bill, _view(documents, last, holds))
    return Told(its, choice, case, documents, last, holds, stayed.goes_on)


def case_of(its: Billable, tariff: Tariff | None, used: Usage, bill: Bill | None, view: View | None = None) -> Case:
    """What is judged; ``view``: what it came to when it was billed or decided."""
    return Case(
        session=its.whole,
        known_at=its.known_at,
        found=findings(its.whole),
        tariff=tariff,
        usage=used,
        bill=bill,
        person=its.spot.person,
        view=view,
    )


def _view(documents: Sequence[BillRow], last: Explanation | None, holds: Sequence[HoldRow]) -> View | None:
    """What the session came to when it was billed or decided last."""
    billed = 0 if last is None else gross_of(last.taxes)
    decided = [one for one in holds if one.state in DECIDED and one.settled_at is not None]
    newest = decided[-1] if decided else None
    if newest is not None and newest.settled_at and (last is None or newest.settled_at > documents[-1].issued_at):
        against = known(of_itself(newest.reasons))
        return View(newest.gross_minor, newest.energy_wh, against, last is None, billed)
    return None if last is None else View(last.told_minor, last.told_wh, known(last.reasons), False, billed)


def of_itself(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Reasons that lie in the session itself, not in what was billed before."""
    return tuple(one for one in reasons if one.code not in OWN or not one.code.endswith(("_billing", "_waiving")))
