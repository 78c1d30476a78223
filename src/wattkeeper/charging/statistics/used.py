"""What one driver used and paid: sums of their sessions, and one span of time against another of their own."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, TypeVar

from wattkeeper.charging.money.exact import ZERO, divided, exactly

Key = TypeVar("Key", bound=Hashable)


class Standing(StrEnum):
    """What became of a session's money."""

    BILLED = "billed"
    FREE = "free"
    """Nothing is to be paid: no price was set, nothing happened, or a person waived it."""
    WAITING = "waiting"
    """It has ended and was not billed yet."""
    RUNNING = "running"


class Currency(NamedTuple):
    """In what is paid."""

    code: str
    """ISO 4217."""
    digits: int
    """Of the minor unit after the point."""


class Place(NamedTuple):
    """A place as drivers know it."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Paid:
    """What was billed in one currency, minor units, corrections and credit notes included."""

    net_minor: int = 0
    vat_minor: int = 0
    energy_wh: Decimal = ZERO
    """The energy it was billed for."""

    @property
    def gross_minor(self) -> int:
        """To pay."""
        return self.net_minor + self.vat_minor

    def price(self, digits: int) -> Decimal | None:
        """What a kWh came to with tax, major units, not rounded; None where no energy was billed."""
        if self.energy_wh <= 0:
            return None
        with exactly():
            return divided(Decimal(self.gross_minor).scaleb(3 - digits), self.energy_wh)

    def __add__(self, other: Paid) -> Paid:
        energy_wh = self.energy_wh + other.energy_wh
        return Paid(self.net_minor + other.net_minor, self.vat_minor + other.vat_minor, energy_wh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A session, as far as its driver's sums ask."""

    session: str
    """Without dashes."""
    began_at: datetime
    place: Place
    energy_wh: Decimal
    """As billed, where it was billed; else as its station told it."""
    standing: Standing
    paid: Mapping[Currency, Paid] = field(default_factory=dict)
    is_held: bool = True
    """Whether the session itself can still be looked at; else its documents alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What sessions come to. What runs or was not billed yet is counted apart and in nothing else."""

    sessions: int = 0
    energy_wh: Decimal = ZERO
    free_wh: Decimal = ZERO
    """Of the energy, what nothing is to be paid for."""
    paid: Mapping[Currency, Paid] = field(default_factory=dict)
    waiting: int = 0
    """Sessions that were not billed yet."""
    waiting_wh: Decimal = ZERO
    running: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there was no session at all."""
        return not (self.sessions or self.waiting or self.running)

    def __add__(self, other: Sum) -> Sum:
        return Sum(
            sessions=self.sessions + other.sessions,
            energy_wh=self.energy_wh + other.energy_wh,
            free_wh=self.free_wh + other.free_wh,
            paid=together(self.paid, other.paid),
            waiting=self.waiting + other.waiting,
            waiting_wh=self.waiting_wh + other.waiting_wh,
            running=self.running + other.running,
        )


NONE = Sum()


def together(one: Mapping[Currency, Paid], other: Mapping[Currency, Paid]) -> dict[Currency, Paid]:
    """What was paid of both, by currency."""
    return {each: one.get(each, Paid()) + other.get(each, Paid()) for each in sorted({*one, *other})}


def sum_of(use: Use) -> Sum:
    """What one session comes to."""
    if use.standing is Standing.RUNNING:
        return Sum(running=1)
    if use.standing is Standing.WAITING:
        return Sum(waiting=1, waiting_wh=use.energy_wh)
    free_wh = use.energy_wh if use.standing is Standing.FREE else ZERO
    return Sum(sessions=1, energy_wh=use.energy_wh, free_wh=free_wh, paid=use.paid)


def summed(uses: Iterable[Use]) -> Sum:
    """What sessions come to together."""
    return sum(map(sum_of, uses), NONE)


def apart(uses: Iterable[Use], key: Callable[[Use], Key]) -> dict[Key, Sum]:
    """What sessions come to, told apart by something."""
    found: dict[Key, list[Use]] = {}
    for one in uses:
        found.setdefault(key(one), []).append(one)
    return {name: summed(some) for name, some in found.items()}


# --- months -------------------------------------------------------------------------------------------------------


def month_of(at: datetime, zone: tzinfo) -> date:
    """The first day of the month in which an instant lies, by the clock of a place."""
    return at.astimezone(zone).date().replace(day=1)


def later(month: date, months: int) -> date:
    """The first day of the month so many months later, or earlier below zero."""
    years, rest = divmod(month.month - 1 + months, 12)
    return date(month.year + years, rest + 1, 1)


def begins(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day begins by the clock of a place."""
    return datetime.combine(day, time(), zone)


def same_days(now: datetime, month: date, zone: tzinfo) -> datetime:
    """When another month was as far on as the month of ``now`` is: the same day and time; its end where it is shorter.

    An end that its clock never showed, on the night when it is set forward, is taken as if it had not been set yet.
    """
    local, after = now.astimezone(zone), later(month, 1)
    if (after - month).days < local.day:
        return begins(after, zone)
    return datetime.combine(month.replace(day=local.day), local.time(), zone)


# --- against each other -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """How much more or less something is than it was."""

    percent: int
    """Above zero: more; rounded half even. 0: as good as the same."""
    times: Decimal
    """How many times as much it is, to a tenth."""


def change(now: Decimal, before: Decimal) -> Change | None:
    """How a figure changed; None where there was nothing before to compare it with."""
    if before <= 0:
        return None
    with exactly():
        ratio = divided(now, before)
        return Change(int(((ratio - 1) * 100).to_integral_value()), ratio.quantize(Decimal("0.1")))
