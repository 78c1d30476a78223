"""Tariffs and their versions, kept in OCPI terms: a changed price is a new version, and what was valid stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wattkeeper.charging.person import Scope, Viewer
from wattkeeper.charging.tariff import Bound, Component, Dimension, Element, Tariff
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


# --- in OCPI terms (2.3 mod_tariffs); numbers as text, so that they stay exact ------------------------------


def to_ocpi(what: Tariff) -> dict[str, Any]:
    """A tariff as OCPI has it, prices as text."""
    told: dict[str, Any] = {"currency": what.currency, "tax_included": "YES" if what.tax_included else "NO"}
    told["elements"] = [{"price_components": [_told(one) for one in each.components]} for each in what.elements]
    for name, bound in (("min_price", what.least), ("max_price", what.most)):
        if bound is not None:
            told[name] = {"before_taxes": str(bound.net)}
            told[name] |= {} if bound.gross is None else {"after_taxes": str(bound.gross)}
    return told


def _told(one: Component) -> dict[str, Any]:
    """A price component."""
    told = {"type": one.dimension.value, "price": str(one.price), "step_size": one.step_size}
    return told if one.vat_percent is None else {**told, "vat": str(one.vat_percent)}


def of_ocpi(told: Mapping[str, Any]) -> Tariff:
    """The tariff that OCPI says; amounts may be text or decimals."""
    elements = tuple(Element(tuple(map(_component, each["price_components"]))) for each in told["elements"])
    is_included = told.get("tax_included") == "YES"
    return Tariff(told["currency"], elements, is_included, _bound(told, "min_price"), _bound(told, "max_price"))


def _component(told: Mapping[str, Any]) -> Component:
    """A price component of OCPI."""
    vat = told.get("vat")
    percent = None if vat is None else Decimal(str(vat))
    return Component(Dimension(told["type"]), Decimal(str(told["price"])), percent, int(told.get("step_size", 1)))


def _bound(told: Mapping[str, Any], name: str) -> Bound | None:
    """A limit of OCPI."""
    given = told.get(name)
    if given is None:
        return None
    gross = given.get("after_taxes")
    return Bound(Decimal(str(given["before_taxes"])), None if gross is None else Decimal(str(gross)))
