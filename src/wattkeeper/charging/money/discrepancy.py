"""What does not fit together about sessions: within one, between it and its price, between two at one connector.

What a session's own readings show is found by `evidence` and only weighed here. Each question takes what is known and
gives what it found; `of_one` and `between` ask them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum

from wattkeeper.charging import evidence
from wattkeeper.charging.deviation import Deviation
from wattkeeper.charging.evidence import duration, findings, kwh
from wattkeeper.charging.identifiers import shown
from wattkeeper.charging.meter import SLACK_WH, TOLERANCE, Finding, FindingCode, figure
from wattkeeper.charging.money.exact import HOUR_S, divided, seconds
from wattkeeper.charging.phrase import Money, Phrase, joined, phrase
from wattkeeper.charging.session import Session

ZERO = Decimal(0)
UNPAID_GRAVE_WH = Decimal(1000)
"""From how much energy on that nobody paid for it is grave."""
EARLIEST_YEAR = 2010
"""Nobody told of sessions by these protocols before."""
OURS = "wattkeeper"
"""Who issued a bill that no person looked at."""


class Kind(StrEnum):
    """What does not fit together."""

    REGISTER_UNLIKE_POWER = "register_unlike_power"
    STATION_TOLD_OTHER_COST = "station_told_other_cost"
    TWO_PRICES = "two_prices"
    UNPAID_ENERGY = "unpaid_energy"
    ENERGY_TWICE = "energy_twice"
    COSTS_WITHOUT_ENERGY = "costs_without_energy"
    BEYOND_CONNECTOR = "beyond_connector"
    OVERLAP = "overlap"
    IMPLAUSIBLE_YEAR = "implausible_year"
    NO_ENERGY = "no_energy"
    BEYOND_BATTERY = "beyond_battery"
    TWICE = "twice"


NAMES: dict[Kind, Phrase] = {
    Kind.REGISTER_UNLIKE_POWER: phrase("Register unlike power"),
    Kind.STATION_TOLD_OTHER_COST: phrase("Station told another cost"),
    Kind.TWO_PRICES: phrase("Two prices"),
    Kind.UNPAID_ENERGY: phrase("Energy that nobody paid for"),
    Kind.ENERGY_TWICE: phrase("Energy counted twice"),
    Kind.COSTS_WITHOUT_ENERGY: phrase("Costs without energy"),
    Kind.BEYOND_CONNECTOR: phrase("More than it can deliver"),
    Kind.OVERLAP: phrase("Overlapping sessions"),
    Kind.IMPLAUSIBLE_YEAR: phrase("Implausible year"),
    Kind.NO_ENERGY: phrase("No energy"),
    Kind.BEYOND_BATTERY: phrase("More than a battery holds"),
    Kind.TWICE: phrase("Here twice"),
}


class Gravity(IntEnum):
    """How much it matters."""

    NOTE = 0
    """A person has looked at it, or it is small."""
    DOUBT = 1
    """Somebody should look; nothing was billed on it that no person has seen."""
    GRAVE = 2
    """Money is wrong, or was taken on what is contradicted."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A price that a session stands under: by its pin, or by a document."""

    tariff: str
    version: int
    currency: str = ""
    """ISO 4217; empty where only the tariff is known."""


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount in the major unit; a currency that was not told is empty."""

    amount: Decimal
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A session with all that it is compared with."""

    session: Session
    known_at: datetime
    """Our time when it was first heard of."""
    prices: frozenset[Priced] = frozenset()
    currency: str = ""
    digits: int = 2
    billed_minor: int | None = None
    """What its documents come to with tax; None: nothing was billed."""
    waiting_minor: int | None = None
    """What it would come to, where it waits for a person."""
    by_person: bool = False
    """Whether a person decided its newest document."""
    told: Cost | None = None
    """What the station says that it cost: evidence, never money."""

    @property
    def is_taken(self) -> bool:
        """Whether money was taken for it."""
        return bool(self.billed_minor)

    def money(self, minor: int) -> Money:
        """An amount in its currency."""
        return Money(Decimal(minor).scaleb(-self.digits), self.currency, self.digits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """What does not fit together, where, by how much, in words."""

    kind: Kind
    gravity: Gravity
    session: str
    """Without dashes."""
    station: str
    evse: int | None
    at: datetime
    words: Phrase
    energy_wh: Decimal = ZERO
    """The energy in question."""
    amount_minor: int = 0
    """The money in question, minor units."""
    currency: str = ""
    digits: int = 2
    other: str = ""
    """The other session, where it lies between two."""


def discrepant(kind: Kind, gravity: Gravity, one: Examined, words: Phrase, **more: object) -> Discrepancy:
    """A discrepancy of a session."""
    s = one.session
    told: dict[str, object] = {"at": s.started_at, "currency": one.currency, "digits": one.digits} | more
    return Discrepancy(
        kind=kind,
        gravity=gravity,
        session=s.id,
        station=s.station,
        evse=s.evse,
        words=words,
        **told,  # type: ignore[arg-type]
    )


def _weighed(one: Examined) -> Gravity:
    """How much a contradiction matters: by whether money was taken on it, and whether a person has seen it."""
    if one.is_taken and not one.by_person:
        return Gravity.GRAVE
    return Gravity.NOTE if one.by_person else Gravity.DOUBT


# --- within one session ---------------------------------------------------------------------------------------

UNLIKE = frozenset({FindingCode.POWER_MISMATCH, FindingCode.REGISTER_SCALE})
LEAPT = frozenset({FindingCode.IMPLAUSIBLE_POWER, FindingCode.LIFETIME_REGISTER, FindingCode.ZERO_BASELINE})


def unlike_power(one: Examined, found: Sequence[Finding]) -> Iterator[Discrepancy]:
    """Energy by register against the sum of power, as the evidence has it."""
    for finding in found:
        if finding.code in UNLIKE:
            energy, integral = (Decimal(finding.evidence[name]) for name in ("energy_wh", "integral_wh"))
            yield _of_evidence(Kind.REGISTER_UNLIKE_POWER, one, finding, abs(energy - integral))


def beyond_connector(one: Examined, found: Sequence[Finding]) -> Iterator[Discrepancy]:
    """More than the connector can deliver: leaps of the register as the evidence has them, else all of it together."""
    leaps = [finding for finding in found if finding.code in LEAPT]
    for finding in leaps:
        energy = Decimal(finding.evidence["to_wh"]) - Decimal(finding.evidence["from_wh"])
        yield _of_evidence(Kind.BEYOND_CONNECTOR, one, finding, energy)
    s, energy_wh = one.session, one.session.energy_wh
    if leaps or energy_wh is None or s.ended_at is None:
        return
    until = max(s.ended_at, s.ended.until if s.ended else s.ended_at, s.track.last_at or s.ended_at)
    lasting_s = seconds(max(until - s.started_at, timedelta()))
    most = divided(s.max_power_w * TOLERANCE * lasting_s, HOUR_S) + SLACK_WH
    if energy_wh > most:
        words = phrase(
            "It delivered {energy_wh} in {lasting}; the connector can deliver {most_wh} in that time.",
            energy_wh=kwh(figure(energy_wh)),
            lasting=duration(int(lasting_s)),
            most_wh=kwh(figure(most.quantize(Decimal(1)))),
        )
        yield discrepant(
            Kind.BEYOND_CONNECTOR, _weighed(one), one, words, energy_wh=energy_wh - most.quantize(Decimal(1))
        )


def _of_evidence(kind: Kind, one: Examined, finding: Finding, energy_wh: Decimal) -> Discrepancy:
    """A finding of the evidence, weighed."""
    at = finding.at or one.session.started_at
    return discrepant(kind, _weighed(one), one, evidence.say(finding), at=at, energy_wh=energy_wh)


def implausible_year(one: Examined, found: Sequence[Finding]) -> Iterator[Discrepancy]:
    """A start or an end in a year in which it cannot have been, or one that could not even be read."""
    s = one.session
    told = [at for at in (s.started_at, s.ended_at) if at is not None]
    odd = [at for at in told if not EARLIEST_YEAR <= at.year <= one.known_at.year + 1]
    if odd:
        words = phrase(
            "The station says that it was in the year {year}; we heard of it in {known_year}.",
            year=str(odd[0].year),
            known_year=str(one.known_at.year),
        )
        yield discrepant(Kind.IMPLAUSIBLE_YEAR, _weighed(one), one, words, at=odd[0])
    elif Deviation.UNREADABLE_TIME in s.deviations:
        yield discrepant(Kind.IMPLAUSIBLE_YEAR, _weighed(one), one, UNREADABLE)


UNREADABLE = phrase(
    "The station told a year before 1970, or a time that cannot be read: when we heard of it stands for that."
)


# --- a session and its price ----------------------------------------------------------------------------------


def costs_without_energy(one: Examined, found: Sequence[Finding]) -> Iterator[Discrepancy]:
    """Money for a session in which no energy flowed."""
    amount = one.billed_minor or one.waiting_minor
    if one.session.is_live or one.session.energy_wh or not amount:
        return
    if one.is_taken:
        words = phrase("It was billed {amount}, though no energy flowed.", amount=one.money(amount))
    else:
        words = phrase("It would cost {amount} and waits for a person: no energy flowed.", amount=one.money(amount))
    yield discrepant(Kind.COSTS_WITHOUT_ENERGY, _weighed(one), one, words, amount_minor=amount)


def two_prices(one: Examined, found: Sequence[Finding]) -> Iterator[Discrepancy]:
    """More than one tariff, version or currency for one session."""
    tariffs = {(price.tariff, price.version) for price in one.prices}
    currencies = {price.currency for price in one.prices if price.currency}
    if len(tariffs) <= 1 and len(currencies) <= 1:
        return
    names = sorted({f"{price.tariff} {price.version} {price.currency}".rstrip() for price in one.prices})
    words = phrase("It stands under more than one price: {prices}.", prices=joined(names, ", "))
    yield discrepant(Kind.TWO_PRICES, Gravity.GRAVE, one, words, amount_minor=one.billed_minor or 0)


def station_told_other_cost(one: Examined, found: Sequence[Finding]) -> Iterator[Discrepancy]:
    """The cost that the station told, against ours; equal where they differ by no more than one minor unit."""
    ours = one.billed_minor if one.billed_minor is not None else one.waiting_minor
    if one.told is None or ours is None:
        return
    same_currency = one.told.currency in ("", one.currency)
    apart = abs(one.told.amount.scaleb(one.digits) - ours)
    if same_currency and apart <= 1:
        return
    words = phrase(
        "The station says that it cost {told}; by its price here it comes to {ours}.",
        told=Money(one.told.amount, one.told.currency or one.currency, one.digits),
        ours=one.money(ours),
    )
    amount = int(apart.to_integral_value()) if same_currency else ours
    gravity = Gravity.GRAVE if one.billed_minor is not None else Gravity.DOUBT
    yield discrepant(Kind.STATION_TOLD_OTHER_COST, gravity, one, words, amount_minor=amount)


Question = Callable[[Examined, Sequence[Finding]], Iterator[Discrepancy]]
OF_ONE: tuple[Question, ...] = (
    *(unlike_power, beyond_connector, implausible_year),
    *(costs_without_energy, two_prices, station_told_other_cost),
)


def of_one(one: Examined) -> Iterator[Discrepancy]:
    """All that does not fit together of one session."""
    found = findings(one.session)
    for question in OF_ONE:
        yield from question(one, found)


# --- two sessions at one connector ----------------------------------------------------------------------------


def overlap(before: Examined, after: Examined) -> Iterator[Discrepancy]:
    """A session that began before the one before it had ended, by the station's own words."""
    common = _in_common(before, after)
    if common <= timedelta():
        return
    words = phrase(
        "It began before session {other} at the same connector had ended; they share {lasting}.",
        other=shown(before.session.id),
        lasting=duration(common // timedelta(seconds=1)),
    )
    is_history = before.session.imported or after.session.imported
    shared = ZERO if is_history else _shared_wh(before.session, after.session)
    yield discrepant(Kind.OVERLAP, _both(before, after), after, words, other=before.session.id, energy_wh=shared)


def energy_twice(before: Examined, after: Examined) -> Iterator[Discrepancy]:
    """A register that begins below where the session before it had ended, though after its beginning."""
    shared = _shared_wh(before.session, after.session)
    if shared <= 0 or _in_common(before, after) > timedelta():
        return
    words = phrase(
        "{energy_wh} of it were counted in session {other} too: its register begins below where that one ended.",
        energy_wh=kwh(figure(shared)),
        other=shown(before.session.id),
    )
    yield discrepant(Kind.ENERGY_TWICE, _both(before, after), after, words, other=before.session.id, energy_wh=shared)


def unpaid_energy(before: Examined, after: Examined) -> Iterator[Discrepancy]:
    """A register that stands higher at the start than at the end of the session before: nobody paid for that."""
    last, first = before.session.track.last, after.session.track.first
    if before.session.is_live or last is None or first is None or _in_common(before, after) > timedelta():
        return
    unpaid = first.wh - last.wh
    if unpaid <= SLACK_WH:
        return
    said = UNREAD if evidence.is_end_unread(before.session) else UNPAID
    words = said.filled(other=shown(before.session.id), energy_wh=kwh(figure(unpaid)))
    gravity = Gravity.GRAVE if unpaid >= UNPAID_GRAVE_WH else Gravity.DOUBT
    more = {"other": before.session.id, "energy_wh": unpaid, "at": first.at}
    yield discrepant(Kind.UNPAID_ENERGY, gravity, after, words, **more)


UNPAID = phrase("Since session {other} the register rose by {energy_wh} without a session.")
UNREAD = phrase(
    "Since session {other} was last read the register rose by {energy_wh}: no register was told at its end, so it "
    "probably took that."
)


def _in_common(before: Examined, after: Examined) -> timedelta:
    """For how long both ran, by the station's words."""
    ended = before.session.ended_at
    if ended is None:
        return timedelta()
    return min(ended, after.session.ended_at or ended) - after.session.started_at


def _shared_wh(before: Session, after: Session) -> Decimal:
    """How much of the register lies in both; none where each session counts from nought."""
    marks = (before.track.first, before.track.last, after.track.first, after.track.last)
    if None in marks:
        return ZERO
    low, high, first, last = (mark.wh for mark in marks if mark is not None)
    return max(ZERO, min(high, last) - first) if first > 0 and low <= first else ZERO


def _both(before: Examined, after: Examined) -> Gravity:
    """How much it matters that two are one: grave where money was taken for both."""
    return Gravity.GRAVE if before.is_taken and after.is_taken else Gravity.DOUBT


BETWEEN = (overlap, energy_twice, unpaid_energy)


def between(before: Examined, after: Examined) -> Iterator[Discrepancy]:
    """All that does not fit together between a session and the one before it at the same connector.

    What was imported has registers of its own that begin at nought: only its times are compared.
    """
    is_history = before.session.imported or after.session.imported
    for question in (overlap,) if is_history else BETWEEN:
        yield from question(before, after)


def later(one: Examined, other: Examined) -> Examined:
    """Which of two sessions at a connector the next is compared with: whichever ended later."""
    ends = [each.session.ended_at or each.session.started_at for each in (one, other)]
    return one if ends[0] > ends[1] else other
