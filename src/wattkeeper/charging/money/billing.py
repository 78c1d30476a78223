"""Whether a session bills itself: only on good evidence, by a price, for somebody; the rest waits for a person.

What was billed or decided stands. Where a session changes afterwards it waits again, with the difference; never is a
bill changed in silence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from wattkeeper.charging.cards.limits import BACKLOG
from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.evidence import WEIGHTS, Weight, kwh
from wattkeeper.charging.evidence import say as say_finding
from wattkeeper.charging.meter import Finding, FindingCode, figure
from wattkeeper.charging.money.bill import Bill
from wattkeeper.charging.money.tariffs.tariff import Dimension, Tariff
from wattkeeper.charging.money.usage import Usage
from wattkeeper.charging.phrase import Money, Phrase, phrase
from wattkeeper.charging.session import Session


class ReasonCode(StrEnum):
    """Why a session waits, beside what was found about it (`FindingCode`)."""

    TOLD_LATE = "told_late"
    NOBODY_TO_BILL = "nobody_to_bill"
    COSTS_WITHOUT_ENERGY = "costs_without_energy"
    CHANGED_AFTER_BILLING = "changed_after_billing"
    DOUBTED_AFTER_BILLING = "doubted_after_billing"
    CHANGED_AFTER_WAIVING = "changed_after_waiving"


R, F = ReasonCode, FindingCode
OWN: frozenset[str] = frozenset(R)
WORDS: Mapping[ReasonCode, Phrase] = {
    R.TOLD_LATE: phrase(
        "By the station's clock it began {seconds} before we heard of it: its time is not to be trusted."
    ),
    R.NOBODY_TO_BILL: phrase("Nobody is known who would pay {amount} for it."),
    R.COSTS_WITHOUT_ENERGY: phrase("It costs {amount}, though no energy flowed."),
    R.CHANGED_AFTER_BILLING: phrase(
        "It changed after it was billed: {billed} for {billed_wh} before, {amount} for {now_wh} now."
    ),
    R.DOUBTED_AFTER_BILLING: phrase("After it was billed, something was told that speaks against it; {billed} stand."),
    R.CHANGED_AFTER_WAIVING: phrase("It changed after it was waived: it comes to {amount} for {now_wh} now."),
}
TIMED = frozenset({Dimension.TIME, Dimension.PARKING_TIME})
ODD_VALUES = frozenset({Deviation.CONFLICTING_VALUES, Deviation.WRONG_UNIT})
"""Deviations that may concern the register."""
ODD_TIMES = frozenset({Deviation.NO_TIME, Deviation.EPOCH_TIME, Deviation.UNREADABLE_TIME, Deviation.UNDATED_READING})
"""Deviations that concern when something was."""
HARMLESS = frozenset({F.UNAUTHORISED, F.CLOCK_AHEAD, F.CLOCK_REVERSED, F.GAP, F.STATION_DEVIATES, R.TOLD_LATE})
"""What does not matter of a session in which the register surely stood still and which costs nothing."""


PASSING = frozenset({"since", "seconds"})
"""Figures that another reading in between changes, though it says nothing new."""


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a session waits: a `FindingCode` or a `ReasonCode`, when, and its figures (units in their names)."""

    code: str
    at: datetime | None = None
    evidence: dict[str, str] = {}


class Outcome(StrEnum):
    """What becomes of a session that is looked at."""

    NOTHING = "nothing"
    """No price was set, or nothing happened: there is nothing to bill."""
    BILL = "bill"
    HOLD = "hold"
    STANDS = "stands"
    """It is as it was billed, or as a person decided."""


