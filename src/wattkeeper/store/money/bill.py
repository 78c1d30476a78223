"""Bills, corrections and credit notes: numbered without gaps in series a year, never changed and never deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, tzinfo
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlalchemy import func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.evidence import Grade
from wattkeeper.charging.money.ledger import charge
from wattkeeper.charging.money.numbered import DocumentKind, Draft, number_of
from wattkeeper.charging.person import Viewer
from wattkeeper.store import reach
from wattkeeper.store.money import ledger, revenue
from wattkeeper.store.money.content import encode
from wattkeeper.store.statistics import share
from wattkeeper.store.tables import bill
from wattkeeper.store.unit import Unit

C = bill.c


@dataclass(frozen=True, slots=True)
class BillRow:
    """A document as it was issued; amounts are what it adds, in minor units."""

    number: str
    place: int
    """Among the numbers of its year."""
    kind: DocumentKind
    session: str
    """Without dashes."""
    station: str
    site: str
    group: str
    person: str
    """Who pays, by the id; empty: nobody is known."""
    tariff: str
    version: int
    currency: str
    digits: int
    net_minor: int
    vat_minor: int
    gross_minor: int
    energy_wh: Decimal
    started_at: datetime
    ended_at: datetime
    issued_at: datetime
    grade: Grade
    corrects: str | None
    reason: str | None
    by: str
    digest: str
    """SHA-256 of its content, hexadecimal."""


COLUMNS = (
    *(C.number, C.place, C.kind, C.session_id, C.station_id, C.site, C.grouping, C.person_id, C.tariff_id),
    *(C.tariff_version, C.currency, C.digits, C.net_minor, C.vat_minor, C.gross_minor, C.energy_wh, C.started_at),
    *(C.ended_at, C.issued_at, C.grade, C.corrects, C.reason, C.by, C.digest),
)


# --- issuing ------------------------------------------------------------------------------------------------


async def issue(unit: Unit, drafts: Iterable[Draft], zone: tzinfo) -> list[str]:
    """Give each document the next number of its year, enter it into the ledger and the sums; the numbers.

    All in the unit's transaction, in which nobody else writes: either all of it is there or none of it.
    """
    given = list(drafts)
    series = f"{unit.now.astimezone(zone):%Y}"
    newest = int(await unit.connection.scalar(select(func.max(C.place)).where(C.series == series)) or 0)
    numbers = [number_of(series, place) for place in range(newest + 1, newest + 1 + len(given))]
    rows = [_values(unit, one, series, newest + 1 + index) for index, one in enumerate(given)]
    if rows:
        await unit.connection.execute(insert(bill), rows)
    await ledger.post(unit, [_entry(one, number) for one, number in zip(given, numbers, strict=True)])
    for one in given:
        revenue.note(unit, one, unit.now, zone)
    await share.recount(unit, {one.why.session: unit.now for one in given})
    return numbers


def _values(unit: Unit, one: Draft, series: str, place: int) -> dict[str, Any]:
    """The row of a document."""
    why, content = one.why, encode(one.why)
    values = {name: getattr(one, name) for name in ("net_minor", "vat_minor", "gross_minor", "site", "corrects", "by")}
    values |= {"number": number_of(series, place), "series": series, "place": place, "kind": one.kind.value}
    values |= {"session_id": why.session, "station_id": why.station, "grouping": one.group, "person_id": one.person}
    values |= {"tariff_id": why.tariff_id, "tariff_version": why.version, "energy_wh": why.adds_wh}
    values |= {"currency": why.bill.currency, "digits": why.bill.digits, "reason": why.reason}
    values |= {"started_at": why.started_at, "ended_at": why.ended_at, "grade": why.grade.value}
    return values | {"issued_at": unit.now, "content": content, "digest": digest(content)}


def _entry(one: Draft, number: str) -> ledger.Entry:
    """What a document changes in the ledger."""
    taxes = [(tax.vat_percent, tax.vat_minor) for tax in one.why.adds]
    lines = charge(one.person, one.site, one.why.bill.currency, one.net_minor, taxes)
    return ledger.Entry(one.kind.entry, number, one.by, lines)


def digest(content: str) -> str:
    """The SHA-256 of a content, hexadecimal."""
    return sha256(content.encode()).hexdigest()


# --- looking ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which documents are looked for; None does not restrict."""

    kind: DocumentKind | None = None
    session: str | None = None
    station: str | None = None
    site: str | None = None
    person: str | None = None
    tariff: str | None = None
    since: datetime | None = None
    """Issued at this instant or later."""
    until: datetime | None = None
    """Issued before this instant."""


