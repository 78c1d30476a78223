"""Tariffs and their versions, kept in OCPI terms: a changed price is a new version, and what was valid stays."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import orjson
from sqlalchemy import exists, func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.money.tariffs.assignment import STANDARD
from wattkeeper.charging.money.tariffs.tariff import Tariff
from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.store.money.tariffs.ocpi import of_ocpi, to_ocpi
from wattkeeper.store.tables import bill, hold, pin, tariff
from wattkeeper.store.unit import Unit

T = tariff.c
COLUMNS = (T.id, T.version, T.content, T.valid_from, T.created_by)


@dataclass(frozen=True, slots=True)
class TariffRow:
    """A version of a tariff."""

    id: str
    version: int
    tariff: Tariff
    valid_from: datetime
    by: str


async def versions(connection: AsyncConnection, viewer: Viewer, identifier: str | None = None) -> list[TariffRow]:
    """Every version of every tariff, or of one: by name, the newest first."""
    viewer.need(Scope.TARIFFS_READ)
    return [row for row in await every(connection) if identifier in (None, row.id)]


async def every(connection: AsyncConnection) -> list[TariffRow]:
    """Every version of every tariff: for working out what sessions cost, which their drivers may know."""
    rows = await connection.execute(select(*COLUMNS).order_by(T.id, T.version.desc()))
    return [_row(*row) for row in rows]


async def is_any(connection: AsyncConnection) -> bool:
    """Whether any price was ever set here."""
    return await connection.scalar(select(T.id).limit(1)) is not None


async def some(connection: AsyncConnection, which: Collection[tuple[str, int]]) -> list[TariffRow]:
    """These versions, each by its tariff and number."""
    if not which:
        return []
    rows = await connection.execute(select(*COLUMNS).where(tuple_(T.id, T.version).in_(which)))
    return [_row(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a session is billed by, and whether that was done."""

    row: TariffRow | None
    """None: no price was set when it began."""
    is_decided: bool
    """Whether it was billed already, or waits for a person, or did."""


async def pinned(connection: AsyncConnection, session: str) -> Pinned | None:
    """What a session is pinned to, asked in one question; None where it is not pinned yet."""
    its = pin.c.session_id == session
    billed = exists().where(bill.c.session_id == session)
    held = exists().where(hold.c.session_id == session)
    joined = pin.outerjoin(tariff, (T.id == pin.c.tariff_id) & (T.version == pin.c.version))
    row = (await connection.execute(select(billed | held, *COLUMNS).select_from(joined).where(its))).first()
    if row is None:
        return None
    decided, *version = row
    return Pinned(None if version[0] is None else _row(*version), bool(decided))


def valid_at(rows: Iterable[TariffRow], at: datetime, identifier: str = STANDARD) -> TariffRow | None:
    """The version of a tariff for what starts at an instant: the one valid latest by then, of equals the newest."""
    begun = [row for row in rows if row.id == identifier and row.valid_from <= at]
    return max(begun, key=lambda row: (row.valid_from, row.version), default=None)


async def newest(unit: Unit, identifier: str) -> int:
    """The newest version of a tariff; 0 where there is none."""
    return int(await unit.connection.scalar(select(func.max(T.version)).where(T.id == identifier)) or 0)


async def keep(unit: Unit, what: Tariff, valid_from: datetime, by: str, identifier: str = STANDARD) -> TariffRow:
    """Keep another version of a tariff."""
    version = await newest(unit, identifier) + 1
    content = orjson.dumps(to_ocpi(what), option=orjson.OPT_SORT_KEYS).decode()
    values = {"id": identifier, "version": version, "content": content, "valid_from": valid_from, "created_by": by}
    await unit.connection.execute(insert(tariff).values(values))
    return TariffRow(identifier, version, what, valid_from, by)


def _row(identifier: str, version: int, content: str, valid_from: datetime, by: str) -> TariffRow:
    """A version of its row."""
    return TariffRow(identifier, version, _read(content), valid_from, by)


@lru_cache(maxsize=1024)
def _read(content: str) -> Tariff:
    """A tariff as kept; what is kept of a version never changes."""
    return of_ocpi(orjson.loads(content))
