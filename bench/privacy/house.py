"""The house whose releases are attacked: the product as it is, handed sessions and asked questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bench.privacy.population import Charge
from bench.privacy.worlds import Worlds
from wattkeeper.charging.insight.contribution import Record, count, of_driver
from wattkeeper.charging.insight.design import Noise, design
from wattkeeper.charging.insight.question import Kind, Question, period, question
from wattkeeper.operations.insight.drawing import Candidate, drawn_from
from wattkeeper.operations.insight.files import as_json
from wattkeeper.operations.insight.noise import drawn


def _released(numbers: list[int], noise: Noise, trials: int) -> list[list[int]]:
    """The same numbers, released many times."""
    flat = drawn(numbers * trials, noise)
    return [flat[n : n + len(numbers)] for n in range(0, len(flat), len(numbers))]


def record(one: Charge) -> Record:
    """A session as the product takes it."""
    stay_s = int((one.ended - one.began).total_seconds())
    return Record(one.driver, one.place, one.began.replace(tzinfo=UTC), stay_s, one.energy_wh)


class House:
    """One question to all sessions, counted once."""

    def __init__(self, charges: Sequence[Charge], months: tuple[str, str], epsilon: str = "0.5") -> None:
        sites = sorted({one.place for one in charges})
        self.asked: Question = question(Kind.SITE_LOAD, period(*months), sites, Decimal(epsilon))
        self._counted = count(self.asked, map(record, charges))

    def leaves(self) -> tuple[str, Candidate]:
        """The JSON that leaves, empty where nothing may; and the candidate."""
        made = drawn_from(self.asked, self._counted)
        return (as_json(made, made.release) if made.release is not None and made.may_leave else ""), made

    def worlds(self, own: Iterable[Charge], trials: int) -> Worlds:
        """Numbers as released with one more driver and without, many times.

        Only those that the driver moves, of both steps: all others are the same in both worlds, and so is their noise.
        """
        cells, cut = of_driver(self.asked, map(record, own))
        made, sites = design(self.asked), dict[str, int]()
        for (site, _), amount in cells.items():
            sites[site] = sites.get(site, 0) + amount
        look = [(self._counted.sites[site], amount) for site, amount in sites.items()] + [(self._counted.cut, cut)]
        steps = [
            (made.cells, [(self._counted.cells[cell], amount) for cell, amount in cells.items()]),
            (made.look, look),
        ]
        told = []
        for is_in in (1, 0):
            parts = [_released([base + is_in * own for base, own in some], noise, trials) for noise, some in steps]
            told.append([[*one, *other] for one, other in zip(*parts, strict=True)])
        base, moved = zip(*(pair for _, some in steps for pair in some), strict=True)
        inside, outside = told
        return Worlds(inside, outside, base, moved, [noise.scale for noise, some in steps for _ in some], len(cells))

    def counts(self, own: Iterable[Charge]) -> bool:
        """Whether a driver moves anything that this question is about."""
        return bool(of_driver(self.asked, map(record, own))[0])

    def glutton(self) -> list[Charge]:
        """A driver who fills every bound: four sessions in every week, in the same hours, of twice what counts."""
        site, first, found = self.asked.sites[0], self.asked.period.first, list[Charge]()
        for n in range((self.asked.period.until - first).days):
            at = datetime(first.year, first.month, first.day, 8) + timedelta(days=n)
            week = at.date() - timedelta(days=at.weekday())
            if sum(one.began.date() - timedelta(days=one.began.weekday()) == week for one in found) < 4:
                found.append(Charge("glutton", site, at, at + timedelta(hours=4), self.asked.form.week // 2))
        return found