@dataclass(frozen=True, slots=True)
class View:
    """What a session came to when it was billed or decided."""

    gross_minor: int
    energy_wh: Decimal
    reasons: frozenset[tuple[str, str]] = frozenset()
    """What was known against it then, as `known` has it."""
    waived: bool = False
    billed_minor: int = 0
    """What all its bills come to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A session, priced, with what is known of it."""

    session: Session
    known_at: datetime
    """Our time when it was first heard of."""
    found: Sequence[Finding]
    tariff: Tariff | None
    """None: no price was set when it began."""
    usage: Usage
    bill: Bill | None
    person: str
    """Who pays; empty: nobody is known."""
    view: View | None = None
    """None: it was neither billed nor decided."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a session, and why it waits."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()


def judge(case: Case, backlog: timedelta = BACKLOG) -> Judgement:
    """What becomes of a session that has ended; ``backlog``: how long after its start it may be told."""
    if case.bill is None or case.tariff is None:
        return Judgement(Outcome.NOTHING)
    reasons = tuple(_reasons(case, case.tariff, case.bill, backlog))
    if case.view is not None:
        return _again(case.view, case, case.bill, reasons)
    if case.bill.gross_minor == 0 and _is_still(case) and {one.code for one in reasons} <= HARMLESS:
        return Judgement(Outcome.NOTHING)
    return Judgement(Outcome.HOLD if reasons else Outcome.BILL, reasons)


def _again(view: View, case: Case, bill: Bill, reasons: tuple[Reason, ...]) -> Judgement:
    """What becomes of a session that was billed or decided before."""
    is_same = (view.gross_minor, view.energy_wh) == (bill.gross_minor, case.usage.energy_wh)
    if is_same and known(reasons) <= view.reasons:
        return Judgement(Outcome.STANDS)
    changed = R.CHANGED_AFTER_WAIVING if view.waived else R.CHANGED_AFTER_BILLING
    code = R.DOUBTED_AFTER_BILLING if is_same and not view.waived else changed
    evidence = _figures(bill, now_wh=case.usage.energy_wh, billed_wh=view.energy_wh)
    evidence["billed"] = f"{Decimal(view.billed_minor).scaleb(-bill.digits):f}"
    return Judgement(Outcome.HOLD, (Reason(code.value, None, evidence), *reasons))


def known(reasons: Collection[Reason]) -> frozenset[tuple[str, str]]:
    """What reasons are about, to be compared: their codes and figures, but for how long they are apart."""
    return frozenset(
        (one.code, str(sorted((name, str(value)) for name, value in one.evidence.items() if name not in PASSING)))
        for one in reasons
    )


def _is_still(case: Case) -> bool:
    """Whether the register surely stood still from the beginning to the end."""
    track = case.session.track
    return not case.usage.energy_wh and track.first is not None and case.session.opened is not None


# --- reasons --------------------------------------------------------------------------------------------------


def _reasons(case: Case, tariff: Tariff, bill: Bill, backlog: timedelta) -> Iterator[Reason]:
    """Everything that speaks against billing a session by this tariff; by a free one nothing does."""
    if tariff.is_free:
        return
    for finding in case.found:
        if touches_money(finding, tariff):
            yield Reason(finding.code.value, finding.at, finding.evidence)
    late = case.known_at - case.session.started_at
    if late > backlog:
        yield Reason(R.TOLD_LATE.value, case.session.started_at, {"seconds": str(late // timedelta(seconds=1))})
    if bill.gross_minor > 0 and not case.person:
        yield Reason(R.NOBODY_TO_BILL.value, None, _figures(bill))
    if bill.gross_minor > 0 and not case.usage.energy_wh:
        yield Reason(R.COSTS_WITHOUT_ENERGY.value, None, _figures(bill))


def touches_money(finding: Finding, tariff: Tariff) -> bool:
    """Whether what was found may change what a session costs by a tariff."""
    if WEIGHTS[finding.code] > Weight.NOTE:
        return True
    if finding.code is F.GAP:
        return is_timed(tariff)
    if finding.code is not F.STATION_DEVIATES:
        return False
    told = set(finding.evidence.get("codes", "").split(", "))
    return bool(told & ODD_VALUES) or (is_timed(tariff) and bool(told & ODD_TIMES))


def is_timed(tariff: Tariff) -> bool:
    """Whether it matters when something was used, not only how much."""
    return not tariff.is_plain or any(one.dimension in TIMED and one.price for one in tariff.components)


def _figures(bill: Bill, **energies: Decimal) -> dict[str, str]:
    """What a session comes to, as figures of evidence."""
    told = {"amount": f"{bill.gross:f}", "currency": bill.currency, "digits": str(bill.digits)}
    return told | {name: figure(value) for name, value in energies.items()}


def say(reason: Reason) -> Phrase:
    """A reason in a sentence with its figures."""
    if reason.code not in OWN:
        return say_finding(Finding(FindingCode(reason.code), reason.at, reason.evidence))
    told = reason.evidence
    digits = int(told.get("digits", "2"))
    given: dict[str, object] = {name: kwh(value) for name, value in told.items() if name.endswith("_wh")}
    given |= {
        name: Money(Decimal(told[name]), told["currency"], digits) for name in ("amount", "billed") if name in told
    }
    if "seconds" in told:
        given["seconds"] = _days(int(told["seconds"]))
    return WORDS[R(reason.code)].filled(**given)


def _days(seconds: int) -> Phrase:
    """A long duration in words."""
    return phrase("{days} days", days=seconds // 86400)
