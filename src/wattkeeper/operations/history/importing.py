"""History comes in by the only door: each session's facts together, each session once, however often it is told.

First everything is read and looked at; only then anything is recorded, some sessions in one transaction.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from wattkeeper.charging.errors import Code, Refusal
from wattkeeper.charging.facts import SessionEnded, SessionFact
from wattkeeper.charging.history.oddity import Odd, Oddity, oddities
from wattkeeper.charging.history.past import Past, facts_of
from wattkeeper.charging.phrase import counted, phrase
from wattkeeper.operations.history.mapping import Mapping
from wattkeeper.operations.history.row import Bad, Read, Reader
from wattkeeper.operations.history.table import Table
from wattkeeper.operations.intake import Intake
from wattkeeper.operations.stations.admission import Admission
from wattkeeper.store.engines import Store
from wattkeeper.store.sessions import history
from wattkeeper.store.sessions.history import Known
from wattkeeper.store.stations import station

TOGETHER = 80
"""Sessions told together: their facts, three of each at most, fit into one transaction of the intake."""
LOOKED_UP = 500
MOST_NAMED = 20
"""How many stations are named in one sentence."""


@dataclass(slots=True)
class Plan:
    """What a file comes to, before anything is recorded."""

    rows: int = 0
    fresh: list[Read] = field(default_factory=list)
    """What is to be imported."""
    already: int = 0
    """What is here, or stood in the file, just so."""
    bad: list[Bad] = field(default_factory=list)
    odd: list[Odd] = field(default_factory=list)
    """In the order of their lines."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Stations that are not here, and the sites of those."""

    @property
    def counts(self) -> dict[Oddity, int]:
        """How often each oddity was found, in rows taken and refused."""
        found = Counter([*(one.kind for one in self.odd), *(one.kind for one in self.bad)])
        return {kind: found[kind] for kind in Oddity if found[kind]}


async def plan(store: Store, table: Table, mapping: Mapping) -> Plan:
    """Read a whole file, and look up what of it is here; Refusal (INVALID) where mapping and file do not fit."""
    found = Plan()
    told: dict[tuple[str, str], Read] = {}
    for row in Reader(table, mapping, store.clock()).rows():
        found.rows += 1
        if isinstance(row, Bad):
            found.bad.append(row)
        else:
            _once(found, told, row)
    found.odd += oddities([one.past for one in told.values()], mapping.bounds)
    found.odd.sort(key=lambda one: one.line)
    await _look_up(store, found, told)
    found.bad.sort(key=lambda one: one.line)
    return found


def _once(found: Plan, told: dict[tuple[str, str], Read], row: Read) -> None:
    """Note a row, unless the session stood in the file before."""
    past = row.past
    first = told.setdefault((past.station, past.name), row)
    if first is row:
        return
    line = str(first.past.line)
    if _same(past, first.past):
        found.already += 1
        found.odd.append(Odd(Oddity.DUPLICATE, past.line, AGAIN.filled(line=line)))
    else:
        found.bad.append(Bad(past.line, "", Oddity.DUPLICATE, OTHERWISE.filled(line=line)))


AGAIN = phrase("It is the session of line {line} again.")
OTHERWISE = phrase(
    "It has the name of the session of line {line} at the same station, but other times or another energy."
)
CHANGED = phrase(
    "It was imported before with other times or another energy. What is recorded is not changed; if both happened, "
    "give this one another name."
)


def _same(one: Past, other: Past) -> bool:
    return (one.began_at, one.ended_at, one.energy_wh) == (other.began_at, other.ended_at, other.energy_wh)


async def _look_up(store: Store, found: Plan, told: dict[tuple[str, str], Read]) -> None:
    """Tell apart what is fresh, what is here and what was imported otherwise; and which stations there are."""
    names = list(told)
    async with store.read() as connection:
        for start in range(0, len(names), LOOKED_UP):
            some = names[start : start + LOOKED_UP]
            known = await history.known(connection, some)
            for name in some:
                _sort(found, told[name], known.get(name))
        stations = {one.past.station: one.past.site for one in reversed(found.fresh)}
        there = set[str]()
        for start in range(0, len(stations), LOOKED_UP):
            there |= await station.known(connection, [*stations][start : start + LOOKED_UP])
    found.unknown = {name: site for name, site in sorted(stations.items()) if name not in there}


def _sort(found: Plan, row: Read, known: Known | None) -> None:
    """What becomes of a session; one of which only the beginning came is told whole once more."""
    past = row.past
    if known is None or (not known.is_whole and known.began_at == past.began_at):
        found.fresh.append(row)
    elif (known.began_at, known.ended_at, known.energy_wh) == (past.began_at, past.ended_at, past.energy_wh):
        found.already += 1
    else:
        found.bad.append(Bad(past.line, "", Oddity.DUPLICATE, CHANGED))


# --- deeds -------------------------------------------------------------------------------------------------------


async def make_stations(admission: Admission, unknown: dict[str, str], mapping: Mapping, by: str) -> None:
    """Admit stations of which only history is known; their keys are known to nobody."""
    for name, site in unknown.items():
        await admission.provision(name, by, site=site, max_power_w=mapping.bounds.power_w)


def need_stations(unknown: dict[str, str]) -> None:
    """Raise Refusal (NOT_FOUND) where sessions are of stations that there are not."""
    if unknown:
        names = ", ".join([*unknown][:MOST_NAMED]) + (" …" if len(unknown) > MOST_NAMED else "")
        raise Refusal(
            Code.NOT_FOUND,
            counted(
                "1 station of the file is not here, so nothing was imported: {names}. Admit it, say under [stations] "
                "in the mapping what it is called here, or give --make-stations.",
                "{count} stations of the file are not here, so nothing was imported: {names}. Admit them, say under "
                "[stations] in the mapping what they are called here, or give --make-stations.",
                len(unknown),
                names=names,
            ),
        )


async def record(
    intake: Intake, fresh: Sequence[Read], mapping: Mapping, progress: Callable[[int], None] = lambda done: None
) -> int:
    """Tell the intake of sessions, some at once; gives how many. Each is on disk, or will be told again."""
    for start in range(0, len(fresh), TOGETHER):
        some = fresh[start : start + TOGETHER]
        await asyncio.gather(
            *(
                intake.record(one.past.station, fact, token=one.card, words=_words(one, fact, mapping))
                for one in some
                for fact in facts_of(one.past)
            )
        )
        progress(start + len(some))
    return len(fresh)


def _words(one: Read, fact: SessionFact, mapping: Mapping) -> dict[str, object]:
    """What was paid, in the words of the file: beside the end, as evidence; nothing of it is billed."""
    if one.paid is None or mapping.paid is None or not isinstance(fact, SessionEnded):
        return {}
    return {"paid": f"{one.paid:f}", "currency": mapping.paid.currency}
