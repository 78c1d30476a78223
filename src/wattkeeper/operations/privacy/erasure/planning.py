"""What will be done to forget people, worked out in the transaction that does it, or before, to be shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from wattkeeper.charging.privacy.erasure import Obstacle, Plan, Telling
from wattkeeper.store.privacy import erasure, leaving
from wattkeeper.store.privacy.leaving import Leaving
from wattkeeper.store.retention import TAX_YEARS
from wattkeeper.store.unit import Unit

ORDER = [*Obstacle]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Who may be forgotten, what is theirs, and the plan for each."""

    leaving: Leaving
    owners: erasure.Owners
    plans: dict[str, Plan]


async def prepared(unit: Unit, persons: Collection[str]) -> Prepared:
    """The plans for these persons; whoever is not here, or not here any more, has none."""
    known = await unit.select_in("SELECT id FROM person WHERE id IN {values}", [*persons])
    who = [row[0] for row in known]
    going = await leaving.gathered(unit, who)
    whose = await erasure.owners(unit, going)
    rows = await erasure.rows_of(unit, going, whose)
    sessions = await erasure.sessions_of(unit, whose)
    documents = await erasure.documents_of(unit, who)
    told = await erasure.told_of(unit, whose)
    obstacles = await erasure.obstacles_of(unit, who, whose)
    plans = {}
    for person in who:
        count, energy_wh, live = sessions.get(person, (0, Decimal(0), 0))
        kept = documents.get(person)
        stands = obstacles.get(person, set()) | ({Obstacle.CHARGING} if live else set())
        plans[person] = Plan(
            person=person,
            destroyed=dict(sorted(rows[person].items())),
            sessions=count,
            energy_wh=energy_wh,
            documents=kept.count if kept else 0,
            keeps_until=kept.newest.year + TAX_YEARS if kept else None,
            gross_minor={} if kept is None else {name: sum_ for name, sum_ in kept.gross.items() if sum_},
            told=tuple(sorted(told.get(person, set()), key=_place)),
            obstacles=tuple(sorted(stands, key=ORDER.index)),
        )
    return Prepared(going, whose, plans)


def _place(one: Telling) -> tuple[str, str, str]:
    return one.kind.value, one.name, one.what.value
