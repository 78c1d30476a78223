"""The register of data: what every column is kept for, on what basis, how long and who gets it, read off the tables.

The records of processing (GDPR Article 30), the table of the privacy notice and what retention deletes all come from
here; whoever adds a column without saying so is told by `faults`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Column, LargeBinary, MetaData, Table

from wattkeeper.store.columns import Area, Basis, Recipient, Retention
from wattkeeper.store.retention import ANCHORS, DAYS
from wattkeeper.store.tables.ground import HOUSE

T = TypeVar("T")
OPEN_BYTES = ("SHA-256", "HMAC", "random bytes", "salt", "public key", "authenticator gave", "wrapped", "root")
"""What bytes may be that are not sealed: what says nothing about anybody."""
EXAMPLE = (
    'kept("seen_at", Instant, "when last seen, to …", L, ACCOUNT), and for its table info=about(Area.…, Recipient.…)'
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A column in the register."""

    table: str
    column: str
    area: Area
    purpose: str
    basis: Basis
    retention: Retention
    recipients: tuple[Recipient, ...]
    sealed_under: str
    """Which column of its table leads to whose key seals it; "house": the installation's; empty: it is not sealed."""

    @property
    def is_personal(self) -> bool:
        """Whether it says something about somebody: what does needs a legal basis, and only that."""
        return self.basis is not Basis.NONE


@dataclass(frozen=True, slots=True)
class Activity:
    """What is processed in one area of the work: a row of the records of processing, and of the privacy notice."""

    area: Area
    tables: tuple[str, ...]
    bases: tuple[Basis, ...]
    retentions: tuple[Retention, ...]
    recipients: tuple[Recipient, ...]


def columns(metadata: MetaData) -> list[Kept]:
    """Every column, by table; raises KeyError where one does not say what `faults` asks for."""
    return [_kept(table, column) for table in _tables(metadata) for column in table.columns]


def activities(metadata: MetaData) -> list[Activity]:
    """What is processed of persons, area by area."""
    rows = [row for row in columns(metadata) if row.is_personal]
    return [_activity(area, [row for row in rows if row.area is area]) for area in Area]


def faults(metadata: MetaData) -> Iterator[str]:
    """What is missing of any table or column, in words that say what to write."""
    for table in _tables(metadata):
        if not isinstance(table.info.get("area"), Area) or not _recipients(table.info.get("to")):
            yield f"{table.name}: say what it belongs to and who gets it, as info=about(Area.…, Recipient.…)"
        for column in table.columns:
            yield from _faults_of(table, column)
        yield from _undated(table)


def _faults_of(table: Table, column: Column[object]) -> Iterator[str]:
    info, name = column.info, f"{table.name}.{column.name}"
    if len(str(info.get("purpose", ""))) < 3:
        yield f"{name}: say what it is kept for, as {EXAMPLE}"
    for what, kind in (("basis", Basis), ("retention", Retention)):
        if not isinstance(info.get(what), kind):
            yield f"{name}: say its {what}, as {EXAMPLE}"
    if isinstance(column.type, LargeBinary):
        yield from _unsealed(table, column, name)


def _undated(table: Table) -> Iterator[str]:
    """A table that is kept for so many days, and that the nightly deletion would pass by."""
    days = {column.info.get("retention") in DAYS for column in table.columns}
    if days == {True, False}:
        yield f"{table.name}: some columns are kept for so many days and some longer, so none would ever be deleted"
    if True in days and not any(name in table.columns for name in ANCHORS):
        yield f"{table.name}: nothing says since when its days count; it needs one of {', '.join(ANCHORS)}"


def _unsealed(table: Table, column: Column[object], name: str) -> Iterator[str]:
    """What is wrong with bytes: they are sealed under somebody's key, or say nothing about anybody."""
    under, purpose = column.info.get("under", ""), str(column.info.get("purpose", ""))
    if not under and ("sealed" in purpose or not any(word in purpose for word in OPEN_BYTES)):
        yield f'{name}: say under whose key it is sealed, as under="person_id" or under=HOUSE'
    if under and under != HOUSE and under not in table.columns:
        yield f"{name}: there is no column {under} that could lead to whose key seals it"


def _tables(metadata: MetaData) -> list[Table]:
    return sorted(metadata.tables.values(), key=lambda table: table.name)


def _kept(table: Table, column: Column[object]) -> Kept:
    info = column.info
    return Kept(
        *(table.name, column.name, table.info["area"], info["purpose"], info["basis"], info["retention"]),
        info["to"] or table.info["to"],
        info["under"],
    )


def _recipients(given: object) -> bool:
    return isinstance(given, tuple) and bool(given) and all(isinstance(one, Recipient) for one in given)


def _activity(area: Area, rows: list[Kept]) -> Activity:
    told = {one for row in rows for one in row.recipients} - {Recipient.NOBODY}
    return Activity(
        area,
        tuple(dict.fromkeys(row.table for row in rows)),
        _in_order(Basis, {row.basis for row in rows}),
        _in_order(Retention, {row.retention for row in rows}),
        _in_order(Recipient, told or {Recipient.NOBODY}),
    )


def _in_order(kind: Iterable[T], found: set[T]) -> tuple[T, ...]:
    return tuple(one for one in kind if one in found)
