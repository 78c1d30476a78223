"""Which keys there are, how old each is, what is overdue, and what replacing one would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.operations.keys import waiting
from wattkeeper.operations.keys.kinds import SUBJECTS, WHAT, KeyKind
from wattkeeper.store import key
from wattkeeper.store.key import KeyRow, Step
from wattkeeper.store.stations import station
from wattkeeper.store.tables import account, card
from wattkeeper.vault.keys import Root, version_of

LOG: Final = "log:"
"""What the keys that sign the log are kept under, before their version."""
WOULD: Final = {
    KeyKind.ROOT: "{root}: the installation's key would be wrapped by a fresh root key.",
    KeyKind.INSTALLATION: "{count:,} keys would be wrapped by a fresh installation key.",
    KeyKind.PERSONS: "{count:,} persons would get a fresh key, and what is theirs would be sealed anew.",
    KeyKind.HOUSE: "Orders, free text of stations, links and letters would be sealed anew by a fresh key.",
    KeyKind.CARDS: "{count:,} cards would be indexed by a fresh pepper; they keep their names in the journal.",
    KeyKind.NAMES: "{count:,} accounts would be found by a fresh pepper.",
    KeyKind.STATIONS: "{count:,} stations would have to sign in once before the old pepper can go.",
    KeyKind.MARKS: "Signed records and buyers would be marked by a fresh pepper; the old ones stay to compare.",
    KeyKind.LOG: "The log would be signed by another key; the old one signs what there is first.",
}
"""What replacing each would do."""


@dataclass(frozen=True, slots=True)
class KeyAge:
    """A key, or all keys of one kind, as it is now."""

    kind: KeyKind
    version: int
    since: datetime | None
    """When it was made; of persons the oldest, of the root when it was replaced last. None: not known."""
    count: int = 1
    kept: int = 0
    """How many versions before it are kept."""
    is_under_way: bool = False
    """Whether its rotation began and has not ended."""
    is_overdue: bool = False

    @property
    def what(self) -> str:
        """What it is for."""
        return WHAT[self.kind]


async def ages(connection: AsyncConnection, now: datetime, overdue_days: int) -> list[KeyAge]:
    """Every key with its version and age; overdue are those older than so many days, 0: none."""
    rows = await key.shared(connection)
    changes = {change.kind: change for change in await key.changes(connection)}
    first = min((row.created_at for row in rows.values()), default=None)
    count, oldest = await key.persons(connection)
    found = [_shared(kind, rows) for kind in SUBJECTS]
    root = changes.get(KeyKind.ROOT)
    log = sorted((version_of_log(subject), rows[subject]) for subject in rows if subject.startswith(LOG))
    if log:
        found.append(KeyAge(KeyKind.LOG, log[-1][0], log[-1][1].created_at, kept=len(log) - 1))
    found.insert(0, KeyAge(KeyKind.ROOT, root.version if root else 1, root.at if root else first))
    persons = changes.get(KeyKind.PERSONS)
    version = 1 if persons is None else persons.version - (persons.step is Step.BEGUN)
    found.insert(2, KeyAge(KeyKind.PERSONS, version, oldest, count))
    latest = timedelta(days=overdue_days) if overdue_days else timedelta.max
    begun = {kind for kind, change in changes.items() if change.step is Step.BEGUN}
    return [_judged(one, one.kind in begun, now, latest) for one in found]


def version_of_log(subject: str) -> int:
    """The version of a key that signs the log."""
    return int(subject.removeprefix(LOG))


def _shared(kind: KeyKind, rows: Mapping[str, KeyRow]) -> KeyAge:
    """The newest version of a key that all share, and how many older ones there are."""
    mine = sorted(
        (version_of(row.subject)[1], row) for row in rows.values() if version_of(row.subject)[0] == SUBJECTS[kind]
    )
    if not mine:
        return KeyAge(kind, 0, None, 0)
    version, newest = mine[-1]
    return KeyAge(kind, version, newest.created_at, kept=len(mine) - 1)


def _judged(one: KeyAge, is_under_way: bool, now: datetime, latest: timedelta) -> KeyAge:
    """The key with whether its rotation is under way or overdue."""
    overdue = one.since is not None and now - one.since > latest
    return KeyAge(one.kind, one.version, one.since, one.count, one.kept, is_under_way, overdue)


async def plan(connection: AsyncConnection, kind: KeyKind, root: Root, now: datetime) -> list[str]:
    """What replacing a key would do, in words."""
    newest = await key.newest_of(connection, kind)
    resumed = newest is not None and newest.step is Step.BEGUN
    begun = newest.at if newest is not None and resumed else now
    version = newest.version + (not resumed) if newest is not None else 2
    lines = ["Its rotation began already and would go on."] if resumed else []
    if kind is KeyKind.CODES:
        return [*lines, *waiting.codes_in_words(await waiting.codes_before(connection, begun, version), ended=False)]
    counted = await _count(connection, kind, begun, version)
    return [*lines, WOULD[kind].format(count=counted, root=root.where)]


async def _count(connection: AsyncConnection, kind: KeyKind, begun: datetime, version: int) -> int:
    """How much a rotation would touch."""
    match kind:
        case KeyKind.INSTALLATION:
            return len(await key.shared(connection)) + (await key.persons(connection))[0] - 1
        case KeyKind.PERSONS:
            return (await key.persons(connection, begun))[0]
        case KeyKind.CARDS | KeyKind.NAMES:
            table = card if kind is KeyKind.CARDS else account
            return int(await connection.scalar(select(func.count()).select_from(table)) or 0)
        case KeyKind.STATIONS:
            return len(await station.kept_before(connection, version))
    return 0
