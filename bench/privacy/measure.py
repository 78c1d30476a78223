"""All attacks on one set of sessions, before and after: on its records, and on what the house lets out of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.privacy import records, released
from bench.privacy.house import House
from bench.privacy.population import Charge
from wattkeeper.charging.insight.bar import MOST, Measured

SEED = 20_251


@dataclass(frozen=True, slots=True)
class Line:
    """One measure, before and after; None where it cannot be had."""

    what: Measured
    before: float | None
    after: float | None
    how_many: str
    within: float = 0.0

    @property
    def is_met(self) -> bool:
        """Whether what left is at most what it may be; not where nothing left."""
        return self.after is not None and self.after <= MOST[self.what]


@dataclass(slots=True)
class Section:
    """What one set came to."""

    name: str
    drivers: int
    sessions: int
    lines: list[Line]
    has_left: bool
    remarks: list[str] = field(default_factory=list)


def measure(name: str, charges: Sequence[Charge], months: tuple[str, str], trials: int) -> Section:
    """Attack the records of a set, and what the house lets out of it."""
    chance, own = random.Random(SEED), records.own(charges)
    house = House(charges, months)
    file, made = house.leaves()
    cells, real = released.shown(file), released.truth(_within(charges, months))
    middle = sorted(one.began for one in charges)[len(charges) // 2]
    past = records.own(one for one in charges if one.began < middle)
    later = [one for one in charges if one.began >= middle]
    lines = []
    for what, points in ((Measured.SINGLED_4, 4), (Measured.SINGLED_8, 8)):
        before, many = records.singled_out(own, points, chance)
        after = released.singled_out(cells, real, own, points, chance)[0] if file else None
        lines.append(Line(what, before, after, f"{many} drivers"))
    before, many = records.linked(past, records.own(later), chance)
    after = released.linked(cells, released.truth(later), past, chance)[0] if file else None
    lines.append(Line(Measured.LINKED, before, after, f"{many} drivers"))
    section = Section(name, len(own), len(charges), lines, bool(file))
    _member(section, house, own, chance, trials)
    _error(section, cells, real)
    if made.release is None:
        section.remarks.append("The first look found every site too small. Nothing left, and a fifth was spent.")
    elif file:
        section.remarks.append(
            f"Numbers were raised by {float(made.release.raised_by):.3f} for what the bounds cut off."
        )
        told = ", ".join(f"{one.what.value} {float(one.value):.4f}" for one in made.figures)
        section.remarks.append(f"What the house measured itself, on the worst town that its own numbers allow: {told}.")
    return section


def _within(charges: Sequence[Charge], months: tuple[str, str]) -> list[Charge]:
    """The sessions that the question is about."""
    return [one for one in charges if months[0] <= f"{one.began:%Y-%m}" <= months[1]]


def _member(section: Section, house: House, own: records.Own, chance: random.Random, trials: int) -> None:
    """Membership: on records by four known points; on releases by everything but the answer."""
    before, _, _ = records.member(own, chance)
    worlds = house.worlds(house.glutton(), trials)
    after, within = released.member(worlds)
    how = f"{trials} worlds with, {trials} without"
    section.lines.append(Line(Measured.MEMBER, before, after if section.has_left else None, how, within))
    found = released.recovered(worlds)
    section.remarks.append(
        f"The driver who fills every bound, all others known: advantage {after:.3f} ± {within:.3f}. With exact totals "
        f"instead of noisy ones it is 1; what the driver drew is then known to the Wh, and here within a tenth in "
        f"{found:.1%} of worlds."
    )
    able = [driver for driver in sorted(own) if house.counts(own[driver])]
    some = chance.sample(able, min(5, len(able)))
    told = []
    for driver in some:
        each, sure = released.member(house.worlds(own[driver], trials // 4))
        told.append(f"{each:.3f} ± {sure:.3f}")
    section.remarks.append(f"Drivers as they are, drawn by chance, all others known: advantage {'; '.join(told)}.")


def _error(section: Section, cells: dict[tuple[str, str], int], real: released.Truth) -> None:
    """How far what left is off, and how much of all there is it tells."""
    off, seen, able, covered = released.error(cells, real)
    section.lines.append(Line(Measured.ERROR, 0.0, off, f"{seen} of {able} cells with 50 sessions or more"))
    section.remarks.append(
        f"{seen} of {able} cells with 50 sessions or more are shown, with {covered:.0%} of all energy in them; the "
        "others are left out."
    )