SOUGHT = {
    **{"kind": C.kind, "session": C.session_id, "station": C.station_id},
    **{"site": C.site, "person": C.person_id, "tariff": C.tariff_id},
}


async def find(
    connection: AsyncConnection,
    viewer: Viewer,
    sought: Sought,
    limit: int,
    before: tuple[datetime, int] | None = None,
) -> list[BillRow]:
    """The newest ``limit`` documents that are sought, issued before this instant and place (scope bills:read)."""
    wanted = select(*COLUMNS).where(reach.bills(viewer))
    given = {name: getattr(sought, name) for name in SOUGHT}
    wanted = wanted.where(*(SOUGHT[name] == value for name, value in given.items() if value is not None))
    if sought.since is not None:
        wanted = wanted.where(C.issued_at >= sought.since)
    if sought.until is not None:
        wanted = wanted.where(C.issued_at < sought.until)
    if before is not None:
        wanted = wanted.where(tuple_(C.issued_at, C.place) < before)
    rows = await connection.execute(wanted.order_by(C.issued_at.desc(), C.place.desc()).limit(limit))
    return [row_of(row) for row in rows]


async def one(connection: AsyncConnection, viewer: Viewer, number: str) -> BillRow | None:
    """The document with this number, where the viewer may see it."""
    row = (await connection.execute(select(*COLUMNS).where(C.number == number, reach.bills(viewer)))).first()
    return None if row is None else row_of(row)


async def content(connection: AsyncConnection, viewer: Viewer, number: str) -> str | None:
    """The whole explanation of a document, canonical JSON, where the viewer may see it."""
    found = await connection.scalar(select(C.content).where(C.number == number, reach.bills(viewer)))
    return None if found is None else str(found)


async def of_sessions(connection: AsyncConnection, sessions: Sequence[str]) -> dict[str, list[BillRow]]:
    """The documents of each of these sessions, in the order of their issue: for deeds, never for showing."""
    wanted = select(*COLUMNS).where(C.session_id.in_(sessions)).order_by(C.series, C.place)
    found: dict[str, list[BillRow]] = {}
    for row in await connection.execute(wanted):
        found.setdefault(row.session_id, []).append(row_of(row))
    return found


async def gross_of(connection: AsyncConnection, sessions: Sequence[str], currency: str) -> dict[str, int]:
    """What was billed for each of these sessions in a currency, minor units: for totals, never for showing."""
    summed = select(C.session_id, func.sum(C.gross_minor)).where(C.session_id.in_(sessions), C.currency == currency)
    return {name: int(gross) for name, gross in await connection.execute(summed.group_by(C.session_id))}


async def issued(
    connection: AsyncConnection, viewer: Viewer, since: datetime, until: datetime, after: tuple[str, int], limit: int
) -> list[tuple[BillRow, str]]:
    """Documents of a period with their contents, those after a series and place, in their order (scope bills:read)."""
    spans = (C.issued_at >= since, C.issued_at < until, tuple_(C.series, C.place) > after)
    wanted = select(*COLUMNS, C.content).where(reach.bills(viewer), *spans).order_by(C.series, C.place).limit(limit)
    return [(row_of(row[:-1]), str(row[-1])) for row in await connection.execute(wanted)]


async def named(connection: AsyncConnection, numbers: Sequence[str]) -> list[BillRow]:
    """The documents with these numbers, in the order of their issue: for what follows them, never for showing."""
    wanted = select(*COLUMNS).where(C.number.in_(numbers)).order_by(C.series, C.place)
    return [row_of(row) for row in await connection.execute(wanted)]


async def contents(connection: AsyncConnection, numbers: Sequence[str]) -> dict[str, str]:
    """The content of each of these documents: for what follows them, never for showing."""
    rows = await connection.execute(select(C.number, C.content).where(C.number.in_(numbers)))
    return {number: text for number, text in rows}


async def contents_of(connection: AsyncConnection, sessions: Sequence[str]) -> dict[str, str]:
    """The content of the newest document of each of these sessions: for deeds, never for showing."""
    wanted = select(C.session_id, C.content).where(C.session_id.in_(sessions)).order_by(C.series, C.place)
    return {session: text for session, text in await connection.execute(wanted)}


def row_of(row: Sequence[Any]) -> BillRow:
    """A document of a row selected as COLUMNS."""
    values = dict(zip(NAMES, row, strict=True))
    values |= {"kind": DocumentKind(values["kind"]), "grade": Grade(values["grade"])}
    return BillRow(**values)


NAMES = tuple(field.name for field in fields(BillRow))
