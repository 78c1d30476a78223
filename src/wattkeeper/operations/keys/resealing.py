"""Values sealed anew: person by person under fresh keys, and row by row for the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wattkeeper.operations.keys.ground import MOST_NAMED, Ground, Tell
from wattkeeper.operations.keys.kinds import HOUSE, KeyKind
from wattkeeper.operations.keys.sealed import HOUSES_OWN, SUBJECTS_OWN, Sealed
from wattkeeper.store import key
from wattkeeper.store.unit import Unit
from wattkeeper.vault.envelope import seal, unseal
from wattkeeper.vault.keys import KeyRefused, mark_of

PERSONS_AT_ONCE = 100
VALUES_AT_ONCE = 500


@dataclass(slots=True)
class Resealed:
    """What was sealed anew, and what could not be opened: it was lost before."""

    keys: int = 0
    values: int = 0
    lost: list[str] = field(default_factory=list)

    def counts(self, noun: str) -> dict[str, int]:
        """For the log: counts alone."""
        return {noun: self.keys or self.values, "lost": len(self.lost)}

    def name(self, tell: Tell) -> None:
        """Say what could not be opened."""
        for one in self.lost[:MOST_NAMED]:
            tell(f"  {one} did not open before and does not now; it was left as it is.")
        if len(self.lost) > MOST_NAMED:
            tell(f"  and {len(self.lost) - MOST_NAMED:,} more.")


async def persons(ground: Ground) -> Resealed:
    """A fresh key for each person whose key is older than the rotation; each person in one transaction."""
    told = Resealed()
    while True:
        async with ground.store.unit() as unit:
            begun = await key.newest_of(unit.connection, KeyKind.PERSONS)
            assert begun is not None
            rows = await key.subjects_before(unit.connection, begun.at, PERSONS_AT_ONCE)
            if not rows:
                return told
            before = {row.subject: row.wrapped for row in rows}
            fresh = {subject: ground.safe.ring.make(subject) for subject in before}
            for column in SUBJECTS_OWN:
                await _reseal_persons(ground, unit, column, before, fresh, told)
            await key.replace(unit, fresh, max(unit.now, begun.at))  # whatever the clock does: done is done
            told.keys += len(rows)


async def _reseal_persons(
    ground: Ground, unit: Unit, column: Sealed, before: Mapping[str, bytes], fresh: Mapping[str, bytes], told: Resealed
) -> None:
    """Seal one column anew for these persons."""
    ring, where = ground.safe.ring, (column.table.name, column.column)
    changed = []
    for row in (await unit.connection.execute(column.of_subjects(before))).all():
        subject = column.head + row.owner
        try:
            plain = unseal(ring.cipher(subject, before[subject]), *where, subject, bytes(row.sealed))
        except KeyRefused:
            told.lost.append(f"{'.'.join(where)} of {row.at if isinstance(row.at, str) else subject}")
            continue
        sealed = seal(ring.cipher(subject, fresh[subject]), *where, subject, plain)
        changed.append({"row_key": row.at, "sealed_anew": sealed})
    await _keep(unit, column, changed, told)


async def house(ground: Ground) -> Resealed:
    """Seal anew what older house keys sealed, column by column; then look once more that nothing is left."""
    told = Resealed()
    while True:
        before = told.values
        for column in HOUSES_OWN:
            after: Any = None
            while (after := await _reseal_some(ground, column, after, told)) is not None:
                pass
        if told.values == before:
            told.lost = [*dict.fromkeys(told.lost)]
            return told


async def _reseal_some(ground: Ground, column: Sealed, after: Any, told: Resealed) -> Any:
    """Seal some rows anew; the key of the last one, None where there are no more."""
    async with ground.store.unit() as unit:
        shared, where = ground.safe.shared, (column.table.name, column.column)
        wanted = column.of_house(mark_of(shared.house), after, VALUES_AT_ONCE)
        rows = (await unit.connection.execute(wanted)).all()
        changed = []
        for row in rows:
            try:
                plain = ground.safe.unseal(*where, bytes(row.sealed))
            except KeyRefused:
                told.lost.append(f"{'.'.join(where)} of {row.at if isinstance(row.at, str | int) else 'a row'}")
                continue
            changed.append({"row_key": row.at, "sealed_anew": seal(shared.house, *where, HOUSE, plain)})
        await _keep(unit, column, changed, told)
        return rows[-1].at if rows else None


async def _keep(unit: Unit, column: Sealed, changed: list[dict[str, Any]], told: Resealed) -> None:
    if changed:
        await unit.connection.execute(column.kept(), changed)
        told.values += len(changed)
