"""Tariffs and their versions, kept in OCPI terms: a changed price is a new version, and what was valid stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.tariff import Tariff
from wattkeeper.store.ocpi import of_ocpi, to_ocpi
from wattkeeper.store.tables import tariff
from wattkeeper.store.unit import Unit

STANDARD = "standard"
"""The one tariff that there is so far."""
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


async def versions(connection: AsyncConnection, viewer: Viewer) -> list[TariffRow]:
    """Every version, the newest first."""
    viewer.need(Scope.TARIFFS_READ)
    return await every(connection)


async def every(connection: AsyncConnection) -> list[TariffRow]:
    """Every version, the newest first: for working out what sessions cost, which their drivers may know."""
    rows = await connection.execute(select(*COLUMNS).where(T.id == STANDARD).order_by(T.version.desc()))
    return [_row(*row) for row in rows]


def valid_at(rows: list[TariffRow], at: datetime) -> TariffRow | None:
    """The version for what starts at an instant: of those valid by then the one valid latest, of equals the newest."""
    begun = [row for row in rows if row.valid_from <= at]
    return max(begun, key=lambda row: (row.valid_from, row.version), default=None)


async def keep(unit: Unit, what: Tariff, valid_from: datetime, by: str) -> TariffRow:
    """Keep another version."""
    newest = await unit.connection.scalar(select(func.max(T.version)).where(T.id == STANDARD))
    version = (newest or 0) + 1
    content = orjson.dumps(to_ocpi(what), option=orjson.OPT_SORT_KEYS).decode()
    values = {"id": STANDARD, "version": version, "content": content, "valid_from": valid_from, "created_by": by}
    await unit.connection.execute(insert(tariff).values(values))
    return TariffRow(STANDARD, version, what, valid_from, by)


def _row(identifier: str, version: int, content: str, valid_from: datetime, by: str) -> TariffRow:
    """A version of its row."""
    return TariffRow(identifier, version, of_ocpi(orjson.loads(content)), valid_from, by)
